"""Statistics prove that a file cannot hold a row, or nothing is proved: held against real values."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xde.lifecycle.storage.port import Column, DataFile, Statistics
from xde.lifecycle.storage.prune import may_hold, touched_by_keys

DAY = (date(2013, 1, 2), date(2013, 1, 3))


def file(**told):
    return DataFile("f", 10, 1, told)


@pytest.mark.parametrize(
    ("told", "holds"),
    [
        (Statistics(0, "2013-01-01", "2013-01-01"), False),
        (Statistics(0, "2013-01-03", "2013-01-09"), False),
        (Statistics(0, "2013-01-02", "2013-01-02"), True),
        (Statistics(0, "2012-01-01", "2014-01-02"), True),
        (Statistics(0, "2013-01-02 23:59:59.999999", "2013-01-02 23:59:59.999999"), True),
        (Statistics(0, "2013-01-03 00:00:00+00", "2013-01-03 00:00:00+00"), False),
        (Statistics(0, "2013-01-03 00:30:00+01", "2013-01-03 00:30:00+01"), True),
        (Statistics(10), False),
        (Statistics(9), True),
        (Statistics(), True),
        (Statistics(0, "infinity", "infinity"), True),
        (Statistics(0, "0044-03-15 (BC)", "0044-03-15 (BC)"), True),
    ],
)
def test_a_day_by_bounds(told, holds):
    assert may_hold(file(at=told), "at", *DAY) is holds
    assert may_hold(file(at=told), "at", datetime(2013, 1, 2, tzinfo=UTC), datetime(2013, 1, 3, tzinfo=UTC)) is holds


def may_overlap(file, others, key, schema):
    return touched_by_keys([file], others, key, schema) == (file,)


def test_no_statistics_prove_nothing():
    assert may_hold(file(), "at", *DAY)
    assert may_overlap(file(), [file(k=Statistics(0, "1", "2"))], ["k"], (Column("k", "INTEGER"),))


@pytest.mark.parametrize(
    ("kind", "here", "there", "meet"),
    [
        ("INTEGER", Statistics(0, "2", "9"), Statistics(0, "10", "11"), False),
        ("INTEGER", Statistics(0, "2", "10"), Statistics(0, "10", "11"), True),
        ("BIGINT", Statistics(0, "-5", "-2"), Statistics(0, "-1", "3"), False),
        (
            "DECIMAL(38,10)",
            Statistics(0, "1.0000000000", "12345678901234567890.1234567890"),
            Statistics(0, "12345678901234567890.1234567891", "2e30"),
            False,
        ),
        ("DOUBLE", Statistics(0, "-0.0", "-0.0"), Statistics(0, "0.0", "0.0"), True),
        ("DOUBLE", Statistics(0, "9.5", "1e300"), Statistics(0, "1.5", "9.25"), False),
        ("VARCHAR", Statistics(0, "a", "b"), Statistics(0, "c", "d"), False),
        ("VARCHAR", Statistics(0, "Z", "Z"), Statistics(0, "a", "a"), False),
        ("VARCHAR", Statistics(0, "\uffff", "\uffff"), Statistics(0, "\U00010000", "\U00010000"), False),
        ("VARCHAR", Statistics(0, "a", "b", exact=False), Statistics(0, "b", "d"), True),
        ("VARCHAR", Statistics(0, "a", "b", exact=False), Statistics(0, "c", "d"), False),
        ("DATE", Statistics(0, "2013-01-01", "2013-01-31"), Statistics(0, "2013-02-01", "2013-02-01"), False),
        ("DATE", Statistics(0, "2013-01-01", "12013-01-01"), Statistics(0, "2014-01-01", "2014-01-01"), True),
        (
            "TIMESTAMP",
            Statistics(0, "2013-01-01 05:00:00", "2013-01-01 05:00:00.5"),
            Statistics(0, "2013-01-01 05:00:01", "2013-01-02 00:00:00"),
            False,
        ),
        ("INTEGER", Statistics(1, "2", "9"), Statistics(0, "10", "11"), False),
        ("INTEGER", Statistics(1, "2", "9"), Statistics(3, "10", "11"), True),
        ("INTEGER", Statistics(None, "2", "9"), Statistics(3, "10", "11"), True),
        ("INTEGER", Statistics(10), Statistics(0, "10", "11"), False),
        ("INTEGER", Statistics(10), Statistics(10), True),
        ("BLOB", Statistics(0, "00", "01"), Statistics(0, "02", "03"), True),
        ("VARCHAR[]", Statistics(0), Statistics(0), True),
    ],
)
def test_keys_by_bounds(kind, here, there, meet):
    schema = (Column("k", kind),)
    assert may_overlap(file(k=here), [file(k=there)], ["k"], schema) is meet
    assert may_overlap(file(k=there), [file(k=here)], ["k"], schema) is meet


def test_one_column_apart_is_enough():
    schema = (Column("a", "INTEGER"), Column("b", "INTEGER"))
    here = file(a=Statistics(0, "1", "5"), b=Statistics(0, "1", "1"))
    assert not may_overlap(here, [file(a=Statistics(0, "1", "5"), b=Statistics(0, "2", "3"))], ["a", "b"], schema)
    assert may_overlap(
        here,
        [file(a=Statistics(0, "1", "5"), b=Statistics(0, "2", "3")), file(a=Statistics(0, "5", "9"), b=Statistics(0, "0", "3"))],
        ["a", "b"],
        schema,
    )
    assert not may_overlap(here, [], ["a"], schema)


WORDS = st.lists(st.none() | st.text(max_size=4), min_size=1, max_size=5)
WHOLE = st.lists(st.none() | st.integers(-20, 20), min_size=1, max_size=5)


def told_of(values):
    there = [v for v in values if v is not None]
    low, high = (
        f(there, key=lambda v: v.encode("utf-8", "surrogatepass") if isinstance(v, str) else v) if there else None for f in (min, max)
    )
    return DataFile(
        "f",
        len(values),
        1,
        {"k": Statistics(len(values) - len(there), None if low is None else str(low), None if high is None else str(high))},
    )


@given(WORDS, WORDS)
def test_files_that_share_a_text_are_never_told_apart(a, b):
    if set(a) & set(b):
        assert may_overlap(told_of(a), [told_of(b)], ["k"], (Column("k", "VARCHAR"),))


@given(WHOLE, WHOLE)
def test_files_that_share_a_number_are_never_told_apart_and_ranges_apart_always_are(a, b):
    meet = may_overlap(told_of(a), [told_of(b)], ["k"], (Column("k", "INTEGER"),))
    if set(a) & set(b):
        assert meet
    here, there = [v for v in a if v is not None], [v for v in b if v is not None]
    if here and there and max(here) < min(there) and not (None in a and None in b):
        assert not meet
