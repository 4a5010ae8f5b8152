"""Commands as a user gives them, each in a process of its own that can be killed, without a wait for Python's imports."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Warm:
    """Commands as children of a process that has imported everything: see `warming`."""

    def __init__(self) -> None:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        program = [sys.executable, str(Path(__file__).with_name("warming.py"))]
        self._parent = subprocess.Popen(program, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self._folder = tempfile.TemporaryDirectory(prefix="xde-said-")
        atexit.register(self._end)

    def _end(self) -> None:
        self._parent.communicate()
        self._folder.cleanup()

    def run(self, words: Sequence[str], environment: Mapping[str, str], kill_after: float | None) -> tuple[int, str]:
        """The exit code, negative where a signal ended it, and what was said."""
        orders, answers = self._parent.stdin, self._parent.stdout
        assert orders is not None and answers is not None
        said = Path(self._folder.name) / "said"
        orders.write(json.dumps({"words": words, "environment": environment, "said": str(said)}).encode() + b"\n")
        child = int(answers.readline())
        if not select.select([answers], [], [], 120 if kill_after is None else kill_after)[0]:
            with contextlib.suppress(ProcessLookupError):  # it may have ended by itself, and been reaped, a moment ago
                os.kill(child, signal.SIGKILL)
        return int(answers.readline()), said.read_text()


@functools.cache
def _warm() -> Warm:
    return Warm()


def command(*words: str, kill_after: float | None = None, **environment: str) -> tuple[int, str]:
    """`xde` with some words: its exit code, negative where a signal ended it, and all that it said. `kill_after` is in seconds."""
    return _warm().run(words, {"XDE_CRASH_AT": "", **environment}, kill_after)
