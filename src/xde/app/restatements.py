"""Which table of each dataset an environment means: of what it shows as it is meant, the restatement that it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.kernel.plan.versions import meaning, placed, shown_restatements

if TYPE_CHECKING:
    from xde.app.understanding import Understanding
    from xde.app.wiring import House


def place(house: House, known: Understanding) -> dict[str, str]:
    """Set the versions of a project to the tables that an environment means now; gives its pointers.

    What the environment does not show as it is meant is taken as one's own environment shows it. To be done again under the claim: a
    backfill may have been switched meanwhile.
    """
    shown = house.ledger.pointers(house.environment)
    own = house.settings.environment
    shares = house.own is None or (house.own.lake is None and house.own.ledger is None)
    moving = shares and own != house.environment and any(meaning(shown.get(n, "")) != meaning(v) for n, v in known.versions.items())
    others = [house.ledger.pointers(own)] if moving else []
    numbers = shown_restatements(known.versions, shown, *others)
    if numbers or any("-" in v for v in known.versions.values()):
        known.versions = placed(known.versions, known.order, known.upstream, numbers)
    return shown
