"""Nulls: asked for wrongly, let through, left without a default.

NLF and NLI of the family NL in Tuya, Suárez-Cabal, de la Riva, "Mutating database queries", Information and Software Technology 49
(2007) 398-417, and the mutants of COALESCE and NULLIF. Of columns that are required there are none where nothing would change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.conditions import COMPARISONS, conjuncts
from xde.undercurrents.engineering.mutants.conditions import column_name, parts, refuses_null
from xde.undercurrents.engineering.mutants.operators.comparisons import moved
from xde.undercurrents.engineering.mutants.scopes import infer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.mutants.mutant import Change
    from xde.undercurrents.engineering.mutants.original import Original


def changes(original: Original) -> Iterator[Change]:
    yield from _is_null(original)
    yield from _let_through(original)
    for node in original.parts(exp.Coalesce):
        yield from _coalesce(original, node)
    for nullif in original.parts(exp.Nullif):
        hint = f"a row where {original.named(nullif.this)} is {original.named(nullif.expression)}"
        yield from original.change("nullif dropped", nullif, original.lifted(nullif, nullif.this), hint)


def _is_null(original: Original) -> Iterator[Change]:
    for node in original.parts(exp.Is):
        this = original.places.of(node.this)
        if this is None or not isinstance(node.expression, exp.Null) or original.tokens.word(this[1] + 1) != "IS":
            continue
        negated = original.tokens.word(this[1] + 2) == "NOT"
        span = (this[1] + 1, this[1] + (3 if negated else 2))
        hint = f"a row where {original.named(node.this)} is null, and one where it is not"
        yield from original.change("is null", span, "IS NULL" if negated else "IS NOT NULL", hint)


def _let_through(original: Original) -> Iterator[Change]:
    """`x < 5` becomes `(x < 5 OR x IS NULL)`."""
    conditions = [clause.this for clause in original.parts(exp.Where, exp.Having)] + [branch.this for branch in original.parts(exp.If)]
    for condition in conditions:
        for part, _ in parts(condition):
            if isinstance(part, COMPARISONS):
                for side in (part.left, part.right):
                    if isinstance(side, exp.Column) and not _null_makes_no_difference(original, part, side, condition):
                        said = f"({original.said(part)} OR {original.said(side)} IS NULL)"
                        yield from original.change("null let through", part, said, f"a row where {original.named(side)} is null")


def _null_makes_no_difference(original: Original, part: exp.Expr, column: exp.Column, condition: exp.Expr) -> bool:
    """There are no nulls, or something beside it takes or refuses them before."""
    field = original.scopes.field_of(column)
    if field is not None and field.required:
        return True
    names = {column_name(column)}
    if any(refuses_null(other, names) for other in conjuncts(condition) if other is not part):
        return True
    filter_ = condition.parent.parent if condition.parent is not None else None
    if isinstance(filter_, exp.Filter) and isinstance(filter_.this, exp.AggFunc) and filter_.this.this == column:
        return True
    return _asked_before(condition, column)


def _asked_before(condition: exp.Expr, column: exp.Column) -> bool:
    """An earlier branch of the CASE takes the nulls."""
    branch = condition.parent
    case = branch.parent if isinstance(branch, exp.If) else None
    for earlier in case.args.get("ifs") or () if isinstance(case, exp.Case) else ():
        if earlier is branch:
            return False
        if isinstance(earlier.this, exp.Is) and isinstance(earlier.this.expression, exp.Null) and earlier.this.this == column:
            return True
    return False


def _coalesce(original: Original, node: exp.Coalesce) -> Iterator[Change]:
    values = [node.this, *node.expressions]
    scope = original.scopes.around(node)
    for position, value in enumerate(values):
        before = values[:position]
        if scope is not None and any(infer(v, scope).required for v in before):
            return  # what stands behind a value that is always there is never asked for
        if before:
            yield from _without(original, node, values, value)
            yield from _other_default(original, values, value)
    if len(values) == 2 and isinstance(values[1], exp.Column):
        first, second = original.said(values[0]), original.said(values[1])
        span = original.places.between(values[0], values[1])
        yield from original.change(
            "coalesce order", span, f"{second}, {first}", f"a row where {original.named(values[0])} and {original.named(values[1])} differ"
        )


def _without(original: Original, node: exp.Coalesce, values: list[exp.Expr], value: exp.Expr) -> Iterator[Change]:
    hint = f"a row where {original.named(values[0])} is null"
    if len(values) == 2:
        yield from original.change("coalesce dropped", node, original.lifted(node, values[0]), hint)
        return
    span = original.places.of(value)
    if span is not None:
        yield from original.change("coalesce dropped", (span[0] - 1, span[1]), "", hint)


def _other_default(original: Original, values: list[exp.Expr], value: exp.Expr) -> Iterator[Change]:
    if not isinstance(value, exp.Literal):
        return
    after = moved(value, 1) or (f"'{value.name}_'".replace("''_", "'_") if value.is_string else None)
    if after is not None:
        yield from original.change("coalesce default", value, after, f"a row where {original.named(values[0])} is null")
