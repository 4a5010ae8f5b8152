"""What in-flight steps keep of values, and the words, rules and commands that are refused beside them."""

from __future__ import annotations

import json
import tempfile
from datetime import date, datetime
from pathlib import Path

import pytest

from projects.folder import Folder
from projects.people import BAD, GOOD, clear_values, hashed, letters, of_form, rows, run, written
from xde.app.workspace import Workspace
from xde.ground.errors import UserError


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
