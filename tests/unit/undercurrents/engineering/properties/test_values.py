"""Values of columns: of their types, within their contracts, and the ones worth trying."""

import re
from random import Random

import pytest

from xde.kernel.project.contract import Property, QualityRule
from xde.undercurrents.engineering.properties.constants import constants_of
from xde.undercurrents.engineering.properties.patterns import matching
from xde.undercurrents.engineering.properties.values import Column, array, family_of, fits, own, shared

PATTERNS = [
    "^N[0-9A-Z]{1,5}$",
    "^[A-Z]\\.$",
    r"^(0[1-9]|1[0-2])/(0[1-9]|[12]\d)/20\d{2}$",
    "^[A-Z][A-Za-z]+/[A-Za-z_]+$",
    "a+b*c?",
    "^[^@]+@x$",
    "(?:ab|cd){2}",
    r"^\w\W\s\S$",
    ".{3}",
    "x|y",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_texts_match_their_pattern(pattern):
    found = matching(pattern, Random(1))
    assert found
    assert all(re.search(pattern, text) for text in found)


@pytest.mark.parametrize("pattern", ["[", "(?=a)b", r"(a)\1"])
def test_a_pattern_that_cannot_be_walked_gives_nothing(pattern):
    assert matching(pattern, Random(1)) == []


def test_the_same_seed_gives_the_same_texts():
    assert matching("^[a-z]{9}$", Random("x")) == matching("^[a-z]{9}$", Random("x")) != matching("^[a-z]{9}$", Random("y"))


@pytest.mark.parametrize(
    ("kind", "family"),
    [
        ("BIGINT", "number"),
        ("UTINYINT", "number"),
        ("DECIMAL(9,2)", "number"),
        ("DOUBLE", "number"),
        ("VARCHAR", "text"),
        ("DATE", "moment"),
        ("TIMESTAMP WITH TIME ZONE", "moment"),
        ("TIME", "time"),
        ("BOOLEAN", "truth"),
        ("INTERVAL", "span"),
        ("INTEGER[]", ""),
        ("STRUCT(a INTEGER)", ""),
    ],
)
def test_families(kind, family):
    assert family_of(kind) == family


def column(kind, **options):
    return Column("c", kind, Property("c", options=options))


@pytest.mark.parametrize(
    ("of", "good", "bad"),
    [
        (column("INTEGER", minimum=1, maximum=12), ["1", "12"], ["0", "13", "1.5"]),
        (column("INTEGER", exclusiveMinimum=1, exclusiveMaximum=12), ["2", "11"], ["1", "12"]),
        (column("INTEGER", multipleOf=6), ["0", "-6"], ["4"]),
        (column("UTINYINT"), ["0", "255"], ["-1", "256"]),
        (column("DECIMAL(4,2)"), ["99.99", "-99"], ["100"]),
        (column("DATE", minimum="2013-01-01", maximum="2013-12-31"), ["2013-01-01 00:00:00", "2013-12-31"], ["2012-12-31 00:00:00"]),
        (column("VARCHAR", minLength=2, maxLength=3), ["ab", "é日c"], ["a", "abcd"]),
        (column("VARCHAR", pattern="^a"), ["ab"], ["ba"]),
    ],
)
def test_what_a_contract_allows(of, good, bad):
    assert [fits(of, v) for v in good] == [True] * len(good)
    assert [fits(of, v) for v in bad] == [False] * len(bad)
    assert all(fits(of, v) for v in own(of, Random(1)))


def test_bounds_and_what_lies_beside_them_are_tried():
    assert {"1", "2", "11", "12"} <= set(own(column("INTEGER", minimum=1, maximum=12), Random(1)))
    assert {"0.01", "10.00", "9.99"} <= set(own(column("DECIMAL(9,2)", exclusiveMinimum=0, maximum=10), Random(1)))
    assert "2013-12-31 00:00:00" in own(column("DATE", minimum="2013-01-01", maximum="2013-12-31"), Random(1))


def test_valid_values_of_a_rule_are_the_only_ones():
    rule = QualityRule("r", metric="invalidValues", arguments={"validValues": ["EWR", "JFK"]})
    of = Column("c", "VARCHAR", Property("c", quality=(rule,)))
    assert set(array(of, ("x", "JFK", "y"), Random(1))) == {"EWR", "JFK"}


def test_columns_share_a_value_wherever_both_may_have_it():
    one, other = column("INTEGER", minimum=0, maximum=100), column("BIGINT", minimum=50)
    values = shared([one, other], constants_of([]), Random(1))["number"]
    first, second = (array(c, values, Random(1)) for c in (one, other))
    assert len(first) == len(second) == len(values)
    both = [i for i, v in enumerate(values) if fits(one, v) and fits(other, v)]
    assert len(both) > 3
    assert [first[i] for i in both] == [second[i] for i in both]


def test_what_refers_to_a_column_puts_its_values_there():
    child = Column("origin", "VARCHAR", Property("origin", enum=("EWR", "JFK")))
    parent = Column("faa", "VARCHAR", Property("faa", options={"minLength": 3, "maxLength": 3}), (child,))
    assert {"EWR", "JFK"} <= set(
        array(parent, ("", "x"), Random(1)) + array(parent, ("", "x", "yy", " ", "1", "2", "3", "4", "5", "6", "7", "8"), Random(1))
    )


def test_constants_of_the_text_and_what_lies_beside_them():
    found = constants_of(
        ["SELECT a FROM t WHERE b = 'coupon' AND c > 2400 AND d >= DATE '2013-07-01' AND e LIKE '%late%'"], [15, "x", True]
    )
    assert {"coupon", "late", "%late%", "x"} <= set(found.texts)
    assert {"2400", "2399", "2401", "15", "14", "16"} <= set(found.numbers)
    assert found.moments == ("2013-07-01",)
    assert not found.zones


def test_a_zone_read_from_a_column_and_units_are_no_texts():
    found = constants_of(["SELECT m AT TIME ZONE z, n AT TIME ZONE 'UTC', k + INTERVAL '3 days' FROM t", "no query ("])
    assert found.zones
    assert "UTC" not in found.texts
    assert "3" not in found.numbers
