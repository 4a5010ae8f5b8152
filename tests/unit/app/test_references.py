"""What a user may write to name rows."""

from datetime import UTC, datetime

import pytest

from xde.app.references import NOW, Point, Reference, at, read_point, read_reference
from xde.ground.errors import UserError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("marts.x", Reference("marts.x")),
        ("prod:marts.x", Reference("marts.x", "prod")),
        ("my-branch.2:marts.x@-1", Reference("marts.x", "my-branch.2", Point(number=-1))),
        ("marts.x@12", Reference("marts.x", None, Point(number=12))),
        ("marts.x@99775dfa", Reference("marts.x", None, Point(version="99775dfa"))),
        ("marts.x@99775dfa@3", Reference("marts.x", None, Point(3, None, "99775dfa"))),
        ("marts.x@2026-01-31", Reference("marts.x", None, Point(moment=datetime(2026, 1, 31, tzinfo=UTC)))),
        ("prod:marts.x@2026-01-31T12:30:00+02:00", Reference("marts.x", "prod", Point(moment=datetime(2026, 1, 31, 10, 30, tzinfo=UTC)))),
        ("a.parquet", Reference(file="a.parquet")),
        ("../out/b", Reference(file="../out/b")),
        ("b.CSV.gz", Reference(file="b.CSV.gz")),
        ("dev:marts.csv", Reference("marts.csv", "dev")),
    ],
)
def test_a_reference(text, expected):
    assert read_reference(text) == expected


@pytest.mark.parametrize(
    "text", ["", "marts", "a.b.c", "marts.x@", "marts.x@yesterday", "marts.x@2026-02-30", ":marts.x", "a b:marts.x", "marts.x@1.5"]
)
def test_no_reference(text):
    with pytest.raises(UserError) as told:
        read_reference(text)
    assert told.value.findings[0].code == "XDE0920"


def test_options_say_what_a_reference_leaves_open():
    assert at(Reference("a.b"), "prod", "-1") == Reference("a.b", "prod", Point(number=-1))
    assert at(Reference("a.b", "dev"), None, "3").point == read_point("3")
    assert at(Reference("a.b", point=NOW), None, None) == Reference("a.b")


@pytest.mark.parametrize(
    ("reference", "environment", "point"),
    [
        (Reference("a.b", "dev"), "prod", None),
        (Reference("a.b", point=Point(number=1)), None, "2"),
        (Reference(file="a.csv"), "prod", None),
    ],
)
def test_an_option_does_not_say_again_what_the_reference_says(reference, environment, point):
    with pytest.raises(UserError) as told:
        at(reference, environment, point)
    assert told.value.findings[0].code == "XDE0920"
