"""A counterexample made small: rows taken away one after the other, then rows and values by hypothesis, as long as it still fails.

Every candidate keeps the contracts of the inputs and breaks the same guarantee.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from xde.ground.names import literal, quoted
from xde.undercurrents.engineering.properties.generating import EXAMPLE, ROW, held
from xde.undercurrents.engineering.properties.values import Column, family_of, fits, own
from xde.undercurrents.engineering.testing.case import Nested
from xde.undercurrents.engineering.testing.filling import plain
from xde.undercurrents.engineering.testing.sandbox import Asked, QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xde.undercurrents.engineering.properties.guarantees import Guarantee
    from xde.undercurrents.engineering.properties.trial import Trial

Cell = tuple[str, int, str]  # dataset, row, column
SMALL: Mapping[str, Sequence[str]] = {
    "number": ("1", "2", "3", "4", "5", "0"),
    "text": ("a", "b", "c", "d", "e", "f"),
    "moment": ("2000-01-01", "2000-01-02", "2000-01-03", "2000-01-04", "2000-01-05", "2000-01-06"),
}
SECONDS = 2.0
TRIES = 400


def has_hypothesis() -> bool:
    """Whether the extra `xde[test]` is installed."""
    from importlib.util import find_spec

    return find_spec("hypothesis") is not None


@dataclass(slots=True)
class Shrinking:
    """One example on its way to be small."""

    trial: Trial
    guarantee: Guarantee
    example: int
    monotonic: Callable[[], float]
    kept: dict[str, list[int]] = field(default_factory=dict)
    _texts: dict[tuple[str, int], dict[str, str | None]] = field(default_factory=dict)
    _until: float = 0.0

    def rows(self) -> None:
        """Fewer rows: all of a table, then halves, then one by one, until none can go."""
        self._until = self.monotonic() + SECONDS
        for name in self.trial.premises:
            numbers = self.trial.scratch.ask(Asked(f"SELECT {ROW} FROM {held(name)} WHERE {EXAMPLE} = {self.example} ORDER BY {ROW}")).rows
            self.kept[name] = [int(str(n)) for (n,) in numbers]
        smaller = True
        while smaller and self.monotonic() < self._until:
            smaller = True in [self._fewer(name) for name in self.kept]
        self._lay(self.kept, {})

    def _fewer(self, name: str) -> bool:
        before, size = len(self.kept[name]), len(self.kept[name])
        while size:
            for begin in range(0, len(self.kept[name]), size):
                rest = self.kept[name][:begin] + self.kept[name][begin + size :]
                if len(rest) < len(self.kept[name]) and self._still({**self.kept, name: rest}, {}):
                    self.kept[name] = rest
            size //= 2
        return len(self.kept[name]) < before

    def _still(self, kept: Mapping[str, Sequence[int]], changes: Mapping[Cell, str | None]) -> bool:
        try:
            self._lay(kept, changes)
        except QueryError:
            return False
        return self.trial.valid() and self.trial.breaks(self.guarantee)

    def _lay(self, kept: Mapping[str, Sequence[int]], changes: Mapping[Cell, str | None]) -> None:
        for name, numbers in kept.items():
            types = self.trial.premises[name].types
            arms: dict[str, list[str]] = {}
            for (dataset, row, column), text in changes.items():
                if dataset == name and row in numbers:
                    arms.setdefault(column, []).append(f"WHEN {row} THEN {'NULL' if text is None else literal(text)}::{types[column]}")
            cells = [f"CASE {ROW} {' '.join(arms[c])} ELSE {quoted(c)} END AS {quoted(c)}" if c in arms else quoted(c) for c in types]
            listed = ", ".join(str(n) for n in numbers) or "-1"
            where = f"WHERE {EXAMPLE} = {self.example} AND {ROW} IN ({listed})"
            self.trial.lay(name, f"SELECT {', '.join(cells)} FROM {held(name)} {where} ORDER BY {ROW}")

    def cells(self, columns_read: Mapping[str, set[str]]) -> None:
        """Plainer values, by hypothesis: a draw of zero makes a value the plainest of its column.

        Cells that hold the same value become the same other one together, so that what refers still meets.
        """
        from hypothesis import HealthCheck, Phase, Verbosity, find, settings
        from hypothesis import strategies as st
        from hypothesis.errors import HypothesisException

        self._until = self.monotonic() + SECONDS
        values, cells = self._values(columns_read), self._cells(columns_read)
        width = len(values) + len(cells)
        known: dict[tuple[int, ...], bool] = {}

        def fails(draws: list[int]) -> bool:
            drawn = tuple(min(d, 1) for d in draws)
            if drawn not in known:
                known[drawn] = self.monotonic() < self._until and self._still(self.kept, _changes(drawn, values, cells))
            return known[drawn]

        how = settings(
            max_examples=TRIES,
            derandomize=True,
            database=None,
            deadline=None,
            verbosity=Verbosity.quiet,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        best = [1] * width
        with suppress(HypothesisException):  # none of the plainer ones fails
            best = find(st.lists(st.integers(0, 9), min_size=width, max_size=width), fails, settings=how)
        self._lay(self.kept, _changes(tuple(min(d, 1) for d in best), values, cells))

    def _text(self, cell: Cell) -> str | None:
        name, number, column = cell
        row = self._texts.get((name, number))
        if row is None:
            types = self.trial.premises[name].types
            columns = ", ".join(f"CAST({quoted(c)} AS VARCHAR)" for c in types)
            found = self.trial.scratch.ask(
                Asked(f"SELECT {columns} FROM {held(name)} WHERE {EXAMPLE} = {self.example} AND {ROW} = {number}")
            ).rows[0]
            row = self._texts[name, number] = {c: None if v is None else str(v) for c, v in zip(types, found, strict=True)}
        return row[column]

    def _all(self, columns_read: Mapping[str, set[str]]) -> list[Cell]:
        return [
            (name, number, column)
            for name, numbers in self.kept.items()
            for number in numbers
            for column in self.trial.premises[name].types
            if not columns_read or column in columns_read.get(name, ())
        ]

    def _values(self, columns_read: Mapping[str, set[str]]) -> list[tuple[str, list[Cell]]]:
        """The distinct values that stand in several cells, each with a small one for all of them."""
        places: dict[tuple[str, str], list[Cell]] = {}
        for cell in self._all(columns_read):
            name, _, column = cell
            family, text = family_of(self.trial.premises[name].types[column]), self._text(cell)
            if family in SMALL and text is not None:
                places.setdefault((family, text), []).append(cell)
        found: list[tuple[str, list[Cell]]] = []
        counted: dict[str, int] = {}
        for (family, text), where in places.items():
            position = counted[family] = counted.get(family, -1) + 1
            small = SMALL[family][position % len(SMALL[family])]
            if len(where) > 1 and small != text:
                found.append((small, where))
        return found

    def _referring(self) -> set[tuple[str, str]]:
        """Columns that refer, or are referred to, within the example."""
        checks = [c for p in self.trial.premises.values() for c in p.references if c.to_dataset in self.kept]
        return {(c.dataset, n) for c in checks for n in c.columns} | {(c.to_dataset, n) for c in checks for n in c.to_columns}

    def _cells(self, columns_read: Mapping[str, set[str]]) -> list[tuple[Cell, str | None]]:
        """Every cell that is not plain, with the plainest value that its column may have."""
        found: list[tuple[Cell, str | None]] = []
        referring = self._referring()
        for cell in self._all(columns_read):
            name, number, column = cell
            if (name, column) in referring:
                continue  # it changes with what it refers to
            premise = self.trial.premises[name]
            promises = {p.name: p for p in premise.promised.properties} if premise.promised else {}
            text = _plainest(Column(column, premise.types[column], promises.get(column)), self.kept[name].index(number) + 1)
            if text is not None and text != self._text(cell):
                found.append((cell, text))
        return found


def _changes(
    drawn: Sequence[int], values: Sequence[tuple[str, Sequence[Cell]]], cells: Sequence[tuple[Cell, str | None]]
) -> dict[Cell, str | None]:
    """What a draw changes: first values wherever they stand, then cells by themselves."""
    changes: dict[Cell, str | None] = {}
    for (text, where), draw in zip(values, drawn, strict=False):
        if not draw:
            changes |= dict.fromkeys(where, text)
    for (cell, replacement), draw in zip(cells, drawn[len(values) :], strict=True):
        if not draw:
            changes[cell] = replacement
    return changes


def _plainest(column: Column, number: int) -> str | None:
    """What a case would fill in, else a small value, else the first that the contract speaks of."""
    value = plain(column.promise, column.kind, number)
    filled = value.json if isinstance(value, Nested) else value
    small = SMALL.get(column.family, ())
    wanted = [] if filled is None else [filled]
    wanted += [small[0]] if small and not wanted else []
    return next((w for w in (*wanted, *own(column, Random(0))) if not column.family or fits(column, w)), None)  # noqa: S311 - no secret
