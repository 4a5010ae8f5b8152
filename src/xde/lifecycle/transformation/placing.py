"""Rows on their way into windows: how far the watermark goes with them, which came too late, which wait for their windows to close."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, cast

from xde.ground.crash import CrashPoint, crash_point
from xde.ground.errors import Bug, DataError
from xde.ground.findings import Finding, Severity
from xde.ground.names import quoted
from xde.kernel.graph.flows.arriving import AT, END, ROWS, START
from xde.kernel.graph.flows.judged import BROKEN, WHY
from xde.kernel.plan.intervals import parse_moment
from xde.lifecycle.storage.port import Column
from xde.lifecycle.transformation.judging import Judged, aside_of, asking, letters_folder, post
from xde.lifecycle.transformation.port import Input, Layout
from xde.lifecycle.transformation.stretches import FRESH, moved, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from xde.kernel.plan.ledger import TableState
    from xde.lifecycle.storage.port import DataFile, Schema
    from xde.lifecycle.transformation.port import Engine
    from xde.lifecycle.transformation.task import Means, Task
    from xde.lifecycle.transformation.work import Windowing

COME, WAITING, ALL, LATE = "xde_windows.come", "xde_windows.waiting", "xde_windows.all", "xde_windows.late"
KEPT = "__flow_kept"


class Fate(NamedTuple):
    """What becomes of rows that came: how many there were, how many of their places in windows were too late, how many had no time."""

    watermark: datetime | None
    read: int = 0
    late: int = 0
    without: int = 0
    waiting: tuple[str, ...] = ()


def windowing_of(task: Task) -> Windowing:
    """What a model of windows puts into windows."""
    if task.work.windowing is None:
        msg = f"`{task.step.dataset}` puts nothing into windows"
        raise Bug(msg)
    return task.work.windowing


def windowing_sql(task: Task, rows: str) -> str:
    """The model's query over some rows only."""
    return windowing_of(task).sql.replace(f"{ROWS} AS", f"{rows} AS")


@contextmanager
def aside(means: Means, task: Task) -> Iterator[str]:
    """A folder for what is only needed in between."""
    made = aside_of(means.lake.folder(means.pins.table(task.step.dataset)))
    try:
        yield str(made)
    finally:
        shutil.rmtree(made, ignore_errors=True)


class Rows:
    """Rows that came, by a relation of an engine's, and those that wait since before."""

    def __init__(self, means: Means, task: Task, source: str, inputs: Mapping[str, Input], engine: Engine) -> None:
        self._means, self._task, self._engine = means, task, engine
        self._source, self._windowing = source, windowing_of(task)
        self.inputs = dict(inputs)
        self._names = ", ".join(quoted(c.name) for c in self._windowing.types)

    @property
    def _letters(self) -> str:
        return letters_folder(self._means.lake.folder(self._means.pins.table(self._task.step.dataset)))

    @property
    def _policy(self) -> str:
        return self._task.work.model.head.late

    def wait_with(self, state: TableState | None) -> None:
        """Take the rows along whose windows were still open after the last build."""
        files = cast("Sequence[str]", state.facts.get("waiting", ())) if state is not None else ()
        waiting = tuple(f"{self._letters}/{f}" for f in files)
        self.inputs |= {WAITING: Input(self._windowing.types, waiting)}
        self.inputs |= {ALL: Input(self._windowing.types, (*self.inputs[self._source].paths, *waiting))}

    def all(self) -> str:
        """All rows that may be in open windows: one relation, for Spark 4.3 cannot plan some windows over a UNION ALL."""
        return f"(SELECT {self._names} FROM {ALL if ALL in self.inputs else self._source} AS came)"

    def _marked(self) -> str:
        """As `all`, saying of each row whether it has just come."""
        parts = [(self._source, "true"), *([(WAITING, "false")] if WAITING in self.inputs else [])]
        return f"({' UNION ALL '.join(f'SELECT {self._names}, {word} AS {FRESH} FROM {read} AS came' for read, word in parts)})"

    def value(self, moment: datetime) -> object:
        """A moment to compare beginnings and ends of windows with."""
        return value_of(moment, next(c.type for c in self._windowing.types if c.name == AT))

    def fate(self, mark: datetime | None, *, salt: str) -> Fate:
        """Find out what becomes of the rows, with the watermark that stood before them; letters are made of those that came too late.

        Letters of different `salt` differ.
        """
        counted = f"SELECT count(*), count({AT}), CAST(max({AT}) AS VARCHAR) FROM {self._source} AS came"
        read, timed, newest = self._ask(counted, {})[0]
        without = int(str(read)) - int(str(timed))
        if without and self._policy != "separate":
            raise no_time(self._task, without)
        watermark = _later(mark, self._task, newest)
        late = self._late(mark) if mark is not None else 0
        if self._policy == "separate" and (late or without):
            self._write_letters(mark, late + without, salt)
        waiting = self._waiting(watermark) if self._policy != "update" and watermark is not None else ()
        if self._policy != "update":
            crash_point(CrashPoint.LETTERS_WRITTEN)
        return Fate(watermark, int(str(read)), late, without, tuple(f.path for f in waiting))

    def facts(self, fate: Fate, *, full: bool) -> dict[str, object]:
        """What the commit says of them."""
        mark = fate.watermark.isoformat() if fate.watermark is not None else None
        told: dict[str, object] = {"windows": {"watermark": mark, "read": fate.read, "late": fate.late, "without": fate.without}}
        told["waiting"] = list(fate.waiting)
        if self._policy == "separate":
            told |= {"letters": [f.path for f in self._task.box.files], **({"letters_replace": True} if full else {})}
        return told

    def _placed(self, rows: str) -> str:
        return self._windowing.placing.replace(f"{ROWS} AS", f"{rows} AS")

    def _late(self, mark: datetime) -> int:
        """How many places in windows that had closed the rows would have; all of their places are accounted for."""
        closed = f"{END} <= $__mark"
        counts = ", ".join(f"count(*) FILTER (WHERE {c})" for c in (closed, f"{END} > $__mark", f"{END} IS NULL"))
        sql = f"SELECT count(*), {counts} FROM ({self._placed(self._marked())}) WHERE {FRESH}"
        total, late, open_, none = (int(str(n or 0)) for n in self._ask(sql, {"__mark": self.value(mark)})[0])
        if total != late + open_ + none:
            msg = f"of {total:,} places of rows in windows {open_:,} are open, {late:,} are closed and {none:,} are none"
            raise Bug(msg)
        return late

    def _write_letters(self, mark: datetime | None, expected: int, salt: str) -> None:
        """The rows that are in no window any more, or in none at all, each with the window that it would have been in."""
        task, bench = self._task, self._means.bench(self._task)
        own = [c for c in self._windowing.types if c.name != AT]
        end = next(c.type for c in task.work.types if c.name == END)
        types: Schema = (*own, Column(START, end), Column(END, end), Column(BROKEN, "VARCHAR"), Column(WHY, "VARCHAR"))
        late = f"{END} IS NULL" + (f" OR {END} <= $__mark" if mark is not None else "")
        stood = mark.replace(tzinfo=None).isoformat(sep=" ") if mark is not None else ""
        why = f"CASE WHEN {END} IS NULL THEN 'it has no time' ELSE 'its window had closed: the watermark stood at {stood}' END"
        columns = f"{', '.join(quoted(c.name) for c in own)}, {START}, {END}"
        told = f"CASE WHEN {END} IS NULL THEN 'no_time' ELSE 'late' END AS {BROKEN}, {why} AS {WHY}"
        sql = f"SELECT {columns}, {told} FROM ({self._placed(self._marked())}) WHERE {FRESH} AND ({late})"
        with aside(self._means, task) as folder:
            files = self._write(sql, {"__mark": self.value(mark)} if mark is not None else {}, folder, types)
            found = sum(f.rows for f in files)
            if found != expected:
                msg = f"{expected:,} places came too late, and {found:,} of them would be dead letters"
                raise Bug(msg)
            given = Input(types, tuple(f"{folder}/{f.path}" for f in files))
            post(bench, Judged(LATE, sql, sql, types, self._windowing.line, salt), given, found, task.box)

    def _waiting(self, mark: datetime) -> Sequence[DataFile]:
        """Keep the rows whose windows are still open. A row that came too late for its session must not be among them."""
        bounds = {"__mark": self.value(mark)}
        if self._windowing.gathers:
            rows = f"(SELECT {self._names}, {AT} AS {KEPT} FROM {self.all()} AS came)"
            names = ", ".join(f"{KEPT} AS {AT}" if c.name == AT else quoted(c.name) for c in self._windowing.types)
            sql = f"SELECT {names} FROM ({self._placed(rows)}) WHERE {END} > $__mark"
            return self._write(sql, bounds, self._letters, self._windowing.types)
        asked = f"SELECT CAST(min({START}) AS VARCHAR) FROM ({self._placed(self.all())}) WHERE {END} > $__mark"
        first = self._ask(asked, bounds)[0][0]
        if first is None:
            return ()
        sql = f"SELECT {self._names} FROM {self.all()} AS came WHERE {AT} >= $__first"
        return self._write(sql, {"__first": self.value(parse_moment(str(first)))}, self._letters, self._windowing.types)

    def _ask(self, sql: str, bounds: Mapping[str, object]) -> Sequence[tuple[object, ...]]:
        return self._engine.rows(asking(self._task.work.query(sql, bounds), sql), {**self._task.inputs, **self.inputs})

    def _write(self, sql: str, bounds: Mapping[str, object], folder: str, types: Schema) -> Sequence[DataFile]:
        query = asking(self._task.work.query(sql, bounds), sql)
        return self._engine.write(query, {**self._task.inputs, **self.inputs}, folder, Layout(types=types))


def watermark_of(state: TableState | None) -> datetime | None:
    """Where the watermark of a model stands; None before any row with a time was read."""
    told = cast("Mapping[str, object]", state.facts.get("windows", {})).get("watermark") if state is not None else None
    return parse_moment(str(told)) if told else None


def _later(mark: datetime | None, task: Task, newest: object) -> datetime | None:
    """The watermark after rows of which the newest is so new: it never goes back."""
    if newest is None:
        return mark
    try:
        found = moved(parse_moment(str(newest)), -timedelta(seconds=task.work.model.head.watermark or 0.0))
    except (ValueError, OverflowError) as error:
        raise DataError(
            Finding(
                "XDE0200",
                f"`{task.step.dataset}`: a row has the time `{newest}`, which no watermark can follow",
                span=task.work.model.head.spans.get("watermark"),
                why="a window that is open until then would never close",
                hint="leave such rows out, or hold them back by a rule in the contract of what it reads",
            )
        ) from error
    return found if mark is None else max(mark, found)


def no_time(task: Task, rows: int) -> DataError:
    """Rows that are in no window, and that nobody said what to do with."""
    what = f"{rows:,} rows have no time, and so are" if rows > 1 else "a row has no time, and so is"
    return DataError(
        Finding(
            "XDE0268",
            f"`{task.step.dataset}`: {what} in no window",
            span=task.work.model.head.spans.get("watermark") or task.work.model.span,
            why="a model of windows tells of every row that it reads in which window it is",
            hint="leave them out before (`WHERE ... IS NOT NULL`), or keep them as dead letters by `late: separate`",
        )
    )


def left_out(task: Task, late: int) -> Finding:
    """Told of a model that drops what comes too late."""
    what = f"{late:,} rows" if late > 1 else "a row"
    return Finding(
        "XDE0259",
        f"`{task.step.dataset}`: {what} came after the window had closed, and {'are' if late > 1 else 'is'} in none",
        span=task.work.model.head.spans.get("late"),
        label="said here",
        why="the model says `late: drop`; how many there were stands in the commit",
        hint="wait longer with a larger `watermark`, keep them with `late: separate`, or let them in with `xde run --full`",
        severity=Severity.WARNING,
    )


def read_anew(task: Task, source: str) -> Finding:
    """Told of a model whose closed windows were computed again."""
    return Finding(
        "XDE0279",
        f"`{task.step.dataset}` was computed from all rows anew, as if they had come at once",
        span=task.work.model.head.spans.get("late"),
        why=f"rows of `{source}` that it had read were changed or taken away, or mean something else now: nobody can say which came when",
        hint="let it read a dataset to which rows are only added, or say `late: update`",
        severity=Severity.WARNING,
    )
