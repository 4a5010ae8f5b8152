"""Records that are pushed to a source with in-flight steps: treated before anything of them is written, searched for wherever we write."""

from __future__ import annotations

import csv
import io
import json
import tempfile
import threading
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest
from projects.folder import Folder
from projects.people import BAD, GOOD, KEY, NAMES, clear_values, contract, hashed, letters, records, rows, run, written

from xde.app.testing import TestBench
from xde.app.receiving import close_doors, open_doors, settle
from xde.app.workspace import Workspace
from xde.ground.errors import UserError

PUSH = "  - {server: door, type: custom, customProperties: [{property: xdePush, value: {mode: MODE}}]}"


@pytest.fixture
def place(place: Folder) -> Folder:
    place.write("xde.yaml", "name: p\n")
    (place.root / "models").mkdir(exist_ok=True)
    return place


def made(folder: Folder, mode: str = "accept-all", custom: str = "", change: tuple[str, str] = ("", "")) -> None:
    folder.write("sources/crm.yaml", contract(PUSH.replace("MODE", mode), custom=custom).replace(*change))


def push(folder: Folder, *bodies: bytes, form: str = "ndjson", key: str = "") -> list[tuple[int, dict]]:
    """The answers, each once its entry is on the disk; the body that is given twice is asked about before."""
    answers = []
    with Workspace.open(folder.root) as workspace:
        doors = open_doors(workspace.house, workspace.known)
        try:
            for body in bodies:
                answer = _pushed(doors["crm.people"], body, form, key)
                answers.append((answer.status, json.loads(answer.body)))
        finally:
            close_doors(doors)
    return answers


def _pushed(door, body: bytes, form: str, key: str):
    kept, digest = door.known_as(key), door.digest(body, form)
    if kept and (before := door.before(kept, digest)) is not None:
        return before
    taken = door.read(body, form, kept, digest)
    if taken.entry is not None:
        over, wrong = threading.Event(), []
        settle(door, taken.entry, lambda error: (wrong.append(error), over.set()))
        assert over.wait(30)
        assert wrong == [None]
    return taken.answer


def lines(of: list) -> bytes:
    return "".join(json.dumps(r) + "\n" for r in records(of)).encode()


def nowhere(folder: Folder) -> bool:
    assert clear_values(written(folder.root, Path(tempfile.gettempdir()))) == []
    return True


def as_arrow(of: list) -> bytes:
    out = io.BytesIO()
    table = pa.Table.from_pylist(records(of))
    with pa.ipc.new_stream(out, table.schema) as stream:
        stream.write_table(table)
    return out.getvalue()


def as_csv(of: list) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([NAMES, *of])
    return out.getvalue().encode()


FORMS = {"ndjson": lines, "json": lambda of: json.dumps(records(of)).encode(), "csv": as_csv, "arrow": as_arrow}


@pytest.mark.parametrize("form", ["ndjson", *(pytest.param(f, marks=pytest.mark.slow) for f in FORMS if f != "ndjson")])
def test_what_is_pushed_is_treated_before_it_is_written(form: str, place: Folder) -> None:
    made(place)
    ((status, told),) = push(place, FORMS[form]([*GOOD, *BAD]), form=form)
    assert (status, told["accepted"], told["letters"]) == (200, len(GOOD) + len(BAD), 6)
    assert clear_values({"answer": json.dumps(told)}) == []
    assert nowhere(place)  # before the landing
    outcome = run(place)[0]
    assert (outcome.rows, outcome.letters) == (39, 7)
    found = rows(place)
    assert found[0] == {"id": 1, "email": hashed(GOOD[0][1]), "phone": "***01", "born": found[0]["born"], "pay": 182000, "city": "Bern"}
    assert found[0]["born"].isoformat() == "1911-01-01"
    its = {(x.letter.reasons[0].rule, x.letter.reasons[0].column) for x in letters(place)}
    assert its >= {("type", "born"), ("crm.people.email.pattern", "email"), ("crm.people.ssn.minLength", "ssn")}
    shown = [json.loads(x.letter.raw) for x in letters(place)]
    assert ("***", "1001") in {(r["email"], r["id"]) for r in shown}
    assert clear_values({"letters": str([(x.letter.reasons, x.letter.raw) for x in letters(place)])}) == []
    assert nowhere(place)


def test_what_breaks_a_rule_is_refused_and_its_sender_told_which(place: Folder) -> None:
    made(place, "refuse")
    ((status, told),) = push(place, lines([*GOOD[:2], *BAD[:6], ("9", *GOOD[8][1:6], "Bern")]))
    assert (status, told["accepted"], told["refused"]) == (207, 3, 6)
    by_record = {r["record"]: (r["code"], r.get("column")) for r in told["records"]}
    assert by_record[4] == ("XDE0541", "email")
    assert by_record[5] == ("XDE0541", "ssn")
    assert run(place)[0].rows == 3
    assert nowhere(place)


def test_members_that_nobody_knows_are_neither_written_nor_named(place: Folder) -> None:
    made(place)
    odd = {**records(GOOD[:1])[0], "planted-member@clear.example": "planted", "e_mail": "planted@clear.example"}
    ((status, told),) = push(place, json.dumps(odd).encode())
    assert (status, told["letters"], told["records"][0]["code"]) == (200, 1, "XDE0472")
    made(place, custom="    customProperties:\n      - {property: xdeSchemaChange, value: {newColumn: discard}}\n")
    ((status, told),) = push(place, json.dumps({**odd, "id": 2}).encode())
    assert (status, told["accepted"]) == (200, 1)
    assert "letters" not in told
    run(place)
    assert [r["id"] for r in rows(place)] == [2]
    assert nowhere(place)


@pytest.mark.slow
def test_a_repetition_is_known_by_a_key_that_is_written_nowhere(place: Folder) -> None:
    made(place)
    first = push(place, lines(GOOD[:3]), key="planted-key@clear.example")
    again = push(place, lines(GOOD[:3]), lines(GOOD[3:4]), key="planted-key@clear.example")
    assert again[0] == first[0]
    assert again[1][0] == 422
    assert again[1][1]["error"]["code"] == "XDE0477"
    assert run(place)[0].rows == 3
    assert nowhere(place)


@pytest.mark.slow
def test_a_merge_by_a_hashed_key_finds_its_row(place: Folder) -> None:
    change = ("- name: email", "- name: email\n        primaryKey: true")
    made(place, "refuse", "    customProperties:\n      - {property: xdeWriteMode, value: merge}\n", change)
    text = (place.root / "sources/crm.yaml").read_text().replace("primaryKey: true, required", "required")
    place.write("sources/crm.yaml", text)
    push(place, lines(GOOD[:2]))
    run(place)
    push(place, lines([(*GOOD[1][:6], "Chur")]))
    run(place)
    assert [(r["id"], r["email"], r["city"]) for r in rows(place)] == [(1, hashed(GOOD[0][1]), "Bern"), (2, hashed(GOOD[1][1]), "Chur")]
    assert nowhere(place)


def test_other_steps_and_another_key_are_refused(place: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    made(place)
    push(place, lines(GOOD[:2]))
    run(place)
    monkeypatch.setenv("PII_KEY", "another key of sixteen bytes")
    with pytest.raises(UserError) as error:
        push(place, lines(GOOD[2:3]))
    assert {f.code for f in error.value.findings} == {"XDE0540"}
    monkeypatch.setenv("PII_KEY", KEY)
    made(place, change=("keepLast: 2", "keepLast: 3"))
    with pytest.raises(UserError) as error:
        push(place, lines(GOOD[2:3]))
    assert {f.code for f in error.value.findings} == {"XDE0540"}
    with pytest.raises(UserError) as error:
        run(place)
    assert {f.code for f in error.value.findings} == {"XDE0540"}
    text = (place.root / "sources/crm.yaml").read_text()
    place.write(
        "sources/crm.yaml", "\n".join(x for x in text.splitlines() if "xdeInFlight" not in x and "customProperties:" not in x[4:30]) + "\n"
    )
    with pytest.raises(UserError) as error:
        push(place, lines(GOOD[2:3]))
    assert {f.code for f in error.value.findings} == {"XDE0540"}


@pytest.mark.slow
def test_a_column_with_a_step_may_come_later(place: Folder) -> None:
    made(place)
    push(place, lines(GOOD[:2]))
    run(place)
    text = (place.root / "sources/crm.yaml").read_text().rstrip("\n")
    step = "customProperties: [{property: xdeInFlight, value: {mask: {keepLast: 1}}}]"
    place.write("sources/crm.yaml", f"{text}\n      - {{name: nick, logicalType: string, {step}}}\n")
    push(place, json.dumps({**records(GOOD[2:3])[0], "nick": "planted"}).encode())
    run(place)
    assert [(r["id"], r["nick"]) for r in rows(place)] == [(1, None), (2, None), (3, "***d")]
    assert nowhere(place)


def test_a_step_that_comes_later_does_not_pass_off_clear_values_as_treated(place: Folder) -> None:
    steps = (' {hash: {key: "${env:PII_KEY}", fold: true}}}', "XX")
    made(place)
    treated = (place.root / "sources/crm.yaml").read_text()
    assert steps[0] in treated
    clear = "\n".join(x for x in treated.splitlines() if "xdeInFlight" not in x and "customProperties:" not in x[4:30])
    place.write("sources/crm.yaml", clear + "\n")
    push(place, lines(GOOD[:2]))
    run(place)
    place.write("sources/crm.yaml", treated)
    with pytest.raises(UserError) as error:
        push(place, lines(GOOD[2:3]))
    assert {f.code for f in error.value.findings} == {"XDE0540"}
    with pytest.raises(UserError) as error:
        run(place)
    assert {f.code for f in error.value.findings} == {"XDE0540"}


def test_letters_of_what_was_pushed_are_replayed_without_a_clear_value(place: Folder) -> None:
    more = (
        "{name: city, logicalType: string, logicalTypeOptions: {maxLength: 12}}",
        "{name: city, logicalType: string, relationships: [{type: foreignKey, to: towns.name, xde: 1}]}",
    )
    made(place)
    text = (place.root / "sources/crm.yaml").read_text()
    assert more[0] in text
    towns = """\
  - name: towns
    physicalName: towns*.csv
    customProperties: [{property: xdeServer, value: local}, {property: xdeWriteMode, value: replace}]
    properties: [{name: name, logicalType: string, primaryKey: true}]
"""
    link = more[1].replace(", xde: 1", ", customProperties: [{property: xdeOnFailure, value: quarantine}]")
    server = "  - {server: local, type: local, path: towns, format: csv}\nschema:\n"
    place.write("sources/crm.yaml", text.replace(more[0], link).replace("schema:\n", server, 1) + towns)
    place.write("towns/towns.csv", "name\nBern\n")
    push(place, lines([*GOOD[:2], (*GOOD[2][:6], "Chur"), (*BAD[1][:6], "Chur")]))
    assert {o.step.dataset: (o.rows, o.letters) for o in run(place)} == {"crm.towns": (1, 0), "crm.people": (2, 2)}
    place.write("towns/towns.csv", "name\nBern\nChur\n")
    run(place, selection=["crm.towns"])
    with Workspace.open(place.root) as workspace:
        ids = [x.letter.id for x in workspace.letters(status="open")]
        with pytest.raises(UserError) as error:
            workspace.replay(ids[:1], corrected={ids[0]: b"{}"})
        assert {f.code for f in error.value.findings} == {"XDE0545"}
        (outcome,) = workspace.replay(ids)
    assert outcome.accepted == 1
    assert {r["email"] for r in rows(place)} == {hashed(GOOD[n][1]) for n in (0, 1, 2)}
    assert [x.letter.reasons[0].column for x in letters(place)] == ["email"]
    assert nowhere(place)


def test_a_case_delivers_records_as_they_come(place: Folder) -> None:
    made(place)
    good, bad = (json.dumps(r) for r in records([GOOD[0], BAD[1]]))
    case = f"source: crm.people\ncases:\n  - name: one of two\n    raw: |\n      {good}\n      {bad}\n    expect:\n"
    place.write(
        "tests/people.yaml", case + "      rows: [{id: 1, phone: '***01', pay: 182000}]\n      letters: [{line: 2, column: email}]\n"
    )
    with closing(TestBench.open(place.root)) as bench:
        assert not bench.findings
        assert [(r.passed, r.verdict.findings) for r in bench.run(bench.cases)] == [(True, ())]
