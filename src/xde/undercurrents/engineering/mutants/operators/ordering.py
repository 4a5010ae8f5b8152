"""The first rows of another order, one row more or less.

ORD of the family SC in Tuya, Suárez-Cabal, de la Riva, "Mutating database queries", Information and Software Technology 49 (2007)
398-417: only where the order decides something. The rows of a table have none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.mutants.operators.windows import turned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.mutants.mutant import Change
    from xde.undercurrents.engineering.mutants.subject import Subject


def changes(subject: Subject) -> Iterator[Change]:
    for order in subject.parts(exp.Order):
        if isinstance(order.parent, exp.Window):
            continue
        for ordered in order.expressions:
            hint = f"two rows that differ in {subject.named(ordered.this)}, of which one is taken"
            yield from turned(subject, ordered, "order", hint)
            yield from _nulls(subject, ordered)
    for limit in subject.parts(exp.Limit, exp.Offset):
        yield from _limit(subject, limit)


def _nulls(subject: Subject, ordered: exp.Ordered) -> Iterator[Change]:
    span = subject.places.of(ordered.this)
    if span is None:
        return
    at = span[1] + (2 if subject.tokens.word(span[1] + 1) in {"ASC", "DESC"} else 1)
    if subject.tokens.word(at) == "NULLS" and subject.tokens.word(at + 1) in {"FIRST", "LAST"}:
        other = "LAST" if subject.tokens.word(at + 1) == "FIRST" else "FIRST"
        yield from subject.change("order", (at + 1, at + 1), other, f"a row where {subject.named(ordered.this)} is null")


def _limit(subject: Subject, limit: exp.Expr) -> Iterator[Change]:
    count = limit.args.get("expression")
    if not isinstance(count, exp.Literal) or not count.is_int:
        return
    for number in (int(count.name) + 1, int(count.name) - 1):
        if number > 0:
            yield from subject.change("limit", count, str(number), f"{int(count.name) + 2} rows")
