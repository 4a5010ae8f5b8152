"""Records taken in and landed, without a server between: the door held against the loader, and what lies in the spool."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from projects.pushed import DATASET, landed, letters, make

from xde.app.receiving import close_doors, open_doors, settle
from xde.app.workspace import Workspace
from xde.ground.clock import SetClock
from xde.ground.errors import UserError

TYPES = {
    "whole": "BIGINT",
    "tiny": "TINYINT",
    "huge": "UHUGEINT",
    "number": "DOUBLE",
    "money": "DECIMAL(10,2)",
    "flag": "BOOLEAN",
    "day": "DATE",
    "moment": "TIMESTAMP",
    "instant": "TIMESTAMP WITH TIME ZONE",
    "hour": "TIME",
    "text": "VARCHAR",
    "several": "BIGINT[]",
    "part": 'STRUCT("a" BIGINT)',
}
VALUES = [
    *(0, 1, -1, 127, 128, -129, 300, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**127, 2**128, 10**40),
    *(0.0, 1.0, 1.5, -0.25, 1e3, 1e400, 1e-400, 12345678.91, 0.001, 3.14159),
    *(True, False),
    *("", " ", "1", " 1 ", "+1", "1.0", "1e3", "1_000", "12abc", "0x1F", "\u0661", "inf", "NaN", "true", "f", "yes", "t"),
    *("2026-01-02", "2026-1-2", "2026-02-30", "2026-01-02xyz", "02.01.2026", "0000-01-01", "9999-12-31", "-2026-01-01", "10000-01-01"),
    *("2026-01-02 03:04:05", "2026-01-02T03:04", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.123456789", "2026-01-02 24:00:00"),
    *("2026-01-02T03:04:05+02:00", "2026-01-02 03:04:60", "2026-01-02T03", "infinity", "epoch", "03:04:05", "3:4", "25:00:00", "now", "a\u0000b"),
    *([], [1], ["x"], [None], [1, [2]], {}, {"a": 1}, {"a": "x"}, {"b": 1}, {"a": {"a": 1}}),
]  # fmt: skip


def everything(tmp_path, push="{mode: accept-all}", types=TYPES):
    properties = "".join(f"      - {{name: {n}, physicalType: '{t}'}}\n" for n, t in types.items())
    return make(tmp_path / "p", push, properties)


def take_in(root, *bodies, form="ndjson", keys=()):
    """The answers to some bodies, each on the disk."""
    with Workspace.open(root) as workspace:
        doors = open_doors(workspace.house, workspace.known)
        try:
            return [pushed(doors[DATASET], body, form, key) for body, key in zip(bodies, [*keys, *[""] * len(bodies)], strict=False)]
        finally:
            close_doors(doors)


def pushed(door, body, form="ndjson", key=""):
    body = body if isinstance(body, bytes) else body.encode()
    digest = door.digest(body, form)
    if key and (before := door.before(key, digest)) is not None:
        return before.status, json.loads(before.body)
    taken = door.read(body, form, key, digest)
    if taken.entry is not None:
        over, told = threading.Event(), []
        settle(door, taken.entry, lambda error: (told.append(error), over.set()))
        assert over.wait(10)
        if told[0] is not None:
            raise told[0]
    return taken.answer.status, json.loads(taken.answer.body)


def run(root, **how):
    with Workspace.open(root) as workspace:
        finished = workspace.run(**how)
    assert finished.status == "done", finished.outcomes
    return finished


def test_the_door_refuses_only_what_the_loader_would_refuse(tmp_path):
    root = everything(tmp_path)
    records = [{"id": n, name: value} for n, (name, value) in enumerate((t, v) for t in TYPES for v in VALUES)]
    body = "\n".join(json.dumps(r).replace("Infinity", "1e400") for r in records)
    [(status, answer)] = take_in(root, body)
    assert (status, answer["accepted"]) == (200, len(records))
    run(root)
    refused_late = {json.loads(letter.letter.raw)["id"] for letter in letters(root)}
    at_the_door = {records[c["record"] - 1]["id"] for c in answer["records"]}
    assert not [records[i] for i in sorted(at_the_door - refused_late)]
    assert len(refused_late) + len(landed(root)) == len(records)
    assert len(at_the_door) > 0.6 * len(refused_late)  # the door is worth its time


BROKEN = [
    "{", "[1]", "1", "null", '"x"', "", "{'id': 1}", '{"id": 1', '{"id": 1}}', '{"id": 1}{"id": 2}', '{"id": NaN}', '{"id": 1,}', "\x01",
    '{"id": 1, "what": "\\ud800"}', '{"id": 1, "text": "\\u0000"}', "[" * 5000, '{"id":' * 3000, '{"id": 1, "id": 2}', '{"": 1}', "xde1 00000000 0 2 0",
    '{"id": 1, "id2": null}', '{"id": 1, "new": 5}', '{"ID": 7}', '{"id": ' + "9" * 5000 + "}", '{"id": 1, "what": "sale\x7f"}', "\ufeff{}", '{"*": 1, "\\\\": 2, "a/~b": 3}', '{"id": 3}\x00',
]  # fmt: skip


@pytest.mark.parametrize("mode", ["accept-all", "refuse"])
def test_whatever_is_taken_in_can_be_loaded(tmp_path, mode):
    root = everything(tmp_path, f"{{mode: {mode}}}", {"text": "VARCHAR"})
    bodies = [f'{{"id": 100, "what": "sale"}}\n{line}\n{{"id": 101, "what": "visit"}}' for line in BROKEN]
    answers = take_in(root, *bodies)
    run(root)
    rows, dead = landed(root), letters(root)
    assert rows.count(100) == rows.count(101) == len(BROKEN)
    assert sum(a["accepted"] for _, a in answers) == len(rows) + len(dead)
    assert sum(a.get("letters", 0) for _, a in answers) <= len(dead) + 1  # the engine lets a comma before `}` pass
    if mode == "accept-all":
        assert any(b"xde1 0000" in letter.letter.raw for letter in dead)


def test_json_is_kept_as_it_is_written(tmp_path):
    root = everything(tmp_path, types={"money": "DECIMAL(38,10)", "text": "VARCHAR"})
    body = ' [ {"id" : 1,\r\n "money": 12345.6789012345, "text": "a\\nb"} ,\n{"id":2, "text": {"k": [1.10, 2]}} ] \n'
    [(status, answer)] = take_in(root, body, form="json")
    assert (status, answer) == (200, {"accepted": 2, "refused": 0, "records": []})
    run(root)
    with Workspace.open(root) as workspace:
        rows = workspace.show(DATASET, columns=("money", "text"), limit=None).read_all().to_pylist()
    assert str(rows[0]["money"]) == "12345.6789012345"
    assert [r["text"] for r in rows] == ["a\nb", '{"k":[1.1,2]}']


def test_csv(tmp_path):
    root = everything(tmp_path, "{}")
    body = 'id,what,amount,text\r\n1,sale,2.5,"a, ""b""\nc"\r\n2,,,\r\n3,sale\r\n4,gift,1,x\r\n'
    [(status, answer)] = take_in(root, body, form="csv")
    assert status == 207
    assert [(c["record"], c["code"]) for c in answer["records"]] == [(3, "XDE0471"), (4, "XDE0475")]
    run(root)
    assert landed(root, ("id", "what", "amount", "text")) == [(1, "sale", 2.5, 'a, "b"\nc'), (2, None, None, None)]


def test_arrow(tmp_path):
    root = everything(tmp_path, "{}")
    moment = datetime.fromisoformat("2026-03-29T01:30:00.123456")
    columns = {
        "id": pa.array([1, 2], pa.int32()),
        "what": pa.array(["sale", None]).dictionary_encode(),
        "day": pa.array([moment.date(), None]),
        "moment": pa.array([moment, None], pa.timestamp("ns")),
        "instant": pa.array([moment, None], pa.timestamp("us", "Europe/Berlin")),
        "money": pa.array([None, "12345678.91"]).cast(pa.decimal128(10, 2)),
        "several": pa.array([[1, None], []], pa.list_(pa.int64())),
        "part": pa.array([{"a": 5}, None]),
        "flag": pa.array([True, None]),
    }
    table = pa.table(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    body = sink.getvalue().to_pybytes()
    answers = take_in(root, body, body[:-30], body[:100], b"", b"x" * 50, form="arrow")
    assert answers[0] == (200, {"accepted": 2, "refused": 0, "records": []})
    assert [s for s, _ in answers[2:]] == [400, 400, 400]
    run(root)
    with Workspace.open(root) as workspace:
        row = workspace.show(DATASET, where="id = 1", columns=tuple(columns)).read_all().to_pylist()[0]
    assert row["moment"] == moment
    assert row["instant"] == moment.replace(tzinfo=UTC) and row["several"] == [1, None] and row["part"] == {"a": 5}


def test_bodies_that_cannot_be_read(tmp_path):
    root = make(tmp_path / "p", "{limits: {records: 3}}")
    wrong = {
        "json": ["", " ", "[", "[1,]", "[{}] x", '[{"id":1}', "[{'id':1}]", b"\xff\xfe{", "[" * 100_000],
        "ndjson": ["", "\n \n", b'{"id": 1, "what": "caf\xe9"}'],
        "csv": ["", "id\n", "id,id\n1,2\n", 'id\n"1', b"id\n\xff\n"],
    }
    for form, bodies in wrong.items():
        for body, (status, answer) in zip(bodies, take_in(root, *bodies, form=form), strict=True):
            assert (status, answer["error"]["code"]) == (400, "XDE0471"), body
    [(status, answer)] = take_in(root, "{}\n{}\n{}\n{}")
    assert (status, answer["error"]["code"]) == (413, "XDE0476")


def test_a_record_that_is_too_long(tmp_path):
    root = make(tmp_path / "p", "{mode: accept-all}")
    contract = root / "sources" / "shop.yaml"
    words = "    customProperties: [{property: xdeDialect, value: {maxRecordBytes: 100}}]\n"
    contract.write_text(contract.read_text().replace("  - name: events\n", "  - name: events\n" + words))
    long = ['{"id": 1, "x": "' + "é" * n + '"}' for n in (30, 41, 42, 100)]
    [(status, answer)] = take_in(root, "\n".join(long))
    assert [len(line.encode()) for line in long] == [78, 100, 102, 218]
    assert (status, [(r["record"], r["code"], r.get("letter")) for r in answer["records"]]) == (
        207,
        [(1, "XDE0472", True), (2, "XDE0472", True), (3, "XDE0476", None), (4, "XDE0476", None)],
    )
    run(root)
    assert len(letters(root)) == 2


def test_a_request_with_a_key_is_taken_once(tmp_path):
    root = make(tmp_path / "p", "{}")
    body, bad = '{"id": 1}\n{"id": "x"}', '{"id": 2}'
    first, again = take_in(root, body, body, keys=("k", "k"))
    later, other = take_in(root, body, bad, keys=("k", "k"))  # after a restart
    assert first[0] == 207
    assert first == again == later
    assert (other[0], other[1]["error"]["code"]) == (422, "XDE0477")
    run(root)
    assert take_in(root, body, keys=("k",)) == [first]  # after a landing
    run(root)
    assert landed(root) == [1]


def test_two_segments_of_the_same_bytes_both_land(tmp_path):
    root = make(tmp_path / "p", "{}")
    take_in(root, '{"id": 1}')
    take_in(root, '{"id": 1}')
    run(root)
    take_in(root, '{"id": 1}')
    run(root)
    assert landed(root) == [1, 1, 1]
    run(root, full=True)
    assert landed(root) == [1, 1, 1]


@pytest.mark.slow
def test_another_environment_loads_all_of_it_too(tmp_path):
    root = make(tmp_path / "p", "{}")
    take_in(root, '{"id": 1}')
    run(root)
    take_in(root, '{"id": 2}')
    with Workspace.open(root, environment="other") as workspace:
        workspace.run()
        assert workspace.show(DATASET).read_all().num_rows == 2
    run(root)
    assert landed(root) == [1, 2]


def test_a_run_before_anything_was_pushed_makes_an_empty_table(tmp_path):
    root = make(tmp_path / "p", "{}")
    assert run(root).status == "done"
    assert landed(root) == []
    take_in(root, '{"id": 1}')
    run(root)
    assert landed(root) == [1]


@pytest.mark.slow
def test_a_change_of_the_contract_loads_what_was_kept_anew(tmp_path):
    root = make(tmp_path / "p", "{}")
    take_in(root, '{"id": 1, "what": "sale"}')
    run(root)
    contract = root / "sources" / "shop.yaml"
    contract.write_text(contract.read_text() + "      - {name: more, logicalType: string}\n")
    take_in(root, '{"id": 2, "more": "x"}')
    run(root)
    assert landed(root, ("id", "more")) == [(1, None), (2, "x")]


@pytest.mark.slow
def test_a_segment_that_is_gone_is_told(tmp_path):
    root = make(tmp_path / "p", "{}")
    for n in (1, 2, 3):
        take_in(root, f'{{"id": {n}}}')
    next((root / ".xde/spool").rglob("*02.ndjson")).rename(tmp_path / "away")
    with pytest.raises(UserError, match="segment 2 is missing"):
        run(root)
    (tmp_path / "away").rename(root / ".xde/spool" / DATASET / "segments/000000000/000000000002.ndjson")
    run(root)
    assert landed(root) == [1, 2, 3]
    next((root / ".xde/spool").rglob("*01.ndjson")).unlink()
    take_in(root, '{"id": 4}')
    run(root)  # it was loaded, and is not needed
    assert landed(root) == [1, 2, 3, 4]
    with pytest.raises(UserError) as told:
        run(root, full=True)
    assert told.value.findings[0].code == "XDE0452"


@pytest.mark.slow
def test_what_is_past_keeping_goes_and_numbers_go_on(tmp_path):
    root = make(tmp_path / "p", "{keep: 1 h, idempotency: {window: 1 h}}")
    clock = SetClock(datetime.now(UTC) + timedelta(hours=2))
    for n in (1, 2, 3):
        take_in(root, f'{{"id": {n}}}', keys=(f"k{n}",))
    run(root)
    with Workspace.open(root) as workspace:
        workspace.house.clock = clock
        doors = open_doors(workspace.house, workspace.known)
        doors[DATASET].spool.landed(3)
        assert doors[DATASET].spool.waiting().bytes == 0
        assert doors[DATASET].spool.remembered("k3") is None
        close_doors(doors)
    assert [p.name for p in (root / ".xde/spool").rglob("*.ndjson")] == ["000000000003.ndjson"]
    assert not list((root / ".xde/spool").rglob("*.keys"))
    take_in(root, '{"id": 4}')
    run(root)
    assert landed(root) == [1, 2, 3, 4]


@pytest.mark.slow
def test_a_spool_made_anew_is_another_one(tmp_path):
    root = make(tmp_path / "p", "{}")
    take_in(root, '{"id": 1}')
    run(root)
    (root / ".xde/spool").rename(tmp_path / "old")
    take_in(root, '{"id": 2}')
    run(root)
    assert landed(root) == [1, 2]


def test_one_process_at_a_time(tmp_path):
    root = make(tmp_path / "p", "{}")
    with Workspace.open(root) as workspace:
        doors = open_doors(workspace.house, workspace.known)
        with pytest.raises(UserError) as told:
            open_doors(workspace.house, workspace.known)
        assert told.value.findings[0].code == "XDE0469"
        close_doors(doors)


def test_what_a_contract_cannot_say(tmp_path):
    wrong = {
        "{keys: [{name: a, secret: in-the-open}]}": "XDE0463",
        "{mode: sometimes}": "XDE0318",
        "{commit: {every: soon}}": "XDE0318",
        "{limit: 5}": "XDE0317",
    }
    for number, (push, code) in enumerate(wrong.items()):
        root = make(tmp_path / str(number), push)
        with pytest.raises(UserError) as told:
            Workspace.open(root)
        assert [f.code for f in told.value.findings] == [code]
    root = make(tmp_path / "replace", "{}")
    contract = root / "sources" / "shop.yaml"
    text = contract.read_text().replace(
        "  - name: events\n", "  - name: events\n    customProperties: [{property: xdeWriteMode, value: replace}]\n"
    )
    contract.write_text(text)
    with pytest.raises(UserError) as told:
        Workspace.open(root)
    assert [f.code for f in told.value.findings] == ["XDE0464"]


def test_keys_are_looked_up_when_the_door_is_opened_and_must_be_long(tmp_path, monkeypatch):
    root = make(tmp_path / "p", "{keys: [{name: shop, secret: '${env:SHOP_KEY}'}]}")
    monkeypatch.delenv("SHOP_KEY", raising=False)
    run(root)
    for value, code in ((None, "XDE0152"), ("short", "XDE0463")):
        if value:
            monkeypatch.setenv("SHOP_KEY", value)
        with Workspace.open(root) as workspace, pytest.raises(UserError) as told:
            open_doors(workspace.house, workspace.known)
        assert told.value.findings[0].code == code
