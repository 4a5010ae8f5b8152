"""How far was read: what is asked for next, what is known by then, and whether there is anything new."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from xde.connectors.http import progress
from xde.connectors.http.progress import Progress, since_text
from xde.ground.errors import UserError
from xde.lifecycle.sources.apis import Paging, Since
from xde.lifecycle.sources.tables import Cursor

BY_TIME = ((("updated_at",), "time"),)
BY_ID = ((("id",), "number"),)


@pytest.mark.parametrize(
    ("written", "kind", "form", "lag", "said"),
    [
        ("2026-01-05T10:00:00.123Z", "time", None, None, "2026-01-05T10:00:00.123Z"),
        ("2026-01-05 10:00:00", "time", None, None, "2026-01-05 10:00:00"),
        ("2026-01-05T10:00:00Z", "time", None, 600.0, "2026-01-05T09:50:00Z"),
        ("2026-01-05T12:00:00+02:00", "time", None, 600.0, "2026-01-05T09:50:00Z"),
        ("2026-01-05T10:00:00", "time", None, 600.0, "2026-01-05T09:50:00"),
        ("2026-01-05", "time", None, 86400.0, "2026-01-04"),
        ("2026-01-05T10:00:00+02:00", "time", "iso8601", None, "2026-01-05T08:00:00Z"),
        ("2026-01-05T01:00:00+02:00", "time", "date", None, "2026-01-04"),
        ("2026-01-05T10:00:00.9Z", "time", "unix", None, "1767607200"),
        ("2026-01-05T10:00:00.9Z", "time", "unixMillis", None, "1767607200900"),
        (17, "number", None, None, "17"),
        (17, "number", None, 5.0, "12"),
        ("1767607200.5", "number", None, 600.0, "1767606600.5"),
        (105, "number", None, 5.0, "100"),
        ("12345678901234567890", "number", None, None, "12345678901234567890"),
        ("01HX", "text", None, None, "01HX"),
        ("05.01.2026 10:00", "time:%d.%m.%Y %H:%M", None, 600.0, "05.01.2026 09:50"),
        ("05.01.2026 10:00", "time:%d.%m.%Y %H:%M", "date", None, "2026-01-05"),
        ("2026-01-05", "time:%d.%m.%Y", None, None, None),
        ("no time", "time", None, None, None),
        (None, "time", None, None, None),
    ],
)
def test_what_is_asked_for(reader, written, kind, form, lag, said):
    ask = reader.ask(cursor=Cursor(("at",), lag), since=Since("since", None, form))
    ask = replace(ask, request=replace(ask.asked, cursor=((("at",), kind),)))
    assert since_text(ask, written) == said


def test_the_start_is_asked_for_until_something_came(api, reader):
    api.answers["/orders"] = lambda _: {"items": []}
    ask = merging(reader, start="2020-01-01")
    reader.read(ask)
    assert reader.portion.position == {"kind": "api", "edge": [EMPTY]}
    reader.read(ask, reader.portion.position)
    assert api.queries("since") == [("2020-01-01",), ("2020-01-01",)]


EMPTY = "0:" + "0" * 32


def merging(reader, start=None, lag=None, paging=None, form=None):
    since = Since("since", start, form)
    cursor = Cursor(("updated_at",), lag, timed=True)
    ask = reader.ask(paging, cursor, since=since)
    return replace(ask, merges=True, request=replace(ask.asked, cursor=BY_TIME))


def appending(reader, paging=None):
    ask = reader.ask(paging, Cursor(("id",), unique=True), since=Since("after"), appends=True)
    return replace(ask, request=replace(ask.asked, cursor=BY_ID))


@pytest.mark.parametrize("inclusive", [True, False])
@pytest.mark.parametrize("lag", [None, 3600.0])
def test_nothing_new_is_told_without_a_load(api, reader, inclusive, lag):
    shelf = [{"id": n, "updated_at": f"2026-01-01T{n:02}:00:00Z"} for n in (1, 2, 3)]

    def answer(asked):
        since = asked.query.get("since", "")
        return {"items": [r for r in shelf if r["updated_at"] > since or (inclusive and r["updated_at"] == since)]}

    api.answers["/orders"] = answer
    ask = merging(reader, lag=lag)
    assert reader.ids(ask) == [1, 2, 3]
    position = reader.portion.position
    assert position["cursor"] == ["2026-01-01T03:00:00Z"]
    assert reader.news(ask, position) is None
    shelf.append({"id": 9, "updated_at": "2026-01-01T03:00:00Z" if inclusive else "2026-01-01T03:00:01Z"})
    assert reader.news(ask, position).told == "`/orders` has new records"
    assert 9 in reader.ids(ask, position)
    assert reader.news(ask, reader.portion.position) is None


def test_what_changed_without_a_cursor(api, reader):
    shelf = [{"id": 1}, {"id": 2}]
    api.answers["/orders"] = lambda _: {"items": shelf}
    ask = reader.ask()
    reader.read(ask)
    position = reader.portion.position
    assert reader.news(ask, position) is None
    shelf.reverse()
    assert reader.news(ask, position) is None
    shelf.pop()
    assert reader.news(ask, position).told == "`/orders` has changed"


def test_news_asks_for_a_few_pages_alone(api, reader):
    api.answers["/orders"] = lambda a: {"items": [{"id": int(a.query["page"])}]}
    ask = reader.ask(Paging("page", "page", most=30))
    assert reader.news(ask, {"edge": [f"100:{0:032x}"]}) is not None
    assert len(api.asked) == 5


def test_records_that_were_appended_are_left_out(api, reader):
    api.answers["/orders"] = lambda _: {"items": [{"id": 3}, {"id": 12345678901234567890}, {"id": 1}]}
    ask = appending(reader)
    assert reader.ids(ask, {"kind": "api", "cursor": [2]}) == [3, 12345678901234567890]
    assert reader.portion.cost["known"] == 1
    assert reader.portion.position["cursor"] == [12345678901234567890]
    assert reader.news(ask, reader.portion.position) is None
    assert api.queries("after")[-1] == ("12345678901234567890",)


def test_a_record_without_a_cursor_cannot_be_appended(api, reader):
    api.answers["/orders"] = lambda _: {"items": [{"id": None}]}
    with pytest.raises(UserError) as raised:
        reader.read(appending(reader))
    assert raised.value.findings[0].code == "XDE0484"


def test_a_cursor_that_cannot_be_read_is_left_to_the_loader(api, reader):
    api.answers["/orders"] = lambda _: {"items": [{"id": "x"}, {"id": 1}]}
    assert reader.ids(appending(reader)) == ["x", 1]
    assert reader.portion.position["cursor"] == [1]


def test_newest_first_ends_where_all_is_known(api, reader):
    def answer(asked):
        number = int(asked.query["page"])
        return {"items": [{"id": n} for n in range(20 - 2 * number, 22 - 2 * number)] if number < 10 else []}

    api.answers["/orders"] = answer
    ask = appending(reader, Paging("page", "page", newest_first=True))
    assert reader.ids(ask, {"kind": "api", "cursor": [16]}) == [18, 19, 17]
    assert api.queries("page") == [("1",), ("2",), ("3",)]


def test_the_order_of_records_and_their_number_make_no_difference(reader, monkeypatch):
    monkeypatch.setattr(progress, "KEPT", 7)
    records = [{"id": n, "updated_at": f"2026-01-01T00:{n % 20:02}:00Z"} for n in range(100)]
    found = set()
    for seed in range(5):
        random.Random(seed).shuffle(records)
        made = Progress(merging(reader, lag=120.0), None)
        for record in records:
            made.saw(str(record), record)
        found.add(str(made.position()))
    assert len(found) == 1
    assert "15:" in found.pop()


@pytest.mark.parametrize(("kind", "endless"), [("time", "9999-12-31T00:00:00Z"), ("number", "NaN"), ("number", "Infinity")])
def test_a_value_that_none_can_follow_is_no_position(api, reader, kind, endless):
    first = "2026-01-01T00:00:00Z" if kind == "time" else 7
    api.answers["/orders"] = lambda _: {"items": [{"id": 1, "at": first}, {"id": 2, "at": endless}]}
    ask = reader.ask(cursor=Cursor(("at",)), since=Since("since"))
    reader.read(replace(ask, request=replace(ask.asked, cursor=((("at",), kind),))))
    assert reader.portion.position["cursor"] == [first]


def test_numbers_are_not_compared_as_texts(api, reader):
    api.answers["/orders"] = lambda _: {"items": [{"id": 9}, {"id": 10}]}
    ask = reader.ask(cursor=Cursor(("id",)), since=Since("since"))
    with pytest.raises(UserError) as raised:
        reader.read(replace(ask, request=replace(ask.asked, cursor=((("id",), "text"),))))
    assert [f.code for f in raised.value.findings] == ["XDE0496"]
