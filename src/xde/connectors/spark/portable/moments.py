"""Dates, times and intervals: arithmetic, parts, truncation, zones, text.

Sessions of both engines are in UTC. A TIMESTAMP is Spark's TIMESTAMP_NTZ, a TIMESTAMP WITH TIME ZONE its TIMESTAMP.
"""

from __future__ import annotations

from sqlglot import exp

from xde.connectors.spark.portable.binding import bound
from xde.connectors.spark.portable.casts import cast, coerced
from xde.connectors.spark.portable.refusing import ARGUMENT, FUNCTION, NotPortable
from xde.connectors.spark.portable.scope import Scope, Typed
from xde.connectors.spark.portable.types import ZONED, is_moment, is_whole, spark_type
from xde.connectors.spark.portable.writer import Writer, named, rule, words

UNITS = {"YEAR": 0, "MONTH": 1, "WEEK": 2, "DAY": 3, "HOUR": 4, "MINUTE": 5, "SECOND": 6}
OWN_WORDS = {
    "YEAR": "CAST(YEAR({0}) AS BIGINT)",
    "QUARTER": "CAST(QUARTER({0}) AS BIGINT)",
    "MONTH": "CAST(MONTH({0}) AS BIGINT)",
    "WEEK": "CAST(WEEKOFYEAR({0}) AS BIGINT)",
    "DAY": "CAST(DAY({0}) AS BIGINT)",
    "DAYOFWEEK": "CAST(DAYOFWEEK({0}) - 1 AS BIGINT)",
    "ISODOW": "CAST(WEEKDAY({0}) + 1 AS BIGINT)",
    "DAYOFYEAR": "CAST(DAYOFYEAR({0}) AS BIGINT)",
    "HOUR": "CAST(HOUR({0}) AS BIGINT)",
    "MINUTE": "CAST(MINUTE({0}) AS BIGINT)",
    "SECOND": "CAST(SECOND({0}) AS BIGINT)",
    "EPOCH": "(UNIX_MICROS(CAST({0} AS TIMESTAMP)) / 1e6D)",
    "ISOYEAR": "CAST(EXTRACT(YEAROFWEEK FROM {0}) AS BIGINT)",
}
SAME_WORDS = {"DOW": "DAYOFWEEK", "WEEKDAY": "DAYOFWEEK", "DOY": "DAYOFYEAR", "YEARS": "YEAR", "MONTHS": "MONTH", "DAYS": "DAY"}
CLOCK = {"HOUR", "MINUTE", "SECOND"}
CLASSES: dict[type[exp.Expr], str] = {
    exp.Year: "YEAR",
    exp.Quarter: "QUARTER",
    exp.Month: "MONTH",
    exp.Week: "WEEK",
    exp.WeekOfYear: "WEEK",
    exp.Day: "DAY",
    exp.DayOfMonth: "DAY",
    exp.DayOfWeek: "DAYOFWEEK",
    exp.DayOfWeekIso: "ISODOW",
    exp.DayOfYear: "DAYOFYEAR",
    exp.Hour: "HOUR",
    exp.Minute: "MINUTE",
    exp.Second: "SECOND",
    exp.TimeToUnix: "EPOCH",
}


def unit_of(node: object) -> str:
    """A unit in its one spelling."""
    word = str(node.name if isinstance(node, exp.Expr) else node).upper()
    return SAME_WORDS.get(
        word, word[:-1] if word.endswith("S") and word[:-1] in {*UNITS, "QUARTER", "MILLISECOND", "MICROSECOND"} else word
    )


def interval(unit: str, count: str) -> str:
    """So many of a unit."""
    if unit == "QUARTER":
        unit, count = "MONTH", f"({count}) * 3"
    if unit in {"MILLISECOND", "MICROSECOND"}:
        zeros = 3 if unit == "MILLISECOND" else 6
        second = f"CAST('1e-{zeros}' AS DECIMAL({zeros + 1},{zeros}))"
        return f"MAKE_INTERVAL(0, 0, 0, 0, 0, 0, CAST(CAST({count} AS BIGINT) * {second} AS DECIMAL(18,6)))"
    at = UNITS.get(unit)
    if at is None:
        raise NotPortable(ARGUMENT, f"an interval of `{unit}` is not proven on Spark", hint="count in days, hours or months")
    value = f"CAST({count} AS {'DECIMAL(18,6)' if at == 6 else 'INT'})"
    return f"MAKE_INTERVAL({', '.join([*['0'] * at, value])})"


@rule(exp.Interval, args=("this", "unit"))
def _interval(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    unit = node.args.get("unit")
    if unit is None:
        raise NotPortable(
            ARGUMENT, f"`{words(node)}` is not proven on Spark", node, "write it as a sum: `INTERVAL 1 DAY + INTERVAL 2 HOUR`"
        )
    counted = node.this
    if isinstance(counted, exp.Literal):
        number = str(counted.this)
        if not number.lstrip("-").isdigit():
            raise NotPortable(ARGUMENT, f"an interval of `{number}` is not proven on Spark", node, "count in whole units")
        return Typed(interval(unit_of(unit), number), "INTERVAL")
    value = writer.write(counted, scope)
    return Typed(interval(unit_of(unit), _whole(value, node).sql), "INTERVAL")


def _whole(value: Typed, node: exp.Expr) -> Typed:
    if not is_whole(value.type):
        raise NotPortable(ARGUMENT, f"an interval of so many {value.type} is not proven on Spark", node, "count in whole units")
    return value


@named("epoch_us")
def _microseconds(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    """The microseconds since 1970."""
    (value,) = writer.kids(node.expressions, scope)
    if not is_moment(value.type):
        raise NotPortable(FUNCTION, f"`epoch_us` of {value.type} is not proven on Spark", node, "cast it to TIMESTAMP")
    return Typed(f"UNIX_MICROS(CAST({value.sql} AS TIMESTAMP))", "BIGINT")


@named("to_years", "to_months", "to_weeks", "to_days", "to_hours", "to_minutes", "to_seconds", "to_quarters", "to_microseconds")
def _to_units(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    unit = unit_of(str(node.this)[3:])
    (value,) = writer.kids(node.expressions, scope)
    return Typed(interval(unit, _whole(value, node).sql), "INTERVAL")


@rule(exp.ToDays)
def _to_days(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    return Typed(interval("DAY", _whole(writer.write(node.this, scope), node).sql), "INTERVAL")


def add(_: Writer, node: exp.Expr, left: Typed, right: Typed) -> Typed:
    """A moment and an interval, a date and so many days, two intervals."""
    if left.type == "INTERVAL" and right.type == "INTERVAL":
        return Typed(f"({left.sql} + {right.sql})", "INTERVAL")
    if right.type == "DATE" or left.type == "INTERVAL":
        left, right = right, left
    return _moved(node, left, right, "+")


def subtract(_: Writer, node: exp.Expr, left: Typed, right: Typed) -> Typed:
    """As `add`, back; and how many days lie between two dates."""
    if left.type == "DATE" and (right.type == "DATE" or (right.constant and right.type == "VARCHAR")):
        return Typed(f"CAST(DATEDIFF({left.sql}, {coerced(right, 'DATE').sql}) AS BIGINT)", "BIGINT")
    if is_moment(left.type) and is_moment(right.type):
        raise NotPortable(FUNCTION, "the interval between two moments is not proven on Spark", node, "write `date_diff('second', b, a)`")
    return _moved(node, left, right, "-")


def _moved(node: exp.Expr, moment: Typed, by: Typed, sign: str) -> Typed:
    if moment.type == "DATE" and is_whole(by.type) and by.type != "HUGEINT":
        return Typed(f"{'DATE_ADD' if sign == '+' else 'DATE_SUB'}({moment.sql}, CAST({by.sql} AS INT))", "DATE")
    if by.type != "INTERVAL" or not is_moment(moment.type):
        raise NotPortable(FUNCTION, f"`{sign}` between {moment.type} and {by.type} is not proven on Spark", node)
    kind = "TIMESTAMP" if moment.type == "DATE" else moment.type
    return Typed(f"({cast(moment, kind).sql} {sign} {by.sql})", kind)


def times(_: Writer, node: exp.Expr, left: Typed, right: Typed) -> Typed:
    """So many times an interval of one unit."""
    sides = [(left, right, node.this, node.expression), (right, left, node.expression, node.this)]
    for span, count, spanned, _counted in sides:
        plain = spanned.unnest()
        if span.type == "INTERVAL" and is_whole(count.type) and isinstance(plain, exp.Interval) and plain.args.get("unit"):
            number = plain.this
            if isinstance(number, exp.Literal) and str(number.this).lstrip("-").isdigit():
                return Typed(interval(unit_of(plain.args["unit"]), f"{count.sql} * {number.this}"), "INTERVAL")
    raise NotPortable(FUNCTION, f"`{words(node)}` is not proven on Spark", node, "write `to_days(n)`, or `n * INTERVAL 1 DAY`")


def part(unit: str, value: Typed, node: exp.Expr) -> Typed:
    """A part of a moment, as a number."""
    unit = unit_of(unit)
    if unit not in OWN_WORDS or not is_moment(value.type) or (unit in CLOCK and value.type == "DATE"):
        raise NotPortable(
            FUNCTION, f"`{words(node)}` of {value.type} is not proven on Spark", node, "cast it to TIMESTAMP, or take another part"
        )
    return Typed(OWN_WORDS[unit].format(value.sql), "DOUBLE" if unit == "EPOCH" else "BIGINT")


@rule(*CLASSES, args=("this",))
def _part(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    return part(CLASSES[type(node)], writer.write(node.this, scope), node)


@named("isoyear", "weekday")
def _named_part(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    return part(str(node.this), writer.write(node.expressions[0], scope), node)


@named("date_part", "datepart")
def _date_part(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    unit, value = node.expressions
    if not (isinstance(unit, exp.Literal) and unit.is_string):
        raise NotPortable(ARGUMENT, "a part that is not a literal is not proven on Spark", node)
    return part(str(unit.this), writer.write(value, scope), node)


@rule(exp.Extract, args=("this", "expression"))
def _extract(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    return part(node.this.name, writer.write(node.expression, scope), node)


@rule(exp.TimestampTrunc, exp.DateTrunc, args=("this", "unit"))
def _trunc(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    unit = unit_of(node.args["unit"])
    value = writer.write(node.this, scope)
    if unit not in {"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"} or not is_moment(value.type):
        raise NotPortable(
            FUNCTION, f"`{words(node)}` of {value.type} is not proven on Spark", node, "truncate to year, quarter, month, week, day or hour"
        )
    kind = writer.asked(f"date_trunc('{unit.lower()}', a0)", [value.type], node)
    return Typed(f"CAST(DATE_TRUNC('{unit}', {value.sql}) AS {spark_type(kind)})", kind)


@rule(exp.DateDiff, args=("this", "expression", "unit"))
def _difference(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    """Boundaries that lie between the two, not whole units."""
    unit = unit_of(node.args["unit"])
    later, earlier = writer.kids([node.this, node.expression], scope)
    kinds = [k.type for k in (later, earlier) if is_moment(k.type)]
    if not kinds or not all(is_moment(k.type) or (k.constant and k.type == "VARCHAR") for k in (later, earlier)):
        raise NotPortable(
            FUNCTION, f"`{words(node)}` of {earlier.type} and {later.type} is not proven on Spark", node, "cast both to TIMESTAMP"
        )
    kind = kinds[0] if len(set(kinds)) == 1 else ZONED if ZONED in kinds else "TIMESTAMP"
    b, a = coerced(later, kind).sql, coerced(earlier, kind).sql
    match unit:
        case "YEAR":
            made = f"YEAR({b}) - YEAR({a})"
        case "QUARTER":
            made = f"(YEAR({b}) * 4 + QUARTER({b})) - (YEAR({a}) * 4 + QUARTER({a}))"
        case "MONTH":
            made = f"(YEAR({b}) * 12 + MONTH({b})) - (YEAR({a}) * 12 + MONTH({a}))"
        case "DAY":
            made = f"DATEDIFF(CAST({b} AS DATE), CAST({a} AS DATE))"
        case "HOUR" | "MINUTE" | "SECOND":
            size = {"HOUR": 3_600_000_000, "MINUTE": 60_000_000, "SECOND": 1_000_000}[unit]
            ends = [f"CAST(FLOOR(CAST(UNIX_MICROS(CAST({x} AS TIMESTAMP)) AS DECIMAL(20,0)) / {size}) AS BIGINT)" for x in (b, a)]
            made = f"{ends[0]} - {ends[1]}"
        case _:
            hint = "count days, and divide"
            raise NotPortable(ARGUMENT, f"`date_diff` in `{unit.lower()}` is not proven on Spark", node, hint)
    return Typed(f"CAST({made} AS BIGINT)", "BIGINT")


@rule(exp.AtTimeZone, args=("this", "zone"))
def _zone(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    """A clock reading in a zone becomes a moment; a moment becomes the clock's reading there."""
    value, zone = writer.kids([node.this, node.args["zone"]], scope)
    if value.type == ZONED:
        return Typed(f"CONVERT_TIMEZONE('UTC', {zone.sql}, CAST({value.sql} AS TIMESTAMP_NTZ))", "TIMESTAMP")
    if value.type not in {"TIMESTAMP", "DATE"}:
        raise NotPortable(FUNCTION, f"`AT TIME ZONE` of {value.type} is not proven on Spark", node, "cast it to TIMESTAMP")
    clock = cast(value, "TIMESTAMP").sql
    moment = bound(clock, lambda c: bound(f"CONVERT_TIMEZONE({zone.sql}, 'UTC', {c})", lambda u: _later(c, u, zone.sql)))
    return Typed(f"CAST({moment} AS TIMESTAMP)", ZONED)


def _later(clock: str, moment: str, zone: str) -> str:
    """Of the two moments at which a clock that is put back shows the same, DuckDB takes the later and Spark the earlier."""
    three = "INTERVAL '3' HOUR"
    other = f"({moment} + ({clock} - (CONVERT_TIMEZONE('UTC', {zone}, {moment} + {three}) - {three})))"
    return f"CASE WHEN CONVERT_TIMEZONE('UTC', {zone}, {other}) = {clock} THEN GREATEST({moment}, {other}) ELSE {moment} END"


@rule(exp.DateFromParts, args=("year", "month", "day"))
def _make_date(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    values = [_whole(v, node).sql for v in writer.kids([node.args[k] for k in ("year", "month", "day")], scope)]
    return Typed(f"MAKE_DATE({', '.join(f'CAST({v} AS INT)' for v in values)})", "DATE")


@rule(exp.TimestampFromParts, args=("year", "month", "day", "hour", "min", "sec"))
def _make_timestamp(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    keys = ("year", "month", "day", "hour", "min")
    values = [f"CAST({_whole(v, node).sql} AS INT)" for v in writer.kids([node.args[k] for k in keys], scope)]
    second = coerced(writer.write(node.args["sec"], scope), "DOUBLE")
    return Typed(f"MAKE_TIMESTAMP_NTZ({', '.join(values)}, CAST({second.sql} AS DECIMAL(8,6)))", "TIMESTAMP")


@rule(exp.LastDay)
def _last_day(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value = writer.write(node.this, scope)
    return Typed(f"LAST_DAY({cast(value, 'DATE').sql})", "DATE")


@rule(exp.Dayname, exp.Monthname)
def _day_name(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value = writer.write(node.this, scope)
    if not is_moment(value.type):
        raise NotPortable(FUNCTION, f"`{words(node)}` of {value.type} is not proven on Spark", node)
    return Typed(f"DATE_FORMAT({value.sql}, '{'EEEE' if isinstance(node, exp.Dayname) else 'MMMM'}')", "VARCHAR")
