"""Parts of a query that nothing reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.linting.words import Remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.linting.subject import Subject

RULE = "unused-cte"


def unused_cte(subject: Subject) -> Iterator[Remark]:
    """A CTE whose name stands in no FROM that can see it, other than its own."""
    for clause in subject.tree.find_all(exp.With):
        within = clause.parent
        if within is None:
            continue
        for cte in clause.expressions:
            if not _is_read(cte, within):
                message = f"the CTE `{cte.alias}` is read by nothing"
                why = "who changes the query has to understand it all the same"
                yield Remark(RULE, cte.args["alias"], message, "not read", why, "delete it, or read it")


def _is_read(cte: exp.Expr, within: exp.Expr) -> bool:
    name = cte.alias.lower()
    return any(t.name.lower() == name and not t.args.get("db") and not _is_inside(t, cte) for t in within.find_all(exp.Table)) or any(
        c.table.lower() == name for c in within.find_all(exp.Column) if c.this.name == "*"
    )


def _is_inside(node: exp.Expr, cte: exp.Expr) -> bool:
    above: exp.Expr | None = node
    while above is not None and above is not cte:
        above = above.parent
    return above is cte
