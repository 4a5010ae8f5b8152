"""Files of SQLite and DuckDB with no contract yet: what holds nobody to a type is proved by its values, and the draft loads as it is."""

from __future__ import annotations

import sqlite3

import duckdb
import pytest
from projects.contracts import SQLITE, source

from xde.app.contract_drafts import draft
from xde.app.profiling import Wish, profile
from xde.app.workspace import Workspace
from xde.ground.errors import UserError
from xde.kernel.project.odcs import read_contract

TILL = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, born DATE, note, odd INTEGER, photo BLOB);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL REFERENCES customers (id), amount DECIMAL(10,2),
  updated_at TEXT NOT NULL, boss INTEGER REFERENCES orders);
CREATE VIEW recent AS SELECT id FROM orders WHERE id > 1000;
CREATE TABLE vacant (a, b INTEGER);
"""


@pytest.fixture
def root(tmp_path, monkeypatch):
    made = tmp_path / "shop"
    (made / "sources").mkdir(parents=True)
    (made / "xde.yaml").write_text("name: shop\n")
    monkeypatch.chdir(made)
    return made


@pytest.fixture
def till(root):
    connection = sqlite3.connect(root / "till.db")
    connection.executescript(TILL)
    people = [(n, f"p{n}@example.com", f"1980-01-{n % 28 + 1:02}", n, "?" if n == 7 else n, b"\x00\xff") for n in range(1, 41)]
    connection.executemany("INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?)", people)
    sold = [(n, n % 40 + 1, n / 4, f"2026-01-{n % 28 + 1:02} 10:00:00", None) for n in range(1, 1201)]
    connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?)", sold)
    connection.commit()
    return connection


def drafted(root, *sources):
    return draft(lambda: root, sources, root / "sources/shop.yaml", force=False)


def loaded(root):
    with Workspace.open(root) as workspace:
        finished = workspace.run()
        assert finished.status == "done", [(o.step.dataset, [f.message + f.why for f in o.findings]) for o in finished.outcomes]
        assert workspace.letters() == ()
        return {line.name.partition(".")[2]: line.rows for line in workspace.datasets()}


def objects(made):
    contract, _, findings = read_contract(made.text.encode(), "it.yaml")
    assert contract is not None
    assert not findings
    return {o.name: o for o in contract.schema}


@pytest.mark.slow
def test_a_draft_of_whatever_sqlalchemy_knows_loads_as_it_is(root, till):
    till.execute("DROP VIEW recent")
    till.execute("DROP TABLE vacant")
    till.execute("UPDATE customers SET odd = 7 WHERE id = 7")
    till.commit()
    made = drafted(root, "sqlite+pysqlite:///till.db")
    found = objects(made)
    assert found["customers"].key == ("id",)
    assert {"xdeUrl", "sqlite+pysqlite:///till.db", "sqlalchemy"} <= {w.strip('"') for w in made.text.split()}
    assert loaded(root) == {"customers": 40, "orders": 1200}


def test_a_table_that_is_referred_to_and_left_out_is_told(root, till):
    text = " ".join(drafted(root, "sqlite:///till.db?table=orders").text.split())
    assert "evidence: customer refers to customers, which is not in this draft" in text
    assert "to: customers.id" not in text


@pytest.mark.parametrize("said", ["till.db", pytest.param("sqlite:///till.db", marks=pytest.mark.slow)])
def test_a_draft_of_sqlite_loads_as_it_is_and_goes_on(root, till, said):
    made = drafted(root, said)
    found = objects(made)
    types = {p.name: p.physical_type for p in found["customers"].properties}
    assert types == {"id": "BIGINT", "email": "VARCHAR", "born": "DATE", "note": "BIGINT", "odd": "VARCHAR", "photo": "BLOB"}
    assert "all values but 1, such as `?` are of type integer" in " ".join(made.text.replace("#", "").split())
    assert {p.name: p.physical_type for p in found["orders"].properties}["updated_at"] == "TIMESTAMP"
    assert found["orders"].custom["incrementalCursor"].value == {"property": "updated_at"}
    assert found["customers"].custom["writeMode"].value == "replace"
    assert loaded(root) == {"customers": 40, "orders": 1200, "recent": 200, "vacant": 0}
    till.execute("INSERT INTO orders VALUES (2000, 1, NULL, '2026-03-01 10:00:00', 1)")
    till.commit()
    assert loaded(root)["orders"] == 1201


@pytest.mark.slow
def test_a_draft_of_duckdb_loads_as_it_is(root):
    with duckdb.connect(str(root / "lake.duckdb")) as connection:
        connection.execute("CREATE TYPE mood AS ENUM ('sad', 'ok')")
        connection.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, feels mood NOT NULL, n DECIMAL(38,10), h HUGEINT, t TIMESTAMP_NS)")
        connection.execute("COMMENT ON TABLE people IS 'who buys'; COMMENT ON COLUMN people.n IS 'how many'")
        columns = "l INTEGER[], s STRUCT(a INTEGER, b DECIMAL(10,2)), u UUID, v INTERVAL, b BLOB, z TIMESTAMPTZ, x BIT"
        connection.execute(f"CREATE TABLE odd (id INTEGER REFERENCES people (id), CHECK (id > 0), {columns})")
        connection.execute("INSERT INTO people SELECT n, 'ok', n / 3, n, '2026-01-01 10:00:00.123456789' FROM range(1, 30) AS t (n)")
        values = "[1, NULL], {'a': 1, 'b': 1.10}, uuid(), INTERVAL 1 DAY, '\\x00\\xFF', '2026-01-01 00:00+02', '0101'"
        connection.execute(f"INSERT INTO odd SELECT n, {values} FROM range(1, 20) AS t (n)")
        connection.execute("CREATE VIEW some_of AS SELECT id FROM people")
    made = drafted(root, "duckdb:///lake.duckdb")
    found = objects(made)
    assert loaded(root) == {"odd": 19, "people": 29, "some_of": 29}
    assert found["people"].description == "who buys"
    assert "validValues: [sad, ok]" in made.text
    types = {p.name: p.physical_type for p in found["odd"].properties}
    assert types["l"] == "INTEGER[]"
    assert types["s"] == types["u"] == types["v"] == types["x"] == "VARCHAR"
    assert "CHECK ((id > 0))" in made.text
    assert "evidence: STRUCT(a INTEGER, b DECIMAL(10,2)) in the database, rounded" in made.text
    with Workspace.open(root) as workspace:
        (row,) = workspace.show("shop.odd", limit=1).read_all().to_pylist()
    assert (row["s"], row["b"], row["x"], row["l"]) == ('{"a":1,"b":1.1}', b"\x00\xff", "0101", [1, None])


@pytest.mark.slow
def test_a_mixture_of_a_file_and_a_table_is_one_draft_and_one_profile(root, till):
    (root / "data").mkdir()
    (root / "data/rates.csv").write_text("customer_id,rate\n" + "".join(f"{n},{n % 3}.5\n" for n in range(1, 41)))
    made = drafted(root, "till.db", "data/rates.csv")
    assert objects(made)["rates"].custom["server"].value == "files"
    assert objects(made)["orders"].custom["server"].value == "database"
    assert loaded(root)["rates"] == 40
    found = profile(lambda: root, None, Wish(("data/rates.csv", "till.db")))
    assert ("rates", ("customer_id",), "customers") in {(r.table, r.columns, r.to_table) for r in found.references}


def test_a_sample_of_a_file_decides_no_key_but_those_that_are_declared(root, till):
    found = profile(lambda: root, None, Wish(("sqlite:///till.db?table=orders&table=customers",), sample=300))
    orders, customers = found.tables
    assert orders.partial
    assert not customers.partial
    assert [k.columns for k in orders.keys] == [("id",)]
    assert {(r.table, r.columns, bool(r.rows)) for r in found.references} == {
        ("orders", ("customer",), True),
        ("orders", ("boss",), False),
    }


def test_what_is_private_is_not_looked_into(root, till):
    objects = """\
  - name: customers
    physicalType: table
    properties:
      - {name: id, logicalType: integer, primaryKey: true}
      - {name: email, logicalType: string, customProperties: [{property: xdeInFlight, value: {drop: true}}]}
"""
    (root / "sources/shop.yaml").write_text(source(objects, SQLITE))
    for look in (lambda: profile(lambda: root, None, Wish(("shop",))), lambda: draft(lambda: root, ["shop"], None, force=False)):
        with pytest.raises(UserError) as raised:
            look()
        assert [f.code for f in raised.value.findings] == ["XDE0342"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("postgres://reader:in_the_open@db.example.com/shop", "XDE0530"),
        ("mysql://db.example.com/shop?password=in_the_open", "XDE0530"),
        ("postgres://reader:${env:A}in_the_open@db.example.com/shop", "XDE0530"),
        ("postgres://db.example.com:port/shop", "XDE0535"),
        ("mssql+nothing://db.example.com/shop", "XDE0480"),
        ("sqlite:///nowhere.db", "XDE0480"),
        ("ftp://db.example.com/shop", "XDE0370"),
    ],
)
def test_an_address_that_is_none_is_told(root, said, code):
    for look in (lambda: profile(lambda: root, None, Wish((said,))), lambda: draft(lambda: root, [said], None, force=False)):
        with pytest.raises(UserError) as raised:
            look()
        assert [f.code for f in raised.value.findings] == [code]
        assert "in_the_open" not in str([(f.message, f.why, f.hint) for f in raised.value.findings])


def test_generated_columns_are_drafted_like_others(root):
    connection = sqlite3.connect(root / "till.db")
    connection.executescript(
        "CREATE TABLE sums (a INTEGER PRIMARY KEY, b INTEGER AS (a * 2) STORED, c AS (a + 1)); INSERT INTO sums VALUES (1)"
    )
    drafted(root, "till.db")
    assert loaded(root) == {"sums": 1}
    with Workspace.open(root) as workspace:
        (row,) = workspace.show("shop.sums", limit=None).read_all().to_pylist()
    assert row == {"a": 1, "b": 2, "c": 2}
