"""Topics of Kafka: partitions are assigned to us by ourselves and read from the offsets of our own commits; no group shares them out.

A group that the contract names is told afterwards how far was read, for those who watch it. Events of transactions that are not committed
are not read (`isolation.level`), and a load ends where such a transaction begins.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # its stubs lack it

from xde.ground.clock import SystemClock
from xde.ground.errors import XdeError
from xde.ground.secrets import redact
from xde.lifecycle.sources.complaints import away, no_login, no_right, no_stream, no_way
from xde.lifecycle.sources.messages import headers_of, moment, plain_text
from xde.lifecycle.sources.reaching import reach, shut
from xde.lifecycle.sources.streams import HEADERS, KEY, OFFSET, PARTITION, TIMESTAMP, TOPIC, Event, Extent, Fetched, Mark, numbered
from xde.lifecycle.sources.tables import Looked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confluent_kafka import Message

    from xde.lifecycle.sources.tables import Ask

TIMEOUT = 30.0  # seconds for an answer
PIECE = 0.5  # seconds that are waited for events at a time
NO_ID = {"", "AAAAAAAAAAAAAAAAAAAAAA"}  # what a server without identifiers of topics says
NO_TIME = 0  # `TIMESTAMP_NOT_AVAILABLE`
_QUIET = logging.getLogger("xde.kafka")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False
_LOGIN = {KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED, KafkaError.UNSUPPORTED_SASL_MECHANISM}  # noqa: SLF001 - its public names
_RIGHT = {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED}
_GONE = {KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE}  # noqa: SLF001 - the same
_UNKNOWN = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION}  # noqa: SLF001 - the same
_NO_USE = {*_LOGIN, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE, KafkaError._SSL}  # noqa: SLF001 - the same


class KafkaStreams:
    """See `lifecycle.sources.brokers.Broker`. A mark is the offset of the next event, as Kafka's own groups have it."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._clock = SystemClock()
        self._consumer: Consumer | None = None
        self._administers: AdminClient | None = None
        self._heard: list[KafkaError] = []
        self._at: tuple[str, int] | None = None  # what is assigned, and the next offset that comes

    def identity(self, ask: Ask) -> str:
        """The cluster and, where it has such a thing, the topic's own identifier."""
        with self._asking(ask) as consumer:
            cluster = self._told_of(ask, consumer).cluster_id or ""
            try:
                found = self._admin(ask).describe_topics(TopicCollection([ask.relation]), request_timeout=TIMEOUT)[ask.relation].result()
            except KafkaException as error:
                if error.args[0].code() != KafkaError.UNSUPPORTED_VERSION:
                    raise
                return str(cluster)
        topic = str(found.topic_id)
        return str(cluster) if topic in NO_ID else f"{cluster}/{topic}"

    def extents(self, ask: Ask, marks: Mapping[str, Mark]) -> Mapping[str, Extent]:
        """Every partition that the topic has now, up to where all transactions are over."""
        with self._asking(ask) as consumer:
            topic = self._told_of(ask, consumer).topics[ask.relation]
            if topic.error is not None:
                raise KafkaException(topic.error)
            partitions = [TopicPartition(ask.relation, p) for p in sorted(topic.partitions)]
            admin, how = self._admin(ask), {"request_timeout": TIMEOUT, "isolation_level": IsolationLevel.READ_COMMITTED}
            earliest, latest = OffsetSpec.earliest(), OffsetSpec.latest()  # type: ignore[no-untyped-call]  # neither has it types for these
            first = admin.list_offsets(dict.fromkeys(partitions, earliest), **how)
            following = admin.list_offsets(dict.fromkeys(partitions, latest), **how)
            found = {str(p.partition): (first[p].result().offset, following[p].result().offset) for p in partitions}
        return {p: numbered(low, high, marks.get(p)) for p, (low, high) in found.items()}

    def fetch(self, ask: Ask, partition: str, span: tuple[Mark, Mark], most: int) -> Fetched:
        """Events of a partition by their offsets; the numbers of those that were compacted or never committed are passed over."""
        after, until = span
        with self._asking(ask) as consumer:
            if self._at != (partition, after.count):
                consumer.assign([TopicPartition(ask.relation, int(partition), after.count)])
            events, at = self._consumed(ask, consumer, after.count, until.count, most)
            self._at = (partition, at) if at <= until.count else None
        return Fetched(events, Mark(str(at), at), at >= until.count)

    def tell(self, ask: Ask, marks: Mapping[str, Mark]) -> None:
        """Commit the offsets to the group."""
        offsets = [TopicPartition(ask.relation, int(p), m.count) for p, m in marks.items()]
        with self._asking(ask) as consumer:
            for told in consumer.commit(offsets=offsets, asynchronous=False) or ():
                if told.error is not None:
                    raise KafkaException(told.error)

    def look(self, ask: Ask) -> list[Looked]:
        """Name, port, login, the topic and what is in it."""
        looked: list[Looked] = []
        for server in self._servers.split(","):
            host, _, port = server.rpartition(":")
            steps, there = reach(host, port, ask.limits.connect_timeout)
            looked += steps
            if there:
                break
        else:
            return looked
        try:
            extents = self.extents(ask, {})
            for name, extent in extents.items():
                if extent.begin != extent.end:
                    self.fetch(ask, name, (extent.begin, extent.end), 1)
                    break
        except XdeError as error:
            return [*looked, shut(ask.relation, error)]
        count = sum(x.end.count - x.begin.count for x in extents.values())
        told = f"{len(extents):,} {'partition' if len(extents) == 1 else 'partitions'}, up to {count:,} events"
        return [*looked, Looked("login", well=True, told="accepted"), Looked(f"topic `{ask.relation}`", well=True, told=told)]

    def close(self) -> None:
        """Let go of the connections."""
        if self._consumer is not None:
            self._consumer.close()

    def _told_of(self, ask: Ask, consumer: Consumer) -> Any:  # noqa: ANN401 - its stubs do not name it
        """What the servers say of the topic. The library would wait to the end where no server is there, or none lets us in."""
        ends = self._clock.monotonic() + ask.limits.connect_timeout
        while True:
            try:
                return consumer.list_topics(ask.relation, PIECE)
            except KafkaException:
                consumer.poll(0)  # it tells what went wrong
                if self._clock.monotonic() > ends or {e.code() for e in self._heard} & _NO_USE:
                    raise

    def _consumed(self, ask: Ask, consumer: Consumer, at: int, until: int, most: int) -> tuple[list[Event], int]:
        """Some events, and the offset of the next."""
        events: list[Event] = []
        ends = self._clock.monotonic() + TIMEOUT
        while not events and at < until:
            for message in consumer.consume(min(most, until - at), PIECE):
                error = message.error()
                if error is None and int(message.offset() or 0) < until:
                    events.append(_event(message))
                    at = int(message.offset() or 0) + 1
                elif error is None:
                    at = until
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                    at = max(at, min(int(message.offset() or 0), until))
                    if at < until:
                        return events, at
                elif error.code() in _GONE:
                    return events, at
                else:
                    raise KafkaException(error)
            if self._clock.monotonic() > ends:
                raise away(ask, f"no event came within {TIMEOUT:g} seconds")
        return events, at

    @property
    def _servers(self) -> str:
        of = self._settings
        return ",".join(
            h if ":" in h else f"{h}:{of.get('port', '9092')}" for h in (x.strip() for x in of.get("host", "localhost").split(","))
        )

    def _words(self, ask: Ask) -> dict[str, Any]:
        of = self._settings
        wait = max(1000, int(ask.limits.connect_timeout * 1000))
        words: dict[str, Any] = {
            "bootstrap.servers": self._servers,
            "client.id": "xde",
            "socket.connection.setup.timeout.ms": wait,
            "error_cb": self._heard.append,
            "logger": _QUIET,
            "security.protocol": ("SASL_" if "user" in of else "") + ("SSL" if of.get("tls") == "true" else "PLAINTEXT"),
        }
        if "user" in of:
            words |= {"sasl.mechanisms": of.get("saslMechanism", "PLAIN"), "sasl.username": of["user"]}
            words["sasl.password"] = of.get("password", "")
        if "caFile" in of:
            words["ssl.ca.location"] = of["caFile"]
        return words

    def _admin(self, ask: Ask) -> AdminClient:
        """Kept as long as what it is asked for may come: it takes its answers with it when it goes."""
        if self._administers is None:
            self._administers = AdminClient(self._words(ask))
        return self._administers

    @contextmanager
    def _asking(self, ask: Ask) -> Iterator[Consumer]:
        try:
            if self._consumer is None:
                own = {
                    "group.id": ask.streamed.group or "xde",
                    "enable.auto.commit": False,
                    "enable.partition.eof": True,
                    "auto.offset.reset": "error",
                    "isolation.level": "read_committed",
                    "queued.max.messages.kbytes": 16_384,
                }
                self._consumer = Consumer({**self._words(ask), **own})
            yield self._consumer
        except KafkaException as error:
            raise self._told(ask, error) from None

    def _told(self, ask: Ask, error: KafkaException) -> XdeError:
        found = error.args[0] if error.args and isinstance(error.args[0], KafkaError) else None
        heard = [*self._heard, *([found] if found is not None else [])]
        codes = {e.code() for e in heard}
        why = redact("; ".join(dict.fromkeys(" ".join(e.str().split()) for e in heard[-3:])) or str(error))
        if codes & _LOGIN:
            return no_login(ask, why)
        if codes & _RIGHT:
            user = ask.place.settings.get("user", "ANONYMOUS")
            group = f" --group {ask.streamed.group}" if ask.streamed.group else ""
            hint = f"let an administrator run: kafka-acls --add --allow-principal User:{user} --operation Read --operation Describe"
            return no_right(ask, why, f"{hint} --topic {ask.relation}{group}")
        if codes & _UNKNOWN:
            return no_stream(ask, "the server has no topic of this name", "mend `physicalName`, or have the topic made")
        if KafkaError._RESOLVE in codes or KafkaError._SSL in codes:  # noqa: SLF001 - its public names
            return no_way(ask, why)
        return away(ask, why)


def _event(message: Message) -> Event:
    kind, milliseconds = message.timestamp()
    value, key = message.value(), message.key()
    told: dict[str, object] = {
        TOPIC: message.topic(),
        PARTITION: message.partition(),
        OFFSET: message.offset(),
        KEY: plain_text(_bytes(key)) if key is not None else None,
        TIMESTAMP: moment(milliseconds) if kind != NO_TIME else None,
        HEADERS: headers_of(_pair(h) for h in message.headers() or ()),
    }
    body = _bytes(value) if value is not None else b""
    return Event(f"{message.topic()}[{message.partition()}]@{message.offset()}", body, told)


def _pair(header: Any) -> tuple[str, bytes | None]:  # noqa: ANN401 - its stubs have several shapes, and it gives one
    name, value = header
    return str(name), _bytes(value) if value is not None else None


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
