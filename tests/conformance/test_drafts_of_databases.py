"""A database with no contract yet: profiled by its address, drafted, and the draft loads as it is; on the real servers."""

from __future__ import annotations

import json
from importlib import resources

import pytest
from database import Database
from jsonschema import Draft201909Validator

from xde.app.contract_drafts import draft
from xde.app.profiling import Wish, profile
from xde.app.workspace import Workspace
from xde.ground.errors import UserError
from xde.kernel.project.odcs import read_contract
from xde.kernel.project.yaml_reader import read_yaml

SHOP = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s fine');
CREATE DOMAIN short AS varchar(12);
CREATE TABLE customers (id bigserial PRIMARY KEY, email text NOT NULL UNIQUE, name short, feels mood, "Odd Name" int);
COMMENT ON TABLE customers IS 'who buys: "people"';
COMMENT ON COLUMN customers.email IS 'where the bill goes';
CREATE TABLE orders (id bigint PRIMARY KEY, customer bigint NOT NULL REFERENCES customers, amount numeric(10,2) CHECK (amount >= 0),
  weight numeric, placed timestamptz NOT NULL, updated_at timestamptz NOT NULL, boss bigint REFERENCES orders);
CREATE TABLE lines (order_id bigint REFERENCES orders, line int, what text NOT NULL, PRIMARY KEY (order_id, line));
CREATE TABLE events (id bigint, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE VIEW recent AS SELECT id, amount FROM orders WHERE id > 10;
CREATE MATERIALIZED VIEW totals AS SELECT customer, sum(amount) AS total FROM orders GROUP BY 1;
CREATE TABLE nothing (id int PRIMARY KEY);
INSERT INTO customers SELECT n, 'p' || n || '@example.com', 'p' || n, 'ok', n FROM generate_series(1, 40) AS n;
INSERT INTO orders SELECT n, n % 40 + 1, n / 4.0, n * 1.5, '2026-01-01'::timestamptz + n * interval '1 hour', now(), nullif(n - 1, 0)
  FROM generate_series(1, 1200) AS n;
INSERT INTO lines SELECT n, l, 'thing' FROM generate_series(1, 300) AS n, generate_series(1, 3) AS l;
INSERT INTO events SELECT n, '2026-01-01'::date + n FROM generate_series(1, 90) AS n;
REFRESH MATERIALIZED VIEW totals;
"""
ROWS = {"customers": 40, "events": 90, "lines": 900, "nothing": 0, "orders": 1200, "recent": 1190, "totals": 40}


@pytest.fixture
def there(postgres_server, tmp_path, monkeypatch, request):
    monkeypatch.setenv("TILL_PASSWORD", "readers password")
    made = Database(postgres_server, tmp_path / "shop", f"drafted_{abs(hash(request.node.name)) % 10**8}")
    made.role("reader LOGIN")
    made.sql(SHOP, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    made.write("xde.yaml", "name: shop\n")
    return made


def address(there, query="", user="reader", password="${env:TILL_PASSWORD}"):
    return f"postgres://{user}:{password}@127.0.0.1:{there.server.port}/{there.name}{query}"


def drafted(root, *sources, **how):
    return draft(lambda: root, sources, root / "sources/shop.yaml", **{"force": False, **how})


def right(text):
    """By the standard's own schema, and by our reader."""
    schema = json.loads((resources.files("open_data_contract_standard") / "schema.json").read_text(encoding="utf-8"))
    top, findings = read_yaml(text.encode(), "it.yaml")
    assert top is not None and not findings
    assert [e.message for e in Draft201909Validator(schema).iter_errors(top.data())] == []
    contract, _, findings = read_contract(text.encode(), "it.yaml")
    assert contract is not None and not findings
    return {o.name: o for o in contract.schema}


def loaded(root):
    with Workspace.open(root) as workspace:
        finished = workspace.run()
        assert finished.status == "done", [(o.step.dataset, [f.message + f.why for f in o.findings]) for o in finished.outcomes]
        assert workspace.letters() == ()
        return {line.name.partition(".")[2]: line.rows for line in workspace.datasets()}


@pytest.mark.postgres
def test_a_draft_of_postgresql_loads_as_it_is_and_goes_on(there):
    made = drafted(there.root, address(there))
    objects = right(made.text)
    assert set(made.tables) == set(ROWS)
    assert "readers password" not in made.text
    assert loaded(there.root) == ROWS
    orders = objects["orders"]
    assert orders.custom["incrementalCursor"].value == {"property": "updated_at"}
    assert orders.custom["writeMode"].value == "merge"
    assert orders.key == ("id",)
    assert objects["customers"].custom["incrementalCursor"].value == {"property": "id"}
    assert objects["lines"].key == ("order_id", "line")
    assert objects["recent"].custom["writeMode"].value == "replace"
    columns = {p.name: p for p in objects["customers"].properties}
    assert columns["email"].description == "where the bill goes"
    assert columns["email"].required and columns["email"].unique
    assert columns["odd_name"].physical_name == "Odd Name"
    assert objects["customers"].description == 'who buys: "people"'
    for words in ('validValues: [sad, ok, "it\'s fine"]', "maxLength: 12", "CHECK (amount >= 0::numeric)", "DECIMAL(18,1)"):
        assert words in made.text, words
    there.sql("INSERT INTO customers (id, email) VALUES (41, 'x@example.com')", "UPDATE orders SET amount = 7 WHERE id = 1")
    assert loaded(there.root)["customers"] == 41


@pytest.mark.postgres
def test_a_profile_of_tables_says_what_is_declared_and_what_is_so(there, tmp_path):
    (tmp_path / "rates.csv").write_text("customer_id,rate\n" + "".join(f"{n},{n % 3}\n" for n in range(1, 41)))
    found = profile(lambda: there.root, None, Wish((address(there), str(tmp_path / "rates.csv"))))
    tables = {t.name: t for t in found.tables}
    assert [k.columns for k in tables["lines"].keys] == [("order_id", "line")]
    assert all(k.declared for k in tables["customers"].keys)
    assert tables["customers"].personal["email"].sure == "high"
    joins = {(r.table, r.columns, r.to_table): r for r in found.references}
    declared = {k for k, r in joins.items() if r.declared}
    assert declared == {("orders", ("customer",), "customers"), ("orders", ("boss",), "orders"), ("lines", ("order_id",), "orders")}
    assert joins["lines", ("order_id",), "orders"].rows == 900
    assert ("rates", ("customer_id",), "customers") in joins
    kept = {c.name: (c.told, c.kept.type, c.kept.arrival.value) for c in tables["orders"].origin.declared.columns}
    assert kept["amount"] == ("numeric(10,2)", "DECIMAL(10,2)", "exact")
    assert kept["weight"] == ("numeric", "VARCHAR", "exact as text")


@pytest.mark.postgres
@pytest.mark.parametrize("analyzed", [True, False])
def test_of_a_large_table_only_a_sample_is_read(there, analyzed):
    there.sql("CREATE TABLE many AS SELECT n AS id, n % 10 AS kind FROM generate_series(1, 50000) AS n", "GRANT SELECT ON many TO reader")
    there.sql("ANALYZE many" if analyzed else "SELECT 1")
    found = profile(lambda: there.root, None, Wish((address(there, "?table=many"),), sample=2000))
    (table,) = found.tables
    assert table.partial and table.sampled
    assert 1500 < table.looked_at < 2700
    assert abs(table.rows - 50_000) < 1000
    assert table.origin.declared.about is analyzed
    assert 1.9 < table.error < 2.6
    assert table.keys == ()  # a sample decides none
    shares = [n / table.looked_at for _, n in table.column("kind").top]
    assert all(abs(100 * s - 10) < table.error + 1 for s in shares)


@pytest.mark.postgres
def test_a_table_of_many_blocks_is_sampled_by_them_and_says_so(there, monkeypatch):
    monkeypatch.setattr("xde.app.table_profiles.MANY_BLOCKS", 10)
    there.sql(
        "CREATE TABLE wide AS SELECT n AS id, repeat('x', 200) AS pad FROM generate_series(1, 20000) AS n", "GRANT SELECT ON wide TO reader"
    )
    there.sql("ANALYZE wide")
    (table,) = profile(lambda: there.root, None, Wish((address(there, "?table=wide"),), sample=2000)).tables
    assert table.origin.blocks < 200
    assert table.error == pytest.approx(98 * ((1 - table.looked_at / table.rows) / table.origin.blocks) ** 0.5)


@pytest.mark.postgres
def test_a_dataset_that_is_not_loaded_yet_is_looked_at_where_it_is(there):
    drafted(there.root, address(there, "?table=customers"))
    found = profile(lambda: there.root, None, Wish(("shop.customers",)))
    assert found.tables[0].source.startswith("the table customers of 127.0.0.1")
    loaded(there.root)
    assert profile(lambda: there.root, None, Wish(("shop.customers",))).tables[0].source == "dev:shop.customers"
    there.sql("INSERT INTO customers (id, email) VALUES (41, 'x@example.com')")
    now = profile(lambda: there.root, None, Wish(("shop",), at_source=True)).tables[0]
    assert now.rows == 41
    assert now.column("odd_name").present == 40
    again = draft(lambda: there.root, ["shop"], None, force=False)
    assert "physicalName: Odd Name" in again.text


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("query", "user", "password", "code"),
    [
        ("", "reader", "hunter2hunter2", "XDE0530"),
        ("?table=ordres", "reader", "${env:TILL_PASSWORD}", "XDE0531"),
        ("?schema=empty", "reader", "${env:TILL_PASSWORD}", "XDE0531"),
        ("", "nobody", "${env:TILL_PASSWORD}", "XDE0481"),
        ("", "reader", "${env:NO_SUCH_VARIABLE}", "XDE0152"),
    ],
)
def test_what_is_wrong_with_an_address_is_told_and_no_password_shown(there, query, user, password, code):
    for ask in (lambda s: drafted(there.root, s), lambda s: profile(lambda: there.root, None, Wish((s,)))):
        with pytest.raises(UserError) as raised:
            ask(address(there, query, user, password))
        assert [f.code for f in raised.value.findings] == [code]
        assert "hunter2" not in str(raised.value)
    assert not (there.root / "sources/shop.yaml").exists()


@pytest.mark.postgres
def test_a_look_writes_nothing_and_waits_for_nobody_for_long(there, monkeypatch):
    monkeypatch.setattr("xde.app.table_profiles.PATIENCE", 1.0)
    there.sql("CREATE VIEW slow AS SELECT pg_sleep(20)::text AS s", "GRANT SELECT ON slow TO reader")
    with pytest.raises(UserError) as raised:
        profile(lambda: there.root, None, Wish((address(there, "?table=slow"),)))
    assert [f.code for f in raised.value.findings] == ["XDE0485"]


MARIA = (
    "DROP TABLE orders",
    "CREATE TABLE customers (id INT AUTO_INCREMENT PRIMARY KEY, email VARCHAR(80) NOT NULL UNIQUE COMMENT 'where the bill goes',"
    " feels ENUM('sad', 'ok'), born DATE) COMMENT 'who buys'",
    "CREATE TABLE orders (id BIGINT UNSIGNED PRIMARY KEY, customer INT NOT NULL, amount DECIMAL(10,2), wide DECIMAL(50,10), f FLOAT, b BIT(3),"
    " t TIME, y YEAR, j JSON, raw VARBINARY(10), d DOUBLE, tiny TINYINT(1), updated_at TIMESTAMP(6) NOT NULL DEFAULT now(6),"
    " FOREIGN KEY (customer) REFERENCES customers (id))",
    "CREATE TABLE plain (a INT, b TEXT)",
    "CREATE VIEW recent AS SELECT id, amount FROM orders WHERE id > 10",
    "INSERT INTO customers SELECT seq, concat('p', seq, '@example.com'), 'ok', '1980-01-01' FROM seq_1_to_40",
    "INSERT INTO orders SELECT seq, seq % 40 + 1, seq / 4, seq / 3, seq, 5, '-12:30:00', 2026, '{\"a\": 1.10}', x'00ff', 0.1, 1, now(6)"
    " FROM seq_1_to_1200",
    "INSERT INTO plain VALUES (1, 'x'), (1, 'x')",
)


@pytest.mark.mysql
@pytest.mark.parametrize("sees", [True, False])
def test_a_draft_of_mariadb_loads_as_it_is_and_goes_on(shop, sees):
    (shop.root / "sources/shop.yaml").unlink()
    shop.sql(*MARIA)
    with shop.connect() as cursor:
        cursor.execute(f"{'GRANT' if sees else 'REVOKE'} PROCESS ON *.* {'TO' if sees else 'FROM'} reader@'127.0.0.1'")
        try:
            made = drafted(shop.root, f"mysql://reader:${{env:TILL_PASSWORD}}@127.0.0.1:{shop.server.port}/{shop.name}")
            objects = right(made.text)
            assert loaded(shop.root) == {"customers": 40, "orders": 1200, "plain": 2, "recent": 1190}
            orders = objects["orders"]
            assert orders.custom["incrementalCursor"].value == ({"property": "updated_at"} | ({} if sees else {"lag": "PT1H"}))
            types = {p.name: p.physical_type for p in orders.properties}
            expected = {"wide": "VARCHAR", "amount": "DECIMAL(10,2)", "b": "BIGINT", "t": "VARCHAR", "raw": "BLOB", "id": "UBIGINT"}
            assert types == types | expected
            assert objects["customers"].description == "who buys"
            assert "validValues: [sad, ok]" in made.text
            shop.sql("INSERT INTO orders (id, customer) VALUES (2000, 1)")
            assert loaded(shop.root)["orders"] == 1201
        finally:
            cursor.execute("GRANT PROCESS ON *.* TO reader@'127.0.0.1'")


@pytest.mark.mysql
def test_a_sample_of_mariadb_and_of_whatever_sqlalchemy_knows(shop):
    shop.sql("CREATE TABLE many (id INT PRIMARY KEY)", "INSERT INTO many SELECT seq FROM seq_1_to_20000")
    for scheme in ("mysql", "mysql+pymysql"):
        url = f"{scheme}://reader:${{env:TILL_PASSWORD}}@127.0.0.1:{shop.server.port}/{shop.name}?table=many"
        (table,) = profile(lambda: shop.root, None, Wish((url,), sample=1000)).tables
        assert table.partial
        assert 800 < table.looked_at < 1300
        assert abs(table.rows - 20_000) < 2_000
