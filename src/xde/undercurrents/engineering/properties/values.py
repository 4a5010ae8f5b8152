"""Which values a column is tried with: by its type and its contract, drawn so that columns that may meet do meet.

All columns of a family (numbers, texts, moments ...) draw from one list by position. A column that may not hold the value of a
position has one of its own there; so two columns with the same position have the same value wherever both may.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import TYPE_CHECKING

from xde.undercurrents.engineering.properties.patterns import matching

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

    from xde.kernel.project.contract import Property
    from xde.undercurrents.engineering.properties.constants import Constants

NUMBERS = ("0", "1", "2", "3", "-1", "10", "0.5", "7", "100", "-100", "0.01", "2.5", "59", "60", "1000", "99.99", "12345", "999999")
TEXTS = (
    *(
        "a",
        "A",
        "b",
        "",
        "O'Brien",
        "x",
        " ",
        "Ünïcödé",
        '"quoted"',
        " padded ",
        "x,y",
        "0",
        "1",
        "NULL",
        "日本",
        "a much longer text than the others",
    ),
    "tab\tand\nline",
)
MOMENTS = (
    *(
        "2013-01-31 23:59:59",
        "2013-02-01 00:00:00",
        "2013-02-28 12:00:00",
        "2012-02-29 00:00:00",
        "2013-12-31 23:59:59",
        "2014-01-01 00:00:00",
    ),
    *(
        "2013-03-10 06:59:59",
        "2013-03-10 07:30:00",
        "2013-11-03 05:30:00",
        "2013-11-03 06:30:00",
        "2013-03-31 01:30:00",
        "2013-10-27 00:30:00",
    ),
    *(
        "2013-10-27 01:30:00",
        "1970-01-01 00:00:00",
        "1900-01-01 00:00:00",
        "2013-01-01 00:00:00",
        "2013-01-02 00:00:00",
        "2013-01-07 00:00:00",
    ),
    *("2099-12-31 00:00:00", "2013-01-01 00:00:01", "2013-01-01 12:34:56", "2012-12-31 00:00:00"),
)
ZONES = ("America/New_York", "UTC", "Europe/London", "Asia/Tokyo")
TIMES = ("00:00:00", "23:59:59", "12:00:00", "02:30:00", "00:00:01")
OTHERS: Mapping[str, tuple[str, ...]] = {
    "truth": ("true", "false"),
    "time": TIMES,
    "span": ("0 days", "1 day", "1 month", "90 minutes", "-1 day"),
    "uuid": tuple(f"00000000-0000-4000-8000-{n:012d}" for n in range(1, 13)),
    "bytes": ("", "a", "b", "abc"),
}
WHOLE = {
    **{f"{u}TINYINT": 8 for u in ("", "U")},
    **{f"{u}SMALLINT": 16 for u in ("", "U")},
    **{f"{u}INTEGER": 32 for u in ("", "U")},
    **{f"{u}BIGINT": 64 for u in ("", "U")},
    **{f"{u}HUGEINT": 128 for u in ("", "U")},
    "INT": 32,
}
DECIMAL = re.compile(r"(?:DECIMAL|NUMERIC)(?:\((\d+)(?:,\s*(\d+))?\))?\Z")
FORMATS = {
    "email": ("a@example.com", "O'Brien.x@example.org", "b+c@d.example"),
    "uuid": OTHERS["uuid"],
    "uri": ("https://example.com/a?b=c", "mailto:a@example.com"),
    "ipv4": ("0.0.0.0", "127.0.0.1", "255.255.255.255"),  # noqa: S104 - values of a column
}


@cache
def family_of(kind: str) -> str:
    """To which family a type belongs; the empty text for those that are made of others."""
    upper = kind.upper()
    if upper.endswith("]") or upper.startswith(("STRUCT", "MAP", "UNION")):
        return ""
    for family, forms in (
        ("span", ("INTERVAL",)),
        ("number", (*WHOLE, "DECIMAL", "NUMERIC", "DOUBLE", "FLOAT", "REAL")),
        ("moment", ("TIMESTAMP", "DATETIME")),
        ("time", ("TIME",)),
        ("moment", ("DATE",)),
        ("truth", ("BOOL",)),
        ("uuid", ("UUID",)),
        ("bytes", ("BLOB", "BYTEA")),
    ):
        if upper.startswith(forms):
            return family
    return "text"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an input: what its contract says of it, and those columns that must find their values in it."""

    name: str
    kind: str
    promise: Property | None = None
    children: tuple[Column, ...] = field(default=())

    @property
    def family(self) -> str:
        """Which list it draws from."""
        return family_of(self.kind)

    @property
    def nullable(self) -> bool:
        """Whether the contract lets it be missing."""
        return not (self.promise and (self.promise.required or self.promise.primary_key))

    @property
    def listed(self) -> tuple[str, ...] | None:
        """The only values that it may have, where the contract lists them."""
        if self.promise is None:
            return None
        if self.promise.enum is not None:
            return tuple(_text(v) for v in self.promise.enum)
        for rule in self.promise.quality:
            valid = rule.arguments.get("validValues")
            if rule.metric == "invalidValues" and isinstance(valid, (list, tuple)):
                return tuple(_text(v) for v in valid)
        return None

    def option(self, name: str) -> str | None:
        """What the contract says of its values."""
        value = self.promise.options.get(name) if self.promise else None
        return (
            None if value is None or isinstance(value, bool) else str(value).replace("T", " ", 1) if self.family == "moment" else str(value)
        )


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def shared(columns: Sequence[Column], constants: Constants, random: Random) -> dict[str, tuple[str, ...]]:
    """The list of each family: what stands in the model, what the contracts bound, and what is known to break things."""
    found: dict[str, dict[str, None]] = {name: dict.fromkeys(values) for name, values in OTHERS.items()}
    bounds: dict[str, list[str]] = {}
    for column in columns:
        bounds.setdefault(column.family, []).extend(own(column, random))
    zones = ZONES if constants.zones else ()
    found["number"] = dict.fromkeys((*constants.numbers, *NUMBERS, *_some(bounds.get("number", []), random)))
    found["text"] = dict.fromkeys((*constants.texts, *zones, *TEXTS, *_some(bounds.get("text", []), random)))
    found["moment"] = dict.fromkeys((*(_whole(m) for m in constants.moments), *MOMENTS, *_some(bounds.get("moment", []), random)))
    return {name: tuple(values) for name, values in found.items()}


def _some(values: Sequence[str], random: Random) -> list[str]:
    """Of many values a few, in the order in which they stand."""
    distinct = list(dict.fromkeys(values))
    return distinct if len(distinct) <= 60 else [v for i, v in enumerate(distinct) if i in set(random.sample(range(len(distinct)), 60))]


def array(column: Column, values: Sequence[str], random: Random) -> tuple[str, ...]:
    """A value for each position of its family's list: the one that stands there if the column may have it, else one of its own."""
    mine = own(column, random)
    mine += [v for child in column.children for v in own(child, random) if fits(column, v)]
    if column.listed is None and (common := [v for v in values if fits(column, v)]) and len(mine) < 4:
        mine += random.sample(common, min(4, len(common)))
    if not mine:
        mine = [v for v in values if fits(column, v)] or [plain(column)]
    return tuple(_as(column, v) if fits(column, v) else _as(column, mine[i % len(mine)]) for i, v in enumerate(values))


def plain(column: Column) -> str:
    """A value of the type when nothing else is known to be one."""
    return {"number": "0", "moment": "2013-01-01 00:00:00", "text": ""}.get(column.family) or next(iter(OTHERS.get(column.family, ("",))))


def _as(column: Column, value: str) -> str:
    return value[:10] if column.kind.upper() == "DATE" else value


def own(column: Column, random: Random) -> list[str]:
    """The values that its contract speaks of: those that it lists, its bounds and what lies beside and between them, its pattern's."""
    listed = column.listed
    if listed is not None:
        return list(listed)
    makers: Mapping[str, Callable[[Column, Random], list[str]]] = {"number": _own_numbers, "moment": _own_moments, "text": _own_texts}
    maker = makers.get(column.family)
    return [v for v in maker(column, random) if fits(column, v)] if maker else []


def _bounds(column: Column) -> tuple[str | None, str | None]:
    return column.option("minimum") or column.option("exclusiveMinimum"), column.option("maximum") or column.option("exclusiveMaximum")


def _own_numbers(column: Column, random: Random) -> list[str]:
    low, high = (_number(b) for b in _bounds(column))
    step = Decimal(1) if _scale(column.kind) == 0 else Decimal(1).scaleb(-min(_scale(column.kind), 4))
    found: list[Decimal] = []
    if low is not None:
        found += [low, low + step, low + 1]
    if high is not None:
        found += [high, high - step, high - 1]
    if low is not None and high is not None:
        found += [low + (high - low) * random.randint(1, 99) / 100 for _ in range(5)]
    multiple = _number(column.option("multipleOf"))
    if multiple:
        first = low if low is not None else Decimal(0)
        found += [(first // multiple + k) * multiple for k in range(4)]
    return [_written(v, _scale(column.kind)) for v in found]


def _own_moments(column: Column, random: Random) -> list[str]:
    low, high = (_moment(b) for b in _bounds(column))
    unit = timedelta(days=1) if column.kind.upper() == "DATE" else timedelta(hours=1)
    found: list[datetime] = []
    if low is not None:
        found += [low, low + unit]
    if high is not None:
        found += [high, high - unit]
    if low is not None and high is not None:
        units = max(1, (high - low) // unit)
        found += [low + unit * random.randrange(units) for _ in range(8)]
        found += [low + timedelta(days=31 * k) for k in range(1, 4)]
    return [v.isoformat(sep=" ") for v in found]


def _own_texts(column: Column, random: Random) -> list[str]:
    form = column.option("format")
    if form in FORMATS:
        return list(FORMATS[form])
    patterns = [column.option("pattern"), *_rule_patterns(column)]
    for pattern in patterns:
        if pattern is not None:
            return matching(pattern, random)
    low, high = int(column.option("minLength") or 0), column.option("maxLength")
    most = int(high) if high is not None else low + 3
    letters = "abAXé'Ö "
    return (
        [c * low for c in ("a", "B", "é")]
        + ["".join(random.choices(letters, k=random.randint(low, most))) for _ in range(6)]
        + ["Z" * most]
    )


def _rule_patterns(column: Column) -> list[str]:
    rules = column.promise.quality if column.promise else ()
    return [str(r.arguments["pattern"]) for r in rules if r.metric == "invalidValues" and "pattern" in r.arguments]


def fits(column: Column, value: str) -> bool:
    """Whether the column's type and its own rules let it have a value; rules in SQL are held later."""
    listed = column.listed
    if listed is not None and value not in listed:
        return False
    match column.family:
        case "number":
            return _number_fits(column, value)
        case "moment":
            return _between(value, _bounds(column), (column.option("exclusiveMinimum"), column.option("exclusiveMaximum")))
        case "text":
            return _text_fits(column, value)
        case _:
            return True


def _number_fits(column: Column, value: str) -> bool:
    number = _number(value)
    if number is None or (_scale(column.kind) == 0 and number != number.to_integral_value()):
        return False
    low, high = _reach(column.kind)
    if not low <= number <= high:
        return False
    bounds = [_number(b) for b in _bounds(column)]
    least, most = (column.option(o) is not None for o in ("exclusiveMinimum", "exclusiveMaximum"))
    multiple = _number(column.option("multipleOf"))
    return (
        (bounds[0] is None or number > bounds[0] or (number == bounds[0] and not least))
        and (bounds[1] is None or number < bounds[1] or (number == bounds[1] and not most))
        and (not multiple or number % multiple == 0)
    )


def _between(value: str, bounds: tuple[str | None, str | None], open_ends: tuple[str | None, str | None]) -> bool:
    moment = _moment(value)
    low, high = (_moment(b) for b in bounds)
    if moment is None:
        return False
    return (low is None or moment > low or (moment == low and open_ends[0] is None)) and (
        high is None or moment < high or (moment == high and open_ends[1] is None)
    )


def _text_fits(column: Column, value: str) -> bool:
    low, high = column.option("minLength"), column.option("maxLength")
    if (low is not None and len(value) < int(low)) or (high is not None and len(value) > int(high)):
        return False
    form = column.option("format")
    if form in FORMATS and value not in FORMATS[form]:
        return False
    patterns = [p for p in (column.option("pattern"), *_rule_patterns(column)) if p is not None]
    try:
        return all(re.search(p, value) for p in patterns)
    except re.error:
        return True


@cache
def _scale(kind: str) -> int:
    """Digits behind the point that a type keeps; nine for those of floating point."""
    if kind.upper() in WHOLE:
        return 0
    found = DECIMAL.match(kind.upper())
    return int(found.group(2) or (0 if found.group(1) else 3)) if found else 9


@cache
def _reach(kind: str) -> tuple[Decimal, Decimal]:
    upper = kind.upper()
    if upper in WHOLE:
        bits = WHOLE[upper]
        return (Decimal(0), Decimal(2**bits - 1)) if upper.startswith("U") else (Decimal(-(2 ** (bits - 1))), Decimal(2 ** (bits - 1) - 1))
    found = DECIMAL.match(upper)
    scale = _scale(kind) if found else 0
    most = Decimal(10) ** (int(found.group(1) or 18) - scale if found else 30) - Decimal(1).scaleb(-scale)
    return -most, most


@cache
def _number(text: str | None) -> Decimal | None:
    try:
        value = Decimal(text) if text is not None else None
    except InvalidOperation:
        return None
    return value if value is None or value.is_finite() else None


def _written(value: Decimal, scale: int) -> str:
    return f"{round(value, scale) if scale < 9 else value.normalize():f}"


@cache
def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None


def _whole(text: str) -> str:
    return text if len(text) > 10 else f"{date.fromisoformat(text).isoformat()} 00:00:00" if _moment(text) else text
