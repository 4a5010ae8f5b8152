"""A history, built: what the query gives now is held against the periods that the table has, and only what changes them is written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xde.ground.crash import CrashPoint, crash_point
from xde.ground.errors import DataError
from xde.ground.findings import Finding
from xde.ground.names import listed
from xde.ground.records import dataclass
from xde.kernel.plan.intervals import parse_moment
from xde.lifecycle.storage.merging import Rewritten
from xde.lifecycle.storage.periods import Periods, Winner, parameters
from xde.lifecycle.storage.port import TableId
from xde.lifecycle.storage.rewrite import NEW, OLD, doubled_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.kernel.project.declarations import ModelHead
    from xde.kernel.run.events import Outcome
    from xde.lifecycle.storage.merging import Merger
    from xde.lifecycle.storage.port import DataFile, Lake, Schema, Snapshot
    from xde.lifecycle.storage.publish import Published
    from xde.lifecycle.transformation.port import Engine
    from xde.lifecycle.transformation.task import Means, Task
    from xde.lifecycle.transformation.work import ModelWork


def periods_of(head: ModelHead, schema: Schema) -> Periods:
    """How a history tells versions apart."""
    return Periods(schema, head.key, head.updated, head.columns, head.deleted, head.missing == "delete")


@dataclass(frozen=True, slots=True)
class HistoryRows:
    """The rows that a history's query gave, written aside, and the table as it is; `now` is the run's time, an ISO text."""

    work: ModelWork
    engine: Engine
    merger: Merger
    lake: Lake
    before: Snapshot | None
    now: str
    winner: Winner = Winner.ROW

    @property
    def periods(self) -> Periods:
        """How versions are told apart."""
        return periods_of(self.work.model.head, self.work.types)

    def refuse(self, new: Sequence[DataFile], table: TableId) -> None:
        """Raise `DataError` for rows that belong to no key or no time, and for a key that is there more than once where it may not be."""
        head = self.work.model.head
        for word, columns in (("key", head.key), ("updated", (head.updated,) if head.updated else ())):
            for column in columns:
                nulls = sum((f.statistics[column].nulls or 0) if column in f.statistics else 0 for f in new)
                if nulls:
                    raise DataError(_without(self.work, word, column, nulls))
        if head.updated is None or head.missing == "delete":
            doubled = self.merger.read(doubled_keys(NEW, head.key), {NEW: (self.periods.own, self._paths(new, table))}, {})
            if doubled:
                raise DataError(_twice(self.work, doubled))

    def place(self, new: Sequence[DataFile], table: TableId) -> tuple[Rewritten, Sequence[DataFile]]:
        """The files after the new rows were put in their place, and what they tell (to be thrown away)."""
        told = self._tellings(new, table)
        return self._placed(told, table, self.winner), told

    def _tellings(self, new: Sequence[DataFile], table: TableId) -> tuple[DataFile, ...]:
        periods = self.periods
        old = (self.before.schema, self.before.paths) if self.before else (periods.schema, ())
        inputs = {OLD: old, NEW: (periods.own, self._paths(new, table))}
        return self.merger.write(
            periods.tellings(self.winner), inputs, parameters(periods, _moment(self.now, periods.since)), self.lake.folder(table)
        )

    def carry(self, of: Snapshot, table: TableId) -> tuple[Rewritten, Sequence[DataFile]]:
        """The files after all that another version of this history knows was put in its place here."""
        _same_shape(self.work, of.schema)
        told = self.merger.write(self.periods.carried(of.schema), {OLD: (of.schema, of.paths)}, {}, self.lake.folder(table))
        return self._placed(told, table, Winner.OLD), told

    def _placed(self, told: Sequence[DataFile], table: TableId, winner: Winner) -> Rewritten:
        if not told:
            return Rewritten((), ())
        periods = self.periods
        rewrite = periods.periods(self.before, told, winner)
        folder = self.lake.folder(table)
        old = (self.before.schema if self.before else periods.schema, tuple(f"{folder}/{f.path}" for f in rewrite.removes))
        files = self.merger.write(
            rewrite.sql, {OLD: old, NEW: (periods.schema, self._paths(told, table))}, {}, folder, self.merger.arrangement(table.dataset)
        )
        return Rewritten(files, rewrite.removes)

    def _paths(self, files: Sequence[DataFile], table: TableId) -> tuple[str, ...]:
        folder = self.lake.folder(table)
        return tuple(f"{folder}/{f.path}" for f in files)


class Histories:
    """Builds histories."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def build(self, task: Task, before: Snapshot | None) -> Outcome:
        """By one commit, of the rows that an earlier version has gathered as well; a run that learns nothing new changes no row."""
        table = self._means.pins.table(task.step.dataset)
        published: list[Published] = []
        if task.step.carries:
            of = self._means.publisher.lake.snapshot(TableId(task.step.dataset, task.step.carries))
            if of is not None:
                published.append(self._carry(task, before, of))
                before = published[-1].snapshot
        afresh = before is None or task.step.full
        winner = Winner.NEW if task.step.carries else Winner.ROW
        there = None if afresh else before
        rows = HistoryRows(task.work, self._means.engine, self._means.merger, self._means.lake, there, task.context.at, winner)
        new: tuple[DataFile, ...] = ()
        told: Sequence[DataFile] = ()
        try:
            new = self._means.write(task, task.work.model.sql, {}, rows.periods.own)
            rows.refuse(new, table)
            rewritten, told = rows.place(new, table)
            crash_point(CrashPoint.HISTORY_PLACED)
        finally:
            self._means.publisher.discard(table, [*new, *told])
        facts: dict[str, object] = {"history": True, "rows_told": sum(f.rows for f in told)}
        facts |= {"full": True} if afresh else {} if told else {"same": True}
        if afresh and before is not None:
            rewritten = replace(rewritten, removes=before.files)
        published.append(self._means.publish(task, rewritten, rewritten.adds, before, facts))
        return task.outcome(published, told)

    def _carry(self, task: Task, before: Snapshot | None, of: Snapshot) -> Published:
        """Put in their place the rows that another version of the history has."""
        table = self._means.pins.table(task.step.dataset)
        rows = HistoryRows(task.work, self._means.engine, self._means.merger, self._means.publisher.lake, before, task.context.at)
        rewritten, told = rows.carry(of, table)
        self._means.publisher.discard(table, told)
        number = self._newest(of)
        facts: dict[str, object] = {"history": True, "carried": {of.table.version: number}, "inputs": {}}
        return self._means.publish(task, rewritten, (), before, facts)

    def _newest(self, of: Snapshot) -> object:
        state = self._means.publisher.ledger.states([(of.table.dataset, of.table.version)]).get((of.table.dataset, of.table.version))
        return state.facts.get("data", of.number) if state else of.number


def _moment(now: str, kind: str) -> object:
    moment = parse_moment(now)
    return moment if "ZONE" in kind.upper() else moment.replace(tzinfo=None)


def _same_shape(work: ModelWork, before: Schema) -> None:
    names = {c.name for c in before}
    head = work.model.head
    gone = [k for k in head.key if k not in names]
    since = next((c.type for c in before if c.name == "valid_from"), "")
    if not gone and _family(since) == _family(periods_of(head, work.types).since):
        return
    what = f"it had no column {listed([f'`{k}`' for k in gone])}" if gone else f"its `valid_from` was {since}"
    raise DataError(
        Finding(
            "XDE0284",
            f"what the history `{work.model.name}` has gathered does not fit what it means now: {what}",
            work.model.head.spans.get("key"),
            why="a history begins a new version with the rows of the one before, which nothing can compute again",
            hint=f"take the change back, or begin anew: `xde run --full {work.model.name} --reason WHY`",
        )
    )


def _family(kind: str) -> str:
    return "time" if kind.upper().startswith(("DATE", "TIMESTAMP")) else "number"


def _without(work: ModelWork, word: str, column: str, nulls: int) -> Finding:
    what = "belongs to no key" if word == "key" else "has no time at which it became true"
    rows = "1 row" if nulls == 1 else f"{nulls:,} rows"
    return Finding(
        "XDE0282",
        f"`{work.model.name}`: {rows} of its query have no `{column}`",
        span=work.model.head.spans.get(word),
        label=f"the {word} of this history",
        why=f"such a row {what}, and can be put in no place",
        hint=f"leave them out with `WHERE {column} IS NOT NULL`",
    )


def _twice(work: ModelWork, doubled: Sequence[Sequence[object]]) -> Finding:
    shown = "; ".join(f"({', '.join(str(v) for v in row[:-1])}) {row[-1]} times" for row in doubled[:3])
    key = ", ".join(work.model.head.key)
    return Finding(
        "XDE0283",
        f"the query of `{work.model.name}` gives a key more than once: {shown}",
        span=work.model.head.spans.get("key"),
        label="the key of this history",
        why="it is a picture of the present, in which a key can be in one state only",
        hint=f"take the newest row of each key, `FROM latest(..., key := ({key}), at := COLUMN)`, or tell versions apart by `updated`",
    )
