"""Types of DuckDB and of Delta Lake, one in the words of the other (Delta protocol, "Schema Serialization Format")."""

from __future__ import annotations

import re
from typing import Any

from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.lifecycle.storage.port import Column, Schema

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
STORED_AS = {
    "UTINYINT": "SMALLINT",
    "USMALLINT": "INTEGER",
    "UINTEGER": "BIGINT",
    "UBIGINT": "DECIMAL(20,0)",
    "HUGEINT": "DECIMAL(38,0)",
    "UHUGEINT": "DECIMAL(38,0)",
    "TIMESTAMP_S": "TIMESTAMP",
    "TIMESTAMP_MS": "TIMESTAMP",
    "TIMESTAMP_NS": "TIMESTAMP",
    "TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE",
    "TIME": "VARCHAR",
    "TIME WITH TIME ZONE": "VARCHAR",
    "INTERVAL": "VARCHAR",
    "UUID": "VARCHAR",
    "JSON": "VARCHAR",
    "BIT": "VARCHAR",
    '"NULL"': "VARCHAR",
    "NULL": "VARCHAR",
    "INT": "INTEGER",
    "STRING": "VARCHAR",
    "TEXT": "VARCHAR",
    "REAL": "FLOAT",
    "BOOL": "BOOLEAN",
    "DATETIME": "TIMESTAMP",
    "NUMERIC": "DECIMAL(18,3)",
    "DECIMAL": "DECIMAL(18,3)",
}
DECIMAL = re.compile(r"(?:DECIMAL|NUMERIC)\((\d+),\s*(\d+)\)\Z", re.IGNORECASE)


def storable(kind: str) -> str:
    """The type a column is stored in: its own where Delta Lake has one, else the nearest that loses nothing of its values."""
    text = kind.strip()
    upper = text.upper()
    if upper.endswith("[]"):
        return storable(text[:-2]) + "[]"
    if upper.startswith(("STRUCT(", "ROW(")):
        return "STRUCT(" + ", ".join(f"{name} {storable(part)}" for name, part in struct_parts(text)) + ")"
    if upper.startswith("MAP("):
        key, value = split_top(text[4:-1])
        return f"MAP({storable(key)}, {storable(value)})"
    if upper.startswith(("ENUM(", "VARCHAR(", "CHAR(")):
        return "VARCHAR"
    if DECIMAL.match(upper):
        return upper.replace(" ", "").replace("NUMERIC", "DECIMAL")
    upper = STORED_AS.get(upper, upper)
    if upper in SIMPLE or DECIMAL.match(upper):
        return upper
    raise UserError(
        Finding(
            "XDE0601",
            f"a column of type `{kind}` cannot be stored in the lake",
            why="Delta Lake has no such type",
            hint="cast it in the model, to VARCHAR for instance",
        )
    )


def to_delta(schema: Schema) -> dict[str, Any]:
    """A schema as Delta writes it in its metadata."""
    return {"type": "struct", "fields": [_field(c.name, _delta(c.type)) for c in schema]}


def from_delta(schema: dict[str, Any]) -> Schema:
    """A schema from Delta's metadata."""
    return tuple(Column(f["name"], _duck(f["type"])) for f in schema["fields"])


def _field(name: str, kind: Any) -> dict[str, Any]:  # noqa: ANN401 - a JSON value
    return {"name": name, "type": kind, "nullable": True, "metadata": {}}


def _delta(kind: str) -> Any:  # noqa: ANN401 - a JSON value
    text = storable(kind)
    if text.endswith("[]"):
        return {"type": "array", "elementType": _delta(text[:-2]), "containsNull": True}
    if text.startswith("STRUCT("):
        return {"type": "struct", "fields": [_field(name.strip('"'), _delta(part)) for name, part in struct_parts(text)]}
    if text.startswith("MAP("):
        key, value = split_top(text[4:-1])
        return {"type": "map", "keyType": _delta(key), "valueType": _delta(value), "valueContainsNull": True}
    return text.lower() if DECIMAL.match(text) else SIMPLE[text]


def _duck(kind: Any) -> str:  # noqa: ANN401 - a JSON value
    if isinstance(kind, str):
        return kind.upper() if kind.startswith("decimal") else BACK[kind]
    match kind["type"]:
        case "array":
            return _duck(kind["elementType"]) + "[]"
        case "map":
            return f"MAP({_duck(kind['keyType'])}, {_duck(kind['valueType'])})"
        case _:
            return "STRUCT(" + ", ".join(f'"{f["name"]}" {_duck(f["type"])}' for f in kind["fields"]) + ")"


def struct_parts(text: str) -> list[tuple[str, str]]:
    """Name and type of each part of `STRUCT(a INTEGER, "b c" VARCHAR[])`."""
    inside = text[text.index("(") + 1 : -1]
    found: list[tuple[str, str]] = []
    for part in split_top(inside):
        stripped = part.strip()
        if stripped.startswith('"'):
            end = stripped.index('"', 1)
            found.append((stripped[: end + 1], stripped[end + 1 :].strip()))
        else:
            name, _, rest = stripped.partition(" ")
            found.append((name, rest.strip()))
    return found


def split_top(text: str) -> list[str]:
    """A list cut at the commas that stand in no bracket and no quotes."""
    parts, depth, quoted, start = [], 0, False, 0
    for i, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        elif character == "," and not depth:
            parts.append(text[start:i].strip())
            start = i + 1
    parts.append(text[start:].strip())
    return parts
