"""What a draft says of a database: its server, with a password by reference, and of each table which rows are read, and how gently."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xde.undercurrents.management.contract_drafts.scalars import comment, flow, scalar

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from xde.undercurrents.management.profiling.facts import ColumnFacts, Origin, TableProfile

_TYPES = {"sqlite": "custom", "sqlalchemy": "custom"}
_FIELDS = ("host", "port", "database", "schema")
_OWN = {"user": "xdeUser", "password": "xdePassword", "sslMode": "xdeSslMode", "url": "xdeUrl"}
_CHANGED = re.compile(r"(updated?|modified|changed?|last_?(updated?|changed?|modified|write))(_?(at|on|date|time|ts|timestamp))?\Z|mtime\Z")
NUMBERS_BEHIND = 10_000  # how far below the last number late rows may come, where nobody knows
SECONDS = 3600
"""A statement of a load that takes longer is given up, where nobody says otherwise."""
FILES = frozenset({"sqlite", "duckdb"})


@dataclass(frozen=True, slots=True)
class Server:
    """A database as a contract writes it: its kind, and what says where it is; what is secret is a reference."""

    kind: str
    settings: tuple[tuple[str, str], ...]

    @property
    def is_file(self) -> bool:
        """Whether it is a file, and no server that has others to serve."""
        return self.kind in FILES


@dataclass(frozen=True, slots=True)
class TablePlace:
    """Where a table is: its database, and what it is called there."""

    server: Server
    relation: str


def server_lines(name: str, server: Server) -> Iterator[str]:
    """An item of `servers`."""
    given = dict(server.settings)
    yield f"  - server: {name}"
    yield f"    type: {_TYPES.get(server.kind, server.kind)}"
    if server.kind == "duckdb":
        given.setdefault("schema", "main")
    for word in _FIELDS:
        if word in given:
            yield f"    {word}: {given[word] if word == 'port' and given[word].isdecimal() else scalar(given[word])}"
    own = {"xdeType": server.kind} if server.kind in _TYPES else {}
    own |= {word: given[n] for n, word in _OWN.items() if n in given}
    if not server.is_file and "password" not in given:
        yield from comment("question: by which password? Here the driver found one by itself, or none was asked for; write a reference", 4)
    if own:
        yield "    customProperties:"
    for word, value in own.items():
        yield f"      - property: {word}"
        yield f"        value: {scalar(value)}"


def table_words(table: TableProfile, origin: Origin, place: TablePlace, own: Mapping[str, str]) -> Iterator[str]:
    """Which rows a load takes and what becomes of them, as properties of the table with the questions beside them."""
    cursor = _cursor(table, origin)
    if cursor is None:
        yield from _all_rows(table, origin, own)
    else:
        name = own[cursor.name]
        if origin.declared.changes:
            yield from comment("evidence: a row knows which transaction wrote it: new and changed ones are found, and late ones too", 6)
        else:
            yield from comment(f"question: does every change of a row set {name}? What does not is not seen", 6)
        instead = "replace, or xdeCapture" if origin.declared.changes else "replace"
        yield from comment(f"question: is a row ever deleted? A load by a cursor does not see it: then say {instead}", 6)
        yield from _property("xdeIncrementalCursor", _cursor_words(name, origin, number=not _is_time(cursor, origin)))
        yield from _property("xdeWriteMode", "merge")
    if not place.server.is_file:
        yield from comment("question: when may it be read, and how fast? Add `hours: 22:00-05:30` (UTC), `rowsPerSecond` ...", 6)
        yield from _property("xdeLimits", flow({"connections": 1, "statementTimeout": SECONDS}))


def rules(origin: Origin, drafted: Collection[tuple[str, str]]) -> Iterator[str]:
    """What the database checks and this draft does not; `drafted` are the tables that are in it, each with its database."""
    for reference in origin.declared.references:
        if (origin.database, reference.to) not in drafted:
            yield from comment(f"evidence: {', '.join(reference.columns)} refers to {reference.to}, which is not in this draft", 4)
    for rule in origin.declared.rules:
        yield from comment(f"question: the database holds {rule}: shall a rule hold it here?", 4)
    for unique in origin.declared.unique:
        if unique not in origin.declared.keys or len(unique) > 1:
            yield from comment(f"evidence: the database lets no two rows have the same {', '.join(unique)}, where none is missing", 4)


def _all_rows(table: TableProfile, origin: Origin, own: Mapping[str, str]) -> Iterator[str]:
    growing = _growing(table, origin)
    if growing is None:
        yield from comment("question: each load reads all rows. Is there a column that grows with every new row? Then name it as cursor", 6)
    else:
        words = _cursor_words(own[growing.name], origin, number=True)
        yield from comment(
            f"question: each load reads all rows. Are they only ever added, and never changed? Then xdeIncrementalCursor: {words}, "
            "xdeWriteMode: merge",
            6,
        )
    yield from _property("xdeWriteMode", "replace")


def _cursor_words(name: str, origin: Origin, *, number: bool = False) -> str:
    lag = NUMBERS_BEHIND if number else origin.declared.lag
    return flow({"property": name, **({"lag": lag} if origin.declared.lag else {})})


def _cursor(table: TableProfile, origin: Origin) -> ColumnFacts | None:
    """The column that tells which rows are new: one that says when a row changed, or the key where the database tells of changes itself."""
    if not table.keys or not table.keys[0].declared:
        return None
    times = [c for c in table.columns if _is_time(c, origin) and _CHANGED.match(c.name.casefold()) and _always(table, c, origin)]
    if times:
        return times[0]
    return _growing(table, origin) if origin.declared.changes else None


def _growing(table: TableProfile, origin: Origin) -> ColumnFacts | None:
    """The key, where it is one number."""
    key: Sequence[str] = table.keys[0].columns if table.keys and table.keys[0].declared else ()
    found = next((c for c in table.columns if (c.name,) == tuple(key)), None)
    return found if found is not None and (found.is_whole or (table.partial and _is_whole(found, origin))) else None


def _is_whole(column: ColumnFacts, origin: Origin) -> bool:
    told = origin.column(column.name)
    return told is not None and told.grows


def _is_time(column: ColumnFacts, origin: Origin) -> bool:
    told = origin.column(column.name)
    return told is not None and told.is_time


def _always(table: TableProfile, column: ColumnFacts, origin: Origin) -> bool:
    """Whether it has a value in every row: a load stops at a row that has no place."""
    told = origin.column(column.name)
    return (told is not None and told.required) or (not column.missing and not table.sampled and column.rows > 0)


def _property(name: str, value: str) -> Iterator[str]:
    yield f"      - property: {name}"
    yield f"        value: {value}"
