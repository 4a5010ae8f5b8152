"""Ctrl-C while the engine computes: a query that waits for nobody is told to stop, and Python then hears of the signal."""

from __future__ import annotations

import signal
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def interruptible(cancel: Callable[[], None]) -> Iterator[None]:
    """Within, SIGINT calls `cancel` at once from a thread of its own; the handler that Python has for it follows when the query is left.

    Python runs handlers in the main thread and between its own steps, and so never while that thread is inside a long call of the engine.
    Outside of the main thread nothing is done: signals are not ours there.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    listener = threading.Thread(target=_listen, args=(ours, cancel), daemon=True)
    listener.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        theirs.close()
        listener.join()
        ours.close()


def _listen(ours: socket.socket, cancel: Callable[[], None]) -> None:
    """Each signal is a byte, its number; the end of the stream is the end of the work."""
    while heard := ours.recv(64):
        if signal.SIGINT in heard:
            cancel()
