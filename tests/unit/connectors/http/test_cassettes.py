"""Cassettes: what is on them, what is not, and that they stand in for the API."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from projects.apis import Reply

from xde.connectors.http.cassettes import folder_of
from xde.connectors.http.sources import ApiRecords, recorded
from xde.ground.errors import UserError
from xde.ground.secrets import VEIL, hide
from xde.lifecycle.sources.apis import Paging, Since
from xde.lifecycle.sources.tables import Cursor

KEY = "key-0123456789"
SETTINGS = {"auth": "key", "parameter": "api_key", "value": KEY, "headers:X-Tenant": "${env:TENANT}"}


@pytest.fixture(autouse=True)
def unveiled():
    hide(KEY)
    yield
    VEIL.clear()


def answer(asked):
    """Two pages; each tells the key, and where the next is."""
    more = f"/orders?after=2&api_key={KEY}" if "after" not in asked.query else None
    found = [{"id": 3}] if more is None else [{"id": 1, "echo": f"you are {KEY}"}, {"id": 2}]
    return Reply({"items": found, "next": more}, headers={"Set-Cookie": f"session={KEY}", "X-Request-Id": str(id(asked))})


def record(reader, ask, folder, most=None):
    source = reader.open(ask)
    (reader.folder / "scratch").mkdir(exist_ok=True)
    try:
        return source.record(ask, reader.folder / "scratch", folder, most)
    finally:
        source.close()


def replayed(reader, ask, position=None):
    sharing = reader.sharing
    source = ApiRecords(ask, recorded(ask, reader.folder), sharing)
    (reader.folder / "again").mkdir(exist_ok=True)
    portion = source.read(ask, position, reader.folder / "again")
    return [json.loads(x)["id"] for x in portion.pieces[0].path.read_text().splitlines()]


def paged(reader, **more):
    return reader.ask(Paging("next", at=("next",)), settings=SETTINGS, **more)


def test_what_is_recorded_has_no_secrets_and_is_the_same_each_time(api, reader):
    api.answers["/orders"] = answer
    ask = paged(reader)
    folder = folder_of(ask, reader.folder)
    assert str(folder.relative_to(reader.folder)) == "tests/cassettes/shop/orders"
    recorder, records = record(reader, ask, folder)
    assert (recorder.requests, records) == (2, 3)
    first = {p.name: p.read_bytes() for p in sorted(folder.iterdir())}
    assert list(first) == ["001.http", "002.http"]
    text = b"".join(first.values()).decode()
    assert KEY not in text
    assert "tenant" not in text
    assert "ookie" not in text
    assert first["001.http"].decode().startswith("GET /orders\n---\n200\ncontent-type: application/json\n\n{")
    record(reader, ask, folder)
    assert {p.name: p.read_bytes() for p in sorted(folder.iterdir())} == first
    assert [p.name for p in folder.parent.iterdir()] == ["orders"]


def test_it_answers_without_network_and_without_secrets(api, reader):
    api.answers["/orders"] = answer
    ask = paged(reader)
    record(reader, ask, folder_of(ask, reader.folder))
    asked = len(api.asked)
    sealed = replace(ask, place=replace(ask.place, settings={**ask.place.settings, "value": "${env:NOT_SET}"}))
    assert replayed(reader, sealed) == [1, 2, 3]
    assert len(api.asked) == asked


def test_a_request_that_is_not_on_it(api, reader):
    api.answers["/orders"] = answer
    ask = paged(reader)
    record(reader, ask, folder_of(ask, reader.folder))
    other = replace(ask, request=replace(ask.asked, query=(("kind", "all"),)))
    with pytest.raises(UserError) as raised:
        replayed(reader, other)
    (found,) = raised.value.findings
    assert found.code == "XDE0456"
    assert "no answer to `GET /orders?kind=all`" in found.message
    assert "xde record shop.orders" in found.hint


def test_no_cassette(reader):
    with pytest.raises(UserError, match=r"there is no cassette of `shop.orders`"):
        recorded(paged(reader), reader.folder)


def test_one_that_is_spoilt(api, reader):
    api.answers["/orders"] = answer
    ask = paged(reader)
    folder = folder_of(ask, reader.folder)
    record(reader, ask, folder)
    (folder / "002.http").write_text("GET /orders\n")
    with pytest.raises(UserError, match=r"`tests/cassettes/shop/orders/002.http` is no recorded answer"):
        recorded(ask, reader.folder)


def test_a_recording_of_a_few_requests_ends_there(api, reader):
    api.answers["/orders"] = lambda a: {"items": [{"id": int(a.query["page"])}]}
    ask = reader.ask(Paging("page", "page", most=50))
    recorder, records = record(reader, ask, folder_of(ask, reader.folder), most=3)
    assert (recorder.requests, records, len(api.asked)) == (4, 3, 3)
    assert replayed(reader, ask) == [1, 2, 3]


def test_the_next_load_is_on_it_too(api, reader):
    shelf = [{"id": n, "updated_at": f"2026-01-01T{n:02}:00:00Z"} for n in (1, 2, 3)]
    api.answers["/orders"] = lambda a: {"items": [r for r in shelf if r["updated_at"] >= a.query.get("since", "")]}
    ask = reader.ask(cursor=Cursor(("updated_at",), None, timed=True), since=Since("since", "2020-01-01"))
    ask = replace(ask, merges=True, request=replace(ask.asked, cursor=((("updated_at",), "time"),)))
    record(reader, ask, folder_of(ask, reader.folder))
    assert replayed(reader, ask) == [1, 2, 3]
    assert replayed(reader, ask, {"cursor": ["2026-01-01T03:00:00Z"]}) == [3]


def test_a_failed_recording_leaves_the_old_one(api, reader):
    api.answers["/orders"] = answer
    ask = paged(reader)
    folder = folder_of(ask, reader.folder)
    record(reader, ask, folder)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    api.answers["/orders"] = lambda _: Reply("gone", 410)
    with pytest.raises(UserError):
        record(reader, ask, folder)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    assert len(list(folder.parent.iterdir())) == 1


def test_a_search_is_known_by_its_body(api, reader):
    api.answers["/orders"] = lambda a: {"items": [{"id": json.loads(a.body)["page"]}] if json.loads(a.body)["page"] < 3 else []}
    ask = reader.ask(Paging("page", "page"), method="POST", body='{"q": "a\\nb"}')
    record(reader, ask, folder_of(ask, reader.folder))
    assert replayed(reader, ask) == [1, 2]


def test_an_address_by_reference_is_not_told(api, reader):
    api.answers["/v2/orders"] = lambda a: {"items": [{"id": 1}], "next": f"{api.url}/v2/more" if a.path == "/v2/orders" else None}
    api.answers["/v2/more"] = lambda _: {"items": [{"id": 2}]}
    ask = reader.ask(Paging("next", at=("next",)), settings={"location": "${env:SHOP_API}/v2"})
    from xde.connectors.http.sources import live

    settings = {"location": f"{api.url}/v2"}
    source = ApiRecords(ask, live(ask, settings, reader.folder, reader.sharing), reader.sharing)
    (reader.folder / "scratch").mkdir()
    folder = folder_of(ask, reader.folder)
    source.record(ask, reader.folder / "scratch", folder)
    source.close()
    assert api.url not in "".join(p.read_text() for p in folder.iterdir())
    assert replayed(reader, ask) == [1, 2]


def test_what_may_show_a_person_is_made_up(api, reader):
    shelf = [
        {
            "id": 1,
            "name": "Ada Lovelace",
            "home": {"mail": "ada@example.org", "phone": "+44 20 7946"},
            "kin": [{"name": "Byron"}, {"name": None}],
        },
        {"id": 2, "name": "Ada Lovelace", "home": {"mail": "bob@example.org"}, "kin": []},
    ]
    api.answers["/orders"] = lambda _: {"items": shelf}
    personal = (((), ("name",)), ((), ("home", "mail")), ((), ("home", "phone")), ((("kin",),), ("name",)))
    ask = reader.ask(personal=personal)
    folder = folder_of(ask, reader.folder)
    record(reader, ask, folder)
    body = json.loads((folder / "001.http").read_text().partition("\n\n")[2])
    assert body == {
        "items": [
            {
                "id": 1,
                "name": "x1 xxxxxxxx",
                "home": {"mail": "x2@xxxxxxx.xxx", "phone": "+03 11 1111"},
                "kin": [{"name": "x4"}, {"name": None}],
            },
            {"id": 2, "name": "x1 xxxxxxxx", "home": {"mail": "x5@xxxxxxx.xxx"}, "kin": []},
        ]
    }


def test_persons_in_lines(api, reader):
    lines = '{"id": 1, "name": "Ada"}\n\n{"id": 2, "name": "Bob"}\n'
    api.answers["/orders"] = lambda _: Reply(lines, headers={"Content-Type": "application/x-ndjson"})
    ask = reader.ask(records=None, personal=(((), ("name",)),))
    folder = folder_of(ask, reader.folder)
    record(reader, ask, folder)
    assert (folder / "001.http").read_text().endswith('\n\n{"id": 1, "name": "x1"}\n\n{"id": 2, "name": "x2"}\n')
    assert replayed(reader, ask) == [1, 2]


def test_nothing_hides_in_another_encoding(api, reader):
    body = json.dumps({"items": [{"id": "é", "echo": KEY, "name": "Ada"}]}, ensure_ascii=False).encode("utf-16")
    api.answers["/orders"] = lambda _: Reply(body, headers={"Content-Type": "application/json; charset=UTF-16"})
    ask = reader.ask(settings=SETTINGS, personal=(((), ("name",)),))
    folder = folder_of(ask, reader.folder)
    record(reader, ask, folder)
    text = (folder / "001.http").read_text()
    assert "\ncontent-type: application/json\n" in text
    assert '{"id": "é", "echo": "***", "name": "x1"}' in text
    assert replayed(reader, ask) == ["é"]


@pytest.mark.parametrize("charset", ["klingon", "utf-16"])
def test_an_encoding_that_is_none(api, reader, charset):
    api.answers["/orders"] = lambda _: Reply(b'{"items": []} ', headers={"Content-Type": f"application/json; charset={charset}"})
    ask = reader.ask()
    with pytest.raises(UserError, match="is no JSON"):
        record(reader, ask, folder_of(ask, reader.folder))


def test_headers_in_the_open_are_no_secrets(api, reader):
    api.answers["/orders"] = lambda _: {"items": [{"id": 1}]}
    ask = reader.ask(settings={"headers:Accept": "application/json"})
    folder = folder_of(ask, reader.folder)
    record(reader, ask, folder)
    assert "content-type: application/json" in (folder / "001.http").read_text()
