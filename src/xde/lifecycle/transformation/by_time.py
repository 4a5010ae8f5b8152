"""A model by time, built: the intervals that new rows of its inputs reach, each in the place of what was there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from xde.ground.errors import DataError
from xde.ground.findings import Finding
from xde.ground.names import quoted, quoted_name
from xde.kernel.graph.flows.judged import BROKEN
from xde.kernel.plan.intervals import batches, covering, floor, merged, moment_text, parse_moment, within
from xde.kernel.plan.plan import Interval
from xde.lifecycle.storage.merging import Rewritten
from xde.lifecycle.transformation.bounds import bounds_of
from xde.lifecycle.transformation.changes import covered
from xde.lifecycle.transformation.judging import asking
from xde.lifecycle.transformation.reach import Sight, reach

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xde.kernel.plan.intervals import Grain
    from xde.kernel.run.events import Outcome
    from xde.lifecycle.storage.port import DataFile, Snapshot
    from xde.lifecycle.storage.publish import Published
    from xde.lifecycle.transformation.port import Engine
    from xde.lifecycle.transformation.task import Means, Task
    from xde.lifecycle.transformation.work import ModelWork


class ByTime:
    """Builds models by time."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def build(self, task: Task, before: Snapshot | None) -> Outcome:
        """Compute the intervals that new rows reach, or all of them; one commit a batch."""
        head = task.work.model.head
        grain = cast("Grain", head.grain)
        sight = Sight(self._means.pins, self._means.publisher.lake, self._means.engine)
        wanted = reach(task.work, self._means.state(task), sight, full=task.step.full or before is None)
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
            files = self._means.write(task, _bounded(task.work), _bounds(task.work, piece))
            self._no_null_time(task, files)
            facts: dict[str, object] = {"time": head.time, "intervals": _texts([piece]), "pending": _texts([*pieces[number + 1 :], *later])}
            if afresh:
                rewritten = Rewritten(files, before.files if before else ())
                facts["full"] = True
            else:
                rewritten = self._replaced(task, cast("Snapshot", before), files, piece)
            published.append(self._means.publish(task, rewritten, files, before, facts))
            before, afresh = published[-1].snapshot, False
            written += files
        return task.outcome(published, written)

    def _all_at_once(self, task: Task, before: Snapshot, pieces: Sequence[Interval], later: Sequence[Interval]) -> Outcome:
        """What is there is replaced by one commit: a reader sees the old rows or the new ones."""
        written: list[DataFile] = []
        try:
            for number, piece in enumerate(pieces):
                task.context.progress(f"{piece.start[:10]} .. {piece.end[:10]}", number / len(pieces))
                files = self._means.write(task, _bounded(task.work), _bounds(task.work, piece))
                written += files
                self._no_null_time(task, files)
        except BaseException:
            self._means.publisher.discard(self._means.pins.table(task.step.dataset), written)
            raise
        facts = {"time": task.work.model.head.time, "intervals": _texts(pieces), "pending": _texts(later), "full": True}
        return task.outcome([self._means.publish(task, Rewritten(written, before.files), written, before, facts)], written)

    def _replaced(self, task: Task, before: Snapshot, files: Sequence[DataFile], piece: Interval) -> Rewritten:
        return self._means.merger.replace_interval(before, files, task.work.types, _time(task.work)[0], _bounds(task.work, piece))

    def _nothing_now(self, task: Task, before: Snapshot | None, later: Sequence[Interval], *, afresh: bool) -> Published:
        """No row is computed: a commit says so, that the next run need not look again, and what it is to compute."""
        facts: dict[str, object] = {"time": task.work.model.head.time, "pending": _texts(later)}
        facts |= {"full": True} if afresh else {"same": True}
        removes = before.files if before and afresh else ()
        return self._means.publish(task, Rewritten((), removes), (), before, facts)

    def _resumes(self, task: Task) -> bool:
        """Whether what is there is the first part of this build: by what it read, and where all is asked for, by the run as well."""
        state = self._means.state(task)
        if state is None or not state.facts.get("pending") or state.facts.get("inputs") != task.read:
            return False
        if not task.step.full:
            return True
        newest = self._means.publisher.lake.history(self._means.pins.table(task.step.dataset), since=state.number - 1)
        return bool(newest) and newest[0].facts.get("run") == task.context.run

    def _whole_time(self, task: Task, before: Snapshot | None, grain: Grain) -> Outcome:
        head = task.work.model.head
        start, end = head.start or "0001-01-01", head.end or "9999-12-31"
        everything = Interval(start, end)
        sql = _bounded(task.work) if head.start or head.end or _uses_bounds(task.work) else task.work.model.sql
        files = self._means.write(task, sql, _bounds(task.work, everything))
        self._no_null_time(task, files)
        done = covered(files, _time(task.work)[0], grain) or ()
        removes = before.files if before else ()
        facts = {"full": True, "intervals": _texts(done), "pending": []}
        return task.outcome([self._means.publish(task, Rewritten(files, removes), files, before, facts)], files)

    def _extent(self, task: Task, grain: Grain) -> tuple[Interval, ...]:
        """The time that there is to compute, asked of the engine."""
        head = task.work.model.head
        state = self._means.state(task)
        if state is not None and self._resumes(task):
            return tuple(Interval(*i) for i in cast("list[list[str]]", state.facts["pending"]))
        column = quoted(_time(task.work)[0])
        everything = Interval(head.start or "0001-01-01", head.end or "9999-12-31")
        if task.work.model.python is not None:
            return _extent_of_input(task, everything, self._means.engine, grain)
        sql = f"SELECT min({column})::VARCHAR, max({column})::VARCHAR FROM ({_bounded(task.work)})"
        query = task.work.query(sql, _bounds(task.work, everything))
        ends = [self._means.engine.rows(query, task.inputs)[0], *self._refused(task, everything)]
        found = [parse_moment(str(end)) for pair in ends for end in pair if end is not None]
        return (covering(min(found), max(found), grain),) if found else ()

    def _refused(self, task: Task, everything: Interval) -> Iterator[tuple[object, ...]]:
        """The first and the last moment of rows that do not pass: there may be a day that has no others."""
        column = quoted(_time(task.work)[0])
        for relation in task.work.judging.relations if task.work.judging is not None else ():
            within = f"{column} >= $__start AND {column} < $__end AND {BROKEN} IS NOT NULL"
            sql = f"SELECT min({column})::VARCHAR, max({column})::VARCHAR FROM ({relation.sql}) WHERE {within}"
            yield self._means.engine.rows(asking(task.work.query(sql, _bounds(task.work, everything)), sql), task.inputs)[0]

    def _no_null_time(self, task: Task, files: Sequence[DataFile]) -> None:
        column = _time(task.work)[0]
        nulls = sum((f.statistics[column].nulls or 0) if column in f.statistics else 0 for f in files)
        if nulls:
            self._means.publisher.discard(self._means.pins.table(task.step.dataset), files)
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


def _extent_of_input(task: Task, everything: Interval, engine: Engine, grain: Grain) -> tuple[Interval, ...]:
    """The time of the input that a function's own is a copy of: nobody calls the function to find out."""
    code = task.work.model.python
    given = next(g for g in code.given if g.time is not None) if code is not None else None
    if given is None:
        return ()
    column, bounds = quoted(given.time or ""), _bounds(task.work, everything)
    within_all = f"{column} >= $__start AND {column} < $__end"
    sql = f"SELECT min({column})::VARCHAR, max({column})::VARCHAR FROM {quoted_name(given.dataset)} WHERE {within_all}"
    query = replace(task.work.query(sql, bounds), call=None)
    low, high = engine.rows(query, task.inputs)[0]
    return (covering(parse_moment(str(low)), parse_moment(str(high)), grain),) if low is not None else ()


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
