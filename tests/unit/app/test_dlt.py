"""A source of dlt of one's own through every use case."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time

import pytest
from projects.apis import serving
from projects.extracts import ORDERS, OWN, Shop, order

from xde.app.workspace import Workspace


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_TOKEN", "sesame-open-wide")
    made = Shop(tmp_path / "shop")
    made.write("shop_source.py", OWN)
    made.write("shelf.json", "[]")
    return made


@pytest.mark.slow
def test_records_of_a_source_of_ones_own_are_loaded_once_each(shop):
    """The one proof of the whole way that is not among the long tests."""
    shop.put(order(1), order(2), order(3, amount="a lot"))
    shop.contract()
    outcome = shop.run()["shop.orders"]
    assert (outcome.rows, outcome.letters) == (2, 1)
    assert [(str(a), c) for a, c in shop.rows("amount", "customer")] == [("1.1234567890", "customer 1"), ("1.1234567890", "customer 2")]
    assert shop.run() == {}


slow = pytest.mark.slow
late = pytest.mark.peer  # each starts dlt many times: they run with the tools of others, in the time that is left


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


@late
def test_a_record_that_changes_and_keeps_the_value_of_its_cursor_is_merged(shop):
    shop.put(order(1), order(2))
    shop.contract()
    shop.run()
    shop.put(order(2, amount="2.0"))
    assert shop.run()["shop.orders"].rows == 1
    assert [str(a) for (a,) in shop.rows("amount")] == ["1.1234567890", "2.0000000000"]
    assert shop.run() == {}


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
    assert (outcome.rows, outcome.letters) == (4, 1)
    assert [(i, a and str(a)) for i, a in shop.rows(of="shop.tables")] == [(1, "1.1234567890"), (2, None), (3, "3.0000000000"), (5, None)]
    (letter,) = shop.letters()
    assert json.loads(letter.raw)["amount"] in (4, 4.0)
    assert (letter.reasons[0].column, letter.file, letter.line) == ("id", "tables page 4", 2)
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


@late
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


@late
def test_a_source_that_dies_is_told(shop):
    shop.write("shop_source.py", OWN.replace("return json", "import os\n    print('here')\n    os.abort()\n    return json"))
    shop.put(order(1))
    shop.contract()
    finding = shop.failed()
    assert finding.code == "XDE0527"
    assert "SIGABRT" in finding.why
    assert "here" in finding.why


@late
def test_a_source_that_takes_too_long_is_ended(shop):
    shop.write("shop_source.py", OWN.replace("return json", "import time\n    time.sleep(60)\n    return json"))
    shop.contract(ORDERS.replace("merge}]", "merge}, {property: xdeLimits, value: {statementTimeout: 3}}]"))
    begun = time.monotonic()
    finding = shop.failed()
    assert (finding.code, "longer than 3 seconds" in finding.why) == ("XDE0527", True)
    assert time.monotonic() - begun < 30


@late
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


@late
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


@late
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


@late
def test_ctrl_c_ends_a_source_under_way(shop):
    shop.write("shop_source.py", OWN.replace("return json", "import time\n    time.sleep(60)\n    return json"))
    shop.contract()
    with Workspace.open(shop.root) as workspace:
        begun = time.monotonic()
        threading.Timer(3.0, workspace.house.cancel).start()
        outcomes = workspace.run().outcomes
    assert time.monotonic() - begun < 30
    assert [o.status for o in outcomes] != ["done"]


@late
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
