"""The datasets that a project declares: sources by contract, models by SQL."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING

from xde.ground.records import dataclass
from xde.kernel.project.settings import Settings  # noqa: TC001 - dataclass field, pickled with the project

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from xde.ground.spans import Span
    from xde.kernel.project.contract import Contract, SchemaObject


class Kind(StrEnum):
    """How a model's table comes about."""

    VIEW = "view"
    TABLE = "table"
    INCREMENTAL = "incremental"
    APPEND = "append"


@dataclass(frozen=True)
class SourceDataset:
    """A dataset that is loaded: one schema object of a contract under `sources/`."""

    name: str
    contract: Contract
    object: SchemaObject


@dataclass(frozen=True)
class ModelHead:
    """The YAML comment at the head of a model; what concerns data flow, and nothing of business logic.

    `time` and `key` are alternatives of an incremental model; `lookback` and `grain` are in days (grain 1 = a day,
    `hour` grain is 1/24 and written so); `start` and `end` bound the intervals (ISO dates or None).
    """

    kind: Kind = Kind.TABLE
    time: str | None = None
    key: tuple[str, ...] = ()
    lookback_days: float = 0.0
    grain: str = "day"
    start: str | None = None
    end: str | None = None
    batch_intervals: int | None = None
    description: str = ""
    tags: tuple[str, ...] = ()
    spans: Mapping[str, Span] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelDataset:
    """A dataset that is computed: `sql` is the file's text without its head, its first line is `sql_line` of the file."""

    name: str
    path: str
    sql: str
    sql_line: int
    head: ModelHead
    digest: str
    contract: Contract | None = None
    object: SchemaObject | None = None
    span: Span | None = None


Dataset = SourceDataset | ModelDataset


@dataclass(frozen=True)
class Project:
    """Everything that a team wrote, by dataset name; `digest` changes when any file of it does."""

    root: Path
    settings: Settings
    datasets: Mapping[str, Dataset]
    digest: str

    @property
    def sources(self) -> dict[str, SourceDataset]:
        """The datasets that are loaded."""
        return {n: d for n, d in self.datasets.items() if isinstance(d, SourceDataset)}

    @property
    def models(self) -> dict[str, ModelDataset]:
        """The datasets that are computed."""
        return {n: d for n, d in self.datasets.items() if isinstance(d, ModelDataset)}
