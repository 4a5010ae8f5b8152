"""Audit, then publish: the one way by which rows become visible, for loads and builds alike."""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from xde.ground.crash import CrashPoint, crash_point
from xde.ground.errors import DataError
from xde.ground.records import dataclass
from xde.kernel.plan.checks import Action
from xde.kernel.plan.facts import fold
from xde.kernel.run.metering import meter
from xde.lifecycle.storage.audit_port import Audit
from xde.lifecycle.storage.mirror import state_of
from xde.lifecycle.storage.port import Commit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xde.ground.clock import Clock
    from xde.ground.findings import Finding
    from xde.kernel.plan.checks import Check, CheckResult
    from xde.kernel.plan.ledger import Ledger
    from xde.lifecycle.storage.audit_port import Auditor
    from xde.lifecycle.storage.pins import Pins
    from xde.lifecycle.storage.port import DataFile, Lake, Schema, Snapshot, TableId


@dataclass(frozen=True, slots=True)
class Publication:
    """New files of a table, not visible yet, and what is known of them.

    `adds` are all files to publish; `audited` those of them that hold new rows (the rest were rewritten and passed before).
    `before` is the snapshot that the writer saw. `known` are results that the writer has already.
    """

    table: TableId
    schema: Schema
    adds: Sequence[DataFile]
    audited: Sequence[DataFile]
    removes: Sequence[DataFile]
    before: Snapshot | None
    facts: Mapping[str, object]
    checks: Sequence[Check] = ()
    known: tuple[CheckResult, ...] = ()
    personal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a publication: the snapshot it made, and every check's result."""

    snapshot: Snapshot
    results: tuple[CheckResult, ...]
    warnings: tuple[Finding, ...] = field(default=())


class Publisher:
    """Audits and publishes for one environment; `tell` puts a failed check in words."""

    def __init__(self, lake: Lake, auditor: Auditor, ledger: Ledger, clock: Clock, tell: Callable[[CheckResult], Finding]) -> None:
        self.lake = lake
        self.ledger = ledger
        self.clock = clock
        self._auditor = auditor
        self.tell = tell

    def audit(self, publication: Publication, pins: Pins, folder: str | None = None) -> tuple[CheckResult, ...]:
        """The result of every check; nothing is changed by it. `folder` is where the files lie, if not in the table's own."""
        if not publication.checks:
            return publication.known
        gone = {f.path for f in publication.removes}
        new = {f.path for f in publication.audited}
        staying = [f for f in (publication.before.files if publication.before else ()) if f.path not in gone]
        rewritten = [f for f in publication.adds if f.path not in new]
        audit = Audit(
            dataset=publication.table.dataset,
            schema=publication.schema,
            folder=folder or self.lake.folder(publication.table),
            new=publication.audited,
            kept=[*staying, *rewritten],
            checks=publication.checks,
            now=self.clock.now().isoformat(),
            others=_others(publication.checks, pins),
        )
        return (*publication.known, *self._auditor.audit(audit))

    def publish(self, publication: Publication, pins: Pins, environment: str) -> Published:
        """Audit, commit, mirror, point. A check that stops raises `DataError`, and the new files are taken away."""
        table = publication.table
        try:
            results = self.audit(publication, pins)
            self._refuse(results)
        except BaseException:
            self.discard(table, publication.adds)
            raise
        crash_point(CrashPoint.AUDITED)
        facts = {**publication.facts, "environment": environment, "checks": [_line(r) for r in results], **_cost(publication)}
        before = publication.before
        number = self.lake.commit(
            Commit(
                table,
                publication.schema,
                publication.adds,
                publication.removes,
                before.number if before else None,
                facts,
                publication.personal,
            )
        )
        self.note(table, number, facts, environment)
        snapshot = pins.renew(table.dataset) if pins.table(table.dataset) == table else self.lake.snapshot(table)
        if snapshot is None:
            msg = f"`{table.dataset}` has a commit but no snapshot"
            raise AssertionError(msg)
        failed = [r for r in results if not r.passed]
        return Published(snapshot, results, tuple(self.tell(r) for r in failed))

    def note(self, table: TableId, number: int, facts: Mapping[str, object], environment: str) -> None:
        """Mirror a commit that is done and point the environment at its table."""
        self.mirror(table, number, facts)
        self.ledger.move(environment, {table.dataset: table.version}, self.clock.now().isoformat())
        crash_point(CrashPoint.POINTER_MOVED)

    def mirror(self, table: TableId, number: int, facts: Mapping[str, object]) -> None:
        """Put down in the ledger what a commit says."""
        key = (table.dataset, table.version)
        known = self.ledger.states([key]).get(key)
        snapshot = self.lake.snapshot(table)
        if snapshot is not None:
            told = fold(known.facts if known else None, number, facts)
            self.ledger.remember([state_of(snapshot, told, self.clock.now().isoformat())])

    def discard(self, table: TableId, files: Sequence[DataFile]) -> None:
        """Take away files that will not be published; on an object store `xde clean` does."""
        folder = self.lake.folder(table)
        if "://" not in folder:
            for file in files:
                Path(folder, file.path).unlink(missing_ok=True)

    def _refuse(self, results: Sequence[CheckResult]) -> None:
        stopping = [r for r in results if not r.passed and not r.waived and r.check.action is not Action.WARN]
        if stopping:
            raise DataError(*(self.tell(r) for r in stopping))


def _cost(publication: Publication) -> dict[str, object]:
    """What the step took up to its commit, that the ledger's memory of it can be made again from the lake."""
    metered = meter()
    if metered is None:
        return {}
    return {"cost": metered.part(sum(f.rows for f in publication.audited), sum(f.size for f in publication.adds)).fact()}


def _line(result: CheckResult) -> dict[str, object]:
    return {
        "id": result.check.id,
        "passed": result.passed,
        "failing": result.failing,
        "rows": result.rows,
        "how": result.how,
        "value": result.value,
    }


def _others(checks: Sequence[Check], pins: Pins) -> dict[str, tuple[Schema, tuple[str, ...]]]:
    found: dict[str, tuple[Schema, tuple[str, ...]]] = {}
    for check in checks:
        if check.to_dataset and check.to_dataset not in found:
            snapshot = pins.snapshot(check.to_dataset)
            if snapshot is not None:
                found[check.to_dataset] = (snapshot.schema, snapshot.paths)
    return found
