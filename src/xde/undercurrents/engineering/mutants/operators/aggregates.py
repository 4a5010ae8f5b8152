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
    from xde.undercurrents.engineering.mutants.subject import Subject

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
_LARGER_GROUP = "a group of three rows with different values"


def changes(subject: Subject) -> Iterator[Change]:
    for call, name in subject.functions():
        word = subject.tokens.words[name]
        if word == "COUNT":
            yield from _count(subject, call, name)
        elif word in _OTHERS and isinstance(call, (exp.AggFunc, exp.Func)) and not _is_scalar(call):
            yield from _others(subject, call, name, word)


def _is_scalar(call: exp.Expr) -> bool:
    """`max(a, 3)` gives the three largest as a list."""
    return call.args.get("count") is not None


def _others(subject: Subject, call: exp.Expr, name: int, word: str) -> Iterator[Change]:
    scope = subject.scopes.around(call)
    value = call.this
    ordered = isinstance(value, exp.Order)
    type_ = family(infer(value, scope).type) if scope is not None and isinstance(value, exp.Expr) else ""
    distinct = isinstance(value, exp.Distinct)
    for other in () if ordered else _OTHERS[word]:
        if other in _NUMBERS_ONLY and type_ not in {"", "number"}:
            continue
        yield from subject.change("aggregate", (name, name), subject.in_case_of(name, other), _LARGER_GROUP)
    if word in {"SUM", "AVG", "MEAN"}:
        yield from _without_distinct(subject, name) if distinct else _with_distinct(subject, name)


def _count(subject: Subject, call: exp.Expr, name: int) -> Iterator[Change]:
    value, scope = call.this, subject.scopes.around(call)
    if isinstance(value, exp.Distinct):
        yield from _without_distinct(subject, name)
    elif isinstance(value, exp.Expr) and not isinstance(value, exp.Star) and not call.args.get("expressions"):
        field = infer(value, scope) if scope is not None else None
        if not isinstance(value, exp.Literal) and (field is None or not field.required):
            yield from subject.change("aggregate", value, "*", f"a row where {subject.named(value)} is null")
        if field is None or field.dataset is None or not subject.promises.is_key(field.dataset, str(field.column)) or _is_joined(call):
            yield from _with_distinct(subject, name)


def _is_joined(call: exp.Expr) -> bool:
    """A join may repeat even a key."""
    select = call.parent_select
    return select is not None and bool(select.args.get("joins"))


def _with_distinct(subject: Subject, name: int) -> Iterator[Change]:
    if subject.tokens.word(name + 2) not in {")", "DISTINCT"}:
        yield from subject.insert("aggregate distinct", name + 2, "DISTINCT", "a group with the same value twice")


def _without_distinct(subject: Subject, name: int) -> Iterator[Change]:
    if subject.tokens.word(name + 2) == "DISTINCT":
        span = (name + 2, name + 3)
        yield from subject.change("aggregate distinct", span, subject.text_of((name + 3, name + 3)), "a group with the same value twice")
