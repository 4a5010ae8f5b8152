"""Sources of dlt through every use case: somebody's own, dlt's for REST APIs against a real server, dlt's for databases over a real one."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest
from projects.apis import Reply, serving
from projects.contracts import head
from projects.folder import Folder

from xde.app.workspace import Workspace

pytest.importorskip("dlt")
ORDERS = """\
  - name: orders
    customProperties: [{property: xdeWriteMode, value: merge}]
    properties:
      - {name: id, logicalType: integer, primaryKey: true, required: true}
      - {name: customer, physicalName: customer.name, logicalType: string}
      - {name: amount, logicalType: number, physicalType: "DECIMAL(30,10)"}
      - {name: at, logicalType: timestamp, logicalTypeOptions: {timezone: true}}
"""
OWN = """\
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import dlt
import pyarrow as pa


def shelf():
    return json.loads(Path("shelf.json").read_text())


def number(text):
    return Decimal(text) if text[:1].isdigit() else text


@dlt.source
def shop(token: str = dlt.secrets.value, size: int = 2):
    @dlt.resource(primary_key="id")
    def orders(since=dlt.sources.incremental("at", initial_value="2026-01-01")):
        found = sorted((r for r in shelf() if r["at"] >= since.last_value), key=lambda r: r["at"])
        for n in range(0, len(found), size):
            yield [{**r, "amount": number(r["amount"])} for r in found[n : n + size]]

    @dlt.transformer(data_from=orders)
    def lines(page):
        for order in page:
            for n, line in enumerate(order["lines"]):
                yield {"order": order["id"], "n": n, **line}

    @dlt.resource
    def tables():
        yield pa.table({"id": [1, 2], "amount": pa.array([Decimal("1.1234567890"), None], pa.decimal128(38, 10))})
        yield pa.table({"id": [3, None], "amount": pa.array([Decimal(3), Decimal(4)], pa.decimal128(38, 10))})

    return orders, lines, tables
"""


def order(n, at="2026-02-01", amount="1.1234567890"):
    lines = [{"sku": f"{n}a"}, {"sku": f"{n}b"}]
    return {"id": n, "customer": {"name": f"customer {n}"}, "amount": amount, "at": at, "lines": lines}


class Shop(Folder):
    """A project whose source is one of dlt."""

    def contract(self, objects=ORDERS, source="shop_source:shop", arguments='{token: "${env:SHOP_TOKEN}"}', more=""):
        self.write("xde.yaml", "name: shop\nretries: 0\n")
        words = f'{{property: xdeType, value: dlt}}, {{property: xdeSource, value: "{source}"}}'
        words += f", {{property: xdeArguments, value: {arguments}}}" if arguments else ""
        server = f"{{server: shop, type: custom, customProperties: [{words}{more}]}}"
        self.write("sources/shop.yaml", f"{head()}servers:\n  - {server}\nschema:\n{objects}")

    def put(self, *orders):
        path = self.root / "shelf.json"
        there = json.loads(path.read_text()) if path.exists() else []
        ids = {o["id"] for o in orders}
        path.write_text(json.dumps([o for o in there if o["id"] not in ids] + list(orders)))

    def run(self, **how):
        with Workspace.open(self.root) as workspace:
            return {o.step.dataset: o for o in workspace.run(**how).outcomes}

    def failed(self, dataset="shop.orders"):
        outcome = self.run()[dataset]
        assert outcome.status == "failed", outcome
        return outcome.findings[0]

    def rows(self, *columns, of="shop.orders"):
        with Workspace.open(self.root) as workspace:
            found = workspace.show(of, limit=None).read_all().to_pylist()
        return sorted((tuple(r[c] for c in columns or r) for r in found), key=str)

    def ids(self):
        return [i for (i,) in self.rows("id")]

    def letters(self):
        with Workspace.open(self.root) as workspace:
            return [x.letter for x in workspace.letters(status="open")]

    def position(self, dataset="shop.orders"):
        with Workspace.open(self.root) as workspace:
            states = [s for (name, _), s in workspace.house.ledger.states().items() if name == dataset]
        return max(states, key=lambda s: s.number).facts["position"]


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_TOKEN", "sesame-open-wide")
    made = Shop(tmp_path / "shop")
    made.write("shop_source.py", OWN)
    made.write("shelf.json", "[]")
    return made


def test_records_of_a_source_of_ones_own_are_loaded_once_each(shop):
    """The one proof of the whole way that is not among the long tests."""
    shop.put(order(1), order(2), order(3, amount="a lot"))
    shop.contract()
    outcome = shop.run()["shop.orders"]
    assert (outcome.rows, outcome.letters) == (2, 1)
    assert [(str(a), c) for a, c in shop.rows("amount", "customer")] == [("1.1234567890", "customer 1"), ("1.1234567890", "customer 2")]
    assert shop.run() == {}


slow = pytest.mark.slow


@slow
def test_what_is_new_is_merged_and_the_state_is_that_of_the_rows(shop):
    shop.put(order(1), order(2, "2026-02-02"))
    shop.contract()
    shop.run()
    shop.put(order(2, "2026-02-03", "2.0"), order(3, "2026-02-03"))
    assert shop.run()["shop.orders"].rows == 2
    assert [(i, str(a)) for i, a in shop.rows("id", "amount")] == [(1, "1.1234567890"), (2, "2.0000000000"), (3, "1.1234567890")]
    cursor = shop.position()["state"]["sources"]["shop"]["resources"]["orders"]["incremental"]["at"]
    assert cursor["last_value"] == "2026-02-03"


@slow
def test_lists_within_and_transformers_are_datasets(shop):
    within = """\
  - name: order_lines
    customProperties: [{property: xdeRequest, value: {parent: orders, records: lines}}]
    properties:
      - {name: order_id, physicalName: ../id, logicalType: integer, primaryKey: true}
      - {name: sku, logicalType: string, primaryKey: true}
  - name: made
    physicalName: lines
    customProperties: [{property: xdeWriteMode, value: replace}]
    properties:
      - {name: order, logicalType: integer}
      - {name: sku, logicalType: string}
"""
    shop.put(order(1), order(2))
    shop.contract(ORDERS + within)
    outcomes = shop.run()
    assert {n: o.rows for n, o in outcomes.items()} == {"shop.orders": 2, "shop.order_lines": 4, "shop.made": 4}, outcomes
    lines = [(1, "1a"), (1, "1b"), (2, "2a"), (2, "2b")]
    assert shop.rows(of="shop.order_lines") == shop.rows(of="shop.made") == lines
    shop.put(order(3, "2026-02-09"))
    shop.run()
    assert len(shop.rows(of="shop.order_lines")) == len(shop.rows(of="shop.made")) == 6


TABLES = """\
  - name: tables
    properties:
      - {name: id, logicalType: integer, required: true}
      - {name: amount, logicalType: number, physicalType: "DECIMAL(30,10)"}
"""


@slow
def test_arrow_is_loaded_with_its_digits_and_a_row_that_does_not_fit_is_a_letter(shop):
    shop.contract(TABLES)
    outcome = shop.run()["shop.tables"]
    assert (outcome.rows, outcome.letters) == (3, 1)
    assert [(i, a and str(a)) for i, a in shop.rows(of="shop.tables")] == [(1, "1.1234567890"), (2, None), (3, "3.0000000000")]
    (letter,) = shop.letters()
    assert json.loads(letter.raw)["amount"] in (4, 4.0)
    assert (letter.reasons[0].column, letter.file, letter.line) == ("id", "tables page 2", 2)
    assert shop.run() == {}
    with Workspace.open(shop.root) as workspace:
        workspace.replay(ids=[letter.id])
    assert len(shop.letters()) == 1, "it fails again, read as JSON"


APPENDED = ORDERS.replace("merge", "append")


@slow
def test_what_is_appended_comes_once_though_records_tie_at_the_last_value(shop):
    shop.put(order(1), order(2))
    shop.contract(APPENDED)
    shop.run()
    shop.put(order(3), order(4))
    assert shop.run()["shop.orders"].rows == 2
    assert shop.ids() == [1, 2, 3, 4]
    assert shop.run() == {}


@slow
def test_ties_without_end_do_not_grow_the_state(shop):
    many = [order(n) for n in range(1, 1_102)]
    shop.put(*many)
    shop.contract(arguments='{token: "${env:SHOP_TOKEN}", size: 500}')
    shop.run()
    assert "unique_hashes': []" in str(shop.position())
    shop.put(order(2_000))
    shop.run()
    assert len(shop.ids()) == 1_102, "what is read again is merged"
    shop.contract(APPENDED, arguments='{token: "${env:SHOP_TOKEN}", size: 500}')
    finding = shop.failed()
    assert (finding.code, "merge" in finding.hint) == ("XDE0526", True)
    assert len(shop.ids()) == 1_102, "the table as it was stays in use"


@slow
@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("def things():\n    yield [{'id': 1}]", "keeps no state"),
        ("def things(at=dlt.sources.incremental('id', lag=1)):\n    yield [{'id': 1}]", "a lag"),
        ("def things(at=dlt.sources.incremental('id', primary_key=())):\n    yield [{'id': 1}]", "would be there twice"),
    ],
)
def test_what_could_come_twice_is_not_appended(shop, how, why):
    shop.write("shop_source.py", f"import dlt\n\n\n@dlt.resource\n{how}\n")
    shop.contract(
        TABLES.replace("tables\n", "things\n    customProperties: [{property: xdeWriteMode, value: append}]\n"), "shop_source:things", ""
    )
    finding = shop.failed("shop.things")
    assert finding.code == "XDE0526"
    assert why in finding.why


@slow
def test_a_source_that_raises_in_mid_page_is_told_with_its_line_and_leaves_all_as_it_was(shop):
    shop.put(order(1))
    shop.contract()
    shop.run()
    before = shop.position()
    shop.write("shop_source.py", OWN.replace("for n in range(0, len(found), size):", 'for n in [0, "x"]:'))
    shop.put(order(2), order(3), order(4))
    finding = shop.failed()
    assert finding.code == "XDE0524"
    assert (finding.span.path, finding.span.line) == ("shop_source.py", OWN[: OWN.index("yield [{**r")].count("\n") + 1)
    assert (shop.position(), shop.ids()) == (before, [1])
    assert not list((shop.root / ".xde/tmp").glob("table-*"))
    shop.write("shop_source.py", OWN)
    shop.run()
    assert shop.ids() == [1, 2, 3, 4]


@slow
@pytest.mark.parametrize(
    ("code", "changes", "hint"),
    [
        ("XDE0522", {"source": "shop_sourse:shop"}, "did you mean `shop_source`?"),
        ("XDE0522", {"source": "shop_source:shoop"}, "did you mean `shop`?"),
        ("XDE0522", {"source": "shop_source:shelf", "arguments": ""}, "have it be a `@dlt.source`"),
        ("XDE0522", {"arguments": "{tokn: 1}"}, "mend `xdeArguments`"),
        ("XDE0523", {"objects": ORDERS.replace("name: orders", "name: order")}, "did you mean `orders`?"),
        ("XDE0525", {"arguments": ""}, "${env:SHOP_TOKEN}"),
        ("XDE0524", {"source": "shop_broken:shop"}, "install what has `no_such_package`"),
        ("XDE0524", {"source": "shop_wrong:shop"}, "mend the line"),
    ],
)
def test_what_is_wrong_with_a_source_is_told(shop, code, changes, hint):
    shop.write("shop_broken.py", "import no_such_package\n")
    shop.write("shop_wrong.py", "def (\n")
    shop.contract(**changes)
    (dataset,) = shop.run()
    finding = shop.failed(dataset)
    assert finding.code == code, finding
    assert hint in finding.hint
    with Workspace.open(shop.root) as workspace:
        (line,) = [d for d in workspace.doctor() if d.subject.startswith("source")]
    assert (line.status, hint in line.hint) == ("missing", True)


@slow
def test_a_source_that_dies_is_told(shop):
    shop.write("shop_source.py", OWN.replace("return json", "import os\n    print('here')\n    os.abort()\n    return json"))
    shop.put(order(1))
    shop.contract()
    finding = shop.failed()
    assert finding.code == "XDE0527"
    assert "SIGABRT" in finding.why
    assert "here" in finding.why


@slow
def test_a_source_that_takes_too_long_is_ended(shop):
    shop.write("shop_source.py", OWN.replace("return json", "import time\n    time.sleep(60)\n    return json"))
    shop.contract(ORDERS.replace("merge}]", "merge}, {property: xdeLimits, value: {statementTimeout: 3}}]"))
    begun = time.monotonic()
    finding = shop.failed()
    assert (finding.code, "longer than 3 seconds" in finding.why) == ("XDE0527", True)
    assert time.monotonic() - begun < 30


@slow
def test_a_state_that_grows_with_what_is_read_is_refused(shop):
    grown = 'dlt.current.resource_state()["seen"] = ["x" * 100] * 20_000\n        found ='
    shop.write("shop_source.py", OWN.replace("found =", grown, 1))
    shop.put(order(1))
    shop.contract()
    assert shop.failed().code == "XDE0528"


@slow
def test_a_secret_is_seen_nowhere(shop):
    """Though the source prints it, raises it, and dlt knows another by itself."""
    shop.write(".dlt/secrets.toml", '[sources.shop]\nother = "swordfish-of-dlt"\n')
    told = "print(token)\n        raise ValueError(f\"{token} {dlt.secrets['sources.shop.other']}\")\n        found ="
    shop.put(order(1))
    shop.contract()
    shop.run()
    shop.write("shop_source.py", OWN.replace("found =", told, 1))
    shop.put(order(2))
    command = [sys.executable, "-m", "xde.faces.cli.main", "--project", str(shop.root)]
    said = [subprocess.run([*command, *w.split()], capture_output=True, text=True, check=False) for w in ("run", "doctor", "plan --json")]
    everything = "".join(s.stdout + s.stderr for s in said)
    assert "XDE0524" in everything
    assert "Traceback" not in everything
    secrets = ("sesame-open-wide", "swordfish-of-dlt")
    assert not [s for s in secrets if s in everything]
    files = [p for p in shop.root.rglob("*") if p.is_file() and p.name != "secrets.toml"]
    assert not [p for p in files if any(s.encode() in p.read_bytes() for s in secrets)]


@slow
def test_no_other_process_imports_dlt_and_nobody_is_told_of_it(shop):
    shop.put(order(1))
    shop.contract()
    program = "import sys\nfrom xde.faces.cli.main import main\nmain(['run'])\nprint(*sorted(sys.modules), file=sys.stderr)"
    with serving() as listening:
        variables = {**os.environ, "RUNTIME__DLTHUB_TELEMETRY_ENDPOINT": listening.url}
        done = subprocess.run([sys.executable, "-c", program], cwd=shop.root, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert not {m.partition(".")[0] for m in done.stderr.splitlines()[-1].split()} & {"dlt", "requests", "pendulum"}
        assert listening.asked == []
    assert not (shop.root / ".dlt").exists()


@slow
def test_the_missing_extra_is_told(shop, monkeypatch):
    import xde.connectors.dlt.sources as module

    monkeypatch.setattr(module, "find_spec", lambda name: None)
    shop.contract()
    finding = shop.failed()
    assert (finding.code, finding.hint) == ("XDE0480", "run `pip install 'xde[dlt]'`")


@slow
def test_private_values_are_on_no_disk(shop):
    hashed = ORDERS.replace(
        "logicalType: string}", 'logicalType: string, customProperties: [{property: xdeInFlight, value: {mask: {text: "x"}}}]}'
    )
    shop.put(order(1), order(2, amount="much"))
    shop.contract(hashed)
    outcome = shop.run()["shop.orders"]
    assert (outcome.rows, outcome.letters) == (1, 1), outcome.findings
    assert shop.rows("customer") == [("x",)]
    files = [p for p in (shop.root / ".xde").rglob("*") if p.is_file()]
    assert not [p for p in files if b"customer 1" in p.read_bytes() and p.suffix != ".parquet"]
    assert b"customer 2" not in shop.letters()[0].raw


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


@slow
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


@slow
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


@slow
def test_an_api_that_refuses_is_told(shop, api):
    api.answers["/v2/orders"] = lambda _: Reply({"error": "no"}, 401)
    rest(shop, api)
    finding = shop.failed()
    assert finding.code == "XDE0524"
    assert "401" in finding.message


@slow
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


@slow
def test_ctrl_c_ends_a_source_under_way(shop):
    shop.write("shop_source.py", OWN.replace("return json", "import time\n    time.sleep(60)\n    return json"))
    shop.contract()
    with Workspace.open(shop.root) as workspace:
        begun = time.monotonic()
        threading.Timer(3.0, workspace.house.cancel).start()
        outcomes = workspace.run().outcomes
    assert time.monotonic() - begun < 30
    assert [o.status for o in outcomes] != ["done"]


@slow
def test_a_source_of_dlt_is_not_recorded(shop):
    shop.contract()
    said = subprocess.run(
        [sys.executable, "-m", "xde.faces.cli.main", "--project", str(shop.root), "record", "shop.orders"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 1
    assert "XDE0457" in said.stderr
    assert "dlt" in said.stderr
