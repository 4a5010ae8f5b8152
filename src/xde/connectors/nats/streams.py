"""Streams of NATS JetStream: messages by their sequence, by a consumer that lives as long as a load and to which nothing is acknowledged.

A consumer passes over what its stream dropped a moment ago, and a client over what comes too fast. So the messages that are handed over are
held against their numbers, the stream's and the consumer's own, and where one is missing the stream is asked what became of it.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import APIError, NotFoundError, ServiceUnavailableError

from xde.ground.errors import XdeError
from xde.ground.secrets import redact
from xde.lifecycle.sources.complaints import away, label, no_login, no_right, no_stream, no_way
from xde.lifecycle.sources.messages import moment
from xde.lifecycle.sources.reaching import reach, shut
from xde.lifecycle.sources.streams import HEADERS, OFFSET, TIMESTAMP, TOPIC, Event, Extent, Fetched, Mark, numbered
from xde.lifecycle.sources.tables import Looked

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Mapping, Sequence

    from nats.aio.msg import Msg
    from nats.js.api import StreamInfo
    from nats.js.client import JetStreamContext

    from xde.lifecycle.sources.tables import Ask

Found = TypeVar("Found")
WHOLE = ""  # the one partition of a stream
TIMEOUT = 15.0  # seconds for an answer
AT_ONCE = 500
PENDING = 1 << 30  # bytes that the client may hold before it throws some away: more than it is ever asked for
IDLE = 60.0  # seconds after which the server forgets a consumer that a killed process left


class NatsStreams:
    """See `lifecycle.sources.brokers.Broker`. A mark counts by the stream's sequence: that of the last message that was read."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        self._broken = asyncio.Event()
        self._client: Client | None = None
        self._heard: list[Exception] = []
        self._reading: _Reading | None = None

    def identity(self, ask: Ask) -> str:
        """When the stream was made."""
        with self._asking(ask):
            return str(self._info(ask).created)

    def extents(self, ask: Ask, marks: Mapping[str, Mark]) -> Mapping[str, Extent]:
        """The one partition that there is."""
        with self._asking(ask):
            info = self._info(ask)
        state = info.state
        return {WHOLE: numbered(max(state.first_seq - 1, 0), state.last_seq, marks.get(WHOLE))}

    def fetch(self, ask: Ask, partition: str, span: tuple[Mark, Mark], most: int) -> Fetched:  # noqa: ARG002 - there is one
        """Messages by their sequence."""
        after, until = span
        with self._asking(ask):
            if self._reading is None or self._reading.last != after.count:
                self._reading = self._run(_Reading.begun(self._stream(), ask, after.count))
            messages = self._run(self._reading.next(min(most, AT_ONCE)))
            within = [m for m in messages if m.metadata.sequence.stream <= until.count]
            whole = len(within) < len(messages) or not self._reading.pending
            kept = self._without_gap(ask, after.count, within, until.count if whole else None)
        if len(kept) < len(within) or (whole and kept is not within):
            self._reading, whole = None, False
        last = kept[-1].metadata.sequence.stream if kept else after.count
        return Fetched([_event(m) for m in kept], Mark(str(last), last), whole or last == until.count)

    def tell(self, ask: Ask, marks: Mapping[str, Mark]) -> None:
        """Nobody has to be told."""

    def look(self, ask: Ask) -> list[Looked]:
        """Name, port, login, the stream and what is in it."""
        of = self._settings
        looked, there = reach(of.get("host", "localhost"), of.get("port", "4222"), ask.limits.connect_timeout)
        if not there:
            return looked
        try:
            with self._asking(ask):
                state = self._info(ask).state
                self._run(_Reading.begun(self._stream(), ask, state.last_seq))
        except XdeError as error:
            return [*looked, shut(ask.relation, error)]
        told = f"{state.messages:,} messages, numbers {state.first_seq:,} to {state.last_seq:,}"
        return [*looked, Looked("login", well=True, told="accepted"), Looked(f"stream `{ask.relation}`", well=True, told=told)]

    def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            with suppress(NatsError, OSError):
                self._loop.run_until_complete(self._client.close())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def _info(self, ask: Ask) -> StreamInfo:
        info = self._run(self._stream().stream_info(ask.relation))
        if info.config.retention not in {None, "limits"}:
            why = f"it is a stream of retention `{info.config.retention}`, which drops a message once its consumers have it"
            raise no_stream(ask, why, "give it retention `limits`, or read a stream that has it as its `source`")
        return info

    def _without_gap(self, ask: Ask, after: int, messages: Sequence[Msg], until: int | None) -> Sequence[Msg]:
        """The messages up to the first that the stream dropped before it was handed over; the same object where there is none."""
        numbers = [m.metadata.sequence.stream for m in messages]
        expected = after + 1
        for number in numbers:
            if number != expected:
                break
            expected += 1
        if expected > (until if until is not None else (numbers[-1] if numbers else after)):
            return messages
        if self._info(ask).state.first_seq <= expected:
            return messages  # it was deleted by itself, or is none of the subject
        return [m for m in messages if m.metadata.sequence.stream < expected]

    def _stream(self) -> JetStreamContext:
        assert self._client is not None  # noqa: S101 - `_asking` has connected it
        return self._client.jetstream(timeout=TIMEOUT)

    def _run(self, task: Coroutine[Any, Any, Found]) -> Found:
        return self._loop.run_until_complete(self._unless_broken(task))

    async def _unless_broken(self, work: Coroutine[Any, Any, Found]) -> Found:
        """What comes of some work; the client itself would wait for an answer on a connection that is gone."""
        doing, broken = asyncio.ensure_future(work), asyncio.ensure_future(self._broken.wait())
        await asyncio.wait({doing, broken}, return_when=asyncio.FIRST_COMPLETED)
        broken.cancel()
        if not doing.done():
            doing.cancel()
            await asyncio.wait({doing}, timeout=TIMEOUT)
            raise ConnectionResetError("the connection was closed")
        return doing.result()

    @contextmanager
    def _asking(self, ask: Ask) -> Iterator[None]:
        try:
            if self._client is None:
                self._client = self._run(self._connected(ask))
            yield
        except (NatsError, OSError, ValueError) as error:
            self._reading = None
            raise self._told(ask, error) from None

    async def _connected(self, ask: Ask) -> Client:
        of = self._settings

        async def hear(error: Exception) -> None:
            self._heard.append(error)
            told = "permissions violation" in str(error).lower() or isinstance(error, ssl.SSLCertVerificationError)
            if told:  # whoever asked would wait for an answer that never comes
                self._broken.set()

        async def end() -> None:
            self._broken.set()

        tls = ssl.create_default_context(cafile=of.get("caFile")) if of.get("tls") == "true" else None
        client = Client()
        try:
            connecting = client.connect(
                f"{'tls' if tls else 'nats'}://{of.get('host', 'localhost')}:{of.get('port', '4222')}",
                name="xde",
                user=of.get("user"),
                password=of.get("password"),
                tls=tls,
                error_cb=hear,
                closed_cb=end,
                disconnected_cb=end,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=max(1, int(ask.limits.connect_timeout)),
            )
            await asyncio.wait_for(connecting, ask.limits.connect_timeout + 1)
        except BaseException:
            with suppress(NatsError, OSError):
                await client.close()
            raise
        return client

    def _told(self, ask: Ask, error: Exception) -> XdeError:
        heard = [*self._heard, error]
        words = redact("; ".join(dict.fromkeys(" ".join(str(e).split()) or type(e).__name__ for e in heard[-3:])))
        low = words.lower()
        if "authorization violation" in low or "authentication" in low:
            return no_login(ask, words)
        if "permissions violation" in low:
            user, name = ask.place.settings.get("user", "xde"), ask.relation
            needed = ("STREAM.INFO.{}", "CONSUMER.CREATE.{}", "CONSUMER.CREATE.{}.>", "CONSUMER.INFO.{}.*", "CONSUMER.MSG.NEXT.{}.*")
            subjects = ", ".join(f"$JS.API.{n.format(name)}" for n in needed)
            return no_right(ask, words, f"let `{user}` publish to {subjects}, and subscribe to _INBOX.>")
        if isinstance(error, NotFoundError):
            return no_stream(
                ask, f"`{label(ask)}` has no stream of this name", "mend `physicalName`: it is the name of the stream, not a subject"
            )
        if isinstance(error, ServiceUnavailableError):
            return no_stream(ask, "JetStream is not there", "switch it on for the server and the account: `jetstream: enabled`")
        if isinstance(error, APIError) and error.code == 400:
            return no_stream(ask, words, "look at `subject` of its `xdeStream`")
        if any(isinstance(e, socket.gaierror | ssl.SSLCertVerificationError) for e in heard):
            return no_way(ask, words)
        return away(ask, words)


class _Reading:
    """A consumer under way, after the message `last`; `pending` are those that it has not handed over yet."""

    def __init__(self, subscription: JetStreamContext.PullSubscription, last: int, pending: int) -> None:
        self._subscription = subscription
        self._number = 0
        self.last = last
        self.pending = pending

    @classmethod
    async def begun(cls, stream: JetStreamContext, ask: Ask, after: int) -> _Reading:
        """Make the consumer."""
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=after + 1, ack_policy=AckPolicy.NONE, inactive_threshold=IDLE
        )
        subject = ask.streamed.subject or ">"
        subscription = await stream.pull_subscribe(subject, stream=ask.relation, config=config, pending_bytes_limit=PENDING)
        return cls(subscription, after, (await subscription.consumer_info()).num_pending or 0)

    async def next(self, most: int) -> list[Msg]:
        """Some messages. Those behind one that the client lost are left out."""
        if not self.pending:
            return []
        found = await self._subscription.fetch(min(most, self.pending), TIMEOUT)
        kept: list[Msg] = []
        for message in found:
            if message.metadata.sequence.consumer != self._number + 1:
                break
            kept.append(message)
            self._number += 1
            self.last, self.pending = message.metadata.sequence.stream, message.metadata.num_pending
        if len(kept) < len(found):
            self.last, self.pending = -1, 1  # nobody goes on with this one
        return kept


def _event(message: Msg) -> Event:
    of = message.metadata
    told: dict[str, object] = {
        TOPIC: message.subject,
        OFFSET: of.sequence.stream,
        TIMESTAMP: moment(of.timestamp.timestamp() * 1000),
        HEADERS: dict(message.headers or {}),
    }
    return Event(f"{of.stream}@{of.sequence.stream}", message.data, told)
