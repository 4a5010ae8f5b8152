"""A part of a model by itself: the query with one of its common table expressions in the place of the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean, quoted

if TYPE_CHECKING:
    from xde.ground.spans import Span


def only_part(sql: str, part: str, span: Span | None) -> str:
    """The query that gives the rows of one CTE. The text before the main query is kept as it is. Raises `UserError`."""
    from sqlglot import exp, parse_one  # deferred: a case of a whole model needs no parser

    tree = parse_one(sql, dialect="duckdb")
    clause = tree.args.get("with_")
    names = [c.alias for c in clause.expressions] if isinstance(clause, exp.With) else []
    if part not in names:
        hint = did_you_mean(part, names) or ("it has " + ", ".join(f"`{n}`" for n in names) if names else "leave `cte` out")
        raise UserError(
            Finding("XDE0909", f"the model has no part `{part}`", span, "this case", "a part is a query that `WITH` names", hint)
        )
    if not isinstance(clause, exp.With):
        raise TypeError(sql)
    kept = clause.copy()
    kept.set("expressions", kept.expressions[: names.index(part) + 1])
    return f"{kept.sql(dialect='duckdb')} SELECT * FROM {quoted(part)}"
