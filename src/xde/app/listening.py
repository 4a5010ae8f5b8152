"""What devices say, taken in: each message on our disk before its broker hears that we have it, and loaded like what is pushed."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from xde.app.pushed import landed_in
from xde.app.receiving import door_steps
from xde.connectors.spool.spool import DiskSpool
from xde.ground.crash import CrashPoint, crash_point
from xde.ground.errors import UserError, XdeError
from xde.ground.findings import Finding, Severity
from xde.lifecycle.ingestion.push import Entry, NoRoom
from xde.lifecycle.sources.messages import line_of, moment
from xde.lifecycle.sources.streams import TIMESTAMP, TOPIC

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.ground.clock import Clock
    from xde.lifecycle.ingestion.at_the_door import DoorSteps
    from xde.lifecycle.ingestion.push import Push, Spool
    from xde.lifecycle.sources.devices import Acknowledge, Devices, Subscription

QUIET = 1.0  # seconds without a message after which a run takes a session for drained
LONGEST = 60.0  # seconds that a run drains one
PAUSE = 0.5  # seconds between two tries to write down what there was no room for
IN_USE = "XDE0469"


class Listener:
    """Takes in what one subscription hands over."""

    def __init__(self, push: Push, spool: Spool, devices: Devices, clock: Clock, steps: DoorSteps | None = None) -> None:
        self.push = push
        self.spool = spool
        self._devices = devices
        self._clock = clock
        self._steps = steps
        self._over = threading.Event()
        self._some = threading.Condition(threading.RLock())
        self._waiting: deque[tuple[Entry, Acknowledge]] = deque()
        self._writing = 0
        self._told = push.subscription.told if push.subscription is not None else ()

    def begin(self, tell: Callable[[str], None]) -> None:
        """Connect. Raises what keeps it from beginning."""
        self._devices.begin(self.take, tell)

    def drain(self) -> None:
        """Come back when nothing has come for a moment."""
        ends = self._clock.monotonic() + LONGEST
        while self._devices.idle() < QUIET and self._clock.monotonic() < ends:
            time.sleep(QUIET / 10)

    def take(self, body: bytes, topic: str, acknowledge: Acknowledge) -> None:
        """Have a message written down; the broker hears of it when it is on the disk. What comes after the end is not taken."""
        known = {TOPIC: topic, TIMESTAMP: moment(self._clock.now().timestamp() * 1000)}
        line = line_of(body, {w: known[w] for w in self._told})
        if self._steps is not None:  # a message that cannot be accepted is written down without its values
            line = self._steps.treat([line.decode("utf-8", "replace")])[0].line.encode()
        entry = Entry(line + b"\n", 1)
        with self._some:
            if self._over.is_set():
                return
            self._waiting.append((entry, acknowledge))
            if len(self._waiting) > 1:
                return  # each in its turn
        self._write()

    def end(self) -> None:
        """Disconnect, once the broker heard of all that is on the disk; what was not written down comes again."""
        self._over.set()
        with self._some:
            self._waiting.clear()
            self._some.wait_for(lambda: not self._writing, LONGEST)
        self._devices.end()
        if self._steps is not None:
            self._steps.close()

    def _write(self) -> None:
        """Write down what waits, as far as there is room; the rest is tried again. A broker sends only so many before it hears of them."""
        with self._some:
            while self._waiting and not self._over.is_set():
                entry, acknowledge = self._waiting[0]
                try:
                    self.spool.append(entry, partial(self._written, entry, acknowledge))
                except NoRoom:
                    self._again()
                    return
                self._writing += 1
                self._waiting.popleft()

    def _written(self, entry: Entry, acknowledge: Acknowledge, error: BaseException | None) -> None:
        if error is None:
            crash_point(CrashPoint.MESSAGE_KEPT)
            acknowledge()
        with self._some:
            self._writing -= 1
            if error is not None and not self._over.is_set():
                self._waiting.append((entry, acknowledge))
                self._again()
            self._some.notify_all()

    def _again(self) -> None:
        timer = threading.Timer(PAUSE, self._write)
        timer.daemon = True
        timer.start()


def listeners(known: Understanding, names: Collection[str] | None = None) -> Iterator[tuple[str, Subscription, Push]]:
    """The sources that are listened to."""
    for name, reading in known.readings.items():
        if reading.push is not None and reading.push.subscription is not None and (names is None or name in names):
            yield name, reading.push.subscription, reading.push


def open_listeners(house: House, known: Understanding, names: Collection[str] | None = None) -> dict[str, Listener]:
    """A listener for each, none of them connected. Raises `UserError`."""
    opened: dict[str, Listener] = {}
    try:
        for name, subscription, push in listeners(known, names):
            opened[name] = _listener(house, known, subscription, push)
    except BaseException:
        close_listeners(opened)
        raise
    return opened


def close_listeners(opened: dict[str, Listener]) -> None:
    """Disconnect, and let go of every spool."""
    for listener in opened.values():
        listener.end()
        with suppress(OSError):
            listener.spool.close()


def take_in(house: House, known: Understanding, names: Collection[str] | None) -> list[Finding]:
    """Drain the sessions of some sources into their spools. Gives what kept one from it, and what is to be told."""
    return [f for name, subscription, push in listeners(known, names) for f in _taken_in(house, known, name, (subscription, push))]


def _taken_in(house: House, known: Understanding, name: str, of: tuple[Subscription, Push]) -> list[Finding]:
    subscription, push = of
    try:
        listener = _listener(house, known, subscription, push)
    except UserError as error:  # where it is in use, `xde up` listens
        return [] if any(f.code == IN_USE for f in error.findings) else list(error.findings)
    findings: list[Finding] = []
    try:
        state = house.ledger.states().get((name, house.ledger.pointers(house.environment).get(name, "")))
        listener.spool.landed(landed_in(state).get(listener.spool.name, 0))
        listener.begin(lambda told: findings.append(_told(subscription, told)))
        listener.drain()
    except UserError as error:
        findings += error.findings
    except XdeError as error:
        hint = "what was taken in before is loaded; run again, or keep `xde up` running"
        findings.append(Finding("XDE0521", f"nothing could be taken in for `{name}`", subscription.span, "", str(error), hint))
    finally:
        listener.end()
        with suppress(OSError):
            listener.spool.close()
    return findings


def devices_of(house: House, subscription: Subscription, push: Push, name: str) -> Devices:
    """The connector of a subscription. Raises `UserError` where what it needs is not there."""
    from xde.app.connecting import opened_devices

    return opened_devices(house.revealed, house.root, subscription, (name, (house.root / push.spool).resolve()))


def _listener(house: House, known: Understanding, subscription: Subscription, push: Push) -> Listener:
    treating, treated = door_steps(house, known, push.dataset)
    spool = DiskSpool((house.root / push.spool).resolve(), push, house.clock, treated=treated)
    try:
        devices = devices_of(house, subscription, push, f"xde-{spool.name}")
        return Listener(push, spool, devices, house.clock, treating.steps if treating is not None else None)
    except BaseException:
        spool.close()
        raise


def _told(of: Subscription, told: str) -> Finding:
    hint = "have the broker keep sessions for longer than nobody listens, or keep `xde up` running"
    return Finding("XDE0520", told.removesuffix(" [XDE0520]"), of.span, "", "", hint, Severity.WARNING)
