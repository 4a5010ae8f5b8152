"""`*` where a query meets what others decide: the columns that come in by it are not chosen by anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.undercurrents.engineering.linting.giving import is_star
from xde.undercurrents.engineering.linting.words import Remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlglot import exp

    from xde.undercurrents.engineering.linting.facts import Scope
    from xde.undercurrents.engineering.linting.subject import Subject

RULE = "star-at-edge"
SHOWN = 6


def star_at_edge(subject: Subject) -> Iterator[Remark]:
    """The outermost `*` over all columns of a source; over those of a model, when readers count on what this one gives."""
    for scope in subject.scopes:
        if not scope.outermost:
            continue
        for item in scope.select.expressions:
            dataset = _through(item, scope) if is_star(item) else ""
            if not dataset:
                continue
            is_source = dataset.lower() in subject.model.sources
            if is_source or subject.model.promised:
                what = f"the source `{dataset}`" if is_source else f"`{dataset}`"
                message = f"`{subject.model.name}` takes all columns of {what}, whatever they will be"
                why = "a column that is added there appears here, and one that goes away is missed by who reads this"
                yield Remark(RULE, item, message, "every column", why, _hint(item, scope))


def _through(item: exp.Expr, scope: Scope) -> str:
    wanted = (
        [item.args["table"].name.lower()] if item.args.get("table") is not None else [n for n, s in scope.sources.items() if not s.hidden]
    )
    for name in wanted:
        source = scope.sources.get(name)
        if source is not None and (source.dataset or source.relation.through):
            return source.dataset or source.relation.through
    return ""


def _hint(item: exp.Expr, scope: Scope) -> str:
    table = item.args.get("table")
    sources = [s for n, s in scope.sources.items() if not s.hidden and (table is None or n == table.name.lower())]
    star = item.this if table is not None else item
    left_out = {e.name.lower() for e in star.args.get("except_") or ()}
    names = [f.name for s in sources for n, f in (s.relation.fields or {}).items() if n not in left_out]
    if not names:
        return "name the columns"
    shown = ", ".join(names[:SHOWN])
    return f"name the columns: `{shown}{', ...' if len(names) > SHOWN else ''}`"
