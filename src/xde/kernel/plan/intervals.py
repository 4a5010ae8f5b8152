"""Half-open intervals of time as a calendar cuts them: truncation, merging, what is missing, what a change reaches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, assert_never

from xde.kernel.plan.plan import Interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Literal

    Grain = Literal["hour", "day", "week", "month", "year"]


def parse_moment(text: str) -> datetime:
    """An ISO date or timestamp as a moment in UTC; a text without an offset is UTC already. Fractions are kept to microseconds."""
    cleaned = text.strip().replace(" ", "T", 1)
    if cleaned.endswith("+00"):
        cleaned += ":00"
    moment = datetime.fromisoformat(cleaned)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def moment_text(moment: datetime) -> str:
    """The ISO text of a moment in UTC, to the second, without offset."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")


def floor(moment: datetime, grain: Grain) -> datetime:
    """The start of the interval that holds a moment; weeks begin on Monday (ISO 8601)."""
    hour = moment.replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    match grain:
        case "hour":
            return hour
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "year":
            return day.replace(month=1, day=1)
        case _:
            assert_never(grain)


def following(start: datetime, grain: Grain) -> datetime:
    """The start of the next interval."""
    match grain:
        case "hour":
            return start + timedelta(hours=1)
        case "day":
            return start + timedelta(days=1)
        case "week":
            return start + timedelta(days=7)
        case "month":
            return (start.replace(day=1) + timedelta(days=32)).replace(day=1)
        case "year":
            return start.replace(year=start.year + 1)
        case _:
            assert_never(grain)


def covering(low: datetime, high: datetime, grain: Grain) -> Interval:
    """The shortest run of whole intervals that holds both moments."""
    return Interval(moment_text(floor(low, grain)), moment_text(following(floor(high, grain), grain)))


def merged(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """The same time in the fewest intervals, in order."""
    result: list[Interval] = []
    for interval in sorted(intervals, key=lambda i: i.start):
        if interval.start >= interval.end:
            continue
        if result and interval.start <= result[-1].end:
            result[-1] = Interval(result[-1].start, max(result[-1].end, interval.end))
        else:
            result.append(interval)
    return tuple(result)


def few(intervals: Iterable[Interval], most: int) -> tuple[Interval, ...]:
    """The same time in at most so many intervals, and the shortest gaps between them where there are more."""
    found = merged(intervals)
    if len(found) <= most:
        return found
    gaps = [parse_moment(after.start) - parse_moment(before.end) for before, after in pairwise(found)]
    closed = sorted(range(len(gaps)), key=lambda g: gaps[g])[: len(found) - most]
    return merged([*found, *(Interval(found[g].end, found[g + 1].start) for g in closed)])


def minus(wanted: Iterable[Interval], done: Iterable[Interval]) -> tuple[Interval, ...]:
    """The time that is wanted and not done."""
    missing = list(merged(wanted))
    for hole in merged(done):
        pieces: list[Interval] = []
        for interval in missing:
            if hole.end <= interval.start or hole.start >= interval.end:
                pieces.append(interval)
                continue
            pieces.append(Interval(interval.start, max(interval.start, hole.start)))
            pieces.append(Interval(min(interval.end, hole.end), interval.end))
        missing = [p for p in pieces if p.start < p.end]
    return tuple(missing)


def within(intervals: Iterable[Interval], start: str | None, end: str | None) -> tuple[Interval, ...]:
    """The part of the intervals between two bounds."""
    low = moment_text(parse_moment(start)) if start else ""
    high = moment_text(parse_moment(end)) if end else "9999"
    return merged(Interval(max(i.start, low), min(i.end, high)) for i in intervals)


def reaching_back(intervals: Sequence[Interval], days: float, grain: Grain) -> tuple[Interval, ...]:
    """The intervals, each begun earlier by the look-back, to whole intervals."""
    if not days:
        return merged(intervals)
    back = timedelta(days=days)
    return merged(Interval(moment_text(floor(parse_moment(i.start) - back, grain)), i.end) for i in intervals)


def batches(interval: Interval, grain: Grain, size: int | None) -> tuple[Interval, ...]:
    """An interval cut into pieces of `size` grains; whole when no size is given."""
    if not size:
        return (interval,)
    result: list[Interval] = []
    start, end = parse_moment(interval.start), parse_moment(interval.end)
    while start < end:
        stop = start
        for _ in range(size):
            stop = following(stop, grain)
        result.append(Interval(moment_text(start), moment_text(min(stop, end))))
        start = stop
    return tuple(result)


def count(interval: Interval, grain: Grain) -> int:
    """How many grains an interval holds."""
    start, end, number = parse_moment(interval.start), parse_moment(interval.end), 0
    while start < end:
        start, number = following(start, grain), number + 1
    return number
