"""Columns that a delivery has and its contract does not: their values in SQL, and the type that holds all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.connectors.duckdb.ingestion.casts import DECIMAL, cast
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import literal, quoted
from xde.lifecycle.ingestion.port import Field
from xde.lifecycle.storage.port import Column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Set

    import duckdb

    from xde.lifecycle.ingestion.port import LoadJob
    from xde.lifecycle.sources.port import FoundFile

NO_VALUES = "NULL::MAP(VARCHAR, VARCHAR)"
# what a type's own cast would take and another reading would not: leading zeros are a name and no number; 15 digits are exact in a DOUBLE
DOUBTFUL = {
    "BIGINT": r"-?(0|[1-9][0-9]*)",
    "DOUBLE": r"-?(0|[1-9][0-9]{0,14})([.][0-9]+)?",
    "BOOLEAN": r"(?i)true|false",
}
DIGITS = 15
CANDIDATES = ("BIGINT", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
KEPT = {*CANDIDATES, "TINYINT", "SMALLINT", "INTEGER", "FLOAT"}


def values_of(columns: Mapping[str, str]) -> str:
    """The values that a record has in columns that are known by their header: names to the SQL of their texts."""
    entries = ", ".join(f"{{'k': {literal(name)}, 'v': {text}}}" for name, text in columns.items())
    return _filled(f"[{entries}]")


def values_in_json(known: Sequence[str]) -> str:
    """The values of members of a record (`line`, one JSON text, and `keys`, its names) besides the known ones."""
    names = ", ".join(literal(n) for n in known)
    others = f"list_filter(list_distinct(keys), lambda k: NOT list_contains([{names}], k))"
    text = (
        "json_extract_string(line, '/' || replace(replace(k, '~', '~0'), '/', '~1'))"  # RFC 6901: a path of JSONPath cannot say every name
    )
    return f"CASE WHEN len({others}) > 0 THEN {_filled(f'list_transform({others}, lambda k: {{k: k, v: {text}}})')} END"


def _filled(entries: str) -> str:
    return f"map_from_entries(list_filter({entries}, lambda e: e.v IS NOT NULL))"


def refused_columns(dataset: str, found: FoundFile, new: Sequence[str]) -> UserError:
    """The refusal of a file by the policy `freeze`."""
    listed = ", ".join(f"`{n}`" for n in new[:10])
    return UserError(
        Finding(
            "XDE0412",
            f"`{found.path}` has a column that the contract of `{dataset}` does not: {listed}",
            why="the contract's policy for new columns is `freeze`, or it names none",
            hint="add it under `properties`, or leave it out by `{property: xdeSchemaChange, value: {newColumn: discard}}`",
        )
    )


def check_names(job: LoadJob, found: FoundFile, new: Sequence[str]) -> None:
    """Refuse new columns that the table could not tell from others: two of one name, in whatever case, or of none."""
    taken = {f.name.casefold() for f in job.fields}
    for name in new:
        if not name.strip() or name.casefold() in taken:
            raise UserError(
                Finding(
                    "XDE0423",
                    f"`{found.path}` has a new column that the table of `{job.dataset}` cannot take: `{name}`",
                    why="it has no name"
                    if not name.strip()
                    else "another column has this name, and a table does not tell names by their case",
                    hint="have it delivered under a name of its own, or leave it out with `newColumn: discard` in `xdeSchemaChange`",
                )
            )
        taken.add(name.casefold())


def typed(cursor: duckdb.DuckDBPyConnection, texts: str, said: Set[str], name: str) -> Column | None:
    """A new column in the type of all of its values (a query of one VARCHAR, `t`); none while it has no value.

    `said` are the types that the files give it, an empty text for one that gives none: where they are one, that is tried first.
    """
    if not cursor.execute(f"SELECT count(*) FROM ({texts})").fetchall()[0][0]:
        return None
    candidates = [kind for kind in said if len(said) == 1 and (kind in KEPT or DECIMAL.match(kind))]
    if said == {"VARCHAR"}:
        return Column(name, "VARCHAR")
    for kind in [*candidates, *CANDIDATES]:
        how = cast(Field("v", "v", kind), "t")
        doubt = ""
        if kind in DOUBTFUL and kind not in candidates:
            doubt = f" OR NOT regexp_full_match(t, {literal(DOUBTFUL[kind])})"
        if kind == "DOUBLE" and kind not in candidates:
            doubt += f" OR length(regexp_replace(t, '[-.]', '', 'g')) > {DIGITS}"
        wrong = f"SELECT 1 FROM (SELECT t, {how.value} AS v FROM ({texts})) WHERE ({how.wrong}){doubt} LIMIT 1"
        if not cursor.execute(wrong).fetchall():
            return Column(name, kind)
    return Column(name, "VARCHAR")


def new_value(column: Column, values: str) -> str:
    """The SQL of a new column's value, out of the SQL of a record's new values."""
    return f"{cast(Field(column.name, column.name, column.type), value_text(column.name, values)).value} AS {quoted(column.name)}"


def value_text(name: str, values: str) -> str:
    """The SQL of a new column's text."""
    return f"map_extract_value({values}, {literal(name)})"
