"""What a server, a publication and a table must be like for a capture: each with the SQL that mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from xde.connectors.postgres.capture import slots
from xde.connectors.postgres.catalogue import name_of
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import quoted
from xde.lifecycle.sources.tables import Looked

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from xde.lifecycle.sources.tables import Ask

_SERVER = """
SELECT current_setting('wal_level'), current_user::text,
  EXISTS (SELECT 1 FROM pg_roles WHERE rolname = current_user AND (rolreplication OR rolsuper))
    OR EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'rds_replication' AND pg_has_role(current_user, oid, 'member')),
  current_setting('max_replication_slots')::int - (SELECT count(*) FROM pg_replication_slots),
  current_setting('max_slot_wal_keep_size')
"""
_PUBLICATION = """
SELECT p.oid::text || ':' || p.xmin::text, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, p.pubviaroot,
  EXISTS (SELECT 1 FROM pg_publication_tables AS t JOIN pg_class AS c ON c.relname = t.tablename JOIN pg_namespace AS n
    ON n.oid = c.relnamespace AND n.nspname = t.schemaname WHERE t.pubname = p.pubname AND c.oid = %(oid)s),
  (SELECT string_agg(r.oid::text || ':' || r.xmin::text, ',' ORDER BY r.oid) FROM pg_publication_rel AS r
    WHERE r.prpubid = p.oid AND r.prrelid = %(oid)s),
  (SELECT bool_or(to_jsonb(r) ->> 'prqual' IS NOT NULL) FROM pg_publication_rel AS r WHERE r.prpubid = p.oid AND r.prrelid = %(oid)s)
FROM pg_publication AS p WHERE p.pubname = %(name)s
"""
_TABLE = """
SELECT c.relkind::text, c.relpersistence::text, c.relreplident::text, row_security_active(c.oid)
FROM pg_class AS c WHERE c.oid = %s
"""
_IDENTITY = """
SELECT a.attname::text FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
JOIN pg_class AS c ON c.oid = i.indrelid
WHERE i.indrelid = %s AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END
"""
_UNTOLD = """
SELECT a.attname::text FROM pg_attribute AS a
WHERE a.attrelid = %(oid)s AND a.attname::text = ANY(%(names)s) AND NOT a.attisdropped
AND (a.attgenerated <> ''
  OR EXISTS (SELECT 1 FROM pg_publication AS p JOIN pg_publication_rel AS r ON r.prpubid = p.oid
    WHERE p.pubname = %(publication)s AND r.prrelid = %(oid)s AND to_jsonb(r) ->> 'prattrs' IS NOT NULL
      AND NOT a.attnum::text = ANY(string_to_array(to_jsonb(r) ->> 'prattrs', ' '))))
"""


class Needed(NamedTuple):
    """One thing that was looked at, and the code of the finding where it is not in order."""

    code: str
    looked: Looked


def signature(cursor: psycopg.Cursor[Any], ask: Ask, oid: int) -> str:
    """Which publication has the table, and since which change of it: changes in a time when it had not are in no log."""
    row = _publication(cursor, ask, oid)
    return f"{row[0]}/{row[7] or ''}" if row is not None else ""


def demand(cursor: psycopg.Cursor[Any], ask: Ask, oid: int, *, first: bool) -> None:
    """Raise `UserError` for the first thing that is not in order."""
    for code, looked in needed(cursor, ask, oid, first=first):
        if not looked.well:
            raise UserError(
                Finding(
                    code, f"`{ask.relation}` cannot be captured: {looked.what} {looked.told}", ask.span, "not captured", hint=looked.mend
                )
            )


def needed(cursor: psycopg.Cursor[Any], ask: Ask, oid: int, *, first: bool) -> Iterator[Needed]:
    """All that is looked at, in the order in which it is to be mended."""
    yield from _server(cursor, ask, first=first)
    yield from _published(cursor, ask, oid)
    yield from _table(cursor, ask, oid)


def _server(cursor: psycopg.Cursor[Any], ask: Ask, *, first: bool) -> Iterator[Needed]:
    cursor.execute(_SERVER)
    level, user, allowed, free, keep = cursor.fetchone() or ("", "", False, 0, "")
    yield _so("wal_level", level == "logical", level, f"is `{level}`", "run: ALTER SYSTEM SET wal_level = logical; and restart the server")
    mend = f"run as a superuser: ALTER ROLE {quoted(user)} REPLICATION"
    yield _so("replication", allowed, f"as `{user}`", f"may not be done by `{user}`", mend)
    if first:
        mend = "drop one that nobody reads, or run: ALTER SYSTEM SET max_replication_slots = ...; and restart the server"
        yield _so("free slots", free > 0, str(free), "are all taken", mend)
    told = "without a limit: a slot that is forgotten fills its disk" if keep == "-1" else f"up to {keep}"
    yield Needed("", Looked("log kept for slots", well=True, told=told))
    for slot in slots.kin(cursor, ask):
        yield Needed("", Looked(f"slot `{slot.name}`", well=True, told=f"{slot.status}, holds back {slot.held:,} bytes"))


def _publication(cursor: psycopg.Cursor[Any], ask: Ask, oid: int) -> tuple[Any, ...] | None:
    cursor.execute(_PUBLICATION, {"oid": oid, "name": ask.capture.publication if ask.capture else ""})
    return cursor.fetchone()


def _published(cursor: psycopg.Cursor[Any], ask: Ask, oid: int) -> Iterator[Needed]:
    publication = quoted(ask.capture.publication) if ask.capture else ""
    wrong = _unpublished(cursor, ask, oid, publication)
    if wrong is not None:
        yield _not(f"publication {publication}", *wrong)
    else:
        yield Needed("", Looked(f"publication {publication}", well=True, told=f"tells of all changes of `{ask.relation}`"))


def _unpublished(cursor: psycopg.Cursor[Any], ask: Ask, oid: int, publication: str) -> tuple[str, str] | None:
    """What a publication does not tell of, and what mends it."""
    table, row = name_of(ask), _publication(cursor, ask, oid)
    altered = f"run: ALTER PUBLICATION {publication}"
    if row is None:
        how = f"CREATE PUBLICATION {publication} FOR TABLE {table} WITH (publish_via_partition_root = true)"
        return "is not there", f"let the owner of the table run: {how}"
    _, *does, via_root, has, _, filtered = row
    if not all(does):
        return "leaves some kinds of changes out", f"{altered} SET (publish = 'insert, update, delete, truncate')"
    cursor.execute(_TABLE, (oid,))
    kind = (cursor.fetchone() or ("",))[0]
    if kind == "p" and not via_root:
        return "tells of partitions and not of the table", f"{altered} SET (publish_via_partition_root = true)"
    if not has:
        return f"does not have `{ask.relation}`", f"{altered} ADD TABLE {table}"
    if filtered:
        return "tells of some rows alone", f"{altered} DROP TABLE {table}; ALTER PUBLICATION {publication} ADD TABLE {table}"
    names = [c.name for c in ask.columns]
    cursor.execute(_UNTOLD, {"oid": oid, "names": names, "publication": ask.capture.publication if ask.capture else ""})
    if untold := {str(n) for (n,) in cursor.fetchall()}:
        mend = "leave them out of the contract (what is computed can be computed by a model), or name all columns in the publication"
        return f"does not tell of {_names(untold)}", mend
    return None


def _table(cursor: psycopg.Cursor[Any], ask: Ask, oid: int) -> Iterator[Needed]:
    cursor.execute(_TABLE, (oid,))
    kind, persistence, identity, secured = cursor.fetchone() or ("", "", "", False)
    if kind not in {"r", "p"}:
        yield _not("table", "is a view or foreign, and stands in no log", "name a table as its `physicalName`")
    elif persistence != "p":
        yield _not("table", "is `UNLOGGED`", f"run: ALTER TABLE {name_of(ask)} SET LOGGED")
    elif secured:
        mend = "read as a user who may see all rows: ALTER ROLE ... BYPASSRLS"
        yield _not("row security", "hides rows from a query, and not from the log", mend)
    yield _identity(cursor, ask, oid, identity)


def _identity(cursor: psycopg.Cursor[Any], ask: Ask, oid: int, identity: str) -> Needed:
    cursor.execute(_IDENTITY, (oid,))
    known = {str(n) for (n,) in cursor.fetchall()}
    wanted = set(ask.capture.key or ()) if ask.capture else set()
    told, mend = "the whole row" if identity == "f" else ", ".join(sorted(known)), ""
    if identity != "f":
        if missing := wanted - known:
            told = f"tells of a row that is changed or deleted {told or 'nothing'}, and not {_names(missing)}"
        elif not known:
            told = "tells nothing of a row that is changed or deleted"
        elif unknown := known - {c.name for c in ask.columns}:
            told, mend = f"has {_names(unknown)}, which the contract does not name", "add it to the contract"
        else:
            return Needed("", Looked("replica identity", well=True, told=told))
        how = f"ALTER TABLE {name_of(ask)} REPLICA IDENTITY FULL (or USING INDEX of a unique index of the contract's key)"
        return Needed("XDE0428", Looked("replica identity", well=False, told=told, mend=mend or f"let the owner of the table run: {how}"))
    return Needed("", Looked("replica identity", well=True, told=told))


def _names(names: set[str]) -> str:
    return ", ".join(f"`{n}`" for n in sorted(names))


def _so(what: str, well: object, right: str, wrong: str, mend: str) -> Needed:
    return Needed("", Looked(what, well=True, told=right)) if well else _not(what, wrong, mend)


def _not(what: str, wrong: str, mend: str) -> Needed:
    return Needed("XDE0427", Looked(what, well=False, told=wrong, mend=mend))
