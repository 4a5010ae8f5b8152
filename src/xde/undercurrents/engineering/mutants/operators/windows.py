"""Windows with another frame, another order, or other partitions.

Window functions came to SQL after the operators of 2007 (SQL:2003); these follow their idea: a fault that leaves a query that
runs. The order of a ranking is turned, not dropped: without it the rank is any row's, and no test could tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.mutants.brackets import Span
    from xde.undercurrents.engineering.mutants.mutant import Change
    from xde.undercurrents.engineering.mutants.subject import Subject

_FRAMES = frozenset(["ROWS", "RANGE", "GROUPS"])
_WITHOUT_ORDER = (exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Count)


def changes(subject: Subject) -> Iterator[Change]:
    for window in subject.parts(exp.Window):
        brackets = _brackets(subject, window)
        if brackets is not None:
            yield from _partition(subject, window)
            yield from _order(subject, window, brackets)
            yield from _frame(subject, window, brackets)


def _brackets(subject: Subject, window: exp.Window) -> Span | None:
    span = subject.places.of(window)
    if span is not None and subject.tokens.word(span[1]) == ")":
        return subject.tokens.partner[span[1]], span[1]
    hull = next((h for h in map(subject.places.hull, (*(window.args.get("partition_by") or ()), window.args.get("order"))) if h), None)
    return subject.tokens.around(hull) if hull is not None and span is None else None


def _partition(subject: Subject, window: exp.Window) -> Iterator[Change]:
    keys = window.args.get("partition_by") or []
    for position, key in enumerate(keys):
        span = subject.places.of(key)
        if span is None:
            continue
        hint = f"rows that differ in {subject.named(key)} and agree in the rest of the partition"
        if len(keys) == 1:
            if subject.tokens.word(span[0] - 1) == "PARTITION BY":
                yield from subject.change("window partition", (span[0] - 1, span[1]), "", hint)
        else:
            yield from subject.change("window partition", (span[0], span[1] + 1) if position == 0 else (span[0] - 1, span[1]), "", hint)


def _order(subject: Subject, window: exp.Window, brackets: Span) -> Iterator[Change]:
    order = window.args.get("order")
    if order is None:
        return
    function = window.this.this if isinstance(window.this, (exp.Filter, exp.IgnoreNulls)) else window.this
    at = subject.tokens.next("ORDER BY", brackets[0], brackets[1])
    if isinstance(function, _WITHOUT_ORDER) and at is not None:
        yield from subject.change("window order", (at, brackets[1] - 1), "", "a partition of three rows with different values")
    for ordered in order.expressions:
        yield from turned(subject, ordered, "window order", f"two rows of one partition that differ in {subject.named(ordered.this)}")


def turned(subject: Subject, ordered: exp.Ordered, operator: str, hint: str) -> Iterator[Change]:
    """An order the other way round."""
    span = subject.places.of(ordered.this)
    if span is None:
        return
    word = subject.tokens.word(span[1] + 1)
    if word in {"ASC", "DESC"}:
        yield from subject.change(operator, (span[1] + 1, span[1] + 1), "DESC" if word == "ASC" else "ASC", hint)
    elif word != "COLLATE":
        yield from subject.change(operator, span, f"{subject.said(ordered.this)} DESC", hint)


def _frame(subject: Subject, window: exp.Window, brackets: Span) -> Iterator[Change]:
    spec = window.args.get("spec")
    at = next((p for p in range(brackets[0], brackets[1]) if subject.tokens.words[p] in _FRAMES), None)
    if spec is None or at is None:
        return
    words = subject.tokens.words[at : brackets[1]]
    numbers = [p for p in range(at, brackets[1]) if subject.tokens.tokens[p].token_type.name == "NUMBER"]
    if subject.tokens.words[at] in {"ROWS", "RANGE"} and not numbers and "INTERVAL" not in words:
        other = "RANGE" if subject.tokens.words[at] == "ROWS" else "ROWS"
        yield from subject.change("window frame", (at, at), other, "two rows of one partition that are equal in its order")
    for position in numbers:
        number = subject.tokens.tokens[position].text
        for step in (1, -1):
            if number.isdigit() and int(number) + step >= 0:
                hint = f"a partition of at least {int(number) + 2} rows with different values"
                yield from subject.change("window frame", (position, position), str(int(number) + step), hint)
    yield from _bounds(subject, at, brackets[1])


def _bounds(subject: Subject, at: int, end: int) -> Iterator[Change]:
    """The last bound moves: from the current row to the end of the partition, and back."""
    words, hint = subject.tokens.words, "a partition of three rows with different values"
    between = subject.tokens.next("AND", at, end)
    if between is None:
        return
    if words[between + 1 : between + 3] == ["CURRENT", "ROW"]:
        yield from subject.change("window frame", (between + 1, between + 2), "UNBOUNDED FOLLOWING", hint)
    elif words[between + 1 : between + 3] == ["UNBOUNDED", "FOLLOWING"]:
        yield from subject.change("window frame", (between + 1, between + 2), "CURRENT ROW", hint)
    if words[at + 2 : between] == ["UNBOUNDED", "PRECEDING"]:
        yield from subject.change("window frame", (at + 2, between - 1), "1 PRECEDING" if words[at] == "ROWS" else "CURRENT ROW", hint)
