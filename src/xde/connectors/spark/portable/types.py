"""Types in DuckDB's words, taken apart, and in Spark's words; what Spark has no equal type for is refused."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

PLAIN = {
    "BOOLEAN": "BOOLEAN",
    "TINYINT": "TINYINT",
    "SMALLINT": "SMALLINT",
    "INTEGER": "INT",
    "BIGINT": "BIGINT",
    "HUGEINT": "DECIMAL(38,0)",
    "FLOAT": "FLOAT",
    "DOUBLE": "DOUBLE",
    "VARCHAR": "STRING",
    "BLOB": "BINARY",
    "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMP_NTZ",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
    "INTERVAL": "INTERVAL",
    '"NULL"': "VOID",
}
WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)\Z")
ZONED = "TIMESTAMP WITH TIME ZONE"
NULL = '"NULL"'


class Part(NamedTuple):
    """A named part of a struct."""

    name: str
    type: str


def is_whole(kind: str) -> bool:
    """A whole number."""
    return kind in WHOLE


def is_decimal(kind: str) -> bool:
    """A number of a fixed count of digits."""
    return DECIMAL.match(kind) is not None


def is_float(kind: str) -> bool:
    """A number of floating point."""
    return kind in {"FLOAT", "DOUBLE"}


def is_number(kind: str) -> bool:
    """Any number."""
    return is_whole(kind) or is_decimal(kind) or is_float(kind)


def is_moment(kind: str) -> bool:
    """A date or a time of a date."""
    return kind in {"DATE", "TIMESTAMP", ZONED}


def is_list(kind: str) -> bool:
    """A list; arrays of a fixed length are not."""
    return kind.endswith("[]")


def element(kind: str) -> str:
    """Of what a list is."""
    return kind[:-2]


def digits(kind: str) -> tuple[int, int]:
    """How many digits a decimal or whole number has, and how many after the point."""
    found = DECIMAL.match(kind)
    if found:
        return int(found[1]), int(found[2])
    return {"TINYINT": 3, "SMALLINT": 5, "INTEGER": 10, "BIGINT": 19}.get(kind, 38), 0


@lru_cache(4096)
def parts(kind: str) -> tuple[Part, ...]:
    """The parts of a struct; none of anything else."""
    if not (kind.startswith("STRUCT(") and kind.endswith(")")):
        return ()
    found = []
    for text in _divided(kind[7:-1]):
        if text.startswith('"'):
            end = re.match(r'"(?:[^"]|"")*"', text)
            stop = end.end() if end else 1
            found.append(Part(text[1 : stop - 1].replace('""', '"'), text[stop:].strip()))
        else:
            name, _, rest = text.partition(" ")
            found.append(Part(name, rest.strip()))
    return tuple(found)


def key_and_value(kind: str) -> tuple[str, str] | None:
    """The types of a map; None of anything else."""
    if not (kind.startswith("MAP(") and kind.endswith(")")):
        return None
    divided = _divided(kind[4:-1])
    return (divided[0], divided[1]) if len(divided) == 2 else None


def _divided(text: str) -> list[str]:
    """At the commas that stand outside of brackets and quotes."""
    found, depth, quoted, start = [], 0, False, 0
    for at, letter in enumerate(text):
        if letter == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif letter in "([":
            depth += 1
        elif letter in ")]":
            depth -= 1
        elif letter == "," and depth == 0:
            found.append(text[start:at].strip())
            start = at + 1
    return [*found, text[start:].strip()]


@lru_cache(4096)
def spark_type(kind: str) -> str | None:
    """A type in Spark's words; None where Spark has none that holds the same values."""
    if kind in PLAIN:
        return PLAIN[kind]
    if is_decimal(kind):
        return "DECIMAL({},{})".format(*digits(kind))
    if is_list(kind):
        inner = spark_type(element(kind))
        return f"ARRAY<{inner}>" if inner else None
    if parts(kind):
        inners = [(p.name, spark_type(p.type)) for p in parts(kind)]
        return "STRUCT<" + ", ".join(f"{ticked(n)}: {t}" for n, t in inners) + ">" if all(t for _, t in inners) else None
    pair = key_and_value(kind)
    if pair:
        key, value = spark_type(pair[0]), spark_type(pair[1])
        return f"MAP<{key}, {value}>" if key and value else None
    return None


def ticked(identifier: str) -> str:
    """An identifier for Spark, in backticks."""
    return "`" + identifier.replace("`", "``") + "`"


def text(words: str) -> str:
    """A text literal for Spark, where a backslash is no letter of its own."""
    escaped = (
        words.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t").replace("\0", "\\0")
    )
    return f"'{escaped}'"
