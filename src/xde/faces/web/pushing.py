"""The pages of `xde up`: `POST /push/DATASET` takes records in, `/health` and `/ready` tell how it is. An application of ASGI 3."""

from __future__ import annotations

import asyncio
import json
import math
from collections import deque
from typing import TYPE_CHECKING

from xde.app.receiving import Answer, refusal, settle
from xde.connectors.spool.bodies import FORMS
from xde.faces.web.requests import Memory, Refused, Request, answer
from xde.lifecycle.ingestion.push import NoRoom

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.app.landing import Lander
    from xde.app.receiving import Receiver
    from xde.faces.web.requests import Receive, Scope, Send
    from xde.lifecycle.ingestion.push import Entry

SMALL = 16_384  # bytes: what is read at once, where more goes to a thread so that others are answered meanwhile
LONGEST_KEY = 255  # characters of an idempotency key
REFUSED, NO_ROOM = "XDE0471", "XDE0478"


class Pushing:
    """Serves the receivers of some datasets. `closing` says that nothing more is taken in."""

    def __init__(self, doors: Mapping[str, Receiver], lander: Lander | None = None) -> None:
        self._doors = doors
        self._lander = lander
        self._memory = Memory()
        self._under_way: dict[tuple[str, str], asyncio.Future[Answer]] = {}
        self._settling: _Settling | None = None
        self.closing = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, answered."""
        request = Request(scope, receive, self._memory)
        try:
            found, headers = await self._answered(request)
        except Refused as error:
            found, headers = refusal(error.status, REFUSED, error.message), error.headers
            headers |= {"Connection": "close"} if error.close else {}
        finally:
            request.release()
        if found.status == 429 and "Retry-After" not in headers:
            headers["Retry-After"] = "1"
        await answer(send, found.status, found.body, headers)

    async def _answered(self, request: Request) -> tuple[Answer, dict[str, str]]:
        if request.path in {"/health", "/ready"}:
            if request.method not in {"GET", "HEAD"}:
                raise Refused(405, "ask with GET", {"Allow": "GET"})
            return (self._ready() if request.path == "/ready" else Answer(200, b'{"status":"up"}')), {}
        first, _, dataset = request.path[1:].partition("/")
        if first != "push" or not dataset:
            raise Refused(404, "there is nothing here: records go to /push/DATASET", close=True)
        if request.method != "POST":
            raise Refused(405, "records are pushed with POST", {"Allow": "POST"}, close=True)
        return await self._pushed(request, self._admitted(request, dataset))

    def _admitted(self, request: Request, dataset: str) -> Receiver:
        """The receiver of a dataset, for those who may push to it. Who has no key does not learn which datasets there are."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        given = key.strip() if scheme.lower() == "bearer" else ""
        door = self._doors.get(dataset)
        if door is None:
            known = all(d.open for d in self._doors.values()) or any(d.admits(given) for d in self._doors.values())
            raise _unauthorised() if not known else Refused(404, f"nothing is pushed to {dataset[:100]}", close=True)
        if not door.admits(given):
            raise _unauthorised()
        if self.closing:
            raise Refused(503, "the server is stopping", {"Retry-After": "5"}, close=True)
        if door.spool.waiting().bytes >= door.push.spool_bytes:
            raise Refused(429, "too much waits to be loaded", _later(door), close=True)
        return door

    async def _pushed(self, request: Request, door: Receiver) -> tuple[Answer, dict[str, str]]:
        form = _form(request)
        key = request.headers.get("idempotency-key", "").strip()
        if len(key) > LONGEST_KEY:
            raise Refused(400, f"an idempotency key may have {LONGEST_KEY} characters", close=True)
        body = await request.body(door.push.body_bytes)
        key, digest = door.known_as(key), door.digest(body, form)
        if not key:
            return await self._taken(door, body, form, "", digest)
        while (other := self._under_way.get((door.push.dataset, key))) is not None:
            await asyncio.wait([other])
        if (known := door.before(key, digest)) is not None:
            return known, {"Idempotency-Replayed": "true"} if known.status < 300 else {}
        ours = self._under_way[door.push.dataset, key] = asyncio.get_running_loop().create_future()
        try:
            return await self._taken(door, body, form, key, digest)
        finally:
            del self._under_way[door.push.dataset, key]
            ours.cancel()

    async def _taken(self, door: Receiver, body: bytes, form: str, key: str, digest: str) -> tuple[Answer, dict[str, str]]:
        small = len(body) <= SMALL and not door.treats
        taken = door.read(body, form, key, digest) if small else await asyncio.to_thread(door.read, body, form, key, digest)
        if taken.entry is None:
            return taken.answer, {}
        try:
            self._settling = self._settling or _Settling()
            await self._settling.on_disk(door, taken.entry)
        except NoRoom as error:
            return _no_room(error, door)
        return taken.answer, {}

    def _ready(self) -> Answer:
        told = {n: d.spool.waiting() for n, d in self._doors.items()}
        full = [n for n, d in self._doors.items() if told[n].bytes >= d.push.spool_bytes]
        failing = self._lander is not None and self._lander.failing
        well = not full and not failing and not self.closing
        fact = {
            "ready": well,
            **({"closing": True} if self.closing else {}),
            **({"landing": "failing"} if failing else {}),
            "waiting": {n: {"rows": w.rows, "bytes": w.bytes} for n, w in told.items()}
            if all(d.open for d in self._doors.values())
            else {},
        }
        return Answer(200 if well else 503, json.dumps(fact).encode())


class _Settling:
    """Brings the word of the disk's thread to the requests that wait for it: the loop is woken once for all that were synced together."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended: deque[tuple[asyncio.Future[None], BaseException | None]] = deque()
        self._woken = False

    async def on_disk(self, door: Receiver, entry: Entry) -> None:
        """Come back when an entry is on the disk. Raises `NoRoom`."""
        waiter: asyncio.Future[None] = self._loop.create_future()

        def done(error: BaseException | None) -> None:
            self._ended.append((waiter, error))
            if not self._woken:
                self._woken = True
                self._loop.call_soon_threadsafe(self._tell)

        settle(door, entry, done)
        await waiter

    def _tell(self) -> None:
        self._woken = False  # before anything is taken: who comes after it wakes again
        while self._ended:
            waiter, error = self._ended.popleft()
            if waiter.done():
                continue
            if error is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(error)


def _no_room(error: NoRoom, door: Receiver) -> tuple[Answer, dict[str, str]]:
    status = 507 if error.full else 503 if "disk fails" in str(error) or "closed" in str(error) else 429
    return refusal(status, NO_ROOM, str(error)), _later(door)


def _later(door: Receiver) -> dict[str, str]:
    return {"Retry-After": str(max(1, math.ceil(min(door.push.every, 60.0))))}


def _unauthorised() -> Refused:
    return Refused(401, "this needs the key of the source", {"WWW-Authenticate": 'Bearer realm="push"'}, close=True)


def _form(request: Request) -> str:
    kind, _, rest = request.headers.get("content-type", "").partition(";")
    form = FORMS.get(kind.strip().lower())
    if form is None:
        raise Refused(415, "the Content-Type must be one of " + ", ".join(FORMS), close=True)
    charset = next((p.partition("=")[2].strip(' "').lower() for p in rest.split(";") if p.strip().lower().startswith("charset=")), "utf-8")
    if charset not in {"utf-8", "utf8", "us-ascii"}:
        raise Refused(415, "a body must be UTF-8", close=True)
    return form
