"""Records as they are written, wherever they are in an answer; and what is none."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from projects.apis import Reply

from xde.lifecycle.sources.within import lines
from xde.ground.errors import TemporaryError, UserError
from xde.lifecycle.sources.apis import Carried, Request
from xde.lifecycle.sources.tables import Cursor

BIG = '{"id": 12345678901234567890, "amount": 0.1234567890123456789012, "e": 1E+400, "t": "a\\u00e9\u2028b"}'


def test_a_record_keeps_its_digits_and_its_form(api, reader):
    api.answers["/orders"] = lambda _: Reply('{"items": [\r\n' + BIG.replace(", ", ",\n  ") + " ,\n {} ]}")
    reader.read(reader.ask())
    text = reader.portion.pieces[0].path.read_bytes().decode()
    assert text == BIG.replace(", ", ",   ") + "\n{}\n"


@pytest.mark.parametrize(
    ("path", "body", "found"),
    [
        (("a", "b"), {"a": {"b": [{"id": 1}]}}, ['{"id": 1}']),
        (("a.b",), {"a.b": [{"id": 1}]}, ['{"id": 1}']),
        (("a",), {"a": None}, []),
        (("a",), {"a": []}, []),
        (("a",), {"a": {"id": 1}}, ['{"id": 1}']),
        ((), {"id": 1}, ['{"id": 1}']),
        (("a",), {"a": [1, "x", None, [2]]}, ["1", '"x"', "null", "[2]"]),
    ],
)
def test_where_records_are(api, reader, path, body, found):
    api.answers["/orders"] = lambda _: body
    reader.read(reader.ask(records=path))
    assert reader.lines == found


@pytest.mark.parametrize(("reply", "count"), [(Reply("", 204), 0), (Reply(b'\xef\xbb\xbf{"items": [{}]}'), 1)])
def test_no_body_and_a_mark(api, reader, reply, count):
    api.answers["/orders"] = lambda _: reply
    assert len(reader.read(reader.ask())) == count


def test_an_empty_answer_does_not_take_away_what_is_there(api, reader):
    api.answers["/orders"] = lambda _: Reply("  \n")
    with pytest.raises(UserError) as raised:
        reader.read(reader.ask())
    assert [f.code for f in raised.value.findings] == ["XDE0447"]
    ask = reader.ask(cursor=Cursor(("id",)))
    assert len(reader.read(replace(ask, request=replace(ask.asked, cursor=((("id",), "number"),))))) == 0


def test_another_encoding(api, reader):
    body = '{"items": [{"id": "é"}]}'.encode("latin-1")
    api.answers["/orders"] = lambda _: Reply(body, headers={"Content-Type": "application/json; charset=ISO-8859-1"})
    assert reader.ids(reader.ask()) == ["é"]


def test_a_record_a_line(api, reader):
    body = '{"id": 1.10}\r\n\n{"id": 2}\n'
    api.answers["/orders"] = lambda _: Reply(body, headers={"Content-Type": "application/x-ndjson"})
    reader.read(reader.ask(records=None))
    assert [x.strip() for x in reader.lines] == ['{"id": 1.10}', '{"id": 2}']


def test_packed(api, reader):
    api.answers["/orders"] = lambda _: Reply({"items": [{"id": n} for n in range(5_000)]}, packed=True)
    assert len(reader.read(reader.ask())) == 5_000
    assert api.asked[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("reply", "code", "told"),
    [
        (Reply('{"items": [{"id": 1}'), "XDE0447", "is no JSON"),
        (Reply("<html><h1>Please log in</h1></html>", headers={"Content-Type": "text/html"}), "XDE0447", "is a web page"),
        (Reply(" <!doctype html>"), "XDE0447", "is a web page"),
        (Reply(b'{"items": ["\xff"]}'), "XDE0447", "is no JSON"),
        (Reply("[" * 100_000), "XDE0447", "is no JSON"),
        (Reply('{"items": [1]} x'), "XDE0447", "is no JSON"),
        (Reply({"itemz": [], "total": 1}), "XDE0448", "has no records at `items`"),
        (Reply("7"), "XDE0448", "has no records at `items`"),
        (Reply({"items": "none"}), "XDE0448", "has no records at `items`"),
    ],
)
def test_what_is_no_page(api, reader, reply, code, told):
    api.answers["/orders"] = lambda _: reply
    with pytest.raises(UserError) as raised:
        reader.read(reader.ask())
    (found,) = raised.value.findings
    assert found.code == code
    assert told in found.message
    assert found.hint


def test_the_list_that_is_there_is_offered(api, reader):
    api.answers["/orders"] = lambda _: {"rows": [{"id": 1}], "total": 1}
    with pytest.raises(UserError) as raised:
        reader.read(reader.ask(records=None))
    assert "`records: rows`" in raised.value.findings[0].hint.replace("such as ", "")


def test_a_text_that_ends_too_early_and_did_not_say_how_long_it_is(api, reader):
    api.answers["/orders"] = lambda _: Reply('{"items": [{"id": 1}', framed=False)
    with pytest.raises(TemporaryError, match="may have been cut"):
        reader.read(reader.ask())


ORDER = """{"id": 7, "at": "x", "customer": {"id": 1.10},
  "lines": [{"sku": "a", "parts": [{"n": 1}, {"n": 2}]}, {"sku": "b", "parts": []}, {}], "tags": ["x", null]}"""


@pytest.mark.parametrize(
    ("inner", "carried", "found"),
    [
        ((("lines",),), (Carried("../id", 1, ("id",)),), ['{"../id": 7, "sku": "a"', '{"../id": 7, "sku": "b"', '{"../id": 7}']),
        (
            (("lines",), ("parts",)),
            (Carried("../sku", 1, ("sku",)), Carried("../../id", 2, ("id",))),
            ['{"../sku": "a", "../../id": 7, "n": 1}'] * 1,
        ),
        (
            (("tags",),),
            (Carried("../customer.id", 1, ("customer", "id")),),
            ['{"../customer.id": 1.10, "value": "x"}', '{"../customer.id": 1.10, "value": null}'],
        ),
        ((("nothing",),), (), []),
        ((("customer",),), (Carried("../none", 1, ("none",)),), ['{"id": 1.10}']),
    ],
)
def test_lists_within_a_record(inner, carried, found):
    request = Request("shop.orders", "/orders", inner=inner, carried=carried)
    made = [line for line, _ in lines(request, ORDER, json.loads(ORDER))]
    for line, wanted in zip(made, found, strict=False):
        assert line.startswith(wanted)
        json.loads(line)
    assert len(made) == (2 if len(inner) == 2 else len(found))


def test_what_is_no_object_has_no_lists():
    request = Request("shop.orders", "/orders", inner=(("lines",),))
    assert list(lines(request, "7", 7)) == []
