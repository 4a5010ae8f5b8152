"""Claims: waiting, renewing, losing, and taking from the dead."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from xde.ground.clock import SetClock
from xde.ground.errors import TemporaryError, UserError
from xde.kernel.plan.ledger import RunRecord
from xde.kernel.run import claims
from xde.kernel.run.claims import held_claim
from xde.kernel.run.owners import Owner, parse_owner, this_owner
from xde.ledger.memory import MemoryLedger

if TYPE_CHECKING:
    from collections.abc import Callable

    from xde.kernel.plan.ledger import Claim

AT = "2026-01-01T00:00:00+00:00"


def passing(clock: SetClock) -> Callable[[float], None]:
    return lambda seconds: clock.advance(timedelta(seconds=seconds))


def never(_: float) -> None:
    pytest.fail("waited")


def test_it_is_held_within_and_given_back_after() -> None:
    ledger, clock = MemoryLedger(), SetClock()
    with held_claim(ledger, "dev", "me", "r1", clock, 0, never) as claim:
        assert ledger.holder("dev") == claim
        assert claim.fence == 1
    assert ledger.holder("dev") is None
    with pytest.raises(ValueError, match="x"), held_claim(ledger, "dev", "me", "r2", clock, 0, never) as claim:
        assert claim.fence == 2
        raise ValueError("x")
    assert ledger.holder("dev") is None


def test_another_who_holds_it_is_waited_for() -> None:
    ledger, clock = MemoryLedger(), SetClock()
    ledger.claim("dev", "other", "r0", now=AT, seconds=5)
    told: list[Claim] = []
    with held_claim(ledger, "dev", "me", "r1", clock, 60, passing(clock), waiting=told.append) as claim:
        assert claim.fence == 2
        assert clock.monotonic() - SetClock().monotonic() == 5
    assert [c.owner for c in told] == ["other"]


def test_when_waiting_is_over_it_says_who_runs_since_when() -> None:
    ledger, clock = MemoryLedger(), SetClock()
    ledger.claim("dev", str(Owner("ship", 42, "b", "7")), "r0", now=AT, seconds=1000)
    ledger.record_run(RunRecord("r0", "dev", "p", "running", "2026-01-01T11:11:11+00:00"))
    with pytest.raises(UserError) as caught, held_claim(ledger, "dev", "me", "r1", clock, 3.2, passing(clock)):
        pytest.fail("held")
    (finding,) = caught.value.findings
    assert finding.code == "XDE0720"
    assert "since 2026-01-01T11:11:11" in finding.message
    assert "process 42 on `ship`" in finding.why
    assert clock.monotonic() - SetClock().monotonic() == pytest.approx(3.2)
    assert ledger.holder("dev") is not None


def test_without_waiting_it_says_so_at_once() -> None:
    ledger = MemoryLedger()
    ledger.claim("dev", "other", "r0", now=AT, seconds=1000)
    with pytest.raises(UserError), held_claim(ledger, "dev", "me", "r1", SetClock(), 0, never):
        pytest.fail("held")


def a_dead_process() -> Owner:
    code = "from xde.kernel.run.owners import this_owner; print(this_owner())"
    text = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    owner = parse_owner(text)
    assert owner is not None
    return owner


def test_a_claim_of_a_dead_process_is_taken_at_once() -> None:
    ledger = MemoryLedger()
    ledger.claim("dev", str(a_dead_process()), "r0", now=AT, seconds=1000)
    with held_claim(ledger, "dev", str(this_owner()), "r1", SetClock(), 0, never) as claim:
        assert claim.fence == 2


def test_a_claim_of_a_living_process_is_not() -> None:
    ledger = MemoryLedger()
    code = "import sys; from xde.kernel.run.owners import this_owner; print(this_owner(), flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        owner = process.stdout.readline().strip()
        ledger.claim("dev", owner, "r0", now=AT, seconds=1000)
        with pytest.raises(UserError), held_claim(ledger, "dev", str(this_owner()), "r1", SetClock(), 0, never):
            pytest.fail("held")
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, and not buried yet
        with held_claim(ledger, "dev", str(this_owner()), "r1", SetClock(), 0, never) as claim:
            assert claim.fence == 2


def test_owners_speak_and_are_read() -> None:
    me = this_owner()
    assert parse_owner(str(me)) == me
    assert me.pid == os.getpid()
    assert me.host == socket.gethostname()
    assert not me.is_dead
    assert parse_owner("somebody") is None
    assert parse_owner("a:b:c/d") is None


@pytest.mark.skipif(not this_owner().boot, reason="this system has no /proc")
def test_who_is_dead_and_who_cannot_be_seen() -> None:
    me, dead = this_owner(), a_dead_process()
    assert dead.is_dead
    assert Owner(me.host, me.pid, me.boot, "1").is_dead, "the number was given again to a younger process"
    assert not Owner("elsewhere", dead.pid, dead.boot, dead.started).is_dead
    assert not Owner(dead.host, dead.pid, "another boot or container", dead.started).is_dead
    assert not Owner(dead.host, dead.pid, "", "").is_dead


class Renewals(MemoryLedger):
    """Tells of each renewal; the first is refused by a busy store."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.renewed = threading.Event()

    def renew(self, claim: Claim, *, now: str, seconds: float) -> bool:
        self.asked += 1
        if self.asked == 1:
            raise TemporaryError("busy")
        held = super().renew(claim, now=now, seconds=seconds)
        self.renewed.set()
        return held


def test_it_is_renewed_while_it_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "_RENEW", 0.01)
    ledger, clock = Renewals(), SetClock()
    with held_claim(ledger, "dev", "me", "r1", clock, 0, never):
        clock.advance(timedelta(seconds=20))
        ledger.renewed.clear()
        assert ledger.renewed.wait(10)
        clock.advance(timedelta(seconds=20))
        assert ledger.claim("dev", "other", "r2", now=clock.now().isoformat(), seconds=30) is None
    asked = ledger.asked
    threading.Event().wait(0.05)
    assert ledger.asked == asked, "nobody renews what was given back"


def test_a_claim_that_another_took_is_told_as_lost_and_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "_RENEW", 0.01)
    ledger, clock, lost = MemoryLedger(), SetClock(), threading.Event()
    with held_claim(ledger, "dev", "me", "r1", clock, 0, never, lost=lost.set):
        taken = ledger.claim("dev", "other", "r2", now="2027-01-01T00:00:00+00:00", seconds=30)
        assert lost.wait(10)
    assert ledger.holder("dev") == taken
