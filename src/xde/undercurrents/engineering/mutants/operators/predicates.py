"""Conditions that lose a part: of WHERE, HAVING, QUALIFY, FILTER and ON.

A part gives way to what makes it vanish: TRUE under AND, FALSE under OR. This is LCR of the family OR in Tuya, Suárez-Cabal, de la
Riva, "Mutating database queries", Information and Software Technology 49 (2007) 398-417, for parts of a connector; and the
whole condition dropped where there is only one part, as in the conditions that a hurried author forgets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.conditions import conjuncts
from xde.undercurrents.engineering.mutants.conditions import column_name, parts, refuses_null

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.mutants.mutant import Change
    from xde.undercurrents.engineering.mutants.original import Original


def changes(original: Original) -> Iterator[Change]:
    for clause in original.parts(exp.Where, exp.Having):
        yield from _parts(original, clause.this)
    for qualify in original.parts(exp.Qualify):
        if isinstance(qualify.this.unnest(), exp.Connector):
            yield from _parts(original, qualify.this)
        else:
            yield from _qualify(original, qualify)
    for branch in original.parts(exp.If):
        if isinstance(branch.this.unnest(), exp.Connector):
            yield from _parts(original, branch.this)
    for join in original.parts(exp.Join):
        if join.args.get("on") is not None and join.method != "ASOF":
            yield from _parts(original, join.args["on"])
        yield from _using(original, join)


def _parts(original: Original, condition: exp.Expr) -> Iterator[Change]:
    everything = list(conjuncts(condition))
    for part, word in parts(condition):
        if isinstance(part, exp.Boolean) or (word == "TRUE" and _is_true_anyway(original, part, everything)):
            continue
        truth = "not true" if word == "TRUE" else "true"
        yield from original.change(
            "predicate dropped", part, word, f"a row for which {original.named(part)} is {truth} and all the rest is as it must be"
        )


def _qualify(original: Original, qualify: exp.Qualify) -> Iterator[Change]:
    """The whole clause goes: DuckDB wants a window in it."""
    span = original.places.of(qualify.this)
    if span is not None and original.tokens.word(span[0] - 1) == "QUALIFY":
        yield from original.change(
            "predicate dropped", (span[0] - 1, span[1]), "", f"a row for which {original.named(qualify.this)} is not true"
        )


def _using(original: Original, join: exp.Join) -> Iterator[Change]:
    """One column fewer to join by."""
    columns = join.args.get("using") or []
    for position, column in enumerate(columns):
        at = original.places.kept(column)
        if len(columns) < 2 or at is None:
            continue
        span = (at, at + 1) if position == 0 else (at - 1, at)
        hint = f"two rows that agree in all but `{column.name}`"
        yield from original.change("predicate dropped", span, "", hint)


def _is_true_anyway(original: Original, part: exp.Expr, everything: list[exp.Expr]) -> bool:
    """`x IS NOT NULL` says nothing where x is required, where another part refuses its nulls, or where an aggregate of x does."""
    inner = part.this.unnest() if isinstance(part, exp.Not) else None
    if not isinstance(inner, exp.Is) or not isinstance(inner.expression, exp.Null) or not isinstance(inner.this, exp.Column):
        return False
    column = inner.this
    field = original.scopes.field_of(column)
    if field is not None and field.required:
        return True
    names = {column_name(column)}
    if any(refuses_null(other, names) for other in everything if other is not part):
        return True
    return _aggregates_only(part, column) or any(refuses_null(other, names) for other in _joined(part))


def _joined(part: exp.Expr) -> Iterator[exp.Expr]:
    """The conditions of inner joins beside a WHERE."""
    where = part.find_ancestor(exp.Where)
    select = where.parent if where is not None else None
    for join in (select.args.get("joins") or ()) if isinstance(select, exp.Select) else ():
        if join.side == "" and join.kind in {"", "INNER", "SEMI"}:
            yield from conjuncts(join.args.get("on"))


def _aggregates_only(part: exp.Expr, column: exp.Column) -> bool:
    """`avg(x) FILTER (WHERE x IS NOT NULL)`: aggregates pass over nulls."""
    where = part.find_ancestor(exp.Where)
    filter_ = where.parent if where is not None else None
    if not isinstance(filter_, exp.Filter) or not isinstance(filter_.this, (exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Count, exp.Median)):
        return False
    return bool(filter_.this.this == column)
