"""A query as plain tuples: what its meaning is worked out from, so that no parser is needed after it was read once.

Aliases, comments and layout are gone; what is left of a name is its parts and where it stands. A construct that has no
term here cannot be told exactly, and the query that holds it is taken as one whole (see `UnclearError`).
"""

from __future__ import annotations

from typing import Literal, NamedTuple


class UnclearError(Exception):
    """A construct whose lineage is not told exactly here: the query is then taken as one whole."""


class Name(NamedTuple):
    """A column, as written: `column`, `table.column`, `schema.table.column`, or one of these with fields of it behind.

    `starts` says where each part begins in the model's SQL, in characters from 0 (-1: not known).
    """

    parts: tuple[str, ...]
    starts: tuple[int, ...] = ()


class Op(NamedTuple):
    """Any operator or function: `tag` says which, with all that is fixed in the text."""

    tag: str
    args: tuple[Term, ...] = ()


class Labelled(NamedTuple):
    """A term whose own name is part of its value, as `struct_pack(a)` names its field after `a`."""

    label: str
    term: Term


class Word(NamedTuple):
    """A bare word where SQL takes a keyword or a column; if a column of this name is in sight nobody can tell which."""

    text: str


class Bound(NamedTuple):
    """A parameter of the lambda around it: `depth` lambdas out, at `position`."""

    depth: int
    position: int


class Nested(NamedTuple):
    """A query inside an expression; of one under EXISTS only the rows count."""

    query: Query
    rows_only: bool = False


class Context(NamedTuple):
    """A term whose value depends on the rows around it: `aggregate`, `window` or `spread` (one row becomes many)."""

    kind: Literal["aggregate", "window", "spread"]
    term: Term


class Star(NamedTuple):
    """`*` or `t.*`; `like` filters by name: an operator and its pattern."""

    table: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    replace: tuple[tuple[str, Term], ...] = ()
    rename: tuple[tuple[str, str], ...] = ()
    like: tuple[str, str] | None = None


class Columns(NamedTuple):
    """`COLUMNS(...)`: one of a regular expression, a list of names and a star; `unpack` makes arguments of all of them."""

    regex: str | None = None
    names: tuple[str, ...] = ()
    star: Star | None = None
    unpack: bool = False


Term = Name | Op | Labelled | Word | Bound | Nested | Context | Star | Columns


class Projection(NamedTuple):
    """One item of a SELECT list; `name` is None where the engine makes one up."""

    name: str | None
    term: Term
    aggregate: bool = False
    every: Columns | None = None


class Alias(NamedTuple):
    """What a source is called, and its columns from the first on."""

    name: str = ""
    columns: tuple[str, ...] = ()


class TableSource(NamedTuple):
    """A dataset (`schema.name`), or a CTE where `schema` is empty."""

    schema: str
    name: str
    alias: Alias


class QuerySource(NamedTuple):
    """A subquery, which may read the sources to its left."""

    query: Query
    alias: Alias


class FunctionSource(NamedTuple):
    """A table function over terms of the sources to its left; `columns` are all its names, None when they are not known."""

    term: Op
    alias: Alias
    columns: tuple[str, ...] | None = None


class PivotSource(NamedTuple):
    """Rows turned into columns: what is in `by`, or else every column not read by `values` and `on`, groups the rows.

    `made` are the new columns: a name (empty where the engine makes one up), the value it stands for, and which of `values` it holds.
    """

    source: Source
    values: tuple[Term, ...]
    on: tuple[Term, ...]
    made: tuple[tuple[str, str, int], ...]
    by: tuple[Name, ...] | None
    alias: Alias


class UnpivotSource(NamedTuple):
    """Columns turned into rows: each of `groups` has a label (empty: its columns' own names) and one column for each of `values`."""

    source: Source
    name: str
    values: tuple[str, ...]
    groups: tuple[tuple[str, tuple[Name, ...]] | Star | Columns, ...]
    nulls: bool
    alias: Alias


class SampledSource(NamedTuple):
    """Some rows of a source."""

    source: Source
    sample: Term


class JoinSource(NamedTuple):
    """Two sources joined; the words are those that say something."""

    left: Source
    right: Source
    method: str
    side: str
    kind: str
    on: Term | None
    using: tuple[str, ...]


class GroupSource(NamedTuple):
    """A join in parentheses with a name of its own."""

    source: Source
    alias: Alias


Source = TableSource | QuerySource | FunctionSource | PivotSource | UnpivotSource | SampledSource | JoinSource | GroupSource


class Cte(NamedTuple):
    """A named query of a WITH clause."""

    alias: Alias
    query: Query
    recursive: bool = False


class Tail(NamedTuple):
    """What comes last: `order` (each item with its direction in `directions`), or ORDER BY ALL; `limit` also holds the offset."""

    order: tuple[Term, ...] = ()
    directions: tuple[str, ...] = ()
    order_all: bool = False
    limit: tuple[Term, ...] = ()


class Select(NamedTuple):
    """One SELECT; `group` is None without the clause; `aggregated` without it makes one row."""

    ctes: tuple[Cte, ...]
    source: Source | None
    projections: tuple[Projection, ...]
    where: Term | None
    group: tuple[Term, ...] | None
    group_all: bool
    aggregated: bool
    having: Term | None
    qualify: Term | None
    distinct: bool
    distinct_on: tuple[Term, ...]
    sample: Term | None
    tail: Tail


class SetQuery(NamedTuple):
    """`UNION`, `INTERSECT` or `EXCEPT`."""

    ctes: tuple[Cte, ...]
    kind: str
    distinct: bool
    by_name: bool
    left: Query
    right: Query
    tail: Tail


class ValuesQuery(NamedTuple):
    """`VALUES (...), (...)`, and what may come after it."""

    rows: tuple[tuple[Term, ...], ...]


class WrappedQuery(NamedTuple):
    """A query in parentheses with clauses of its own behind, or a `PIVOT` that stands for a query."""

    ctes: tuple[Cte, ...]
    source: Source
    tail: Tail


Query = Select | SetQuery | ValuesQuery | WrappedQuery
