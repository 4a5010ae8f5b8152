"""A process that has imported what commands need and opened nothing, and forks a child for each command: no kill waits for Python's imports.

It reads an order a line from its standard input, `{"words": [...], "environment": {...}, "said": path}`, and answers two lines: the child's
number, and how the child ended as `subprocess` counts it. A child that comes to its end tells which modules it needed, and the parent imports
them for the next. It must never use the engine or the lake itself: their threads do not survive a fork.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from xde.faces.cli.main import main
from xde.ground import crash


def carry_out(order: dict[str, Any]) -> int:
    """In the child: the command line, whose output goes to a file."""
    said = os.open(str(order["said"]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(said, 1)
    os.dup2(said, 2)
    os.environ |= order["environment"]
    importlib.reload(crash)  # it reads the environment once
    tempfile.tempdir = None  # and so does this
    words = list(order["words"])
    sys.argv = ["xde", *words]
    known = set(sys.modules)
    code = main(words)
    sys.stdout.flush()
    half = needed(order).with_suffix(".half")  # it may be killed in this very line
    half.write_text(json.dumps([n for n in sys.modules if n not in known]))
    half.replace(needed(order))
    return code


def needed(order: dict[str, object]) -> Path:
    return Path(f"{order['said']}.modules")


def learn(order: dict[str, object]) -> None:
    """Import what the child imported; some names are no more than another module's private talk."""
    told = needed(order)
    if told.exists():
        for name in json.loads(told.read_text()):
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        told.unlink()
        gc.collect()
        gc.freeze()  # what the parent holds is no child's to look through


def wait_for_orders() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            code = carry_out(order)
            atexit._run_exitfuncs()
            os._exit(code)  # without taking two thousand modules to pieces
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        learn(order)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    wait_for_orders()
    os._exit(0)  # at a usual exit the engine's binding bewails what it leaks
