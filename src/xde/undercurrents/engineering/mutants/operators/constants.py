"""Constants that are another number, text, date or truth.

The constants of the family IR in Tuya, Suárez-Cabal, de la Riva, "Mutating database queries", Information and Software Technology 49
(2007) 398-417, change places with other parts of the query; here a constant moves a step, which is the fault that is made. The bounds
of comparisons, the elements of IN, the defaults of COALESCE and the digits of ROUND have operators of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.conditions import COMPARISONS
from xde.undercurrents.engineering.mutants.operators.comparisons import moved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.mutants.mutant import Change
    from xde.undercurrents.engineering.mutants.original import Original

_TEXT_MATTERS = (exp.EQ, exp.NEQ, exp.If, exp.Case, exp.Alias, exp.Nullif, exp.Select)
_NUMBER_MATTERS = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.If, exp.Case, exp.Alias, exp.EQ, exp.NEQ, exp.Nullif)
_ARGUMENTS = frozenset(
    [
        "QUANTILE_CONT",
        "QUANTILE_DISC",
        "PERCENTILE_CONT",
        "PERCENTILE_DISC",
        "LAG",
        "LEAD",
        "SUBSTRING",
        "SUBSTR",
        "LEFT",
        "RIGHT",
        "POW",
        "POWER",
        "NTILE",
        "NTH_VALUE",
        "MAKE_DATE",
        "MAKE_TIMESTAMP",
        "REPEAT",
        "SPLIT_PART",
        "TO_DAYS",
        "TO_HOURS",
        "TO_MINUTES",
        "TO_SECONDS",
        "LPAD",
        "RPAD",
    ]
)
"""Functions whose numbers decide what comes out."""


def changes(original: Original) -> Iterator[Change]:
    for literal in original.parts(exp.Literal):
        yield from _literal(original, literal)
    for cast in original.parts(exp.Cast):
        if isinstance(cast.this, exp.Literal) and not isinstance(cast.parent, (*COMPARISONS, exp.Between, exp.In)):
            after = moved(cast.this, 1) if cast.this.is_string else None
            if after is not None:
                yield from original.change("constant", cast.this, after, "any row that comes so far")
    for truth in original.parts(exp.Boolean):
        if not isinstance(truth.parent, (exp.Join, exp.Where, exp.Having, exp.Connector)):
            yield from original.change("constant", truth, "FALSE" if truth.this else "TRUE", "any row that comes so far")
    for interval in original.parts(exp.Interval):
        yield from _interval(original, interval)
    for zoned in original.parts(exp.AtTimeZone):
        zone = zoned.args.get("zone")
        if isinstance(zone, exp.Literal):
            other = "America/New_York" if zone.name.upper() in {"UTC", "GMT", "ETC/UTC"} else "UTC"
            yield from original.change("constant", zone, f"'{other}'", "any row where the moment is known")


def _literal(original: Original, literal: exp.Literal) -> Iterator[Change]:
    parent = literal.parent.parent if isinstance(literal.parent, (exp.Neg, exp.Paren)) else literal.parent
    after = None
    if literal.is_string:
        if isinstance(parent, _TEXT_MATTERS):
            said = literal.name.replace("'", "''")
            after = moved(literal, 1) or f"'{said}_'"
    elif isinstance(parent, _NUMBER_MATTERS) and not _is_neutral(parent, literal):
        after = _other_number(literal)
    elif isinstance(parent, exp.Expr) and _name_of(original, parent) in _ARGUMENTS:
        after = moved(literal, 1 if literal.is_int else -1)
    if after is not None:
        yield from original.change("constant", literal, after, _hint(original, literal, parent))


def _hint(original: Original, literal: exp.Literal, parent: exp.Expr | None) -> str:
    if isinstance(parent, (exp.EQ, exp.NEQ)):
        other = parent.left if parent.right is literal else parent.right
        return f"a row where {original.named(other)} is {original.named(literal)}"
    if isinstance(parent, exp.If):
        return f"a row for which {original.named(parent.this)} is true" if parent.this is not literal else "a row that takes this branch"
    return "any row that comes so far"


def _other_number(literal: exp.Literal) -> str | None:
    """One more; a fraction above one by one as well, so that rounding does not hide it."""
    if not literal.is_int and "e" not in literal.name.lower() and float(literal.name) >= 1:
        whole, dot, rest = literal.name.partition(".")
        return f"{int(whole) + 1}{dot}{rest}"
    return moved(literal, 1)


def _is_neutral(parent: exp.Expr, literal: exp.Literal) -> bool:
    """A constant that is compared with a count or a rank of windows has its own operator; 0 in `x % 0` has no next."""
    return isinstance(parent, exp.Mod) and literal.name == "0"


def _name_of(original: Original, call: exp.Expr) -> str:
    span = original.places.of(call)
    return original.tokens.word(span[0]) if span is not None else ""


def _interval(original: Original, interval: exp.Interval) -> Iterator[Change]:
    span = original.places.of(interval)
    if span is None:
        return
    token = original.tokens.tokens[span[0] + 1]
    number, _, unit = token.text.partition(" ")
    if number.isdigit():
        after = f"{int(number) + 1} {unit}".strip()
        said = f"'{after}'" if token.token_type.name == "STRING" else after
        yield from original.change("constant", (span[0] + 1, span[0] + 1), said, "any row that comes so far")
