"""Versions: what means the same, and which tables are apart from which."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xde.kernel.plan.versions import meaning, placed, restated, restatement, shown_restatements

MEANT = {"shop.orders": "a0", "staging.orders": "b1", "marts.daily": "c2", "marts.other": "d3", "marts.last": "e4"}
UPSTREAM = {
    "staging.orders": ("shop.orders",),
    "marts.daily": ("staging.orders",),
    "marts.other": ("shop.orders",),
    "marts.last": ("marts.daily",),
}
ORDER = list(MEANT)


def test_a_version_without_a_restatement_is_its_meaning():
    assert placed(MEANT, ORDER, UPSTREAM, {}) == MEANT
    assert restatement("b1") == 1
    assert restated("b1-r4", 1) == "b1"


def test_what_is_made_from_a_restated_dataset_lies_apart_and_nothing_else():
    found = placed(MEANT, ORDER, UPSTREAM, {"staging.orders": 2})
    assert found["staging.orders"] == "b1-r2"
    assert found["shop.orders"] == "a0"
    assert found["marts.other"] == "d3"
    assert found["marts.daily"].startswith("c2-i")
    assert found["marts.last"].startswith("e4-i")
    assert {n: meaning(v) for n, v in found.items()} == MEANT


def test_the_same_restatements_give_the_same_tables_and_others_give_others():
    one, same, other = (placed(MEANT, ORDER, UPSTREAM, {"staging.orders": n}) for n in (2, 2, 3))
    assert one == same
    assert one["marts.last"] != other["marts.last"]


def test_a_dataset_can_be_restated_and_made_from_a_restated_one():
    found = placed(MEANT, ORDER, UPSTREAM, {"staging.orders": 2, "marts.daily": 3})
    assert found["marts.daily"].startswith("c2-r3-i")
    assert restatement(found["marts.daily"]) == 3
    assert restatement(found["marts.last"]) == 1


def test_pointers_tell_which_restatements_are_shown_and_the_first_that_shows_the_meaning_decides():
    shown = {"staging.orders": "b1-r2", "marts.daily": "other-r7"}
    own = {"staging.orders": "b1-r9", "marts.daily": "c2-r3", "marts.last": "e4"}
    assert shown_restatements(MEANT, shown) == {"staging.orders": 2}
    assert shown_restatements(MEANT, shown, own) == {"staging.orders": 2, "marts.daily": 3}


@given(st.dictionaries(st.sampled_from(ORDER[1:]), st.integers(2, 5)))
def test_what_is_pointed_at_is_what_is_meant(numbers):
    """Pointers made of a placement give the same placement again: after a switch there is nothing to do."""
    found = placed(MEANT, ORDER, UPSTREAM, numbers)
    again = shown_restatements(MEANT, found)
    assert again == numbers
    assert placed(found, ORDER, UPSTREAM, again) == found
