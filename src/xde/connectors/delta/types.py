"""Types of DuckDB and of Delta Lake, one in the words of the other (Delta protocol, "Schema Serialization Format")."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from xde.connectors.delta.grammar import Listed, Mapped, Plain, Struct, parse, render
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.lifecycle.storage.port import Column, Schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from xde.connectors.delta.grammar import Type

SIMPLE = {
    "BOOLEAN": "boolean",
    "TINYINT": "byte",
    "SMALLINT": "short",
    "INTEGER": "integer",
    "BIGINT": "long",
    "FLOAT": "float",
    "DOUBLE": "double",
    "VARCHAR": "string",
    "BLOB": "binary",
    "DATE": "date",
    "TIMESTAMP": "timestamp_ntz",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
}
BACK = {delta: duck for duck, delta in SIMPLE.items()}

# what Delta Lake has no type for, and DuckDB's other words for what it has
STORED_AS = {
    **dict.fromkeys(("BOOL", "LOGICAL"), "BOOLEAN"),
    **dict.fromkeys(("INT1",), "TINYINT"),
    **dict.fromkeys(("INT2", "INT16", "SHORT", "UTINYINT", "UINT8"), "SMALLINT"),
    **dict.fromkeys(("INT", "INT4", "INT32", "SIGNED", "INTEGRAL", "USMALLINT", "UINT16"), "INTEGER"),
    **dict.fromkeys(("INT8", "INT64", "LONG", "OID", "UINTEGER", "UINT32"), "BIGINT"),
    **dict.fromkeys(("UBIGINT", "UINT64"), "DECIMAL(20,0)"),
    **dict.fromkeys(("HUGEINT", "INT128", "UHUGEINT", "UINT128"), "DECIMAL(38,0)"),
    **dict.fromkeys(("REAL", "FLOAT4"), "FLOAT"),
    **dict.fromkeys(("FLOAT8", "DOUBLE PRECISION"), "DOUBLE"),
    **dict.fromkeys(("DECIMAL", "NUMERIC", "DEC"), "DECIMAL(18,3)"),
    **dict.fromkeys(("STRING", "TEXT", "CHAR", "BPCHAR", "NVARCHAR", "CHARACTER VARYING", "ENUM"), "VARCHAR"),
    **dict.fromkeys(("TIME", "TIME_NS", "TIME WITH TIME ZONE", "TIMETZ", "INTERVAL", "UUID", "GUID", "JSON"), "VARCHAR"),
    **dict.fromkeys(("BIT", "BITSTRING", "BIGNUM", "VARINT", "NULL"), "VARCHAR"),
    **dict.fromkeys(("BYTEA", "BINARY", "VARBINARY"), "BLOB"),
    **dict.fromkeys(("DATETIME", "TIMESTAMP_US", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), "TIMESTAMP"),
    **dict.fromkeys(("TIMESTAMPTZ", "TIMESTAMPTZ_NS"), "TIMESTAMP WITH TIME ZONE"),
}
DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)\Z")


@lru_cache(4096)
def storable(kind: str) -> str:
    """The type a column is stored in: its own where Delta Lake has one, else the nearest that loses none of its values.

    Two exceptions lose something: nanoseconds become microseconds, and a whole number of more than 38 digits fails in the cast.
    """
    return render(_stored(_parsed(kind), kind))


def storable_schema(schema: Schema) -> Schema:
    """Every column in the type it is stored in; all columns that cannot be stored are told at once."""
    found, findings = [], []
    for column in schema:
        try:
            found.append(Column(column.name, storable(column.type)))
        except UserError as error:
            findings += [_named(f, column) for f in error.findings]
    if findings:
        raise UserError(*findings)
    return tuple(found)


def to_delta(schema: Schema) -> dict[str, Any]:
    """A schema as Delta writes it in its metadata."""
    return _fields((c.name, _parsed(c.type)) for c in storable_schema(schema))


def from_delta(schema: dict[str, Any]) -> Schema:
    """A schema from Delta's metadata."""
    return tuple(Column(f["name"], render(_duck(f["type"]))) for f in schema["fields"])


def needs_zoneless(schema: Schema) -> bool:
    """Whether any column holds a TIMESTAMP, at any depth: readers must then know the feature `timestampNtz`."""
    return is_zoneless(to_delta(schema))


def is_zoneless(schema: Mapping[str, Any]) -> bool:
    """The same of a schema as Delta writes it."""
    return any("timestamp_ntz" in str(f["type"]) for f in schema["fields"])


@lru_cache(4096)
def _parsed(kind: str) -> Type:
    try:
        return parse(kind)
    except ValueError:
        raise UserError(_unknown(kind)) from None


def _unknown(kind: str) -> Finding:
    return Finding(
        "XDE0601",
        f"a column of type `{kind}` cannot be stored in the lake",
        why="Delta Lake has no such type, and none that holds all its values",
        hint="cast it in the model, to VARCHAR for instance",
    )


def _named(finding: Finding, column: Column) -> Finding:
    return Finding(
        finding.code, f"column `{column.name}` of type `{column.type}` cannot be stored in the lake", why=finding.why, hint=finding.hint
    )


def _stored(kind: Type, whole: str) -> Type:
    match kind:
        case Listed(element):
            return Listed(_stored(element, whole))
        case Mapped(key, value):
            return Mapped(_stored(key, whole), _stored(value, whole))
        case Struct(fields):
            return Struct(tuple((name, _stored(part, whole)) for name, part in fields))
        case Plain(name):
            stored = STORED_AS.get(name, name)
            if stored in SIMPLE or DECIMAL.match(stored):
                return Plain(stored)
            raise UserError(_unknown(whole))


def _fields(fields: Iterable[tuple[str, Type]]) -> dict[str, Any]:
    return {"type": "struct", "fields": [{"name": n, "type": _delta(t), "nullable": True, "metadata": {}} for n, t in fields]}


def _delta(kind: Type) -> Any:  # noqa: ANN401 - a JSON value
    match kind:
        case Listed(element):
            return {"type": "array", "elementType": _delta(element), "containsNull": True}
        case Mapped(key, value):
            return {"type": "map", "keyType": _delta(key), "valueType": _delta(value), "valueContainsNull": True}
        case Struct(fields):
            return _fields(fields)
        case Plain(name):
            return SIMPLE.get(name, name.lower())


def _duck(kind: Any) -> Type:  # noqa: ANN401 - a JSON value
    if isinstance(kind, str):
        return Plain(BACK[kind] if kind in BACK else _decimal(kind))
    match kind["type"]:
        case "array":
            return Listed(_duck(kind["elementType"]))
        case "map":
            return Mapped(_duck(kind["keyType"]), _duck(kind["valueType"]))
        case _:
            return Struct(tuple((f["name"], _duck(f["type"])) for f in kind["fields"]))


def _decimal(kind: str) -> str:
    text = kind.upper().replace(" ", "")
    if not DECIMAL.match(text):
        raise UserError(
            Finding(
                "XDE0607",
                f"a table of the lake has a column of Delta's type `{kind}`, which xde does not read",
                why="it was written by another tool",
                hint="drop the column with the tool that wrote it, or rebuild the dataset with `xde run --full`",
            )
        )
    return text
