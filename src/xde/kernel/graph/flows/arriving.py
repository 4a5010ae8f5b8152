"""Rows that arrive and are put into windows: cut out of a text, so that a build can give only some of them.

A flow of windows writes `(SELECT *, column AS __flow_at FROM ...) AS __flow_arriving` for the rows that go in, or
`__flow_gathering` where the rows themselves say how far a window goes. By itself the text is plain SQL over all rows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from xde.kernel.graph.flows.judged import marks, opening, relation_at
from xde.kernel.graph.text.scanning import query_of, scan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlglot import exp

    from xde.kernel.graph.text.reading import Word

ARRIVING, GATHERING, AT = "__flow_arriving", "__flow_gathering", "__flow_at"
START, END = "window_start", "window_end"
ROWS = "xde_windows.rows"
"""The name by which texts read the rows that are given to them."""
_CALLED = re.compile(r"__flow_\d+\Z")
_PLAIN = frozenset({"expressions", "from_", "where", "with_", "kind", "hint"})


class Windowed(NamedTuple):
    """A text with rows that arrive: `sql` and `placing` read them from `ROWS`, `arriving` gives them.

    `placing` gives each row with its windows. `gathers` says that windows depend on which rows there are. `begin` is where the rows
    stand in the text, `place` where the flow's own text does, up to `end`.
    """

    sql: str
    arriving: str
    placing: str
    gathers: bool
    begin: int
    place: tuple[int, int]
    why: str = ""


def windowed(sql: str) -> tuple[Windowed, ...]:
    """Every place of a text where rows are put into windows."""
    words = scan(sql) or []
    return tuple(_windowed(sql, words, n, name) for name in (ARRIVING, GATHERING) for n in marks(words, name))


def _windowed(sql: str, words: Sequence[Word], mark: int, name: str) -> Windowed:
    query, start, end, why = relation_at(sql, words, mark)
    given = f"{ROWS} AS {name}"
    opened = opening(words, mark - 2)
    depth = 0
    while opened > 2:  # out of the flow's own parentheses, to `__flow_1 AS (`
        opened -= 1
        depth += (words[opened].kind == "R_PAREN") - (words[opened].kind == "L_PAREN")
        if depth < 0:
            depth = 0
            if words[opened - 1].kind == "ALIAS" and _CALLED.match(words[opened - 2].text):
                break
    first, last = words[opened].end + 1, words[_closing(words, opened)].start
    placing = f"{sql[first:start]}{given}{sql[end:last]}"
    return Windowed(f"{sql[:start]}{given}{sql[end:]}", query, placing, name == GATHERING, start, (first, last), why)


def _closing(words: Sequence[Word], opened: int) -> int:
    depth = 0
    for position in range(opened, len(words)):
        depth += (words[position].kind == "L_PAREN") - (words[position].kind == "R_PAREN")
        if depth == 0:
            return position
    return len(words) - 1


class Source(NamedTuple):
    """Where rows come from: one dataset, row by row; `column` is that of the time there, empty where it is worked out."""

    dataset: str
    column: str


class NotByRow(Exception):
    """A query that does not give its rows one by one from those of one dataset; the message says why not."""


def source_of(sql: str, views: Mapping[str, str], column: str = AT) -> Source:
    """The dataset whose rows a query gives one by one, seen through views. Raises `NotByRow`."""
    tree = query_of(sql)
    if tree is None:
        msg = "its rows come from a query that cannot be read"
        raise NotByRow(msg)
    return _source(tree, {}, views, column)


def _source(tree: exp.Expr, ctes: Mapping[str, exp.Expr], views: Mapping[str, str], column: str) -> Source:
    from sqlglot import exp

    if isinstance(tree, exp.Subquery):
        return _source(tree.this, ctes, views, column)
    if not isinstance(tree, exp.Select):
        msg = "its rows come from more than one relation"
        raise NotByRow(msg)
    known = {**ctes, **{c.alias.lower(): c.this for c in tree.ctes}}
    _by_row(tree)
    before = _before(tree, column)
    read = tree.args["from_"].this if tree.args.get("from_") is not None else None
    if read is not None and any(read.args.get(w) for w in ("pivots", "sample", "joins")):
        msg = "a row of what goes in depends on more than one row"
        raise NotByRow(msg)
    if isinstance(read, exp.Subquery):
        return _source(read, known, views, before)
    if not isinstance(read, exp.Table) or not isinstance(read.this, exp.Identifier):
        msg = "its rows come from no dataset"
        raise NotByRow(msg)
    name = ".".join(p.name for p in read.parts)
    if name.lower() in known:
        others = {k: v for k, v in known.items() if k != name.lower()}
        return _source(known[name.lower()], others, views, before)
    if name in views:
        return source_of(views[name], views, before)
    return Source(name, before)


def _by_row(tree: exp.Select) -> None:
    """Raise `NotByRow` where a row that a query gives does not come from one row that it reads."""
    from sqlglot import exp

    for word, value in tree.args.items():
        if value and word not in _PLAIN:
            msg = f"a row of what goes in depends on more than one row: `{_shown(word)}`"
            raise NotByRow(msg)
    for inner in [*tree.expressions, *([tree.args["where"]] if tree.args.get("where") else [])]:
        if inner.find(exp.AggFunc, exp.Window, exp.Query, exp.Unnest, exp.Explode) is not None:
            msg = f"a row of what goes in depends on more than one row: `{inner.sql(dialect='duckdb')[:60]}`"
            raise NotByRow(msg)


def _shown(word: str) -> str:
    return word.removesuffix("s").removesuffix("_").replace("_", " ").upper()


def _before(tree: exp.Select, column: str) -> str:
    """What a column is called in what a query reads; empty where it is not a copy."""
    from sqlglot import exp

    for item in tree.expressions:
        if item.alias_or_name.lower() != column.lower() or isinstance(item, exp.Star):
            continue
        inner = item.unalias()
        return inner.name if isinstance(inner, exp.Column) and not isinstance(inner.this, exp.Star) else ""
    star = next((s for i in tree.expressions if (s := i.find(exp.Star)) is not None), None)
    if star is None or any(star.args.get(w) for w in ("replace", "rename")):
        return ""
    return column
