"""Random tables, many examples at once: one query a dataset, each row with the number of its example, all of them keeping the contract.

Values are drawn from lists by hashes of (seed, example, row, column), so that the same seed gives the same rows. Rows that break a rule
of the contract, repeat a key or refer to nothing are taken out by SQL: what is left is valid, however carelessly it was drawn.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xde.ground.names import literal, quoted
from xde.undercurrents.engineering.properties.mending import mends
from xde.undercurrents.engineering.properties.premises import MOST_ROWS, binding
from xde.undercurrents.engineering.properties.values import OTHERS, Column, array, shared
from xde.undercurrents.engineering.testing.promising import orphans
from xde.undercurrents.engineering.testing.sandbox import Asked, QueryError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from xde.kernel.plan.checks import Check
    from xde.undercurrents.engineering.properties.constants import Constants
    from xde.undercurrents.engineering.properties.premises import Premise
    from xde.undercurrents.engineering.testing.sandbox import Scratch

EXAMPLE, ROW = "__example", "__row"
GIVEN = "xde_given"
STRIDE = 7919  # a prime above the length of every list: rows in a row have different positions
SIZES = (0, 1, 1, 2, 2, 3, 4, 5, MOST_ROWS)
PARENT_SIZES = (1, 2, 2, 3, 3, 4, 5, 6, MOST_ROWS)
MOST_DRAWN = 10  # times as many rows as are wanted, where the rules are hard to meet
FEW, MANY = 25, 400  # on how many examples that is tried, and up to how many the most is drawn untried


def held(name: str) -> str:
    """The table of all examples of a dataset, for SQL."""
    return f"{GIVEN}.{quoted(name)}"


@dataclass(slots=True)
class Generator:
    """Makes the tables of all examples, those that are referred to first."""

    scratch: Scratch
    premises: Mapping[str, Premise]
    constants: Constants
    random: Random
    examples: int
    seed: int = 0
    _lists: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def make(self) -> None:
        """All that are not computed. Raises `QueryError` for a rule that the engine does not take."""
        columns = {n: self._columns(p) for n, p in self.premises.items()}
        self._lists = shared([c for cs in columns.values() for c in cs], self.constants, self.random)
        made: list[str] = []
        for name in in_order(self.premises):
            if not self.premises[name].computed:
                self._table(self.premises[name], columns[name], made)
                made.append(name)
        self.settle()

    def settle(self) -> None:
        """Take out what refers to nothing, until nothing does: a row that goes may have been referred to."""
        for _ in range(MOST_ROWS):
            lost = [self._without_orphans(p) for p in self.premises.values()]
            if True not in lost:
                return

    def hold(self, premise: Premise) -> None:
        """Take out of a table that is there what breaks its contract."""
        self._keep(premise, f"SELECT * FROM {held(premise.name)}")

    def _columns(self, premise: Premise) -> list[Column]:
        promises = {p.name: p for p in premise.promised.properties} if premise.promised else {}
        found = [Column(c, k, promises.get(c)) for c, k in premise.types.items()]
        return [Column(c.name, c.kind, c.promise, tuple(self._children(premise.name, c.name))) for c in found]

    def _children(self, name: str, column: str) -> list[Column]:
        found: list[Column] = []
        for other in self.premises.values():
            promises = {p.name: p for p in other.promised.properties} if other.promised else {}
            for check in other.references:
                if check.to_dataset == name and column in check.to_columns:
                    own = check.columns[check.to_columns.index(column)]
                    if own in other.types:
                        found.append(Column(own, other.types[own], promises.get(own)))
        return found

    def _table(self, premise: Premise, columns: Sequence[Column], made: Sequence[str]) -> None:
        """Rows are drawn until there are enough: how many that takes is tried on a few examples."""
        several = any(not r.columns for r in premise.rules)
        times = 3 if several else 2 if premise.rules or premise.keys else 1
        if several and self.examples <= MANY:
            times = MOST_DRAWN
        elif several:
            everything, self.examples = self.examples, FEW
            self._keep(premise, self._drawn(premise, columns, made, times))
            wanted, there = self._wanted(premise)
            self.examples = everything
            times = min(MOST_DRAWN, -(-times * wanted * 11 // (max(there, 1) * 10)))
        self._keep(premise, self._drawn(premise, columns, made, times))
        self._trim(premise)
        for number, check in enumerate(premise.references):
            if check.to_dataset == premise.name:
                self._keep(premise, self._among_themselves(premise, check, number))

    def _wanted(self, premise: Premise) -> tuple[int, int]:
        """How many rows are wanted in all, and how many of them there are."""
        per = f"SELECT count(t.{EXAMPLE}) AS there, {self._size(premise)} AS wanted FROM range({self.examples}) AS e(n)"
        per += f" LEFT JOIN {held(premise.name)} AS t ON t.{EXAMPLE} = e.n GROUP BY e.n"
        ((wanted, there),) = self.scratch.ask(Asked(f"SELECT sum(wanted)::BIGINT, sum(least(there, wanted))::BIGINT FROM ({per})")).rows
        return int(str(wanted or 0)), int(str(there or 0))

    def _size(self, premise: Premise) -> str:
        """How many rows an example has. The first has none of anything, the next few one each."""
        low, high = premise.sizes
        parent = any(c.to_dataset == premise.name for p in self.premises.values() for c in p.references if p.name != premise.name)
        sizes = [min(max(s, low), high) for s in (PARENT_SIZES if parent else SIZES)]
        drawn = f"({sizes})[1 + (hash({self.seed}, e.n, {self._salt(premise.name)}) % {len(sizes)})::INTEGER]"
        return f"CASE WHEN e.n = 0 THEN {low} WHEN e.n < 4 THEN {min(max(1, low), high)} ELSE {drawn} END"

    def _salt(self, name: str, column: str = "") -> int:
        columns = list(self.premises[name].types) if name in self.premises else []
        return 1000 * (list(self.premises).index(name) + 1) + (columns.index(column) + 1 if column else 0)

    def _drawn(self, premise: Premise, columns: Sequence[Column], made: Sequence[str], times: int) -> str:
        """Rows by chance: `d` is the row itself or the one before, which it then repeats but for the key; `k` how many values there are."""
        draws = [(i, r) for i, r in enumerate(premise.references) if r.to_dataset in made and set(r.columns) <= set(premise.types)]
        unique = {k[0] for k in premise.keys if len(k) == 1}
        cells = {c.name: self._cell(premise.name, c, alone=c.name in unique) for c in columns}
        for number, check in draws:
            cells |= self._referring(premise, check, number, cells)
        nullable = {c.name for c in columns if c.nullable}
        shown = ", ".join(f"{self._or_null(premise.name, c, s) if c in nullable else s} AS {quoted(c)}" for c, s in cells.items())
        source = (
            "SELECT e.n, r.i, "
            f"(CASE WHEN r.i > 0 AND hash({self.seed}, e.n, r.i, {self._salt(premise.name)}) % 4 = 0 "
            "THEN r.i - 1 ELSE r.i END)::BIGINT AS d, "
            f"([1, 2, 3, 5, 64])[1 + (hash({self.seed}, e.n, 1) % 5)::INTEGER]::UBIGINT AS k, "
            f"([0, 0, 12, 45])[1 + (hash({self.seed}, e.n, 2) % 4)::INTEGER]::UBIGINT AS z "
            f"FROM range({self.examples}) AS e(n), range({MOST_ROWS * times}) AS r(i)"
        )
        joins = " ".join(f"LEFT JOIN ({self._parents(premise, c)}) AS p{i} ON p{i}.{EXAMPLE} = x.n" for i, c in draws)
        return f"SELECT x.n AS {EXAMPLE}, x.i AS {ROW}, {shown} FROM ({source}) AS x {joins}"

    def _cell(self, name: str, column: Column, *, alone: bool) -> str:
        """A value of the column's list. What must be there once takes the position of its row."""
        family = column.family
        if not family:
            return self._nested(name, column)
        values = array(column, self._lists[family], self.random)
        listed = json.dumps(values, ensure_ascii=False).replace("\\n", "\n").replace("\\t", "\t")
        typed = f"CAST({literal(listed)} AS {column.kind}[])"
        order = [*OTHERS, "number", "text", "moment"]
        begin = f"hash({self.seed}, x.n, {order.index(family) + 10})"
        step = "x.i" if alone else f"(hash({self.seed}, x.n, x.d, {self._salt(name, column.name)}) % x.k)"
        return f"({typed})[1 + (({begin} % 1000003 + {step}::UBIGINT * {STRIDE}) % {len(values)})::INTEGER]"

    def _nested(self, name: str, column: Column) -> str:
        kind = column.kind
        forms = ["[]"]
        if not kind.endswith("]"):
            forms = ["{}"]
        elif kind.endswith("[]") and (inner := Column(column.name, kind[:-2])).family:
            values = array(inner, self._lists[inner.family], self.random)[:4]
            forms += [json.dumps(values[:1], ensure_ascii=False), json.dumps(values[:3], ensure_ascii=False)]
        chosen = f"(hash({self.seed}, x.n, x.d, {self._salt(name, column.name)}) % {len(forms)})"
        arms = " ".join(f"WHEN {i} THEN CAST({literal(f)} AS {kind})" for i, f in enumerate(forms))
        return f"CASE {chosen} {arms} END"

    def _or_null(self, name: str, column: str, value: str) -> str:
        return f"CASE WHEN (hash({self.seed}, x.n, x.d, {self._salt(name, column)}) >> 32) % 100 < x.z THEN NULL ELSE {value} END"

    def _parents(self, premise: Premise, check: Check) -> str:
        """What may be referred to in each example, as a list: those rows whose values the referring columns may have."""
        renamed = ", ".join(f"{quoted(b)} AS {quoted(a)}" for a, b in zip(check.columns, check.to_columns, strict=True))
        rules = [r.predicate for r in premise.rules if r.columns and set(r.columns) <= set(check.columns)]
        rules += [f"{quoted(c)} IS NOT NULL" for c in check.columns]
        where = " AND ".join(f"coalesce(({r}), TRUE)" for r in rules)
        packed = ", ".join(f"{quoted(c)} := {quoted(c)}" for c in check.columns)
        rows = f"SELECT {EXAMPLE}, {ROW}, {renamed} FROM {held(check.to_dataset)}"
        return f"SELECT {EXAMPLE}, list(struct_pack({packed}) ORDER BY {ROW}) AS l FROM ({rows}) WHERE {where} GROUP BY {EXAMPLE}"

    def _referring(self, premise: Premise, check: Check, number: int, own: Mapping[str, str]) -> dict[str, str]:
        """Cells that refer: to a row of the other table, or, where that is no more than a warning, now and then to none."""
        salt = self._salt(premise.name) + 500 + number
        lost = "" if binding(check) else f" OR hash({self.seed}, x.n, x.d, {salt}) % 5 = 0"
        chosen = f"p{number}.l[1 + (hash({self.seed}, x.n, x.d, {salt + 100}) % len(p{number}.l)::UBIGINT)::INTEGER]"
        return {
            c: f"CASE WHEN p{number}.l IS NULL{lost} THEN {own[c]} ELSE CAST({chosen}.{quoted(c)} AS {premise.types[c]}) END"
            for c in check.columns
        }

    def _among_themselves(self, premise: Premise, check: Check, number: int) -> str:
        """Rows that refer to rows of their own table; what is missing stays so."""
        salt = self._salt(premise.name) + 700 + number
        cells = []
        for column in check.columns:
            chosen = f"p.l[1 + (hash({self.seed}, t.{EXAMPLE}, t.{ROW}, {salt}) % len(p.l)::UBIGINT)::INTEGER].{quoted(column)}"
            cells.append(
                f"CASE WHEN t.{quoted(column)} IS NULL OR p.l IS NULL THEN t.{quoted(column)} ELSE {chosen} END AS {quoted(column)}"
            )
        parents = f"LEFT JOIN ({self._parents(premise, check)}) AS p ON p.{EXAMPLE} = t.{EXAMPLE}"
        return f"SELECT t.* REPLACE ({', '.join(cells)}) FROM {held(premise.name)} AS t {parents}"

    def _keep(self, premise: Premise, rows: str) -> None:
        """The rows that keep the contract. A rule that fails by itself counts as kept: that is told elsewhere."""
        for attempt in ("{}", "TRY({})"):
            try:
                self.scratch.keep(f"{GIVEN}.{premise.name}", Asked(self._sound(premise, rows, attempt)))
            except QueryError:
                if attempt != "{}":
                    raise
            else:
                return

    def _sound(self, premise: Premise, rows: str, attempt: str) -> str:
        sql = rows
        for mend in mends(premise.rules, premise.types):
            sql = f"SELECT * REPLACE ({mend.sql(premise.types)}) FROM ({sql})"
        rules = [f"coalesce({attempt.format('(' + r.predicate + ')')}, TRUE)" for r in premise.rules]
        sql = f"SELECT * FROM ({sql}) WHERE {' AND '.join(rules)}" if rules else sql
        for key in premise.keys:
            columns = ", ".join(quoted(c) for c in key)
            missing = " OR ".join(f"{quoted(c)} IS NULL" for c in key)
            first = f"row_number() OVER (PARTITION BY {EXAMPLE}, {columns} ORDER BY {ROW}) = 1"
            sql = f"SELECT * FROM ({sql}) QUALIFY {missing} OR {first}"
        return sql

    def _trim(self, premise: Premise) -> None:
        size = self._size(premise).replace("e.n", f"t.{EXAMPLE}")
        sql = f"SELECT * FROM {held(premise.name)} AS t QUALIFY row_number() OVER (PARTITION BY {EXAMPLE} ORDER BY {ROW}) <= {size}"
        self.scratch.keep(f"{GIVEN}.{premise.name}", Asked(f"{sql} ORDER BY {EXAMPLE}, {ROW}"))

    def _without_orphans(self, premise: Premise) -> bool:
        """Take out rows that refer to nothing where that is an error; whether there were any."""
        conditions = [orphans(c, held(c.to_dataset), EXAMPLE) for c in premise.references if binding(c) and c.to_dataset in self.premises]
        if not conditions:
            return False
        lost = " OR ".join(conditions)
        ((found,),) = self.scratch.ask(Asked(f"SELECT count(*) FROM {held(premise.name)} AS t WHERE {lost}")).rows
        if found:
            sql = f"SELECT * FROM {held(premise.name)} AS t WHERE NOT ({lost}) ORDER BY {EXAMPLE}, {ROW}"
            self.scratch.keep(f"{GIVEN}.{premise.name}", Asked(sql))
        return bool(found)


def in_order(premises: Mapping[str, Premise]) -> list[str]:
    """The datasets, those that are referred to first; a circle is cut where it is met."""
    done: dict[str, None] = {}

    def visit(name: str, path: frozenset[str]) -> None:
        if name in done or name in path or name not in premises:
            return
        for check in premises[name].references:
            visit(check.to_dataset, path | {name})
        done[name] = None

    for name in premises:
        visit(name, frozenset())
    return list(done)
