"""Whether every row that a query gives is made of the rows of one window: then each can be computed without the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.kernel.graph.flows.arriving import END, ROWS, START
from xde.kernel.graph.text.scanning import query_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlglot import exp

    from xde.kernel.graph.flows.arriving import Windowed

_NAMES = frozenset({START, END})


def across(sql: str, one: Windowed) -> str:
    """Why a query looks at several windows at once; empty where it does not. A text that cannot be read is told of elsewhere."""
    from sqlglot import exp

    first, last = one.place
    tree = query_of(f"{sql[:first]}SELECT * FROM {ROWS}{sql[last:]}")
    if tree is None:
        return ""
    tables = list(tree.find_all(exp.Table))
    todo = [t for t in tables if ".".join(p.name for p in t.parts) == ROWS]
    clauses: set[str] = set()
    while todo:
        table = todo.pop()
        for at in (table, *_around(table)):
            if why := _turns(at) or (_looks_across(at) if isinstance(at, exp.Select) else ""):
                return why
            if isinstance(at, exp.CTE) and at.alias.lower() not in clauses:
                clauses.add(at.alias.lower())
                readers = [t for t in tables if t.name.lower() == at.alias.lower() and not t.db]
                if len(readers) > 1:
                    return f"it reads `{at.alias}`, which has rows of all windows, more than once"
                todo += readers
    return ""


def read_beside(one: Windowed) -> frozenset[str]:
    """The datasets that a query reads besides the rows that it puts into windows."""
    from sqlglot import exp

    tree = query_of(one.sql)
    if tree is None:
        return frozenset()
    clauses = {c.alias.lower(): c for c in tree.find_all(exp.CTE)}
    found: set[str] = set()
    seen: set[str] = set()
    todo: list[exp.Expr] = [tree]
    while todo:
        for name in _read_in(todo.pop()):
            if "." in name:
                found.add(name)
            elif name in clauses and name not in seen:
                seen.add(name)
                todo.append(clauses[name].this)
    return frozenset(found - {ROWS})


def _read_in(query: exp.Expr) -> Iterator[str]:
    """The tables that a query reads, not those of the clauses before it."""
    from sqlglot import exp

    for node in query.walk(prune=lambda n: isinstance(n, exp.With)):
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            yield ".".join(p.name for p in node.parts) if node.db else node.name.lower()


def _around(node: exp.Expr) -> Iterator[exp.Expr]:
    """What stands around a place, from the inside, up to the clause that gives it a name."""
    from sqlglot import exp

    at = node.parent
    while at is not None:
        yield at
        if isinstance(at, exp.CTE):
            return
        at = at.parent


def _turns(at: exp.Expr) -> str:
    """Why a relation around a place has rows that belong to no window of their own."""
    from sqlglot import exp

    if at.args.get("pivots"):
        return "a PIVOT brings rows of several windows together"
    joins = [at] if isinstance(at, exp.Join) else at.parent.args.get("joins") or [] if isinstance(at, exp.From) and at.parent else []
    outer = {"LEFT", "FULL", "SEMI", "ANTI"} if isinstance(at, exp.Join) else {"RIGHT", "FULL"}
    if any({str(j.args.get(w) or "").upper() for w in ("side", "kind")} & outer for j in joins):
        return "it joins windows to rows that may be in none"
    if isinstance(at, exp.Join) and str(at.args.get("method") or "").upper() == "ASOF":
        return "an ASOF JOIN looks for the nearest of several windows"
    return ""


def _looks_across(query: exp.Select) -> str:
    """Why a query looks at several windows; not why a query inside of it does."""
    return _chooses(query) or _gathers(query)


def _chooses(query: exp.Select) -> str:
    for item in query.expressions:
        if item.alias and item.alias.lower() in _NAMES and not _names([item], item.alias.lower()):
            return f"its `{item.alias}` is not that of the window"
    distinct = query.args.get("distinct")
    if distinct is not None and distinct.args.get("on") is not None and not _names(distinct.args["on"].expressions):
        return "`DISTINCT ON` chooses among the rows of several windows"
    found = next((w for w in ("limit", "offset", "sample") if query.args.get(w) is not None), None)
    return f"`{found.upper()}` chooses among the rows of all windows" if found else ""


def _gathers(query: exp.Select) -> str:
    from sqlglot import exp

    own = [*query.expressions, *(query.args[w] for w in ("having", "qualify") if query.args.get(w) is not None)]
    for item in own:
        for function in item.find_all(exp.Window):
            if function.find_ancestor(exp.Select) is query and not _names(function.args.get("partition_by") or []):
                return f"`{function.sql(dialect='duckdb')[:80]}` looks at the rows of several windows"
    group = query.args.get("group")
    if group is not None:
        return "" if _grouped(query, group) else "its GROUP BY brings rows of several windows together"
    gathers = any(
        f.find_ancestor(exp.Select) is query and not isinstance(f.parent, exp.Window) for i in own for f in i.find_all(exp.AggFunc)
    )
    return "it makes one row of the rows of all windows" if gathers else ""


def _grouped(query: exp.Select, group: exp.Expr) -> bool:
    from sqlglot import exp

    if any(group.args.get(w) for w in ("rollup", "cube", "grouping_sets")):
        return False
    if group.args.get("all"):
        return _names(query.expressions)
    numbers = [int(str(g.this)) for g in group.expressions if isinstance(g, exp.Literal) and str(g.this).isdigit()]
    chosen = [query.expressions[n - 1] for n in numbers if 0 < n <= len(query.expressions)]
    return _names([*group.expressions, *chosen])


def _names(items: Sequence[exp.Expr], *wanted: str) -> bool:
    """Whether one of the items is the beginning or the end of a window, or one of those that are wanted."""
    from sqlglot import exp

    return any(isinstance(i.unalias(), exp.Column) and i.unalias().name.lower() in (wanted or _NAMES) for i in items)
