"""From a term to its meaning, at one place of a query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.kernel.graph.meaning.naming import Missing, find, is_in_sight, placeholder
from xde.kernel.graph.meaning.stars import chosen, starred
from xde.kernel.graph.meaning.values import NOTHING, Meaning, merged, mix, union
from xde.kernel.graph.text.terms import Bound, Columns, Context, Labelled, Name, Nested, Op, Star, UnclearError, Word

if TYPE_CHECKING:
    from collections.abc import Callable

    from xde.kernel.graph.meaning.frames import Scope
    from xde.kernel.graph.meaning.values import Relation
    from xde.kernel.graph.text.terms import Query, Term


class Evaluator:
    """Works out meanings; what finds no column is noted in `missing`, and stands as a placeholder."""

    def __init__(self, nested: Callable[[Query, Scope], Relation]) -> None:
        self._nested = nested
        self.missing: list[Missing] = []

    def meaning(self, term: Term, scope: Scope) -> Meaning:  # noqa: C901 - one case a kind of term
        """The meaning of a term. Raises `UnclearError`."""
        match term:
            case Op(tag, args):
                return self._op(tag, args, scope)
            case Name():
                return self._name(term, scope)
            case Context(kind, inner):
                return self._in_context(kind, inner, scope)
            case Labelled(label, inner):
                meaning = self.meaning(inner, scope)
                return Meaning(meaning.reads, mix("labelled", label.lower(), meaning.digest))
            case Word(text):
                if is_in_sight(text, scope):
                    raise UnclearError
                return Meaning(NOTHING, mix("word", text.lower()))
            case Bound(depth, position):
                return Meaning(NOTHING, mix("bound", str(depth), str(position)))
            case Nested(query, rows_only):
                found = self._nested(query, scope)
                return merged("exists", (found.rows,)) if rows_only else found.whole()
            case Star():
                return merged("*", (c.meaning for c in starred(term, scope.frame, lambda t: self.meaning(t, scope))))
            case Columns():
                return self._columns(term, scope)

    def _op(self, tag: str, args: tuple[Term, ...], scope: Scope) -> Meaning:
        if not args:
            return Meaning(NOTHING, mix(tag))
        found = [self.meaning(a, scope) for a in args]
        return Meaning(union(found), mix(tag, *(m.digest for m in found)))

    def _name(self, name: Name, scope: Scope) -> Meaning:
        found = find(name, scope)
        if isinstance(found, Missing):
            self.missing.append(found)
            return placeholder(found)
        return found

    def _in_context(self, kind: str, inner: Term, scope: Scope) -> Meaning:
        context = scope.contexts.get(kind)
        if context is None:
            raise UnclearError
        meaning = self.meaning(inner, scope)
        return Meaning(meaning.reads, mix(kind, context, meaning.digest))

    def _columns(self, term: Columns, scope: Scope) -> Meaning:
        if not term.unpack and scope.every is not None:
            return scope.every.meaning
        columns = chosen(term, scope.frame, lambda t: self.meaning(t, scope))
        return merged("columns", (c.meaning for c in columns))
