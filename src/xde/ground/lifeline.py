"""A process that ends when the one that began it does, whatever it is busy with."""

from __future__ import annotations

import ctypes
import os
import queue
import signal
import sys
import threading
from contextlib import suppress

_PR_SET_PDEATHSIG = 1  # prctl(2)


def end_with(parent: int, *, listens: bool = True) -> None:
    """End when the parent does, with all of the process group: the pipe that it holds is closed then, and Linux sends a signal besides.

    `listens`: nobody else reads from that pipe.
    """
    if listens:
        listening()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def listening() -> queue.SimpleQueue[bytes]:
    """The lines that the parent writes to our standard input; when it is closed, we end with all of our process group."""
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(lines,), name="parent", daemon=True).start()
    return lines


def _listen(lines: queue.SimpleQueue[bytes]) -> None:
    heard = bytearray()
    with suppress(OSError):
        while piece := os.read(0, 1 << 16):
            heard += piece
            *whole, rest = heard.split(b"\n")
            heard = bytearray(rest)
            for line in whole:
                lines.put(bytes(line))
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
