"""A text as tokens, and a part of it as a syntax tree: what is asked of the parser before a text is read whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.kernel.graph.text.reading import Word

if TYPE_CHECKING:
    from sqlglot import exp

DIALECT = "duckdb"


def scan(sql: str) -> list[Word] | None:
    """The tokens of a text; None where it cannot be divided into any."""
    from sqlglot import Dialect
    from sqlglot.errors import TokenError

    try:
        return [Word(t.token_type.name, t.text, t.start, t.end) for t in Dialect.get_or_raise(DIALECT).tokenize(sql)]
    except TokenError:
        return None


def expression_of(text: str) -> exp.Expr | None:
    """The syntax tree of one expression; None where the text is none."""
    tree = query_of(f"SELECT {text}")
    from sqlglot import exp

    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1 or {k for k, v in tree.args.items() if v} != {"expressions"}:
        return None
    found = tree.expressions[0]
    return found if isinstance(found, exp.Expr) else None


def query_of(text: str) -> exp.Expr | None:
    """The syntax tree of one statement; None where the text is not exactly one."""
    from sqlglot import Dialect
    from sqlglot.errors import ParseError, TokenError

    dialect = Dialect.get_or_raise(DIALECT)
    try:
        trees = dialect.parser().parse(dialect.tokenize(text), text)
    except (ParseError, TokenError, TypeError, AttributeError, ValueError, LookupError, RecursionError):
        return None
    return trees[0] if len(trees) == 1 else None
