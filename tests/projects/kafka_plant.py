"""A broker that speaks Kafka's protocol, of one node, and the hand that works it."""

from __future__ import annotations

import functools
import importlib.util
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from projects.brokers import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projects.brokers import Server


def kafka_program() -> str | None:
    """The program that the package `noida-db` brings."""
    found = importlib.util.find_spec("noida_db")
    path = Path(found.origin).parent / "noida-db" if found is not None and found.origin else None
    return str(path) if path is not None and path.exists() else None


class Kafka:
    kind = "kafka"
    contract = '  - {{server: plant, type: kafka, host: "127.0.0.1:{port}", format: json}}\n'

    def __init__(self, server: Server) -> None:
        self.server = server

    @functools.cached_property
    def admin(self):
        from confluent_kafka.admin import AdminClient

        return AdminClient({"bootstrap.servers": f"127.0.0.1:{self.server.port}", "log_level": 0})

    def make(self, partitions: int = 1) -> None:
        from confluent_kafka.admin import NewTopic

        for future in self.admin.create_topics([NewTopic("readings", num_partitions=partitions, replication_factor=1)]).values():
            future.result(10)

    def delete(self) -> None:
        for future in self.admin.delete_topics(["readings"]).values():
            future.exception(10)

    def remake(self) -> None:
        self.delete()
        self.make()

    def tell(self, *bodies: bytes | None, key: bytes | None = None, headers=None, partition: int = 0) -> None:
        from confluent_kafka import Producer

        producer = Producer({"bootstrap.servers": f"127.0.0.1:{self.server.port}", "log_level": 0})
        for body in bodies:
            producer.produce("readings", body, key=key, headers=headers, partition=partition)
        assert producer.flush(20) == 0

    def drop(self, keep: int) -> None:
        """All but the newest."""
        from confluent_kafka import TopicPartition
        from confluent_kafka.admin import OffsetSpec

        at = TopicPartition("readings", 0)
        end = self.admin.list_offsets({at: OffsetSpec.latest()})[at].result(10).offset
        for future in self.admin.delete_records([TopicPartition("readings", 0, end - keep)]).values():
            future.result(10)

    def more_partitions(self, partitions: int) -> None:
        from confluent_kafka.admin import NewPartitions

        for future in self.admin.create_partitions([NewPartitions("readings", partitions)]).values():
            future.result(10)

    def place(self, number: int) -> str:
        return f"readings[0]@{number}"


@contextmanager
def kafka_server(home: Path) -> Iterator[Kafka]:
    start = [str(kafka_program()), "start", "--only", "kafka", "--data-dir", str(home / "data")]
    with serving(home, lambda s: [*start, "--kafka-port", str(s.port)]) as found:
        yield Kafka(found)
