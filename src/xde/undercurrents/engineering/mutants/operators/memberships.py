"""Tests of belonging: IN, BETWEEN, LIKE, EXISTS, turned round or one element short.

BTW and LKE of the family OR and SUB of the family SC in Tuya, Suárez-Cabal, de la Riva, "Mutating database queries", Information and
Software Technology 49 (2007) 398-417.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.mutants.mutant import Change
    from xde.undercurrents.engineering.mutants.original import Original


def changes(original: Original) -> Iterator[Change]:
    for in_ in original.parts(exp.In):
        yield from _turned(original, in_, "IN", f"a row where {original.named(in_.this)} is one of them, and one where it is not")
        yield from _one_short(original, in_)
    for between in original.parts(exp.Between):
        yield from _between(original, between)
    for like in original.parts(exp.Like, exp.ILike):
        yield from _like(original, like)
    for exists in original.parts(exp.Exists):
        span = original.places.of(exists)
        if span is not None and not isinstance(exists.parent, exp.Not):
            yield from original.insert("exists", span[0], "NOT", "a row for which there is one, and a row for which there is none")


def _turned(original: Original, node: exp.Expr, word: str, hint: str) -> Iterator[Change]:
    """`x IN ...` and `x NOT IN ...`; a NOT before all of it is removed elsewhere."""
    this = original.places.of(node.this)
    if this is None:
        return
    after = this[1] + 1
    if original.tokens.word(after) == "NOT":
        yield from original.change(word.lower(), (after, after + 1), word, hint)
    elif original.tokens.word(after) == word and not (isinstance(node.parent, exp.Not) and node.parent is not None):
        yield from original.change(word.lower(), (after, after), f"NOT {word}", hint)


def _one_short(original: Original, node: exp.In) -> Iterator[Change]:
    items = node.expressions
    if len(items) < 2:
        return
    for position, item in enumerate(items):
        span = original.places.of(item)
        if span is None:
            continue
        without = (span[0], span[1] + 1) if position == 0 else (span[0] - 1, span[1])
        yield from original.change("in", without, "", f"a row where {original.named(node.this)} is {original.named(item)}")


def _between(original: Original, node: exp.Between) -> Iterator[Change]:
    this, low, high = original.said(node.this), original.said(node.args["low"]), original.said(node.args["high"])
    negated = isinstance(node.parent, exp.Not)
    if not this or not low or not high or node.args.get("symmetric") or negated:
        return
    for after, bound in ((f"{this} > {low} AND {this} <= {high}", low), (f"{this} >= {low} AND {this} < {high}", high)):
        yield from original.change("between", node, f"({after})", f"a row where {original.named(node.this)} is exactly `{bound}`")
    yield from _turned(original, node, "BETWEEN", f"a row where {original.named(node.this)} is between them, and one where it is not")


def _like(original: Original, node: exp.Expr) -> Iterator[Change]:
    word = "ILIKE" if isinstance(node, exp.ILike) else "LIKE"
    named, pattern = original.named(node.this), node.args["expression"]
    yield from _turned(original, node, word, f"a row where {named} is like {original.named(pattern)}, and one where it is not")
    this = original.places.of(node.this)
    at = this[1] + (2 if original.tokens.word(this[1] + 1) == "NOT" else 1) if this is not None else None
    if not isinstance(pattern, exp.Literal):
        return
    if at is not None and original.tokens.word(at) == word and any(c.isalpha() for c in pattern.name):
        other = "LIKE" if word == "ILIKE" else "ILIKE"
        yield from original.change("like", (at, at), other, f"a row where {named} is like {original.named(pattern)} but for capitals")
    text = pattern.name.replace("'", "''")
    for after, where in (
        (text[1:], "more before it") if text.startswith("%") else (f"%{text}", "something before it"),
        (text[:-1], "more behind it") if text.endswith("%") else (f"{text}%", "something behind it"),
    ):
        yield from original.change("like", pattern, f"'{after}'", f"a row where {named} has {where}")
