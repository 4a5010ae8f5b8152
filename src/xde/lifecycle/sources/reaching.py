"""The first steps on the way to a server, one after the other, for a doctor to tell: its name, its port; and why its door stays shut."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.lifecycle.sources.tables import Looked

if TYPE_CHECKING:
    from xde.ground.errors import XdeError


def is_port(written: str) -> bool:
    """Whether a text is the number of a port."""
    return written.isascii() and written.isdigit() and len(written) <= 5 and 0 < int(written) < 65536


def reach(host: str, port: int | str, wait: float) -> tuple[list[Looked], bool]:
    """What was found on the way to a port, with how long it took, and whether somebody listens there. `wait` is in seconds."""
    if not is_port(str(port)):
        return [Looked(f"port `{port}`", well=False, told="no number from 1 to 65535", mend="mend `port` in the contract")], False
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        mend = "mend `host` in the contract, or the name service of this machine"
        return [Looked(f"name `{host}`", well=False, told=(error.strerror or str(error)).lower(), mend=mend)], False
    looked = [Looked(f"name `{host}`", well=True, told=str(found[0][4][0]))]
    begun = time.monotonic()
    try:
        with socket.create_connection((host, port), timeout=wait):
            told = f"open ({time.monotonic() - begun:.2f} s)"
    except OSError as error:
        mend = "start the server, or let its firewall admit this machine"
        return [*looked, Looked(f"port {port}", well=False, told=(error.strerror or str(error)).lower(), mend=mend)], False
    return [*looked, Looked(f"port {port}", well=True, told=told)], True


def shut(relation: str, error: XdeError) -> Looked:
    """What keeps us from a relation: the login, or what is told of it."""
    if not isinstance(error, UserError):
        return Looked("login", well=False, told=str(error), mend="try again")
    last = error.findings[0]
    return Looked("login" if last.code == "XDE0481" else f"`{relation}`", well=False, told=str(error), mend=last.hint)
