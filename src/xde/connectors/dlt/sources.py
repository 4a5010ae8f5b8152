"""Resources of dlt as a source: each read by a process of its own, from the state of the last commit to the end of what it gives."""

from __future__ import annotations

import errno
import json
import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xde.connectors.dlt.failures import Failure
from xde.connectors.dlt.job import RECORDS, REPORT, TABLES, Job
from xde.ground.clock import SystemClock
from xde.ground.digests import digest
from xde.ground.errors import UserError
from xde.ground.findings import Finding, Severity
from xde.ground.processes import Child, Limits, memory_there
from xde.ground.secrets import hide
from xde.lifecycle.sources.tables import Looked, News, Piece, Portion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.ground.underway import Running
    from xde.lifecycle.sources.tables import Ask, Position

KIND = "dlt"
CHILD = "xde.connectors.dlt.child"
HASTY = 30.0  # seconds in which a source must tell whether there is anything new, or what it is
QUIET = {"RUNTIME__DLTHUB_TELEMETRY": "false", "DO_NOT_TRACK": "1", "PYTHONUNBUFFERED": "1"}  # nobody is told that it is used


class DltResources:
    """See `lifecycle.sources.tables.TableSource`. `settings` have what references stand for; `hidden` are the values of those."""

    def __init__(self, settings: Mapping[str, str], hidden: tuple[str, ...], root: Path, running: Running) -> None:
        if find_spec("dlt") is None:
            raise ModuleNotFoundError("dlt", name="dlt")
        self._settings, self._hidden, self._root, self._running = settings, hidden, root, running
        for value in hidden:
            hide(value)

    def news(self, ask: Ask, position: Position | None) -> News | None:
        """Ask for the first pages after a state, and hold them against what the last load was given."""
        if position is None:
            return News("", "all of it is read")
        edge = str(position.get("edge", ""))
        report = self._hastily(ask, "peek", position, edge)
        if not report["news"]:
            return None
        return News(digest([position, report["news"]]), f"`{ask.relation}` has new records" if position.get("state") else _changed(ask))

    def read(self, ask: Ask, position: Position | None, folder: Path) -> Portion:
        """All that the resource gives after a state; the state that it leaves is good for all of that together."""
        report = self._done(ask, self._job(ask, "read", position, folder), Limits(memory_there(), ask.limits.statement_timeout))
        tables = [Piece(Path(p), int(rows), _parts(parts), format="parquet") for p, rows, parts in report["tables"]]
        records = Piece(folder / RECORDS, int(report["rows"]), _parts(report["parts"]))
        pieces = (records, *tables) if records.rows or not tables else tuple(tables)
        after = {"kind": KIND, "state": report["state"], "edge": report["edge"]}
        return Portion(pieces, after, report["cost"], self._told(ask, report["new"]))

    def look(self, ask: Ask) -> list[Looked]:
        """What is between us and the records: the package, the source, the resource, and what it gives first."""
        try:
            report = self._hastily(ask, "look", None, "")
        except UserError as error:
            return [Looked(f"source `{ask.extracted.source}`", well=False, told=str(error), mend=error.findings[0].hint)]
        names = ", ".join(f"`{n}`" for n in report["resources"])
        return [
            Looked(f"source `{ask.extracted.source}`", well=True, told=f"gives {names} (dlt {report['version']})"),
            Looked(f"`{ask.relation}`", well=True, told=f"gives {report['records']:,} at once" if report["records"] else "gives nothing"),
        ]

    def close(self) -> None:
        """Nothing is open between two calls."""

    def _hastily(self, ask: Ask, what: str, position: Position | None, edge: str) -> dict[str, Any]:
        with tempfile.TemporaryDirectory(prefix="xde-dlt-") as folder:
            return self._done(ask, self._job(ask, what, position, Path(folder), edge), Limits(memory_there(), HASTY))

    def _job(self, ask: Ask, what: str, position: Position | None, folder: Path, edge: str = "") -> Job:
        extract = ask.extracted
        goes_on = position is not None and extract.mode != "replace"
        return Job(
            what,
            os.getpid(),
            str(self._root.resolve()),
            extract.source,
            json.loads(self._settings["arguments"]),
            extract.resource,
            extract.mode,
            position.get("state") if position is not None and goes_on else None,
            str(folder / REPORT),
            str(folder / RECORDS),
            "" if ask.private else str(folder / TABLES),
            [(c.name, c.type, list(c.also)) for c in ask.columns],
            ask.every,
            [list(i) for i in extract.inner],
            [(c.name, c.up, list(c.path)) for c in extract.carried],
            list(extract.known),
            extract.tells,
            ask.limits.rows_per_second,
            ask.limits.bytes_per_second,
            ask.private,
            edge,
            list(self._hidden),
        )

    def _done(self, ask: Ask, job: Job, limits: Limits) -> dict[str, Any]:
        """The report of a job that was done. Raises `UserError`, `TemporaryError` or `KeyboardInterrupt`."""
        now, report_file = SystemClock().monotonic, Path(job.report)
        with self._running.working(self._kind(ask), lambda: self._begun(ask, job)) as child:
            child.tell(job.told())
            ended = child.wait(limits, now) if job.private else child.until(report_file.exists, limits, now)
        if ended is not None and ended.why == "cancelled":
            raise KeyboardInterrupt
        report = _report(report_file)
        if (ended is not None and ended.why) or report.get("kind") != "done":
            failure = Failure(ask, job.what, ended, limits, self._root)
            if (passing := failure.passing(report)) is not None:
                raise passing
            if failure.full(report):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise failure.told(report)
        return report

    def _kind(self, ask: Ask) -> object:
        """What a process must have been begun for to be asked: what it has read of the source's code is what stands there."""
        module = self._root / (ask.extracted.source.partition(":")[0].replace(".", "/") + ".py")
        return (str(self._root), ask.extracted.source, module.stat().st_mtime_ns if module.is_file() else 0, ask.private)

    def _begun(self, ask: Ask, job: Job) -> Child:
        path = os.pathsep.join(p for p in sys.path if p)
        environment = {**os.environ, "PYTHONPATH": path, "DLT_DATA_DIR": str(self._root / ".xde/tmp/dlt"), **QUIET}
        inherited = [int(p.rpartition("/")[2]) for p in (job.report, job.records) if p.startswith("/proc/self/fd/")] if ask.private else []
        return Child([sys.executable, "-P", "-m", CHILD], self._root, environment, inherited=inherited)

    def _told(self, ask: Ask, new: list[str]) -> tuple[Finding, ...]:
        """What is left out, for nobody said what is to become of it."""
        if not new:
            return ()
        told = f"records of `{ask.relation}` have what the contract of `{ask.dataset}` does not: {', '.join(f'`{n}`' for n in new)}"
        hint = "add it to the contract, or `{property: xdeSchemaChange, value: {newColumn: discard}}` (`evolve`, `quarantine`, `freeze`)"
        return (Finding("XDE0459", told, ask.span, "", "it is not loaded", hint, Severity.INFO),)


def _parts(told: list[list[Any]]) -> tuple[tuple[int, str], ...]:
    return tuple((int(line), str(name)) for line, name in told)


def _changed(ask: Ask) -> str:
    return f"`{ask.relation}` has changed"


def _report(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
