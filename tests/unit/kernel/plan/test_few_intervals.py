"""Many intervals as few: no time is lost, and the gaps that are closed are the shortest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from xde.kernel.plan.intervals import few, merged, minus, moment_text
from xde.kernel.plan.plan import Interval


def day(start, length):
    first = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=start)
    return Interval(moment_text(first), moment_text(first + timedelta(days=length)))


@given(st.lists(st.builds(day, st.integers(0, 400), st.integers(0, 5)), max_size=40), st.integers(1, 12))
def test_all_the_time_and_no_more_intervals(intervals, most):
    found = few(intervals, most)
    assert len(found) <= most
    assert not minus(intervals, found)
    if len(merged(intervals)) <= most:
        assert found == merged(intervals)


def test_the_shortest_gaps_are_closed():
    assert few([day(0, 1), day(2, 1), day(10, 1), day(12, 1), day(30, 1)], 3) == (day(0, 3), day(10, 3), day(30, 1))
