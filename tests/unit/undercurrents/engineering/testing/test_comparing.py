"""Two tables compared: equal rows vanish, the rest is paired by key or by likeness, and nothing is told that is the same."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xde.undercurrents.engineering.testing.comparing import ANY, How, compare, same


def test_equal_rows_in_any_order_are_equal():
    assert compare(["a"], [(1,), (2,)], [(2,), (1,)], How()).equal


def test_order_matters_only_when_it_is_asked_for():
    found = compare(["a"], [(1,), (2,)], [(2,), (1,)], How(ordered=True))
    assert not found.equal
    assert [(c.expected, c.actual) for c in found.misplaced] == [((1,), (2,)), ((2,), (1,))]


def test_rows_are_a_multiset():
    found = compare(["a"], [(1,), (1,)], [(1,)], How())
    assert (found.missing, found.unexpected) == (((1,),), ())


def test_rows_with_the_same_key_are_shown_cell_by_cell():
    found = compare(["id", "a", "b"], [(1, "x", 2), (2, "y", 3)], [(2, "z", 4), (1, "x", 2)], How(key=("id",)))
    assert [(c.expected, c.actual, c.columns) for c in found.changed] == [((2, "y", 3), (2, "z", 4), (1, 2))]
    assert (found.missing, found.unexpected) == ((), ())


def test_without_a_key_rows_are_paired_when_half_of_their_cells_agree():
    found = compare(["a", "b"], [(1, 2), (8, 9)], [(1, 3), (5, 6)], How())
    assert [(c.expected, c.actual) for c in found.changed] == [((1, 2), (1, 3))]
    assert (found.missing, found.unexpected) == (((8, 9),), ((5, 6),))


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (None, None, True),
        (None, 0, False),
        (1, True, False),
        (float("nan"), float("nan"), True),
        (float("nan"), 0.0, False),
        (0.1 + 0.2, 0.3, True),
        (0.1, 0.1001, False),
        (1.0, 1, True),
        (Decimal("1.10"), Decimal("1.1"), True),
        (Decimal("0.3"), 0.1 + 0.2, True),
        ([0.1 + 0.2, None], [0.3, None], True),
        ({"a": 1}, {"a": 1, "b": None}, False),
        ("1", 1, False),
    ],
)
def test_values(one, other, equal):
    assert same(one, other, 1e-9) is equal


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2))), st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2))))
def test_what_is_told_turns_the_one_into_the_other(expected, actual):
    found = compare(["a", "b"], expected, actual, How())
    rows = list(expected)
    for row in found.missing:
        rows.remove(row)
    rows += found.unexpected
    for change in found.changed:
        rows.remove(change.expected)
        rows.append(change.actual)
        assert change.columns == tuple(i for i in range(2) if change.expected[i] != change.actual[i]) != ()
    assert sorted(rows) == sorted(actual)
    assert found.equal is (sorted(expected) == sorted(actual))


def test_a_cell_that_does_not_matter_is_equal_to_anything_and_leaves_exact_rows_their_partners():
    assert compare(["a", "b"], [(ANY, 1), (2, 1)], [(2, 1), (3, 1)], How()).equal
    assert compare(["a", "b"], [(1, ANY)], [(1, None)], How()).equal
    found = compare(["a", "b"], [(1, ANY)], [(2, 5)], How())
    assert (found.missing, found.unexpected) == ((), ())
    assert found.changed[0].columns == (0,)
