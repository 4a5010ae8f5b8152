"""Environments that nobody has used for long: which they are, and how they are dropped."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from xde.app.definitions import tell_end
from xde.app.opening import house_at
from xde.ground.errors import TemporaryError, UserError
from xde.kernel.plan.intervals import parse_moment
from xde.kernel.plan.ledger import NEXT
from xde.kernel.run.claims import held_claim
from xde.kernel.run.owners import this_owner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from xde.app.wiring import House
    from xde.kernel.project.settings import Settings

DAYS = 30.0  # that an environment lives after its last use, if nothing declares it and nothing was deployed to it


@dataclass(frozen=True, slots=True)
class Expired:
    """An environment past its time: when it was used last (ISO, UTC), after how many days it expires, how many datasets it points at."""

    environment: str
    last_used: str
    days: float
    datasets: int


def last_used(house: House) -> str | None:
    """When a run or a deployment last worked on an environment, ISO in UTC; None where nobody knows."""
    ledger, name = house.ledger, house.environment
    runs = [*ledger.runs(name, 1), *ledger.runs(name + NEXT, 1)]
    told = [r.ended_at or r.started_at for r in runs] + [d.at for d in ledger.deployments(name, 1)]
    return max(told, key=parse_moment, default=None)


def life_of(house: House) -> float | None:
    """How many days an environment lives after its last use; None for ever.

    One's own never expires; one that is declared expires as its settings say; any other in thirty days, if nothing was deployed to it:
    what was deployed is shown to somebody.
    """
    settings: Settings = house.settings
    if house.environment == settings.environment:
        return None
    if house.own is not None:
        return house.own.expires_days
    return None if house.ledger.deployments(house.environment, 1) else DAYS


def expired(root: Path, besides: str) -> tuple[Expired, ...]:
    """The environments that are past their time, in order of name; never the one that somebody works in (`besides`)."""
    return tuple(found for house in _houses(root, besides) if (found := _past(house)) is not None)


def drop_expired(root: Path, besides: str) -> tuple[Expired, ...]:
    """Forget them; their tables stay until a clean finds that nobody else needs them. One that is at work now is left alone."""
    gone: list[Expired] = []
    for house in _houses(root, besides):
        if _past(house) is None:
            continue
        try:
            with held_claim(house.ledger, house.environment, str(this_owner()), uuid.uuid4().hex[:12], house.clock, 0.0, lambda _: None):
                found = _expired(house)  # it may have been used just now
                if found is not None:
                    tell_end(house.lake, house.environment, house.clock.now().isoformat())
                    house.ledger.drop_environment(house.environment)
                    gone.append(found)
        except (UserError, TemporaryError):
            continue  # held: somebody uses it
    return tuple(gone)


def _houses(root: Path, besides: str) -> Iterator[House]:
    home = house_at(root, None)
    try:
        names = {*home.settings.environments, *home.ledger.environments()} - {home.settings.environment, besides}
    finally:
        home.close()
    for name in sorted(n for n in names if not n.endswith(NEXT)):
        house = house_at(root, name)
        try:
            yield house
        finally:
            house.close()


def _past(house: House) -> Expired | None:
    """What there is to say of an environment past its time; None of one whose ledger cannot be asked."""
    try:
        return _expired(house)
    except (UserError, TemporaryError):
        return None


def _expired(house: House) -> Expired | None:
    days, used = life_of(house), last_used(house)
    pointers = house.ledger.pointers(house.environment)
    if days is None or used is None or not pointers or parse_moment(used) + timedelta(days=days) > house.clock.now().astimezone(UTC):
        return None
    return Expired(house.environment, used, days, len(pointers))
