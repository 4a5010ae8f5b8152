"""FROM: tables, queries, values, joins of every kind that is proven, and the as-of join, which Spark has not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.connectors.spark.portable.asof import as_of
from xde.connectors.spark.portable.lists import opened_list, series
from xde.connectors.spark.portable.operators import together, truth
from xde.connectors.spark.portable.refusing import CLAUSE, NAME, NotPortable
from xde.connectors.spark.portable.scope import Scope, Source, Table, Typed
from xde.connectors.spark.portable.types import Part, ticked
from xde.connectors.spark.portable.writer import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.connectors.spark.portable.making import QueryMaker

KINDS = {
    ("", ""): "JOIN",
    ("", "INNER"): "JOIN",
    ("LEFT", ""): "LEFT JOIN",
    ("LEFT", "OUTER"): "LEFT JOIN",
    ("RIGHT", ""): "RIGHT JOIN",
    ("RIGHT", "OUTER"): "RIGHT JOIN",
    ("FULL", ""): "FULL JOIN",
    ("FULL", "OUTER"): "FULL JOIN",
    ("", "CROSS"): "CROSS JOIN",
    ("", "SEMI"): "LEFT SEMI JOIN",
    ("", "ANTI"): "LEFT ANTI JOIN",
}


def write_from(query: QueryMaker, node: exp.Expr, scope: Scope) -> str:
    """FROM with its joins; the sources are in the scope afterwards."""
    given = node.args.get("from_")
    if given is None:
        return ""
    sql, source = write_source(query, given.this, scope)
    scope.sources.append(source)
    for join in [*(given.this.args.get("joins") or ()), *(node.args.get("joins") or ())]:
        sql = _joined(query, sql, join, scope)
    return f" FROM {sql}"


def write_source(query: QueryMaker, node: exp.Expr, scope: Scope) -> tuple[str, Source]:
    """Something in FROM under its alias."""
    alias = node.args.get("alias")
    names = [c.name for c in alias.args.get("columns") or ()] if alias else []
    match node:
        case exp.Table() if isinstance(node.this, exp.Identifier):
            return _table(query, node, names, scope)
        case exp.Table() if isinstance(node.this, exp.GenerateSeries):
            value = series(query.writer, node.this, scope)
            return _list(query, value, node.alias or "generate_series", names)
        case exp.Unnest():
            query.only(node, {"expressions", "alias"})
            if len(node.expressions) != 1:
                raise NotPortable(CLAUSE, "`unnest` of several lists is not proven on Spark", node, "unnest one after the other")
            return _list(query, query.writer.write(node.expressions[0], scope), node.alias or "unnest", names)
        case exp.Values():
            return _values(query, node, names, scope)
        case exp.Subquery():
            query.only(node, {"this", "alias"})
            sql, columns = query.write(node.this, Scope(None, ctes=_all_ctes(scope)))
            return _aliased(f"({sql})", node.alias or query.fresh(), columns, names)
        case _:
            raise NotPortable(CLAUSE, f"`{words(node)}` in FROM is not proven on Spark", node, "write it as a query of its own")


def _all_ctes(scope: Scope) -> dict[str, Table]:
    found = dict(_all_ctes(scope.outer)) if scope.outer else {}
    return {**found, **scope.ctes}


def _aliased(sql: str, alias: str, columns: Sequence[Part], names: Sequence[str]) -> tuple[str, Source]:
    shown = [Part(names[i] if i < len(names) else c.name, c.type) for i, c in enumerate(columns)]
    heads = f" ({', '.join(ticked(c.name) for c in shown)})" if names else ""
    return f"{sql} AS {ticked(alias)}{heads}", Source(alias, shown)


def _table(query: QueryMaker, node: exp.Expr, names: Sequence[str], scope: Scope) -> tuple[str, Source]:
    query.only(node, {"this", "db", "alias", "joins"})
    schema = node.text("db")
    table = scope.cte(node.name) if not schema else None
    if table is None:
        table = query.tables.get(f"{schema}.{node.name}".lower())
    if table is None:
        raise NotPortable(NAME, f"`{words(node)}` is no input of the query", node)
    sql, source = _aliased(ticked(table.name), node.alias or node.name, table.columns, names)
    source.schema = schema if not node.alias else ""
    return sql, source


def _list(query: QueryMaker, value: Typed, alias: str, names: Sequence[str]) -> tuple[str, Source]:
    kind = opened_list(value)
    name = names[0] if names else alias
    del query
    return f"LATERAL EXPLODE({value.sql}) AS {ticked(alias)} ({ticked(name)})", Source(alias, [Part(name, kind)])


def _values(query: QueryMaker, node: exp.Expr, names: Sequence[str], scope: Scope) -> tuple[str, Source]:
    query.only(node, {"expressions", "alias"})
    rows = [query.writer.kids(r.expressions, scope) for r in node.expressions]
    nodes = [r.expressions for r in node.expressions]
    kinds, columns = [], []
    for at in range(len(rows[0])):
        values, kind = together(query.writer, [r[at] for r in rows], [n[at] for n in nodes])
        columns.append(values)
        kinds.append(Part(names[at] if at < len(names) else f"col{at}", kind))
    written = ", ".join(f"({', '.join(c[i].sql for c in columns)})" for i in range(len(rows)))
    alias = node.alias or "valueslist"
    heads = ", ".join(ticked(k.name) for k in kinds)
    return f"(VALUES {written}) AS {ticked(alias)} ({heads})", Source(alias, kinds)


def _joined(query: QueryMaker, left: str, join: exp.Expr, scope: Scope) -> str:
    query.only(join, {"this", "on", "using", "kind", "side", "method"})
    method, side, kind = (str(join.args.get(k) or "").upper() for k in ("method", "side", "kind"))
    sql, source = write_source(query, join.this, scope)
    if method == "ASOF":
        return as_of(query, left, join, (sql, source), scope)
    word = KINDS.get((side, kind))
    if method not in {"", "NATURAL"} or word is None:
        raise NotPortable(
            CLAUSE, f"`{' '.join(filter(None, (method, side, kind)))} JOIN` is not proven on Spark", join.this, "write a plain join"
        )
    if any(s.alias.lower() == source.alias.lower() for s in scope.sources):
        raise NotPortable(NAME, f"`{source.alias}` names two sources", join.this, "give each an alias of its own")
    using = [c.name for c in join.args.get("using") or ()]
    if method == "NATURAL":
        using = [c.name for c in source.columns if any(s.column(c.name) for s in scope.sources)]
    if using:
        condition = f" ON {_shared(using, source, scope, side, kind)}"
        if kind not in {"SEMI", "ANTI"}:
            scope.sources.append(source)
        return f"{left} {word} {sql} {condition}"
    if sql.startswith("LATERAL EXPLODE") and not join.args.get("on"):
        scope.sources.append(source)
        return f"{left} JOIN {sql}"
    scope.sources.append(source)
    on = join.args.get("on")
    condition = f" ON {truth(query.writer, on, scope)}" if on else ""
    if kind in {"SEMI", "ANTI"}:
        scope.sources.pop()
    if not on and word == "JOIN":
        word = "CROSS JOIN"
    return f"{left} {word} {sql}{condition}"


def _shared(using: Sequence[str], source: Source, scope: Scope, side: str, kind: str) -> str:
    """The columns of USING: equal on both sides, shown once; of the side that is never without a row."""
    tests = []
    for name in using:
        old, part = scope.named(name), source.column(name)
        if old is None or part is None:
            raise NotPortable(NAME, f"`{name}` is not a column of both sides")
        new = source.written(part)
        if old.type != new.type:
            raise NotPortable(CLAUSE, f"`{name}` is {old.type} on one side and {new.type} on the other", hint="join with ON and a cast")
        tests.append(f"{old.sql} = {new.sql}")
        if kind in {"SEMI", "ANTI"}:
            continue
        for earlier in scope.sources:
            if earlier.column(name):
                earlier.hidden.add(name.lower())
        source.hidden.add(name.lower())
        both = f"COALESCE({old.sql}, {new.sql})"
        scope.shared[name.lower()] = Typed(both if side == "FULL" else new.sql if side == "RIGHT" else old.sql, old.type)
    return " AND ".join(tests)
