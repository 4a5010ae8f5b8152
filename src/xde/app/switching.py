"""An environment that nothing was deployed to, pointed at other tables all at once: said in the lake by one document, then done.

The document is the switch: once it stands, whoever opens the environment next brings it to its end.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from xde.ground.crash import CrashPoint, crash_point
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.records import dataclass
from xde.kernel.plan.ledger import NEXT, StepRecord
from xde.kernel.run.claims import LEASE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.app.wiring import House
    from xde.kernel.plan.ledger import Claim
    from xde.lifecycle.storage.port import Lake

FOLDER = "switches"
KIND = "switch"  # of the step on record


@dataclass(frozen=True, slots=True)
class Switch:
    """An environment's pointers to some datasets, moved together; `at` is ISO in UTC."""

    environment: str
    run: str
    at: str
    pointers: Mapping[str, str]
    note: str = ""


def switch_own(house: House, claim: Claim, pointers: Mapping[str, str], note: str) -> Switch:
    """Point the environment at these versions, all at once, if the claim is still ours."""
    environment, ledger, at = house.environment, house.ledger, house.clock.now().isoformat()
    made = Switch(environment, claim.run, at, dict(pointers), note)
    first = min(pointers)
    begun = StepRecord(claim.run, f"{KIND}:{environment}", KIND, first, pointers[first], "running", at, reason=note)
    ledger.record_step(begun)
    crash_point(CrashPoint.BEFORE_SWITCH)
    if not ledger.renew(claim, now=at, seconds=LEASE):
        ledger.record_step(replace(begun, status="failed", ended_at=at, reason="the claim was lost"))
        raise UserError(claim_lost(environment))
    house.lake.keep(_name(environment, claim.run), json.dumps(_fact(made), indent=1, sort_keys=True))
    crash_point(CrashPoint.SWITCHED)
    _point(house, made)
    ledger.record_step(replace(begun, status="done", ended_at=at))
    return made


def claim_lost(environment: str) -> Finding:
    """Another has taken the environment while this process stood still."""
    why = "the claim on the environment went to another while this stood still"
    return Finding("XDE0742", f"`{environment}` was not switched", why=why, hint=f"look at `xde --env {environment} runs` and do it again")


def settle_switch(house: House, step: StepRecord) -> None:
    """Bring a switch that a crash cut short to its end, if it was said; else nothing of it was done."""
    environment, now = step.step.partition(":")[2], house.clock.now().isoformat()
    text = house.lake.kept(_name(environment, step.run))
    if text is not None:
        _point(house, Switch(**json.loads(text)))
    reason = step.reason if text is not None else "the process ended before the step did"
    house.ledger.record_step(replace(step, status="done" if text is not None else "failed", ended_at=now, reason=reason))


def told_switches(lake: Lake) -> list[Switch]:
    """Every switch that the lake knows of, oldest first."""
    told = (Switch(**json.loads(text)) for name in lake.all_kept(FOLDER) if (text := lake.kept(name)) is not None)
    return sorted(told, key=lambda s: s.at)


def _point(house: House, made: Switch) -> None:
    house.ledger.move(made.environment, made.pointers, made.at)
    house.ledger.move(made.environment + NEXT, dict.fromkeys(made.pointers), made.at)


def _fact(made: Switch) -> dict[str, object]:
    return {"environment": made.environment, "run": made.run, "at": made.at, "pointers": dict(made.pointers), "note": made.note}


def _name(environment: str, run: str) -> str:
    return f"{FOLDER}/{environment}/{run}.json"
