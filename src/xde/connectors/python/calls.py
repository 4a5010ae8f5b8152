"""Calls of users' functions: a folder with the job and the texts, a process under limits, and what became of it as files or findings."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
import threading
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xde.connectors.python import child
from xde.connectors.python.failures import Failure
from xde.ground.clock import SystemClock
from xde.ground.processes import Child, Limits, memory_there
from xde.ground.records import dataclass
from xde.kernel.run.metering import meter
from xde.lifecycle.transformation.functions import is_spark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from xde.kernel.project.python_code import PythonCode
    from xde.lifecycle.transformation.functions import Fed
    from xde.lifecycle.transformation.port import Call

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}
_OURS = "python-"  # begins the name of a call's folder, then the number of the process
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Room:
    """What functions of one environment may use; `spark` are the settings of a session, None where the engine is another."""

    folder: Path
    memory: str | None = None
    timeout: str | None = None
    threads: int | None = None
    spark: Mapping[str, object] | None = None


class PythonFunctions:
    """See `lifecycle.transformation.functions.Functions`."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._lock = threading.Lock()
        self._children: set[Child] = set()

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A folder for one call."""
        self._room.folder.mkdir(parents=True, exist_ok=True)
        _sweep(self._room.folder)
        folder = Path(tempfile.mkdtemp(prefix=f"{_OURS}{os.getpid()}-", dir=self._room.folder)).resolve()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def call(self, call: Call, fed: Sequence[Fed], schema: pa.Schema, folder: Path) -> tuple[str, ...]:
        """Run it. Raises `UserError`, or `KeyboardInterrupt` when it was cancelled."""
        code = call.model.python
        if code is None:
            raise TypeError(call.model.name)
        limits = Limits(memory_of(code.memory or self._room.memory), seconds_of(code.timeout or self._room.timeout))
        self._prepare(call, code, (fed, schema), folder, limits)
        process = Child(
            [sys.executable, "-m", child.__name__, str(folder)],
            folder / child.PROJECT,
            {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "PYTHONUNBUFFERED": "1"},
        )
        with self._lock:
            self._children.add(process)
        try:
            ended = process.wait(limits, SystemClock().monotonic)
        finally:
            with self._lock:
                self._children.discard(process)
        if (metered := meter()) and ended.most:
            metered.queried(memory=ended.most)
        if ended.why == "cancelled":
            raise KeyboardInterrupt
        report = _read(folder / child.REPORT)
        if ended.why or report.get("kind") != "done":
            raise Failure(call, code, ended, limits, folder).told(report)
        return tuple(str(p) for p in report["paths"])

    def cancel(self) -> None:
        """End every process under way."""
        with self._lock:
            children = list(self._children)
        for one in children:
            one.end("cancelled")

    def _prepare(self, call: Call, code: PythonCode, rows: tuple[Sequence[Fed], pa.Schema], folder: Path, limits: Limits) -> None:
        """Put the job, the texts and the schemas into the folder."""
        fed, schema = rows
        for path, text in code.files:
            target = folder / child.PROJECT / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        (folder / "spill").mkdir()
        for name, one in (*((f.given.parameter, f.schema) for f in fed), (None, schema)):
            child.schema_file(folder, name).write_bytes(one.serialize().to_pybytes())
        wanted = {s.name: s.type for s in code.settings}
        job = {
            "parent": os.getpid(),
            "python": sys.executable,
            "path": code.files[0][0],
            "function": code.function,
            "gives": code.gives,
            "given": {f.given.parameter: {"form": f.given.form, "paths": f.paths} for f in fed},
            "values": {n: _told(v, wanted.get(n)) for n, v in call.values.items()},
            "memory": limits.memory,
            "hard_limit": sys.platform == "linux" and not is_spark(call),
            "threads": self._room.threads or os.cpu_count() or 1,
            "spill": str(folder / "spill"),
            "spark": self._room.spark,
        }
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")


def _sweep(folder: Path) -> None:
    """Take away what calls left whose process was killed."""
    for old in folder.glob(f"{_OURS}*-*") if os.name == "posix" else ():
        try:
            os.kill(int(old.name.split("-")[1]), 0)
        except (ProcessLookupError, ValueError):
            shutil.rmtree(old, ignore_errors=True)
        except PermissionError:
            continue  # somebody else's, and alive


def _told(value: object, wanted: str | None) -> dict[str, object]:
    match value:
        case datetime():
            return {"type": "datetime", "value": value.isoformat(), "wanted": wanted}
        case date():
            return {"type": "date", "value": value.isoformat(), "wanted": wanted}
        case _:
            return {"type": "plain", "value": value, "wanted": wanted}


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def memory_of(text: str | None) -> int:
    """The bytes of `2GB`; half of the machine's memory when nothing is said."""
    found = re.match(r"([0-9.]+) ?(.*?)B?\Z", text or "", re.IGNORECASE)
    if found is None or not text:
        return memory_there()
    return int(float(found[1]) * _UNITS[found[2].upper()])


def seconds_of(text: str | None) -> float | None:
    """The seconds of `10 minutes`; None when nothing is said."""
    found = re.match(r"([0-9.]+) *([smh])", text or "")
    return float(found[1]) * _SECONDS[found[2]] if found is not None else None
