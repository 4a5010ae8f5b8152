"""The server of `xde up`: uvicorn in this process, stopped by a signal; what is under way is finished first."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from xde.faces.web.pushing import Pushing

STOPPING = 10  # seconds in which requests that are under way may be finished
SWITCH = 0.001  # seconds after which a thread gives way: those who push wait for the one that lands (Python's own 5 ms are felt)
BACKLOG = 2048  # connections that the system may keep until they are looked at


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = 8470


def listening(place: Place) -> socket.socket:
    """A socket that listens. Raises `UserError` where the address cannot be had."""
    try:
        family = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((place.host, place.port), family=family, backlog=BACKLOG)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else the end of an answer waits 40 ms for its beginning
    except OSError as error:
        hint = "another process may listen there: name another port, `xde up --port 8471`"
        raise UserError(Finding("XDE0479", f"`{place.host}:{place.port}` cannot be listened on", why=str(error), hint=hint)) from error
    return listener


def serve(pushing: Pushing, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises `UserError` where the extra is not installed."""
    uvicorn = _uvicorn()
    config = uvicorn.Config(
        pushing,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=STOPPING,
        backlog=BACKLOG,
        proxy_headers=False,
    )
    server = uvicorn.Server(config)
    server.capture_signals = nullcontext  # it would raise them again at the end, when what was taken in is not loaded yet

    sys.setswitchinterval(SWITCH)

    async def run() -> None:
        loop = asyncio.get_running_loop()

        def stop() -> None:
            pushing.closing = True
            server.should_exit = True

        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError):
                loop.add_signal_handler(number, stop)
        ready()
        await server.serve(sockets=[listener])

    with asyncio.Runner(loop_factory=config.get_loop_factory() if hasattr(config, "get_loop_factory") else None) as runner:
        runner.run(run())


def needed() -> None:
    """Raise a finding where the extra is not installed."""
    _uvicorn()


def _uvicorn() -> ModuleType:
    try:
        import uvicorn
    except ModuleNotFoundError:
        why = "`xde up` serves HTTP with the package `uvicorn`"
        raise UserError(Finding("XDE0465", "`xde up` needs a package more", why=why, hint="pip install 'xde[up]'")) from None
    return uvicorn
