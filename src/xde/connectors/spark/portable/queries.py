"""Queries written for Spark: SELECT, set operations, CTEs, and what may stand in FROM (see `joins`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.connectors.spark.portable import aggregates, functions, lists, literals, moment_texts, operators, texts, windows
from xde.connectors.spark.portable.casts import cast
from xde.connectors.spark.portable.joins import write_from
from xde.connectors.spark.portable.operators import truth
from xde.connectors.spark.portable.ordering import ordered
from xde.connectors.spark.portable.refusing import CLAUSE, NAME, ORDER, NotPortable
from xde.connectors.spark.portable.scope import Scope, Table, Typed
from xde.connectors.spark.portable.stars import Item, expanded
from xde.connectors.spark.portable.types import NULL, Part, ticked
from xde.connectors.spark.portable.unnesting import has_aggregate, unnest
from xde.connectors.spark.portable.writer import Writer, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.connectors.spark.portable.oracle import Oracle

RULE_BOOKS = (aggregates, functions, lists, literals, moment_texts, operators, texts, windows)  # imported so that their rules are kept

KNOWN = {
    exp.Select: {
        "expressions", "from_", "joins", "where", "group", "having", "qualify", "windows", "order", "limit", "offset", "distinct", "with_",
    },
    exp.Union: {"this", "expression", "distinct", "by_name", "order", "limit", "offset", "with_"},
    exp.Except: {"this", "expression", "distinct", "order", "limit", "offset", "with_"},
    exp.Intersect: {"this", "expression", "distinct", "order", "limit", "offset", "with_"},
    exp.Group: {"expressions", "all"},
}  # fmt: skip


class QueryWriter:
    """Writes whole queries; gives the text and the columns that come out."""

    def __init__(self, oracle: Oracle, tables: Mapping[str, Table], parameters: Mapping[str, Typed]) -> None:
        self.tables = tables
        self.writer = Writer(oracle, parameters, self._as_value)
        self.made = 0

    def write(self, node: exp.Expr, outer: Scope | None) -> tuple[str, list[Part]]:
        """Any query."""
        if isinstance(node, (exp.Subquery, exp.Paren)):
            return self._bracketed(node, outer)
        known = KNOWN.get(type(node))
        if known is None:
            raise NotPortable(CLAUSE, f"`{type(node).__name__.upper()}` is not proven on Spark", node, "write it as a SELECT")
        self.only(node, known)
        scope = Scope(outer)
        heads = self._ctes(node, scope)
        sql, columns = self._select(node, scope) if isinstance(node, exp.Select) else self._set(node, scope)
        return heads + sql, columns

    def only(self, node: exp.Expr, known: set[str]) -> None:
        """Refuse every clause that is not among the known ones."""
        for name, value in node.args.items():
            if value and name not in known:
                what = f"the clause `{name.strip('_').upper()}` is not proven on Spark"
                raise NotPortable(
                    CLAUSE, what, value if isinstance(value, exp.Expr) else node, "write it in another way, or run this model on DuckDB"
                )

    def fresh(self) -> str:
        """A name of our own."""
        self.made += 1
        return f"xde_{self.made}"

    def _bracketed(self, node: exp.Expr, outer: Scope | None) -> tuple[str, list[Part]]:
        extra = {k: v for k, v in node.args.items() if v and k not in {"this", "alias"}}
        if extra:
            raise NotPortable(CLAUSE, f"`{words(node)}` is not proven on Spark in this form", node, "write a SELECT around it")
        sql, columns = self.write(node.this, outer)
        return f"({sql})", columns

    def _as_value(self, node: exp.Expr, scope: Scope) -> tuple[str, list[str]]:
        """A query within an expression."""
        held, self.writer.tail = self.writer.tail, None
        sql, columns = self.write(node.this if isinstance(node, exp.Subquery) else node, scope)
        self.writer.tail = held
        return sql, [c.type for c in columns]

    def _ctes(self, node: exp.Expr, scope: Scope) -> str:
        given = node.args.get("with_")
        if given is None:
            return ""
        heads = []
        for cte in given.expressions:
            alias = cte.args["alias"]
            names = [c.name for c in alias.args.get("columns") or ()]
            recursive = bool(given.args.get("recursive")) and any(
                t.name.lower() == cte.alias.lower() and not t.db for t in cte.find_all(exp.Table)
            )
            name = self.fresh()
            sql, columns = self._recursive(cte, name, names, scope) if recursive else self.write(cte.this, scope)
            columns = renamed(columns, names)
            scope.ctes[cte.alias.lower()] = Table(name, columns)
            heads.append(f"{ticked(name)} ({', '.join(ticked(c.name) for c in columns)}) AS ({sql})")
        return f"WITH {'RECURSIVE ' if given.args.get('recursive') else ''}{', '.join(heads)} "

    def _recursive(self, cte: exp.Expr, name: str, names: Sequence[str], scope: Scope) -> tuple[str, list[Part]]:
        union = cte.this
        if not isinstance(union, exp.Union) or union.args.get("distinct"):
            raise NotPortable(CLAUSE, "a recursive CTE without UNION ALL is not proven on Spark", union, "write `UNION ALL`")
        self.only(union, {"this", "expression", "distinct"})
        start, columns = self.write(union.this, scope)
        columns = renamed(columns, names)
        inner = Scope(scope, ctes={cte.alias.lower(): Table(name, columns)})
        step, made = self.write(union.expression, inner)
        if [c.type for c in made] != [c.type for c in columns]:
            raise NotPortable(CLAUSE, "the two parts of a recursive CTE have columns of different types", union, "cast them in both parts")
        return f"{start} UNION ALL {step}", columns

    def _set(self, node: exp.Expr, scope: Scope) -> tuple[str, list[Part]]:
        left, right = self.write(node.this, scope), self.write(node.expression, scope)
        if node.args.get("by_name"):
            left, right = self._by_name(left, right)
        if len(left[1]) != len(right[1]):
            raise NotPortable(CLAUSE, "the two parts have not the same number of columns", node)
        kinds = [self._united(a, b, node) for a, b in zip(left[1], right[1], strict=True)]
        columns = [Part(a.name, k) for a, k in zip(left[1], kinds, strict=True)]
        word = type(node).__name__.upper()
        sides = [self._casted(sql, given, columns) for sql, given in (left, right)]
        sql = f"{sides[0]} {word}{'' if node.args.get('distinct') else ' ALL'} {sides[1]}"
        return self._cut(node, sql, columns), columns

    def _by_name(
        self, left: tuple[str, list[Part]], right: tuple[str, list[Part]]
    ) -> tuple[tuple[str, list[Part]], tuple[str, list[Part]]]:
        """Both parts with the columns of both, those of the left first; a column that a part has not is NULL in it."""
        names = list(dict.fromkeys(c.name.lower() for c in (*left[1], *right[1])))
        shown = {c.name.lower(): c.name for c in (*right[1], *left[1])}
        sides = []
        for sql, columns in (left, right):
            own = {c.name.lower(): (i, c) for i, c in enumerate(columns)}
            if len(own) != len(columns):
                raise NotPortable(NAME, "two columns of a part have one name", hint="give each a name of its own")
            items = [f"c{own[n][0]} AS {ticked(shown[n])}" if n in own else f"NULL AS {ticked(shown[n])}" for n in names]
            heads = ", ".join(f"c{i}" for i in range(len(columns)))
            made = f"SELECT {', '.join(items)} FROM ({sql}) AS {self.fresh()} ({heads})"
            sides.append((made, [Part(shown[n], own[n][1].type if n in own else NULL) for n in names]))
        return sides[0], sides[1]

    def _united(self, left: Part, right: Part, node: exp.Expr) -> str:
        if left.type == right.type:
            return left.type
        if NULL in {left.type, right.type}:
            return left.type if right.type == NULL else right.type
        if "VARCHAR" in {left.type, right.type}:
            hint = f"cast both to VARCHAR: `CAST({left.name} AS VARCHAR)`"
            raise NotPortable(CLAUSE, f"`{left.name}` is {left.type} in one part and {right.type} in the other", node, hint)
        return self.writer.asked("[a0, a1]", [left.type, right.type], node).removesuffix("[]")

    def _casted(self, sql: str, given: Sequence[Part], wanted: Sequence[Part]) -> str:
        if [c.type for c in given] == [c.type for c in wanted]:
            return f"({sql})"
        names = [f"c{i}" for i in range(len(given))]
        items = ", ".join(
            cast(Typed(n, g.type), w.type).sql + f" AS {ticked(w.name)}" for n, g, w in zip(names, given, wanted, strict=True)
        )
        return f"(SELECT {items} FROM ({sql}) AS {self.fresh()} ({', '.join(names)}))"

    def _cut(self, node: exp.Expr, sql: str, columns: Sequence[Part]) -> str:
        """ORDER BY and LIMIT of a set operation: by its columns' names or numbers alone."""
        order, limit = node.args.get("order"), self.limit(node)
        if order is None:
            return sql + limit
        terms = []
        for term in order.expressions:
            at = self._position(term.this, columns)
            terms.append(ordered(term, ticked(columns[at].name)))
        return f"SELECT * FROM ({sql}) AS {self.fresh()} ORDER BY {', '.join(terms)}{limit}"

    def _position(self, node: exp.Expr, columns: Sequence[Part]) -> int:
        if isinstance(node, exp.Literal) and not node.is_string:
            return int(str(node.this)) - 1
        found = [
            i for i, c in enumerate(columns) if isinstance(node, exp.Column) and not node.table and c.name.lower() == node.name.lower()
        ]
        if len(found) != 1:
            raise NotPortable(NAME, f"`{words(node)}` is no column of both parts", node, "order by a column that comes out")
        return found[0]

    def limit(self, node: exp.Expr) -> str:
        """LIMIT and OFFSET, which need an order."""
        sql = ""
        for key, word in (("limit", "LIMIT"), ("offset", "OFFSET")):
            given = node.args.get(key)
            if given is None:
                continue
            if not node.args.get("order"):
                raise NotPortable(
                    ORDER, f"`{word}` without ORDER BY keeps other rows on Spark", given, "add an ORDER BY that no two rows tie in"
                )
            self.only(given, {"expression"})
            if not isinstance(given.expression, (exp.Literal, exp.Placeholder)):
                raise NotPortable(CLAUSE, f"`{word} {words(given.expression)}` is not proven on Spark", given, "write a number")
            sql += f" {word} {self.writer.write(given.expression, Scope()).sql}"
        return sql

    def _select(self, node: exp.Select, scope: Scope) -> tuple[str, list[Part]]:
        return _Select(self, node, scope).written()


class _Select:
    """One SELECT on its way."""

    def __init__(self, query: QueryWriter, node: exp.Select, scope: Scope) -> None:
        self.query, self.node, self.scope = query, node, scope
        self.writer = query.writer
        self.from_sql = write_from(query, node, scope)
        self.items = expanded(node, scope)
        scope.aliases = {i.name.lower(): i.node for i in self.items if i.node is not None and i.named}
        scope.windows = {w.this.name.lower(): w for w in node.args.get("windows") or ()}

    def written(self) -> tuple[str, list[Part]]:
        """The whole of it."""
        node, scope, writer = self.node, self.scope, self.writer
        self.from_sql += unnest(self.query, node, scope, [i.node for i in self.items if i.node is not None])
        values = [i.value or writer.write(self._of(i), scope) for i in self.items]
        names = self._names()
        columns = [Part(n, v.type) for n, v in zip(names, values, strict=True)]
        where = f" WHERE {truth(writer, node.args['where'].this, scope)}" if node.args.get("where") else ""
        if node.args.get("having"):
            self._clear(node.args["having"].this)
        having = f" HAVING {truth(writer, node.args['having'].this, scope)}" if node.args.get("having") else ""
        body = f"{self.from_sql}{where}{self._group(values)}{having}"
        listed = [f"{v.sql} AS {ticked(n)}" for v, n in zip(values, names, strict=True)]
        if node.args.get("qualify") or self._distinct_on():
            return self._filtered(listed, names, body), columns
        distinct = "DISTINCT " if node.args.get("distinct") else ""
        return f"SELECT {distinct}{', '.join(listed)}{body}{self._order(names)}{self.query.limit(node)}", columns

    @staticmethod
    def _of(item: Item) -> exp.Expr:
        if item.node is None:
            raise NotPortable(NAME, f"`{item.name}` is not clear")
        return item.node

    def _names(self) -> list[str]:
        """A name for each column that comes out; those without one get one that nobody can mean."""
        taken: set[str] = set()
        names = []
        for number, item in enumerate(self.items):
            name = item.name if item.named and item.name.lower() not in taken else f"xde_column_{number}"
            taken.add(name.lower())
            names.append(name)
        return names

    def _group(self, values: Sequence[Typed]) -> str:
        group = self.node.args.get("group")
        if group is None:
            return ""
        if group.args.get("all"):
            at = [i + 1 for i, item in enumerate(self.items) if item.value is not None or not has_aggregate(self._of(item))]
            return f" GROUP BY {', '.join(map(str, at))}" if at else ""
        self.query.only(group, KNOWN[exp.Group])
        terms = [self._grouping(n, values) for n in group.expressions]
        return f" GROUP BY {', '.join(terms)}"

    def _grouping(self, node: exp.Expr, values: Sequence[Typed]) -> str:
        if isinstance(node, (exp.Rollup, exp.Cube, exp.GroupingSets)):
            self.query.only(node, {"expressions"})
            word = {exp.Rollup: "ROLLUP", exp.Cube: "CUBE", exp.GroupingSets: "GROUPING SETS"}[type(node)]
            return f"{word} ({', '.join(self._grouping(n, values) for n in node.expressions)})"
        if isinstance(node, exp.Tuple):
            return f"({', '.join(self._grouping(n, values) for n in node.expressions)})"
        at = self._item_at(node)
        if at is not None:
            return str(at + 1) if not node.find_ancestor(exp.Rollup, exp.Cube, exp.GroupingSets) else values[at].sql
        value = self.writer.write(node, self.scope)
        if value.constant:
            raise NotPortable(CLAUSE, "to group by a constant is not proven on Spark", node, "leave it out of GROUP BY")
        return value.sql

    def _item_at(self, node: exp.Expr) -> int | None:
        """The column of the select list that GROUP BY or ORDER BY means by a number or an alias that is no column."""
        if isinstance(node, exp.Literal) and not node.is_string:
            at = int(str(node.this)) - 1
            if not 0 <= at < len(self.items):
                raise NotPortable(NAME, f"there is no column {at + 1}", node)
            return at
        for number, item in enumerate(self.items):
            if not isinstance(node, (exp.Column, exp.Literal)) and item.node is not None and item.node == node:
                return number
        if isinstance(node, exp.Column) and not node.table and self.scope.resolve([node.name]) is None:
            return next((i for i, item in enumerate(self.items) if item.named and item.name.lower() == node.name.lower()), None)
        return None

    def _order(self, names: Sequence[str]) -> str:
        order = self.node.args.get("order")
        if order is None:
            return ""
        terms = [t for term in order.expressions for t in self._terms(term, names)]
        return f" ORDER BY {', '.join(terms)}"

    def _terms(self, term: exp.Expr, names: Sequence[str]) -> list[str]:
        subject = term.this
        if isinstance(subject, exp.Var) and subject.name.upper() == "ALL":
            return [ordered(term, ticked(n)) for n in names]
        if isinstance(subject, exp.Column) and not subject.table:
            found = [n for n, i in zip(names, self.items, strict=True) if i.named and i.name.lower() == subject.name.lower()]
            if found:
                return [ordered(term, ticked(found[0]))]
        at = self._item_at(subject)
        if at is not None:
            return [ordered(term, ticked(names[at]))]
        self._clear(subject)
        return [ordered(term, self.writer.write(subject, self.scope).sql)]

    def _clear(self, node: exp.Expr) -> None:
        """Within an expression a name that is both a column and an alias may mean either."""
        for column in node.find_all(exp.Column):
            alias = self.scope.aliases.get(column.name.lower()) if not column.table and self.scope.resolve([column.name]) else None
            if alias is not None and not (isinstance(alias, exp.Column) and alias.name.lower() == column.name.lower()):
                raise NotPortable(
                    NAME, f"`{column.name}` is the name of a column and of an alias", column, "give the alias a name of its own"
                )

    def _distinct_on(self) -> list[exp.Expr]:
        distinct = self.node.args.get("distinct")
        on = distinct.args.get("on") if distinct else None
        return list(on.expressions) if on else []

    def _filtered(self, listed: Sequence[str], names: Sequence[str], body: str) -> str:
        """QUALIFY and DISTINCT ON: the condition becomes a column, and the rows are chosen by it around."""
        kept: list[str] = []
        extra = list(listed)
        if self.node.args.get("qualify"):
            extra.append(f"{truth(self.writer, self.node.args['qualify'].this, self.scope)} AS xde_kept")
            kept.append("xde_kept")
        order_terms: list[str] = []
        order = self.node.args.get("order")
        for number, term in enumerate(order.expressions if order else ()):
            if not isinstance(term.this, exp.Var):
                at = self._alias_at(term.this)
                sql = f"{listed[at].rsplit(' AS ', 1)[0]}" if at is not None else self.writer.write(term.this, self.scope).sql
                extra.append(f"{sql} AS xde_order_{number}")
                order_terms.append(ordered(term, f"xde_order_{number}"))
            else:
                order_terms += [ordered(term, ticked(n)) for n in names]
        on = self._distinct_on()
        if on:
            if not order_terms:
                raise NotPortable(ORDER, "`DISTINCT ON` without ORDER BY keeps other rows on Spark", self.node, "add an ORDER BY")
            keys = ", ".join(self.writer.write(n, self.scope).sql for n in on)
            ranks = [ordered(t, self._order_sql(t.this, listed)) for t in (order.expressions if order else ())]
            extra.append(f"ROW_NUMBER() OVER (PARTITION BY {keys} ORDER BY {', '.join(ranks)}) = 1 AS xde_first")
            kept.append("xde_first")
        distinct = "DISTINCT " if self.node.args.get("distinct") and not on else ""
        if distinct and order_terms:
            raise NotPortable(CLAUSE, "DISTINCT with QUALIFY and ORDER BY is not proven on Spark", self.node, "put the QUALIFY into a CTE")
        after = f" ORDER BY {', '.join(order_terms)}" if order_terms else ""
        columns = ", ".join(ticked(n) for n in names)
        inner = f"SELECT {', '.join(extra)}{body}"
        rows = f"({inner}) AS {self.query.fresh()} WHERE {' AND '.join(kept)}"
        return f"SELECT {distinct}{columns} FROM {rows}{after}{self.query.limit(self.node)}"

    def _order_sql(self, node: exp.Expr, listed: Sequence[str]) -> str:
        if isinstance(node, exp.Var):
            raise NotPortable(CLAUSE, "`DISTINCT ON` with ORDER BY ALL is not proven on Spark", self.node, "name the columns")
        at = self._alias_at(node)
        return listed[at].rsplit(" AS ", 1)[0] if at is not None else self.writer.write(node, self.scope).sql

    def _alias_at(self, node: exp.Expr) -> int | None:
        if isinstance(node, exp.Column) and not node.table:
            found = [i for i, item in enumerate(self.items) if item.named and item.name.lower() == node.name.lower()]
            if found:
                return found[0]
        return self._item_at(node)


def renamed(columns: Sequence[Part], names: Sequence[str]) -> list[Part]:
    """Columns under the names of an alias list; those behind its end keep theirs."""
    return [Part(names[i] if i < len(names) else c.name, c.type) for i, c in enumerate(columns)]
