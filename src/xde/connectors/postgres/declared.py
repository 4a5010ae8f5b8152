"""What PostgreSQL's catalogue declares of a table: keys, references, comments, labels; read with the table's rights, nothing locked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xde.connectors.postgres.catalogue import STORED, describe, name_of
from xde.connectors.postgres.fidelity import kept
from xde.kernel.project.catalogues import Declared, DeclaredColumn, DeclaredReference

if TYPE_CHECKING:
    import psycopg

    from xde.connectors.postgres.catalogue import Described
    from xde.lifecycle.sources.tables import Ask

KINDS = {"r": "table", "p": "partitioned table", "v": "view", "m": "materialized view", "f": "foreign table"}
_RELATIONS = """
SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
  AND EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    AND has_column_privilege(c.oid, a.attnum, 'SELECT'))
  AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.relname
"""
_TABLE = """
SELECT c.relkind::text, coalesce(obj_description(c.oid, 'pg_class'), ''), c.reltuples::float8,
  pg_relation_size(c.oid) / current_setting('block_size')::int,
  CASE WHEN c.relkind IN ('r', 'p')
    THEN has_column_privilege(c.oid, 'xmin', 'SELECT') AND has_column_privilege(c.oid, 'tableoid', 'SELECT') END
FROM pg_class AS c WHERE c.oid = %s
"""
_COLUMNS = """
SELECT a.attname, a.attnotnull OR t.typnotnull, coalesce(col_description(a.attrelid, a.attnum), ''),
  a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%%', false),
  (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum AS e WHERE e.enumtypid IN (a.atttypid, t.typbasetype)),
  substring(format_type(coalesce(nullif(t.typbasetype, 0), t.oid), CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END)
    FROM '^character varying\\((\\d+)\\)$')::int,
  has_column_privilege(a.attrelid, a.attnum, 'SELECT')
FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_KEYS = """
SELECT i.indisprimary, (SELECT array_agg(a.attname::text ORDER BY k.place)
  FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
  JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number WHERE k.place <= i.indnkeyatts)
FROM pg_index AS i
WHERE i.indrelid = %s AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
ORDER BY i.indisprimary DESC, i.indexrelid
"""
_REFERENCES = """
SELECT array(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k (number, place)
    JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.number ORDER BY k.place),
  n.nspname::text, t.relname::text,
  array(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY AS k (number, place)
    JOIN pg_attribute AS a ON a.attrelid = c.confrelid AND a.attnum = k.number ORDER BY k.place)
FROM pg_constraint AS c JOIN pg_class AS t ON t.oid = c.confrelid JOIN pg_namespace AS n ON n.oid = t.relnamespace
WHERE c.conrelid = %s AND c.contype = 'f' AND c.conparentid = 0 ORDER BY c.conname
"""
_RULES = "SELECT pg_get_constraintdef(oid, true) FROM pg_constraint WHERE conrelid = %s AND contype IN ('c', 'x') ORDER BY conname"


def relations(cursor: psycopg.Cursor[Any], ask: Ask) -> list[str]:
    """The tables and views of a schema of which something may be read; partitions of a table and what extensions bring are left out."""
    cursor.execute(_RELATIONS, (_schema(ask),))
    return [str(name) for (name,) in cursor.fetchall()]


def declared(cursor: psycopg.Cursor[Any], ask: Ask, enough: int) -> Declared:
    """What the catalogue says of a table now."""
    described = describe(cursor, ask)
    cursor.execute(_TABLE, (described.oid,))
    kind, comment, guess, pages, told = cursor.fetchone() or ("r", "", -1.0, 0, False)
    columns = _columns(cursor, ask, described)
    cursor.execute(_KEYS, (described.oid,))
    keys = [(bool(primary), tuple(names or ())) for primary, names in cursor.fetchall()]
    cursor.execute(_REFERENCES, (described.oid,))
    references = tuple(
        DeclaredReference(tuple(own), table if schema == _schema(ask) else f"{schema}.{table}", tuple(theirs))
        for own, schema, table, theirs in cursor.fetchall()
    )
    cursor.execute(_RULES, (described.oid,))
    rules = tuple(str(rule) for (rule,) in cursor.fetchall())
    rows, about = counted(cursor, ask, enough, float(guess))
    return Declared(
        ask.relation,
        KINDS.get(kind, "table"),
        columns,
        comment,
        next((names for primary, names in keys if primary), ()),
        tuple(names for primary, names in keys if not primary and names),
        references,
        rules,
        rows,
        about,
        changes=kind in STORED and bool(told),
        lag="" if kind in STORED else "PT1H",
        blocks=int(pages) if kind in {"r", "m"} else 0,
        reader="COPY",
    )


def counted(cursor: psycopg.Cursor[Any], ask: Ask, enough: int, guess: float) -> tuple[int, bool]:
    """How many rows there are: counted up to a number that is enough, else what the last `ANALYZE` knew, else counted after all."""
    cursor.execute(f"SELECT count(*) FROM (SELECT FROM {name_of(ask)} LIMIT {enough + 1}) AS looked_at".encode())
    (some,) = cursor.fetchone() or (0,)
    if some <= enough:
        return int(some), False
    if guess > enough:
        return int(guess), True
    cursor.execute(f"SELECT count(*) FROM {name_of(ask)}".encode())
    (whole,) = cursor.fetchone() or (0,)
    return int(whole), False


def _columns(cursor: psycopg.Cursor[Any], ask: Ask, described: Described) -> tuple[DeclaredColumn, ...]:
    wanted = {n: c.type for c in ask.columns for n in (c.name, *c.also)}
    cursor.execute(_COLUMNS, (described.oid,))
    found = []
    for name, required, comment, grows, values, length, readable in cursor.fetchall():
        if readable and (not wanted or name in wanted):
            of = described.columns[name]
            how = kept(of, wanted.get(name, ""))
            found.append(DeclaredColumn(name, of.shown, how, bool(required), comment, tuple(values or ()), bool(grows), length))
    return tuple(found)


def _schema(ask: Ask) -> str:
    return ask.relation.rpartition(".")[0] or ask.place.settings.get("schema", "public")


def sampled(ask: Ask, described: Described) -> tuple[str, str]:
    """What stands after the relation, and the condition, where only some of the rows are read."""
    if ask.sample is None:
        return "", ""
    if described.stored and ask.query is None:
        way = "SYSTEM" if ask.sample.blocks else "BERNOULLI"
        return f" TABLESAMPLE {way} ({100 * ask.sample.share:.9f}) REPEATABLE ({ask.sample.seed})", ""
    return "", f"random() < {ask.sample.share:.12f}"
