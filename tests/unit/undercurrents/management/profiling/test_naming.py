"""Files of one table by their names."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

import pytest

from xde.undercurrents.management.profiling.naming import format_of, grouped, identifier


def names(*files):
    return [(g.name, g.pattern, len(g.files)) for g in grouped(Path("data") / f for f in files)]


def test_deliveries_of_one_table_are_one_group_and_its_pattern_names_all_of_them():
    files = [f"flights-2013-{m:02}.csv.gz" for m in range(1, 13)]
    assert names(*files, "planes.csv") == [("flights", "flights-*.csv.gz", 12), ("planes", "planes.csv", 1)]
    assert all(fnmatch(f, "flights-*.csv.gz") for f in files)


@pytest.mark.parametrize(
    ("files", "pattern"),
    [(("a_1.csv", "a_2.csv"), "a_*.csv"), (("x20240101.csv", "x20240102.csv"), "x*.csv"), (("b-9.csv", "b-10.csv"), "b-*.csv")],
)
def test_patterns(files, pattern):
    (group,) = grouped(Path(f) for f in files)
    assert group.pattern == pattern
    assert all(fnmatch(f, pattern) for f in files)


def test_a_digit_that_belongs_to_a_name_stays():
    assert [n for n, _, _ in names("utf16.csv", "q1.csv")] == ["q1", "utf16"]


def test_two_kinds_of_file_are_two_tables():
    assert names("a-1.csv", "a-1.parquet") == [("a", "a-1.csv", 1), ("a_2", "a-1.parquet", 1)]


def test_names_are_identifiers():
    assert identifier("Traffic Report ID") == "traffic_report_id"
    assert identifier("orderDate") == "order_date"
    assert identifier("2nd") == "_2nd"
    assert identifier("???") == "_"
    assert identifier("naïve Größe") == "naive_grosse"


def test_formats():
    assert [format_of(Path(p)) for p in ("a.CSV", "a.csv.gz", "a.parquet", "a.jsonl.zst", "a.dat", "a")] == [
        "csv",
        "csv",
        "parquet",
        "ndjson",
        None,
        None,
    ]


def test_a_pattern_takes_no_other_file_and_a_name_is_no_pattern():
    files = [Path(f) for f in ("part-1.csv", "part-2.csv")]
    (group,) = grouped(files, [Path("part-list.csv")])
    assert group.pattern == "part-[0-9]*.csv"
    assert not fnmatch("part-list.csv", group.pattern)
    (odd,) = grouped([Path("sales [old].csv")])
    assert fnmatch("sales [old].csv", odd.pattern)
