"""Streams of Redis: entries read by their ids, which no group has to hold for us, and counted, so that none goes away unnoticed.

A server counts all entries that were ever added to a stream. Held against how many there had been at the last one that we read, that tells
how many were trimmed in between (Redis 7). Both are asked for in one transaction with the entries themselves.
"""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError
from redis.retry import Retry

from xde.ground.errors import XdeError
from xde.ground.secrets import redact
from xde.lifecycle.sources.complaints import away, no_login, no_right, no_stream, no_way
from xde.lifecycle.sources.messages import moment, plain_text
from xde.lifecycle.sources.reaching import reach, shut
from xde.lifecycle.sources.servers import clock_of
from xde.lifecycle.sources.streams import OFFSET, TIMESTAMP, TOPIC, Event, Extent, Fetched, Mark
from xde.lifecycle.sources.tables import Looked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from redis.client import Pipeline

    from xde.lifecycle.sources.tables import Ask

WHOLE = ""  # the one partition of a stream
NONE = "0-0"
TIMEOUT = 30.0  # seconds for an answer


class RedisStreams:
    """See `lifecycle.sources.brokers.Broker`."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._client: redis.Redis | None = None

    def identity(self, ask: Ask) -> str:  # noqa: ARG002 - others have one
        """A stream of Redis has nothing that tells it from another of its name but its ids and counts."""
        return ""

    def extents(self, ask: Ask, marks: Mapping[str, Mark]) -> Mapping[str, Extent]:
        """The one partition that there is."""
        with self._asking(ask) as client:
            return {WHOLE: _extent(ask, _info(client.xinfo_stream(ask.relation)), marks.get(WHOLE))}

    def fetch(self, ask: Ask, partition: str, span: tuple[Mark, Mark], most: int) -> Fetched:  # noqa: ARG002 - there is one
        """Entries by their ids; none, where some that come next were trimmed meanwhile."""
        after, until = span
        with self._asking(ask) as client:
            pipeline: Pipeline = client.pipeline(transaction=True)
            pipeline.xinfo_stream(ask.relation)
            pipeline.xrange(ask.relation, f"({after.at}", until.at, most)
            told, entries = pipeline.execute()
        extent = _extent(ask, _info(told), after)
        if extent.lost or extent.broken:
            return Fetched((), after, whole=False)
        events = [_event(ask, entry) for entry in entries]
        mark = Mark(events[-1].told[OFFSET], after.count + len(events)) if events else after  # type: ignore[arg-type]  # it is a text
        return Fetched(events, mark, whole=len(events) < most or mark.at == until.at)

    def tell(self, ask: Ask, marks: Mapping[str, Mark]) -> None:
        """Set the group to the last entry that was read; it is made where there is none."""
        mark, group = marks[WHOLE], ask.streamed.group
        with self._asking(ask) as client:
            try:
                client.xgroup_setid(ask.relation, group, mark.at, entries_read=mark.count)
            except ResponseError as error:
                if "NOGROUP" not in str(error):
                    raise
                client.xgroup_create(ask.relation, group, mark.at, entries_read=mark.count)

    def look(self, ask: Ask) -> list[Looked]:
        """Name, port, login, version, the stream and what is in it."""
        looked, there = reach(self._settings.get("host", "localhost"), self._port, ask.limits.connect_timeout)
        if not there:
            return looked
        try:
            with self._asking(ask) as client:
                client.ping()
                clock = _clock(client)
                told = _info(client.xinfo_stream(ask.relation))
                client.xrange(ask.relation, count=1)
        except XdeError as error:
            return [*looked, shut(ask.relation, error)]
        newest = plain_text(told["last-generated-id"])
        count = int(told["length"])
        entries = f"{count:,} {'entry' if count == 1 else 'entries'}, the newest is `{newest}`"
        return [*looked, Looked("login", well=True, told="accepted"), *clock, Looked(f"stream `{ask.relation}`", well=True, told=entries)]

    def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            self._client.close()

    @property
    def _port(self) -> int:
        return int(self._settings.get("port", "6379"))

    @contextmanager
    def _asking(self, ask: Ask) -> Iterator[redis.Redis]:
        of = self._settings
        try:
            if self._client is None:
                self._client = redis.Redis(
                    of.get("host", "localhost"),
                    self._port,
                    int(of.get("database", "0")),
                    username=of.get("user"),
                    password=of.get("password"),
                    socket_connect_timeout=ask.limits.connect_timeout,
                    socket_timeout=TIMEOUT,
                    ssl=of.get("tls") == "true",
                    ssl_ca_certs=of.get("caFile"),
                    retry=Retry(NoBackoff(), 0),  # a step that fails is tried again by the run
                )
                self._client.set_response_callback("XRANGE", lambda answer, **_: answer)  # a field may be there twice
            yield self._client
        except redis.RedisError as error:
            raise _told(ask, error) from None


def _clock(client: redis.Redis) -> list[Looked]:
    """The server's clock beside ours; a user who may not ask for it is none the worse."""

    def now() -> datetime:
        seconds, micros = client.time()
        return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=micros)

    try:
        return [clock_of(now)]
    except NoPermissionError:
        return []


def _told(ask: Ask, error: redis.RedisError) -> XdeError:
    why = redact(" ".join(str(error).split()))
    low = why.lower()
    if isinstance(error, AuthenticationError) or "noauth" in low or "wrongpass" in low:
        return no_login(ask, why)
    if isinstance(error, NoPermissionError):
        user = ask.place.settings.get("user", "xde")
        own = " +xgroup" if ask.streamed.group else ""
        return no_right(ask, why, f"let an administrator run: ACL SETUSER {user} ~{ask.relation} +ping +multi +exec +xinfo +xrange{own}")
    if "no such key" in low:
        return no_stream(ask, "the server has no key of this name", "mend `physicalName`, or have the producer add its first entry")
    if "wrongtype" in low:
        return no_stream(ask, "the key of this name is no stream", "mend `physicalName`: it is the key of a stream")
    if "name or service not known" in low or "nodename nor servname" in low or "certificate" in low:
        return no_way(ask, why)
    return away(ask, why)


def _info(told: object) -> dict[str, Any]:
    return cast("dict[str, Any]", told)


def _extent(ask: Ask, told: Mapping[str, Any], mark: Mark | None) -> Extent:
    if "entries-added" not in told:
        raise no_stream(ask, "the server does not count what is added to a stream, as Redis does from version 7 on", "read it from Redis 7")
    added, length = int(told["entries-added"]), int(told["length"])
    end = Mark(str(plain_text(told["last-generated-id"])), added)
    begin = Mark(NONE, added - length)
    if mark is None:
        return Extent(begin, end)
    if _ordered(end.at) < _ordered(mark.at) or added < mark.count:
        return Extent(begin, end, broken=f"its newest entry is `{end.at}`, the {added:,}. of all, and `{mark.at}` was read")
    first = told["first-entry"]
    trimmed = first is None or _ordered(str(plain_text(first[0]))) > _ordered(mark.at)
    return Extent(begin, end, max(0, begin.count - mark.count) if trimmed else 0)


def _ordered(at: str) -> tuple[int, int]:
    milliseconds, _, number = at.partition("-")
    return int(milliseconds), int(number or 0)


def _event(ask: Ask, entry: tuple[bytes, list[bytes]]) -> Event:
    at = str(plain_text(entry[0]))
    flat = entry[1]
    fields = list(zip(flat[::2], flat[1::2], strict=True))
    told: dict[str, object] = {TOPIC: ask.relation, OFFSET: at, TIMESTAMP: moment(_ordered(at)[0])}
    return Event(f"{ask.relation}@{at}", _body(ask, fields), told)


def _body(ask: Ask, fields: list[tuple[bytes, bytes]]) -> bytes:
    """The record: one field of the entry, or all of them as texts."""
    wanted = ask.streamed.payload.encode()
    if wanted:
        with suppress(StopIteration):
            return next(v for n, v in fields if n == wanted)
    texts = {n.decode("utf-8", "surrogateescape"): v.decode("utf-8", "surrogateescape") for n, v in fields}
    if len(texts) < len(fields) or wanted:  # it is not what the contract says: a list, which becomes a letter
        pairs = [[n.decode("utf-8", "surrogateescape"), v.decode("utf-8", "surrogateescape")] for n, v in fields]
        return json.dumps(pairs, ensure_ascii=False).encode("utf-8", "surrogateescape")
    return json.dumps(texts, ensure_ascii=False).encode("utf-8", "surrogateescape")
