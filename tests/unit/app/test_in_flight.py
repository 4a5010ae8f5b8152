"""Clear values are nowhere but where they came from: every way of loading, with records that fail, searched through afterwards."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
import tempfile
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from projects.folder import Folder
from projects.apis import Reply, serving
from projects.people import BAD, FORMS, GOOD, KEY, clear_values, of_api, of_duckdb, of_form, of_sqlite, written
from xde.app.api_recording import record
from xde.app.workspace import Workspace
from xde.ground.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.setenv("PII_KEY", KEY)
    return Folder(tmp_path / "p")


def run(folder: Folder, **how: Any) -> list[Any]:
    with Workspace.open(folder.root) as workspace:
        return list(workspace.run(**how).outcomes)


def rows(folder: Folder) -> list[dict[str, Any]]:
    with Workspace.open(folder.root) as workspace:
        return sorted(workspace.show("crm.people", limit=None).read_all().to_pylist(), key=lambda r: r["id"])


def letters(folder: Folder) -> Sequence[Any]:
    with Workspace.open(folder.root) as workspace:
        return workspace.letters(status="open")


def hashed(value: str) -> str:
    return hmac.new(KEY.encode(), value.lower().strip().encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize("form", [*FORMS, "sqlite"])
def test_no_clear_value_is_written_anywhere(form: str, place: Folder) -> None:
    of_sqlite(place, [*GOOD, *BAD]) if form == "sqlite" else of_form(place, form, [*GOOD, *BAD])
    outcomes = run(place)
    assert [f.message for o in outcomes for f in o.findings if f.severity == "error"] == []
    found = rows(place)
    assert found[0] == {"id": 1, "email": hashed(GOOD[0][1]), "phone": "***01", "born": found[0]["born"], "pay": 182000, "city": "Bern"}
    assert found[0]["born"].isoformat() == "1911-01-01"
    assert outcomes[0].letters >= len(BAD)
    told = [json.loads(x.letter.raw) for x in letters(place) if x.letter.raw]
    assert {r["email"] for r in told} == {"***"}
    assert "1001" in {r["id"] for r in told}
    assert clear_values(written(place.root, Path(tempfile.gettempdir()))) == []
    assert clear_values({"letters": str([(x.letter.reasons, x.letter.raw) for x in letters(place)])}) == []


def test_of_a_large_file_the_rows_go_straight_to_the_lake_and_are_treated_too(place: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    from xde.connectors.duckdb.ingestion import loader, sieving

    sieved: list[object] = []

    def sieve(*given: Any) -> object:
        sieved.append(sieving.sieve(*given))
        return sieved[-1]

    of_form(place, "csv", [*GOOD, *BAD[:6]])
    text = (place.root / "sources/crm.yaml").read_text()
    place.write("sources/crm.yaml", text.replace("primaryKey: true, ", ""))  # a key is looked at in a stage
    place.write("data/people-1.dat", b"\n".join((place.root / "data/people-1.dat").read_bytes().split(b"\n")[:-2]) + b"\n")
    monkeypatch.setattr(loader, "sieve", sieve)
    monkeypatch.setattr(loader, "may_be_sieved", lambda *_: True)
    assert run(place)[0].letters == 6
    assert sieved[0] is not None
    assert rows(place)[0]["email"] == hashed(GOOD[0][1])
    assert len(rows(place)) == len(GOOD)
    assert clear_values(written(place.root, Path(tempfile.gettempdir()))) == []


QUICK = ("csv", "ndjson", "parquet")


@pytest.mark.parametrize("form", [pytest.param(f, marks=() if f in QUICK else pytest.mark.slow) for f in FORMS])
def test_a_letter_is_read_again_from_its_file(form: str, place: Folder) -> None:
    of_form(place, form, [*GOOD[:3], *BAD[:3]])
    run(place)
    before = len(letters(place))
    text = (place.root / "sources/crm.yaml").read_text()
    place.write("sources/crm.yaml", text.replace("minLength: 11", "minLength: 5"))
    with Workspace.open(place.root) as workspace:
        (outcome,) = workspace.replay([])
    assert outcome.accepted == 1
    assert len(letters(place)) == before - 1
    assert {r["email"] for r in rows(place)} >= {hashed("planted-1003@clear.example")}
    assert clear_values(written(place.root, Path(tempfile.gettempdir()))) == []


def test_a_letter_whose_file_is_gone_or_changed_is_not_read_again(place: Folder) -> None:
    of_form(place, "csv", [*GOOD[:3], *BAD[:3]])
    run(place)
    data = place.root / "data/people-1.dat"
    data.write_bytes(data.read_bytes().replace(b"Bern", b"Chur"))
    with Workspace.open(place.root) as workspace, pytest.raises(UserError) as error:
        workspace.replay([])
    assert error.value.findings[0].code == "XDE0343"
    wanted = next(x.letter.id for x in letters(place) if x.letter.line == 5)
    with Workspace.open(place.root) as workspace:
        (outcome,) = workspace.replay([wanted], corrected={wanted: b"61,planted-61@clear.example,,1977-03-09,,1,Bern"})
    assert outcome.accepted == 1
    assert hashed("planted-61@clear.example") in {r["email"] for r in rows(place)}
    assert clear_values(written(place.root, Path(tempfile.gettempdir()))) == []


def test_another_key_is_refused_until_all_is_hashed_anew(place: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    of_form(place, "csv", GOOD[:3])
    run(place)
    place.write("data/people-2.dat", FORMS["csv"](GOOD[3:5]))
    monkeypatch.setenv("PII_KEY", "another key of sixteen bytes")
    (outcome,) = run(place)
    assert [f.code for f in outcome.findings] == ["XDE0337"]
    assert len(rows(place)) == 3
    (outcome,) = run(place, full=True)
    assert outcome.rows == 5
    assert hashed(GOOD[0][1]) not in {r["email"] for r in rows(place)}
    with Workspace.open(place.root) as workspace:
        state = next(s for s in workspace.house.ledger.states().values())
        assert "another" not in str(state)
    monkeypatch.setenv("PII_KEY", "short")
    assert [f.code for f in run(place, full=True)[0].findings] == ["XDE0336"]


def test_a_file_without_a_header_is_refused_without_its_first_record(place: Folder) -> None:
    of_form(place, "csv", GOOD[:3])
    place.write("data/people-1.dat", b"\n".join(FORMS["csv"](GOOD[:3]).split(b"\n")[1:]))
    (outcome,) = run(place)
    assert [f.code for f in outcome.findings] == ["XDE0338"]
    assert clear_values({"told": str(outcome.findings)}) == []
    assert clear_values(written(place.root, Path(tempfile.gettempdir()))) == []


def test_the_engine_s_words_about_a_value_are_not_told(place: Folder) -> None:
    of_form(place, "csv", GOOD[:3])
    text = (place.root / "sources/crm.yaml").read_text()
    rule = """\
    quality:
      - id: odd
        type: sql
        query: "SELECT count(*) FROM {object} WHERE CAST(email AS INTEGER) <= 0"
        mustBe: 0
        customProperties: [{property: xdeRowPredicate, value: "CAST(email AS INTEGER) > 0"}]
"""
    place.write("sources/crm.yaml", text.rstrip("\n") + "\n" + rule)
    (outcome,) = run(place)
    assert [f.code for f in outcome.findings] == ["XDE0339"]
    assert clear_values({"told": str(outcome.findings)}) == []
    assert clear_values(written(place.root, Path(tempfile.gettempdir()))) == []


REFUSED = [
    ("{hash: {fold: true}}", "XDE0331"),
    ("{hash: {key: in-the-open-for-all}}", "XDE0331"),
    ("{hash: {key: '${env:PII_KEY}'}, drop: true}", "XDE0330"),
    ("{drop: false}", "XDE0330"),
    ("{mask: {keepLast: 2, round: 3}}", "XDE0330"),
    ("{mask: {truncate: year}}", "XDE0330"),
    ("{mask: {round: 10}}", "XDE0330"),
    ("{hush: true}", "XDE0318"),
]


@pytest.mark.parametrize(("step", "code"), REFUSED)
def test_a_step_that_is_none_is_refused(step: str, code: str, place: Folder) -> None:
    of_form(place, "csv", GOOD[:1])
    text = (place.root / "sources/crm.yaml").read_text()
    place.write("sources/crm.yaml", text.replace('{hash: {key: "${env:PII_KEY}", fold: true}}', step))
    with pytest.raises(UserError) as error:
        run(place)
    assert code in {f.code for f in error.value.findings} or (code == "XDE0318" and {f.code for f in error.value.findings} & {"XDE0317"})


def test_rules_that_would_see_something_else_are_refused(place: Folder) -> None:
    def told(text: str) -> set[str]:
        place.write("sources/crm.yaml", text)
        with pytest.raises(UserError) as error:
            run(place)
        return {f.code for f in error.value.findings}

    of_form(place, "csv", GOOD[:1])
    text = (place.root / "sources/crm.yaml").read_text()
    phone = "      - name: phone\n        logicalType: string\n"
    assert told(text.replace(phone, phone + "        unique: true\n")) == {"XDE0340"}
    rule = "        quality:\n          - {id: r, metric: missingValues, arguments: {missingValues: ['x']}, mustBe: 0, severity: warning}\n"
    assert told(text.replace(phone, phone + rule)) == {"XDE0341"}
    evolve = "    customProperties:\n      - {property: xdeSchemaChange, value: {newColumn: evolve}}\n    properties:\n"
    assert told(text.replace("    properties:\n", evolve, 1)) == {"XDE0334"}
    other = "        relationships: [{type: foreignKey, to: people.city}]\n"
    assert told(text.replace(phone, phone + other)) == {"XDE0340"}
    nested = "      - {name: more, logicalType: object, properties: [{name: x, logicalType: string, customProperties: [{property: xdeInFlight, value: {drop: true}}]}]}\n"
    assert told(text.rstrip("\n") + "\n" + nested) == {"XDE0332"}
    push = "  - {server: in, type: custom, customProperties: [{property: xdePush, value: {}}]}"
    assert told(text.replace("  - {server: local, type: local, path: data, format: csv}", push)) == {"XDE0333"}


def test_a_model_s_contract_cannot_treat(place: Folder) -> None:
    of_form(place, "csv", GOOD[:1])
    place.write("models/marts/cities.sql", "SELECT city FROM crm.people\n")
    head = (place.root / "sources/crm.yaml").read_text().split("servers:")[0]
    step = "{name: city, logicalType: string, customProperties: [{property: xdeInFlight, value: {drop: true}}]}"
    place.write("models/marts/cities.yaml", head + f"schema:\n  - name: cities\n    properties:\n      - {step}\n")
    with pytest.raises(UserError) as error:
        run(place)
    assert {f.code for f in error.value.findings} == {"XDE0332"}


def test_files_of_such_a_source_are_neither_profiled_nor_drafted(place: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    from xde.app.comparing import Comparisons
    from xde.app.contract_drafts import draft
    from xde.app.profiling import Wish, profile
    from xde.app.references import Reference
    from xde.lifecycle.serving.comparing import Asked

    of_form(place, "csv", GOOD[:3])
    (place.root / "data/people-1.csv").write_bytes((place.root / "data/people-1.dat").read_bytes())
    text = (place.root / "sources/crm.yaml").read_text()
    place.write("sources/crm.yaml", text.replace("people-*.dat", "people-*.csv"))
    path = str(place.root / "data/people-1.csv")
    with pytest.raises(UserError) as error:
        draft(lambda: place.root, [path], None, force=False)
    assert error.value.findings[0].code == "XDE0342"
    with pytest.raises(UserError) as error:
        profile(lambda: place.root, None, Wish((path,), everything=False, sample=1000))
    assert error.value.findings[0].code == "XDE0342"
    run(place)
    with Comparisons(lambda: place.root, None) as comparing, pytest.raises(UserError) as error:
        comparing.compare(Reference(file=path), Reference(dataset="crm.people"), Asked())
    assert error.value.findings[0].code == "XDE0342"


def test_of_an_api_neither_records_nor_shared_answers_nor_cassettes_show_a_value(place: Folder) -> None:
    with serving() as api:
        of_api(place, api, [*GOOD[:20], *BAD])
        outcomes = run(place)
        assert [f.message for o in outcomes for f in o.findings if f.severity == "error"] == []
        assert rows(place)[0]["email"] == hashed(GOOD[0][1])
        assert sum(o.letters for o in outcomes) >= len(BAD)
        of_api(place, api, [*GOOD[:20], *BAD[:3]], day="2026-01-03")
        with Workspace.open(place.root) as workspace:
            assert [c.records for c in record(workspace.house, workspace.known, ["crm"], None)] == [23]
        assert clear_values(written(place.root, Path(tempfile.gettempdir()))) == []
        with Workspace.open(place.root) as workspace, pytest.raises(UserError) as error:
            workspace.replay([], dataset="crm.people")
        assert error.value.findings[0].code == "XDE0343"
        api.answers["/v2/people"] = lambda _: Reply('{"data": {"items": [{"id": 5, "email": "planted-5@clear.example"')
        told = str([o.findings for o in run(place, full=True)])
        assert "XDE0447" in told
        assert clear_values({"told": told}) == []


def test_a_database_of_duckdb_and_its_refusal(place: Folder) -> None:
    of_duckdb(place, [*GOOD, *BAD])
    outcomes = run(place)
    assert [f.message for o in outcomes for f in o.findings if f.severity == "error"] == []
    assert rows(place)[0]["email"] == hashed(GOOD[0][1])
    assert clear_values(written(place.root, Path(tempfile.gettempdir()))) == []
    of_duckdb(place, GOOD, "SELECT *, CAST(email AS INTEGER) AS n FROM people WHERE n > 0")
    told = str([o.findings for o in run(place, full=True)])
    assert "XDE0482" in told
    assert clear_values({"told": told}) == []


def test_the_engine_of_such_a_load_puts_nothing_on_a_disk(place: Folder) -> None:
    of_form(place, "csv", GOOD[:1])
    with Workspace.open(place.root) as workspace, closing(workspace.house.session.apart()) as alone:
        assert alone.execute("SELECT current_setting('temp_directory')").fetchall() == [("",)]


SHOP = """\
apiVersion: v3.1.0
kind: DataContract
id: shop
version: 1.0.0
status: active
servers: [{server: l, type: local, path: data, format: csv}]
schema:
  - name: customers
    physicalName: customers-*.csv
    customProperties: [{property: xdeWriteMode, value: merge}]
    properties:
      - name: email
        logicalType: string
        primaryKey: true
        customProperties: [{property: xdeInFlight, value: {hash: {key: "${env:PII_KEY}", fold: true}}}]
      - {name: city, logicalType: string}
  - name: orders
    physicalName: orders-*.csv
    properties:
      - {name: id, logicalType: integer}
      - name: email
        logicalType: string
        customProperties: [{property: xdeInFlight, value: {hash: {key: "${env:PII_KEY}", fold: true}}}]
        relationships: [{type: foreignKey, to: customers.email, customProperties: [{property: xdeOnFailure, value: quarantine}]}]
"""


def test_rows_are_merged_and_looked_up_by_their_hashes(place: Folder) -> None:
    place.write("xde.yaml", "name: shop\n")
    place.write("models/marts/cities.sql", "SELECT o.id, c.city FROM shop.orders AS o JOIN shop.customers AS c USING (email)\n")
    place.write("sources/shop.yaml", SHOP)
    place.write("data/customers-1.csv", "email,city\nplanted-1@clear.example,Bern\nplanted-2@clear.example,Thun\n")
    place.write("data/customers-2.csv", "email,city\nPlanted-1@clear.example ,Chur\n")
    place.write("data/orders-1.csv", "id,email\n1,planted-1@clear.example\n2,PLANTED-2@clear.example\n3,planted-3@clear.example\n")
    outcomes = {o.step.dataset: o for o in run(place)}
    assert outcomes["shop.orders"].letters == 1
    with Workspace.open(place.root) as workspace:
        found = workspace.show("marts.cities", limit=None).read_all().to_pylist()
        assert sorted((r["id"], r["city"]) for r in found) == [(1, "Chur"), (2, "Thun")]
    assert [json.loads(x.letter.raw) for x in letters(place)] == [{"id": "3", "email": "***"}]
    assert clear_values(written(place.root, Path(tempfile.gettempdir()))) == []


MASKS = [
    (
        "string",
        "{mask: {keepLast: 3}}",
        ["abcdef", "abcde", "", "\u00e4\u00f6\u00fc\u00e4\u00f6\u00fc"],
        ["***def", "***", None, "***\u00e4\u00f6\u00fc"],
    ),
    ("string", "{mask: {keepDomain: true}}", ["a@B.org", "a@b@c", "none", ""], ["***@b.org", "***", "***", None]),
    ("integer", "{mask: {keepLast: 2}}", ["1234", "123"], ["***34", "***"]),
    ("integer", "{mask: {text: hidden}}", ["1", ""], ["hidden", None]),
    ("string", "{mask: {empty: true}}", ["1", "x"], [None, None]),
    ("integer", "{mask: {round: 50}}", ["1274", "1275", "-20", ""], [1250, 1300, 0, None]),
    ("number", "{mask: {round: 0.5}}", ["1.2", "1.3"], [1.0, 1.5]),
    ("date", "{mask: {truncate: month}}", ["2024-05-17", ""], [date(2024, 5, 1), None]),
    ("timestamp", "{mask: {truncate: year}}", ["2024-05-17 08:09:10"], [datetime(2024, 1, 1)]),  # noqa: DTZ001 - of no zone
    ("timestamp", "{cast: DATE}", ["2024-05-17 08:09:10"], [date(2024, 5, 17)]),
]


@pytest.mark.parametrize(("kind", "step", "given", "kept"), MASKS)
def test_what_is_kept(kind: str, step: str, given: list[str], kept: list[object], place: Folder) -> None:
    place.write("xde.yaml", "name: crm\n")
    (place.root / "models").mkdir()
    head = SHOP.split("schema:")[0]
    word = f"customProperties: [{{property: xdeInFlight, value: {step}}}]"
    columns = f"      - {{name: id, logicalType: integer}}\n      - {{name: v, logicalType: {kind}, {word}}}\n"
    place.write("sources/crm.yaml", f"{head}schema:\n  - name: people\n    physicalName: '*.csv'\n    properties:\n{columns}")
    place.write("data/a.csv", "id,v\n" + "".join(f"{n},{v}\n" for n, v in enumerate(given)))
    (outcome,) = run(place)
    assert (outcome.rows, outcome.letters) == (len(given), 0)
    assert [r["v"] for r in rows(place)] == kept


def test_a_value_that_cannot_be_cast_makes_a_letter(place: Folder) -> None:
    place.write("xde.yaml", "name: crm\n")
    (place.root / "models").mkdir()
    word = "customProperties: [{property: xdeInFlight, value: {cast: INTEGER}}]"
    columns = f"      - {{name: id, logicalType: integer}}\n      - {{name: v, logicalType: string, {word}}}\n"
    place.write(
        "sources/crm.yaml", SHOP.split("schema:")[0] + f"schema:\n  - name: people\n    physicalName: '*.csv'\n    properties:\n{columns}"
    )
    place.write("data/a.csv", "id,v\n1,17\n2,planted-2@clear.example\n")
    (outcome,) = run(place)
    assert (outcome.rows, outcome.letters) == (1, 1)
    assert [x.letter.reasons[0].rule for x in letters(place)] == ["cast"]
    assert clear_values({"told": str(letters(place))}) == []


def test_objects_of_a_store_are_fetched_into_memory(place: Folder) -> None:
    moto_server = pytest.importorskip("moto.server", reason="moto is not installed")
    import boto3

    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        url = "http://{}:{}".format(*server.get_host_and_port())
        store = boto3.client("s3", endpoint_url=url, region_name="eu-west-1", aws_access_key_id="key", aws_secret_access_key="secret")
        store.create_bucket(Bucket="people", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        store.put_object(Bucket="people", Key="in/people-1.csv.gz", Body=gzip.compress(FORMS["csv"]([*GOOD, *BAD])))
        of_form(place, "csv", GOOD[:1])
        words = "[{property: xdeRegion, value: eu-west-1}, {property: xdeAccessKey, value: key}, {property: xdeSecretKey, value: '${env:PII_KEY}'}]"
        told = f"  - {{server: l, type: s3, location: 's3://people/in', endpointUrl: '{url}', format: csv, customProperties: {words}}}"
        text = (place.root / "sources/crm.yaml").read_text()
        text = text.replace("  - {server: local, type: local, path: data, format: csv}", told).replace("people-*.dat", "people-*.csv.gz")
        place.write("sources/crm.yaml", text)
        (outcome,) = run(place)
        assert (outcome.rows, outcome.letters) == (len(GOOD), len(BAD) + 1)
        place.write("sources/crm.yaml", text.replace("minLength: 11", "minLength: 5"))
        with Workspace.open(place.root) as workspace:
            assert workspace.replay([])[0].accepted == 1
        assert clear_values(written(place.root, Path(tempfile.gettempdir()))) == []
    finally:
        server.stop()


def test_one_column_of_a_file_may_become_two(place: Folder) -> None:
    of_form(place, "csv", [*GOOD[:3], *BAD[:3]])
    text = (place.root / "sources/crm.yaml").read_text()
    domain = "      - {name: domain, physicalName: email, logicalType: string, customProperties: [{property: xdeInFlight, value: {mask: {keepDomain: true}}}]}\n"
    town = "      - {name: town, physicalName: city, logicalType: string}\n"
    place.write("sources/crm.yaml", text + domain + town)
    run(place)
    assert {(r["email"], r["domain"], r["town"]) for r in rows(place)} == {(hashed(g[1]), "***@clear.example", "Bern") for g in GOOD[:3]}
    told = clear_values(written(place.root, Path(tempfile.gettempdir())))
    assert {clear for _, clear in told} == {"clear.example"}  # which is what the mask keeps
