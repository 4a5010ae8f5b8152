"""Profiles of the real data: every key, every join, nothing else; and of files as people really have them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from xde.app.profiling import Wish, profile
from xde.app.workspace import Workspace
from xde.ground.errors import UserError

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
FLIGHTS = EXAMPLES / "flights/data"
SINGLE = {
    ("flights.carrier", "airlines.carrier"),
    ("flights.tailnum", "planes.tailnum"),
    ("flights.origin", "airports.faa"),
    ("flights.dest", "airports.faa"),
    ("weather.origin", "airports.faa"),
}


def nowhere():
    raise UserError


def of(*files, sample=1_000_000):
    return profile(nowhere, None, Wish(tuple(map(str, files)), sample=sample))


def codes(error):
    return [f.code for f in error.value.findings]


def joins(found):
    return {(f"{r.table}.{'+'.join(r.columns)}", f"{r.to_table}.{'+'.join(r.to_columns)}"): r for r in found.references}


@pytest.fixture(scope="module")
def january():
    return of(FLIGHTS / "flights-2013-01.csv.gz", *(FLIGHTS / n for n in ("weather.csv.gz", "planes.csv", "airports.csv", "airlines.csv")))


def table(found, name):
    return next(t for t in found.tables if t.name == name)


@pytest.mark.slow
def test_every_join_of_the_flights_and_no_other(january):
    found = joins(january)
    assert set(found) == {*SINGLE, ("flights.origin+time_hour", "weather.origin+time_hour")}
    gaps = found["flights.tailnum", "planes.tailnum"]
    assert gaps.lost and 0.8 < gaps.share < 0.9
    assert all(e.startswith("N") for e in gaps.examples)
    assert set(found["flights.dest", "airports.faa"].examples) <= {"SJU", "BQN", "STT", "PSE"}


@pytest.mark.slow
def test_every_key_of_the_flights(january):
    keys = {t.name: [k.columns for k in t.keys] for t in january.tables}
    assert keys["planes"] == [("tailnum",)]
    assert keys["airports"] == [("faa",)]
    assert keys["airlines"][0] == ("carrier",)
    assert keys["weather"] == [("origin", "time_hour")]
    assert keys["flights"][0] == ("carrier", "flight", "time_hour")


def test_the_word_for_missing_is_found_and_counted(january):
    weather = table(january, "weather")
    assert weather.dialect["nullWords"] == ["NA"]
    assert weather.readings["wind_gust"].words == {"NA": 20_778}
    assert weather.column("wind_gust").missing == 20_778
    assert table(january, "airports").column("tzone").missing == 3


def test_the_gust_of_1048_miles_an_hour_is_far_out(january):
    far = table(january, "weather").column("wind_speed").far
    assert far is not None
    assert far[1] == "1048.36058"


def test_what_decides_what(january):
    found = {(d.columns, d.decides) for d in table(january, "flights").dependencies}
    assert {(("sched_dep_time",), "hour"), (("sched_dep_time",), "minute")} <= found


def test_types_are_those_of_the_texts(january):
    types = {c.name: c.type for c in table(january, "flights").columns}
    assert types["time_hour"] == "TIMESTAMP WITH TIME ZONE"
    assert types["dep_delay"] == "BIGINT"
    assert types["tailnum"] == "VARCHAR"
    assert not any(t.personal for t in january.tables)


@pytest.mark.slow
def test_the_whole_year():
    found = of(*FLIGHTS.iterdir())
    assert set(joins(found)) == {*SINGLE, ("flights.origin+time_hour", "weather.origin+time_hour")}
    gaps = joins(found)["flights.tailnum", "planes.tailnum"]
    assert (gaps.rows, gaps.lost, gaps.lost_values) == (334_264, 50_094, 721)
    assert joins(found)["flights.dest", "airports.faa"].lost == 7_602
    assert [k.columns for k in table(found, "flights").keys] == [("carrier", "flight", "time_hour")]


def test_a_sample_says_its_error_and_decides_no_key():
    found = of(FLIGHTS / "airports.csv", sample=500)
    airports = found.tables[0]
    assert (airports.rows, airports.looked_at) == (1_458, 500)
    assert 3 < airports.error < 4
    assert [k.columns for k in airports.keys] == [("faa",)]


def test_the_shop_by_names_where_whole_numbers_would_agree_by_accident():
    found = of(*(EXAMPLES / "jaffle_shop/data").iterdir())
    assert set(joins(found)) == {("raw_orders.user_id", "raw_customers.id"), ("raw_payments.order_id", "raw_orders.id")}
    customers = table(found, "raw_customers")
    assert set(customers.personal) == {"first_name", "last_name"}
    assert not customers.column("first_name").top
    assert customers.column("first_name").low is None


def test_loaded_datasets_of_a_project(sales):
    sales.run()
    found = profile(lambda: sales.root, None, Wish(("shop",)))
    assert [t.name for t in found.tables] == ["shop.sales"]
    assert [k.columns for k in found.tables[0].keys] == [("id",)]
    every = profile(lambda: sales.root, None, Wish((), everything=True))
    with Workspace.open(sales.root) as workspace:
        assert {t.name for t in every.tables} == set(workspace.known.project.datasets)


def test_a_dataset_that_is_not_built_and_one_that_is_misspelt(sales):
    with pytest.raises(UserError) as error:
        profile(lambda: sales.root, None, Wish(("shop.sales",)))
    assert codes(error) == ["XDE0724"]
    with pytest.raises(UserError) as error:
        profile(lambda: sales.root, None, Wish(("shop.salse",)))
    assert codes(error) == ["XDE0370"]
    assert "shop.sales" in error.value.findings[0].hint


def test_what_cannot_be_profiled_says_why(tmp_path):
    (tmp_path / "empty.csv").write_text(" \n")
    (tmp_path / "x.dat").write_text("a,b\n")
    (tmp_path / "zero.csv").write_bytes(b"a,b\n\0\0")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n" * 5_000)[:40])
    (tmp_path / "bad.parquet").write_text("no")
    (tmp_path / "bad.json").write_text('{"a": ')
    expected = {
        "empty.csv": "XDE0372",
        "x.dat": "XDE0375",
        "zero.csv": "XDE0374",
        "cut.csv.gz": "XDE0373",
        "bad.parquet": "XDE0373",
        "bad.json": "XDE0373",
        "emty.csv": "XDE0370",
        ".": "XDE0371",
    }
    for name, code in expected.items():
        with pytest.raises(UserError) as error:
            of(tmp_path / name)
        assert codes(error) == [code], name


def test_what_is_odd_is_told_and_profiled_all_the_same(tmp_path):
    (tmp_path / "head.csv").write_text("a,b\n")
    (tmp_path / "latin.csv").write_bytes("name,town\nJosé,Köln\nZoë,Bonn\n".encode("latin-1"))
    (tmp_path / "one.csv").write_text("name\nAda\nBob\n")
    (tmp_path / "ragged.csv").write_text("a,b\n" + "1,2\n" * 20 + "1,2,3\n")
    (tmp_path / "part-1.csv").write_text("a,b\n1,2\n")
    (tmp_path / "part-2.csv").write_text("a,b,c\n1,2,3\n")
    expected = {
        "head.csv": ["XDE0377"],
        "latin.csv": ["XDE0380"],
        "one.csv": ["XDE0376"],
        "ragged.csv": ["XDE0381"],
        "part-*.csv": ["XDE0382"],
    }
    for name, found in expected.items():
        assert [f.code for f in of(tmp_path / name).findings] == found, name


def test_other_formats_and_encodings(tmp_path):
    (tmp_path / "a.ndjson").write_text(
        "".join(json.dumps({"id": i, "at": f"2024-01-0{i}T10:00:00Z", "ok": i > 3}) + "\n" for i in range(1, 9))
    )
    (tmp_path / "b.json").write_text(json.dumps({"items": [{"id": 1}, {"id": 2, "note": "x"}]}))
    (tmp_path / "c.csv").write_text("a;b\n1;ä\n2;ö\n", encoding="utf-16")
    (tmp_path / "d.csv").write_text("plz,day\n" + "".join(f"0{i:04},{i % 28 + 1:02}.12.2023\n" for i in range(40)))
    found = of(tmp_path / "*")
    assert {c.name: c.type for c in table(found, "a").columns} == {"id": "BIGINT", "at": "TIMESTAMP WITH TIME ZONE", "ok": "BOOLEAN"}
    assert [c.name for c in table(found, "b").columns] == ["id", "note"]
    assert table(found, "b").dialect["recordsAt"] == "items"
    assert table(found, "c").dialect["encoding"] == "utf-16"
    assert table(found, "d").column("plz").is_text
    assert table(found, "d").readings["day"].format == "dd.MM.yyyy"


def test_days_of_which_nobody_can_tell_the_month_stay_text(tmp_path):
    (tmp_path / "d.csv").write_text("n,d\n" + "".join(f"{i},{i % 12 + 1:02}/{i % 12 + 1:02}/2024\n" for i in range(30)))
    reading = of(tmp_path / "d.csv").tables[0].readings["d"]
    assert reading.type == "VARCHAR"
    assert set(reading.either) >= {"MM/dd/yyyy", "dd/MM/yyyy"}


def test_nearly_a_number_is_text_and_the_rest_is_shown(tmp_path):
    (tmp_path / "n.csv").write_text("k,n\n" + "".join(f"k{i},{i}\n" for i in range(199)) + "k,12a\n")
    reading = of(tmp_path / "n.csv").tables[0].readings["n"]
    assert reading.almost == ("integer", 1, ("12a",))
    assert reading.type == "VARCHAR"


@pytest.mark.slow
def test_a_quote_that_was_never_closed(tmp_path):
    (tmp_path / "huge.csv").write_text('a,b\n1,"' + "x" * 16_100_000 + '"\n2,y\n')
    assert [f.code for f in of(tmp_path / "huge.csv").findings] == ["XDE0378", "XDE0381"]


def test_names_in_any_script_are_hidden_by_their_forms_too(tmp_path):
    (tmp_path / "p.csv").write_text("id,last_name\n1,Миронова\n2,王小明\n3,Ñandú\n", encoding="utf-8")
    column = of(tmp_path / "p.csv").tables[0].column("last_name")
    assert {p for p, _ in column.patterns} == {"Aa+", "aaa", "Aaaaa"}


def test_namibia_is_no_missing_country(tmp_path):
    (tmp_path / "c.csv").write_text("id,country\n" + "".join(f"{i},{c}\n" for i, c in enumerate(("DE", "NA", "FR", "NA", "IT", "ES"))))
    country = of(tmp_path / "c.csv").tables[0].column("country")
    assert (country.missing, country.distinct) == (0, 5)


def test_types_that_only_parquet_has(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = range(50)
    columns = {
        "id": pa.array(rows),
        "s": pa.array([{"a": i} for i in rows]),
        "l": pa.array([[i, 1] for i in rows]),
        "m": pa.array([[("k", i)] for i in rows], pa.map_(pa.string(), pa.int64())),
        "b": pa.array([b"\x00\xff"] * 50),
        "f": pa.array([float("nan"), float("inf"), None] + [1.5] * 47, pa.float32()),
        "n": pa.nulls(50),
        "t": pa.array([None] * 50, pa.timestamp("ns")),
        "d": pa.array(["a", "b"] * 25).dictionary_encode(),
    }
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    found = of(tmp_path / "t.parquet").tables[0]
    assert [c.name for c in found.columns] == list(columns)
    assert found.column("n").missing == found.column("t").missing == 50
    assert [k.columns for k in found.keys] == [("id",)]


def test_a_gap_that_no_sample_shows_makes_it_no_key(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    for seen in ("with", "without"):
        ids = [*range(40_000), None if seen == "with" else 40_000]
        pq.write_table(pa.table({"id": ids, "n": [i % 7 for i in range(40_001)]}), tmp_path / f"{seen}.parquet")
    assert not of(tmp_path / "with.parquet", sample=100).tables[0].keys
    assert of(tmp_path / "without.parquet", sample=100).tables[0].keys


def test_a_spreadsheet(tmp_path):
    from openpyxl import Workbook

    book = Workbook()
    for row in (("id", "town", "since"), (1, "Bonn", "2024-01-01"), (2, "Trier", "2024-02-01"), (3, "Bonn", "")):
        book.active.append(row)
    book.save(tmp_path / "towns.xlsx")
    towns = of(tmp_path / "towns.xlsx").tables[0]
    assert {c.name: (c.type, c.missing) for c in towns.columns} == {"id": ("BIGINT", 0), "town": ("VARCHAR", 0), "since": ("DATE", 1)}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("gaps.csv", "a,b\n,\n,\n,\n"),
        ("one.csv", "id,x\n1,\n"),
        ("texts.csv", "id,x\n1,a\n2,\n"),
        ("records.ndjson", '{"a": null}\n{"a": null}\n'),
        ("broken.ndjson", '{"a": 1}\n[1]\n'),
    ],
)
def test_columns_that_have_no_value_at_all(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    found = of(tmp_path / name)
    assert found is not None
