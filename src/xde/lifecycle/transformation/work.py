"""All that building one model needs to know, put together before the run begins."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from xde.ground.records import dataclass
from xde.lifecycle.transformation.port import Call, Query

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.kernel.graph.analysis import Analysis, ColumnRef
    from xde.kernel.plan.checks import Check
    from xde.kernel.project.declarations import ModelDataset
    from xde.lifecycle.storage.port import Schema
    from xde.lifecycle.transformation.judging import Judging


@dataclass(frozen=True)
class Windowing:
    """What a model puts into windows.

    `arriving` gives the rows that go in (`types`: with their time, as they are stored aside) one by one from those of `dataset`, where
    their time is `column` (empty where it is worked out). `sql` is the model's query, and `placing` each row with its windows, both
    reading such rows by a name. `gathers` says that the rows themselves say how far a window goes; `line` is where they are put in.
    """

    sql: str
    arriving: str
    placing: str
    gathers: bool
    types: Schema
    dataset: str
    column: str
    line: int


@dataclass(frozen=True, slots=True)
class ModelWork:
    """A model, ready to be built.

    `types` is the schema it is stored in (names and storable types); `views` are the views among its inputs with their
    text, in the order in which they can be made; `reads` the datasets with rows that it reads, seen through views;
    `time_from` the column of one of those that its time column is a copy of, if it is one; `packages` the versions of
    what a Python function is computed with, which its commits tell of; `judging` what it judges by flows that make dead letters;
    `windowing` what it puts into windows that a watermark closes.
    """

    model: ModelDataset
    analysis: Analysis
    types: Schema
    views: Mapping[str, str]
    reads: tuple[str, ...]
    checks: tuple[Check, ...] = ()
    checks_digest: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    view_parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    personal: tuple[str, ...] = ()
    time_from: ColumnRef | None = None
    packages: Mapping[str, str] = field(default_factory=dict)
    judging: Judging | None = None
    windowing: Windowing | None = None

    def query(self, sql: str, bounds: Mapping[str, object]) -> Query:
        """A query over the model's views, with those parameters that it names."""
        given = {**self.parameters, **bounds}
        used = {n: v for n, v in given.items() if n in self.analysis.parameters or (n.startswith("__") and f"${n}" in sql)}
        if self.model.python is None:
            return Query(sql, used, self.views, self.view_parameters, self.parameters)
        own = {n: v for n, v in given.items() if n in self.analysis.parameters}
        whole = {n: v for n, v in used.items() if n.startswith("__")}
        interval = (bounds["__start"], bounds["__end"]) if "$__start" in sql else None
        called = Call(self.model, self.types, own, interval)
        return Query(sql, whole, self.views, self.view_parameters, self.parameters, called)
