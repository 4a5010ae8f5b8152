"""What PostgreSQL's catalogue says of a relation, and how each column is written so that nothing of it is lost on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.connectors.postgres.fidelity import FLOATS, HELD, PgType
from xde.ground.errors import UserError
from xde.ground.findings import Finding, Severity
from xde.ground.names import literal, quoted
from xde.ground.records import dataclass
from xde.lifecycle.sources.rows import BLOBS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    import psycopg

    from xde.lifecycle.sources.tables import Ask, AskedColumn

STORED = {"r", "p"}  # ordinary and partitioned tables: their rows know the transaction that wrote them
_COLUMNS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), t.typname, t.typcategory, format_type(below.type, below.modifier)
FROM pg_attribute AS a
CROSS JOIN LATERAL (
  WITH RECURSIVE down (type, modifier, depth) AS (
    SELECT a.atttypid, a.atttypmod, 0
    UNION ALL SELECT d.typbasetype, d.typtypmod, depth + 1 FROM down JOIN pg_type AS d ON d.oid = down.type WHERE d.typtype = 'd'
  ) SELECT type, modifier FROM down ORDER BY depth DESC LIMIT 1
) AS below
JOIN pg_type AS t ON t.oid = below.type
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
_TYPES = """
SELECT t.oid, format_type(t.oid, NULL), coalesce(b.typname, t.typname), t.typcategory
FROM pg_type AS t LEFT JOIN pg_type AS b ON b.oid = t.typbasetype AND t.typtype = 'd'
WHERE t.oid = ANY(%s)
"""
_LEAVES = """
SELECT c.oid::bigint, c.relfilenode::bigint FROM pg_class AS c
WHERE c.oid = %(oid)s OR c.oid IN (SELECT relid FROM pg_partition_tree(%(oid)s))
"""


@dataclass(frozen=True, slots=True)
class Described:
    """A relation: its columns; of a stored table also its number and which file each of its parts is in."""

    columns: Mapping[str, PgType]
    oid: int = 0
    stored: bool = False
    files: Mapping[str, int] | None = None
    pages: int = 0


def relation(ask: Ask) -> str:
    """The relation in SQL."""
    if ask.query is not None:
        return f"({ask.query}\n) AS asked"
    return name_of(ask)


def name_of(ask: Ask) -> str:
    """The table with its schema: the one that it is written with, or that of the server."""
    schema, dot, table = ask.relation.rpartition(".")
    place = schema if dot else ask.place.settings.get("schema", "public")
    return f"{quoted(place)}.{quoted(table)}"


def describe(cursor: psycopg.Cursor[Any], ask: Ask) -> Described:
    """The relation as it is now; one that is not there raises `UserError`."""
    return _of_query(cursor, ask) if ask.query is not None else _of_table(cursor, ask)


def _of_query(cursor: psycopg.Cursor[Any], ask: Ask) -> Described:
    cursor.execute(f"SELECT * FROM {relation(ask)} LIMIT 0".encode())
    given = [(c.name, c.type_code) for c in cursor.description or ()]
    types = types_of(cursor, [code for _, code in given])
    return Described({name: types[code] for name, code in given})


def types_of(cursor: psycopg.Cursor[Any], oids: Sequence[int]) -> Mapping[int, PgType]:
    """Types by their numbers; one that is gone is read as text."""
    cursor.execute(_TYPES, (list(oids),))
    return dict.fromkeys(oids, PgType("text", "text", "S")) | {oid: PgType(*rest) for oid, *rest in cursor.fetchall()}


def _of_table(cursor: psycopg.Cursor[Any], ask: Ask) -> Described:
    cursor.execute(
        "SELECT c.oid::bigint, c.relkind::text, pg_relation_size(c.oid) / current_setting('block_size')::int "
        "FROM pg_class AS c WHERE c.oid = to_regclass(%s)",
        (name_of(ask),),
    )
    row = cursor.fetchone()
    if row is None:
        hint = "mend `physicalName` in the contract, or `schema` of its server"
        raise UserError(Finding("XDE0482", f"there is no table `{ask.relation}`", ask.span, "no such table", hint=hint))
    oid, kind, pages = int(row[0]), str(row[1]), int(row[2])
    cursor.execute(_COLUMNS, (oid,))
    columns = {name: PgType(*rest) for name, *rest in cursor.fetchall()}
    if kind not in STORED:
        return Described(columns, oid)
    cursor.execute(_LEAVES, {"oid": oid})
    files = {str(part): int(file) for part, file in cursor.fetchall()}
    return Described(columns, oid, stored=True, files=files, pages=pages if kind == "r" else 0)


def written(column: AskedColumn, of: PgType) -> str:
    """The SQL of a column as text that the loader takes for the very same value."""
    name = quoted(column.name)
    kind = column.type.strip().upper()
    if of.name == "bytea" and kind in BLOBS:
        return f"regexp_replace(encode({name}, 'hex'), '(..)', {literal(chr(92) + 'x' + chr(92) + '1')}, 'g')"
    if of.name in {"json", "jsonb"}:
        return f"{name}::text"
    if of.category in {"A", "C"} or kind.endswith("[]") or kind.startswith(("STRUCT(", "MAP(")):
        return f"to_json({name})::text"
    return f"{name}::text" if of.name == "bool" else name


def inexact(ask: Ask, described: Described) -> list[Finding]:
    """Numbers that the contract's type cannot hold with all of their digits: the loader sees no wrong in them, and they are rounded."""
    found = []
    for column in ask.columns:
        kind, of = column.type.strip().upper(), described.columns[column.name]
        if kind in FLOATS and of.category == "N" and of.name not in HELD[kind]:
            why = f"it is {of.shown} in the database, and a {kind} keeps {15 if kind == 'DOUBLE' else 6} digits"
            hint = "give it a `physicalType` that holds them, such as `DECIMAL(18,4)` or `BIGINT`"
            told = f"numbers in `{column.name}` of `{ask.dataset}` are rounded"
            found.append(Finding("XDE0489", told, ask.span, "", why, hint, Severity.WARNING))
    return found
