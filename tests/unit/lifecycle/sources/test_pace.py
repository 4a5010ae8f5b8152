"""A source is read no faster and at no other hours than its contract says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from xde.ground.clock import SetClock
from xde.lifecycle.sources.pace import Pace, within_hours
from xde.lifecycle.sources.tables import Limits


def paced(limits: Limits) -> tuple[Pace, SetClock]:
    clock = SetClock()
    return Pace(limits, clock, lambda seconds: clock.advance(timedelta(seconds=seconds))), clock


@pytest.mark.parametrize(
    ("limits", "seconds"),
    [
        (Limits(), 0),
        (Limits(rows_per_second=100), 10),
        (Limits(bytes_per_second=500), 100),
        (Limits(rows_per_second=100, bytes_per_second=50_000), 10),
    ],
)
def test_it_waits_as_long_as_the_tighter_limit_says(limits, seconds):
    pace, clock = paced(limits)
    began = clock.monotonic()
    for _ in range(10):
        pace.took(100, 5_000)
    assert clock.monotonic() - began == pytest.approx(seconds, abs=0.01)
    assert pace.cost() == {"rows": 1000, "bytes": 50_000, "seconds": pytest.approx(seconds, abs=0.01)}


def test_time_that_has_passed_is_not_waited_for_again():
    pace, clock = paced(Limits(rows_per_second=100))
    clock.advance(timedelta(seconds=60))
    pace.took(1000, 0)
    assert pace.seconds == 60


@pytest.mark.parametrize(
    ("hours", "at", "within"),
    [
        (None, "12:00", True),
        ("08:00-18:00", "08:00", True),
        ("08:00-18:00", "18:00", False),
        ("22:00-05:30", "23:59", True),
        ("22:00-05:30", "05:29", True),
        ("22:00-05:30", "05:30", False),
        ("22:00-05:30", "21:59", False),
    ],
)
def test_hours_are_of_utc_and_may_go_over_midnight(hours, at, within):
    moment = datetime.fromisoformat(f"2026-01-01T{at}:00").replace(tzinfo=UTC)
    assert within_hours(hours, moment) is within
    assert within_hours(hours, moment.astimezone(timezone(timedelta(hours=5)))) is within
