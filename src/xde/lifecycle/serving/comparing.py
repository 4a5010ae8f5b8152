"""Two tables held against each other: what is asked, what is answered, and what must be able to answer it (port)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from xde.ground.errors import UserError
from xde.ground.findings import Finding, Severity
from xde.ground.names import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.lifecycle.storage.port import Column, Schema
    from xde.lifecycle.transformation.port import Input, Query

Values = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two tables: the files of a snapshot, the query of a view over such, or a file of somebody's own.

    `name` is what the user reads; the rest of the words say where it comes from, empty where it does not apply. `checks` are those
    that its commit passed, and those that it failed and was published all the same.
    """

    name: str
    given: Input | None = None
    view: Query | None = None
    inputs: Mapping[str, Input] = field(default_factory=dict)
    file: str = ""
    rows: int | None = None
    dataset: str = ""
    environment: str = ""
    version: str = ""
    number: int | None = None
    at: str = ""
    checks: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be compared, and how: rows are paired by `key`; without one they are held against each other whole.

    `personal` columns are compared and never shown. `tolerance` is for columns of floating point, relative to the larger value and
    absolute; 0 is exact. `limit` is how many samples of each kind are wanted.
    """

    key: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    where: str | None = None
    tolerance: float = 0.0
    limit: int = 10
    personal: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Retyped:
    """A column that has another type on the right; `compared` is the type in which its values were held against each other."""

    name: str
    left: str
    right: str
    compared: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """What two schemas have in common and what not, after the asking: the key, the columns compared, and the differences."""

    key: tuple[Retyped, ...]
    columns: tuple[Retyped, ...]
    added: Schema
    dropped: Schema

    @property
    def retyped(self) -> tuple[Retyped, ...]:
        """The columns that have another type on the right."""
        return tuple(c for c in (*self.key, *self.columns) if c.left != c.right)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a column of numbers is like on one side; None where there is no value at all."""

    least: object = None
    mean: float | None = None
    most: object = None
    nulls: int = 0


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """A column in which values differ: in how many rows that are on both sides, and how many of these differ by less than 1e-9."""

    name: str
    type: str
    rows: int
    near: int = 0
    left: Figures | None = None
    right: Figures | None = None


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A row that is on both sides but differs; `columns` are the positions of the cells that do."""

    left: Values
    right: Values
    columns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class WholeRow:
    """A row that is on one side only, as many times as it is more there than on the other."""

    values: Values
    times: int = 1


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Keys that stand more than once on a side, and the rows that have them."""

    keys: int = 0
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Samples:
    """A few rows of each kind; values in the order of `columns`, the first `key` of them being the key."""

    columns: tuple[str, ...] = ()
    key: int = 0
    added: tuple[WholeRow, ...] = ()
    removed: tuple[WholeRow, ...] = ()
    changed: tuple[ChangedRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """The answer. The rows of a side are `removed` (or `added`), `changed` and `unchanged`; `shared` ones lie in files that both have."""

    left: Side
    right: Side
    layout: Layout
    left_rows: int
    right_rows: int
    added: int = 0
    removed: int = 0
    changed: int = 0
    shared: int = 0
    columns: tuple[ColumnChange, ...] = ()
    samples: Samples = Samples()
    left_duplicates: Duplicates = Duplicates()
    right_duplicates: Duplicates = Duplicates()
    personal: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = ()

    @property
    def unchanged(self) -> int:
        """Rows that are the same on both sides."""
        return self.left_rows - self.removed - self.changed

    @property
    def key(self) -> tuple[str, ...]:
        """The columns by which rows were paired."""
        return tuple(c.name for c in self.layout.key)

    @property
    def same_schema(self) -> bool:
        """Whether both sides have the same columns with the same types."""
        return not (self.layout.added or self.layout.dropped or self.layout.retyped)

    @property
    def equal(self) -> bool:
        """Whether nothing differs: no row, no column."""
        return not (self.added or self.removed or self.changed) and self.same_schema


class Comparer(Protocol):
    """Compares two tables where they lie: exactly, and without their rows passing through this process."""

    def compare(self, left: Side, right: Side, asked: Asked) -> Difference:
        """The difference. Raises `UserError` for what was asked wrongly, and for a file that cannot be read."""
        ...


def layout_of(left: Side, right: Side, schemas: tuple[Schema, Schema], asked: Asked) -> Layout:
    """Match columns by name (letters of either case are the same to SQL). Raises `UserError` with all that does not fit."""
    olds, news = ({c.name.casefold(): c for c in s} for s in schemas)
    everything = [*news.values(), *(c for n, c in olds.items() if n not in news)]
    findings = [
        _unknown(c, left, right, [e.name for e in everything]) for c in (*asked.columns, *asked.ignore) if c.casefold() not in olds | news
    ]
    for column in asked.key:
        for side, known in ((left, olds), (right, news)):
            if column.casefold() not in known:
                findings.append(_no_key(column, side, [c.name for c in known.values()]))
    if findings:
        raise UserError(*findings)
    keys = [k.casefold() for k in asked.key]
    wanted, unwanted = {c.casefold() for c in asked.columns}, {c.casefold() for c in asked.ignore}
    looked_at = [c for c in everything if c.name.casefold() not in keys and _chosen(c.name.casefold(), wanted, unwanted)]
    columns = tuple(_pair(olds[n], news[n]) for n in (c.name.casefold() for c in looked_at) if n in olds and n in news)
    if not columns and not keys:
        raise UserError(_nothing_in_common(left, right))
    added = tuple(c for c in looked_at if c.name.casefold() not in olds)
    dropped = tuple(c for c in looked_at if c.name.casefold() not in news)
    return Layout(tuple(_pair(olds[k], news[k]) for k in keys), columns, added, dropped)


def _chosen(name: str, wanted: set[str], unwanted: set[str]) -> bool:
    return (not wanted or name in wanted) and name not in unwanted


def _pair(old: Column, new: Column) -> Retyped:
    return Retyped(new.name, old.type, new.type, new.type if old.type == new.type else "")


def _unknown(column: str, left: Side, right: Side, known: Sequence[str]) -> Finding:
    sides = f"`{left.name}`" if left.dataset == right.dataset and left.dataset else f"`{left.name}` nor `{right.name}`"
    word = "no" if "nor" not in sides else "neither"
    message = f"{sides} has no column `{column}`" if word == "no" else f"neither {sides} has a column `{column}`"
    return Finding("XDE0922", message, hint=did_you_mean(column, known) or f"its columns: {', '.join(known[:12])}")


def _no_key(column: str, side: Side, known: Sequence[str]) -> Finding:
    return Finding(
        "XDE0922",
        f"`{side.name}` has no column `{column}` to pair rows by",
        why="the key must be on both sides",
        hint=did_you_mean(column, known) or "name the columns that tell rows apart with `--key a,b`, or none with `--key ''`",
    )


def _nothing_in_common(left: Side, right: Side) -> Finding:
    return Finding(
        "XDE0923",
        f"`{left.name}` and `{right.name}` have no column in common that could be compared",
        hint="look at both with `xde show`, or choose others with `--columns`",
    )


def duplicates_finding(side: Side, key: Sequence[str], found: Duplicates) -> Finding:
    """What is told when the key does not tell rows apart."""
    keys = "1 key stands" if found.keys == 1 else f"{found.keys:,} keys stand"
    return Finding(
        "XDE0924",
        f"{keys} more than once in `{side.name}` ({found.rows:,} rows, by `{', '.join(key)}`)",
        why="which of several rows of a key has become which cannot be told: such rows are compared whole, and are added or removed",
        hint="name the columns that tell rows apart with `--key a,b`",
        severity=Severity.WARNING,
    )
