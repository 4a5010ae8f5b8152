"""Many texts read at once: in this process when they are few, in several when they are many."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.kernel.graph.text.reading import Reading

WORTH_A_PROCESS = 60
"""With fewer texts than this, starting another process costs more than it saves."""


def read_texts(texts: Sequence[str], workers: int) -> list[Reading]:
    """The readings of texts, in their order; a process that fails costs time and nothing else."""
    if len(texts) < WORTH_A_PROCESS or workers < 2:
        return _here(texts)
    shares = [list(range(i, len(texts), workers)) for i in range(workers)]
    children = [_started([texts[i] for i in share]) for share in shares[1:]]
    found: dict[int, Reading] = dict(zip(shares[0], _here([texts[i] for i in shares[0]]), strict=True))
    for share, child in zip(shares[1:], children, strict=True):
        for position, reading in zip(share, _finished(child, len(share)), strict=True):
            found[position] = reading if reading is not None else _here([texts[position]])[0]
    return [found[i] for i in range(len(texts))]


def _here(texts: Sequence[str]) -> list[Reading]:
    from xde.kernel.graph.text.parse import read_text

    return [read_text(t) for t in texts]


def _started(texts: Sequence[str]) -> subprocess.Popen[bytes] | None:
    """A process that has its work; its answer waits in a file, so that nobody waits for a full pipe."""
    import tempfile

    answer = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the answer is read
    command = [sys.executable, "-m", "xde.kernel.graph.text.parsing_child"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    try:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=answer, stderr=subprocess.DEVNULL, env=environment)  # noqa: S603 - ourselves
    except OSError:
        answer.close()
        return None
    child.stdout = answer
    try:
        if child.stdin is not None:
            with child.stdin as stream:
                pickle.dump(list(texts), stream, protocol=5)
    except BrokenPipeError:
        pass  # it died; `_finished` sees that
    return child


def _finished(child: subprocess.Popen[bytes] | None, count: int) -> Sequence[Reading | None]:
    if child is None or child.stdout is None:
        return [None] * count
    with child.stdout as answer:
        if child.wait() != 0:
            return [None] * count
        answer.seek(0)
        try:
            pieces: list[bytes] = pickle.load(answer)  # noqa: S301 - from the process that we started
        except (pickle.UnpicklingError, EOFError):
            return [None] * count
    return [pickle.loads(p) for p in pieces] if len(pieces) == count else [None] * count  # noqa: S301 - the same
