"""Streams of real servers of NATS and Kafka's protocol as sources: what both must hold, and what each has of its own."""

from __future__ import annotations

import signal

import pytest
from projects.brokers import PROPERTIES, Plant, program, reading
from projects.kafka_plant import kafka_program, kafka_server
from projects.nats_plant import ALLOWED, nats_server

from xde.lifecycle.sources.draining import Drained

nats = pytest.importorskip("nats")
pytest.importorskip("confluent_kafka")
pytestmark = pytest.mark.broker
no_nats = pytest.mark.skipif(program("nats-server") is None, reason="no `nats-server` here")
no_kafka = pytest.mark.skipif(kafka_program() is None, reason="no broker of Kafka's protocol here")
MOMENT = "timestamp, logicalTypeOptions: {timezone: true}"


@pytest.fixture(scope="module")
def nats_hand(tmp_path_factory):
    with nats_server(tmp_path_factory.mktemp("nats"), ALLOWED) as found:
        yield found


@pytest.fixture(scope="module")
def kafka_hand(tmp_path_factory):
    with kafka_server(tmp_path_factory.mktemp("kafka")) as found:
        yield found


def cleared(hand) -> None:
    if hand.kind == "kafka":
        hand.delete()
        return

    async def work(stream):
        for info in await stream.streams_info():
            await stream.delete_stream(info.config.name)

    hand.do(work)


@pytest.fixture(params=[pytest.param("nats", marks=no_nats), pytest.param("kafka", marks=no_kafka)])
def hand(request):
    found = request.getfixturevalue(f"{request.param}_hand")
    cleared(found)
    found.make()
    return found


@pytest.fixture
def plant(tmp_path, hand, monkeypatch) -> Plant:
    monkeypatch.setenv("PLANT_PASSWORD", "all of it")
    found = Plant(tmp_path / "plant", hand.contract.format(port=hand.server.port))
    found.contract()
    return found


def readings(*numbers: int) -> list[bytes]:
    return [reading(n).encode() for n in numbers]


def test_each_event_lands_once_in_batches(hand, plant):
    plant.contract("batch: 40")
    hand.tell(*readings(*range(100)))
    assert (plant.loaded().rows, plant.commits()) == (100, 3)
    assert plant.run() == {}
    hand.tell(*readings(100, 101))
    assert plant.loaded().rows == 2
    assert plant.ids() == list(range(102))
    hand.tell(*readings(102, 103))
    assert "to load: 2 events of `readings` wait" in plant.doctor().detail
    assert plant.doctor().status == "ok", plant.doctor()


def test_poison(hand, plant):
    plant.contract("batch: 3")
    bodies = [b"", b"{", b"two\nlines", b"\x00\xff", b"[]", *readings(5), b'{"id": "x"}']
    hand.tell(*bodies)
    plant.loaded()
    assert plant.ids() == [5]
    assert {x.file: x.raw for x in plant.letters()} == {hand.place(n): b for n, b in enumerate(bodies) if n != 5}


def test_a_gap_is_told_and_passed_where_the_contract_says_so(hand, plant):
    hand.tell(*readings(*range(5)))
    plant.loaded()
    hand.drop(keep=0)
    assert plant.run() == {}
    hand.tell(*readings(*range(5, 12)))
    hand.drop(keep=3)
    [failed] = plant.run().values()
    assert failed.status == "failed" and failed.findings[0].message.startswith("4 events"), failed
    plant.contract("onGap: continue")
    assert [f.code for f in plant.loaded().findings] == ["XDE0515"]
    assert plant.ids() == [*range(5), 9, 10, 11]
    plant.contract()
    assert plant.codes(full=True) == ["XDE0517"]


def test_a_gap_within_a_load(hand, plant, monkeypatch):
    plant.contract("batch: 4")
    hand.tell(*readings(*range(12)))
    read, calls = Drained.read, []

    def dropping(self, *a):
        calls.append(a)
        if len(calls) == 2:
            fetch = self._broker.fetch
            monkeypatch.setattr(self._broker, "fetch", lambda *b: (hand.drop(keep=2), fetch(*b))[1])
        return read(self, *a)

    monkeypatch.setattr(Drained, "read", dropping)
    (plant.root / "xde.yaml").write_text("name: plant\nretries: 2\n")
    [failed] = plant.run().values()
    assert [f.code for f in failed.findings] == ["XDE0515"], failed
    assert "6 events" in failed.findings[0].message
    assert plant.ids() == [0, 1, 2, 3]


def test_a_stream_that_was_made_anew(hand, plant):
    hand.tell(*readings(*range(5)))
    plant.loaded()
    hand.remake()
    assert plant.codes() == ["XDE0516"]
    hand.tell(*readings(7))
    assert plant.codes() == ["XDE0516"]
    assert plant.loaded(full=True).rows == 1
    assert plant.ids() == [7]


def test_the_server_is_killed_in_the_middle_of_a_load(hand, plant, monkeypatch):
    plant.contract("batch: 4")
    (plant.root / "xde.yaml").write_text("name: plant\nretries: 3\n")
    hand.tell(*readings(*range(12)))
    read, calls = Drained.read, []

    def breaking(self, *a):
        calls.append(a)
        if len(calls) == 2:
            fetch, name = self._broker.fetch, "fetch"
            monkeypatch.setattr(self._broker, name, lambda *b: (hand.server.restart(signal.SIGTERM), fetch(*b))[1])
        return read(self, *a)

    monkeypatch.setattr(Drained, "read", breaking)
    plant.loaded()
    assert len(calls) >= 3
    assert plant.ids() == list(range(12))


def test_a_server_and_a_stream_that_are_not_there(hand, plant):
    plant.contract(name="nowhere")
    assert plant.codes() == ["XDE0518"]
    assert plant.doctor().status == "missing"
    hand.server.stop()
    plant.contract()
    [failed] = plant.run().values()
    assert failed.status == "failed" and "cannot be reached just now" in str(failed)
    assert "port" in plant.doctor().detail
    hand.server.start()


def test_from_now_on(hand, plant):
    plant.contract("begin: latest")
    hand.tell(*readings(1))
    assert plant.loaded().rows == 0
    hand.tell(*readings(2))
    assert plant.loaded().rows == 1
    assert plant.ids() == [2]


@no_nats
class TestNats:
    @pytest.fixture
    def hand(self, nats_hand):
        cleared(nats_hand)
        nats_hand.make()
        return nats_hand

    def test_what_is_told_of_a_message(self, hand, plant):
        told = [("$topic", "string"), ("$offset", "integer"), ("$timestamp", MOMENT), ("$headers", "object")]
        plant.contract("", PROPERTIES + "".join(f"      - {{name: {w[1:]}, physicalName: {w}, logicalType: {t}}}\n" for w, t in told))
        hand.tell(*readings(1), subject="plant.heat.m1", headers={"trace": "abc"})
        plant.loaded()
        [(topic, offset, moment, headers)] = plant.rows("topic", "offset", "timestamp", "headers")
        assert (topic, offset, headers) == ("plant.heat.m1", 1, '{"trace":"abc"}')
        assert moment.year >= 2026

    def test_one_subject_of_a_stream(self, hand, plant):
        plant.contract("subject: plant.heat.*, batch: 3")
        for n in range(8):
            hand.tell(*readings(n), subject=f"plant.{'heat' if n % 2 else 'cold'}.m{n}")
        assert plant.loaded().rows == 4
        assert plant.ids() == [1, 3, 5, 7]
        hand.tell(*readings(8), subject="plant.cold.m")
        plant.run()
        assert plant.run() == {}
        assert plant.ids() == [1, 3, 5, 7]

    def test_a_message_that_its_owner_deletes_is_no_gap(self, hand, plant):
        hand.tell(*readings(*range(6)))

        async def work(stream):
            await stream.delete_msg("readings", 3)
            await stream.delete_msg("readings", 6)

        hand.do(work)
        assert plant.loaded().rows == 4
        assert plant.run() == {}

    def test_a_work_queue_is_not_read(self, hand, plant):
        cleared(hand)
        hand.make(retention="workqueue")
        hand.tell(*readings(1))
        assert plant.codes() == ["XDE0518"]

    def test_logins_and_rights(self, hand, plant, monkeypatch):
        hand.tell(*readings(1))
        plant.server = plant.server.replace("value: all", "value: reader")
        plant.contract()
        assert plant.codes() == ["XDE0481"]
        monkeypatch.setenv("PLANT_PASSWORD", "a reader's password")
        assert plant.loaded().rows == 1, "with the rights that the hint and the page name"
        assert plant.doctor().status == "ok"
        from xde.connectors.nats import streams

        monkeypatch.setattr(streams, "TIMEOUT", 0.5)
        plant.contract(name="others")
        assert plant.codes() == ["XDE0519"]
        assert plant.doctor().hint.startswith("let `reader` publish to $JS.API.STREAM.INFO.others")


@no_kafka
class TestKafka:
    @pytest.fixture
    def hand(self, kafka_hand):
        kafka_hand.delete()
        kafka_hand.make(3)
        return kafka_hand

    def test_what_is_told_of_an_event(self, hand, plant):
        told = [
            ("$topic", "string"),
            ("$partition", "integer"),
            ("$offset", "integer"),
            ("$key", "string"),
            ("$timestamp", MOMENT),
            ("$headers", "object"),
        ]
        plant.contract("", PROPERTIES + "".join(f"      - {{name: {w[1:]}, physicalName: {w}, logicalType: {t}}}\n" for w, t in told))
        hand.tell(*readings(1), key=b"k\xff", headers=[("trace", b"abc"), ("empty", None)], partition=2)
        plant.loaded()
        [found] = plant.rows("topic", "partition", "offset", "key", "headers")
        assert found == ("readings", 2, 0, "k\\xff", '{"trace":"abc","empty":null}')

    def test_partitions_each_with_an_order_of_its_own_and_one_that_is_new(self, hand, plant):
        plant.contract("batch: 4")
        for n in range(3):
            hand.tell(*readings(*range(n * 10, n * 10 + 5)), partition=n)
        assert plant.loaded().rows == 15
        hand.more_partitions(4)
        hand.tell(*readings(99), partition=3)
        hand.tell(*readings(7), partition=0)
        assert plant.loaded().rows == 2
        assert plant.run() == {}
        assert plant.ids() == sorted([*range(5), *range(10, 15), *range(20, 25), 99, 7])

    def test_a_group_is_told_after_the_commit_and_decides_nothing(self, hand, plant):
        from confluent_kafka import Consumer, TopicPartition

        plant.contract("group: lake")
        hand.tell(*readings(1, 2, 3), partition=1)
        plant.loaded()
        consumer = Consumer({"bootstrap.servers": f"127.0.0.1:{hand.server.port}", "group.id": "lake"})
        assert consumer.committed([TopicPartition("readings", 1)], 10)[0].offset == 3
        consumer.commit(offsets=[TopicPartition("readings", 1, 0)], asynchronous=False)
        consumer.close()
        hand.tell(*readings(4), partition=1)
        plant.loaded()
        assert plant.ids() == [1, 2, 3, 4]

    def test_an_event_without_a_value_is_a_letter(self, hand, plant):
        hand.tell(None, *readings(1), key=b"k")
        plant.loaded()
        assert [(x.raw, x.file) for x in plant.letters()] == [(b"", "readings[0]@0")]
