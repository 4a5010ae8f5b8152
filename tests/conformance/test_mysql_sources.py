"""Tables of a real MariaDB server as a source: exact values, and late commits; nothing lost, nothing twice."""

from __future__ import annotations

import random
import threading
import time

import pytest


from xde.app.workspace import Workspace
from xde.ground.errors import UserError

pytestmark = pytest.mark.mysql


def test_a_second_run_loads_what_came_since_and_a_third_nothing(shop):
    shop.sql("INSERT INTO orders (amount) VALUES (1.25), (NULL), (3)")
    shop.loaded()
    assert shop.ids() == [1, 2, 3]
    shop.sql("INSERT INTO orders (amount) VALUES (4)")
    shop.loaded()
    assert shop.run() == {}
    assert shop.ids() == [1, 2, 3, 4]


def test_a_transaction_that_commits_late_is_loaded_by_a_later_run(shop):
    with shop.connect() as late:
        late.execute("INSERT INTO orders (amount) VALUES (1)")
        for amount in (2, 3):
            shop.sql(f"INSERT INTO orders (amount) VALUES ({amount})")
            shop.loaded()
        assert shop.ids() == [2, 3]
        late.execute("COMMIT")
    shop.loaded()
    assert shop.ids() == [1, 2, 3]
    assert shop.run() == {}


def test_many_writers_and_many_loads_lose_nothing_and_double_nothing(shop):
    def write(number: int) -> None:
        chance = random.Random(number)
        with shop.connect() as cursor:
            for _ in range(40):
                cursor.execute("INSERT INTO orders (amount) VALUES (%s)", (number,))
                time.sleep(chance.random() * 0.05)
                cursor.execute("ROLLBACK" if chance.random() < 0.1 else "COMMIT")

    writers = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for writer in writers:
        writer.start()
    while any(w.is_alive() for w in writers):
        shop.loaded()
    shop.loaded()
    with shop.connect() as cursor:
        cursor.execute("SELECT id FROM orders ORDER BY id")
        assert shop.ids() == [i for (i,) in cursor.fetchall()]
    assert shop.run() == {}


def test_who_may_not_see_transactions_needs_a_lag_that_covers_them(shop):
    with shop.connect() as cursor:
        cursor.execute("REVOKE PROCESS ON *.* FROM reader@'127.0.0.1'")
        try:
            shop.contract(shop_words("lag: 5"))
            with Workspace.open(shop.root) as workspace:
                told = list(workspace.doctor())
            assert [t for t in told if "GRANT PROCESS" in str(t)], told
            with shop.connect() as late:
                late.execute("INSERT INTO orders (amount) VALUES (1)")
                shop.sql("INSERT INTO orders (amount) VALUES (2)")
                shop.loaded()
                late.execute("COMMIT")
            shop.loaded()
            assert shop.ids() == [1, 2]
        finally:
            cursor.execute("GRANT PROCESS ON *.* TO reader@'127.0.0.1'")


def test_who_may_not_see_transactions_and_has_no_lag_loads_nothing(shop):
    """A row that is committed late would be lost, and nobody told."""
    shop.sql("INSERT INTO orders (amount) VALUES (1)")
    with shop.connect() as cursor:
        cursor.execute("REVOKE PROCESS ON *.* FROM reader@'127.0.0.1'")
        try:
            (outcome,) = shop.run().values()
            (finding,) = outcome.findings
            assert finding.code == "XDE0487"
            assert "GRANT PROCESS ON *.* TO 'reader'@'127.0.0.1'" in finding.hint
        finally:
            cursor.execute("GRANT PROCESS ON *.* TO reader@'127.0.0.1'")
    shop.loaded()
    assert shop.ids() == [1]


def shop_words(lag: str, mode: str = "merge") -> str:
    return f"{{property: xdeIncrementalCursor, value: {{property: id, {lag}}}}}, {{property: xdeWriteMode, value: {mode}}}"


TYPES = {
    "n DECIMAL(38,15)": ("DECIMAL(38,15)", "123456789.123456789012345", "123456789.123456789012345"),
    "w DECIMAL(60,12)": ("VARCHAR", "1234567890123456789012345678.123456789012", "1234567890123456789012345678.123456789012"),
    "f DOUBLE": ("DOUBLE", "0.1", "0.1"),
    "b BOOLEAN": ("BOOLEAN", "true", "True"),
    "bits BIT(9)": ("BIGINT", "b'100000001'", "257"),
    "t VARCHAR(20)": ("VARCHAR", "''", ""),
    "z TEXT": ("VARCHAR", r"'a\r\n\"b\",\\N'", 'a\r\n"b",\\N'),
    "y VARCHAR(20)": ("VARCHAR", r"'\\N'", "\\N"),
    "m VARCHAR(20)": ("VARCHAR", "NULL", "None"),
    "emoji VARCHAR(20) CHARACTER SET utf8mb4": ("VARCHAR", "'\U0001f600é'", "\U0001f600é"),
    "ts DATETIME(6)": ("TIMESTAMP", "'2026-03-29 02:30:00.123456'", "2026-03-29 02:30:00.123456"),
    "d DATE": ("DATE", "'1044-03-15'", "1044-03-15"),
    "tm TIME(3)": ("TIME", "'23:59:59.125'", "23:59:59.125"),
    "yr YEAR": ("INTEGER", "2026", "2026"),
    "j JSON": ("VARCHAR", "'{\"a\": 1.10}'", '{"a": 1.10}'),
    "x VARBINARY(10)": ("BLOB", "x'00ff41'", "b'\\x00\\xffA'"),
    "e ENUM('sad', 'ok')": ("VARCHAR", "'sad'", "sad"),
    "s SET('a', 'b')": ("VARCHAR", "'a,b'", "a,b"),
    "u BIGINT UNSIGNED": ("UBIGINT", "18446744073709551615", "18446744073709551615"),
}


def test_every_type_arrives_exactly(shop):
    names = [c.split()[0] for c in TYPES]
    shop.sql(
        "DROP TABLE orders",
        f"CREATE TABLE orders (id INT PRIMARY KEY, {', '.join(TYPES)})",
        f"INSERT INTO orders VALUES (1, {', '.join(v for _, v, _ in TYPES.values())})",
    )
    logical = {"BOOLEAN": "boolean", "BLOB": "string", "DATE": "date", "TIMESTAMP": "timestamp", "TIME": "time", "VARCHAR": "string"}
    columns = ["      - {name: id, logicalType: integer, primaryKey: true}"] + [
        f'      - {{name: {n}, logicalType: {logical.get(k, "number")}, physicalType: "{k}"}}'
        for n, (k, _, _) in zip(names, TYPES.values(), strict=True)
    ]
    shop.contract(words="", columns="\n".join(columns) + "\n")
    shop.loaded()
    (row,) = shop.rows()
    assert {n: str(row[n]) for n in names} == {n: told for n, (_, _, told) in zip(names, TYPES.values(), strict=True)}


def test_a_value_that_does_not_fit_is_a_dead_letter(shop):
    shop.sql(
        "SET sql_mode = ''",
        "INSERT INTO orders (amount, at) VALUES (1.255, '2026-01-01'), (1.25, '2026-02-31'), (2, '2026-01-01 10:00:00')",
    )
    shop.loaded()
    with Workspace.open(shop.root) as workspace:
        letters = sorted(r.column for x in workspace.letters(status="open") for r in x.letter.reasons)
    assert letters == ["amount", "at"]
    assert shop.ids() == [3]


@pytest.mark.parametrize(
    ("words", "changed", "code"),
    [
        (None, {"relation": "nothing"}, "XDE0482"),
        (None, {"database": "nowhere"}, "XDE0481"),
        (None, {"host": "nowhere.invalid"}, "XDE0480"),
        ("{property: xdeQuery, value: SELECT FROM}", {}, "XDE0482"),
        (
            "{property: xdeQuery, value: 'SELECT * FROM orders WHERE sleep(30) = 0'}, {property: xdeLimits, value: {statementTimeout: 1}}",
            {},
            "XDE0485",
        ),
    ],
)
def test_what_is_wrong_is_told(shop, words, changed, code):
    shop.sql("INSERT INTO orders (amount) VALUES (1)")
    shop.contract(**({"words": words} if words else {}), **changed)
    assert shop.findings() == [code]


def test_a_wrong_password_is_told_and_not_shown(shop, monkeypatch):
    monkeypatch.setenv("TILL_PASSWORD", "a wrong passw0rd")
    (outcome,) = shop.run().values()
    assert [f.code for f in outcome.findings] == ["XDE0481"]
    assert "passw0rd" not in str(outcome.findings)


@pytest.mark.parametrize(
    ("words", "kind"), [(shop_words("lag: 5", "append"), "appends"), ("{property: xdeWriteMode, value: append}", "new")]
)
def test_what_would_lose_or_double_rows_is_refused(shop, words, kind):
    shop.contract(words)
    with pytest.raises(UserError, match=kind) as raised:
        Workspace.open(shop.root)
    assert [f.code for f in raised.value.findings] == ["XDE0483"]


def test_rows_with_nothing_in_the_cursor_stop_the_load(shop):
    shop.contract("{property: xdeIncrementalCursor, value: {property: at}}, {property: xdeWriteMode, value: merge}")
    shop.sql("INSERT INTO orders (amount, at) VALUES (1, NULL)")
    assert shop.findings() == ["XDE0484"]


def test_a_changed_row_is_merged_by_its_time(shop):
    shop.contract("{property: xdeIncrementalCursor, value: {property: at, lag: PT1M}}, {property: xdeWriteMode, value: merge}")
    shop.sql("INSERT INTO orders (amount, at) VALUES (1, '2026-01-01'), (2, '2026-01-02')")
    shop.loaded()
    shop.sql("UPDATE orders SET amount = 9, at = '2026-01-03' WHERE id = 1")
    shop.loaded()
    assert {r["id"]: str(r["amount"]) for r in shop.rows()} == {1: "9.00", 2: "2.00"}
    assert shop.run() == {}


def test_a_query_and_all_rows_anew(shop):
    shop.contract("{property: xdeQuery, value: 'SELECT id, amount * 2 AS amount, at FROM orders WHERE amount < 3'}")
    shop.sql("INSERT INTO orders (amount) VALUES (1), (2), (3)")
    shop.loaded()
    shop.sql("DELETE FROM orders WHERE id = 1")
    shop.loaded()
    assert [(r["id"], str(r["amount"])) for r in shop.rows()] == [(2, "4.00")]


def test_a_colon_of_a_query_is_no_parameter(shop):
    shop.contract('{property: xdeQuery, value: \'SELECT id, amount, at FROM orders WHERE secret <> ":a" AND secret <> "b :c"\'}')
    shop.sql("ALTER TABLE orders ADD secret TEXT", "INSERT INTO orders (amount, secret) VALUES (1, ':a'), (2, 'b :c'), (3, 'd')")
    shop.loaded()
    assert shop.ids() == [3]


@pytest.mark.parametrize(("mode", "codes"), [("disable", []), ("require", []), ("verify-ca", ["XDE0480"]), ("verify-full", ["XDE0480"])])
def test_a_certificate_that_nobody_vouches_for_is_taken_only_where_none_is_asked_for(shop, mode, codes):
    if not shop.server.encrypts:
        pytest.skip("the machine has no openssl to make a certificate (Debian: apt-get install openssl)")
    with shop.connect() as cursor:
        cursor.execute(f"ALTER USER reader@'127.0.0.1' REQUIRE {'NONE' if mode == 'disable' else 'SSL'}")
        try:
            shop.contract(own=f", {{property: xdeSslMode, value: {mode}}}")
            shop.sql("INSERT INTO orders (amount) VALUES (1)")
            assert shop.findings() == codes
        finally:
            cursor.execute("ALTER USER reader@'127.0.0.1' REQUIRE NONE")


def test_a_password_in_an_address_is_refused_when_the_contract_is_read(shop):
    shop.contract(own=", {property: xdeUrl, value: 'mysql+pymysql://reader:in_the_open@127.0.0.1/shop'}")
    with pytest.raises(UserError) as raised:
        Workspace.open(shop.root)
    assert [f.code for f in raised.value.findings] == ["XDE0481"]
    assert "in_the_open" not in str(raised.value)


def test_a_server_that_is_gone_is_worth_another_try(shop):
    shop.sql("INSERT INTO orders (amount) VALUES (1)")
    shop.server.stop()
    try:
        (outcome,) = shop.run().values()
        assert outcome.status == "failed"
    finally:
        shop.server.start()
    shop.loaded()
    assert shop.ids() == [1]


def test_any_database_by_the_address_that_sqlalchemy_knows(shop):
    url = f"mysql+pymysql://127.0.0.1:{shop.server.port}/{shop.name}"
    shop.contract(shop_words("lag: 10"))
    text = (shop.root / "sources/shop.yaml").read_text()
    start, end = text.index("type: mysql"), text.index("customProperties: [")
    text = text[:start] + "type: custom, " + text[end:]
    text = text.replace(
        "customProperties: [{property: xdeUser",
        f"customProperties: [{{property: xdeType, value: sqlalchemy}}, {{property: xdeUrl, value: '{url}'}}, {{property: xdeUser",
        1,
    )
    shop.write("sources/shop.yaml", text)
    shop.sql("INSERT INTO orders (amount) VALUES (1), (2)")
    shop.loaded()
    shop.sql("INSERT INTO orders (amount) VALUES (3)")
    shop.loaded()
    assert shop.ids() == [1, 2, 3]
    assert shop.run() == {}


def test_a_table_is_captured_by_comparison(shop):
    shop.contract(words="{property: xdeCapture, value: {by: comparison}}")
    shop.sql(*(f"INSERT INTO orders (amount) VALUES ({n})" for n in range(1, 5)))
    assert shop.run()["shop.orders"].rows == 4
    shop.sql("UPDATE orders SET amount = 9 WHERE id = 2", "DELETE FROM orders WHERE id = 3", "INSERT INTO orders (amount) VALUES (5)")
    outcome = shop.run()["shop.orders"]
    assert (outcome.status, outcome.rows) == ("done", 3)
    with shop.connect() as cursor:
        cursor.execute("SELECT id FROM orders ORDER BY id")
        assert shop.ids() == [i for (i,) in cursor.fetchall()]


def test_a_column_with_another_name_is_offered(shop):
    shop.contract(words="{property: xdeWriteMode, value: replace}")
    shop.sql(*(f"INSERT INTO orders (amount) VALUES ({n / 4})" for n in range(60)))
    shop.loaded()
    shop.sql("ALTER TABLE orders CHANGE amount paid DECIMAL(10,2)")
    finding = shop.run()["shop.orders"].findings[0]
    assert finding.code == "XDE0482"
    assert "`paid` may be what was `amount`: 100 % of 60 sampled values are known in `amount`" in finding.why


def test_a_time_that_is_far_ahead_hides_no_row(shop):
    shop.contract("{property: xdeIncrementalCursor, value: {property: at}}, {property: xdeWriteMode, value: merge}")
    shop.sql("INSERT INTO orders (id, at) VALUES (1, '2026-01-01'), (2, '9999-12-31')")
    shop.loaded()
    shop.sql("INSERT INTO orders (id, at) VALUES (3, '2026-01-02')")
    shop.loaded()
    assert shop.ids() == [1, 2, 3]
