"""The windows that changed rows are in, computed anew from all rows that are in them now, and no others."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from xde.ground.names import quoted
from xde.kernel.graph.flows.arriving import AT, ROWS, START
from xde.kernel.plan.intervals import moment_text
from xde.lifecycle.transformation.judging import asking
from xde.lifecycle.transformation.placing import COME, Rows, aside, watermark_of, windowing_of
from xde.lifecycle.transformation.port import Input, Layout, Query
from xde.lifecycle.transformation.stretches import (
    CHANGED,
    FIRST,
    LAST,
    TICK,
    Stretch,
    extent,
    fixed,
    gathered,
    moved,
    near,
    value_of,
    within,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.kernel.run.events import Outcome
    from xde.lifecycle.storage.port import DataFile, Snapshot
    from xde.lifecycle.transformation.changes import Change
    from xde.lifecycle.transformation.task import Means, Task

GONE = "xde_windows.gone"


class TouchedWindows:
    """One step of a model whose windows stay open for rows that come late."""

    def __init__(self, means: Means, task: Task) -> None:
        self._means, self._task, self._windowing = means, task, windowing_of(task)
        self._kind = next(c.type for c in self._windowing.types if c.name == AT)

    def build(self, before: Snapshot, change: Change) -> Outcome:
        """Publish the windows of rows that came, went or changed in the input."""
        task, means = self._task, self._means
        kind = next(c.type for c in task.work.types if c.name == START)
        with aside(means, task) as folder:
            given = {COME: self._read(_paths(change.now, change.come), folder), GONE: self._read(_paths(change.then, change.gone), folder)}
            if given[COME].paths and given[GONE].paths:
                given = {a: self._without(given, a, b, folder) for a, b in ((COME, GONE), (GONE, COME))}
            rows = Rows(means, task, COME, {COME: given[COME]}, means.local)
            fate = rows.fate(watermark_of(means.state(task)), salt="")
            given[CHANGED] = Input(self._windowing.types, (*given[COME].paths, *given[GONE].paths))
            stretches = self._stretches(given, change.now) if given[CHANGED].paths else []
            made = self._made(stretches, change.now, folder) if stretches else ()
            bounds = [(value_of(s.first, kind), value_of(moved(s.last, TICK), kind)) for s in stretches]
            rewritten = means.merger.replace_stretches(before, made, task.work.types, START, bounds)
            told = [[moment_text(s.first), moment_text(moved(s.last, timedelta(seconds=1)))] for s in stretches]
            same = {} if rewritten.adds or rewritten.removes else {"same": True}
            facts = {"time": START, "intervals": told, **same, **rows.facts(fate, full=False)}
            return task.outcome([means.publish(task, rewritten, made, before, facts)], made)

    def _read(self, paths: Sequence[str], folder: str, sql: str = "", bounds: Mapping[str, object] | None = None) -> Input:
        """Rows of some files of the input, written aside as they go into windows."""
        windowing, task = self._windowing, self._task
        if not paths:
            return Input(windowing.types)
        text = sql or windowing.arriving
        inputs = {**task.inputs, windowing.dataset: replace(task.inputs[windowing.dataset], paths=tuple(paths))}
        files = self._means.local.write(asking(task.work.query(text, bounds or {}), text), inputs, folder, Layout(types=windowing.types))
        return Input(windowing.types, tuple(f"{folder}/{f.path}" for f in files))

    def _without(self, given: Mapping[str, Input], some: str, others: str, folder: str) -> Input:
        """The rows that only one of the snapshots has: a file that was written anew holds mostly rows that did not change."""
        names = ", ".join(quoted(c.name) for c in self._windowing.types)
        sql = f"SELECT {names} FROM {some} EXCEPT ALL SELECT {names} FROM {others}"
        files = self._means.local.write(Query(sql), given, folder, Layout(types=self._windowing.types))
        return Input(self._windowing.types, tuple(f"{folder}/{f.path}" for f in files))

    def _stretches(self, given: Mapping[str, Input], now: Snapshot) -> list[Stretch]:
        windowing = self._windowing

        def ask(sql: str, bounds: dict[str, object], stretch: Stretch | None) -> Sequence[tuple[object, ...]]:
            inputs, text = {**self._task.inputs, **given}, sql
            if stretch is not None:
                inputs |= {windowing.dataset: replace(self._task.inputs[windowing.dataset], paths=self._near(now, [stretch]))}
                text = sql.replace(f"FROM {ROWS} ", f"FROM ({windowing.arriving}\n) AS __flow_near ")
            return self._means.local.rows(asking(self._task.work.query(text, bounds), text), inputs)

        if not windowing.gathers:
            return fixed(ask, windowing.placing)
        whole = extent(now, windowing.column) if windowing.column else (FIRST, LAST)
        return gathered(ask, windowing, whole)

    def _near(self, now: Snapshot, stretches: Sequence[Stretch]) -> tuple[str, ...]:
        return near(now, self._windowing.column, stretches) if self._windowing.column else now.paths

    def _made(self, stretches: Sequence[Stretch], now: Snapshot, folder: str) -> tuple[DataFile, ...]:
        """The model's rows of the windows of these stretches."""
        task, windowing = self._task, self._windowing
        rows = within(stretches, self._kind, rows=True)
        read = self._read(self._near(now, stretches), folder, f"SELECT * FROM ({windowing.arriving}\n) WHERE {rows.sql}", rows.parameters)
        wanted = within(stretches, next(c.type for c in task.work.types if c.name == START), rows=False)
        sql = f"SELECT * FROM ({windowing.sql}\n) WHERE {wanted.sql}"
        return self._means.write(replace(task, inputs={**task.inputs, ROWS: read}), sql, wanted.parameters)


def _paths(snapshot: Snapshot, files: Sequence[DataFile]) -> list[str]:
    return [f"{snapshot.folder}/{f.path}" for f in files]
