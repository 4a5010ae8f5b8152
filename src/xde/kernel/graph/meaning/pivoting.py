"""What PIVOT and UNPIVOT make of a relation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.kernel.graph.meaning.stars import chosen, starred
from xde.kernel.graph.meaning.values import Column, Meaning, Relation, merged, mix, union
from xde.kernel.graph.text.terms import Columns, Context, Labelled, Name, Nested, Op, PivotSource, Star, UnclearError, UnpivotSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.kernel.graph.meaning.evaluating import Evaluator
    from xde.kernel.graph.meaning.frames import Scope
    from xde.kernel.graph.text.terms import Term


def pivoted(pivot: PivotSource, source: Relation, evaluator: Evaluator, scope: Scope) -> Relation:
    """The groups' columns, then one for each value and aggregate. Raises `UnclearError`."""
    if source.open is not None or any(c.name is None for c in source.columns):
        raise UnclearError
    used = {n.lower() for t in (*pivot.values, *pivot.on) for n in _names(t)}
    by = [c for c in source.columns if str(c.name).lower() not in used] if pivot.by is None else [_column(n, source) for n in pivot.by]
    on = [evaluator.meaning(t, scope) for t in pivot.on]
    rows = merged("pivot", (source.rows, *(c.meaning for c in by)))
    scope.contexts["aggregate"] = rows.digest
    values = [evaluator.meaning(t, scope) for t in pivot.values]
    made: list[Column] = []
    for name, label, which in pivot.made:
        value = values[which]
        meaning = Meaning(union((value, *on)), mix("pivoted", label, value.digest, *(m.digest for m in on)))
        made.append(Column(name or None, meaning))
    return Relation((*by, *made), rows, source.width, kind="pivot")


def _column(name: Name, source: Relation) -> Column:
    found = source.index.get(name.parts[-1].lower())
    if found is None:
        raise UnclearError
    return found


def _names(term: Term) -> Iterator[str]:
    match term:
        case Name(parts):
            if len(parts) > 1:
                raise UnclearError
            yield parts[0]
        case Op(_, args):
            for arg in args:
                yield from _names(arg)
        case Context(_, inner) | Labelled(_, inner):
            yield from _names(inner)
        case Nested() | Star() | Columns():
            raise UnclearError
        case _:
            return


def unpivoted(pivot: UnpivotSource, scope: Scope, evaluator: Evaluator) -> Relation:
    """The columns that stay, then the label, then the values. Raises `UnclearError`."""
    everything = list(scope.frame.star())
    groups = [g for group in pivot.groups for g in _groups(group, scope, evaluator)]
    if any(len(columns) != len(pivot.values) for _, columns in groups):
        raise UnclearError
    gone = {str(c.name).lower() for _, columns in groups for c in columns}
    stay = [c for c in everything if str(c.name).lower() not in gone]
    labels = [label.lower() for label, _ in groups]
    values = [merged("unpivoted", (columns[i].meaning for _, columns in groups)) for i in range(len(pivot.values))]
    rows = merged("unpivot", (scope.frame.rows, *values), str(pivot.nulls), *labels)
    named = Column(pivot.name, Meaning(rows.reads, mix("label", rows.digest)))
    made = [Column(n, Meaning(v.reads, mix("value", rows.digest, v.digest))) for n, v in zip(pivot.values, values, strict=True)]
    return Relation((*stay, named, *made), rows, scope.frame.width, kind="unpivot")


def _groups(group: tuple[str, tuple[Name, ...]] | Star | Columns, scope: Scope, evaluator: Evaluator) -> Iterator[tuple[str, list[Column]]]:
    match group:
        case Star():
            yield from ((str(c.name), [c]) for c in starred(group, scope.frame, lambda t: evaluator.meaning(t, scope)))
        case Columns():
            yield from ((str(c.name), [c]) for c in chosen(group, scope.frame, lambda t: evaluator.meaning(t, scope)))
        case (label, names):
            columns = [Column(n.parts[-1], evaluator.meaning(n, scope)) for n in names]
            yield label or "_".join(str(c.name) for c in columns), columns
