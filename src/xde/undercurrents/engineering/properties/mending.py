"""Rules that say what a column is equal to: where a random row breaks one, the column is computed instead of the row thrown away."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xde.ground.names import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlglot import exp

    from xde.kernel.plan.checks import Check


@dataclass(frozen=True, slots=True)
class Mend:
    """Where `predicate` does not hold, `column` becomes the value of `expression`."""

    column: str
    predicate: str
    expression: str

    def sql(self, types: Mapping[str, str]) -> str:
        """The column as it is or as it must be."""
        mended = f"TRY_CAST(TRY({self.expression}) AS {types[self.column]})"
        return f"CASE WHEN coalesce(({self.predicate}), TRUE) THEN {quoted(self.column)} ELSE {mended} END AS {quoted(self.column)}"


def mends(rules: Sequence[Check], types: Mapping[str, str]) -> list[Mend]:
    """The mends that the rules of several columns give: `total = a + b`, `began <= ended`, `day = moment AT TIME ZONE 'x'`."""
    from sqlglot import exp, parse_one
    from sqlglot.errors import SqlglotError

    found: list[Mend] = []
    own = Counter(c for rule in rules for c in rule.columns)  # a column that has few rules of its own is the one to change
    for rule in rules:
        try:
            tree = parse_one(rule.predicate, dialect="duckdb")
        except SqlglotError:
            continue
        for part in tree.flatten() if isinstance(tree, exp.And) else (tree,):
            ways = [m for m in _of(part.unnest(), {c.lower(): c for c in types}) if m.column not in {f.column for f in found}]
            if ways:
                found.append(min(ways, key=lambda m: own[m.column]))
    return found


def _of(part: exp.Expr, columns: Mapping[str, str]) -> Iterator[Mend]:
    from sqlglot import exp

    if not isinstance(part, (exp.EQ, exp.LTE, exp.GTE)) or len({c.name.lower() for c in part.find_all(exp.Column)}) < 2:
        return
    for one, other in ((part.this, part.expression), (part.expression, part.this)):
        target, source = _solved(one.unnest(), other)
        if isinstance(target, exp.Column) and target.name.lower() in columns:
            name = columns[target.name.lower()]
            if name.lower() not in {c.name.lower() for c in source.find_all(exp.Column)}:
                yield Mend(name, part.sql(dialect="duckdb"), source.sql(dialect="duckdb"))


def _solved(one: exp.Expr, other: exp.Expr) -> tuple[exp.Expr, exp.Expr]:
    """`moment AT TIME ZONE 'x' = local` says that the moment is `local AT TIME ZONE 'x'`: the operator is its own inverse."""
    from sqlglot import exp

    if isinstance(one, exp.AtTimeZone) and isinstance(one.this, exp.Column) and isinstance(one.args.get("zone"), exp.Literal):
        return one.this, exp.AtTimeZone(this=exp.Paren(this=other.copy()), zone=one.args["zone"].copy())
    return one, other
