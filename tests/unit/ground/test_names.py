"""Words and numbers in a row."""

import pytest

from xde.ground.names import listed, ranges


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ([], ""),
        ([7], "7"),
        ([0, 1], "0 and 1"),
        ([0, 1, 2], "0 to 2"),
        ([0, 1, 2, 4], "0 to 2 and 4"),
        ([0, 2, 3, 5, 6, 7, 9], "0, 2, 3, 5 to 7 and 9"),
    ],
)
def test_ranges(numbers, said):
    assert ranges(numbers) == said


def test_listed():
    assert [listed(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
