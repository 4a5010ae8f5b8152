"""A check as data: what must hold of a dataset before it is published; compiled from a contract, carried out by an engine."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from xde.ground.spans import Span


class CheckKind(StrEnum):
    """How a check is carried out."""

    ROW = "row"  # a predicate that every row must satisfy; NULL passes, as in SQL's CHECK
    UNIQUE = "unique"  # no two rows share the values of `columns`; rows with a NULL among them are left out
    REFERENCE = "reference"  # the values of `columns` occur in `to_columns` of `to_dataset`; NULLs are left out
    COUNT = "count"  # the number of rows satisfies `operator threshold`
    QUERY = "query"  # a query of one number satisfies `operator threshold`; `{object}` names the dataset
    FRESH = "fresh"  # the newest value of `columns[0]` is at most `threshold` seconds old


class Action(StrEnum):
    """What follows when a check fails."""

    WARN = "warn"  # told, published
    DEAD_LETTER = "dead_letter"  # the rows that fail become dead letters, the others are published
    STOP = "stop"  # nothing is published


@dataclass(frozen=True)
class Waiver:
    """Leave to fail until a day, by somebody, for a reason."""

    author: str
    reason: str
    until: str  # ISO date, the last day it holds


@dataclass(frozen=True)
class Check:
    """One rule of a dataset.

    `predicate` is DuckDB SQL over the dataset's columns (ROW). `operator` is one of the standard's (`mustBe`,
    `mustBeLessThan` ...) and bounds the number of failing rows for ROW, UNIQUE and REFERENCE (default: none may fail), in
    `unit` rows or percent. `proof` tells how file statistics may prove a ROW rule without a scan:
    ("not_null",) or ("range", low, high, low_open, high_open) over `columns[0]`, bounds as text or None.
    """

    id: str
    dataset: str
    kind: CheckKind
    action: Action
    message: str
    columns: tuple[str, ...] = ()
    predicate: str = ""
    query: str = ""
    to_dataset: str = ""
    to_columns: tuple[str, ...] = ()
    operator: str = "mustBe"
    threshold: object = 0
    unit: str = "rows"
    proof: tuple[object, ...] = ()
    dimension: str = ""
    personal: tuple[str, ...] = ()  # columns of the dataset that no sample may show
    waiver: Waiver | None = None
    span: Span | None = None


@dataclass(frozen=True)
class CheckResult:
    """What a check found: `failing` rows of `rows`, or the measured `value`; samples as rows of text by column name.

    `how` is `statistics` (proved, nothing read), `scan` or `query`.
    """

    check: Check
    passed: bool
    failing: int = 0
    rows: int = 0
    value: str = ""
    how: str = "scan"
    samples: tuple[dict[str, str | None], ...] = ()
    waived: bool = False
