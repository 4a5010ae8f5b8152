"""Each way in which pages follow one another, and the ways in which they do not."""

from __future__ import annotations

import json

import pytest
from projects.apis import Reply

from xde.connectors.http.pages import next_link
from xde.ground.errors import UserError
from xde.lifecycle.sources.apis import Paging

FIVE = [{"id": n} for n in range(1, 6)]


def items(found, **more):
    return {"items": found, **more}


def test_no_pages(api, reader):
    api.answers["/orders"] = lambda _: items(FIVE)
    assert reader.ids(reader.ask()) == [1, 2, 3, 4, 5]
    assert len(api.asked) == 1
    assert reader.portion.cost["requests"] == reader.portion.cost["pages"] == 1


def test_a_document_that_is_the_list(api, reader):
    api.answers["/orders"] = lambda _: FIVE
    assert reader.ids(reader.ask(records=None)) == [1, 2, 3, 4, 5]


def by_number(asked, first=1, size=2):
    at = (int(asked.query.get("page", first)) - first) * size
    return FIVE[at : at + size]


def test_page_numbers_until_one_is_empty(api, reader):
    api.answers["/orders"] = lambda a: items(by_number(a))
    assert reader.ids(reader.ask(Paging("page", "page"))) == [1, 2, 3, 4, 5]
    assert api.queries("page") == [("1",), ("2",), ("3",), ("4",)]


def test_page_numbers_from_0_until_a_short_one(api, reader):
    api.answers["/orders"] = lambda a: items(by_number(a, first=0))
    paging = Paging("page", "page", first=0, size_parameter="limit", size=2, short=True)
    assert reader.ids(reader.ask(paging)) == [1, 2, 3, 4, 5]
    assert api.queries("page", "limit") == [("0", "2"), ("1", "2"), ("2", "2")]


@pytest.mark.parametrize(
    ("words", "meta"),
    [
        ({"total": ("meta", "total")}, lambda _: {"total": 5}),
        ({"pages": ("meta", "pages")}, lambda _: {"pages": "3"}),
        ({"more": ("meta", "more")}, lambda a: {"more": a.query["page"] != "3"}),
    ],
)
def test_page_numbers_until_the_api_says_so(api, reader, words, meta):
    api.answers["/orders"] = lambda a: items(by_number(a), meta=meta(a))
    assert reader.ids(reader.ask(Paging("page", "page", **words))) == [1, 2, 3, 4, 5]
    assert len(api.asked) == 3


def test_offsets_go_by_what_came_though_the_server_caps_the_limit(api, reader):
    def answer(asked):
        at = int(asked.query["offset"])
        return items(FIVE[at : at + min(2, int(asked.query["limit"]))])

    api.answers["/orders"] = answer
    paging = Paging("offset", "offset", first=0, size_parameter="limit", size=100)
    assert reader.ids(reader.ask(paging)) == [1, 2, 3, 4, 5]
    assert api.queries("offset") == [("0",), ("2",), ("4",), ("5",)]


def by_cursor(asked):
    at = int(asked.query.get("after", "0"))
    return FIVE[at : at + 2], (str(at + 2) if at + 2 < 5 else None)


def test_a_cursor_in_the_page(api, reader):
    def answer(asked):
        found, more = by_cursor(asked)
        return items(found, meta={"next": more})

    api.answers["/orders"] = answer
    assert reader.ids(reader.ask(Paging("cursor", "after", at=("meta", "next")))) == [1, 2, 3, 4, 5]
    assert api.queries("after") == [(None,), ("2",), ("4",)]


def test_a_cursor_goes_on_after_an_empty_page(api, reader):
    pages = {None: ([], "a"), "a": (FIVE[:2], "b"), "b": ([], "c"), "c": (FIVE[2:], "")}
    api.answers["/orders"] = lambda a: items(pages[a.query.get("after")][0], next=pages[a.query.get("after")][1])
    assert reader.ids(reader.ask(Paging("cursor", "after", at=("next",)))) == [1, 2, 3, 4, 5]


def test_a_cursor_that_is_the_last_record(api, reader):
    def answer(asked):
        found, more = by_cursor(asked)
        return items(found, has_more=more is not None)

    api.answers["/orders"] = answer
    assert reader.ids(reader.ask(Paging("cursor", "after", record=("id",), more=("has_more",)))) == [1, 2, 3, 4, 5]
    assert api.queries("after") == [(None,), ("2",), ("4",)]


@pytest.mark.parametrize("absolute", [True, False])
def test_a_link_in_the_page(api, reader, absolute):
    def answer(asked):
        found, more = by_cursor(asked)
        link = None if more is None else f"{api.url if absolute else ''}/orders?after={more}&kind=all"
        return items(found, links={"next": link})

    api.answers["/orders"] = answer
    ask = reader.ask(Paging("next", at=("links", "next")), query=(("kind", "all"),))
    assert reader.ids(ask) == [1, 2, 3, 4, 5]
    assert api.queries("after", "kind") == [(None, "all"), ("2", "all"), ("4", "all")]


def test_a_link_in_the_header(api, reader):
    def answer(asked):
        found, more = by_cursor(asked)
        link = '</orders?page=1>; rel="first"' + (f', </orders?after={more}>; title="a, b; c"; rel="next last"' if more else "")
        return Reply(items(found), headers={"Link": link})

    api.answers["/orders"] = answer
    assert reader.ids(reader.ask(Paging("link"))) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("header", "link"),
    [
        ('<https://a/b?c=1,2>; rel="next"', "https://a/b?c=1,2"),
        ("</b>; rel=prev, </c>;rel=NEXT", "/c"),
        ('</b>; rel="prev"', None),
        ('</b>; title="x; rel=next"', None),
        ("", None),
    ],
)
def test_links_as_they_are_written(header, link):
    assert next_link(header) == link


def test_a_search_pages_in_its_body(api, reader):
    def answer(asked):
        told = json.loads(asked.body)
        at = told["page"]["from"]
        return items(FIVE[at : at + told["page"]["size"]])

    api.answers["/orders"] = answer
    paging = Paging("offset", "page.from", first=0, size_parameter="page.size", size=3, short=True)
    ask = reader.ask(paging, method="POST", body='{"kind": "ü", "page": {"sort": "id"}}')
    assert reader.ids(ask) == [1, 2, 3, 4, 5]
    assert json.loads(api.asked[1].body) == {"kind": "ü", "page": {"sort": "id", "size": 3, "from": 3}}
    assert api.asked[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("paging", "answer", "told"),
    [
        (Paging("page", "page"), lambda _: items(FIVE), "page 2 is page 1 once more"),
        (Paging("cursor", "after", at=("next",)), lambda _: items([], next="x"), "page 3 is page 2 once more"),
        (Paging("next", at=("next",)), lambda _: items([], next="/orders"), "page 2 is page 1 once more"),
    ],
)
def test_a_circle_is_told(api, reader, paging, answer, told):
    api.answers["/orders"] = answer
    with pytest.raises(UserError) as raised:
        reader.read(reader.ask(paging))
    (found,) = raised.value.findings
    assert found.code == "XDE0449"
    assert told in found.message


def test_more_pages_than_may_be(api, reader):
    api.answers["/orders"] = lambda a: items([{"id": int(a.query["page"])}])
    with pytest.raises(UserError, match="more than 3 pages") as raised:
        reader.read(reader.ask(Paging("page", "page", most=3)))
    assert raised.value.findings[0].code == "XDE0453"
    assert len(api.asked) == 3


def test_fewer_records_than_the_api_says(api, reader):
    api.answers["/orders"] = lambda a: items(by_number(a), meta={"total": 7})
    assert len(reader.read(reader.ask(Paging("page", "page", total=("meta", "total"))))) == 5
    (found,) = reader.portion.findings
    assert (found.code, found.severity) == ("XDE0449", "warning")
    assert "says that it has 7 records, and gave 5" in found.message


@pytest.mark.parametrize("where", ["https://elsewhere.example/orders", "//elsewhere.example/x", "http://127.0.0.1:1/orders"])
def test_a_link_to_another_server_is_not_followed(api, reader, where):
    api.answers["/orders"] = lambda _: items(FIVE[:1], next=where)
    with pytest.raises(UserError, match="leads to another server") as raised:
        reader.read(reader.ask(Paging("next", at=("next",))))
    assert raised.value.findings[0].code == "XDE0455"


def test_a_redirection_is_followed_on_the_same_server(api, reader):
    api.answers["/orders"] = lambda a: Reply("", 302, {"Location": "/moved?page=" + a.query.get("page", "")})
    api.answers["/moved"] = lambda _: items(FIVE)
    assert len(reader.read(reader.ask(query=(("page", "1"),)))) == 5


def test_a_redirection_to_another_server_is_not_followed(api, reader):
    api.answers["/orders"] = lambda _: Reply("", 302, {"Location": "https://login.example/"})
    with pytest.raises(UserError, match="leads to another server"):
        reader.read(reader.ask())


def test_one_connection_serves_all_pages(api, reader):
    ports = set()
    api.answers["/orders"] = lambda a: items(by_number(a))
    verify = api.server.verify_request
    api.server.verify_request = lambda request, address: ports.add(address) or verify(request, address)
    reader.read(reader.ask(Paging("page", "page")))
    assert len(ports) == 1


def test_a_place_that_is_misspelt_is_noticed_where_it_can_be(api, reader):
    api.answers["/orders"] = lambda _: items(FIVE[:2], next="/orders?page=2")
    paging = Paging("next", at=("nxt",), size_parameter="limit", size=2)
    assert len(reader.read(reader.ask(paging))) == 2
    assert [(f.code, f.severity, f.why) for f in reader.portion.findings] == [("XDE0449", "warning", "it does not have `nxt`")]
    reader.read(reader.ask(Paging("link", size_parameter="limit", size=3)))
    assert reader.portion.findings == ()


@pytest.mark.parametrize(
    "paging", [Paging("next", at=("next",)), Paging("cursor", "after", at=("next",)), Paging("cursor", "after", record=("key",))]
)
def test_what_leads_nowhere_is_told(api, reader, paging):
    api.answers["/orders"] = lambda _: items([{"id": 1, "key": {"a": 1}}], next={"href": "/orders?page=2"})
    with pytest.raises(UserError, match="leads nowhere") as raised:
        reader.read(reader.ask(paging))
    (found,) = raised.value.findings
    assert found.code == "XDE0443"
    assert "`next.href`" in found.hint or "`key.a`" in found.hint


def test_a_page_that_says_nothing_of_more_is_not_the_last(api, reader):
    api.answers["/orders"] = lambda a: items(by_number(a))
    assert len(reader.read(reader.ask(Paging("page", "page", more=("meta", "mor"), total=("totl",), pages=("pags",))))) == 5


def test_what_cannot_stand_in_an_address_is_written_in_digits(api, reader):
    api.answers["/orders"] = lambda a: items([{"q": a.query}], next=None if "b c" in a.query else "/orders?b c=ü%20x&d=1+2")
    assert [r["q"] for r in reader.read(reader.ask(Paging("next", at=("next",)), query=(("a b", "c&d=é/"),)))] == [
        {"a b": "c&d=é/"},
        {"b c": "ü x", "d": "1 2"},
    ]


def test_where_records_go_away_while_they_are_read_all_pages_are_asked_for(api, reader):
    def answer(asked):
        page = int(asked.query["page"])
        return items([{"id": n} for n in range(1, 8)][3 * page - 3 : 3 * page], meta={"total": 7 if page == 1 else 5})

    api.answers["/orders"] = answer
    assert len(reader.read(reader.ask(Paging("page", "page", total=("meta", "total"))))) == 7
    assert [f.code for f in reader.portion.findings] == ["XDE0449"]
