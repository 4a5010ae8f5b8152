"""A case made of real rows: a few rows of a model's first input, what of the other inputs they need, and what came of them.

Nothing is expected that was not computed: the case says what the model does today, so that tomorrow's change is seen.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from xde.app.running import all_personal
from xde.app.subjects import at, subject_of
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import quoted
from xde.lifecycle.storage.port import TableId
from xde.undercurrents.engineering.testing.case_writer import appended, case_text, row_text
from xde.undercurrents.engineering.testing.sandbox import Asked, QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.undercurrents.engineering.testing.exercising import Subject
    from xde.undercurrents.engineering.testing.sandbox import Result, Scratch

MOST_ASKED = 2_000  # queries spent on finding the rows that matter


@dataclass(frozen=True, slots=True)
class Recorded:
    """A case that was added to a file: how many rows were kept of each input, and how many came out."""

    path: str
    name: str
    dataset: str
    given: Mapping[str, int]
    expected: int


def record(house: House, known: Understanding, dataset: str, name: str, rows: int = 5) -> Recorded:
    """Freeze a model as it is: `rows` rows of its first input, chosen by their digest, so that another day chooses the same.

    Columns that may show a person get made-up values, the same for the same value wherever it stands. Raises `UserError` when
    an input has not been built, or when the name is taken.
    """
    if dataset not in known.project.models:
        hint = "a source's cases are written by hand: raw lines in, rows and letters out"
        raise UserError(Finding("XDE0915", f"`{dataset}` is no model, and cannot be recorded", hint=hint))
    path = known.project.root / "tests" / f"{dataset.replace('.', '_')}.yaml"
    text = path.read_text(encoding="utf-8") if path.exists() else None
    if text is not None and f"name: {name}\n" in text.replace('"', ""):
        raise UserError(Finding("XDE0904", f"`tests/{path.name}` has a case named `{name}` already", hint="choose another name"))
    subject = at(subject_of(known, dataset), house.clock.now(), known)
    if {"today", "start", "end"} & set(subject.used):
        now: str | None = house.clock.now().date().isoformat()
    else:
        now = None
    inputs = subject.needed(())
    with house.sandbox.scratch() as scratch:
        _bring(house, known, scratch, subject, inputs)
        few = _Few(scratch, subject, inputs)
        few.keep(inputs[0], rows)
        for other in inputs[1:]:
            few.reduce(other)
        personal = all_personal(known)
        masks = _Masks()
        given = {n: [masks.row(r, personal[n]) for r in rows] for n, rows in few.that_matter(columns_read(known, subject)).items()}
        expected = few.result(given)
    lines = case_text(name, given, [f"- {row_text(r)}" for r in expected], f"recorded from `{house.environment}`; what the model did then")
    if now is not None:
        lines.insert(1, f"  now: {now}")
    _put(path, appended(text, dataset, "model", lines))
    return Recorded(f"tests/{path.name}", name, dataset, {n: len(r) for n, r in given.items()}, len(expected))


def columns_read(known: Understanding, subject: Subject) -> dict[str, set[str]]:
    """The columns that are read for the model, by dataset; of a view only what its readers read of it."""
    found: dict[str, set[str]] = {}
    todo = [(subject.name, c.name) for c in known.analyses[subject.name].columns]
    seen = set(todo)
    while todo:
        name, column = todo.pop()
        analysis = known.analyses[name]
        own = next((c.reads for c in analysis.columns if c.name == column), ())
        for ref in (*analysis.row_reads, *own):
            found.setdefault(ref.dataset, set()).add(ref.column)
            if ref.dataset in subject.views and (ref.dataset, ref.column) not in seen:
                seen.add((ref.dataset, ref.column))
                todo.append((ref.dataset, ref.column))
    return found


def _bring(house: House, known: Understanding, scratch: Scratch, subject: Subject, inputs: Iterable[str]) -> None:
    pointers = house.ledger.pointers(house.environment)
    for name in inputs:
        snapshot = house.lake.snapshot(TableId(name, pointers[name])) if name in pointers else None
        if snapshot is None:
            hint = f"run it first: `xde run +{subject.name}`"
            raise UserError(Finding("XDE0724", f"`{name}` has not been built in `{house.environment}` yet", hint=hint))
        types = {c.name: c.type for c in known.schemas[name]}
        scratch.parquet(name, types, snapshot.paths)


@dataclass(slots=True)
class _Few:
    """The inputs in a scratch database, made smaller while the result stays what it is."""

    scratch: Scratch
    subject: Subject
    inputs: tuple[str, ...]
    asked: int = 0

    def keep(self, name: str, rows: int) -> None:
        """Keep some rows of the input that drives the model."""
        columns = ", ".join(quoted(c) for c in self.subject.inputs[name])
        self.scratch.replace(name, f"SELECT {columns} FROM {name} AS kept ORDER BY hash(kept), kept LIMIT {rows}")

    def reduce(self, name: str) -> None:
        """Take away all rows of an input that make no difference to the result (Zeller's ddmin, over ranges of rows)."""
        wanted = self._result()
        self.scratch.replace("xde_all.kept", f"SELECT row_number() OVER () AS xde_number, * FROM {name}")
        (total,) = self.scratch.ask(Asked("SELECT count(*) FROM xde_all.kept")).rows[0]
        kept: list[tuple[int, int]] = [(1, int(str(total)))] if total else []
        size = int(str(total))
        while kept and self.asked < MOST_ASKED:
            kept = self._without(name, kept, max(1, size // 2), wanted)
            if size == 1:
                break
            size = max(1, size // 2)
        self._use(name, kept)

    def _without(self, name: str, kept: list[tuple[int, int]], size: int, wanted: object) -> list[tuple[int, int]]:
        pieces = [(low, min(low + size - 1, high)) for first, high in kept for low in range(first, high + 1, size)]
        for piece in list(pieces):
            rest = [p for p in pieces if p != piece]
            self._use(name, rest)
            if self._result() == wanted:
                pieces = rest
        return pieces

    def _use(self, name: str, kept: Sequence[tuple[int, int]]) -> None:
        columns = ", ".join(quoted(c) for c in self.subject.inputs[name])
        within = " OR ".join(f"xde_number BETWEEN {a} AND {b}" for a, b in kept) or "false"
        self.scratch.replace(name, f"SELECT {columns} FROM xde_all.kept WHERE {within}")

    def _result(self) -> list[str]:
        self.asked += 1
        return sorted(repr(r) for r in self._ask().rows)

    def _ask(self) -> Result:
        values = self.subject.parameters
        asked = Asked(self.subject.query, {n: values[n] for n in self.subject.used}, self.subject.views, values)
        try:
            return self.scratch.ask(asked)
        except QueryError as error:
            raise UserError(Finding("XDE0910", f"the query of `{self.subject.name}` fails on its real rows", why=str(error))) from error

    def rows(self, name: str) -> list[dict[str, object]]:
        """The rows that are left of an input, without columns that are NULL in all of them."""
        found = self.scratch.ask(Asked(f"SELECT * FROM {name}"))
        rows = [dict(zip((n for n, _ in found.columns), r, strict=True)) for r in found.rows]
        shown = [n for n, _ in found.columns if any(r[n] is not None for r in rows)]
        return [{n: r[n] for n in shown} for r in rows]

    def that_matter(self, read: Mapping[str, set[str]]) -> dict[str, list[dict[str, object]]]:
        """The rows of every input, with those columns that are read if they alone give the same result."""
        whole = {n: self.rows(n) for n in self.inputs}
        few = {n: [{c: v for c, v in r.items() if c in read.get(n, ())} for r in rows] for n, rows in whole.items()}
        wanted = self._result()
        self.result(few)
        return few if self._result() == wanted else whole

    def result(self, given: Mapping[str, Sequence[Mapping[str, object]]]) -> list[dict[str, object]]:
        """What the model makes of the rows as they will stand in the case."""
        from xde.undercurrents.engineering.testing.case_reader import read_cases
        from xde.undercurrents.engineering.testing.exercising import give

        text = appended(None, self.subject.name, "model", case_text("x", given, ()))
        (case,), _ = read_cases(text.encode(), "", lambda _: None)
        give(self.scratch, self.subject, case.rounds[0].given, {})
        found = self._ask()
        return [dict(zip((n for n, _ in found.columns), r, strict=True)) for r in found.rows]


class _Masks:
    """Values in the place of those that may show a person: the same for the same, so that keys still meet."""

    def __init__(self) -> None:
        self._known: dict[object, int] = {}

    def row(self, row: Mapping[str, object], personal: Iterable[str]) -> dict[str, object]:
        """A row with its personal columns made up."""
        hidden = set(personal)
        return {n: self._value(n, v) if n in hidden and v is not None else v for n, v in row.items()}

    def _value(self, column: str, value: object) -> object:
        number = self._known.setdefault(repr(value), len(self._known) + 1)
        match value:
            case bool():
                return False
            case datetime():
                return value.replace(2000, 1, 1, 0, 0, 0, 0) + timedelta(days=number)
            case date():
                return date(2000, 1, 1) + timedelta(days=number)
            case int() | float():
                return number
            case str():
                return f"{column}-{number}"
            case _:
                return None


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(f".{os.getpid()}.tmp")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)
