"""Queries made up by a seed: typed expressions over the probes' table, in SELECT, WHERE, GROUP BY, joins and windows."""

from __future__ import annotations

import random
from dataclasses import dataclass

COLUMNS = {
    "int": ["i", "s", "ti", "b", "id"],
    "dec": ["n", "n4"],
    "dbl": ["d2"],
    "txt": ["x", "y", "g", "z"],
    "date": ["dt", "dt2"],
    "ts": ["ts", "ts2"],
    "bool": ["bo"],
}
AGGREGATES = {
    "int": ["sum({int})", "count({int})", "min({int})", "max({int})", "count(DISTINCT {int})", "count(*) FILTER (WHERE {bool})"],
    "dbl": ["avg({int})", "median({int})", "avg({dec})", "quantile_cont({int}, 0.75)", "stddev({int})"],
    "dec": ["sum({dec})", "max({dec})"],
    "txt": ["min({txt})", "max({txt})", "string_agg({txt}, '/' ORDER BY id)"],
    "date": ["max({date})", "min({date})"],
    "bool": ["bool_and({bool})", "bool_or({bool})"],
}
RULES = {
    "int": [
        "({int} + {int})", "({int} - {small})", "abs({int})", "({int} % {small})", "({int} // {small})", "length({txt})", "year({date})",
        "month({ts})", "date_diff('day', {date}, {date})", "date_diff('hour', {ts}, {ts})", "coalesce({int}, {small})", "strpos({txt}, 'a')",
        "CASE WHEN {bool} THEN {int} ELSE {int} END", "({date} - {date})", "greatest({int}, {int})", "nullif({int}, {small})", "isodow({date})",
        "CAST(round({dbl} / 1000000) AS BIGINT)",
    ],
    "dec": ["({dec} + {dec})", "({dec} - 1)", "round({dec}, 1)", "coalesce({dec}, 0)", "least({dec}, {dec})", "CASE WHEN {bool} THEN {dec} END"],
    "dbl": ["({int} / {small})", "({dbl} / 3)", "round({dbl}, 2)", "({dec} / {small})", "CAST({int} AS DOUBLE)", "sqrt(abs({int}))", "epoch({ts})"],
    "txt": [
        "upper({txt})", "lower({txt})", "({txt} || {txt})", "substr({txt}, {small})", "left({txt}, {small})", "replace({txt}, 'a', 'é')", "trim({txt})",
        "coalesce({txt}, '?')", "CASE WHEN {bool} THEN {txt} ELSE 'no' END", "CAST({int} AS VARCHAR)", "CAST({date} AS VARCHAR)",
        "concat({txt}, '-', {int})", "strftime({date}, '%Y-%m')", "regexp_replace({txt}, '[aeiou]', '', 'g')", "split_part({txt}, ' ', 1)",
        "lpad({txt}, 4, '.')", "CAST({dec} AS VARCHAR)", "dayname({date})",
    ],
    "date": ["({date} + {small})", "last_day({date})", "CAST({ts} AS DATE)", "CAST(date_trunc('month', {date}) AS DATE)", "coalesce({date}, DATE '2020-02-29')"],
    "ts": ["({ts} + INTERVAL {small} HOUR)", "date_trunc('day', {ts})", "({date} + INTERVAL {small} MONTH)", "CAST({date} AS TIMESTAMP)"],
    "bool": [
        "({int} > {int})", "({txt} < {txt})", "({date} >= {date})", "({dec} <> {dec})", "({bool} AND {bool})", "({bool} OR {bool})", "(NOT {bool})",
        "({int} IN (1, 2, 7))", "({txt} LIKE '%a%')", "({int} IS NULL)", "({int} IS DISTINCT FROM {int})", "({int} BETWEEN -3 AND {int})",
        "contains({txt}, 'b')", "regexp_matches({txt}, '^[a-zA-Z ]+$')", "({ts} < {ts})",
    ],
}  # fmt: skip


@dataclass
class Maker:
    """Makes texts of a type, no deeper than asked."""

    chance: random.Random

    def one(self, kind: str, depth: int, rules: dict[str, list[str]] = RULES) -> str:
        if kind == "small":
            return str(self.chance.randint(1, 5))
        if depth == 0 or self.chance.random() < 0.15:
            return self.chance.choice(COLUMNS[kind])
        return self.filled(self.chance.choice(rules[kind]), depth - 1)

    def filled(self, pattern: str, depth: int) -> str:
        made = pattern
        while "{" in made:
            head, _, rest = made.partition("{")
            kind, _, tail = rest.partition("}")
            made = head + self.one(kind, depth) + tail
        return made

    def kind(self, among: dict[str, list[str]]) -> str:
        return self.chance.choice(list(among))

    def query(self) -> str:
        """A whole query of one of the shapes."""
        return self.chance.choice([self.plain, self.grouped, self.windowed, self.joined, self.stacked])()

    def plain(self) -> str:
        items = ", ".join(f"{self.one(self.kind(RULES), 3)} AS c{i}" for i in range(4))
        return f"SELECT id, {items} FROM lab.facts WHERE {self.one('bool', 2)}"

    def grouped(self) -> str:
        key = self.one(self.chance.choice(["txt", "int", "bool", "date"]), 1)
        items = ", ".join(f"{self.filled(self.chance.choice(AGGREGATES[self.kind(AGGREGATES)]), 1)} AS c{i}" for i in range(3))
        having = f" HAVING count(*) > {self.chance.randint(0, 2)}" if self.chance.random() < 0.4 else ""
        return f"SELECT {key} AS k, {items} FROM lab.facts WHERE {self.one('bool', 1)} GROUP BY ALL{having}"

    def windowed(self) -> str:
        part = self.chance.choice(["g", "s", "bo"])
        value = self.one("int", 1)
        calls = [
            f"sum({value}) OVER (PARTITION BY {part} ORDER BY id)",
            f"row_number() OVER (PARTITION BY {part} ORDER BY {self.one('int', 1)} DESC, id)",
            f"lag({self.one('txt', 1)}) OVER (PARTITION BY {part} ORDER BY id)",
            f"rank() OVER (ORDER BY {self.one('date', 1)}, id)",
            f"avg({value}) OVER (ORDER BY id ROWS BETWEEN {self.one('small', 0)} PRECEDING AND CURRENT ROW)",
            f"max({self.one('date', 1)}) OVER (PARTITION BY {part})",
        ]
        items = ", ".join(f"{c} AS c{i}" for i, c in enumerate(self.chance.sample(calls, 3)))
        return f"SELECT id, {items} FROM lab.facts"

    def joined(self) -> str:
        how = self.chance.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
        item, other = self.one(self.kind(RULES), 2), self.one("int", 1)
        inner = f"SELECT *, {other} AS o FROM lab.facts"
        return f"SELECT a.id, w.label, w.weight, a.o + w.weight AS c, a.v FROM (SELECT *, {item} AS v FROM ({inner})) AS a {how} lab.groups AS w ON a.g = w.label"

    def stacked(self) -> str:
        word = self.chance.choice(["UNION ALL", "UNION", "EXCEPT", "INTERSECT"])
        kinds = [self.kind(RULES), "int"]
        one, two = (", ".join(f"{self.one(k, 2)} AS c{i}" for i, k in enumerate(kinds)) for _ in range(2))
        return f"WITH a AS (SELECT {one} FROM lab.facts), b AS (SELECT {two} FROM lab.facts WHERE {self.one('bool', 1)}) SELECT * FROM a {word} SELECT * FROM b"
