"""A real API on the loopback interface: its orders, how it pages them, and all that may go wrong with its answers."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Reply:
    """What is sent, as it is sent: `body` text or data; `cut` bytes of it are not sent; `drip` seconds lie between its bytes."""

    body: object = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    drip: float = 0.0
    framed: bool = True
    packed: bool = False


@dataclass
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Api:
    """Answers by paths; each is asked with the request and gives a reply (or data, as JSON)."""

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[Asked], object]] = {}
        self.asked: list[Asked] = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                parts = urlsplit(self.path)
                query = {n: v[-1] for n, v in parse_qs(parts.query, keep_blank_values=True).items()}
                named = {n.lower(): v for n, v in self.headers.items()}
                asked = Asked(self.command, parts.path, query, named, self.rfile.read(length))
                api.asked.append(asked)
                answer = api.answers.get(parts.path)
                reply = answer(asked) if answer is not None else Reply({"error": "no such path"}, 404)
                self.send(reply if isinstance(reply, Reply) else Reply(reply))

            do_POST = do_GET  # noqa: N815 - the name by which the standard library calls it

            def send(self, reply: Reply) -> None:
                data = (
                    reply.body
                    if isinstance(reply.body, bytes)
                    else (reply.body if isinstance(reply.body, str) else json.dumps(reply.body)).encode()
                )
                if reply.packed:
                    data = gzip.compress(data)
                self.send_response(reply.status)
                headers = {"Content-Type": "application/json", **reply.headers}
                if reply.framed:
                    headers["Content-Length"] = str(len(data))
                else:
                    headers["Connection"] = "close"
                if reply.packed:
                    headers["Content-Encoding"] = "gzip"
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if reply.drip:
                    self._drip(data, reply.drip)
                else:
                    self.wfile.write(data[: max(0, len(data) - reply.cut)])
                if reply.cut or not reply.framed:
                    self.wfile.flush()
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True

            def _drip(self, data: bytes, between: float) -> None:
                for n in range(len(data)):
                    if api.over.wait(between):
                        return
                    try:
                        self.wfile.write(data[n : n + 1])
                    except OSError:
                        return

            def date_time_string(self, timestamp=None) -> str:
                return api.date or super().date_time_string(timestamp)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the standard library calls it
                """Say nothing."""

        self.date = ""
        self.over = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def queries(self, *names: str) -> list[tuple[str | None, ...]]:
        """Some parameters of each request so far."""
        return [tuple(a.query.get(n) for n in names) for a in self.asked]

    def pages_of(self, path: str, records: list[dict[str, object]] | Callable[[], list[dict[str, object]]], size: int = 2) -> None:
        """Records by `page` and `limit`, those since `since` alone where it is given, as `{"data": {"items": [...]}}`."""

        def answer(asked: Asked) -> object:
            found = records() if callable(records) else records
            since = asked.query.get("since")
            found = [r for r in found if since is None or str(r["updated_at"]) >= since]
            number = int(asked.query.get("page", "1"))
            take = int(asked.query.get("limit", str(size)))
            return {"data": {"items": found[(number - 1) * take : number * take]}, "meta": {"total": len(found)}}

        self.answers[path] = answer


@contextmanager
def serving() -> Iterator[Api]:
    """An API that answers until the end."""
    api = Api()
    thread = threading.Thread(target=api.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        api.over.set()
        api.server.shutdown()
        api.server.server_close()
        thread.join()
