"""Captured changes of a real PostgreSQL server with in-flight steps: no clear value is written, and rows are found by hashed keys."""

from __future__ import annotations

import hashlib
import hmac
import signal
from pathlib import Path

import pytest
from projects.people import KEY, written
from projects.warm import command

pytestmark = pytest.mark.postgres
BIG = "planted-large-" + "x" * 9000
CLEAR = ("planted", "clear.example", "555 01")
COLUMNS = """\
      - {name: customer, logicalType: string, customProperties: [{property: xdeInFlight, value: {hash: {key: "${env:PII_KEY}"}}}]}
      - {name: amount, logicalType: number, physicalType: "DECIMAL(10,2)", logicalTypeOptions: {minimum: 0}}
      - name: note
        logicalType: string
        logicalTypeOptions: {pattern: "p[l]anted[-a-z0-9]*"}
        customProperties: [{property: xdeInFlight, value: STEP}]
"""
STEPS = {
    "hash": '{hash: {key: "${env:PII_KEY}"}}',
    "keep": "{mask: {keepLast: 3}}",
    "drop": "{drop: true}",
    "empty": "{mask: {empty: true}}",
}


def hashed(value: str | None) -> str | None:
    return None if value is None else hmac.new(KEY.encode(), value.encode(), hashlib.sha256).hexdigest()


def kept(step: str, value: str | None) -> str | None:
    if value is None or step == "empty":
        return None
    return {"hash": hashed(value), "keep": f"***{value[-3:]}"}[step]


@pytest.fixture
def private(desk, monkeypatch):
    monkeypatch.setenv("PII_KEY", KEY)
    desk.sql("ALTER TABLE orders DROP CONSTRAINT orders_pkey", "ALTER TABLE orders ADD PRIMARY KEY (customer)")
    return desk


def declared(desk, step: str) -> None:
    """Both are captured: the state merged by the hashed customer, and the log."""
    desk.contract(log="", columns=COLUMNS.replace("STEP", STEPS[step]))
    text = (desk.root / "sources/shop.yaml").read_text().replace("primaryKey: true, required: true", "required: true")
    text = text.replace(
        "{name: customer, logicalType: string,", "{name: customer, logicalType: string, primaryKey: true, required: true,", 1
    )
    desk.write("sources/shop.yaml", text)


def nowhere(*roots: Path, said: str = "") -> bool:
    texts = [("said", said), *(w for root in roots for w in written(root))]
    assert [(where, clear) for where, text in texts for clear in CLEAR if clear in text and not where.endswith("shop.yaml")] == []
    return True


def customer(n: int) -> str:
    return f"planted-{n}@clear.example"


@pytest.mark.parametrize("step", STEPS)
def test_changes_are_treated_and_find_their_rows(private, step):
    desk = private
    declared(desk, step)
    desk.sql(*(f"INSERT INTO orders VALUES ({n}, '{customer(n)}', {n}, '{BIG}{n}')" for n in range(1, 6)))
    assert desk.loaded() == {"orders": 5, "orders_log": 5}
    assert nowhere(desk.root)
    desk.sql(
        f"UPDATE orders SET amount = 50 WHERE customer = '{customer(1)}'",  # the large note is not repeated
        f"DELETE FROM orders WHERE customer = '{customer(2)}'",
        f"UPDATE orders SET customer = '{customer(33)}' WHERE customer = '{customer(3)}'",  # nor here, where the key changes
        f"UPDATE orders SET note = 'planted-short' WHERE customer = '{customer(4)}'",
        f"INSERT INTO orders VALUES (6, '{customer(6)}', 6, '{BIG}6')",
        f"UPDATE orders SET amount = 60 WHERE customer = '{customer(6)}'",
        f"UPDATE orders SET customer = '{customer(7)}' WHERE customer = '{customer(33)}'",
    )
    outcomes = desk.done()
    assert {f.code for o in outcomes.values() for f in o.findings} == set()
    assert {n: o.letters for n, o in outcomes.items()} == {"shop.orders": 0, "shop.orders_log": 0}
    expected = {(i, hashed(c), a, *([] if step == "drop" else [kept(step, n)])) for i, c, a, n in desk.there()}
    columns = ("id", "customer", "amount", *([] if step == "drop" else ["note"]))
    assert set(desk.rows("orders", *columns)) == expected
    log = desk.log("operation", *columns)
    assert [r[0] for r in log] == [*("r" * 5), "u", "d", "d", "c", "u", "c", "u", "d", "c"]
    assert {hashed(customer(n)) for n in (2, 3, 33)} == {r[2] for r in log if r[0] == "d"}
    state: dict = {}
    for operation, i, c, a, *n in log:
        state.pop(c, None)
        if operation != "d":
            state[c] = (i, c, a, *n)
    assert set(state.values()) == expected
    desk.sql("TRUNCATE orders", f"INSERT INTO orders VALUES (9, '{customer(9)}', 9, NULL)")
    desk.done()
    assert [r[1] for r in desk.rows("orders", "id", "customer")] == [hashed(customer(9))]
    assert nowhere(desk.root)


def test_a_bad_change_is_a_letter_without_a_clear_value(private):
    desk = private
    declared(desk, "hash")
    desk.sql(f"INSERT INTO orders VALUES (1, '{customer(1)}', 1, 'planted')")
    desk.done()
    desk.sql(
        f"INSERT INTO orders VALUES (2, '{customer(2)}', -2, 'planted'), (3, '{customer(3)}', 3, 'clear.example 555 01')",
        f"INSERT INTO orders VALUES (4, '{customer(4)}', -4, '{BIG}')",
        f"UPDATE orders SET amount = 5 WHERE customer = '{customer(4)}'",
    )
    outcomes = desk.done()
    assert {n: o.letters for n, o in outcomes.items()} == {"shop.orders": 2, "shop.orders_log": 3}
    assert nowhere(desk.root)


POINTS = ("slot.made", "changes.read", "load.staged", "files.written", "commit.before", "commit.after", "slot.behind")


@pytest.mark.crash
@pytest.mark.parametrize("point", POINTS)
def test_a_kill_leaves_no_clear_value_and_each_change_once(private, point, tmp_path):
    desk = private
    declared(desk, "hash")
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    def run(crash: str) -> int:
        code, said = command("--project", str(desk.root), "run", XDE_CRASH_AT=crash, TMPDIR=str(scratch), PII_KEY=KEY)
        assert nowhere(desk.root, scratch, said=said)
        return code

    desk.sql(*(f"INSERT INTO orders VALUES ({n}, '{customer(n)}', {n}, '{BIG}{n}')" for n in range(1, 4)))
    if point == "slot.made":
        assert run(point) == -signal.SIGKILL
    assert run("") == 0
    desk.sql(
        f"UPDATE orders SET amount = 50 WHERE customer = '{customer(1)}'",
        f"UPDATE orders SET customer = '{customer(33)}' WHERE customer = '{customer(3)}'",
        f"DELETE FROM orders WHERE customer = '{customer(2)}'",
    )
    if point != "slot.made":
        assert run(point) == -signal.SIGKILL
    assert run("") == 0
    assert set(desk.rows()) == {(i, hashed(c), a, hashed(n)) for i, c, a, n in desk.there()}
    assert [o for (o,) in desk.log("operation")] == ["r", "r", "r", "u", "d", "c", "d"]
