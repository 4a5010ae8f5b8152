"""The order of rows: nulls come last in DuckDB, whichever way round."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.connectors.spark.portable.refusing import CLAUSE, NotPortable

if TYPE_CHECKING:
    from sqlglot import exp


def ordered(term: exp.Expr, sql: str) -> str:
    """A term of ORDER BY with its direction and the place of nulls written out."""
    extra = [k for k, v in term.args.items() if v and k not in {"this", "desc", "nulls_first"}]
    if extra:
        raise NotPortable(CLAUSE, f"ORDER BY with {extra[0]} is not proven on Spark", term)
    return f"{sql} {'DESC' if term.args.get('desc') else 'ASC'} NULLS {'FIRST' if term.args.get('nulls_first') else 'LAST'}"
