"""What the reading of one model's SQL gave: plain data, so that it can be cached and no parser be needed again."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.ground.findings import Finding
    from xde.ground.spans import Span


@dataclass(frozen=True, order=True)
class ColumnRef:
    """A column of a dataset."""

    dataset: str
    column: str

    def __str__(self) -> str:
        return f"{self.dataset}.{self.column}"


@dataclass(frozen=True)
class ColumnLineage:
    """Where an output column comes from.

    `reads` are the columns its value is computed from; `identity` is the one it is copied from unchanged
    (or only renamed), when that is so; `digest` says what the column means (see `Analysis`).
    """

    name: str
    reads: tuple[ColumnRef, ...]
    digest: str
    identity: ColumnRef | None = None


@dataclass(frozen=True)
class Analysis:
    """The facts of one model.

    `references` maps each dataset that is read to the first place where it is named. `row_reads` are the columns that
    decide which rows exist (joins, filters, grouping). `rows_digest` and each column's digest say what the model
    means, by canonical syntax tree with the digests of what it reads in the place of names: a comment, a format or an
    unread column upstream changes none of them. `columns` are in order of output.
    """

    dataset: str
    references: Mapping[str, Span]
    columns: tuple[ColumnLineage, ...]
    row_reads: tuple[ColumnRef, ...]
    rows_digest: str
    parameters: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    column_types: Mapping[str, str] = field(default_factory=dict)
