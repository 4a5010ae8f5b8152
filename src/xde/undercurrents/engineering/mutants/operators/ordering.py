"""The first rows of another order, one row more or less.

ORD of the family SC in Tuya, Suárez-Cabal, de la Riva, "Mutating database queries", Information and Software Technology 49 (2007)
398-417: only where the order decides something. The rows of a table have none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.mutants.operators.windows import turned
from xde.undercurrents.engineering.mutants.scopes import infer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.mutants.mutant import Change
    from xde.undercurrents.engineering.mutants.original import Original


def changes(original: Original) -> Iterator[Change]:
    for order in original.parts(exp.Order):
        if isinstance(order.parent, exp.Window):
            continue
        for ordered in order.expressions:
            hint = f"two rows that differ in {original.named(ordered.this)}, of which one is taken"
            yield from turned(original, ordered, "order", hint)
            yield from _nulls(original, ordered)
    for limit in original.parts(exp.Limit, exp.Offset):
        yield from _limit(original, limit)


def _nulls(original: Original, ordered: exp.Ordered) -> Iterator[Change]:
    span = original.places.of(ordered.this)
    if span is None:
        return
    scope = original.scopes.around(ordered)
    if scope is not None and infer(ordered.this, scope).required:
        return
    at = span[1] + (2 if original.tokens.word(span[1] + 1) in {"ASC", "DESC"} else 1)
    if original.tokens.word(at) == "NULLS" and original.tokens.word(at + 1) in {"FIRST", "LAST"}:
        other = "LAST" if original.tokens.word(at + 1) == "FIRST" else "FIRST"
        yield from original.change("order", (at + 1, at + 1), other, f"a row where {original.named(ordered.this)} is null")


def _limit(original: Original, limit: exp.Expr) -> Iterator[Change]:
    count = limit.args.get("expression")
    if not isinstance(count, exp.Literal) or not count.is_int:
        return
    for number in (int(count.name) + 1, int(count.name) - 1):
        if number > 0:
            yield from original.change("limit", count, str(number), f"{int(count.name) + 2} rows")
