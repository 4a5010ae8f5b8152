"""What stands between us and an API, one thing after the other: its name, its port, its certificate, its door, its clock."""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from xde.connectors.http.calls import Call, Fault, origin, words_of
from xde.connectors.http.client import NotTrusted, TooBig
from xde.connectors.http.retrying import moment
from xde.connectors.http.signing import Signed
from xde.ground.clock import SystemClock
from xde.ground.errors import UserError
from xde.lifecycle.sources.tables import Looked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.connectors.http.client import Client
    from xde.lifecycle.sources.tables import Ask

SKEW = 120.0  # seconds by which the clocks may differ: what is signed or has an end is refused beyond a few minutes
SOON = 14  # days before its end at which a certificate is told


@dataclass(frozen=True, slots=True)
class _Reached:
    looked: list[Looked]
    well: bool


def look(ask: Ask, settings: Mapping[str, str], client: Client, first: Call) -> list[Looked]:
    """All that is in order, up to the first thing that is not."""
    reached = _reach(settings["location"], ask)
    return reached.looked if not reached.well else [*reached.looked, *_answer(ask, settings, client, first)]


def _reach(location: str, ask: Ask) -> _Reached:
    """Name and port, where there is no proxy between; a proxy does both for us."""
    from urllib.request import getproxies, proxy_bypass

    scheme, host, port = origin(location)
    if scheme in getproxies() and not proxy_bypass(host):
        return _Reached([Looked(host, well=True, told="by way of a proxy")], well=True)
    wait = ask.asked.manners.connect_timeout
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        mend = "mend `location` of the server, or the name service of this machine"
        return _Reached([Looked(host, well=False, told=f"its name is not known: {error.strerror or error}", mend=mend)], well=False)
    looked = [Looked(host, well=True, told=f"{found[0][4][0]}")]
    begun = time.monotonic()
    try:
        with closing(socket.create_connection((host, port), wait)):
            looked.append(Looked(f"port {port}", well=True, told=f"open ({time.monotonic() - begun:.2f} s)"))
    except OSError as error:
        mend = "look whether it is up, and whether a firewall is between"
        return _Reached([*looked, Looked(f"port {port}", well=False, told=f"{error.strerror or error}".lower(), mend=mend)], well=False)
    return _Reached(looked, well=True)


def _answer(ask: Ask, settings: Mapping[str, str], client: Client, first: Call) -> list[Looked]:
    looked: list[Looked] = []
    begun = time.monotonic()
    try:
        answer = Signed(client.send, settings, ask)(first)
    except NotTrusted as error:
        mend = "name the file of your own authority in `caFile` of `xdeApi`, or have the certificate renewed"
        return [Looked("TLS", well=False, told=f"the certificate is not trusted: {error}", mend=mend)]
    except UserError as error:
        return [Looked("auth", well=False, told=f"it refuses: {error}", mend=error.findings[0].hint)]
    except TooBig:
        return [Looked(first.shown, well=False, told="its answer is too big", mend="ask for smaller pages (`size`)")]
    except Fault as error:
        return [Looked(first.shown, well=False, told=str(error), mend="try again in a moment")]
    took = time.monotonic() - begun
    if settings["location"].startswith("https://"):
        looked.append(_certificate(settings["location"], client))
    if answer.status in {401, 403}:
        told = (
            f"it refuses with {answer.status}: {words_of(answer)}"
            if answer.status == 401
            else f"one may not read it (403): {words_of(answer)}"
        )
        mend = (
            "look whether the secret of `auth` is the right one" if answer.status == 401 else "ask the API's owner for the right to read it"
        )
        return [*looked, Looked(first.shown, well=False, told=told, mend=mend)]
    if answer.status == 429:
        said = answer.headers.get("retry-after", "")
        told = "too many requests" + (f"; again after {said}" if said else "")
        return [*looked, Looked(first.shown, well=False, told=told, mend="lower `requestsPerSecond` in `limits` of `xdeApi`")]
    if not 200 <= answer.status < 300:
        mend = "mend `physicalName` (the path) or the query in the contract"
        return [*looked, Looked(first.shown, well=False, told=f"it answers {answer.status}: {words_of(answer)}", mend=mend)]
    looked.append(Looked(first.shown, well=True, told=f"{answer.status} in {took:.2f} s"))
    return [*looked, *_clock(answer.headers.get("date", ""))]


def _certificate(location: str, client: Client) -> Looked:
    """The end of the certificate. It was trusted a moment ago."""
    _, host, port = origin(location)
    try:
        with (
            closing(socket.create_connection((host, port), 10.0)) as plain,
            client.trusted().wrap_socket(plain, server_hostname=host) as wrapped,
        ):
            told = wrapped.getpeercert() or {}
            version = wrapped.version() or "TLS"
    except OSError as error:
        return Looked("TLS", well=True, told=f"not looked at: {error}")
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(told.get("notAfter"))), UTC)
    days = (ends - SystemClock().now()).days
    soon = f", and ends in {days} days" if days < SOON else f" until {ends.date().isoformat()}"
    return Looked("TLS", well=True, told=f"{version}, trusted{soon}")


def _clock(said: str) -> list[Looked]:
    """By the `Date` of the answer."""
    there = moment(said)
    if there is None:
        return []
    apart = (SystemClock().now() - there).total_seconds()
    if abs(apart) <= SKEW:
        return [Looked("clock", well=True, told=f"{abs(apart):.0f} s apart")]
    told = f"this machine's is {abs(apart):.0f} s {'ahead of' if apart > 0 else 'behind'} the API's"
    return [Looked("clock", well=False, told=told, mend="set it by the network (NTP)")]
