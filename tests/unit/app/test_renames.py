"""A column that comes under another name: told by what it holds, with who reads it; taken under both names once that is written."""

from __future__ import annotations

import csv
import gzip
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from projects.folder import Folder

from xde.app.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD = """\
apiVersion: v3.1.0
kind: DataContract
id: shop
version: 1.0.0
status: active
servers: [{server: l, type: local, path: data, format: FORMAT}]
schema:
  - name: people
    physicalName: people-*
CUSTOM
    properties:
      - {name: id, logicalType: integer}
      - {name: phone, logicalType: stringWORDS}
      - {name: joined, logicalType: date}
      - {name: city, logicalType: string}
"""
LOCAL = "{server: l, type: local, path: data, format: csv}"
SQLITE = "{server: l, type: custom, database: data/shop.db, customProperties: [{property: xdeType, value: sqlite}]}"
CURSOR = "    customProperties: [{property: xdeIncrementalCursor, value: {property: id}}]\n    properties:"
PEOPLE = [(str(n), f"+41 79 {n:07d}", f"2024-{n % 12 + 1:02d}-{n % 28 + 1:02d}", "ABCDEFG"[n % 7] * 4) for n in range(300)]
LATER = [(str(n + 300), *PEOPLE[n * 7 % 300][1:]) for n in range(200)]


class Shop(Folder):
    def contract(self, form: str = "csv", words: str = "", custom: str = "") -> None:
        self.write("xde.yaml", "name: shop\n")
        (self.root / "models").mkdir(exist_ok=True)
        self.write("sources/shop.yaml", HEAD.replace("FORMAT", form).replace("WORDS", words).replace("CUSTOM\n", custom))

    def deliver(self, name: str, header: str, rows: Sequence[Sequence[str]], form: str = "csv") -> None:
        path = self.root / "data" / name
        path.parent.mkdir(exist_ok=True)
        plain = path if form == "csv" else path.with_suffix(".plain")
        with plain.open("w", newline="") as out:
            csv.writer(out).writerows([header.split(","), *rows])
        if form != "csv":
            how = {"parquet": "FORMAT parquet", "ndjson": "FORMAT json"}[form]
            with duckdb.connect() as c:
                c.execute(f"COPY (FROM read_csv('{plain}', all_varchar = true)) TO '{path}' ({how})")
            plain.unlink()

    def run(self) -> Any:
        with Workspace.open(self.root) as workspace:
            return next(o for o in workspace.run().outcomes if o.step.dataset == "shop.people")

    def phones(self) -> set[str]:
        with Workspace.open(self.root) as workspace:
            return {r["phone"] for r in workspace.show("shop.people", limit=None).read_all().to_pylist()}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "p")


@pytest.mark.parametrize("form", ["csv", "parquet", "ndjson"])
def test_a_renamed_column_is_offered_by_its_values_and_taken_under_both_names(form: str, shop: Shop) -> None:
    shop.contract(form)
    shop.deliver("people-1.dat", "id,phone,joined,city", PEOPLE, form)
    shop.run()
    shop.deliver("people-2.dat", "id,handset,joined,city", LATER, form)
    (finding,) = shop.run().findings
    assert finding.code in {"XDE0411", "XDE0412"}
    assert "`handset` may be what was `phone`: 100 % of 200 sampled values are known in `phone`" in finding.why
    assert "`{property: xdeAlsoNamed, value: [handset]}` into `customProperties` of `phone`" in finding.hint
    assert "+41" not in str(finding)
    shop.contract(form, ", customProperties: [{property: xdeAlsoNamed, value: [handset]}]")
    assert shop.run().rows == 200  # and nothing is loaded again
    assert None not in shop.phones()


def test_two_names_of_one_column_in_one_file_are_refused(shop: Shop) -> None:
    shop.contract(words=", customProperties: [{property: xdeAlsoNamed, value: [handset]}]")
    shop.deliver("people-1.dat", "id,phone,joined,city,handset", [(*p, "1") for p in PEOPLE])
    assert [f.code for f in shop.run().findings] == ["XDE0416"]


def test_a_column_of_a_database_is_taken_under_both_names(shop: Shop) -> None:
    shop.contract(words=", customProperties: [{property: xdeAlsoNamed, value: [handset]}]")
    text = (shop.root / "sources/shop.yaml").read_text().replace("people-*", "people").replace("    properties:", CURSOR, 1)
    shop.write("sources/shop.yaml", text.replace(LOCAL, SQLITE).replace("{name: id,", "{name: id, primaryKey: true,"))
    shop.write("data/x", "")
    with closing(sqlite3.connect(shop.root / "data/shop.db")) as db, db:
        db.execute("CREATE TABLE people (id INTEGER, phone, joined, city)")
        db.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", PEOPLE)
    assert shop.run().rows == 300
    with closing(sqlite3.connect(shop.root / "data/shop.db")) as db, db:
        db.execute("ALTER TABLE people RENAME COLUMN phone TO handset")
        db.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", LATER)
    assert shop.run().rows == 200
    assert None not in shop.phones()


def test_what_is_only_left_out_and_what_is_only_new_is_offered_as_nothing(shop: Shop) -> None:
    shop.contract()
    shop.deliver("people-1.dat", "id,phone,joined,city", PEOPLE)
    shop.run()
    shop.deliver("people-2.dat", "id,remark,joined,city", [(p[0], f"nothing like it {n}", *p[2:]) for n, p in enumerate(LATER)])
    (finding,) = shop.run().findings
    assert finding.code == "XDE0411"
    assert "may be" not in finding.why + finding.hint


def test_where_the_policy_lets_it_pass_it_is_told(shop: Shop) -> None:
    policy = "    customProperties: [{property: xdeSchemaChange, value: {newColumn: discard, missingColumn: evolve}}]\n"
    shop.contract(custom=policy)
    shop.deliver("people-1.dat", "id,phone,joined,city", PEOPLE)
    shop.run()
    shop.deliver("people-2.dat", "id,handset,joined,city", LATER)
    outcome = shop.run()
    assert outcome.rows == 200
    assert [(f.code, f.severity) for f in outcome.findings] == [("XDE0345", "warning")]


def test_of_a_hashed_column_the_hashes_are_compared(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PII_KEY", "a key of sixteen bytes and more")
    words = ", customProperties: [{property: xdeInFlight, value: {hash: {key: '${env:PII_KEY}'}}}]"
    shop.contract(words=words)
    shop.deliver("people-1.dat", "id,phone,joined,city", PEOPLE)
    shop.run()
    shop.deliver("people-2.dat", "id,handset,joined,city", LATER)
    (finding,) = shop.run().findings
    assert "`handset` may be what was `phone`: 100 % of 200 sampled values are known in `phone`" in finding.why


def test_readers_and_owners_of_a_missing_column_are_named(shop: Shop) -> None:
    shop.contract()
    shop.write("models/marts/calls.sql", "SELECT phone AS number, city FROM shop.people\n")
    contract = HEAD.split("servers")[0] + "team: {members: [{username: anna, role: owner}]}\nschema: [{name: calls}]\n"
    shop.write("models/marts/calls.yaml", contract)
    shop.deliver("people-1.dat", "id,phone,joined,city", PEOPLE)
    shop.run()
    shop.deliver("people-2.dat", "id,joined,city", [(p[0], *p[2:]) for p in LATER])
    (finding,) = shop.run().findings
    assert "`phone` is read by `marts.calls` (`number`; anna)" in finding.why


FLIGHTS = Path(__file__).parents[3] / "examples/flights/data"


def month(number: int) -> list[list[str]]:
    with gzip.open(FLIGHTS / f"flights-2013-{number:02}.csv.gz", "rt") as text:
        return list(csv.reader(text))[:8001]


@pytest.mark.slow
def test_a_renamed_column_of_flights_is_known_again_in_the_next_month(shop: Shop) -> None:
    """One column renamed after the other: all that say anything are found, and none is taken for another."""
    (header, *first), (_, *second) = month(1), month(2)
    kinds = dict.fromkeys(("carrier", "tailnum", "origin", "dest"), "string")
    zoned = "timestamp, logicalTypeOptions: {timezone: true}"
    listed = "".join(f"      - {{name: {n}, logicalType: {zoned if n == 'time_hour' else kinds.get(n, 'integer')}}}\n" for n in header)
    custom = "    customProperties: [{property: xdeDialect, value: {nullWords: [NA]}}]\n    properties:\n"
    shop.contract()
    shop.write("sources/shop.yaml", HEAD.replace("FORMAT", "csv").replace("CUSTOM\n", "").split("    properties:")[0] + custom + listed)
    shop.deliver("people-1.dat", ",".join(header), first)
    assert shop.run().letters == 0
    found = {}
    for name in header:
        shop.deliver("people-2.dat", ",".join("zz" if n == name else n for n in header), second)
        (finding,) = shop.run().findings
        found[name] = re.findall(r"`zz` may be what was `(\w+)`", finding.why)
    assert {n for n, f in found.items() if f != [n]} <= {"month"}  # of January nothing is known of February
    assert all(f in ([n], []) for n, f in found.items())


SERVERS = {"sqlite": SQLITE, "duckdb": "{server: l, type: duckdb, database: data/shop.duckdb, schema: main}"}
FREEZE, LENIENT = "freeze", "evolve"


def of_database(shop: Shop, kind: str, *texts: str) -> None:
    shop.write("data/x", "")
    if kind == "sqlite":
        with closing(sqlite3.connect(shop.root / "data/shop.db")) as db, db:
            for text in texts:
                db.execute(text)
    else:
        with duckdb.connect(str(shop.root / "data/shop.duckdb")) as db:
            for text in texts:
                db.execute(text)


def values(rows: Sequence[Sequence[str]]) -> str:
    return ", ".join("(" + ", ".join(f"'{v}'" for v in r) + ")" for r in rows)


@pytest.mark.parametrize("missing", [FREEZE, LENIENT])
@pytest.mark.parametrize("kind", SERVERS)
def test_a_renamed_column_of_a_database_is_offered_by_a_few_of_its_values(kind: str, missing: str, shop: Shop) -> None:
    shop.contract()
    change = f"    customProperties: [{{property: xdeSchemaChange, value: {{missingColumn: {missing}}}}}]\n    properties:"
    text = (shop.root / "sources/shop.yaml").read_text().replace("people-*", "people").replace("    properties:", change, 1)
    shop.write("sources/shop.yaml", text.replace(LOCAL, SERVERS[kind]))
    of_database(
        shop,
        kind,
        "CREATE TABLE people (id INTEGER, phone VARCHAR, joined VARCHAR, city VARCHAR)",
        f"INSERT INTO people VALUES {values(PEOPLE)}",
    )
    assert shop.run().rows == 300
    of_database(shop, kind, "ALTER TABLE people RENAME COLUMN phone TO handset")
    outcome = shop.run()
    (finding,) = [f for f in outcome.findings if "handset" in f.why]
    assert (outcome.status, finding.code) == (("failed", "XDE0482") if missing == FREEZE else ("done", "XDE0345"))
    assert "`handset` may be what was `phone`: 100 % of 300 sampled values are known in `phone`" in finding.why
    assert "`{property: xdeAlsoNamed, value: [handset]}` into `customProperties` of `phone`" in finding.hint
    assert "+41" not in str(finding)
    scratch = shop.root / ".xde/tmp"
    assert list(scratch.rglob("*.csv")) == []


def test_a_column_of_a_database_that_is_only_gone_is_offered_as_nothing(shop: Shop) -> None:
    shop.contract()
    text = (shop.root / "sources/shop.yaml").read_text().replace("people-*", "people")
    shop.write("sources/shop.yaml", text.replace(LOCAL, SQLITE))
    of_database(
        shop,
        "sqlite",
        "CREATE TABLE people (id, phone, joined, city, remark)",
        f"INSERT INTO people SELECT *, 'nothing' FROM (VALUES {values(PEOPLE)})",
    )
    shop.run()
    of_database(shop, "sqlite", "ALTER TABLE people DROP COLUMN phone")
    (finding,) = shop.run().findings
    assert finding.code == "XDE0482"
    assert "may be" not in finding.why


@pytest.mark.parametrize("policy", [FREEZE, LENIENT])
def test_a_renamed_column_of_a_workbook_is_offered_by_its_values(policy: str, shop: Shop) -> None:
    from openpyxl import Workbook

    def deliver(name: str, header: str, rows: Sequence[Sequence[str]]) -> None:
        book = Workbook()
        for row in (header.split(","), *rows):
            book.active.append(row)
        path = shop.root / "data" / name
        path.parent.mkdir(exist_ok=True)
        book.save(path)

    change = f"    customProperties: [{{property: xdeSchemaChange, value: {{newColumn: discard, missingColumn: {policy}}}}}]\n"
    shop.contract("excel", custom=change)
    deliver("people-1.xlsx", "id,phone,joined,city", PEOPLE)
    assert shop.run().rows == 300
    deliver("people-2.xlsx", "id,handset,joined,city", LATER)
    outcome = shop.run()
    (finding,) = outcome.findings
    assert (outcome.status, finding.code) == (("failed", "XDE0411") if policy == FREEZE else ("done", "XDE0345"))
    assert "`handset` may be what was `phone`: 100 % of 200 sampled values are known in `phone`" in finding.why
