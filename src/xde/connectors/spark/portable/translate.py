"""A query over its inputs, in Spark's words: read, checked name by name, written part by part, and held against what DuckDB describes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from sqlglot import Dialect, exp
from sqlglot.errors import ParseError, TokenError

from xde.connectors.spark.portable.casts import cast
from xde.connectors.spark.portable.literals import typed_value
from xde.connectors.spark.portable.proven import FUNCTIONS
from xde.connectors.spark.portable.queries import QueryWriter
from xde.connectors.spark.portable.refusing import CLAUSE, FUNCTION, NAME, TYPE, NotPortable, Refusal
from xde.connectors.spark.portable.scope import Table, Typed
from xde.connectors.spark.portable.types import Part, spark_type, ticked
from xde.connectors.spark.portable.writer import WAYS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlglot.tokenizer_core import Token

    from xde.connectors.spark.portable.oracle import Oracle
    from xde.lifecycle.storage.port import Schema
    from xde.lifecycle.transformation.port import Input, Query

DIALECT = "duckdb"
RULES = 3  # one more whenever a rule accepts or refuses something else: what was found portable before is looked at again


class Carried(NamedTuple):
    """A query in Spark's words and the columns that it gives."""

    sql: str
    columns: tuple[Part, ...]


def carry(query: Query, inputs: Mapping[str, Input], names: Mapping[str, str], oracle: Oracle, types: Schema = ()) -> Carried:
    """The query for Spark over inputs that have other `names` there, its columns cast to `types`. Raises `NotPortable`."""
    tables = {n.lower(): Table(names[n], [Part(c.name, c.type) for c in given.schema]) for n, given in inputs.items()}
    for table in tables.values():
        for column in table.columns:
            if spark_type(column.type) is None:
                raise NotPortable(
                    TYPE, f"the column `{column.name}` is of {column.type}, which Spark has not", hint="cast it in a model on DuckDB"
                )
    heads = _views(query, tables, oracle)
    writer = QueryWriter(oracle, tables, {k: typed_value(v) for k, v in query.parameters.items()})
    sql, columns = writer.write(_read(query.sql), None)
    told = oracle.schema(query, inputs)
    if [c.type for c in told] != [_as_told(c.type) for c in columns]:
        pairs = [(t.name, t.type, c.type) for t, c in zip(told, columns, strict=False) if t.type != _as_told(c.type)]
        name, theirs, ours = pairs[0] if pairs else ("?", "?", "?")
        raise NotPortable(
            TYPE, f"the type of `{name}` is not clear: {theirs} on DuckDB, {ours} on Spark", hint=f"write `CAST(... AS {theirs})`"
        )
    return _finished(heads, sql, columns, types or told)


def _as_told(kind: str) -> str:
    return kind


def _finished(heads: str, sql: str, columns: Sequence[Part], wanted: Schema) -> Carried:
    inner = [f"c{i}" for i in range(len(columns))]
    for column in columns:
        if column.type == "INTERVAL":
            raise NotPortable(
                TYPE, f"`{column.name}` is an interval, which is no column of a table", hint="give a number: `date_diff('second', a, b)`"
            )
    outer = {n.lower(): (i, c) for i, (n, c) in enumerate(zip((w.name for w in wanted), columns, strict=True))}
    if len(outer) != len(columns):
        raise NotPortable(NAME, "two columns have one name, but for capitals", hint="give each a name of its own")
    items = [f"{cast(Typed(n, c.type), w.type).sql} AS {ticked(w.name)}" for n, c, w in zip(inner, columns, wanted, strict=True)]
    return Carried(
        f"{heads}SELECT {', '.join(items)} FROM ({sql}) AS xde_it ({', '.join(inner)})", tuple(Part(w.name, w.type) for w in wanted)
    )


def _views(query: Query, tables: dict[str, Table], oracle: Oracle) -> str:
    """The views as CTEs, in their order; each may read those before it."""
    heads = []
    for number, (name, sql) in enumerate(query.views.items()):
        given = {k: typed_value(query.parameters_of_views[k]) for k in query.view_parameters.get(name, ())}
        try:
            text, columns = QueryWriter(oracle, tables, given).write(_read(sql), None)
        except NotPortable as error:
            error.at = (-1, 0)
            error.what = f"the view `{name}`: {error.what}"
            raise
        if any(not c.name or c.name.startswith("xde_column_") for c in columns):
            raise NotPortable(NAME, f"a column of the view `{name}` has no name", hint="name it with AS")
        own = f"xde_view_{number}"
        heads.append(f"{ticked(own)} ({', '.join(ticked(c.name) for c in columns)}) AS ({text})")
        tables[name.lower()] = Table(own, columns)
    return f"WITH {', '.join(heads)} " if heads else ""


def _read(sql: str) -> exp.Expr:
    dialect = Dialect.get_or_raise(DIALECT)
    try:
        tokens = dialect.tokenize(sql)
        trees = [t for t in dialect.parser().parse(tokens, sql) if t is not None]
    except (ParseError, TokenError, TypeError, AttributeError, ValueError, LookupError, RecursionError) as error:
        raise NotPortable(CLAUSE, f"the query cannot be read: {str(error).splitlines()[0]}", hint="write it in plain SQL") from error
    if len(trees) != 1:
        raise NotPortable(CLAUSE, "it is not one query")
    _known_functions(tokens)
    return trees[0].transform(_in_one_word)


def _in_one_word(node: exp.Expr) -> exp.Expr:
    """Another name of an aggregate, which the parser does not know as one."""
    if isinstance(node, exp.Anonymous) and str(node.this).lower() == "mean":
        return exp.Avg(this=node.expressions[0])
    return node


NO_FUNCTIONS = frozenset(
    [
        "and",
        "any",
        "as",
        "between",
        "by",
        "case",
        "cast",
        "cube",
        "distinct",
        "else",
        "except",
        "exclude",
        "exists",
        "filter",
        "from",
        "group",
        "having",
        "in",
        "interval",
        "is",
        "join",
        "lateral",
        "like",
        "limit",
        "not",
        "offset",
        "on",
        "or",
        "order",
        "over",
        "partition",
        "qualify",
        "recursive",
        "replace",
        "rollup",
        "select",
        "semi",
        "sets",
        "similar",
        "then",
        "to",
        "union",
        "using",
        "values",
        "when",
        "where",
        "window",
        "with",
        "decimal",
        "numeric",
        "varchar",
        "char",
        "struct",
        "map",
        "intersect",
        "all",
        "anti",
        "ilike",
        "end",
        "desc",
        "asc",
        "extract",
        "try_cast",
        "inner",
        "left",
        "right",
        "try",
        "array",
        "enum",
        "escape",
        "materialized",
        "full",
        "cross",
        "outer",
        "rename",
        "unnest",
    ]
)
BOTH = {"left", "right", "extract", "replace", "unnest", "array"}


def _known_functions(tokens: Sequence[Token]) -> None:
    """Refuse a function by its very name: the parser takes several names for one, and only some of them may be proven."""
    for at, token in enumerate(tokens[:-1]):
        word, after = str(token.text), tokens[at + 1]
        kind = token.token_type.name
        if str(after.text) != "(" or kind in {"STRING", "IDENTIFIER", "NUMBER"} or not re.fullmatch(r"\w+", word):
            continue
        before = str(tokens[at - 1].text).lower() if at else ""
        low = word.lower()
        if before in {"as", "with", "recursive", ","} and kind == "VAR" and _is_name(tokens, at + 1):
            continue
        if low in FUNCTIONS or (low in NO_FUNCTIONS and low not in BOTH) or (low in BOTH and low in FUNCTIONS):
            continue
        refused = NotPortable(FUNCTION, f"`{low}()` is not proven to give the same on Spark", None, WAYS.get(low, "") or _nearest(low))
        refused.at = (int(token.start), len(word))
        raise refused


def _is_name(tokens: Sequence[Token], at: int) -> bool:
    """Whether a bracket holds the columns of an alias (`AS t(a, b)`) or of a CTE (`t(a, b) AS (`): names and commas."""
    inner = []
    for token in tokens[at + 1 :]:
        if str(token.text) == ")":
            break
        inner.append(str(token.text))
    after = [str(t.text).lower() for t in tokens[at + len(inner) + 2 : at + len(inner) + 4]]
    names = all(re.fullmatch(r"\w+|,", t) for t in inner)
    before = str(tokens[at - 2].text).lower()
    return names and (before == "as" or after in (["as", "("], ["as", "materialized"]))


def _nearest(name: str) -> str:
    from xde.ground.names import nearest

    near = nearest(name, FUNCTIONS)
    table = "see the table of functions in `docs/concepts/engine.md`, or run this model on DuckDB"
    return f"the nearest that is proven is `{near}()`; {table}" if near else table


def refusal_of(error: NotPortable) -> Refusal:
    """What was refused, as data."""
    return Refusal(error.code, error.what, error.why, error.hint, *error.at)
