"""What becomes of a value of each PostgreSQL type on its way: the type that loses nothing, and what another type makes of it.

The texts are those that `COPY` writes with the settings of our connections; what reads them is exact (`ingestion.casts`): a text that is
not a value of the type makes a dead letter and is never bent. What can be bent without anybody seeing it are numbers as floats alone.
"""

from __future__ import annotations

import re

from xde.ground.records import dataclass
from xde.kernel.project.catalogues import Arrival, Kept
from xde.lifecycle.sources.rows import BLOBS

FLOATS = {"DOUBLE", "FLOAT", "REAL"}
HELD = {"DOUBLE": {"int2", "int4", "float4", "float8"}, "FLOAT": {"int2", "float4"}, "REAL": {"int2", "float4"}}
TEXTS = {"VARCHAR", "TEXT", "STRING"}
MOST_DIGITS = 38
_INTS = {"TINYINT": 3, "SMALLINT": 5, "INTEGER": 10, "INT": 10, "BIGINT": 19, "HUGEINT": 38}
_PLAIN = {
    "int2": "SMALLINT",
    "int4": "INTEGER",
    "int8": "BIGINT",
    "oid": "BIGINT",
    "float4": "FLOAT",
    "float8": "DOUBLE",
    "bool": "BOOLEAN",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMP WITH TIME ZONE",
    "bytea": "BLOB",
    "_int2": "SMALLINT[]",
    "_int4": "INTEGER[]",
    "_int8": "BIGINT[]",
    "_bool": "BOOLEAN[]",
    "_text": "VARCHAR[]",
    "_varchar": "VARCHAR[]",
    "_uuid": "VARCHAR[]",
}
_WIDTH = {"int2": 5, "int4": 10, "int8": 19, "oid": 10}
_TEXTUAL = {"text", "varchar", "bpchar", "name", "char", "citext", "xml", "json"}
_NUMERIC = re.compile(r"numeric\((\d+),(-?\d+)\)\Z")
_DECIMAL = re.compile(r"(?:DECIMAL|NUMERIC)\((\d+), *(\d+)\)\Z")
_WHOLE_ARRAYS = {"_int2", "_int4", "_int8", "_oid"}
_TEXT_ARRAYS = {"_text", "_varchar", "_uuid", "_name", "_bpchar"}
_WHOLE_LIST = re.compile(r"(?:TINYINT|SMALLINT|INTEGER|INT|BIGINT|HUGEINT)\[\]\Z")
_LOOSE = re.compile(r"\b(?:DOUBLE|FLOAT|REAL|VARCHAR|TEXT|STRING|JSON|BLOB)\b")
_NOT_FINITE = "`NaN` and `Infinity` make dead letters"
_ERA = "`infinity`, years before 1 and after 9999 make dead letters"
_BESIDES = {
    "float4": _NOT_FINITE,
    "float8": _NOT_FINITE,
    "numeric": "`NaN` and `Infinity` make dead letters",
    "date": _ERA,
    "timestamp": _ERA,
    "timestamptz": f"the moment, in UTC; {_ERA}",
}
_TIMES = {
    "DATE": {"date"},
    "TIME": {"time"},
    "TIMESTAMP": {"timestamp", "date"},
    "TIMESTAMP WITH TIME ZONE": {"timestamptz", "timestamp", "date"},
}
_SAME = {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE", "DATETIME": "TIMESTAMP", "BOOL": "BOOLEAN"}


@dataclass(frozen=True, slots=True)
class PgType:
    """A column's type as it is shown, the name of its type (of a domain: that below it) and its category; `base` is that below, shown."""

    shown: str
    name: str
    category: str
    base: str = ""


def kept(of: PgType, wanted: str = "") -> Kept:
    """How a column arrives: as the type that a contract wants, or as the one that loses nothing."""
    if not wanted:
        wanted = lossless(of)
    kind = _SAME.get(wanted.strip().upper(), wanted.strip().upper())
    if kind in TEXTS:
        return _as_text(of, wanted)
    if kind.endswith("[]") or kind.startswith(("STRUCT(", "MAP(")):
        return _nested(of, wanted, kind)
    if kind in BLOBS and of.name != "bytea":
        return _as_bytes(of, wanted)
    if of.category == "S" and of.name in _TEXTUAL:
        how = Arrival.ROUNDED if kind in FLOATS else Arrival.EXACT
        digits = f"a {kind} keeps {15 if kind == 'DOUBLE' else 6} digits; " if kind in FLOATS else ""
        return Kept(wanted, how, f"{digits}what is not written as a {kind} makes a dead letter")
    if kind in FLOATS:
        return _as_float(of, wanted, kind)
    if kind in _INTS or _DECIMAL.match(kind):
        return _as_number(of, wanted, kind)
    if kind in _TIMES:
        return _as_time(of, wanted, kind)
    if (kind in BLOBS and of.name == "bytea") or (kind == "BOOLEAN" and of.name == "bool") or (kind == "UUID" and of.name == "uuid"):
        return Kept(wanted)
    return Kept(wanted, Arrival.REFUSED, f"the text of a {of.shown} is no {kind}: its values make dead letters")


def lossless(of: PgType) -> str:
    """The type that every value of a column fits, and no digit is lost in."""
    if of.name == "numeric":
        found = _NUMERIC.match(of.base)
        if found is None:
            return "VARCHAR"
        precision, scale = int(found[1]), int(found[2])
        digits = max(precision - scale if scale < 0 else precision, scale)
        return f"DECIMAL({digits},{max(scale, 0)})" if digits <= MOST_DIGITS else "VARCHAR"
    return _PLAIN.get(of.name, "VARCHAR")


def _as_text(of: PgType, wanted: str) -> Kept:
    if of.name in _TEXTUAL or of.category == "E":
        return Kept(wanted, Arrival.EXACT, "with the spaces that fill it up" if of.name == "bpchar" else "")
    if of.name == "numeric":
        found = _NUMERIC.match(of.base)
        why = f"all digits: {MOST_DIGITS} is the most that a DECIMAL has" if found else "all digits: its type does not say how many"
        return Kept(wanted, Arrival.AS_TEXT, why)
    if of.category == "A":
        return Kept(wanted, Arrival.AS_TEXT, "as JSON; that an array does not begin at 1 is not kept")
    if of.category == "C":
        return Kept(wanted, Arrival.AS_TEXT, "as JSON, with the names of its fields")
    if of.name == "bytea":
        return Kept(wanted, Arrival.AS_TEXT, "in hexadecimal digits, after `\\x`")
    if of.name == "timestamptz":
        return Kept(wanted, Arrival.AS_TEXT, "the moment, in UTC")
    if of.name == "money":
        return Kept(wanted, Arrival.AS_TEXT, "as the locale `C` writes it, such as `$1,234.50`; which currency it is nobody can tell")
    return Kept(wanted, Arrival.AS_TEXT, "")


def _as_bytes(of: PgType, wanted: str) -> Kept:
    if of.category in {"S", "U", "E", "A", "C"}:
        why = "the bytes of its text: four characters such as `\\x41` become one byte, and what is not ASCII makes a dead letter"
        return Kept(wanted, Arrival.ROUNDED, why)
    return Kept(wanted, Arrival.AS_TEXT, "the bytes of its text")


def _nested(of: PgType, wanted: str, kind: str) -> Kept:
    if of.category not in {"A", "C"} and of.name not in {"json", "jsonb", *_TEXTUAL}:
        return Kept(wanted, Arrival.REFUSED, f"a {of.shown} is no {kind}: its values make dead letters")
    same = (of.name in _WHOLE_ARRAYS and _WHOLE_LIST.match(kind)) or (of.name in _TEXT_ARRAYS and kind in {"VARCHAR[]", "TEXT[]"})
    same = same or (of.name == "_bool" and kind == "BOOLEAN[]") or (of.name in {"_int2", "_int4"} and kind == "DOUBLE[]")
    if same:
        return Kept(wanted, Arrival.EXACT, "of one dimension: others make dead letters; that it does not begin at 1 is not kept")
    if _LOOSE.search(kind):
        why = "a number within JSON that becomes a text or a DOUBLE keeps 15 digits"
        return Kept(wanted, Arrival.ROUNDED, f"{why}; what does not fit makes a dead letter")
    return Kept(wanted, Arrival.EXACT, "each value within is held against its text; what does not fit makes a dead letter")


def _as_float(of: PgType, wanted: str, kind: str) -> Kept:
    if of.category != "N" or of.name == "money":
        return Kept(wanted, Arrival.REFUSED, f"the text of a {of.shown} is no number: its values make dead letters")
    if of.name in HELD[kind]:
        return Kept(wanted, Arrival.EXACT, _BESIDES.get(of.name, ""))
    also = f"; {_BESIDES[of.name]}" if of.name in _BESIDES else ""
    return Kept(wanted, Arrival.ROUNDED, f"a {kind} keeps {15 if kind == 'DOUBLE' else 6} digits{also}")


def _as_number(of: PgType, wanted: str, kind: str) -> Kept:
    if of.category == "V":
        return Kept(wanted, Arrival.ROUNDED, "its bits are read as the digits of a decimal number")
    if of.category != "N" or of.name == "money":
        return Kept(wanted, Arrival.REFUSED, f"the text of a {of.shown} is no number: its values make dead letters")
    if of.name in _WIDTH and kind in _INTS and _INTS[kind] >= _WIDTH[of.name]:
        return Kept(wanted)
    if kind.replace(" ", "") == lossless(of).replace(" ", ""):
        return Kept(wanted, Arrival.EXACT, _BESIDES.get(of.name, ""))
    also = f"; {_BESIDES[of.name]}" if of.name in _BESIDES else ""
    short = "the fewest digits that tell it from every other; " if of.name in {"float4", "float8"} else ""
    return Kept(wanted, Arrival.EXACT, f"{short}what a {kind} cannot hold with all of its digits makes a dead letter{also}")


def _as_time(of: PgType, wanted: str, kind: str) -> Kept:
    if of.name == "interval" and kind == "TIME":
        return Kept(wanted, Arrival.EXACT, "what is not hours, minutes and seconds of less than a day makes a dead letter")
    if of.name not in _TIMES[kind]:
        return Kept(wanted, Arrival.REFUSED, f"the text of a {of.shown} is no {kind}: its values make dead letters")
    taken = "taken to be in UTC; " if kind == "TIMESTAMP WITH TIME ZONE" and of.name != "timestamptz" else ""
    return Kept(wanted, Arrival.EXACT, taken + _BESIDES.get(of.name, ""))
