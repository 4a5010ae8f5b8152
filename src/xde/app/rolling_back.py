"""An environment shown again as it was: pointers move, nothing is built."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from xde.app.deploying import may_be_deployed_to, switch
from xde.ground.digests import digest
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.kernel.run.claims import held_claim
from xde.kernel.run.owners import this_owner
from xde.lifecycle.storage.port import TableId

if TYPE_CHECKING:
    from xde.app.deploying import Order
    from xde.app.wiring import House
    from xde.kernel.plan.ledger import Deployment


def rollback(house: House, to: int | None, order: Order) -> Deployment:
    """Show again what an earlier deployment showed: the one before, or that of a number. Nothing is built.

    Raises `UserError` when there is none, or when its tables are gone.
    """
    may_be_deployed_to(house)
    run = f"rollback-{digest(house.clock.now().isoformat())}"
    with held_claim(
        house.ledger, house.environment, str(this_owner()), run, house.clock, order.wait, _sleep, waiting=order.waiting
    ) as claim:
        target = _target(house, to)
        gone = _gone(house, target)
        if gone:
            why = "a clean has taken them away: " + ", ".join(f"`{n}`" for n in gone[:5])
            hint = "deploy that state of the code again: what is missing is built"
            raise UserError(
                Finding("XDE0743", f"deployment {target.number} of `{house.environment}` cannot be shown again", why=why, hint=hint)
            )
        note = order.note or f"rollback to {target.number}"
        facts = {"rollback": target.number, **{k: v for k, v in target.facts.items() if k in {"revision", "views"}}}
        return switch(house, claim, (target.plan, target.definitions, dict(target.pointers), note), facts)


def _target(house: House, to: int | None) -> Deployment:
    known = house.ledger.deployments(house.environment, 1_000)
    name = house.environment
    if not known:
        raise UserError(Finding("XDE0744", f"nothing was ever deployed to `{name}`", hint="`xde env list` shows what was"))
    shown = known[0]
    if to is None:
        found = next((d for d in known if (d.pointers, d.definitions) != (shown.pointers, shown.definitions)), None)
        message = f"`{name}` has no earlier deployment"
    else:
        found = next((d for d in known if d.number == to), None)
        message = f"`{name}` has no deployment {to}"
    if found is None:
        why = f"its deployments are 1 to {shown.number}"
        raise UserError(Finding("XDE0744", message, why=why, hint=f"`xde env show {name}` shows them"))
    return found


def _gone(house: House, target: Deployment) -> list[str]:
    """The datasets of a deployment whose tables are no longer there; a view never had one."""
    told = target.facts.get("views")
    views = told if isinstance(told, list | tuple) else ()
    return [n for n, v in target.pointers.items() if n not in views and house.lake.snapshot(TableId(n, v)) is None]


def _sleep(seconds: float) -> None:
    threading.Event().wait(seconds)
