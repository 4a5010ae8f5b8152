"""A case as data: what is given, what is expected, and where each of it is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.ground.spans import Span

FLOW = "flow:"  # before the name of a flow, where that of a dataset may stand


@dataclass(frozen=True, slots=True)
class Nested:
    """A list or mapping in a cell, as JSON text."""

    json: str


Cell = str | Nested | None
"""A value as it is written; the column's type makes of it what it is. None is NULL."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row with those columns that matter; `spans` has the places of its cells where they are known."""

    cells: Mapping[str, Cell]
    span: Span | None = None
    spans: Mapping[str, Span] = field(default_factory=dict)

    def place(self, column: str) -> Span | None:
        """Where a cell is written."""
        return self.spans.get(column, self.span)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows written out, or the path of a Parquet file relative to the project; never both."""

    rows: tuple[Row, ...] = ()
    parquet: str | None = None
    span: Span | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that a row names, in the order of first mention."""
        return tuple(dict.fromkeys(c for row in self.rows for c in row.cells))


@dataclass(frozen=True, slots=True)
class RawFile:
    """What a source delivers: a file's name (None: one that the contract's pattern matches) and its bytes."""

    name: str | None
    content: bytes
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class ExpectedLetter:
    """A dead letter by what matters of it; None matches anything."""

    line: int | None = None
    column: str | None = None
    rule: str | None = None
    reason: str | None = None
    raw: str | None = None
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must come out. `rows` None: not looked at. Rows are compared by the columns that they name, or by all if `whole`.

    `contract`: they must keep the model's contract. `any_order`: they must be the same whatever the order of the rows given. `as_full`:
    they must be those of a full refresh.
    `tolerance` is relative, for floating-point columns. `finding` is the code of the finding that must stop it. `letters` is
    what must be among the dead letters, `letter_count` how many there are.
    """

    rows: Table | None = None
    ordered: bool = False
    whole: bool = False
    contract: bool = False
    any_order: bool = False
    as_full: bool = False
    tolerance: float = 1e-9
    finding: str | None = None
    letters: tuple[ExpectedLetter, ...] | None = None
    letter_count: int | None = None
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """One run of a case. Before it, the rows of `given` take the place of what there was, those of `add` come to it."""

    given: Mapping[str, Table] = field(default_factory=dict)
    add: Mapping[str, Table] = field(default_factory=dict)
    raw: tuple[RawFile, ...] = ()
    expect: Expectation = field(default_factory=Expectation)
    now: str | None = None
    full: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One test of one dataset. `parameters` override those of the project; `now` sets the clock (ISO, UTC unless it says otherwise).

    `cte` names the part of the model that is looked at instead of the whole. A case of a flow (`dataset` is its name after `FLOW`) has a
    `call`, and `types` of columns where what is given does not show them. `rounds` has one run, or several that follow
    each other on the same table, as an incremental model and a source see them. `cassette` is the folder of the answers of an API.
    """

    name: str
    dataset: str
    path: str
    rounds: tuple[Round, ...]
    parameters: Mapping[str, object] = field(default_factory=dict)
    now: str | None = None
    cte: str | None = None
    tags: tuple[str, ...] = ()
    description: str = ""
    span: Span | None = None
    dataset_span: Span | None = None
    digest: str = ""
    call: str | None = None
    types: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    cassette: str | None = None

    @property
    def id(self) -> str:
        """What names it among all: file and name."""
        return f"{self.path}::{self.name}"

    @property
    def plain(self) -> bool:
        """Whether one query in a sandbox tells; else the steps of a run are carried out on a lake of its own."""
        only = self.rounds[0]
        told = only.expect.finding is not None or only.expect.letters is not None
        return len(self.rounds) == 1 and not only.raw and not told and not only.expect.as_full
