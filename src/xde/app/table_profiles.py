"""Tables of databases opened for a profile: what the catalogue says, and their rows, all of them or a sample, by the readers of a load."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from xde.app.addresses import label
from xde.app.connecting import opened_to_load
from xde.ground.errors import UserError
from xde.ground.findings import Finding, Severity
from xde.ground.names import did_you_mean, listed
from xde.kernel.project.catalogues import Arrival, Declared, Kept, Sampled
from xde.lifecycle.ingestion.port import Field
from xde.lifecycle.sources.port import FoundFile
from xde.lifecycle.sources.tables import FILES, Ask, AskedColumn, Catalogued
from xde.undercurrents.management.profiling.facts import Origin
from xde.undercurrents.management.profiling.naming import free, identifier
from xde.undercurrents.management.profiling.profiling import Opened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from xde.app.addresses import Address
    from xde.app.connecting import Apis
    from xde.app.revealing import Revealing
    from xde.connectors.duckdb.profiled import Delivered, DuckdbProfiler
    from xde.connectors.duckdb.proving import Asked
    from xde.ground.clock import Clock
    from xde.kernel.project.catalogues import DeclaredColumn
    from xde.lifecycle.sources.tables import TableSource
    from xde.undercurrents.management.profiling.facts import Personal

PATIENCE = 300.0
"""Seconds after which a statement is given up where the contract does not say: nobody waits longer for a look."""
MANY_BLOCKS = 65_536
"""A table of more blocks (512 MB where one has 8 kB) is sampled by blocks and not row by row, so that not all of it is read."""
ENOUGH = 1.05
"""So many times the wished number of rows are drawn, for a draw is a draw."""
_HELD = "all values so far are such; the file holds nobody to it: other values make dead letters"
NO_CATALOGUE = frozenset({"api", "kafka", "nats", "redis", "mqtt", "dlt"})


@dataclass(frozen=True, slots=True)
class Doors:
    """How databases are opened: with which secrets, from which folder, by which clock."""

    revealed: Revealing
    root: Path
    clock: Clock
    apis: Apis

    def open(self, ask: Ask) -> TableSource:
        """The connector, unless its contract forbids to read now."""
        return opened_to_load(self.revealed, self.root, self.clock, ask, self.apis)


@dataclass(frozen=True, slots=True)
class TableToLookAt:
    """A table, its name in the profile, and what a contract says of it already: its columns, and which of them are personal."""

    name: str
    ask: Ask
    fields: tuple[Field, ...] = ()
    personal: Mapping[str, Personal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenedTable:
    """What was opened, and what is to be told of it."""

    table: Opened
    findings: tuple[Finding, ...] = ()


def tables_at(doors: Doors, address: Address, taken: Sequence[str] = ()) -> tuple[list[TableToLookAt], list[Finding]]:
    """The tables of an address, by names that are free. Raises `UserError` where there is none, or not the one that is meant."""
    ask = _gentle(Ask(address.name, address.place, "", None, ()))
    with closing(doors.open(ask)) as source:
        there = list(_catalogued(source, address.shown, ask).relations(ask))
    if not there:
        hint = "name another with `?schema=...`, or let its owner run `GRANT SELECT ON ALL TABLES IN SCHEMA ... TO ...`"
        hint = "look whether it is the right file; `?schema=...` names another schema of it" if address.place.kind in FILES else hint
        raise UserError(Finding("XDE0531", f"there is no table in `{address.shown}` that may be read", hint=hint))
    missing = [t for t in address.tables if t not in there and "." not in t]
    if missing:
        why = "its tables: " + listed([f"`{t}`" for t in there[:20]])
        hint = did_you_mean(missing[0], there) or "names are those of the catalogue, to the letter"
        may = "" if address.place.kind in FILES else " that may be read"
        raise UserError(Finding("XDE0531", f"there is no table `{missing[0]}` in `{address.shown}`{may}", why=why, hint=hint))
    names = list(taken)
    found = []
    odd = [t for t in there if "." in t]
    for relation in address.tables or [t for t in there if t not in odd]:
        names.append(free(identifier(relation.rpartition(".")[2]), names))
        found.append(TableToLookAt(names[-1], replace(ask, dataset=names[-1], relation=relation)))
    return found, [] if address.tables else [_odd(relation) for relation in odd]


def _odd(relation: str) -> Finding:
    told = f"`{relation}` is left out, for it has a dot in its name"
    hint = "make a view of it with another name"
    return Finding("XDE0534", told, why="a contract writes the schema before a dot", hint=hint, severity=Severity.WARNING)


def open_table(profiler: DuckdbProfiler, doors: Doors, table: TableToLookAt) -> OpenedTable:
    """A table as it is in its database now. Raises `UserError`, or `TemporaryError` where another try may do."""
    shown, folder = label(table.ask.place), profiler.folder / table.name
    folder.mkdir(parents=True, exist_ok=True)
    ask = _gentle(table.ask)
    with closing(doors.open(ask)) as source:
        wished = profiler.from_tables or profiler.sample
        declared = _catalogued(source, shown, ask).declared(ask, wished)
        sample = _sample(declared, wished)
        columns = _columns(table, declared)
        asked = [AskedColumn(f.field.source_name, f.field.type if f.proved else "VARCHAR", f.field.also) for f in columns]
        portion = source.read(replace(ask, columns=tuple(asked), sample=sample), None, folder)
    files = [FoundFile(p.path.name, str(p.path), p.path.stat().st_size, 0) for p in portion.pieces]
    own = replace(profiler, folder=folder, tables=profiler.tables)
    of = declared.rows if sample is not None else None
    delivered = own.table(table.name, files, columns, of, lossless=not table.fields)
    for piece in portion.pieces:
        piece.path.unlink(missing_ok=True)
    names = {f.field.source_name: f.field.name for f in columns if f.field.source_name != f.field.name}
    declared = _as_proved(declared, names, delivered)
    blocks = max(1, round(declared.blocks * sample.share)) if sample is not None and sample.blocks else 0
    origin = Origin(declared, shown, names, blocks)
    opened = Opened(
        table.name,
        _where(declared, shown),
        delivered.rows,
        delivered.readings,
        refused=delivered.refused,
        personal=table.personal,
        origin=origin,
        partial=sample is not None,
    )
    return OpenedTable(opened, tuple(_said_of(table, shown, delivered)))


def _gentle(ask: Ask) -> Ask:
    """An ask for a look: all rows by one connection, and no statement that goes on for ever."""
    limits = replace(ask.limits, connections=1, statement_timeout=ask.limits.statement_timeout or PATIENCE)
    return replace(ask, cursor=None, capture=None, every=False, may_lack=True, limits=limits, reader="")


def _catalogued(source: TableSource, shown: str, ask: Ask) -> Catalogued:
    if not isinstance(source, Catalogued):
        why = f"the connector of `{ask.place.kind}` tells nothing of its tables"
        hint = f"load it, and look at what is there: `xde run {ask.dataset}`, then `xde profile {ask.dataset}`"
        raise UserError(Finding("XDE0532", f"`{shown}` cannot be looked into before it is loaded", ask.place.span, "", why, hint))
    return source


def _sample(declared: Declared, wished: int) -> Sampled | None:
    if declared.rows <= wished:
        return None
    return Sampled(min(1.0, ENOUGH * wished / declared.rows), blocks=declared.blocks > MANY_BLOCKS)


def _columns(table: TableToLookAt, declared: Declared) -> list[Asked]:
    """Those of the contract, or all that are declared."""
    from xde.connectors.duckdb.proving import Asked

    if table.fields:
        return [Asked(f) for f in table.fields]
    return [Asked(Field(c.name, c.name, c.kept.type), c.told, c.proved or c.kept.type == "BLOB", _is_number(c)) for c in declared.columns]


def _is_number(column: DeclaredColumn) -> bool:
    """Whether it is a decimal number that is read as text, for nobody knows how many digits it can have."""
    return column.kept.type == "VARCHAR" and column.told.lower().startswith(("numeric", "decimal"))


def _as_proved(declared: Declared, names: Mapping[str, str], delivered: Delivered) -> Declared:
    """What is declared and binds nobody gives way to what all values are; and each type as the lake has it."""
    from xde.connectors.delta.types import storable

    columns = []
    for column in declared.columns:
        reading = delivered.readings.get(names.get(column.name, column.name))
        if reading is not None and reading.digits is None:
            text = reading.type == "VARCHAR" and column.kept.type != "VARCHAR"
            why = f"not all values are a {column.kept.type}, so it is read as text" if text else column.kept.why
            why = _HELD if reading.type not in {"VARCHAR", column.kept.type} else why
            column = replace(column, kept=Kept(reading.type, Arrival.AS_TEXT if text else Arrival.EXACT, why))
        columns.append(replace(column, kept=column.kept.kept_as(storable(column.kept.type))))
    return replace(declared, columns=tuple(columns))


def _where(declared: Declared, shown: str) -> str:
    return f"the {declared.kind} {declared.name} of {shown}"


def _said_of(table: TableToLookAt, shown: str, delivered: Delivered) -> list[Finding]:
    found = []
    if not delivered.rows.count:
        hint = "figures need rows"
        found.append(Finding("XDE0377", f"`{table.ask.relation}` of `{shown}` has no rows", hint=hint, severity=Severity.WARNING))
    if delivered.refused:
        told = f"rows of `{table.ask.relation}` have values that are none of their types in the lake: {delivered.refused:,}"
        why = "a load would make dead letters of them; they are not in the figures"
        hint = "`arrives` says which values a type has no room for; `physicalType: VARCHAR` has room for all"
        found.append(Finding("XDE0533", told, why=why, hint=hint, severity=Severity.WARNING))
    return found
