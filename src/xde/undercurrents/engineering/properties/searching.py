"""The search for input that is valid and breaks a guarantee: many examples at once, then each suspect by itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING

from xde.ground.digests import digest
from xde.ground.names import quoted
from xde.kernel.plan.checks import CheckKind
from xde.undercurrents.engineering.properties.batching import over
from xde.undercurrents.engineering.properties.constants import constants_of
from xde.undercurrents.engineering.properties.found import Searched
from xde.undercurrents.engineering.properties.generating import EXAMPLE, GIVEN, ROW, Generator, held
from xde.undercurrents.engineering.properties.guarantees import (
    DELIVERED,
    ORDER,
    SPLIT,
    Guarantee,
    Promised,
    Relations,
    broken,
    guarantees_of,
)
from xde.undercurrents.engineering.properties.increments import PIECE, Growth, Rows
from xde.undercurrents.engineering.properties.target import Increment
from xde.undercurrents.engineering.properties.trial import Trial
from xde.undercurrents.engineering.testing.sandbox import Asked, QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from xde.undercurrents.engineering.properties.premises import Premise
    from xde.undercurrents.engineering.properties.target import Target
    from xde.undercurrents.engineering.testing.sandbox import Scratch

OUT, OTHER, SIZES = "xde_out.rows", "xde_out.other", "xde_out.sizes"
SUSPECTS = 5  # examples that are tried by themselves for one guarantee, the smallest first
PARTS = 16  # of all examples, when they do not run together
MOST_SINGLE = 60  # examples of a query that can only be asked for one at a time


@dataclass(slots=True)
class Search:
    """The examples of one model in a scratch database, and what they break."""

    scratch: Scratch
    target: Target
    examples: int
    seed: int = 0
    premises: dict[str, Premise] = field(default_factory=dict)
    fallback: str = ""
    failed: list[int] = field(default_factory=list)
    asked: list[tuple[int, int]] = field(default_factory=list)  # the stretches of examples that ran
    out: str = OUT  # where the rows are that are judged

    def suspects(self) -> tuple[Promised, dict[str, list[int]]]:
        """Generate, run, and judge: which examples seem to break which guarantee (by id)."""
        self.premises = self.target.premises()
        self._generate()
        promised = guarantees_of(self.target, list(self.premises))
        if not self._growth().lawful:
            promised = replace(promised, guarantees=tuple(g for g in promised.guarantees if g.law not in {SPLIT, DELIVERED}))
        self.run()
        found = self.judged(promised)
        if self.failed:
            found[promised.guarantees[0].id] = self._smallest(self.failed)
        found |= self.other_order(promised)
        found |= self.in_pieces(promised)
        return promised, {g.id: found[g.id] for g in promised.guarantees if found.get(g.id)}

    def trial(self) -> Trial:
        """A place where one example is tried by itself."""
        named = {c.to_dataset for c in self.target.checks.get(self.target.name, ())}
        wanted = [n for n in self.premises if n in self.target.given or n in named]
        return Trial(self.scratch, self.target, {n: self.premises[n] for n in wanted})

    def counted(self) -> dict[str, int]:
        """How many rows of each input there are, over all examples."""
        return {n: self._number(f"SELECT count(*) FROM {held(n)}") for n in self.target.given}

    def valid(self) -> int:
        """How many examples there are."""
        return self._number(f"SELECT count(*) FROM {SIZES}")

    def _number(self, sql: str) -> int:
        return int(str(self.scratch.ask(Asked(sql)).rows[0][0]))

    def _generate(self) -> None:
        subject = self.target.subject
        texts = [subject.sql, *(sql for sql, _ in subject.views.values())]
        used = {*subject.used, *(p for _, ps in subject.views.values() for p in ps)} - {"start", "end", "today"}
        constants = constants_of(texts, [subject.parameters[p] for p in sorted(used) if p in subject.parameters])
        meaning = digest(subject.query, {n: dict(t) for n, t in subject.inputs.items()}, self.seed)
        number = int(meaning, 16) % 2**31
        generator = Generator(self.scratch, self.premises, constants, Random(meaning), self.examples, number)  # noqa: S311 - no secret
        generator.make()
        for name in self.target.computed:
            self._compute(name)
            generator.hold(self.premises[name])
        if self._answered() or self.target.computed:
            generator.settle()
        sizes = " UNION ALL ".join(f"SELECT {EXAMPLE} FROM {held(n)}" for n in self.target.given) or f"SELECT 0 AS {EXAMPLE} WHERE false"
        counted = f"SELECT {EXAMPLE}, count(*) AS size FROM ({sizes}) GROUP BY {EXAMPLE}"
        every = f"SELECT n AS {EXAMPLE}, coalesce(size, 0) AS size FROM range({self.examples}) AS r(n)"
        every += f" LEFT JOIN ({counted}) AS c ON c.{EXAMPLE} = r.n"
        few = [
            f"(SELECT count(*) FROM {held(n)} AS t WHERE t.{EXAMPLE} = r.n) >= {p.sizes[0]}" for n, p in self.premises.items() if p.sizes[0]
        ]
        self.scratch.keep(SIZES, Asked(f"{every} WHERE {' AND '.join(few)}" if few else every))

    def _answered(self) -> bool:
        """Empty those tables whose rules by query are broken; whether there were any."""
        found = False
        rows = {n: held(n) for n in self.premises}
        for name, premise in self.premises.items():
            for check in premise.questions:
                every = f"SELECT n AS {EXAMPLE} FROM range({self.examples}) AS r(n)"
                try:
                    wrong = broken(Guarantee(check.id, check.message, check), Relations(held(name), rows, every))
                    self.scratch.keep("xde_out.wrong", Asked(wrong))
                except (QueryError, ValueError):
                    continue  # a rule that cannot be asked for many at once is looked at in each suspect by itself
                kept = f"SELECT * FROM {held(name)} WHERE {EXAMPLE} NOT IN (FROM xde_out.wrong) ORDER BY {EXAMPLE}, {ROW}"
                self.scratch.keep(f"{GIVEN}.{name}", Asked(kept))
                found = True
        return found

    def _compute(self, name: str) -> None:
        """The rows of a view in every example, from those of its inputs."""
        sql, _ = self.target.subject.views[name]
        before = [n for n in self.premises if n != name]
        asked = self._batched(
            sql, f"SELECT n AS {EXAMPLE} FROM range({self.examples}) AS r(n)", before[: _until(before, self.target.computed, name)]
        )
        columns = ", ".join(f"CAST({quoted(c)} AS {t}) AS {quoted(c)}" for c, t in self.target.subject.inputs[name].items())
        numbered = f"SELECT {EXAMPLE}, row_number() OVER (PARTITION BY {EXAMPLE} ORDER BY ALL) - 1 AS {ROW}, {columns} FROM ({asked.sql})"
        numbered = numbered.replace("ORDER BY ALL", "ORDER BY " + ", ".join(quoted(c) for c in self.target.subject.inputs[name]))
        self.scratch.keep(f"{GIVEN}.{name}", Asked(numbered, asked.parameters))

    def _batched(self, sql: str, examples: str, tables: Sequence[str], within: tuple[int, int] | None = None) -> Asked:
        batch = self.target.batch(tables, within=within)
        try:
            text = batch.text(sql)
        except ValueError as error:
            raise QueryError(str(error)) from error
        return Asked(over(examples, text), self.target.values(sorted(batch.used)))

    def run(self) -> None:
        """The model on every example, in as few queries as will do."""
        try:
            self.scratch.keep(self.out, self._whole(0, self.examples))
            self.asked = [(0, self.examples)]
        except QueryError as error:
            self._by_parts(self.out, str(error))

    def _whole(self, begin: int, end: int) -> Asked:
        within = None if end - begin == self.examples else (begin, end)
        examples = f"SELECT n AS {EXAMPLE} FROM range({begin}, {end}) AS r(n)"
        return self._batched(self.target.subject.query, examples, self.target.given, within)

    def _by_parts(self, name: str, why: str) -> None:
        """In a few parts, those that run and one example that does not; when no part runs, each example by itself."""
        size = -(-self.examples // PARTS)
        parts = [(n, min(n + size, self.examples)) for n in range(0, self.examples, size)]
        self.asked = [p for i, p in enumerate(parts) if self._runs(f"xde_out.part{i}", p)]
        if not self.asked:
            self._one_by_one(name, why)
            return
        begin, end = next(p for p in parts if p not in self.asked)
        while end - begin > 1:
            middle = (begin + end) // 2
            begin, end = (middle, end) if self._runs("xde_out.half", (begin, middle)) else (begin, middle)
        self.failed.append(begin)
        self._gather(name, [f"SELECT * FROM xde_out.part{i}" for i, p in enumerate(parts) if p in self.asked])

    def _runs(self, name: str, part: tuple[int, int]) -> bool:
        try:
            self.scratch.keep(name, self._whole(*part))
        except QueryError:
            return False
        return True

    def _gather(self, name: str, queries: Sequence[str]) -> None:
        types = ", ".join(f"CAST(NULL AS {t}) AS {quoted(c)}" for c, t in self.target.subject.types.items())
        none = f"SELECT CAST(0 AS BIGINT) AS {EXAMPLE}, {types} WHERE false"
        self.scratch.keep(name, Asked(" UNION ALL ".join([none, *queries])))

    def _one_by_one(self, name: str, why: str) -> None:
        self.fallback = why
        trial, done = self.trial(), []
        for number in range(min(self.examples, MOST_SINGLE)):
            trial.example(number)
            try:
                asked = trial.asked()
                sql = f"SELECT CAST({number} AS BIGINT) AS {EXAMPLE}, * FROM ({asked.sql})"
                self.scratch.keep(f"xde_out.part{number}", Asked(sql, asked.parameters, asked.views, asked.view_parameters))
                done.append(number)
            except QueryError:
                self.failed.append(number)
        self.asked = [(n, n + 1) for n in done]
        self._gather(name, [f"SELECT * FROM xde_out.part{n}" for n in done])

    def judged(self, promised: Promised) -> dict[str, list[int]]:
        """Which examples break which rule of the contract."""
        rows = Relations(self.out, {n: held(n) for n in self.premises}, f"SELECT {EXAMPLE} FROM {SIZES}")
        rules = [g for g in promised.guarantees if g.check is not None]
        found = self._by_row([g for g in rules if g.check and g.check.kind is CheckKind.ROW])
        for guarantee in rules:
            if guarantee.id not in found:
                found[guarantee.id] = self._broken(guarantee, rows)
        return found

    def _by_row(self, rules: Sequence[Guarantee]) -> dict[str, list[int]]:
        """All rules of rows in one scan; when one of them does not run, each by itself."""
        if not rules:
            return {}
        counted = [f"min_by({EXAMPLE}, size, {SUSPECTS}) FILTER (WHERE NOT ({g.check.predicate}))" for g in rules if g.check]
        try:
            (row,) = self.scratch.ask(Asked(f"SELECT {', '.join(counted)} FROM {self.out} JOIN {SIZES} USING ({EXAMPLE})")).rows
        except QueryError:
            return {}
        return {g.id: _distinct(numbers) for g, numbers in zip(rules, row, strict=True)}

    def _broken(self, guarantee: Guarantee, rows: Relations) -> list[int]:
        try:
            return self._smallest_of(broken(guarantee, rows))
        except (QueryError, ValueError):
            return []  # a rule that cannot be asked is told where it is run in earnest

    def _smallest_of(self, sql: str) -> list[int]:
        asked = f"SELECT min_by({EXAMPLE}, size, {SUSPECTS}) FROM ({sql}) JOIN {SIZES} USING ({EXAMPLE})"
        return _distinct(self.scratch.ask(Asked(asked)).rows[0][0])

    def _smallest(self, numbers: Iterable[int]) -> list[int]:
        return self._smallest_of(f"SELECT unnest({sorted(numbers)}) AS {EXAMPLE}")

    def other_order(self, promised: Promised) -> dict[str, list[int]]:
        """Run once more with the rows of each input the other way round, and compare example by example."""
        law = next((g for g in promised.guarantees if g.law == ORDER), None)
        if law is None or self.fallback:
            return {law.id: list(range(4, min(self.examples, MOST_SINGLE)))[:20]} if law else {}
        for name in self.target.given:
            self.scratch.keep(f"{GIVEN}.{name}", Asked(f"SELECT * FROM {held(name)} ORDER BY {EXAMPLE} DESC, {ROW} DESC"))
        try:
            parts = []
            for number, (begin, end) in enumerate(self.asked):
                self.scratch.keep(f"xde_out.back{number}", self._whole(begin, end))
                parts.append(f"SELECT * FROM xde_out.back{number}")
            self._gather(OTHER, parts)
            return {law.id: self._smallest_of(differing(self.out, OTHER, self.target.subject.types))}
        except QueryError:
            return {law.id: []}
        finally:
            for name in self.target.given:
                self.scratch.keep(f"{GIVEN}.{name}", Asked(f"SELECT * FROM {held(name)} ORDER BY {EXAMPLE}, {ROW}"))

    def _growth(self) -> Growth:
        return Growth(self.target, self.target.increment or Increment(), self.premises)

    def in_pieces(self, promised: Promised) -> dict[str, list[int]]:
        """Build what grows piece by piece, and compare it with the whole."""
        law = next((g for g in promised.guarantees if g.law in {SPLIT, DELIVERED}), None)
        if law is None:
            return {}
        try:
            asked, full = self._growth().built(Rows({n: held(n) for n in self.target.given}, self.out))
            self.scratch.keep("xde_out.pieces", asked)
            self.scratch.keep("xde_out.whole", Asked(full))
            types = {PIECE: "BIGINT", **self.target.subject.types}
            return {law.id: self._smallest_of(differing("xde_out.pieces", "xde_out.whole", types))}
        except QueryError:
            return {law.id: list(range(min(self.examples, MOST_SINGLE)))[4:24]}


def differing(one: str, other: str, types: Mapping[str, str]) -> str:
    """A query of the examples whose rows differ between two tables, in any order; numbers of floating point to seven digits."""
    columns = ", ".join(_rounded(c, t) for c, t in types.items())
    sides = [f"SELECT {EXAMPLE}, {columns} FROM {t}" for t in (one, other)]
    return f"SELECT DISTINCT {EXAMPLE} FROM (({sides[0]} EXCEPT ALL {sides[1]}) UNION ALL ({sides[1]} EXCEPT ALL {sides[0]}))"


def _rounded(column: str, kind: str) -> str:
    upper = kind.upper()
    if upper in {"DOUBLE", "FLOAT", "REAL"}:
        return f"CAST({quoted(column)} AS FLOAT) AS {quoted(column)}"
    if any(word in upper for word in ("DOUBLE", "FLOAT", "REAL")):
        return f"len(CAST({quoted(column)} AS VARCHAR)) > 0 AS {quoted(column)}"
    return quoted(column)


def _distinct(numbers: object) -> list[int]:
    return list(dict.fromkeys(int(n) for n in numbers)) if isinstance(numbers, list | tuple) else []


def _until(names: Sequence[str], computed: Sequence[str], name: str) -> int:
    """How many of the datasets are there before a computed one: all that are not computed, and those computed before it."""
    return len(names) - len(computed) + 1 + list(computed).index(name)


def summary(search: Search, promised: Promised, seconds: float) -> Searched:
    """What is said of a model of which nothing was found."""
    target = search.target
    unknown = tuple(n for n in target.given if not search.premises[n].known)
    return Searched(
        target.name,
        min(search.valid(), MOST_SINGLE) if search.fallback else search.valid(),
        len(promised.guarantees),
        search.counted(),
        unknown=unknown,
        left_out=promised.left_out,
        fallback=search.fallback,
        seconds=seconds,
    )
