"""What a database declares of a table, by SQLAlchemy's inspector; of MySQL and MariaDB with what its driver makes of each type."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, inspect, literal_column, select, text, types
from sqlalchemy.dialects import mysql as own

from xde.kernel.project.catalogues import Arrival, Declared, DeclaredColumn, DeclaredReference, Kept

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, FromClause
    from sqlalchemy.engine import Connection, Inspector

    from xde.lifecycle.sources.tables import Ask

MOST_DIGITS = 38
_SIX = "MySQL gives six digits of a FLOAT"
_ZERO = "`0000-00-00` makes a dead letter"
_FLOATS = {"DOUBLE": 15, "FLOAT": 6, "REAL": 6}
_MYSQL_INTS: Mapping[type[types.TypeEngine[Any]], str] = {
    own.TINYINT: "TINYINT",
    own.SMALLINT: "SMALLINT",
    own.MEDIUMINT: "INTEGER",
    own.INTEGER: "INTEGER",
    own.BIGINT: "BIGINT",
}


def relations(connection: Connection, ask: Ask) -> list[str]:
    """The tables and views of a database, or of its schema."""
    seen: Inspector = inspect(connection)
    schema = ask.place.settings.get("schema") or None
    return sorted({*seen.get_table_names(schema), *seen.get_view_names(schema)})


def declared(connection: Connection, ask: Ask, of: FromClause, lag: str, enough: int) -> Declared:
    """What the catalogue says of a table; what a dialect does not tell is not told here."""
    seen: Inspector = inspect(connection)
    within, _, table = ask.relation.rpartition(".")
    schema = within or ask.place.settings.get("schema") or None
    wanted = {n.casefold(): c.type for c in ask.columns for n in (c.name, *c.also)}
    is_mysql = connection.dialect.name in {"mysql", "mariadb"}
    is_view = table in seen.get_view_names(schema)
    columns = tuple(
        _column(dict(c), wanted.get(c["name"].casefold(), ""), is_mysql=is_mysql)
        for c in (_view_columns(connection, table, schema) if is_mysql and is_view else seen.get_columns(table, schema))
        if not wanted or c["name"].casefold() in wanted
    )
    if is_view:
        return Declared(ask.relation, "view", columns, rows=_counted(connection, of), lag=lag, reader=_reader(connection))
    rows, about = _about(connection, of, table, schema, enough) if is_mysql else (_counted(connection, of), False)
    references = tuple(
        DeclaredReference(
            tuple(r["constrained_columns"]),
            r["referred_table"] if r["referred_schema"] in {None, schema} else f"{r['referred_schema']}.{r['referred_table']}",
            tuple(r["referred_columns"]),
        )
        for r in _told(seen.get_foreign_keys, table, schema)
    )
    comment = _told(seen.get_table_comment, table, schema)
    primary = _told(seen.get_pk_constraint, table, schema)
    return Declared(
        ask.relation,
        "table",
        columns,
        str(comment.get("text") or "") if comment else "",
        tuple(primary.get("constrained_columns") or ()) if primary else (),
        tuple(tuple(u["column_names"]) for u in _told(seen.get_unique_constraints, table, schema)),
        references,
        tuple(f"CHECK ({r['sqltext']})" for r in _told(seen.get_check_constraints, table, schema)),
        rows=rows,
        about=about,
        lag=lag,
        reader=_reader(connection),
    )


def _counted(connection: Connection, of: FromClause) -> int:
    return int(connection.execute(select(func.count()).select_from(of)).scalar() or 0)


def _about(connection: Connection, of: FromClause, table: str, schema: str | None, enough: int) -> tuple[int, bool]:
    """How many rows there are in MySQL: counted up to a number that is enough, else what the server estimates."""
    some = connection.execute(
        select(func.count()).select_from(select(literal_column("1")).select_from(of).limit(enough + 1).subquery())
    ).scalar()
    if some is not None and some <= enough:
        return int(some), False
    query = text(
        "SELECT table_rows FROM information_schema.tables WHERE table_schema = coalesce(:schema, database()) AND table_name = :name"
    )
    guess = connection.execute(query, {"schema": schema, "name": table}).scalar()
    return (int(guess), True) if guess is not None and int(guess) > enough else (_counted(connection, of), False)


def _reader(connection: Connection) -> str:
    return f"SQLAlchemy {connection.dialect.name}+{connection.dialect.driver}"


def _view_columns(connection: Connection, table: str, schema: str | None) -> Iterator[Mapping[str, Any]]:
    """The columns of a view of MySQL: the inspector asks for its text, which takes the right `SHOW VIEW`."""
    query = text(
        "SELECT column_name, data_type, column_type, is_nullable, numeric_precision, numeric_scale FROM information_schema.columns "
        "WHERE table_schema = coalesce(:schema, database()) AND table_name = :name ORDER BY ordinal_position"
    )
    for name, word, whole, nullable, precision, scale in connection.execute(query, {"schema": schema, "name": table}):
        of: Any = getattr(own, str(word).upper(), types.NullType)
        given: dict[str, Any] = {}
        if issubclass(of, types.Numeric) and not issubclass(of, own.FLOAT | own.DOUBLE):
            given = {"precision": precision, "scale": scale}
        elif of is own.BIT:
            given = {"length": precision}
        elif issubclass(of, types.Integer) and "unsigned" in str(whole):
            given = {"unsigned": True}
        yield {"name": name, "type": of(**given), "nullable": nullable == "YES"}


def chance(ask: Ask, connection: Connection) -> ColumnElement[Any] | None:
    """The condition of a row that is looked at, where only some are, and the database can throw dice; else all of them are read."""
    if ask.sample is None or connection.dialect.name not in {"mysql", "mariadb"}:
        return None
    return literal_column("rand()") < ask.sample.share


def some_of(ask: Ask, blocks: Iterator[Sequence[Any]], connection: Connection) -> Iterator[Sequence[Any]]:
    """Blocks of rows, of which only some are kept where the database could not throw the dice."""
    if ask.sample is None or chance(ask, connection) is not None:
        return blocks
    dice, share = random.Random(ask.sample.seed), ask.sample.share  # noqa: S311 - no secret hangs on it
    return ([row for row in rows if dice.random() < share] for rows in blocks)


def _told(ask: Any, table: str, schema: str | None) -> Any:  # noqa: ANN401 - a method of the inspector, and what it gives
    try:
        return ask(table, schema)
    except NotImplementedError:
        return ()


def _column(told: Mapping[str, Any], wanted: str, *, is_mysql: bool) -> DeclaredColumn:
    of = told["type"]
    name = str(of) if not isinstance(of, types.NullType) else "unknown"
    kept = _as(of, wanted, is_mysql=is_mysql) if wanted else _kept(of, is_mysql=is_mysql)
    values = tuple(getattr(of, "enums", ())) if isinstance(of, types.Enum) else ()
    length = of.length if isinstance(of, types.String) and isinstance(of, types.VARCHAR | types.CHAR) and not values else None
    grows = told.get("autoincrement") is True
    comment = str(told.get("comment") or "")
    return DeclaredColumn(str(told["name"]), name, kept, not told["nullable"], comment, values, grows, length, proved=is_mysql)


_PLAIN: tuple[tuple[tuple[type[types.TypeEngine[Any]], ...], str], ...] = (
    ((types.Boolean,), "BOOLEAN"),
    ((types.SmallInteger,), "SMALLINT"),
    ((types.Integer,), "BIGINT"),
    ((types.Double, types.Float), "DOUBLE"),
    ((types.Date,), "DATE"),
    ((types.LargeBinary, types.BINARY, types.VARBINARY), "BLOB"),
    ((types.String,), "VARCHAR"),
)


def _kept(of: types.TypeEngine[Any], *, is_mysql: bool) -> Kept:
    """The type that loses nothing."""
    found = _of_mysql(of) if is_mysql else None
    if found is not None:
        return found
    if isinstance(of, types.Numeric) and not isinstance(of, types.Float | types.Double):
        return _decimal(of)
    if isinstance(of, types.DateTime):
        return Kept("TIMESTAMP WITH TIME ZONE" if of.timezone else "TIMESTAMP", Arrival.EXACT, _ZERO if is_mysql else "")
    if isinstance(of, types.Time) and not is_mysql:
        return Kept("TIME")
    word = next((word for kinds, word in _PLAIN if isinstance(of, kinds)), None)
    if word is not None:
        besides = {"DOUBLE": "`NaN` and `Infinity` make dead letters", "DATE": _ZERO if is_mysql else ""}
        return Kept(word, Arrival.EXACT, besides.get(word, ""))
    if isinstance(of, types.JSON):
        return Kept("VARCHAR", Arrival.AS_TEXT, "its text" if is_mysql else "as the driver gives it, in words of JSON")
    return Kept("VARCHAR", Arrival.AS_TEXT, "more than a day, or less than nothing, is no TIME" if isinstance(of, types.Time) else "")


def _of_mysql(of: types.TypeEngine[Any]) -> Kept | None:
    if isinstance(of, own.FLOAT):
        return Kept("FLOAT", Arrival.ROUNDED, _SIX)
    if isinstance(of, own.BIT):
        return Kept("BIGINT" if (of.length or 1) < 64 else "UBIGINT", Arrival.EXACT, "its number")
    if isinstance(of, own.YEAR):
        return Kept("SMALLINT")
    if isinstance(of, own.TIMESTAMP):
        return Kept("TIMESTAMP", Arrival.EXACT, f"in UTC; {_ZERO}")
    whole = next((word for kind, word in _MYSQL_INTS.items() if type(of) is kind), None)
    if whole is not None:
        return Kept(f"U{whole}" if getattr(of, "unsigned", False) else whole)
    if isinstance(of, own.SET):
        return Kept("VARCHAR", Arrival.AS_TEXT, "its members, with commas between")
    return None


def _decimal(of: types.Numeric[Any]) -> Kept:
    if of.precision is not None and 0 < of.precision <= MOST_DIGITS and (of.scale or 0) <= of.precision:
        return Kept(f"DECIMAL({of.precision},{of.scale or 0})")
    why = f"all digits: {MOST_DIGITS} is the most that a DECIMAL has" if of.precision else "all digits: its type does not say how many"
    return Kept("VARCHAR", Arrival.AS_TEXT, why)


def _as(of: types.TypeEngine[Any], wanted: str, *, is_mysql: bool) -> Kept:
    """What becomes of it as the type that a contract wants."""
    kind, best = wanted.strip().upper(), _kept(of, is_mysql=is_mysql)
    if best.arrival is Arrival.ROUNDED:
        return Kept(wanted, Arrival.ROUNDED, best.why)
    if kind == best.type:
        return Kept(wanted, best.arrival, best.why)
    if kind in {"VARCHAR", "TEXT", "STRING"}:
        return Kept(wanted, Arrival.AS_TEXT, best.why)
    if kind in _FLOATS and (best.type.startswith(("DECIMAL", "BIGINT", "UBIGINT")) or isinstance(of, types.Numeric)):
        return Kept(wanted, Arrival.EXACT if best.type == "DOUBLE" == kind else Arrival.ROUNDED, f"a {kind} keeps {_FLOATS[kind]} digits")
    return Kept(wanted, Arrival.EXACT, f"what is not written as a {kind} makes a dead letter")
