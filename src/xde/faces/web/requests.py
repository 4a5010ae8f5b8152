"""A request over HTTP (ASGI 3): its headers, its body within limits of size and time, and how it is answered."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING, Any

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Scope = Mapping[str, Any]
    Receive = Callable[[], Awaitable[Mapping[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]

PIECE_WITHIN = 15.0  # seconds in which the next piece of a body must come
WHOLE_WITHIN = 120.0  # seconds for a whole body
HELD = 256 << 20  # bytes of bodies that are in memory at a time, of all requests
ENCODINGS = ("", "identity", "gzip")


class Refused(Exception):
    """A request that is not even read; `headers` go with the answer, and `close` says that the connection cannot go on."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None, *, close: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})
        self.close = close


@dataclass(slots=True)
class Memory:
    """How many bytes of bodies are held now."""

    held: int = 0


class Request:
    """One request; `headers` by name in small letters."""

    def __init__(self, scope: Scope, receive: Receive, memory: Memory) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        self._receive = receive
        self._memory = memory
        self._took = 0

    async def body(self, most: int) -> bytes:
        """The body, unpacked. Raises `Refused` where it is too large, packed in an unknown way, broken or too slow."""
        encoding = self.headers.get("content-encoding", "").strip().lower()
        if encoding not in ENCODINGS:
            raise Refused(415, f"a body may be packed with gzip, and not with {encoding[:40]}", {"Accept-Encoding": "gzip"}, close=True)
        length = self.headers.get("content-length", "")
        if length.isdigit() and int(length) > most:
            raise _too_large(most)
        try:
            async with asyncio.timeout(WHOLE_WITHIN):
                return await self._read(most, _Unpacked(most) if encoding == "gzip" else None)
        except TimeoutError:
            raise Refused(408, "the body came too slowly", close=True) from None

    async def _read(self, most: int, unpacked: _Unpacked | None) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while True:
            async with asyncio.timeout(PIECE_WITHIN):
                message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Refused(400, "the body was cut", close=True)
            piece = message.get("body", b"")
            piece = unpacked.more(piece) if unpacked is not None and piece else piece
            size += len(piece)
            if size > most:
                raise _too_large(most)
            self._hold(len(piece))
            pieces.append(piece)
            if not message.get("more_body", False):
                break
        if unpacked is not None and not unpacked.whole:
            raise Refused(400, "the gzip of the body is cut", close=True)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _hold(self, size: int) -> None:
        self._took += size
        self._memory.held += size
        if self._memory.held > HELD and self._took < self._memory.held:
            raise Refused(429, "too much is read at a time", {"Retry-After": "1"}, close=True)

    def release(self) -> None:
        """What was held of this request is not any more."""
        self._memory.held -= self._took
        self._took = 0


class _Unpacked:
    """Unpacks gzip piece by piece, never more than it may."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._left = most
        self._of = zlib.decompressobj(wbits=31)

    def more(self, piece: bytes) -> bytes:
        try:
            found = self._of.decompress(piece, self._left + 1)
        except zlib.error:
            raise Refused(400, "the body is no gzip", close=True) from None
        if len(found) > self._left:
            raise _too_large(self._most)
        self._left -= len(found)
        if self._of.unused_data:
            raise Refused(400, "more follows the gzip of the body", close=True)
        return found

    @property
    def whole(self) -> bool:
        return self._of.eof


def _too_large(most: int) -> Refused:
    return Refused(413, f"a body may have {most:,} bytes, unpacked", close=True)


async def answer(send: Send, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
    """Answer with JSON."""
    told = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Cache-Control": "no-store", **(headers or {})}
    await send({"type": "http.response.start", "status": status, "headers": [(k.encode(), v.encode()) for k, v in told.items()]})
    await send({"type": "http.response.body", "body": body})
