"""Clear values are nowhere but where they came from: every way of loading, with records that fail, searched through afterwards."""

from __future__ import annotations

import gzip
import json
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from projects.folder import Folder
from projects.apis import Reply, serving
from projects.people import BAD, FORMS, GOOD, clear_values, hashed, letters, of_api, of_duckdb, of_form, of_sqlite, rows, run, written
from xde.app.api_recording import record
from xde.app.workspace import Workspace
from xde.ground.errors import UserError

if TYPE_CHECKING:
    pass


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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
