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
    """Within, SIGINT calls `cancel` at once from a thread of its own, and what is under way ends with `KeyboardInterrupt`.

    Python runs handlers of signals in the main thread, between its own steps, and so never while that thread is in a long call of the
    engine; and the engine, where it looks by itself, makes a `RuntimeError` of what it sees. Outside of the main thread nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours, theirs = socket.socketpair()
    theirs.settimeout(0)
    before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    heard = threading.Event()
    listener = threading.Thread(target=_listen, args=(ours, heard, cancel), daemon=True)
    listener.start()
    failed: RuntimeError | None = None
    try:
        yield
    except RuntimeError as error:
        failed = error
    finally:
        signal.set_wakeup_fd(before)
        theirs.close()
        listener.join()
        ours.close()
    if heard.is_set():
        raise KeyboardInterrupt from failed
    if failed is not None:
        raise failed


def _listen(ours: socket.socket, heard: threading.Event, cancel: Callable[[], None]) -> None:
    """Each signal is a byte, its number; the end of the stream is the end of the work."""
    while signals := ours.recv(64):
        if signal.SIGINT in signals:
            heard.set()
            cancel()
