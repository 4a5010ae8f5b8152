"""What was taken in, loaded: again and again, when it is time or enough, by a run like any other. Each record lands once."""

from __future__ import annotations

import math
import threading
from dataclasses import field
from typing import TYPE_CHECKING, Protocol

from xde.app.pushed import landed_in
from xde.app.workspace import Workspace
from xde.ground.errors import UserError, XdeError
from xde.ground.findings import Finding
from xde.ground.records import dataclass
from xde.ground.secrets import trace_of
from xde.lifecycle.ingestion.push import NoRoom

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from xde.ground.clock import Clock
    from xde.kernel.plan.ledger import Claim
    from xde.kernel.run.events import RunFinished
    from xde.lifecycle.ingestion.push import Push, Spool

LOOK = 0.1  # seconds between two looks whether it is time
LONGEST = 60.0  # seconds between two tries after failures


@dataclass(frozen=True, slots=True)
class Landing:
    """One landing: the run that did it, or what kept it from being done."""

    finished: RunFinished | None = None
    findings: tuple[Finding, ...] = ()
    trace: str = ""

    @property
    def well(self) -> bool:
        """Whether all that was there is in its tables."""
        return not self.findings and not self.trace and (self.finished is None or self.finished.status == "done")


@dataclass(frozen=True, slots=True)
class Where:
    """The project and environment that is landed in; `downstream` builds what reads the sources, too."""

    root: Path
    environment: str | None
    downstream: bool = False
    wait: float = 30.0
    streams: Mapping[str, float] = field(default_factory=dict)  # with the seconds between two looks at each


class Holding(Protocol):
    """What takes something in: how long that may wait, and where it waits."""

    push: Push
    spool: Spool


class Lander:
    """Lands what a process takes in, in a thread of its own; `tell` hears of each landing, `waiting` of those who hold the claim.

    Streams of `where` are asked again and again for what is new.
    """

    def __init__(
        self,
        where: Where,
        doors: Mapping[str, Holding],
        clock: Clock,
        tell: Callable[[Landing], None] = lambda _: None,
        waiting: Callable[[Claim], None] = lambda _: None,
    ) -> None:
        self._where, self._doors, self._clock, self._tell, self._waiting = where, doors, clock, tell, waiting
        self._over = threading.Event()
        self._failures = 0
        self._not_before = 0.0
        self._asked = dict.fromkeys(where.streams, -math.inf)
        self.last: Landing | None = None
        self._thread = threading.Thread(target=self._work, name="landing", daemon=True)

    def start(self) -> None:
        """Begin; what an earlier process left is landed first."""
        self._thread.start()

    def stop(self) -> None:
        """Come back when what is under way is done; nothing more is landed."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def failing(self) -> bool:
        """Whether the last landing did not go well."""
        return self.last is not None and not self.last.well

    def land(self) -> Landing | None:
        """Land what is there now; None where there is nothing."""
        names = [n for n, d in self._doors.items() if d.spool.waiting().bytes]
        due = self._due()
        self._asked |= dict.fromkeys(due, self._clock.monotonic())
        names += due
        if not names:
            return None
        landing = self._landed(names)
        self.last = landing
        self._failures = 0 if landing.well else self._failures + 1
        if not landing.well:
            self._not_before = self._clock.monotonic() + min(LONGEST, 2.0 ** min(self._failures, 10) / 2)
        if landing.finished is None or landing.finished.outcomes or not landing.well:  # a look that found nothing new is no news
            self._tell(landing)
        return landing

    def positions(self) -> None:
        """Tell the spools what is in the tables already."""
        with Workspace.open(self._where.root, environment=self._where.environment) as workspace:
            self._positions(workspace)

    def _work(self) -> None:
        while not self._over.wait(LOOK):
            if self._clock.monotonic() >= self._not_before and (self._due() or any(self._is_time(d) for d in self._doors.values())):
                self.land()

    def _due(self) -> list[str]:
        """The streams that it is time to ask again."""
        now = self._clock.monotonic()
        return [n for n, every in self._where.streams.items() if now - self._asked[n] >= every]

    def _is_time(self, door: Holding) -> bool:
        held = door.spool.waiting()
        if not held.bytes:
            return False
        return held.rows >= door.push.rows or held.oldest is None or self._clock.monotonic() - held.oldest >= door.push.every

    def _landed(self, names: Sequence[str]) -> Landing:
        try:
            for name in names:
                if name in self._doors:
                    self._doors[name].spool.deliver()
            with Workspace.open(self._where.root, environment=self._where.environment) as workspace:
                chosen = [f"{n}+" if self._where.downstream else n for n in names]
                finished = workspace.run(selection=chosen, wait=self._where.wait, waiting=self._waiting)
                self._positions(workspace)
        except UserError as error:
            return Landing(findings=tuple(error.findings))
        except (XdeError, NoRoom) as error:
            hint = "what was taken in is safe in the spool; it is tried again by itself"
            return Landing(findings=(Finding("XDE0479", f"nothing could be loaded: {error}", hint=hint),))
        except Exception as error:  # noqa: BLE001 - the thread must go on: those who push are told by and by, when the spool is full
            return Landing(trace=trace_of(error))
        return Landing(finished)

    def _positions(self, workspace: Workspace) -> None:
        house = workspace.house
        states, pointers = house.ledger.states(), house.ledger.pointers(house.environment)
        for name, door in self._doors.items():
            state = states.get((name, pointers.get(name, "")))
            door.spool.landed(landed_in(state).get(door.spool.name, 0))
