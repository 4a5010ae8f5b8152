"""Streams of a real Redis server as a source: each entry once, whatever is trimmed, killed, poisoned or refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from projects.mqtt_plant import until
from projects.brokers import OFFSET, PROPERTIES, Plant, program, reading, serving

from xde.app.workspace import Workspace
from xde.ground.errors import UserError

redis = pytest.importorskip("redis")
pytestmark = [pytest.mark.broker, pytest.mark.skipif(program("redis-server") is None, reason="no `redis-server` here")]
SERVER = (
    "  - {{server: plant, type: custom, host: 127.0.0.1, port: {port}, customProperties: [{{property: xdeType, value: redis}}{more}]}}\n"
)
NAME = '"plant:readings"'
KEY = "plant:readings"
BODY = "payload: body"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    words = [program("redis-server"), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "always"]
    with serving(tmp_path_factory.mktemp("redis"), lambda s: [*words, "--port", str(s.port)]) as found:
        yield found


@pytest.fixture
def client(server):
    with redis.Redis("127.0.0.1", server.port) as found:
        found.flushall()
        yield found


@pytest.fixture
def plant(tmp_path, server, client) -> Plant:
    found = Plant(tmp_path / "plant", SERVER.format(port=server.port, more=""))
    found.contract(BODY, name=NAME)
    return found


def tell(client, *numbers: int) -> None:
    for number in numbers:
        client.xadd(KEY, {"body": reading(number)})


def test_each_entry_lands_once_and_nothing_is_to_do_where_there_is_none(client, plant):
    tell(client, *range(5))
    outcome = plant.loaded()
    assert (outcome.rows, outcome.letters) == (5, 0)
    assert plant.run() == {}
    tell(client, 5, 6)
    assert plant.loaded().rows == 2
    assert plant.ids() == list(range(7))
    assert str(plant.rows("heat")[0][0]) == "0.5000000000"


def test_batches_are_commits_and_end_where_the_stream_was_when_the_load_began(client, plant):
    plant.contract(f"{BODY}, batch: 40", name=NAME)
    tell(client, *range(100))
    before = 0
    outcome = plant.loaded()
    assert (outcome.rows, plant.commits() - before) == (100, 3)
    assert plant.ids() == list(range(100))


def test_fields_of_an_entry_are_a_record_and_what_is_told_of_it(client, plant):
    told = "".join(
        f"      - {{name: {w[1:]}, physicalName: {w}, logicalType: {t}}}\n"
        for w, t in [("$topic", "string"), ("$offset", "string"), ("$timestamp", "timestamp, logicalTypeOptions: {timezone: true}")]
    )
    plant.contract("", PROPERTIES + told, name=NAME)
    at = client.xadd(KEY, {"id": 1, "device": 'a "quoted"\nname', "heat": "12345678901234567890.0123456789"}, id="1700000000123-7").decode()
    client.xadd(KEY, {"id": 2, "unheard": "of"})
    plant.loaded()
    [(device, heat, topic, offset, moment)] = plant.rows("device", "heat", "topic", "offset", "timestamp")
    assert (device, str(heat), topic, offset) == ('a "quoted"\nname', "12345678901234567890.0123456789", KEY, at)
    assert moment.timestamp() == 1700000000.123
    assert b'"unheard": "of"' in plant.letters()[0].raw


POISON = [
    b"", b"{", b"null", b"[1]", b"not json", b"two\nlines", b"\r\n", b"\x00", b"\x02AAAA", b"\xff\xfe binary \n", b"\xef\xbb\xbf{}", b"\x02", b" ", b"{}\x00",
    b'{"id": "x"}', b'{"id": 1, "id": null, "heat": "no number"}', b"\xc3", b'{"id": 7}}', "{\"id\": \"\u2028\"}".encode(),
]  # fmt: skip


@pytest.mark.parametrize("told", ["", OFFSET])
def test_poison_becomes_letters_verbatim_and_keeps_nothing_from_landing(client, plant, told):
    plant.contract(f"{BODY}, batch: 7", PROPERTIES + told, name=NAME)
    places = []
    for number, body in enumerate(POISON):
        tell(client, 100 + number)
        places.append(client.xadd(KEY, {"body": body}).decode())
    client.xadd(KEY, {"other": "field"})
    outcome = plant.loaded()
    assert plant.ids() == [100 + n for n in range(len(POISON))]
    letters = {x.file: x.raw for x in plant.letters()}
    assert len(letters) == outcome.letters == len(POISON) + 1
    for place, body in zip(places, POISON, strict=True):
        raw = letters[f"{KEY}@{place}"]
        if told and body.startswith(b'{"') and body.endswith(b'"}'):
            raw = raw.replace(f'"$offset": "{place}", '.encode(), b"")
        assert raw == body
    assert len({x.id for x in plant.letters()}) == len(letters)
    with Workspace.open(plant.root) as workspace:
        workspace.replay([x.id for x in plant.letters()])
    assert sorted(x.raw for x in plant.letters()) == sorted(letters.values()), "they are as poisonous as before"
    assert len(plant.ids()) == len(POISON)


def test_json_of_several_lines_is_a_record(client, plant):
    client.xadd(KEY, {"body": '{\r\n  "id": 1,\n  "device": "a\\nb"\n}\n'})
    plant.loaded()
    assert plant.rows("id", "device") == [(1, "a\nb")]


def test_the_same_poison_once_more_is_another_letter(client, plant):
    for _ in range(2):
        client.xadd(KEY, {"body": "ping"})
        client.xadd(KEY, {"body": "ping"})
        plant.loaded()
    assert len({x.id for x in plant.letters()}) == 4


def test_what_was_trimmed_before_it_was_read_is_told_and_passed_only_where_the_contract_says_so(client, plant):
    tell(client, *range(10))
    plant.loaded()
    client.xtrim(KEY, maxlen=0, approximate=False)
    assert plant.run() == {}, "it was all read"
    tell(client, *range(10, 20))
    client.xtrim(KEY, maxlen=7, approximate=False)
    [failed] = plant.run().values()
    assert failed.status == "failed" and [f.code for f in failed.findings] == ["XDE0515"]
    assert failed.findings[0].message.startswith("3 events"), failed.findings
    assert plant.ids() == list(range(10))
    plant.contract(f"{BODY}, onGap: continue", name=NAME)
    outcome = plant.loaded()
    assert [f.code for f in outcome.findings] == ["XDE0515"] and outcome.rows == 7
    assert plant.ids() == [*range(10), *range(13, 20)]
    plant.contract(BODY, name=NAME)
    tell(client, 20)
    assert plant.loaded().rows == 1


def test_an_entry_that_its_owner_deletes_is_no_gap(client, plant):
    tell(client, *range(10))
    plant.loaded()
    client.xdel(KEY, *[i for i, _ in client.xrange(KEY)][3:6])
    tell(client, *range(10, 20))
    client.xdel(KEY, client.xrevrange(KEY)[0][0])
    client.xdel(KEY, client.xrevrange(KEY)[4][0])
    assert plant.loaded().rows == 8
    assert plant.run() == {}


def test_trimmed_within_a_load(client, plant, monkeypatch):
    from xde.connectors.redis.streams import RedisStreams

    plant.contract(f"{BODY}, batch: 4", name=NAME)
    tell(client, *range(12))
    fetch = RedisStreams.fetch
    monkeypatch.setattr(RedisStreams, "fetch", lambda self, *a: (fetch(self, *a), client.xtrim(KEY, maxlen=2, approximate=False))[0])
    [failed] = plant.run().values()
    assert [f.code for f in failed.findings] == ["XDE0515"]
    assert "6 events" in failed.findings[0].message
    assert plant.ids() == [0, 1, 2, 3], "what was read before is there"


def test_another_stream_of_the_name(client, plant):
    tell(client, *range(5))
    plant.loaded()
    client.delete(KEY)
    assert plant.codes() == ["XDE0518"]
    client.xadd(KEY, {"body": reading(9)}, id="9999999999999-0")
    assert plant.codes() == ["XDE0516"]
    assert plant.loaded(full=True).rows == 1
    assert plant.ids() == [9]


def test_a_table_is_not_read_anew_from_what_is_left_of_its_stream(client, plant):
    tell(client, *range(10))
    plant.loaded()
    client.xtrim(KEY, maxlen=4, approximate=False)
    assert plant.codes(full=True) == ["XDE0517"]
    plant.contract(BODY, PROPERTIES.replace("DECIMAL(30,10)", "DOUBLE"), name=NAME)
    with pytest.raises(UserError) as caught:
        plant.run()
    assert [f.code for f in caught.value.findings] == ["XDE0517"]
    plant.contract(f"{BODY}, onGap: continue", PROPERTIES.replace("DECIMAL(30,10)", "DOUBLE"), name=NAME)
    assert plant.loaded().rows == 4


def test_a_stream_from_now_on(client, plant):
    plant.contract(f"{BODY}, begin: latest", name=NAME)
    tell(client, *range(3))
    assert plant.loaded().rows == 0
    tell(client, 3)
    assert plant.loaded().rows == 1
    assert plant.ids() == [3]


def test_merged_by_key_the_last_of_a_key_holds(client, plant):
    plant.contract(
        BODY, PROPERTIES.replace("required: true", "required: true, primaryKey: true"), "{property: xdeWriteMode, value: merge}", NAME
    )
    for number, device in [(1, "a"), (2, "b"), (1, "c")]:
        client.xadd(KEY, {"body": f'{{"id": {number}, "device": "{device}"}}'})
    plant.loaded()
    client.xadd(KEY, {"body": '{"id": 2, "device": "d"}'})
    plant.loaded()
    assert plant.rows("id", "device") == [(1, "c"), (2, "d")]


def test_a_group_is_told_how_far_was_read_after_the_commit(client, plant):
    plant.contract(f"{BODY}, group: lake", name=NAME)
    tell(client, *range(5))
    plant.loaded()
    tell(client, 5, 6)
    [group] = client.xinfo_groups(KEY)
    assert (group["name"], group["lag"]) == (b"lake", 2)
    client.xgroup_setid(KEY, "lake", "0-0")
    plant.loaded()
    assert client.xinfo_groups(KEY)[0]["lag"] == 0
    assert plant.ids() == list(range(7)), "the group decides nothing"


def test_the_server_is_killed_and_comes_back(server, client, plant):
    tell(client, *range(5))
    plant.loaded()
    server.stop(signal.SIGKILL)
    [failed] = plant.run().values()
    assert failed.status == "failed" and "cannot be reached just now" in str(failed)
    server.start()
    tell(client, 5)
    assert plant.loaded().rows == 1
    assert plant.ids() == list(range(6))


def test_the_server_goes_away_in_the_middle_of_a_load(server, client, plant, monkeypatch):
    from xde.connectors.redis.streams import RedisStreams

    plant.contract(f"{BODY}, batch: 4", name=NAME)
    (plant.root / "xde.yaml").write_text("name: plant\nretries: 2\n")
    tell(client, *range(12))
    fetch, calls = RedisStreams.fetch, []

    def breaking(self, *a):
        calls.append(a)
        if len(calls) == 2:
            server.restart(signal.SIGKILL)
        return fetch(self, *a)

    monkeypatch.setattr(RedisStreams, "fetch", breaking)
    plant.loaded()
    assert plant.ids() == list(range(12))


def test_logins_and_rights(server, client, plant, monkeypatch):
    tell(client, 1)
    client.execute_command("ACL", "SETUSER", "reader", "on", ">a reader's password", "+ping")
    monkeypatch.setenv("PLANT_PASSWORD", "a reader's password")
    plant.server = SERVER.format(
        port=server.port, more=", {property: xdeUser, value: reader}, {property: xdePassword, value: '${env:PLANT_PASSWORD}'}"
    )
    plant.contract(BODY, name=NAME)
    [failed] = plant.run().values()
    assert [f.code for f in failed.findings] == ["XDE0519"]
    told = plant.doctor()
    assert told.status == "denied" and told.hint.startswith("let an administrator run: ACL SETUSER reader "), told
    client.execute_command(*told.hint.partition("run: ")[2].split())
    assert plant.loaded().rows == 1
    assert plant.doctor().status == "ok" and "1 entry" in plant.doctor().detail
    monkeypatch.setenv("PLANT_PASSWORD", "another password")
    tell(client, 2)
    assert plant.codes() == ["XDE0481"]
    assert plant.doctor().status == "denied"
    client.execute_command("ACL", "DELUSER", "reader")


def test_a_stream_that_is_not_there(client, plant):
    assert plant.codes() == ["XDE0518"]
    client.set(KEY, "no stream")
    assert plant.codes() == ["XDE0518"]
    assert plant.doctor().status == "missing"


def test_an_entry_that_is_added_while_a_load_goes_on_waits_for_the_next(client, plant, monkeypatch):
    from xde.connectors.redis.streams import RedisStreams

    tell(client, *range(4))
    fetch = RedisStreams.fetch
    monkeypatch.setattr(RedisStreams, "fetch", lambda self, *a: (tell(client, 99), fetch(self, *a))[1])
    assert plant.loaded().rows == 4


def test_a_process_that_reads_all_the_time(client, plant):
    plant.contract(f"{BODY}, commit: {{every: 1 s}}", name=NAME)
    tell(client, *range(3))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    words = [sys.executable, "-m", "xde.faces.cli.main", "--project", str(plant.root), "up", "--port", "0"]
    with (plant.root / "said").open("wb") as said:
        process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=said)
    try:
        until(lambda: plant.commits() == 1)
        tell(client, 3, 4)
        until(lambda: plant.commits() == 2)
    finally:
        process.terminate()
        assert process.wait(30) == 0, (plant.root / "said").read_text()
    assert plant.ids() == list(range(5))
    assert "Traceback" not in (plant.root / "said").read_text()


def test_what_nobody_may_see_lies_on_no_disk(client, plant):
    step = "{property: xdeInFlight, value: {mask: {keepLast: 2}}}"
    told = f"      - {{name: owner, logicalType: string, customProperties: [{step}]}}\n"
    plant.contract(BODY, PROPERTIES + told, name=NAME)
    client.xadd(KEY, {"body": '{"id": 1, "owner": "a secret name 42"}'})
    client.xadd(KEY, {"body": '{"id": "no number", "owner": "a secret name 43"}'})
    client.xadd(KEY, {"body": "a secret name 44\n"})
    outcome = plant.loaded()
    assert (outcome.rows, outcome.letters) == (1, 2)
    assert plant.rows("owner") == [("***42",)]
    for path in plant.root.rglob("*"):
        assert not path.is_file() or b"a secret name" not in path.read_bytes(), path
    assert all(b"a secret name" not in x.raw for x in plant.letters())
