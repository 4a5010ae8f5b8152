"""The services of AWS as moto's server plays them, on a free port of the loopback interface."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def playing() -> Iterator[str]:
    """The address of a server that has nothing yet."""
    moto_server = pytest.importorskip("moto.server", reason="moto is not installed")
    made = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    made.start()
    host, port = made.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        made.stop()
