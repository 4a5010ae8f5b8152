"""Killed at every named point while events of a broker are read: none is lost, none is there twice, a letter neither."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from crash.shop import xde
from projects.brokers import Plant, program, reading, serving
from projects.kafka_plant import kafka_program, kafka_server
from projects.nats_plant import nats_server

from xde.ground.crash import CrashPoint

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.broker, pytest.mark.crash]
POINTS = [
    CrashPoint.EVENTS_READ,
    CrashPoint.FILES_WRITTEN,
    CrashPoint.BEFORE_COMMIT,
    CrashPoint.AFTER_COMMIT,
    CrashPoint.POINTER_MOVED,
    CrashPoint.STEP_RECORDED,
]


def died_and_rose(plant: Plant, tell: Callable[[bytes], object], point: str) -> None:
    """The first load is killed, then one of two batches, in the second of them."""

    def say(*numbers: int) -> None:
        for number in numbers:
            tell(b"poison\n%d" % number if number % 10 == 3 else reading(number).encode())

    say(*range(5))
    assert xde(plant.root, "run", crash=point) == -signal.SIGKILL
    say(5)
    assert xde(plant.root, "run") == 0
    say(*range(6, 18))
    once = {CrashPoint.POINTER_MOVED, CrashPoint.STEP_RECORDED}
    assert xde(plant.root, "run", crash=point if point in once else f"{point}:2") == -signal.SIGKILL
    say(18)
    assert xde(plant.root, "run") == 0
    assert plant.ids() == [i for i in range(19) if i % 10 != 3]
    assert sorted(x.raw for x in plant.letters()) == [b"poison\n13", b"poison\n3"]
    assert not list((plant.root / ".xde/tmp").glob("table-*")), "what a killed process left is taken away by the next that reads"


@pytest.fixture(scope="module")
def redis_port(tmp_path_factory):
    if program("redis-server") is None:
        pytest.skip("no `redis-server` here")
    words = [program("redis-server"), "--bind", "127.0.0.1", "--save", ""]
    with serving(tmp_path_factory.mktemp("redis"), lambda s: [*words, "--port", str(s.port)]) as found:
        yield found.port


@pytest.mark.parametrize("point", POINTS)
def test_every_point_with_redis(point, redis_port, tmp_path):
    redis = pytest.importorskip("redis")
    kind = "customProperties: [{property: xdeType, value: redis}]"
    plant = Plant(tmp_path / "plant", f"  - {{server: plant, type: custom, host: 127.0.0.1, port: {redis_port}, {kind}}}\n")
    plant.contract("payload: body, batch: 6", name=f"r{point.replace('.', '_')}")
    with redis.Redis("127.0.0.1", redis_port) as client:
        died_and_rose(plant, lambda body: client.xadd(f"r{point.replace('.', '_')}", {"body": body}), point)


@pytest.fixture(scope="module")
def nats_hand(tmp_path_factory):
    if program("nats-server") is None:
        pytest.skip("no `nats-server` here")
    pytest.importorskip("nats")
    with nats_server(tmp_path_factory.mktemp("nats")) as found:
        yield found


@pytest.fixture(scope="module")
def kafka_hand(tmp_path_factory):
    if kafka_program() is None:
        pytest.skip("no broker of Kafka's protocol here")
    pytest.importorskip("confluent_kafka")
    with kafka_server(tmp_path_factory.mktemp("kafka")) as found:
        yield found


@pytest.mark.parametrize("kind", ["nats", "kafka"])
def test_before_and_after_the_commit_with_others(kind, request, tmp_path):
    hand = request.getfixturevalue(f"{kind}_hand")
    hand.make()
    plant = Plant(tmp_path / "plant", hand.contract.format(port=hand.server.port).replace("env:PLANT_PASSWORD", "file:password"))
    plant.contract("batch: 6")
    (plant.root / "password").write_text("all of it")
    (plant.root / "password").chmod(0o600)
    died_and_rose(plant, hand.tell, CrashPoint.AFTER_COMMIT)
