"""Aggregates that count, add or choose otherwise.

AGR of the family SC in Tuya, Suárez-Cabal, de la Riva, "Mutating database queries", Information and Software Technology 49 (2007)
398-417. Each aggregate meets those that give the same for a group of one row: what tells them apart is a larger group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.mutants.scopes import family, infer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.mutants.mutant import Change
    from xde.undercurrents.engineering.mutants.original import Original

_OTHERS = {
    "SUM": ("avg", "max", "min"),
    "AVG": ("sum", "max", "min"),
    "MEAN": ("sum", "max", "min"),
    "MIN": ("max",),
    "MAX": ("min",),
    "MEDIAN": ("avg", "max"),
    "MODE": ("min", "max"),
    "QUANTILE_CONT": ("quantile_disc",),
    "QUANTILE_DISC": ("quantile_cont",),
    "BOOL_AND": ("bool_or",),
    "BOOL_OR": ("bool_and",),
    "STDDEV": ("stddev_pop",),
    "STDDEV_SAMP": ("stddev_pop",),
    "STDDEV_POP": ("stddev_samp",),
    "VARIANCE": ("var_pop",),
    "VAR_SAMP": ("var_pop",),
    "VAR_POP": ("var_samp",),
    "ARG_MAX": ("arg_min",),
    "ARG_MIN": ("arg_max",),
    "MAX_BY": ("min_by",),
    "MIN_BY": ("max_by",),
    "FIRST": ("last",),
    "LAST": ("first",),
}
_NUMBERS_ONLY = frozenset(["sum", "avg"])
_SAME_TWICE = "a group with the same value twice"
_LARGER_GROUP = "a group of three rows with different values"


def changes(original: Original) -> Iterator[Change]:
    for call, name in original.functions():
        word = original.tokens.words[name]
        if word == "COUNT":
            yield from _count(original, call, name)
        elif word in _OTHERS and isinstance(call, (exp.AggFunc, exp.Func)) and not _is_scalar(call):
            yield from _others(original, call, name, word)


def _is_scalar(call: exp.Expr) -> bool:
    """`max(a, 3)` gives the three largest as a list."""
    return call.args.get("count") is not None


def _others(original: Original, call: exp.Expr, name: int, word: str) -> Iterator[Change]:
    scope = original.scopes.around(call)
    value = call.this
    ordered = isinstance(value, exp.Order)
    type_ = family(infer(value, scope).type) if scope is not None and isinstance(value, exp.Expr) else ""
    distinct = isinstance(value, exp.Distinct)
    for other in () if ordered else _OTHERS[word]:
        if other in _NUMBERS_ONLY and type_ not in {"", "number"}:
            continue
        yield from original.change("aggregate", (name, name), original.in_case_of(name, other), _LARGER_GROUP)
    if word in {"SUM", "AVG", "MEAN"}:
        yield from _without_distinct(original, call, name) if distinct else _with_distinct(original, call, name)


def _count(original: Original, call: exp.Expr, name: int) -> Iterator[Change]:
    value, scope = call.this, original.scopes.around(call)
    if isinstance(value, exp.Distinct):
        yield from _without_distinct(original, call, name)
    elif isinstance(value, exp.Expr) and not isinstance(value, exp.Star) and not call.args.get("expressions"):
        field = infer(value, scope) if scope is not None else None
        if not isinstance(value, exp.Literal) and (field is None or not field.required):
            yield from original.change("aggregate", value, "*", f"a row where {original.named(value)} is null")
        if field is None or field.dataset is None or not original.promises.is_key(field.dataset, str(field.column)) or _is_joined(call):
            yield from _with_distinct(original, call, name)


def _is_joined(call: exp.Expr) -> bool:
    """A join may repeat even a key."""
    select = call.parent_select
    return select is not None and bool(select.args.get("joins"))


def _with_distinct(original: Original, call: exp.Expr, name: int) -> Iterator[Change]:
    value = original.places.of(call.this)
    if value is not None and value[0] == name + 2:
        yield from original.change("aggregate distinct", value, f"DISTINCT {original.said(call.this)}", _SAME_TWICE)


def _without_distinct(original: Original, call: exp.Expr, name: int) -> Iterator[Change]:
    values = call.this.expressions
    value = original.places.of(values[0]) if len(values) == 1 else None
    if value is not None and original.tokens.word(name + 2) == "DISTINCT":
        yield from original.change("aggregate distinct", (name + 2, value[1]), original.said(values[0]), _SAME_TWICE)
