"""What another DuckDB file declares of a table: its types are the engine's own, so that nothing is translated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from xde.ground.names import literal
from xde.kernel.project.catalogues import Arrival, Declared, DeclaredColumn, DeclaredReference, Kept

if TYPE_CHECKING:
    import duckdb

    from xde.lifecycle.sources.tables import Ask

_WHOLE = r"U?(?:TINYINT|SMALLINT|INTEGER|BIGINT)"
_SAME = re.compile(rf"(?:{_WHOLE}|BOOLEAN|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)|VARCHAR|BLOB|DATE|TIME|TIMESTAMP|TIMESTAMP WITH TIME ZONE)\Z")
_LISTS = re.compile(rf"(?:{_WHOLE}|BOOLEAN|VARCHAR)\[\]\Z")
_COARSER = {"TIMESTAMP_S": "TIMESTAMP", "TIMESTAMP_MS": "TIMESTAMP"}
_LABELS = re.compile(r"ENUM\((.*)\)\Z", re.DOTALL)
_ERA = "`infinity`, years before 1 and after 9999 make dead letters"
_FINITE = "`NaN` and `Infinity` make dead letters"


def relations(connection: duckdb.DuckDBPyConnection, schema: str) -> list[str]:
    """The tables and views of a schema."""
    where = f"WHERE database_name = current_database() AND schema_name = {literal(schema)} AND NOT internal"
    sql = f"SELECT table_name FROM duckdb_tables() {where} UNION ALL SELECT view_name FROM duckdb_views() {where} ORDER BY 1"
    return [str(name) for (name,) in connection.execute(sql).fetchall()]


def declared(connection: duckdb.DuckDBPyConnection, ask: Ask, schema: str) -> Declared:
    """What the catalogue says of a table."""
    schema, table = (ask.relation.rpartition(".")[0] or schema, ask.relation.rpartition(".")[2])
    where = f"WHERE database_name = current_database() AND schema_name = {literal(schema)}"
    wanted = {n.casefold(): c.type for c in ask.columns for n in (c.name, *c.also)}
    of_table = f"{where} AND table_name = {literal(table)}"
    shown = _rows(connection, f"SELECT column_name, data_type, NOT is_nullable, comment, column_default FROM duckdb_columns() {of_table}")
    columns = tuple(
        _column(*row, wanted=wanted.get(str(row[0]).casefold(), "")) for row in shown if not wanted or str(row[0]).casefold() in wanted
    )
    fields = "constraint_type, constraint_column_names, referenced_table, referenced_column_names, expression"
    held = _rows(connection, f"SELECT {fields} FROM duckdb_constraints() {of_table}")
    views = _rows(connection, f"SELECT comment FROM duckdb_views() {where} AND view_name = {literal(table)}")
    comments = _rows(connection, f"SELECT comment FROM duckdb_tables() {of_table}") or views
    ((rows,),) = _rows(connection, f'SELECT count(*) FROM "{schema}"."{table}"')
    return Declared(
        ask.relation,
        "view" if views else "table",
        columns,
        str(comments[0][0] or "") if comments else "",
        next((tuple(names) for kind, names, *_ in held if kind == "PRIMARY KEY"), ()),
        tuple(tuple(names) for kind, names, *_ in held if kind == "UNIQUE"),
        tuple(DeclaredReference(tuple(own), str(to), tuple(theirs)) for kind, own, to, theirs, _ in held if kind == "FOREIGN KEY"),
        tuple(f"CHECK ({rule})" for kind, *_, rule in held if kind == "CHECK"),
        rows=int(rows),
        reader="DuckDB",
    )


def chance(ask: Ask) -> str:
    """The condition of a row that is looked at, where only some are; empty: all."""
    return f"random() < {ask.sample.share:.12f}" if ask.sample is not None else ""


def _column(name: str, told: str, required: Any, comment: Any, default: Any, *, wanted: str) -> DeclaredColumn:  # noqa: ANN401 - of the catalogue
    labels = _LABELS.match(told)
    values = tuple(v.replace("''", "'") for v in re.findall(r"'((?:[^']|'')*)'", labels[1])) if labels else ()
    grows = str(default or "").lower().startswith("nextval(")
    kept = Kept(wanted, *_as(told, wanted)) if wanted else _kept(told)
    return DeclaredColumn(name, "ENUM" if labels else told, kept, bool(required), str(comment or ""), values, grows)


def _kept(told: str) -> Kept:
    """The type that loses nothing."""
    kind = _COARSER.get(told, told)
    if _SAME.match(kind):
        return Kept(kind, Arrival.EXACT, _besides(kind))
    if _LISTS.match(kind):
        return Kept(kind)
    return Kept("VARCHAR", *_as(told, "VARCHAR"))


def _as(told: str, wanted: str) -> tuple[Arrival, str]:
    """What becomes of it as another type."""
    kind = wanted.strip().upper()
    if kind == told.upper() or _COARSER.get(told) == kind:
        return Arrival.EXACT, _besides(kind)
    if kind in {"VARCHAR", "TEXT", "STRING"}:
        if told == "VARCHAR" or told.startswith("ENUM"):
            return Arrival.EXACT, ""
        nested = told.endswith("]") or told.startswith(("STRUCT", "MAP"))
        if nested and re.search("DECIMAL|HUGEINT", told):
            return Arrival.ROUNDED, "as JSON, whose numbers the engine writes by way of a DOUBLE: make columns of them by `xdeQuery`"
        return Arrival.AS_TEXT, "as JSON" if nested else ""
    if kind in {"DOUBLE", "FLOAT", "REAL"} and (told.startswith("DECIMAL") or told in {"BIGINT", "UBIGINT", "HUGEINT", "DOUBLE"}):
        return Arrival.ROUNDED, f"a {kind} keeps {15 if kind == 'DOUBLE' else 6} digits"
    if "[" in kind or "(" in kind.split("DECIMAL")[0]:
        bent = re.search("DOUBLE|FLOAT|REAL|DECIMAL", kind)
        why = "numbers within JSON are read as a DOUBLE first, which keeps 15 digits" if bent else "from its JSON"
        return (Arrival.ROUNDED if bent else Arrival.EXACT), why
    return Arrival.EXACT, f"what is not written as a {kind} makes a dead letter"


def _besides(kind: str) -> str:
    return _ERA if kind.startswith(("DATE", "TIMESTAMP")) else _FINITE if kind in {"FLOAT", "DOUBLE"} else ""


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return connection.execute(sql).fetchall()
