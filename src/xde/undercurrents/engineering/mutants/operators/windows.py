"""Windows with another frame, another order, or other partitions.

Window functions came to SQL after the operators of 2007 (SQL:2003); these follow their idea: a fault that leaves a query that
runs. The order of a ranking is turned, not dropped: without it the rank is any row's, and no test could tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.mutants.original import order_matters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.mutants.brackets import Span
    from xde.undercurrents.engineering.mutants.mutant import Change
    from xde.undercurrents.engineering.mutants.original import Original

_FRAMES = frozenset(["ROWS", "RANGE", "GROUPS"])
_WITHOUT_ORDER = (exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Count)


def changes(original: Original) -> Iterator[Change]:
    for window in original.parts(exp.Window):
        brackets = _brackets(original, window)
        if brackets is not None:
            yield from _partition(original, window)
            yield from _order(original, window, brackets)
            yield from _frame(original, window, brackets)


def _brackets(original: Original, window: exp.Window) -> Span | None:
    span = original.places.of(window)
    if span is not None and original.tokens.word(span[1]) == ")":
        return original.tokens.partner[span[1]], span[1]
    hull = next((h for h in map(original.places.hull, (*(window.args.get("partition_by") or ()), window.args.get("order"))) if h), None)
    return original.tokens.around(hull) if hull is not None and span is None else None


def _partition(original: Original, window: exp.Window) -> Iterator[Change]:
    keys = window.args.get("partition_by") or []
    for position, key in enumerate(keys):
        span = original.places.of(key)
        if span is None:
            continue
        hint = f"rows that differ in {original.named(key)} and agree in the rest of the partition"
        if len(keys) == 1:
            if original.tokens.word(span[0] - 1) == "PARTITION BY":
                yield from original.change("window partition", (span[0] - 1, span[1]), "", hint)
        else:
            yield from original.change("window partition", (span[0], span[1] + 1) if position == 0 else (span[0] - 1, span[1]), "", hint)


def _order(original: Original, window: exp.Window, brackets: Span) -> Iterator[Change]:
    order = window.args.get("order")
    if order is None or not order_matters(order):
        return
    function = window.this.this if isinstance(window.this, (exp.Filter, exp.IgnoreNulls)) else window.this
    at = original.tokens.next("ORDER BY", brackets[0], brackets[1])
    if isinstance(function, _WITHOUT_ORDER) and at is not None:
        yield from original.change("window order", (at, brackets[1] - 1), "", "a partition of three rows with different values")
    for ordered in order.expressions:
        yield from turned(original, ordered, "window order", f"two rows of one partition that differ in {original.named(ordered.this)}")


def turned(original: Original, ordered: exp.Ordered, operator: str, hint: str) -> Iterator[Change]:
    """An order the other way round."""
    span = original.places.of(ordered.this)
    if span is None:
        return
    word = original.tokens.word(span[1] + 1)
    if word in {"ASC", "DESC"}:
        yield from original.change(operator, (span[1] + 1, span[1] + 1), "DESC" if word == "ASC" else "ASC", hint)
    elif word != "COLLATE":
        yield from original.change(operator, span, f"{original.said(ordered.this)} DESC", hint)


def _frame(original: Original, window: exp.Window, brackets: Span) -> Iterator[Change]:
    spec = window.args.get("spec")
    at = next((p for p in range(brackets[0], brackets[1]) if original.tokens.words[p] in _FRAMES), None)
    if spec is None or at is None:
        return
    words = original.tokens.words[at : brackets[1]]
    numbers = [p for p in range(at, brackets[1]) if original.tokens.tokens[p].token_type.name == "NUMBER"]
    order = window.args.get("order")
    peers = order is not None and order_matters(order)  # without an order all rows are peers, and of all of them it makes no difference
    if peers and original.tokens.words[at] in {"ROWS", "RANGE"} and not numbers and "INTERVAL" not in words:
        other = "RANGE" if original.tokens.words[at] == "ROWS" else "ROWS"
        yield from original.change("window frame", (at, at), other, "two rows of one partition that are equal in its order")
    for position in numbers:
        number = original.tokens.tokens[position].text
        for step in (1, -1):
            if number.isdigit() and int(number) + step >= 0:
                hint = f"a partition of at least {int(number) + 2} rows with different values"
                yield from original.change("window frame", (position, position), str(int(number) + step), hint)
    yield from _bounds(original, at, brackets[1])


def _bounds(original: Original, at: int, end: int) -> Iterator[Change]:
    """The last bound moves: from the current row to the end of the partition, and back."""
    words, hint = original.tokens.words, "a partition of three rows with different values"
    between = original.tokens.next("AND", at, end)
    if between is None:
        return
    if words[between + 1 : between + 3] == ["CURRENT", "ROW"]:
        yield from original.change("window frame", (between + 1, between + 2), "UNBOUNDED FOLLOWING", hint)
    elif words[between + 1 : between + 3] == ["UNBOUNDED", "FOLLOWING"]:
        yield from original.change("window frame", (between + 1, between + 2), "CURRENT ROW", hint)
    if words[at + 2 : between] == ["UNBOUNDED", "PRECEDING"]:
        yield from original.change("window frame", (at + 2, between - 1), "1 PRECEDING" if words[at] == "ROWS" else "CURRENT ROW", hint)
