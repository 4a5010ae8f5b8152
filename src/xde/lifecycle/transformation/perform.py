"""A build, done: compute a model's rows aside, audit them, publish them by one commit a batch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from xde.ground.crash import CrashPoint, crash_point
from xde.ground.errors import DataError, UserError
from xde.ground.findings import Finding
from xde.ground.names import quoted
from xde.ground.records import dataclass
from xde.kernel.plan.intervals import batches, covering, floor, merged, moment_text, parse_moment, within
from xde.kernel.plan.plan import Interval
from xde.kernel.plan.versions import meaning
from xde.kernel.project.declarations import Kind
from xde.kernel.run.events import Outcome
from xde.lifecycle.storage.merging import Going, Rewritten
from xde.lifecycle.storage.port import Snapshot, TableId
from xde.lifecycle.storage.publish import Publication
from xde.lifecycle.storage.shadow import cast_shadow, ours_alone
from xde.lifecycle.transformation.bounds import bounds_of
from xde.lifecycle.transformation.changes import covered
from xde.lifecycle.transformation.history import HistoryRows
from xde.lifecycle.transformation.port import Input, Layout
from xde.lifecycle.transformation.reach import Sight, pinned_input, reach

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.kernel.plan.intervals import Grain
    from xde.kernel.plan.ledger import TableState
    from xde.kernel.plan.plan import Step
    from xde.kernel.run.runner import StepContext
    from xde.lifecycle.storage.merging import Merger
    from xde.lifecycle.storage.pins import Pins
    from xde.lifecycle.storage.port import DataFile, Schema
    from xde.lifecycle.storage.publish import Published, Publisher
    from xde.lifecycle.transformation.port import Engine
    from xde.lifecycle.transformation.work import ModelWork


@dataclass(frozen=True, slots=True)
class _Task:
    """One step with all that it needs: its inputs pinned, and what is written down of each."""

    step: Step
    context: StepContext
    work: ModelWork
    inputs: Mapping[str, Input]
    read: Mapping[str, list[object]]

    def facts(self) -> dict[str, object]:
        """What every commit of the step says."""
        asked = next((r.text for r in self.step.reasons if r.code == "full"), "")
        return {
            "kind": "build",
            "run": self.context.run,
            "step": self.step.id,
            "fence": self.context.fence,
            "at": self.context.at,
            "inputs": dict(self.read),
            "checks_digest": self.work.checks_digest,
            **({"asked": asked} if asked else {}),
        }

    def outcome(self, published: Sequence[Published], files: Sequence[DataFile]) -> Outcome:
        """The step is done."""
        last = published[-1] if published else None
        return Outcome(
            self.step,
            "done",
            rows=sum(f.rows for f in files),
            bytes=sum(f.size for f in files),
            snapshot=last.snapshot.number if last else None,
            checks=tuple(r for p in published for r in p.results),
            findings=tuple(dict.fromkeys(w for p in published for w in p.warnings)),
        )


class BuildPerformer:
    """Performs BUILD steps of every kind of model."""

    def __init__(self, engine: Engine, publisher: Publisher, pins: Pins, work: Mapping[str, ModelWork], merger: Merger) -> None:
        self._engine = engine
        self._publisher = publisher
        self._pins = pins
        self._work = work
        self._merger = merger

    def perform(self, step: Step, context: StepContext) -> Outcome:
        """Build the step's model; `Outcome.rows` are the rows computed."""
        work = self._work[step.dataset]
        before = self._pins.renew(step.dataset)
        task = _Task(step, context, work, inputs_of(work, self._pins), {n: pinned_input(self._pins, n) for n in work.reads})
        if before is not None and step.restates:
            ours_alone(self._publisher, before, context)
        elif step.restates and not step.full:
            before = cast_shadow(self._publisher, self._pins, step, context, work.personal)
        match work.model.head.kind:
            case Kind.INCREMENTAL if work.model.head.time:
                return self._by_time(task, before)
            case Kind.INCREMENTAL:
                return self._by_key(task, before)
            case Kind.APPEND:
                return self._append(task, before)
            case Kind.HISTORY:
                return self._history(task, before)
            case Kind.TABLE | Kind.VIEW:
                return self._whole(task, before)

    def _whole(self, task: _Task, before: Snapshot | None) -> Outcome:
        files = self._write(task, task.work.model.sql, {})
        removes = before.files if before else ()
        return task.outcome([self._publish(task, Rewritten(files, removes), files, before, {"full": True})], files)

    def _by_key(self, task: _Task, before: Snapshot | None) -> Outcome:
        head = task.work.model.head
        if head.deleted or head.missing == "delete":
            return self._with_deletions(task, before, Going(head.key, head.deleted, head.missing == "delete"))
        if before is None or task.step.full:
            return self._whole(task, before)
        files = self._write(task, task.work.model.sql, {})
        rewritten = self._merger.merge(before, files, task.work.types, task.work.model.head.key)
        return task.outcome([self._publish(task, rewritten, files, before, {})], files)

    def _with_deletions(self, task: _Task, before: Snapshot | None, going: Going) -> Outcome:
        """By key, where keys go as well; a run that learns nothing changes no row."""
        table = self._pins.table(task.step.dataset)
        afresh = before is None or task.step.full
        there = Snapshot(table, -1, task.work.types, (), self._publisher.lake.folder(table)) if before is None or afresh else before
        files = self._write(task, task.work.model.sql, {})
        told: Sequence[DataFile] = ()
        try:
            learnt = self._merger.merge_and_delete(there, files, task.work.types, going)
            told = learnt.told
        finally:
            self._publisher.discard(table, [*files, *told])
        facts: dict[str, object] = {"full": True} if afresh else {} if told else {"same": True}
        rewritten = replace(learnt.table, removes=before.files) if before is not None and afresh else learnt.table
        return task.outcome([self._publish(task, rewritten, learnt.added, before, facts)], learnt.added)

    def _append(self, task: _Task, before: Snapshot | None) -> Outcome:
        if before is None or task.step.full:
            return self._whole(task, before)
        files = self._write(replace(task, inputs=self._new_rows(task)), task.work.model.sql, {})
        return task.outcome([self._publish(task, Rewritten(files, ()), files, before, {})], files)

    def _history(self, task: _Task, before: Snapshot | None) -> Outcome:
        """By one commit, of the rows that an earlier version has gathered as well; a run that learns nothing new changes no row."""
        table = self._pins.table(task.step.dataset)
        published: list[Published] = []
        if task.step.carries:
            of = self._publisher.lake.snapshot(TableId(task.step.dataset, task.step.carries))
            if of is not None:
                published.append(self._carry(task, before, of))
                before = published[-1].snapshot
        afresh = before is None or task.step.full
        rows = HistoryRows(task.work, self._engine, self._merger, self._publisher.lake, None if afresh else before, task.context.at)
        new: tuple[DataFile, ...] = ()
        told: Sequence[DataFile] = ()
        try:
            new = self._write(task, task.work.model.sql, {}, rows.periods.own)
            rows.refuse(new, table)
            rewritten, told = rows.place(new, table)
            crash_point(CrashPoint.HISTORY_PLACED)
        finally:
            self._publisher.discard(table, [*new, *told])
        facts: dict[str, object] = {"history": True, "rows_told": sum(f.rows for f in told)}
        facts |= {"full": True} if afresh else {} if told else {"same": True}
        if afresh and before is not None:
            rewritten = replace(rewritten, removes=before.files)
        published.append(self._publish(task, rewritten, rewritten.adds, before, facts))
        return task.outcome(published, told)

    def _carry(self, task: _Task, before: Snapshot | None, of: Snapshot) -> Published:
        """Put in their place the rows that another version of the history has."""
        table = self._pins.table(task.step.dataset)
        rows = HistoryRows(task.work, self._engine, self._merger, self._publisher.lake, before, task.context.at)
        rewritten, told = rows.carry(of, table)
        self._publisher.discard(table, told)
        number = self._pins_data(of)
        facts: dict[str, object] = {"history": True, "carried": {of.table.version: number}, "inputs": {}}
        return self._publish(task, rewritten, (), before, facts)

    def _pins_data(self, of: Snapshot) -> object:
        state = self._publisher.ledger.states([(of.table.dataset, of.table.version)]).get((of.table.dataset, of.table.version))
        return state.facts.get("data", of.number) if state else of.number

    def _new_rows(self, task: _Task) -> dict[str, Input]:
        """The inputs with, of the first that the model reads, only the files that came since its last build."""
        driving = task.work.reads[0]
        state = self._state(task)
        known = cast("Mapping[str, Sequence[object]]", state.facts.get("inputs", {})) if state else {}
        version, number = (*known.get(driving, (None, None)), None)[:2]
        table = self._pins.table(driving)
        if version is None or meaning(str(version)) != meaning(table.version) or number is None:
            return dict(task.inputs)
        then = self._publisher.lake.snapshot(TableId(driving, str(version)), int(str(number)))
        now = self._pins.snapshot(driving)
        if then is None or now is None:
            return dict(task.inputs)
        old = {f.path for f in then.files}
        missing = old - {f.path for f in now.files}
        if missing:
            raise DataError(
                Finding(
                    "XDE0721",
                    f"`{task.step.dataset}` appends, but rows of `{driving}` that it has read were replaced",
                    why="an `append` model reads each row of its first input once, and cannot take back what it has made of a row",
                    hint=f"rebuild it with `xde run --full {task.step.dataset} --reason WHY`, or make it `kind: incremental` with a `key`",
                )
            )
        fresh = tuple(f"{now.folder}/{f.path}" for f in now.files if f.path not in old)
        return {**task.inputs, driving: replace(task.inputs[driving], paths=fresh)}

    def _by_time(self, task: _Task, before: Snapshot | None) -> Outcome:
        head = task.work.model.head
        grain = cast("Grain", head.grain)
        sight = Sight(self._pins, self._publisher.lake, self._engine)
        wanted = reach(task.work, self._state(task), sight, full=task.step.full or before is None)
        until = moment_text(floor(parse_moment(task.step.until), grain)) if task.step.until else None
        if wanted.whole and not head.batch_intervals and until is None:
            return self._whole_time(task, before, grain)
        intervals = self._extent(task, grain) if wanted.whole else merged([*wanted.intervals, *task.step.intervals])
        pieces = [p for i in within(intervals, None, until) for p in batches(i, grain, head.batch_intervals)]
        later = within(intervals, until, None) if until is not None else ()
        afresh = before is None or (wanted.whole and not self._resumes(task))
        if not pieces:
            return task.outcome([self._nothing_now(task, before, later, afresh=afresh)], ())
        if task.step.full and before is not None and afresh:
            return self._all_at_once(task, before, pieces, later)
        published: list[Published] = []
        written: list[DataFile] = []
        for number, piece in enumerate(pieces):
            task.context.progress(f"{piece.start[:10]} .. {piece.end[:10]}", number / len(pieces))
            files = self._write(task, _bounded(task.work), _bounds(task.work, piece))
            self._no_null_time(task, files)
            facts: dict[str, object] = {"time": head.time, "intervals": _texts([piece]), "pending": _texts([*pieces[number + 1 :], *later])}
            if afresh:
                rewritten = Rewritten(files, before.files if before else ())
                facts["full"] = True
            else:
                rewritten = self._replaced(task, cast("Snapshot", before), files, piece)
            published.append(self._publish(task, rewritten, files, before, facts))
            before, afresh = published[-1].snapshot, False
            written += files
        return task.outcome(published, written)

    def _all_at_once(self, task: _Task, before: Snapshot, pieces: Sequence[Interval], later: Sequence[Interval]) -> Outcome:
        """What is there is replaced by one commit: a reader sees the old rows or the new ones."""
        written: list[DataFile] = []
        try:
            for number, piece in enumerate(pieces):
                task.context.progress(f"{piece.start[:10]} .. {piece.end[:10]}", number / len(pieces))
                files = self._write(task, _bounded(task.work), _bounds(task.work, piece))
                written += files
                self._no_null_time(task, files)
        except BaseException:
            self._publisher.discard(self._pins.table(task.step.dataset), written)
            raise
        facts = {"time": task.work.model.head.time, "intervals": _texts(pieces), "pending": _texts(later), "full": True}
        return task.outcome([self._publish(task, Rewritten(written, before.files), written, before, facts)], written)

    def _replaced(self, task: _Task, before: Snapshot, files: Sequence[DataFile], piece: Interval) -> Rewritten:
        return self._merger.replace_interval(before, files, task.work.types, _time(task.work)[0], _bounds(task.work, piece))

    def _nothing_now(self, task: _Task, before: Snapshot | None, later: Sequence[Interval], *, afresh: bool) -> Published:
        """No row is computed: a commit says so, that the next run need not look again, and what it is to compute."""
        facts: dict[str, object] = {"time": task.work.model.head.time, "pending": _texts(later)}
        facts |= {"full": True} if afresh else {"same": True}
        removes = before.files if before and afresh else ()
        return self._publish(task, Rewritten((), removes), (), before, facts)

    def _resumes(self, task: _Task) -> bool:
        """Whether what is there is the first part of this build: by what it read, and where all is asked for, by the run as well."""
        state = self._state(task)
        if state is None or not state.facts.get("pending") or state.facts.get("inputs") != task.read:
            return False
        if not task.step.full:
            return True
        newest = self._publisher.lake.history(self._pins.table(task.step.dataset), since=state.number - 1)
        return bool(newest) and newest[0].facts.get("run") == task.context.run

    def _whole_time(self, task: _Task, before: Snapshot | None, grain: Grain) -> Outcome:
        head = task.work.model.head
        start, end = head.start or "0001-01-01", head.end or "9999-12-31"
        everything = Interval(start, end)
        sql = _bounded(task.work) if head.start or head.end or _uses_bounds(task.work) else task.work.model.sql
        files = self._write(task, sql, _bounds(task.work, everything))
        self._no_null_time(task, files)
        done = covered(files, _time(task.work)[0], grain) or ()
        removes = before.files if before else ()
        facts = {"full": True, "intervals": _texts(done), "pending": []}
        return task.outcome([self._publish(task, Rewritten(files, removes), files, before, facts)], files)

    def _extent(self, task: _Task, grain: Grain) -> tuple[Interval, ...]:
        """The time that there is to compute, asked of the engine."""
        head = task.work.model.head
        state = self._state(task)
        if state is not None and self._resumes(task):
            return tuple(Interval(*i) for i in cast("list[list[str]]", state.facts["pending"]))
        column = quoted(_time(task.work)[0])
        everything = Interval(head.start or "0001-01-01", head.end or "9999-12-31")
        sql = f"SELECT min({column})::VARCHAR, max({column})::VARCHAR FROM ({_bounded(task.work)})"
        query = task.work.query(sql, _bounds(task.work, everything))
        low, high = self._engine.rows(query, task.inputs)[0]
        if low is None:
            return ()
        return (covering(parse_moment(str(low)), parse_moment(str(high)), grain),)

    def _no_null_time(self, task: _Task, files: Sequence[DataFile]) -> None:
        column = _time(task.work)[0]
        nulls = sum((f.statistics[column].nulls or 0) if column in f.statistics else 0 for f in files)
        if nulls:
            self._publisher.discard(self._pins.table(task.step.dataset), files)
            raise DataError(
                Finding(
                    "XDE0722",
                    f"`{task.step.dataset}`: {nulls:,} rows have no `{column}`, and so belong to no interval",
                    span=task.work.model.head.spans.get("time"),
                    label="the time of this model",
                    why="an incremental model keeps and replaces its rows by time; rows without one would be lost or doubled",
                    hint=f"leave them out with `WHERE {column} IS NOT NULL`, or give them a time",
                )
            )

    def _write(self, task: _Task, sql: str, bounds: Mapping[str, object], types: Schema | None = None) -> tuple[DataFile, ...]:
        folder = self._publisher.lake.folder(self._pins.table(task.step.dataset))
        sort = (_time(task.work)[0],) if task.work.model.head.time else ()
        files = self._engine.write(task.work.query(sql, bounds), task.inputs, folder, Layout(types=types or task.work.types, sort=sort))
        crash_point(CrashPoint.FILES_WRITTEN)
        return files

    def _state(self, task: _Task) -> TableState | None:
        table = self._pins.table(task.step.dataset)
        key = (table.dataset, table.version)
        return self._publisher.ledger.states([key]).get(key)

    def _publish(
        self, task: _Task, rewritten: Rewritten, new: Sequence[DataFile], before: Snapshot | None, facts: Mapping[str, object]
    ) -> Published:
        publication = Publication(
            self._pins.table(task.step.dataset),
            task.work.types,
            rewritten.adds,
            new,
            rewritten.removes,
            before,
            {**task.facts(), "rows_out": sum(f.rows for f in new), **facts},
            task.work.checks,
            personal=task.work.personal,
        )
        return self._publisher.publish(publication, self._pins, task.context.environment)


def inputs_of(work: ModelWork, pins: Pins) -> dict[str, Input]:
    """The pinned files of all that a model reads, seen through views. An input that was never built raises `UserError`."""
    inputs: dict[str, Input] = {}
    for name in work.reads:
        snapshot = pins.snapshot(name)
        if snapshot is None:
            raise UserError(
                Finding(
                    "XDE0723",
                    f"`{work.model.name}` reads `{name}`, which has never been built here",
                    span=work.analysis.references.get(name),
                    hint=f"build it first: `xde run {name}`",
                )
            )
        inputs[name] = Input(snapshot.schema, snapshot.paths)
    return inputs


def _time(work: ModelWork) -> tuple[str, str]:
    """The time column and its type."""
    column = work.model.head.time or ""
    return column, next((c.type for c in work.types if c.name == column), "TIMESTAMP")


def _uses_bounds(work: ModelWork) -> bool:
    return bool({"start", "end"} & set(work.analysis.parameters))


def _bounded(work: ModelWork) -> str:
    """The model's query within `$__start` and `$__end`; rows without a time come too, so that they are found and not lost."""
    column = quoted(_time(work)[0])
    return f"SELECT * FROM ({work.model.sql}\n) WHERE ({column} >= $__start AND {column} < $__end) OR {column} IS NULL"


def _bounds(work: ModelWork, interval: Interval) -> dict[str, object]:
    """The interval as parameters, of the time column's own kind."""
    low, high = bounds_of(interval, _time(work)[1])
    return {"__start": low, "__end": high, "start": low, "end": high}


def _texts(intervals: Sequence[Interval]) -> list[list[str]]:
    return [[i.start, i.end] for i in intervals]
