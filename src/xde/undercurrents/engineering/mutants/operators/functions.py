"""Functions taken for their relatives, left out, or with their arguments exchanged.

Functions came into the authors' tool after the operators of 2007 (SQLMutation, release notes, version 1.1.50: ABS and ROUND); the pairs
here are the ones that people mistake for each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.mutants.mutant import Change
    from xde.undercurrents.engineering.mutants.original import Original

_PAIRS = (
    ("lower", "upper", "a text with letters"),
    ("least", "greatest", "a row whose values differ"),
    ("lead", "lag", "a partition of two rows that differ"),
    ("first_value", "last_value", "a partition of two rows that differ"),
    ("floor", "ceil", "a value with a fraction"),
    ("floor", "ceiling", "a value with a fraction"),
    ("ltrim", "rtrim", "a text with blanks on one side"),
    ("left", "right", "a text that is longer than that"),
    ("lpad", "rpad", "a text that is shorter than that"),
    ("starts_with", "ends_with", "a text that does one of the two"),
    ("to_seconds", "to_minutes", "a row where it is not 0"),
    ("to_hours", "to_days", "a row where it is not 0"),
    ("to_months", "to_years", "a row where it is not 0"),
    ("union_value", "union_tag", "any row"),
    ("list_min", "list_max", "a list of two values"),
    ("array_to_string", "array_to_string", ""),
)
_OTHERS: dict[str, tuple[tuple[str, str], ...]] = {
    "ROW_NUMBER": (("rank", "two rows of one partition that are equal in its order"),),
    "RANK": (
        ("dense_rank", "three rows of one partition, the first two equal in its order"),
        ("row_number", "two rows that are equal in its order"),
    ),
    "DENSE_RANK": (("rank", "three rows of one partition, the first two equal in its order"),),
    "YEAR": (("month", "any moment"),),
    "MONTH": (("day", "a moment whose month is not its day"),),
    "DAY": (("month", "a moment whose month is not its day"),),
    "HOUR": (("minute", "a moment whose hour is not its minute"),),
    "MINUTE": (("hour", "a moment whose hour is not its minute"),),
}
_LEFT_OUT = {
    "ABS": "a value below 0",
    "TRIM": "a text with blanks at its ends",
    "LOWER": "a text with capitals",
    "UPPER": "a text with small letters",
}
_EXCHANGED = frozenset(["DATE_DIFF", "DATEDIFF"])


def _relatives() -> dict[str, tuple[tuple[str, str], ...]]:
    found = dict(_OTHERS)
    for one, other, hint in _PAIRS:
        if one != other:
            found[one.upper()] = (*found.get(one.upper(), ()), (other, hint))
            found[other.upper()] = (*found.get(other.upper(), ()), (one, hint))
    return found


_RELATIVES = _relatives()


def changes(original: Original) -> Iterator[Change]:
    for call, name in original.functions():
        word = original.tokens.words[name]
        for other, hint in _RELATIVES.get(word, ())[:1] if word == "FLOOR" else _RELATIVES.get(word, ()):
            if not (word == "ROW_NUMBER" and _is_total(call)):
                yield from original.change("function", (name, name), original.in_case_of(name, other), hint)
        if word in _LEFT_OUT and isinstance(call.this, exp.Expr) and not call.args.get("expression"):
            yield from original.change("function dropped", call, original.lifted(call, call.this), _LEFT_OUT[word])
        if word in _EXCHANGED:
            yield from _exchanged(original, call)


def _is_total(call: exp.Expr) -> bool:
    """Without an order every row is a peer of every other, and a number of rows depends on nothing that is known."""
    return isinstance(call.parent, exp.Window) and call.parent.args.get("order") is None and not call.parent.args.get("alias")


def _exchanged(original: Original, call: exp.Expr) -> Iterator[Change]:
    spans = sorted(s for s in (original.places.of(call.this), original.places.of(call.args.get("expression"))) if s is not None)
    if len(spans) == 2:
        first, second = (original.text_of(s) for s in spans)
        yield from original.change("arguments", (spans[0][0], spans[1][1]), f"{second}, {first}", "a row where the two differ")
