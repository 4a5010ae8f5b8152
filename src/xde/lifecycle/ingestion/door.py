"""The quick look at a pushed record before it is taken in: refused is only what the loader would make a dead letter of, and not all of it.

Looked at are: that the record is a JSON object of a bearable size, members that the contract does not have, required members, the plain
types, and lists of valid texts. All other rules are held when the record is loaded. One thing the engine takes and the door does not: a
comma before a closing brace, which is no JSON.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xde.kernel.project.contract import Property
    from xde.lifecycle.ingestion.port import Dialect, Field

UNREADABLE, UNKNOWN, MISSING, TYPE, ENUM, LONG = "XDE0471", "XDE0472", "XDE0473", "XDE0474", "XDE0475", "XDE0476"
DEEPEST = 200  # levels of one record within another
_BITS = {
    "TINYINT": (8, True),
    "SMALLINT": (16, True),
    "INTEGER": (32, True),
    "INT": (32, True),
    "BIGINT": (64, True),
    "HUGEINT": (128, True),
    "UTINYINT": (8, False),
    "USMALLINT": (16, False),
    "UINTEGER": (32, False),
    "UBIGINT": (64, False),
    "UHUGEINT": (128, False),
}
_WHOLE = re.compile(r"\s*[+-]?[0-9]+\s*", re.ASCII)
_NUMBER = re.compile(r"\s*[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?\s*", re.ASCII)
_DAY = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_DATE = re.compile(_DAY, re.ASCII)
_MOMENT = re.compile(_DAY + r"([ T]([01][0-9]|2[0-3]):[0-5][0-9].*)?", re.ASCII)
_DECIMAL = re.compile(r"(?:DECIMAL|NUMERIC)\((\d+),\s*(\d+)\)\Z")
_TEXTS = {"VARCHAR", "TEXT", "STRING"}
_FLOATS = {"DOUBLE", "FLOAT", "REAL"}
_MOMENTS = {"TIMESTAMP", "DATETIME", "TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ"}


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why a record is refused: the number of the record in its request, from 1, and the code of the finding that `xde explain` shows."""

    record: int
    code: str
    message: str
    column: str | None = None

    def fact(self) -> dict[str, object]:
        """As it stands in the answer."""
        told: dict[str, object] = {"record": self.record, "code": self.code, "message": self.message}
        return {**told, "column": self.column} if self.column is not None else told


@dataclass(frozen=True, slots=True)
class Member:
    """What is looked at of one member of a record."""

    name: str
    column: str
    required: bool
    missing: frozenset[str]
    fits: Callable[[object], bool]
    type: str
    allowed: frozenset[str] | None = None


class Door:
    """The look at the records of one dataset, worked out once."""

    def __init__(self, fields: Sequence[Field], properties: Sequence[Property], dialect: Dialect, *, strict: bool) -> None:
        """With `strict`, a member that the contract does not have makes a record wrong."""
        promised = {p.name: p for p in properties}
        self._members = [_member(f, promised.get(f.name)) for f in fields]
        self._known = frozenset(f.source_name for f in fields) if strict else None
        self._longest = dialect.max_record_bytes
        self._decode = json.JSONDecoder(parse_constant=_no_constant).decode

    def complaint(self, number: int, line: str) -> Complaint | None:
        """What is wrong with a record as it is written, in one line."""
        if len(line) * 4 > self._longest and (size := len(line.encode())) > self._longest:
            return Complaint(number, LONG, f"the record has {size:,} bytes, and may have {self._longest:,}")
        try:
            record = self._decode(line)
        except (ValueError, RecursionError) as error:
            told = f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else "it cannot be read"
            return Complaint(number, UNREADABLE, f"the record is not JSON: {told}")
        if not isinstance(record, dict):
            return Complaint(number, UNREADABLE, f"the record is {_kind(record)}, not an object")
        return self._wrong(number, record)

    def _wrong(self, number: int, record: Mapping[str, object]) -> Complaint | None:
        if self._known is not None and not self._known.issuperset(record):
            name = next(n for n in record if n not in self._known)
            if any(record[n] is not None for n in record if n not in self._known):
                return Complaint(number, UNKNOWN, f"the contract has no `{name[:100]}`", name[:100])
        for member in self._members:
            value = record.get(member.name)
            if value is None or (member.missing and isinstance(value, str) and value in member.missing):
                if member.required:
                    return Complaint(number, MISSING, f"`{member.name}` must not be missing", member.column)
            elif not member.fits(value):
                return Complaint(number, TYPE, f"`{member.name}` is no {member.type}", member.column)
            elif member.allowed is not None and value not in member.allowed:
                return Complaint(number, ENUM, f"`{member.name}` is not one of the contract's values", member.column)
        return None


def _member(field: Field, promised: Property | None) -> Member:
    kind = field.type.strip().upper()
    required = field.required or (promised is not None and (promised.required or promised.primary_key))
    allowed = None
    if promised is not None and promised.enum is not None and kind in _TEXTS:
        allowed = frozenset(str(v) for v in promised.enum)
    return Member(field.source_name, field.name, required, frozenset(field.nulls), _fits(field, kind, allowed is not None), kind, allowed)


def _fits(field: Field, kind: str, listed: bool) -> Callable[[object], bool]:  # noqa: FBT001 - one place calls it
    """Whether a JSON value may be one of the type: what is false here is a dead letter in the loader, always."""
    if kind in _TEXTS:
        return (lambda v: isinstance(v, str)) if listed else _anything
    if kind in _BITS:
        bits, signed = _BITS[kind]
        low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
        return lambda v: _whole(v, low, high)
    if kind in _FLOATS or _DECIMAL.match(kind):
        return _number
    if field.format is None and kind in _MOMENTS:
        return lambda v: isinstance(v, str) and _MOMENT.fullmatch(v) is not None
    if field.format is None and kind == "DATE":
        return lambda v: isinstance(v, str) and _DATE.fullmatch(v) is not None
    if kind == "BOOLEAN":
        return lambda v: not isinstance(v, (dict, list))
    return _anything


def _no_constant(name: str) -> object:
    """`NaN` and its like, which Python would take (RFC 8259, 6)."""
    raise ValueError(name)


def _anything(_: object) -> bool:
    return True


def _whole(value: object, low: int, high: int) -> bool:
    if value.__class__ is int:
        return low <= value <= high
    if isinstance(value, str):
        return _WHOLE.fullmatch(value) is not None
    return False


def _number(value: object) -> bool:
    if isinstance(value, str):
        return _NUMBER.fullmatch(value) is not None
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _kind(value: object) -> str:
    match value:
        case list():
            return "a list"
        case str():
            return "a text"
        case None:
            return "null"
        case bool():
            return "true or false"
        case _:
            return "a number"
