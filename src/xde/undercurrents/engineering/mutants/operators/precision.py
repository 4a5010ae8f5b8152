"""Digits, units, formats: another scale of a decimal, another unit of a date, day and month exchanged in its format.

CAST and ROUND came into the authors' tool after the operators of 2007 (SQLMutation, release notes, version 1.1.50).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.mutants.scopes import family, infer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.mutants.mutant import Change
    from xde.undercurrents.engineering.mutants.original import Original

_TRUNCATED = {
    "YEAR": "month",
    "QUARTER": "month",
    "MONTH": "year",
    "WEEK": "month",
    "DAY": "month",
    "HOUR": "day",
    "MINUTE": "hour",
    "SECOND": "minute",
}
_COUNTED = {
    "YEAR": "month",
    "MONTH": "day",
    "WEEK": "day",
    "DAY": "hour",
    "HOUR": "minute",
    "MINUTE": "second",
    "SECOND": "minute",
    "QUARTER": "month",
}
_PARTS = {
    "YEAR": "month",
    "MONTH": "day",
    "DAY": "month",
    "HOUR": "minute",
    "MINUTE": "hour",
    "DOW": "day",
    "QUARTER": "month",
    "WEEK": "month",
}
_UNITS = {
    "DATE_TRUNC": _TRUNCATED,
    "DATETRUNC": _TRUNCATED,
    "DATE_DIFF": _COUNTED,
    "DATEDIFF": _COUNTED,
    "DATE_SUB": _COUNTED,
    "DATE_PART": _PARTS,
    "DATEPART": _PARTS,
}
_FORMATTED = frozenset(["STRPTIME", "TRY_STRPTIME", "STRFTIME"])
_TYPES = {"DOUBLE": "INTEGER", "FLOAT": "INTEGER", "REAL": "INTEGER", "TIMESTAMP": "DATE"}


def changes(original: Original) -> Iterator[Change]:
    for call, name in original.functions():
        word = original.tokens.words[name]
        if word in _UNITS:
            yield from _unit(original, name, _UNITS[word])
        elif word in _FORMATTED:
            yield from _format(original, name)
        elif word in {"ROUND", "TRUNC"} and isinstance(call, exp.Expr):
            yield from _digits(original, call, name)
    for cast in original.parts(exp.Cast, exp.TryCast):
        yield from _cast(original, cast)


def _unit(original: Original, name: int, others: dict[str, str]) -> Iterator[Change]:
    token = original.tokens.tokens[name + 2]
    other = others.get(token.text.upper())
    if token.token_type.name == "STRING" and other is not None:
        other = other.upper() if token.text.isupper() else other
        yield from original.change(
            "unit", (name + 2, name + 2), f"'{other}'", f"moments that fall into one {token.text} or {other} and not into the other"
        )


def _format(original: Original, name: int) -> Iterator[Change]:
    """Day and month exchanged, and the hours of half a day taken for those of a whole one."""
    for position in range(name + 2, original.tokens.partner[name + 1]):
        token = original.tokens.tokens[position]
        if token.token_type.name != "STRING":
            continue
        text = token.text.replace("'", "''")
        if "%m" in text and "%d" in text:
            after = text.replace("%m", "%\0").replace("%d", "%m").replace("%\0", "%d")
            yield from original.change("format", (position, position), f"'{after}'", "a moment whose day and month differ, both below 13")
        if "%I" in text and "%p" in text:
            yield from original.change("format", (position, position), f"'{text.replace('%I', '%H')}'", "a moment after noon")


def _digits(original: Original, call: exp.Expr, name: int) -> Iterator[Change]:
    end = original.tokens.partner[name + 1]
    token = original.tokens.tokens[end - 1]
    counted = original.tokens.word(end - 2) == "," and token.text.isdigit()
    if counted:
        for number in (int(token.text) + 1, int(token.text) - 1):
            if number >= 0:
                yield from original.change(
                    "digits",
                    (end - 1, end - 1),
                    str(number),
                    f"a value with more than {token.text} digits behind the point, none of them 0",
                )
    elif call.args.get("decimals") is None:
        yield from original.change("digits", (end, end), ", 1)", "a value with digits behind the point")


def _cast(original: Original, cast: exp.Cast) -> Iterator[Change]:
    """A decimal of one digit less, a number without its fraction, a moment without its time."""
    span, this = original.places.of(cast), original.places.of(cast.this)
    if span is None or this is None or isinstance(cast.this, exp.Literal):
        return
    tokens, begin = original.tokens, this[1] + 2
    word = tokens.word(begin)
    if word in {"DECIMAL", "NUMERIC"} and tokens.word(begin + 1) == "(" and tokens.word(begin + 3) == ",":
        scale = int(tokens.tokens[begin + 4].text)
        if scale > 0:
            hint = f"a row where {original.named(cast.this)} has {scale} digits behind the point, the last not 0"
            yield from original.change("cast", (begin + 4, begin + 4), str(scale - 1), hint)
    elif word in _TYPES and tokens.word(begin + 1) not in {"WITH", "["} and not _has_nothing_to_lose(original, cast.this):
        hint = f"a row where {original.named(cast.this)} is {'no midnight' if word == 'TIMESTAMP' else 'no whole number'}"
        yield from original.change("cast", (begin, begin), _TYPES[word], hint)


def _has_nothing_to_lose(original: Original, value: exp.Expr) -> bool:
    """A whole number has no fraction, and a date no time."""
    scope = original.scopes.around(value)
    type_ = infer(value, scope).type if scope is not None else None
    return type_ == "DATE" or (family(type_) == "number" and type_ not in {"DOUBLE", "FLOAT", "REAL"} and not str(type_).startswith("DEC"))
