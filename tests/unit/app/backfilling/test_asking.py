"""What a backfill cannot be asked, and what is said to it."""

from __future__ import annotations

import pytest

from xde.ground.errors import UserError

MARCH = {"start": "2026-03-03", "end": "2026-03-06"}


@pytest.mark.parametrize(
    ("dataset", "asked", "code", "hint"),
    [
        ("staging.orders", {"start": "tomorrow", "end": "2026-03-06"}, "XDE0760", "2013-03-01"),
        ("staging.orders", {"start": "2026-03-06", "end": "2026-03-03"}, "XDE0761", "--from 2026-03-03 --to 2026-03-06"),
        ("staging.orders", {"start": "2026-03-03", "end": "2026-03-03"}, "XDE0761", "--from 2026-03-03 --to 2026-03-04"),
        ("staging.orders", {"start": "2026-03-03"}, "XDE0761", "both ends"),
        ("staging.orders", {}, "XDE0762", "--from 2026-03-01 --to 2026-03-10"),
        ("marts.total", MARCH, "XDE0762", "leave `--from` and `--to` out"),
        ("shop.orders", MARCH, "XDE0763", "xde run --full shop.orders"),
        ("staging.orders", {"start": "2026-03-05", "end": "2026-04-01"}, "XDE0765", "--from 2026-03-05 --to 2026-03-10"),
        ("staging.orders", {"start": "2027-03-05", "end": "2027-04-01"}, "XDE0765", "within"),
        ("staging.order", MARCH, "XDE0726", "staging.orders"),
        ("staging.*", MARCH, "XDE0766", "one dataset"),
        ("+staging.orders", MARCH, "XDE0766", "--upstream"),
        ("staging.seen", {}, "XDE0767", "what it reads"),
    ],
)
def test_what_cannot_be_asked(shop, dataset, asked, code, hint):
    with pytest.raises(UserError) as error:
        shop.planned(dataset, **asked)
    (finding,) = error.value.findings
    assert finding.code == code
    assert hint in finding.hint


def test_a_model_that_was_never_built_or_means_something_else_now(shop):
    with pytest.raises(UserError) as error:
        shop.planned(environment="elsewhere", **MARCH)
    assert error.value.findings[0].code == "XDE0764"
    shop.write("models/marts/total.sql", "SELECT max(amount) AS amount FROM marts.daily\n")
    with pytest.raises(UserError) as error:
        shop.planned("marts.total")
    assert "another version" in error.value.findings[0].message


def test_a_time_within_a_day_means_the_whole_day(shop):
    found = shop.planned(start="2026-03-03T12:00", end="2026-03-04T01:00")
    (step,) = [s for s in found.plan.steps if s.dataset == "staging.orders"]
    assert [(i.start, i.end) for i in step.intervals] == [("2026-03-03T00:00:00", "2026-03-05T00:00:00")]
