"""The whole of a draft: where files lie and in what dialect, databases, every table with its key and references."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xde.undercurrents.management.contract_drafts.columns import Drafted, column_lines, requires
from xde.undercurrents.management.contract_drafts.databases import TablePlace, rules, server_lines, table_words
from xde.undercurrents.management.contract_drafts.scalars import comment, flow, scalar
from xde.undercurrents.management.profiling.naming import free, identifier

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from xde.undercurrents.management.contract_drafts.databases import Server
    from xde.undercurrents.management.profiling.facts import Profile, Reference, TableProfile

SERVER, DATABASE = "files", "database"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the files of a table lie: a folder as the project writes it, a pattern in it, their format and number."""

    folder: str
    pattern: str
    format: str
    files: int = 1


def contract_text(name: str, profile: Profile, places: Mapping[str, Place | TablePlace]) -> str:
    """A contract of the standard with status draft; `places` are by the names of the tables."""
    names = {t.name: _names(t) for t in profile.tables}
    servers = _servers(places)
    lines = [
        *comment("A draft from the data itself: every rule has its evidence beside it, and what the data cannot tell is a question.", 0),
        *comment("Answer the questions, write what things mean, and set the status to active.", 0),
        "apiVersion: v3.1.0",
        "kind: DataContract",
        f"id: {uuid.uuid5(uuid.NAMESPACE_URL, f'xde:draft:{name}')}",
        f"name: {scalar(name)}",
        "version: 0.1.0",
        "status: draft",
        "# question: who answers for it? Name them under `team`, and say under `slaProperties` how often a delivery comes",
        "description:",
        "  purpose: Say here what it is for.",
        "servers:",
    ]
    for at, server in servers.items():
        lines += _local(server, *at) if isinstance(at, tuple) else server_lines(server, at)
    lines.append("schema:")
    drafted = {(t.origin.database, t.origin.declared.name) for t in profile.tables if t.origin is not None}
    for table in profile.tables:
        place = places[table.name]
        chosen = servers[_server_of(place)] if len(servers) > 1 else None
        lines += _table(table, place, chosen, names, [r for r in profile.references if r.table == table.name], drafted)
    return "\n".join(lines) + "\n"


def _names(table: TableProfile) -> dict[str, str]:
    """The columns' names here, by those in the files."""
    found: dict[str, str] = {}
    for number, column in enumerate(table.columns, 1):
        name = column.name if column.name.isidentifier() and column.name.isascii() else identifier(column.name)
        found[column.name] = free(name[:60].rstrip("_") or f"column_{number}", found.values())
    return found


def _local(server: str, folder: str, form: str) -> list[str]:
    return [f"  - server: {server}", "    type: local", f"    path: {scalar(folder)}", f"    format: {form}"]


def _server_of(place: Place | TablePlace) -> tuple[str, str] | Server:
    return place.server if isinstance(place, TablePlace) else (place.folder, place.format)


def _servers(places: Mapping[str, Place | TablePlace]) -> dict[tuple[str, str] | Server, str]:
    found: dict[tuple[str, str] | Server, str] = {}
    for place in places.values():
        server = _server_of(place)
        if server not in found:
            word = SERVER if isinstance(server, tuple) else DATABASE
            found[server] = word if word not in found.values() else f"{word}_{len(found) + 1}"
    return found


def _table(
    table: TableProfile,
    place: Place | TablePlace,
    server: str | None,
    names: Mapping[str, Mapping[str, str]],
    references: Sequence[Reference],
    within: Collection[tuple[str, str]],
) -> Iterator[str]:
    own = names[table.name]
    key = table.keys[0].columns if table.keys else ()
    yield f"  - name: {scalar(table.name)}"
    yield f"    physicalName: {scalar(place.relation if isinstance(place, TablePlace) else place.pattern)}"
    yield f"    physicalType: {'file' if table.origin is None else 'view' if 'view' in table.origin.declared.kind else 'table'}"
    yield "    logicalType: object"
    yield f"    description: {scalar((table.origin and table.origin.declared.comment) or 'Say here what one row is.')}"
    yield from _key_words(table, own)
    if table.origin is not None:
        yield from rules(table.origin, within)
    yield "    customProperties:"
    yield from _custom(table, place, server, own)
    yield from _composites(references, names)
    yield "    properties:"
    single = {k.columns[0] for k in table.keys if len(k.columns) == 1}
    drafted = []
    for column in table.columns:
        refers = [
            (f"{r.to_table}.{names[r.to_table][r.to_columns[0]]}", r)
            for r in references
            if r.columns == (column.name,) and r.to_table in names
        ]
        position = key.index(column.name) + 1 if column.name in key else 0
        drafted.append(Drafted(own[column.name], table, column, refers, position, column.name in single and not position))
    yield from _never_missing(drafted)
    for one in drafted:
        yield from column_lines(one)


def _never_missing(columns: Sequence[Drafted]) -> Iterator[str]:
    """One question for all columns of which a few rows do not tell whether a value must be there."""
    names = [c.name for c in columns if c.facts.rows and not c.facts.missing and not requires(c)]
    if names:
        few = "a sample" if columns[0].table.sampled else f"{columns[0].facts.rows:,} rows, which are few"
        if columns[0].declared is not None:
            few = f"{columns[0].facts.rows:,} rows, though the database lets it be"
        yield from comment(
            f"question: never missing in {few}: {', '.join(names)}: must there always be a value? Then add `required: true`", 6
        )


def _key_words(table: TableProfile, own: Mapping[str, str]) -> Iterator[str]:
    if table.keys and table.keys[0].declared:
        said = ", ".join(own[c] for c in table.keys[0].columns)
        yield from comment(f"evidence: the database declares {said} as the key", 4)
        yield f"    dataGranularityDescription: {scalar(f'One row per {said}.')}"
    elif table.keys:
        said = ", ".join(own[c] for c in table.keys[0].columns)
        yield from comment(f"evidence: no two of {table.rows:,} rows have the same {said}, counted exactly", 4)
        if table.rows < 1_000:
            yield from comment("question: with so few rows that may be an accident: is it the key?", 4)
        yield f"    dataGranularityDescription: {scalar(f'One row per {said}.')}"
    elif table.near_key:
        columns, rows = table.near_key
        said = ", ".join(own[c] for c in columns)
        yield from comment(f"question: {said} would be the key but for {rows:,} rows: are those faults?", 4)
    elif table.partial:
        yield from comment("question: what tells rows apart? The database declares no key, and a sample cannot tell", 4)
    else:
        yield from comment("question: what tells rows apart? No set of up to four columns does", 4)
    if table.duplicates:
        yield from comment(
            f"question: {table.duplicates:,} rows are there once more, the same in every column: are they two things or one?", 4
        )


def _custom(table: TableProfile, place: Place | TablePlace, server: str | None, own: Mapping[str, str]) -> Iterator[str]:
    if server is not None:
        yield from _property("xdeServer", scalar(server))
    if isinstance(place, Place):
        yield from _file_words(table, place)
    elif table.origin is not None:
        yield from table_words(table, table.origin, place, own)
    if table.refused:
        why = "do not fit the dialect" if isinstance(place, Place) else "have a value that is none of its type"
        yield from comment(f"question: {table.refused:,} records {why} and will be dead letters: what is wrong with them?", 6)
    yield from comment("question: how many records may be refused before a load stops?", 6)
    yield from _property("xdeDeadLetter", flow({"mode": "quarantine", "maxRejectedPercent": 1}))


def _file_words(table: TableProfile, place: Place) -> Iterator[str]:
    dialect = {k: v for k, v in table.dialect.items() if k not in {"format", "missingColumns"}}
    if dialect:
        yield from comment("evidence: the beginning of the files, and all of their bytes for the encoding", 6)
        yield from _property("xdeDialect", flow(dialect))
    mode = "append" if place.files > 1 else "replace"
    yield from comment("question: does a new file bring more rows (append), all there is (replace), or newer rows of a key (merge)?", 6)
    yield from _property("xdeWriteMode", mode)
    missing = table.dialect.get("missingColumns")
    if isinstance(missing, list):
        yield from comment(f"question: not every file has {', '.join(map(str, missing))}: may they be missing, as is assumed here?", 6)
        yield from _property("xdeSchemaChange", flow({"missingColumn": "evolve"}))


def _property(name: str, value: str) -> Iterator[str]:
    yield f"      - property: {name}"
    yield f"        value: {value}"


def _composites(references: Sequence[Reference], names: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    several = [r for r in references if len(r.columns) > 1 and r.to_table in names]
    if several:
        yield "    relationships:"
    for r in several:
        counted = f"{r.rows - r.lost:,} of {r.rows:,} rows ({100 * r.share:.4g} %) have their partner; " if r.rows or not r.declared else ""
        yield from comment(f"evidence: {counted}{r.evidence}", 6)
        yield "      - type: foreignKey"
        yield f"        from: {flow([f'{r.table}.{names[r.table][c]}' for c in r.columns])}"
        yield f"        to: {flow([f'{r.to_table}.{names[r.to_table][c]}' for c in r.to_columns])}"
        if r.lost or r.declared:
            yield "        customProperties:"
            yield "          - property: xdeSeverity"
            yield "            value: warning"
