"""What devices tell a real mosquitto as a source: on our disk before the broker hears of it, and loaded like what is pushed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from projects.brokers import PROPERTIES, Plant, program, reading
from projects.mqtt_plant import CONTRACT, mqtt_server, until
from projects.people import KEY, hashed, written

from xde.app import listening
from xde.app.workspace import Workspace
from xde.ground.errors import UserError

pytest.importorskip("paho.mqtt.client")
pytestmark = [pytest.mark.broker, pytest.mark.skipif(program("mosquitto") is None, reason="no `mosquitto` here")]
NAME = '"plant/+/heat"'
XDE = [sys.executable, "-m", "xde.faces.cli.main"]


@pytest.fixture
def hand(tmp_path_factory):
    with mqtt_server(tmp_path_factory.mktemp("mqtt")) as found:
        yield found


@pytest.fixture
def plant(tmp_path, hand, monkeypatch) -> Plant:
    monkeypatch.setattr(listening, "QUIET", 0.3)
    found = Plant(tmp_path / "plant", hand.contract)
    found.contract(name=NAME)
    return found


def readings(*numbers: int) -> list[bytes]:
    return [reading(n).encode() for n in numbers]


def test_what_comes_while_nobody_listens_waits_in_the_session(hand, plant):
    hand.tell(*readings(99))
    assert plant.loaded().rows == 0, "before the first run there was no session to keep it"
    hand.tell(*readings(*range(50)))
    assert plant.loaded().rows == 50
    assert plant.run() == {}
    hand.tell(*readings(50), topic="plant/m2/heat")
    hand.tell(*readings(51), topic="plant/m2/cold")
    assert plant.loaded().rows == 1
    assert plant.ids() == list(range(51))


def test_what_is_told_of_a_message_and_poison(hand, plant):
    told = "      - {name: topic, physicalName: $topic, logicalType: string}\n"
    told += "      - {name: taken, physicalName: $timestamp, logicalType: timestamp, logicalTypeOptions: {timezone: true}}\n"
    plant.contract("", PROPERTIES + told, name=NAME)
    plant.run()
    bodies = [b"", b"two\nlines", b"\x00\xff", b"{", *readings(1)]
    hand.tell(*bodies)
    plant.loaded()
    [(topic, taken)] = plant.rows("topic", "taken")
    assert topic == "plant/m1/heat" and taken.year >= 2026
    assert [x.raw for x in plant.letters()] == bodies[:-1]


def test_retained_messages_come_once_for_a_session(hand, plant):
    hand.tell(*readings(1), retain=True)
    assert plant.loaded().rows == 1
    hand.tell(*readings(2))
    plant.loaded()
    assert plant.ids() == [1, 2]


def test_the_broker_is_killed_and_comes_back_with_the_session(hand, plant):
    plant.run()
    hand.tell(*readings(1))
    hand.server.restart()  # it writes its sessions down when it ends
    assert plant.loaded().rows == 1
    hand.server.stop(signal.SIGKILL)
    with pytest.raises(UserError) as caught:
        plant.run()
    assert [f.code for f in caught.value.findings] == ["XDE0521"]
    assert "port" in plant.doctor().detail
    hand.server.start()


def test_a_session_that_the_broker_forgot_is_told(hand, plant):
    plant.run()
    hand.server.stop()
    for kept in hand.server.home.glob("mosquitto.db*"):
        kept.unlink()
    hand.server.start()
    with Workspace.open(plant.root) as workspace:
        workspace.run()
        assert [f.code for f in workspace.warnings] == ["XDE0520"]
    hand.tell(*readings(1))
    assert plant.loaded().rows == 1


def test_another_topic_of_the_same_session(hand, plant):
    plant.run()
    plant.contract(name='"plant/+/cold"')
    plant.run()
    hand.tell(*readings(1), topic="plant/m1/heat")
    hand.tell(*readings(2), topic="plant/m1/cold")
    plant.loaded()
    assert plant.ids() == [2]


def test_a_full_spool_holds_the_broker_back_and_loses_nothing(hand, plant):
    plant.contract("spoolBytes: 500", name=NAME)
    plant.run()
    hand.tell(*readings(*range(30)))
    for _ in range(6):
        plant.run()
    assert plant.ids() == list(range(30))


def test_logins_and_rights(tmp_path, tmp_path_factory, monkeypatch):
    home = tmp_path_factory.mktemp("mqtt-doors")
    (home / "acl").write_text("user device\ntopic write plant/#\nuser reader\ntopic read plant/+/heat\n")
    for user, password in [("device", "a device's password"), ("reader", "a reader's password")]:
        subprocess.run(
            [program("mosquitto_passwd"), *(["-c"] if user == "device" else []), "-b", str(home / "users"), user, password], check=True
        )
    monkeypatch.setenv("PLANT_PASSWORD", "another password")
    monkeypatch.setattr(listening, "QUIET", 0.3)
    with mqtt_server(home, "password_file {home}/users\nacl_file {home}/acl", "false") as hand:
        more = ", {property: xdeUser, value: reader}, {property: xdePassword, value: '${env:PLANT_PASSWORD}'}"
        plant = Plant(tmp_path / "plant", CONTRACT.format(port=hand.server.port, more=more))
        plant.contract(name=NAME)
        with pytest.raises(UserError) as caught:
            plant.run()
        assert [f.code for f in caught.value.findings] == ["XDE0481"]
        assert plant.doctor().status == "denied"
        monkeypatch.setenv("PLANT_PASSWORD", "a reader's password")
        plant.run()
        hand.tell(*readings(1), user="device")
        assert plant.loaded().rows == 1
        assert plant.doctor().status == "ok"
        assert "a session is kept" in plant.doctor().detail or "may be subscribed" in plant.doctor().detail


def test_killed_between_the_disk_and_the_broker_a_message_comes_again_and_none_is_lost(hand, plant):
    key = PROPERTIES.replace("required: true", "required: true, primaryKey: true")
    plant.contract("", key, "{property: xdeWriteMode, value: merge}", NAME)
    plant.run()
    hand.tell(*readings(*range(30)))
    for nth in (1, 8, 5):
        environment = {**os.environ, "XDE_CRASH_AT": f"message.kept:{nth}", "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run([*XDE, "--project", str(plant.root), "run"], env=environment, capture_output=True, check=False)
        assert done.returncode == -signal.SIGKILL, (nth, done)
    plant.run()
    assert plant.ids() == list(range(30)), "merged by their key, those that came again are there once"
    with Workspace.open(plant.root) as workspace:
        assert workspace.plan().steps == ()


def test_a_process_that_listens(hand, plant):
    """`xde up` lands what comes while it runs, is killed under load, and goes on where it was."""
    plant.contract("commit: {every: 1 s}", PROPERTIES, name=NAME)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    words = [*XDE, "--project", str(plant.root), "up", "--port", "0"]

    def up():
        with (plant.root / "said").open("ab") as said:
            return subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=said)

    def with_session():
        return list(plant.root.glob(".xde/spool/*/session.json"))

    process = up()
    until(with_session)
    hand.tell(*readings(*range(20)))
    until(lambda: list(plant.root.glob(".xde/lake/plant/readings/*/_delta_log/*.json")))
    process.kill()
    process.wait()
    hand.tell(*readings(*range(20, 40)))
    process = up()
    try:
        until(lambda: len(plant.ids()) >= 40, 30)
    finally:
        process.terminate()
        assert process.wait(30) == 0, (plant.root / "said").read_text()
    assert sorted(set(plant.ids())) == list(range(40))
    said = (plant.root / "said").read_text()
    assert "listening for plant.readings" in said and "Traceback" not in said
    assert json.loads(with_session()[0].read_text()) == {"topic": "plant/+/heat"}


def test_messages_with_in_flight_steps_are_treated_before_they_are_on_our_disk(hand, plant, monkeypatch):
    monkeypatch.setenv("PII_KEY", KEY)
    steps = """\
      - {name: id, logicalType: integer, required: true}
      - {name: who, physicalName: person.name, logicalType: string, logicalTypeOptions: {pattern: "^p[l]anted.*"}, customProperties: [{property: xdeInFlight, value: {hash: {key: "${env:PII_KEY}"}}}]}
      - {name: topic, physicalName: $topic, logicalType: string, customProperties: [{property: xdeInFlight, value: {mask: {text: hidden}}}]}
"""
    plant.contract("", steps, name=NAME)
    plant.run()
    good = [json.dumps({"id": n, "person": {"name": f"planted-{n}"}, "more": "planted"}).encode() for n in range(3)]
    bad = [
        b'{"id": "planted", "person": {}}',
        b'{"id": 9, "person": {"name": "clear planted"}}',
        b"planted \x00\xff",
        b'{"id": 8, "person": {"name": "planted"',
    ]
    hand.tell(*good, *bad, topic="plant/planted-m1/heat")
    outcome = plant.run()["plant.readings"]
    assert (outcome.status, outcome.rows + outcome.letters) == ("done", 7), outcome
    plant.contract("", steps, words="{property: xdeSchemaChange, value: {newColumn: discard}}", name=NAME)
    hand.tell(json.dumps({"id": 4, "person": {"name": "planted-4"}, "more": "planted"}).encode(), topic="plant/planted-m1/heat")
    assert plant.loaded().rows == 1
    assert plant.rows("id", "who", "topic") == [(4, hashed("planted-4"), "hidden")]
    assert {r.column for x in plant.letters() for r in x.reasons} >= {"id", "who", None}
    assert [where for where, text in written(plant.root) if "planted" in text] == []
