"""Databases that are sources: what there is to load, held against the position in the lake."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from xde.app.connecting import not_now, opened
from xde.app.newest import newest_state
from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding, Severity
from xde.kernel.plan.plan import SourceFile
from xde.lifecycle.sources.draining import TOO_LATE
from xde.lifecycle.sources.pace import within_hours
from xde.lifecycle.sources.tables import position_of

if TYPE_CHECKING:
    from xde.app.wiring import House
    from xde.kernel.plan.ledger import TableState
    from xde.lifecycle.sources.tables import Ask, News


def offered(
    house: House,
    ask: Ask,
    states: dict[tuple[str, str], TableState],
    key: tuple[str, str],
    *,
    reload: bool,
    before: TableState | None = None,
) -> tuple[list[SourceFile], str, list[Finding]]:
    """What there is to load, as one delivery, and in words; where there is none though there may be rows, the findings say why.

    `before` is what the environment shows now. Raises `UserError` where another version would lack what a broker keeps no longer.
    """
    state = newest_state(house, states, key)
    instead = state or before
    if ask.stream is not None and instead is not None and (state is None or reload):
        ask = ask.instead_of(position_of(instead.facts))
    if not within_hours(ask.limits.hours, house.clock.now()):
        told = f"it may be read {ask.limits.hours} (UTC)"
        return ([_delivery(ask, None)], told, []) if state is None or reload else ([], told, [not_now(ask)])
    try:
        with closing(opened(house.revealed, house.root, ask, house.apis())) as source:
            found = source.news(ask, None if reload or state is None else position_of(state.facts))
    except (UserError, TemporaryError) as error:  # the step will meet it, try again where that helps, and fail alone
        if state is None and isinstance(error, UserError) and any(f.code == TOO_LATE for f in error.findings):
            raise  # no step knows the version before
        return [_delivery(ask, None)], f"nobody could ask: {str(error)[:200]}", []
    if state is None or reload:
        return [_delivery(ask, found)], "all of it is read", []
    if found is None:
        return [], "", []
    return ([], "", [_waiting(ask, found)]) if found.held else ([_delivery(ask, found)], found.told, [])


def _waiting(ask: Ask, news: News) -> Finding:
    hint = "if it is at work for long, find it: SELECT pid, usename, state, xact_start FROM pg_stat_activity ORDER BY xact_start"
    return Finding("XDE0490", f"rows of `{ask.relation}` wait to be loaded", ask.span, "", news.told, hint, Severity.WARNING)


def _delivery(ask: Ask, news: News | None) -> SourceFile:
    return SourceFile(ask.relation, 0, news.signature if news else "", _kind(ask))


def _kind(ask: Ask) -> str:
    if ask.request is not None:
        return "request"
    if ask.stream is not None:
        return "stream"
    if ask.extract is not None:
        return "resource"
    return "table" if ask.query is None else "query"
