"""An API as a source, through every use case, against a real server on the loopback interface."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from projects.apis import Reply, serving
from projects.contracts import head
from projects.loaded import Loaded

from xde.app.workspace import Workspace
from xde.ground.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

PROPERTIES = """\
      - {name: id, logicalType: integer, primaryKey: true, required: true}
      - {name: customer, physicalName: customer.name, logicalType: string}
      - {name: amount, logicalType: number, physicalType: "DECIMAL(30,10)"}
      - {name: updated_at, logicalType: timestamp, logicalTypeOptions: {timezone: true}}
"""
PAGES = "pages: {kind: page, size: {parameter: limit, value: 2}, total: meta.total}"
QUICK = "limits: {retries: 3, timeout: 2}"


class Shop(Loaded):
    """The project, and the API that it asks."""

    def __init__(self, root: Path, url: str) -> None:
        super().__init__(root)
        self.url = url
        (root / "sources").mkdir(parents=True)
        (root / "xde.yaml").write_text("name: shop\n")
        self.contract()

    def contract(
        self,
        request: str = f"records: data.items, {PAGES}",
        words: str = "",
        api: str = QUICK,
        properties: str = PROPERTIES,
        more: str = "",
    ) -> None:
        (self.root / "sources/shop.yaml").write_text(
            head()
            + f"""\
servers:
  - server: shop
    type: api
    location: {self.url}/v2
    customProperties: [{{property: xdeApi, value: {{{api}}}}}]
schema:
  - name: orders
    customProperties: [{{property: xdeRequest, value: {{{request}}}}}{words and ", "}{words}]
    properties:
{properties}{more}"""
        )

    def codes(self, **how):
        return [f.code for o in self.run(**how).values() for f in o.findings]


@pytest.fixture
def api():
    with serving() as found:
        yield found


@pytest.fixture
def shop(tmp_path, api) -> Shop:
    return Shop(tmp_path / "shop", api.url)


def orders(*ids: int, at: str = "2026-01-01T00:00:00Z") -> list[dict[str, object]]:
    return [{"id": i, "customer": {"name": f"c{i}"}, "amount": i / 4, "updated_at": at} for i in ids]


def test_pages_by_number(api, shop):
    api.pages_of("/v2/orders", orders(1, 2, 3, 4, 5))
    outcome = shop.run()["shop.orders"]
    assert (outcome.rows, outcome.letters) == (5, 0)
    assert next((i, c, str(a)) for i, c, a in shop.rows("id", "customer", "amount")) == (1, "c1", "0.2500000000")
    assert api.queries("page", "limit") == [("1", "2"), ("2", "2"), ("3", "2")]


def test_a_second_run_asks_for_what_is_new_and_a_third_has_nothing_to_do(api, shop):
    shelf = orders(1, 2, 3)
    api.pages_of("/v2/orders", lambda: shelf)
    cursor = "{property: xdeIncrementalCursor, value: {property: updated_at}}, {property: xdeWriteMode, value: merge}"
    shop.contract(f"records: data.items, {PAGES}, since: {{parameter: since, start: '2020-01-01'}}", cursor)
    assert shop.run()["shop.orders"].rows == 3
    assert api.queries("since")[0] == ("2020-01-01",)
    assert shop.run() == {}
    assert api.queries("since")[-1] == ("2026-01-01T00:00:00Z",)
    shelf += orders(4, at="2026-01-02T00:00:00Z")
    shelf[0] = {**orders(1, at="2026-01-02T00:00:00Z")[0], "amount": 99}
    assert shop.run()["shop.orders"].rows > 0
    assert [(i, float(a)) for i, a in shop.rows("id", "amount")] == [(1, 99.0), (2, 0.5), (3, 0.75), (4, 1.0)]
    assert shop.run() == {}


def test_a_cursor_in_a_form_of_its_own(api, shop):
    shelf = [{"id": n, "day": f"{n:02}.02.2026"} for n in (1, 2, 3)]
    api.answers["/v2/orders"] = lambda a: [r for r in shelf if r["day"][:2] >= a.query.get("from", "00")[-2:]]
    properties = "      - {name: id, logicalType: integer, primaryKey: true}\n"
    properties += "      - {name: day, logicalType: date, logicalTypeOptions: {format: dd.MM.yyyy}}\n"
    cursor = "{property: xdeIncrementalCursor, value: {property: day}}, {property: xdeWriteMode, value: merge}"
    shop.contract("since: {parameter: from, format: date}", cursor, properties=properties)
    shop.run()
    assert shop.run() == {}
    assert api.queries("from") == [(None,), ("2026-02-03",)]


def test_what_is_appended_is_there_once(api, shop):
    shelf = orders(1, 2, 3)
    api.answers["/v2/orders"] = lambda a: [r for r in shelf if r["id"] >= int(a.query.get("from", 0))]
    shop.contract("since: {parameter: from}", "{property: xdeIncrementalCursor, value: {property: id}}")
    shop.run()
    shelf += orders(4)
    assert shop.run()["shop.orders"].rows == 1
    assert shop.ids() == [1, 2, 3, 4]
    assert shop.run() == {}


def test_a_whole_read_replaces_what_was_there(api, shop):
    shelf = orders(1, 2, 3)
    api.answers["/v2/orders"] = lambda _: shelf
    shop.contract("")
    shop.run()
    assert shop.run() == {}
    del shelf[0]
    assert shop.run()["shop.orders"].rows == 2
    assert shop.ids() == [2, 3]


def test_a_record_that_does_not_fit_is_a_letter_with_its_page(api, shop):
    amounts = ["1", "2.5", "12345678901234567.0123456789", '"lots"', "1e2"]
    texts = [f'{{"id": {n}, "customer":{{"name": "c"}},  "amount": {a}}}' for n, a in enumerate(amounts, 1)]

    def answer(asked):
        at = (int(asked.query["page"]) - 1) * 2
        return Reply('{"data": {"items": [' + ", ".join(texts[at : at + 2]) + ']}, "meta": {"total": 5}}')

    api.answers["/v2/orders"] = answer
    outcome = shop.run()["shop.orders"]
    assert (outcome.rows, outcome.letters) == (4, 1)
    assert [str(a) for (a,) in shop.rows("amount")][2] == "12345678901234567.0123456789"
    (letter,) = shop.letters()
    assert (letter.file, letter.line, letter.raw.decode()) == ("/orders page 2", 2, texts[3])


def test_a_letter_is_mended_and_replayed(api, shop):
    api.answers["/v2/orders"] = lambda _: [*orders(1), {"id": 2, "customer": {"name": "c"}, "amount": "lots"}]
    shop.contract("")
    shop.run()
    with Workspace.open(shop.root) as workspace:
        (line,) = workspace.letters()
        mended = line.letter.raw.replace(b'"lots"', b"12345678901234567.0123456789")
        (outcome,) = workspace.replay([line.letter.id], corrected={line.letter.id: mended})
    assert outcome.accepted == 1
    assert [str(a) for (a,) in shop.rows("amount")] == ["0.2500000000", "12345678901234567.0123456789"]
    assert shop.letters() == []
    assert shop.run() == {}


LINES = """\
  - name: order_lines
    customProperties: [{property: xdeRequest, value: {parent: orders, records: lines}}%s]
    properties:
      - {name: order_id, physicalName: ../id, logicalType: integer, primaryKey: true, primaryKeyPosition: 1, required: true}
      - {name: number, physicalName: no, logicalType: integer, primaryKey: true, primaryKeyPosition: 2, required: true}
      - {name: sku, logicalType: string}
      - {name: country, physicalName: ../customer.country, logicalType: string}
"""


def test_lists_within_records_are_datasets_of_the_same_requests(api, shop):
    shelf = [
        {**o, "customer": {"name": "x", "country": "NO"}, "lines": [{"no": n, "sku": f"s{n}"} for n in range(o["id"])]}
        for o in orders(1, 2, 3)
    ]
    api.pages_of("/v2/orders", lambda: shelf)
    cursor = "{property: xdeIncrementalCursor, value: {property: updated_at}}, {property: xdeWriteMode, value: merge}"
    shop.contract(f"records: data.items, {PAGES}, since: {{parameter: since}}", cursor, more=LINES % "")
    outcomes = shop.run()
    assert {n: o.rows for n, o in outcomes.items()} == {"shop.orders": 3, "shop.order_lines": 6}
    assert [f for o in outcomes.values() for f in o.findings] == []
    assert api.queries("page") == [("1",), ("2",)]
    assert shop.rows("order_id", "number", "sku", "country", of="shop.order_lines")[0] == (1, 0, "s0", "NO")
    assert shop.run() == {}
    shelf[0] = {**shelf[0], "updated_at": "2026-01-02T00:00:00Z", "lines": [{"no": 0, "sku": "new"}, {"no": 1, "sku": "more"}]}
    asked = len(api.asked)
    assert set(shop.run()) == {"shop.orders", "shop.order_lines"}
    assert [s for _, _, s, _ in shop.rows("order_id", "number", "sku", "country", of="shop.order_lines")].count("new") == 1
    loads = [a for a in api.asked[asked:] if a.query.get("since") == "2026-01-01T00:00:00Z"]
    assert len({a.query["page"] for a in loads}) * 2 + 2 >= len(loads)


def test_a_plan_and_its_run_keep_one_pace(api, shop):
    shelf = orders(1)
    api.answers["/v2/orders"] = lambda _: shelf
    shop.contract("", api="limits: {requestsPerSecond: 2}")
    shop.run()
    shelf += orders(2)
    times = []
    answer = api.answers["/v2/orders"]
    api.answers["/v2/orders"] = lambda a: times.append(time.monotonic()) or answer(a)
    assert shop.run()["shop.orders"].rows == 2
    assert len(times) == 2
    assert times[1] - times[0] >= 0.25, "half a second apart, the first one noted late by a busy machine"


def test_new_members_are_told_and_by_policy_kept(api, shop):
    shelf = [{**o, "coupon": "X"} for o in orders(1)]
    api.answers["/v2/orders"] = lambda _: shelf
    shop.contract("")
    (found,) = shop.run()["shop.orders"].findings
    assert (found.code, "`coupon`" in found.message) == ("XDE0459", True)
    shop.contract("", "{property: xdeSchemaChange, value: {newColumn: evolve}}")
    shop.run(full=True)
    assert shop.rows("id", "coupon") == [(1, "X")]
    shop.contract("", "{property: xdeSchemaChange, value: {newColumn: quarantine}}")
    assert shop.run(full=True)["shop.orders"].letters == 1


def test_a_fault_publishes_nothing_and_the_next_run_goes_on(api, shop):
    replies = [Reply({"data": {"items": orders(1, 2)}, "meta": {"total": 3}}), Reply("<html>", 200)]
    api.answers["/v2/orders"] = lambda a: replies[int(a.query["page"]) - 1]
    assert shop.codes() == ["XDE0447"]
    with pytest.raises(UserError):
        shop.rows("id")
    replies[1] = Reply({"data": {"items": orders(3)}, "meta": {"total": 3}})
    assert shop.run()["shop.orders"].rows == 3


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"api": "auth: {kind: bearer, token: secret-in-the-open}"}, "XDE0444"),
        ({"api": "headers: {X-Api-Key: secret-in-the-open}"}, "XDE0444"),
        ({"request": "headers: {Authorization: '${env:KEY}'}"}, "XDE0444"),
        ({"request": "query: {access_token: secret-in-the-open}"}, "XDE0444"),
        ({"api": "auth: {kind: basic, user: ada}"}, "XDE0443"),
        ({"api": "auth: {kind: key, value: '${env:KEY}'}"}, "XDE0443"),
        ({"request": "pages: {kind: next}"}, "XDE0443"),
        ({"request": "pages: {kind: cursor, at: a, record: b}"}, "XDE0443"),
        ({"request": "pages: {kind: page, short: true}"}, "XDE0443"),
        ({"request": "pages: {kind: page}, query: {page: 1}"}, "XDE0443"),
        ({"request": "since: {parameter: since}"}, "XDE0443"),
        ({"request": "pages: {kind: pages}"}, "XDE0318"),
        ({"request": "parent: order"}, "XDE0458"),
        ({"request": "parent: orders"}, "XDE0458"),
        ({"words": "{property: xdeWriteMode, value: append}"}, "XDE0483"),
        ({"words": "{property: xdeIncrementalCursor, value: {property: updated_at}}"}, "XDE0483"),
        (
            {
                "more": LINES % ", {property: xdeWriteMode, value: merge}"
                + "  - {name: x, customProperties: [{property: xdeRequest, value: {parent: orders, method: POST}}], properties: [{name: a}]}\n"
            },
            "XDE0443",
        ),
    ],
)
def test_what_a_contract_may_not_say(api, shop, words, code):
    shop.contract(**{"request": "", **words})
    with pytest.raises(UserError) as raised:
        shop.run()
    assert [f.code for f in raised.value.findings if f.severity == "error"] == [code]
    assert all(f.hint for f in raised.value.findings)
    assert "secret-in-the-open" not in str(raised.value.findings)


@pytest.mark.parametrize(
    "location", ["api.example.com/v2", "https://ada:pw@api.example.com", "https://api.example.com/v2?key=1", "ftp://x.example"]
)
def test_an_address_that_is_none(shop, location):
    shop.url = location
    shop.contract("")
    (shop.root / "sources/shop.yaml").write_text((shop.root / "sources/shop.yaml").read_text().replace(f"{location}/v2", location))
    with pytest.raises(UserError) as raised:
        shop.run()
    assert [f.code for f in raised.value.findings] == ["XDE0443"]
    assert ":pw" not in raised.value.findings[0].message
