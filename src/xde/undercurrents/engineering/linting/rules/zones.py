"""Times with a zone and without: where one is taken for the other, and where the day of a moment is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.linting.rules.casts import compared
from xde.undercurrents.engineering.linting.types import family, infer, type_text
from xde.undercurrents.engineering.linting.words import Remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.linting.facts import Scope
    from xde.undercurrents.engineering.linting.subject import Subject

RULE = "time-zone"
_PARTS = (exp.Year, exp.Month, exp.Day, exp.Hour, exp.DayOfWeek, exp.DayOfMonth, exp.DayOfYear, exp.Quarter, exp.Week, exp.WeekOfYear)
_COARSE = frozenset({"DAY", "WEEK", "MONTH", "QUARTER", "YEAR", "DECADE", "CENTURY", "ISOWEEK"})
_OF_A_DAY = frozenset({"hour", "day", "week", "month", "quarter", "year", "dow", "isodow", "doy", "weekday", "isoyear"})
_UTC = "moments are taken apart in UTC: what happens in the evening in New York is of the next day"


def time_zone(subject: Subject) -> Iterator[Remark]:
    """Mixed comparisons, casts between the two, calendar parts of moments, and a zone that is put on twice."""
    for scope in subject.scopes:
        for pair in compared(scope):
            if {family(t.type) for t in pair.types} == {"timestamp", "moment"}:
                message = "a time without a zone is compared with a moment"
                yield Remark(RULE, pair.at, message, "two kinds of time", "the one without is taken as UTC", _LOCAL)
        for node in scope.nodes():
            yield from _of(node, scope, subject)


_LOCAL = "say where its clock stands: `... AT TIME ZONE 'Europe/Amsterdam'`"


def _of(node: exp.Expr, scope: Scope, subject: Subject) -> Iterator[Remark]:
    match node:
        case exp.AtTimeZone() if isinstance(node.this.unnest(), exp.AtTimeZone):
            inner = node.this.unnest()
            if family(infer(inner.this, scope).type) == "moment":
                message = "`AT TIME ZONE` twice on a moment gives another moment"
                why = "the first makes it the reading of a clock, the second takes that reading for one of the other zone"
                yield Remark(RULE, node, message, "twice", why, "leave one: a moment needs only the zone whose clock is wanted")
        case exp.Cast():
            yield from _cast(node, scope)
        case _:
            inner = _taken_apart(node)
            if inner is not None and family(infer(inner, scope).type) == "moment":
                hint = f"say whose calendar: `{subject.said(inner)} AT TIME ZONE 'America/New_York'`, or 'UTC'"
                yield Remark(RULE, node, "a calendar part of a moment is taken without a zone", "whose day?", _UTC, hint)


def _cast(node: exp.Cast, scope: Scope) -> Iterator[Remark]:
    there, here = family(type_text(node.to)), family(infer(node.this, scope).type)
    if here == "moment" and there in {"date", "timestamp", "time"}:
        hint = "say whose clock: `... AT TIME ZONE 'America/New_York'`, or 'UTC', before the cast"
        yield Remark(RULE, node, f"a moment is cast to {type_text(node.to)} without a zone", "whose day?", _UTC, hint)
    if here == "timestamp" and there == "moment":
        message = f"a time without a zone is cast to {type_text(node.to)}"
        why = "the reading of a clock is taken as one of UTC, wherever the clock stood"
        yield Remark(RULE, node, message, "which zone?", why, _LOCAL + " in the place of the cast")


def _taken_apart(node: exp.Expr) -> exp.Expr | None:
    """The time of which a day, a month or the like is taken."""
    found: object = None
    match node:
        case exp.TimestampTrunc() | exp.DateTrunc():
            unit = node.args.get("unit")
            found = node.this if isinstance(unit, exp.Expr) and unit.name.upper() in _COARSE else None
        case exp.Extract():
            found = node.args.get("expression") if node.name.lower() in _OF_A_DAY else None
        case exp.Anonymous() if node.name.lower() in {"date_part", "datepart"} and len(node.expressions) == 2:
            found = node.expressions[1] if node.expressions[0].name.lower() in _OF_A_DAY else None
        case _ if isinstance(node, _PARTS):
            found = node.this
            while isinstance(found, (exp.TsOrDsToDate, exp.Paren)):
                found = found.this
    return found if isinstance(found, exp.Expr) else None
