"""Whether one type holds all that another holds: a lattice of integers, decimals, floats, texts and moments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Fit(Enum):
    """How a new type stands to an old one."""

    SAME = "same"
    WIDER = "wider"
    NARROWER = "narrower"
    OTHER = "other"

    @property
    def turned(self) -> Fit:
        """How the old one stands to the new one."""
        return {Fit.WIDER: Fit.NARROWER, Fit.NARROWER: Fit.WIDER}.get(self, self)


@dataclass(frozen=True)
class Type:
    """A type by its plain name, its numbers (`DECIMAL(10, 2)`), and what it is a list of."""

    name: str
    numbers: tuple[int, ...] = ()
    inner: Type | None = None
    rest: str = ""


_ALIASES = {
    "VARCHAR": "CHAR BPCHAR TEXT STRING NVARCHAR VARCHAR2 CHARACTER_VARYING",
    "TINYINT": "INT1 BYTE",
    "SMALLINT": "INT2 SHORT",
    "INTEGER": "INT INT4 SIGNED",
    "BIGINT": "INT8 LONG",
    "HUGEINT": "INT128",
    "DOUBLE": "FLOAT8 DOUBLE_PRECISION FLOAT64",
    "FLOAT": "FLOAT4 REAL FLOAT32",
    "DECIMAL": "NUMERIC NUMBER DEC",
    "BOOLEAN": "BOOL LOGICAL",
    "TIMESTAMP": "DATETIME TIMESTAMP_US TIMESTAMP_NTZ TIMESTAMP_WITHOUT_TIME_ZONE",
    "TIMESTAMPTZ": "TIMESTAMP_WITH_TIME_ZONE TIMESTAMP_TZ TIMESTAMP_LTZ",
    "TIME": "TIME_WITHOUT_TIME_ZONE",
    "TIMETZ": "TIME_WITH_TIME_ZONE",
    "BLOB": "BYTEA BINARY VARBINARY BYTES",
}
_PLAIN = {alias: name for name, aliases in _ALIASES.items() for alias in aliases.split()}
_RANGES = {f"{'U' if unsigned else ''}{name}": (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
           for name, bits in (("TINYINT", 8), ("SMALLINT", 16), ("INTEGER", 32), ("BIGINT", 64), ("HUGEINT", 128))
           for unsigned in (False, True)}  # fmt: skip
_CHAINS = (("FLOAT", "DOUBLE"), ("TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP"))
_LOGICAL = {"string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE", "time": "TIME",
            "array": "LIST", "object": "STRUCT", "map": "MAP", "vector": "VECTOR"}  # fmt: skip
_FORMATS = {"f32": "FLOAT", "f64": "DOUBLE"} | {
    f"{sign}{bits}": f"{'U' if sign == 'u' else ''}{name}"
    for sign in "iu"
    for bits, name in ((8, "TINYINT"), (16, "SMALLINT"), (32, "INTEGER"), (64, "BIGINT"), (128, "HUGEINT"))
}
_WORDS = re.compile(r"\A(?P<name>[A-Za-z_][A-Za-z0-9_ ]*)(?:\((?P<inside>.*)\)(?P<after>[A-Za-z ]*))?\Z", re.DOTALL)
_DUCKDB_DECIMAL = (18, 3)  # what `DECIMAL` alone means there


def type_of(physical: str | None, logical: str | None, options: Mapping[str, object]) -> Type | None:
    """The type of a property: as written in `physicalType`, else what its `logicalType` is stored as; None when nothing is said."""
    if physical:
        return parsed(physical)
    if not logical:
        return None
    if logical == "timestamp":
        return Type("TIMESTAMPTZ" if options.get("timezone") is True else "TIMESTAMP")
    if logical in {"integer", "number"}:
        return Type(_FORMATS.get(str(options.get("format")), _LOGICAL[logical]))
    return Type(_LOGICAL.get(logical, logical.upper()))


def parsed(text: str) -> Type:
    """A type as it is written for a database; what is not understood is itself and nothing else."""
    text = text.strip()
    if text.endswith("]") and "[" in text:
        inner, _, size = text.rpartition("[")
        return Type("LIST", tuple(int(n) for n in re.findall(r"\d+", size)), parsed(inner))
    found = _WORDS.match(text)
    if found is None:
        return Type("", rest=" ".join(text.split()).casefold())
    name = "_".join(f"{found['name']} {found['after'] or ''}".upper().split())
    name = _PLAIN.get(name, name)
    inside = found["inside"]
    if inside is None:
        return Type(name, _DUCKDB_DECIMAL if name == "DECIMAL" else ())
    if re.fullmatch(r"[\d\s,]+", inside):
        numbers = tuple(int(n) for n in re.findall(r"\d+", inside))
        return Type(
            name, (*numbers, 0) if name == "DECIMAL" and len(numbers) == 1 else numbers if name in {"DECIMAL", "VARCHAR", "BLOB"} else ()
        )
    return Type(name, rest=" ".join(inside.split()).casefold())


def fit(old: Type, new: Type) -> Fit:
    """How the new type stands to the old one: wider when every value of the old one is one of the new, unchanged and of the same kind."""
    if old == new:
        return Fit.SAME
    if old.name in _RANGES and new.name in _RANGES:
        return _of(_inside(_RANGES[old.name], _RANGES[new.name]), _inside(_RANGES[new.name], _RANGES[old.name]))
    for chain in _CHAINS:
        if old.name in chain and new.name in chain:
            return _of(chain.index(old.name) <= chain.index(new.name), chain.index(new.name) <= chain.index(old.name))
    if old.name != new.name:
        return Fit.OTHER
    if old.name == "LIST":
        return _lists(old, new)
    if old.name == "DECIMAL":
        return _of(_decimal_inside(old, new), _decimal_inside(new, old))
    if old.name in {"VARCHAR", "BLOB"}:
        return _of(_length(old) <= _length(new), _length(new) <= _length(old))
    if {old.name} <= {"STRUCT", "MAP", "VECTOR"} and not (old.rest and new.rest):
        return Fit.SAME  # one of the two tells its parts elsewhere
    return Fit.OTHER


def _lists(old: Type, new: Type) -> Fit:
    if old.numbers != new.numbers:
        return Fit.OTHER
    return fit(old.inner, new.inner) if old.inner is not None and new.inner is not None else Fit.SAME


def _of(held: bool, holding: bool) -> Fit:  # noqa: FBT001 - two sides of one comparison
    return Fit.SAME if held and holding else Fit.WIDER if held else Fit.NARROWER if holding else Fit.OTHER


def _inside(inner: tuple[int, int], outer: tuple[int, int]) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _decimal_inside(inner: Type, outer: Type) -> bool:
    """Whether neither whole nor decimal places are lost (the condition of Delta's type widening: k1 >= k2 >= 0)."""
    (precision, scale), (more, places) = inner.numbers[:2], outer.numbers[:2]
    return places >= scale and more - places >= precision - scale


def _length(of: Type) -> float:
    return of.numbers[0] if of.numbers else float("inf")
