"""A model of windows, built: of rows that came, the windows that they are in; those that a watermark has closed stay as they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from xde.ground.errors import TemporaryError
from xde.kernel.graph.flows.arriving import END
from xde.kernel.plan.intervals import moment_text, parse_moment
from xde.lifecycle.storage.merging import Rewritten
from xde.lifecycle.transformation.arrivals import Arrival, arrivals, last_read
from xde.lifecycle.transformation.changes import change_of
from xde.lifecycle.transformation.judging import asking
from xde.lifecycle.transformation.placing import COME, Rows, aside, left_out, read_anew, watermark_of, windowing_of, windowing_sql
from xde.lifecycle.transformation.port import Input, Layout
from xde.lifecycle.transformation.stretches import FIRST, LAST, TICK, moved, value_of
from xde.lifecycle.transformation.touched_windows import TouchedWindows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from xde.ground.findings import Finding
    from xde.kernel.plan.ledger import TableState
    from xde.kernel.run.events import Outcome
    from xde.lifecycle.storage.port import DataFile, Snapshot
    from xde.lifecycle.storage.publish import Published
    from xde.lifecycle.transformation.placing import Fate
    from xde.lifecycle.transformation.task import Means, Task


class ByWindow:
    """Builds models of windows."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def build(self, task: Task, before: Snapshot | None) -> Outcome:
        """Compute the windows that rows which came since the last build are in, or all of them."""
        state = self._means.state(task)
        if before is None or task.step.full or state is None or not state.facts.get("windows"):
            return self._whole(task, before)
        source, known = windowing_of(task).dataset, cast("Mapping[str, Sequence[object]]", state.facts.get("inputs", {}))
        others = any(n != source and list(known.get(n, ())) != list(read) for n, read in task.read.items())
        then, now = last_read(known, source, self._means.pins, self._means.lake), self._means.pins.snapshot(source)
        if task.work.model.head.late == "update":
            if then is None or now is None or others:
                return self._whole(task, before)
            try:
                return TouchedWindows(self._means, task).build(before, change_of(then, now))
            except TemporaryError:  # a file of the older snapshot was cleaned away
                return self._whole(task, before)
        came = arrivals(self._means.lake, then, now) if then is not None and now is not None else None
        if came is None:
            return self._whole(task, before, read_anew(task, source))
        return self._in_order(task, before, came or (Arrival(int(str(known[source][1])), ()),))

    def _whole(self, task: Task, before: Snapshot | None, *warnings: Finding) -> Outcome:
        """All rows that there are, as if they had come at once: none is late."""
        head, arriving = task.work.model.head, f"({windowing_of(task).arriving}\n)"
        rows = Rows(self._means, task, arriving, {}, self._means.engine)
        fate = rows.fate(None, salt="all")
        sql, bounds = task.work.model.sql, dict[str, object]()
        if head.emit == "on_close":
            sql, bounds = f"SELECT * FROM ({sql}\n) WHERE {END} <= $__mark", {"__mark": _value(task, fate.watermark or FIRST)}
        elif fate.without:
            sql = f"SELECT * FROM ({sql}\n) WHERE {END} IS NOT NULL"
        files = self._means.write(task, sql, bounds)
        facts = {"full": True, **rows.facts(fate, full=True)}
        published = self._means.publish(task, Rewritten(files, before.files if before else ()), files, before, facts)
        return _with(task.outcome([published], files), *warnings)

    def _in_order(self, task: Task, before: Snapshot, came: Sequence[Arrival]) -> Outcome:
        """Load by load, as they came: a commit for each, with the watermark that it leaves behind."""
        published: list[Published] = []
        written: list[DataFile] = []
        late = 0
        for number, arrival in enumerate(came):
            task.context.progress(f"load {arrival.number}", number / len(came))
            done, files, fate = self._one_load(task, before, arrival, last=number + 1 == len(came))
            published.append(done)
            written += files
            before, late = done.snapshot, late + fate.late
        outcome = task.outcome(published, written)
        return _with(outcome, left_out(task, late)) if late and task.work.model.head.late == "drop" else outcome

    def _one_load(self, task: Task, before: Snapshot, arrival: Arrival, *, last: bool) -> tuple[Published, Sequence[DataFile], Fate]:
        """The windows that are open before a load, from its rows and those that wait."""
        head, state = task.work.model.head, self._means.state(task)
        mark = watermark_of(state)
        with aside(self._means, task) as folder:
            rows = Rows(self._means, task, COME, {COME: self._come(task, arrival, folder)}, self._means.local)
            rows.wait_with(state)
            fate = rows.fate(mark, salt=str(arrival.number))
            low, high = (moved(mark, TICK) if mark is not None else FIRST), LAST
            if head.emit == "on_close":
                high = moved(fate.watermark, TICK) if fate.watermark is not None else FIRST
            bounds = {"__low": _value(task, low), "__high": _value(task, high)}
            sql = f"SELECT * FROM ({windowing_sql(task, rows.all())}\n) WHERE {END} >= $__low AND {END} < $__high"
            files = self._means.write(replace(task, inputs={**task.inputs, **rows.inputs}), sql, bounds)
            rewritten = Rewritten(files, ())
            if head.emit != "on_close":
                stretch = (bounds["__low"], bounds["__high"])
                rewritten = self._means.merger.replace_stretches(before, files, task.work.types, END, [stretch])
            same = {} if rewritten.adds or rewritten.removes else {"same": True}
            told = {"time": END, "intervals": _told(mark, before.files, files), "inputs": _inputs(task, state, arrival, last=last), **same}
            facts = {**told, **rows.facts(fate, full=False)}
            return self._means.publish(task, rewritten, files, before, facts), files, fate

    def _come(self, task: Task, arrival: Arrival, folder: str) -> Input:
        """The rows of a load, as they go into windows."""
        windowing = windowing_of(task)
        if not arrival.paths:
            return Input(windowing.types)
        given = {**task.inputs, windowing.dataset: replace(task.inputs[windowing.dataset], paths=arrival.paths)}
        query = asking(task.work.query(windowing.arriving, {}), windowing.arriving)
        files = self._means.local.write(query, given, folder, Layout(types=windowing.types))
        return Input(windowing.types, tuple(f"{folder}/{f.path}" for f in files))


def _value(task: Task, moment: datetime) -> object:
    """A moment to compare the ends of windows with."""
    return value_of(moment, next(c.type for c in task.work.types if c.name == END))


def _inputs(task: Task, state: TableState | None, arrival: Arrival, *, last: bool) -> Mapping[str, object]:
    """What was read when a load was: after the last one, all that the run reads."""
    if last or state is None:
        return task.read
    source = windowing_of(task).dataset
    return {**cast("Mapping[str, object]", state.facts.get("inputs", {})), source: [task.read[source][0], arrival.number]}


def _told(mark: datetime | None, *files: Sequence[DataFile]) -> list[list[str]]:
    """From when to when windows end that may have changed: for models that read this one."""
    ends = [s for some in files for f in some if (s := f.statistics.get(END)) is not None]
    high = max((parse_moment(s.high) for s in ends if s.high is not None), default=None)
    low = mark or min((parse_moment(s.low) for s in ends if s.low is not None), default=None)
    if high is None or low is None or high < low:
        return []
    return [[moment_text(low), moment_text(moved(high, timedelta(seconds=1)))]]


def _with(outcome: Outcome, *findings: Finding) -> Outcome:
    return replace(outcome, findings=(*outcome.findings, *findings)) if findings else outcome
