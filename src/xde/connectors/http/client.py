"""Requests sent with the standard library: one connection kept open for each server, gzip, limits of time and size, proxies.

`http.client` is enough for this: requests of a source go one after the other, and what a bigger library brings (pools, redirection,
retries, cookies) is either not needed or must be done here anyway, so that it is bounded and told in our words.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import zlib
from base64 import b64encode
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from xde import __version__
from xde.connectors.http.calls import PORTS, Answer, Call, Fault
from xde.ground.clock import SystemClock
from xde.ground.secrets import hide

if TYPE_CHECKING:
    from pathlib import Path

    from xde.ground.clock import Clock
    from xde.lifecycle.sources.apis import Manners

PIECE = 1 << 16
AGENT = f"xde/{__version__}"
GZIP = 31  # windowBits of zlib for gzip (zlib.h, inflateInit2)

_PATH = "/%:@!$&'()*+,;=~"  # what may stand there as it is (RFC 3986, 3.3 and 3.4); the rest is written in hexadecimal digits
_QUERY = _PATH + "?"


class TooBig(Exception):
    """An answer of more bytes than may be."""


class NotTrusted(Exception):
    """A certificate that nobody vouches for."""


class Client:
    """Sends calls. Raises `Fault` for what may pass, `TooBig`, and `NotTrusted`."""

    def __init__(self, manners: Manners, ca_file: Path | None = None, clock: Clock | None = None) -> None:
        self._manners = manners
        self._ca_file = ca_file
        self._clock = clock or SystemClock()
        self._open: dict[tuple[str, str], http.client.HTTPConnection] = {}
        self._context: ssl.SSLContext | None = None

    def send(self, call: Call) -> Answer:
        """The answer, whole. A connection that was kept open and is closed by now is opened once more."""
        parts = urlsplit(call.url)
        key = (parts.scheme, parts.netloc)
        kept = self._open.pop(key, None)
        try:
            if kept is not None:
                with suppress(http.client.RemoteDisconnected, ConnectionError, http.client.CannotSendRequest):
                    return self._exchange(kept, parts, call)
                kept.close()
            return self._exchange(self._connection(parts), parts, call)
        except ssl.SSLCertVerificationError as error:
            raise NotTrusted(error.verify_message) from error
        except TimeoutError as error:
            raise Fault(f"no answer within {self._manners.timeout:g} seconds") from error
        except (OSError, http.client.HTTPException, zlib.error, EOFError) as error:
            raise Fault(_told(error)) from error

    def close(self) -> None:
        """Close what is kept open."""
        for connection in self._open.values():
            connection.close()
        self._open.clear()

    def _exchange(self, connection: http.client.HTTPConnection, parts: SplitResult, call: Call) -> Answer:
        ends = self._clock.monotonic() + self._manners.timeout
        done = False
        try:
            if connection.sock is None:
                connection.connect()
            taken = connection.sock
            taken.settimeout(self._manners.timeout)
            connection.request(call.method, self._target(parts), call.body, _headers(call, parts))
            answer = self._read(connection.getresponse(), taken, ends)
            done = True
        finally:
            if not done or connection.sock is None:
                connection.close()
        if connection.sock is not None:
            self._open[parts.scheme, parts.netloc] = connection
        return answer

    def _read(self, response: http.client.HTTPResponse, taken: socket.socket, ends: float) -> Answer:
        headers: dict[str, str] = {}
        for name, value in response.getheaders():
            headers[name.lower()] = f"{headers[name.lower()]}, {value}" if name.lower() in headers else value
        framed = response.length is not None or response.chunked
        unpack = zlib.decompressobj(GZIP) if headers.get("content-encoding", "").strip().lower() == "gzip" else None
        pieces, size = [], 0
        while True:
            left = ends - self._clock.monotonic()
            if left <= 0:
                raise TimeoutError
            with suppress(OSError):  # the last piece may have closed it
                taken.settimeout(left)
            piece = response.read1(PIECE)
            if not piece:
                break
            if unpack is not None:
                piece = unpack.decompress(piece, self._manners.response_bytes + 1)
            pieces.append(piece)
            size += len(piece)
            if size > self._manners.response_bytes:
                raise TooBig
        if response.length:  # `read1` does not tell
            raise Fault(f"the answer was cut: {response.length:,} bytes of it are missing")
        if unpack is not None and not unpack.eof and size:
            raise Fault("the answer was cut within what is packed")
        response.close()  # it does not notice by itself that `read1` came to its end, and the connection would take no other request
        return Answer(response.status, headers, b"".join(pieces), framed)

    def _connection(self, parts: SplitResult) -> http.client.HTTPConnection:
        """Opened by way of the proxy that the environment names (`https_proxy`, `no_proxy`), if any."""
        host, port = parts.hostname or "", parts.port
        wait = self._manners.connect_timeout
        proxy = _proxy(parts.scheme, host)
        if parts.scheme == "https":
            context = self.trusted()
            if proxy is None:
                return http.client.HTTPSConnection(host, port, timeout=wait, context=context)
            connection = http.client.HTTPSConnection(proxy.hostname or "", proxy.port, timeout=wait, context=context)
            connection.set_tunnel(host, port or PORTS["https"], _proxy_login(proxy))
            return connection
        if proxy is not None:
            host, port = proxy.hostname or "", proxy.port
        return http.client.HTTPConnection(host, port, timeout=wait)

    def trusted(self) -> ssl.SSLContext:
        """The authorities that are trusted: the machine's, and the contract's own."""
        if self._context is None:
            self._context = ssl.create_default_context()
            if self._ca_file is not None:
                self._context.load_verify_locations(self._ca_file)
        return self._context

    @staticmethod
    def _target(parts: SplitResult) -> str:
        target = quote(parts.path or "/", safe=_PATH) + (f"?{quote(parts.query, safe=_QUERY)}" if parts.query else "")
        return f"http://{parts.netloc}{target}" if parts.scheme == "http" and _proxy("http", parts.hostname or "") is not None else target


def _headers(call: Call, parts: SplitResult) -> dict[str, str]:
    headers = {"User-Agent": AGENT, "Accept": "application/json", "Accept-Encoding": "gzip", **dict(call.headers)}
    proxy = _proxy(parts.scheme, parts.hostname or "") if parts.scheme == "http" else None
    return {**headers, **_proxy_login(proxy)} if proxy is not None else headers


def _proxy(scheme: str, host: str) -> SplitResult | None:
    found = None if proxy_bypass(host) else getproxies().get(scheme)
    return urlsplit(found if "://" in found else f"http://{found}") if found else None


def _proxy_login(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    password = unquote(proxy.password or "")
    hide(password)
    login = b64encode(f"{unquote(proxy.username)}:{password}".encode()).decode()
    return {"Proxy-Authorization": f"Basic {login}"}


def _told(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return f"the name of its host is not known: {error.strerror or error}"
    if isinstance(error, http.client.RemoteDisconnected):
        return "the connection was closed without an answer"
    if isinstance(error, http.client.IncompleteRead):
        return "the answer was cut"
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
