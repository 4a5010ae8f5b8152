"""The sources that come with dlt: for REST APIs against a real server, for databases over a real one."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing

import pytest
from projects.apis import Reply, serving
from projects.extracts import ORDERS, Shop

pytestmark = pytest.mark.slow


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_TOKEN", "sesame-open-wide")
    made = Shop(tmp_path / "shop")
    made.root.mkdir()
    return made


REST = """\
{config: {client: {base_url: "%s/v2/", auth: {type: bearer, token: "${env:SHOP_TOKEN}"}}, resources: [
  {name: orders, endpoint: {path: orders, data_selector: data.items, paginator: {type: page_number, base_page: 1, total_path: null},
    params: {since: "{incremental.start_value}"}, incremental: {cursor_path: updated_at, initial_value: "2026-01-01"}}}]}}
"""


@pytest.fixture
def api():
    with serving() as it:
        yield it


def rest(shop, api):
    shop.contract(
        ORDERS.replace("name: at,", "name: updated_at,"), "dlt.sources.rest_api:rest_api_source", (REST % api.url).replace("\n", " ")
    )


def sold(n, at):
    return {"id": n, "customer": {"name": f"customer {n}"}, "amount": f"{n}.5", "updated_at": at}


def test_an_api_is_read_page_by_page_and_then_only_what_is_new(shop, api):
    records = [sold(n, f"2026-02-0{n}") for n in range(1, 6)]
    api.pages_of("/v2/orders", records)
    rest(shop, api)
    assert shop.run()["shop.orders"].rows == 5
    assert {a.headers["authorization"] for a in api.asked} == {"Bearer sesame-open-wide"}
    assert [q for (q,) in api.queries("page")] == ["1", "2", "3", "4"]
    assert shop.run() == {}
    records += [sold(6, "2026-02-05"), sold(7, "2026-02-07"), sold(8, "bad")]
    api.asked.clear()
    outcome = shop.run()["shop.orders"]
    assert {q for (q,) in api.queries("since")} == {"2026-02-05"}
    assert (outcome.rows, outcome.letters) == (2, 1)
    assert shop.ids() == [1, 2, 3, 4, 5, 6, 7]


def test_an_api_that_is_busy_is_waited_for(shop, api):
    records, busy = [sold(1, "2026-02-01")], [Reply("", 503, {"Retry-After": "1"}), Reply("", 429, {"Retry-After": "1"})]
    api.pages_of("/v2/orders", records)
    answer = api.answers["/v2/orders"]
    api.answers["/v2/orders"] = lambda asked: busy.pop() if busy else answer(asked)
    rest(shop, api)
    begun = time.monotonic()
    assert shop.run()["shop.orders"].rows == 1
    assert time.monotonic() - begun > 2
    assert len(api.asked) == 4


def test_an_api_that_refuses_is_told(shop, api):
    api.answers["/v2/orders"] = lambda _: Reply({"error": "no"}, 401)
    rest(shop, api)
    finding = shop.failed()
    assert finding.code == "XDE0524"
    assert "401" in finding.message


def test_a_database_is_read_by_its_source_in_lines_and_in_arrow(shop):
    with closing(sqlite3.connect(shop.root / "till.db")) as till, till:
        till.execute("CREATE TABLE sales (id INTEGER PRIMARY KEY, word TEXT, amount NUMERIC(30, 10), at TIMESTAMP)")
        till.executemany("INSERT INTO sales VALUES (?, ?, ?, ?)", [(1, "ada", 1.5, "2026-01-01 00:00:00"), (2, None, None, None)])
    objects = """\
  - name: sales
    properties:
      - {name: id, logicalType: integer}
      - {name: word, logicalType: string}
      - {name: amount, logicalType: number, physicalType: "DECIMAL(30,10)"}
      - {name: at, logicalType: timestamp}
"""
    for backend in ("sqlalchemy", "pyarrow"):
        arguments = f'{{credentials: "sqlite:///till.db", table_names: [sales], backend: {backend}}}'
        shop.contract(objects, "dlt.sources.sql_database:sql_database", arguments)
        assert shop.run()["shop.sales"].rows == 2, backend
        found = [(i, w, a and str(a), t and t.isoformat()) for i, w, a, t in shop.rows(of="shop.sales")]
        assert found == [(1, "ada", "1.5000000000", "2026-01-01T00:00:00"), (2, None, None, None)], backend
