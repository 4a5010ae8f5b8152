"""The right to change an environment, held for as long as the work takes, and taken from the dead at once."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from xde.ground.errors import UserError, XdeError
from xde.ground.findings import Finding
from xde.ground.records import dataclass
from xde.kernel.run.owners import parse_owner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from xde.ground.clock import Clock
    from xde.kernel.plan.ledger import Claim, Ledger

LEASE = 30.0  # seconds
_RENEW = LEASE / 3
_LOOK = 0.5  # seconds between two looks at a claim that another holds


@contextmanager
def held_claim(  # noqa: PLR0913, PLR0917 - the one door to claims; the parts are of different owners
    ledger: Ledger,
    environment: str,
    owner: str,
    run: str,
    clock: Clock,
    wait_seconds: float,
    sleep: Callable[[float], None],
    *,
    waiting: Callable[[Claim], None] = lambda _: None,
    lost: Callable[[], None] = lambda: None,
) -> Iterator[Claim]:
    """Hold the claim on an environment; a thread renews it until the end, then it is given back.

    `waiting` is told who holds it, once for each holder, before the first wait. `lost` is called, in another thread, when the
    claim went to somebody else after all (this process stood still for longer than the lease): cancel the run.
    Raises `UserError` when it is still held after `wait_seconds`.
    """
    claim = _Taking(ledger, clock, environment, owner, run).take(wait_seconds, sleep, waiting)
    over = threading.Event()
    renewal = threading.Thread(target=_keep, args=(ledger, claim, clock, over, lost), name="claim", daemon=True)
    renewal.start()
    try:
        yield claim
    finally:
        over.set()
        renewal.join()
        with suppress(XdeError):  # the work is done and safe; a claim that cannot be given back runs out
            ledger.release(claim)


@dataclass(frozen=True, slots=True)
class _Taking:
    """Who wants which claim."""

    ledger: Ledger
    clock: Clock
    environment: str
    owner: str
    run: str

    def take(self, wait_seconds: float, sleep: Callable[[float], None], waiting: Callable[[Claim], None]) -> Claim:
        """The claim, waited for."""
        end = self.clock.monotonic() + wait_seconds
        told: Claim | None = None
        while True:
            claim = self._ask()
            if claim is not None:
                return claim
            holder = self.ledger.holder(self.environment)
            if holder is None or self._taken_from_the_dead(holder):
                continue
            left = end - self.clock.monotonic()
            if left <= 0:
                raise UserError(self._held(holder))
            if told is None or told.fence != holder.fence:
                waiting(holder)
                told = holder
            sleep(min(_LOOK, left))

    def _ask(self) -> Claim | None:
        return self.ledger.claim(self.environment, self.owner, self.run, now=self.clock.now().isoformat(), seconds=LEASE)

    def _taken_from_the_dead(self, holder: Claim) -> bool:
        """Give a dead process's claim back in its name; by its fence, so that of many who find it dead none hurts a new holder."""
        process = parse_owner(holder.owner)
        if process is None or not process.is_dead:
            return False
        self.ledger.release(holder)
        return True

    def _held(self, holder: Claim) -> Finding:
        process = parse_owner(holder.owner)
        who = f"process {process.pid} on `{process.host}`" if process else f"`{holder.owner}`"
        since = next((f" since {r.started_at}" for r in self.ledger.runs(holder.environment) if r.run == holder.run), "")
        return Finding(
            "XDE0720",
            f"another run works on the environment `{holder.environment}`{since}",
            why=f"{who} carries out run `{holder.run}`",
            hint=f"wait until it is done, or stop {who}",
        )


def _keep(ledger: Ledger, claim: Claim, clock: Clock, over: threading.Event, lost: Callable[[], None]) -> None:
    while not over.wait(_RENEW):
        try:
            ours = ledger.renew(claim, now=clock.now().isoformat(), seconds=LEASE)
        except XdeError:  # a ledger that is away for a moment: there are two more tries in a lease, and the fence guards the data
            continue
        if not ours:
            lost()
            return
