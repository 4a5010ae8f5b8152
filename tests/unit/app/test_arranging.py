"""How rows lie in files: partitions, order, and a change of them that changes no row."""

from __future__ import annotations

import duckdb
import pytest
from deltalake import DeltaTable

from projects.contracts import source
from xde.app.workspace import Workspace
from xde.ground.errors import UserError

CONTRACT = source("""\
  - name: orders
    physicalName: orders-*.csv
    properties:
      - {name: id, logicalType: integer}
      - {name: day, logicalType: date}
      - {name: shop, logicalType: string}
""")


def head(more, kind="table"):
    return f"/* xde\nkind: {kind}\n{more}\n*/\nSELECT id, day, shop FROM shop.orders\n"


@pytest.fixture
def shop(sales):
    sales.write("sources/shop.yaml", CONTRACT)
    for path in ("models/marts/by_country.sql", "models/marts/countries.sql", "models/staging/norway.sql"):
        (sales.root / path).unlink()
    rows = [f"{i},2026-{1 + i % 3:02}-{1 + i % 20:02},{'ab'[i % 2]}" for i in range(60)] + ["60,,a"]
    sales.write("data/orders-1.csv", "id,day,shop\n" + "\n".join(rows) + "\n")
    sales.write("models/marts/total.sql", "SELECT count(*) AS n FROM marts.orders\n")
    return sales


def files(shop):
    with Workspace.open(shop.root) as workspace:
        known = workspace.known.versions["marts.orders"]
        (folder,) = (shop.root / ".xde/lake/marts/orders").glob(known)
    table = DeltaTable(str(folder))
    return table, sorted(table.file_uris())


def test_rows_of_a_partition_lie_in_files_of_their_own_which_any_reader_reads(shop):
    shop.write("models/marts/orders.sql", head("partition: [month(day), shop]\nsort: [id]"))
    shop.run()
    table, paths = files(shop)
    assert len(paths) == 7
    assert len(table.to_pyarrow_table()) == 61
    actions = table.get_add_actions(flatten=True)
    months = [
        (str(a)[:7], str(b)[:7]) for a, b in zip(actions.column("min.day").to_pylist(), actions.column("max.day").to_pylist(), strict=True)
    ]
    assert all(a == b for a, b in months), "the log says of each file which month it holds"
    for path in paths:
        found = [i for (i,) in duckdb.execute(f"SELECT id FROM read_parquet('{path}')").fetchall()]
        assert found == sorted(found)
    assert not list((shop.root / ".xde/lake/marts/orders").rglob("_making_*"))


@pytest.mark.slow
def test_a_change_of_it_is_no_change_of_meaning(shop):
    shop.write("models/marts/orders.sql", head(""))
    shop.run()
    with Workspace.open(shop.root) as workspace:
        before = workspace.known.versions
    shop.write("models/marts/orders.sql", head("partition: month(day)"))
    with Workspace.open(shop.root) as workspace:
        assert workspace.known.versions == before
        (step,) = workspace.plan().steps
        assert [r.code for r in step.reasons] == ["layout"]
    assert set(shop.run()) == {"marts.orders"}
    table, paths = files(shop)
    assert (len(paths), len(table.to_pyarrow_table())) == (4, 61)
    assert shop.run() == {}
    shop.write("models/marts/orders.sql", head(""))
    assert set(shop.run()) == {"marts.orders"}
    assert len(files(shop)[1]) == 1


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("incremental", "time: day\npartition: [month(day)]"),
        ("incremental", "key: id\npartition: [month(day)]"),
        ("append", "partition: [shop]"),
    ],
)
def test_what_is_built_in_parts_stays_parted(shop, kind, more):
    where = "\n*/\nSELECT id, day, shop FROM shop.orders WHERE day IS NOT NULL\n"
    shop.write("models/marts/orders.sql", head(more, kind).replace("\n*/\nSELECT id, day, shop FROM shop.orders\n", where))
    shop.run()
    before = set(files(shop)[1])
    shop.write("data/orders-2.csv", "id,day,shop\n100,2026-02-03,a\n101,2026-05-01,a\n")
    shop.run()
    table, paths = files(shop)
    assert len(table.to_pyarrow_table()) == 62
    if "time" in more:
        assert len(before & set(paths)) == 2, "two of three months are not touched"
    for path in paths:
        column = "shop" if kind == "append" else "date_trunc('month', day)"
        assert len(duckdb.execute(f"SELECT DISTINCT {column} FROM read_parquet('{path}')").fetchall()) == 1


def test_a_history_and_an_append_reader_of_what_was_arranged(shop):
    shop.write("models/marts/orders.sql", head("key: id\ncolumns: all", "history"))
    shop.write("models/marts/log.sql", "/* xde\nkind: append\n*/\nSELECT id FROM staging.orders\n")
    shop.write("models/staging/orders.sql", head("", "append"))
    shop.run()
    shop.write("models/marts/orders.sql", head("key: id\ncolumns: all\npartition: [is_current, month(day)]\nsort: valid_from", "history"))
    shop.write("models/staging/orders.sql", head("partition: shop", "append"))
    assert set(shop.run()) == {"marts.orders", "staging.orders"}
    shop.write("data/orders-2.csv", "id,day,shop\n100,2026-02-03,a\n")
    assert shop.run()["marts.log"].rows == 1, "rows that only lie elsewhere are not read again"
    assert len(shop.rows("marts.log")) == 62
    assert len(shop.rows("marts.orders")) == 62


@pytest.mark.parametrize(
    ("more", "codes"),
    [
        ("partition: [month(id)]", ["XDE0294"]),
        ("partition: [month(date)]", ["XDE0280"]),
        ("sort: [idd]", ["XDE0280"]),
        ("partition: [minute(day)]", ["XDE0132"]),
        ("partition: ['bucket(0, id)']", ["XDE0132"]),
    ],
)
def test_heads_that_do_not_fit(shop, more, codes):
    shop.write("models/marts/orders.sql", head(more))
    with pytest.raises(UserError) as raised:
        Workspace.open(shop.root)
    assert [f.code for f in raised.value.findings] == codes


def test_a_view_has_no_files_to_arrange(shop):
    shop.write("models/marts/orders.sql", head("sort: id", "view"))
    with pytest.raises(UserError, match="is about the files of a table"):
        Workspace.open(shop.root)
