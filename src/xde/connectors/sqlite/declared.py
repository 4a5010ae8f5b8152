"""What an SQLite file declares of a table, which binds nobody: any value may stand in any column, so that the data has to prove a type."""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING

from xde.ground.names import literal, quoted
from xde.kernel.project.catalogues import Arrival, Declared, DeclaredColumn, DeclaredReference, Kept

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from xde.lifecycle.sources.tables import Ask

_DECIMAL = re.compile(r"(?:DECIMAL|NUMERIC)\((\d+)(?:, *(\d+))?\)\Z")
_LENGTH = re.compile(r"(?:VAR)?N?V?ARCHAR[0-9]?\((\d+)\)\Z|CHAR\((\d+)\)\Z")
_WORDS = (
    (re.compile("INT"), "BIGINT"),
    (re.compile("CHAR|CLOB|TEXT"), "VARCHAR"),
    (re.compile("BLOB"), "BLOB"),
    (re.compile("REAL|FLOA|DOUB"), "DOUBLE"),
    (re.compile("BOOL"), "BOOLEAN"),
    (re.compile("TIMESTAMP|DATETIME"), "TIMESTAMP"),
    (re.compile("DATE"), "DATE"),
)
"""What a declared type is about, in the order of https://www.sqlite.org/datatype3.html (3.1), and the names of times."""


def relations(connection: sqlite3.Connection) -> list[str]:
    """The tables and views of a file."""
    sql = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
    return [str(name) for (name,) in connection.execute(sql)]


def declared(connection: sqlite3.Connection, ask: Ask) -> Declared:
    """What stands in the schema of a file."""
    wanted = {n.casefold(): c.type for c in ask.columns for n in (c.name, *c.also)}
    table = quoted(ask.relation)
    shown = [r for r in _asked(connection, f"PRAGMA table_xinfo({table})") if r[6] != 1]  # with generated columns, without hidden ones
    places = {str(r[1]): int(str(r[5])) for r in shown if r[5]}
    key = tuple(sorted(places, key=places.__getitem__))
    rowid = key[0] if len(key) == 1 and any(str(r[2]).upper() == "INTEGER" for r in shown if r[5]) else None
    columns = tuple(
        _column(str(name), str(kind), wanted.get(str(name).casefold(), ""), needed=bool(needed), grows=str(name) == rowid)
        for _, name, kind, needed, *_ in shown
        if not wanted or str(name).casefold() in wanted
    )
    kinds = _asked(connection, f"SELECT type FROM sqlite_master WHERE name = {literal(ask.relation)}")
    (rows,) = _asked(connection, f"SELECT count(*) FROM {table}")
    return Declared(
        ask.relation,
        str(kinds[0][0]) if kinds else "table",
        columns,
        key=key,
        unique=_unique(connection, table),
        references=_references(connection, ask.relation),
        rows=int(str(rows[0])),
        reader="sqlite3",
    )


def chance(ask: Ask) -> str:
    """The condition of a row that is looked at, where only some are; empty: all."""
    return f"(random() & 1073741823) < {int(ask.sample.share * (1 << 30))}" if ask.sample is not None else ""


def _column(name: str, told: str, wanted: str, *, needed: bool, grows: bool) -> DeclaredColumn:
    kind = told.upper().strip()
    needed = needed or grows
    if wanted:
        kept = Kept(wanted, Arrival.EXACT, f"what is no {wanted.upper()} makes a dead letter")
        return DeclaredColumn(name, told or "any", kept, needed, grows=grows)
    found = _LENGTH.match(kind)
    length = int(found[1] or found[2]) if found else None
    of = _type(kind)
    why = "bytes that are no text make a dead letter" if of == "VARCHAR" else "the file holds nobody to it: other values make dead letters"
    kept = Kept(of, Arrival.EXACT, "" if grows or of == "BLOB" else why)
    return DeclaredColumn(name, told or "any", kept, needed, grows=grows, length=length, proved=grows)


def _type(kind: str) -> str:
    decimal = _DECIMAL.match(kind)
    if decimal is not None and int(decimal[1]) <= 38:
        return f"DECIMAL({decimal[1]},{decimal[2] or 0})"
    return next((of for form, of in _WORDS if form.search(kind)), "VARCHAR")


def _unique(connection: sqlite3.Connection, table: str) -> tuple[tuple[str, ...], ...]:
    found = []
    for _, name, unique, origin, partial, *_ in _asked(connection, f"PRAGMA index_list({table})"):
        names = [r[2] for r in _asked(connection, f"PRAGMA index_info({quoted(str(name))})")]
        if unique and not partial and origin != "pk" and None not in names:
            found.append(tuple(str(n) for n in names))
    return tuple(found)


def _references(connection: sqlite3.Connection, relation: str) -> tuple[DeclaredReference, ...]:
    found: dict[object, tuple[str, list[str], list[str]]] = {}
    for number, _, table, own, theirs, *_ in _asked(connection, f"PRAGMA foreign_key_list({quoted(relation)})"):
        _, columns, to = found.setdefault(number, (str(table), [], []))
        columns.append(str(own))
        to += [str(theirs)] if theirs is not None else _first_key(connection, str(table))
    return tuple(DeclaredReference(tuple(own), table, tuple(to)) for table, own, to in found.values() if len(own) == len(to))


def _first_key(connection: sqlite3.Connection, table: str) -> list[str]:
    return [str(r[1]) for r in _asked(connection, f"PRAGMA table_info({quoted(table)})") if r[5]]


def _asked(connection: sqlite3.Connection, sql: str) -> Sequence[tuple[object, ...]]:
    with closing(connection.execute(sql)) as cursor:
        return cursor.fetchall()
