"""Environments: which there are, what each of them shows and since when, and in what two of them differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xde.app.definitions import tell_end
from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean
from xde.kernel.plan.ledger import NEXT

if TYPE_CHECKING:
    from pathlib import Path

    from xde.app.wiring import House
    from xde.kernel.plan.ledger import Deployment


@dataclass(frozen=True, slots=True)
class EnvironmentLine:
    """An environment: how many datasets it points at, what was deployed to it last, whether it is one's own and who holds it.

    `problem` says why nothing is known of one that has a ledger of its own: it is far away, or its secrets are not here.
    `last_used` is when a run or a deployment last worked on it, `expires_days` how long after that a clean drops it; None: never.
    """

    name: str
    own: bool
    datasets: int
    deployment: Deployment | None
    held_by: str | None
    problem: str = ""
    last_used: str | None = None
    expires_days: float | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """A dataset of which two environments show different versions; None: not there."""

    dataset: str
    left: str | None
    right: str | None


def environments(root: Path) -> tuple[EnvironmentLine, ...]:
    """Every environment that is declared or points at anything, one's own first."""
    from xde.app.opening import house_at

    home = house_at(root, None)
    try:
        names = {home.settings.environment, *home.settings.environments, *home.ledger.environments()}
    finally:
        home.close()
    lines = [_line(root, name) for name in names if not name.endswith(NEXT)]
    return tuple(sorted(lines, key=lambda e: (not e.own, e.name)))


def _line(root: Path, name: str) -> EnvironmentLine:
    from xde.app.expiring import last_used, life_of
    from xde.app.opening import house_at

    house = house_at(root, name)
    own = name == house.settings.environment
    try:
        latest = house.ledger.deployments(name, 1)
        holder = house.ledger.holder(name)
        pointers = house.ledger.pointers(name)
        used, life = last_used(house), life_of(house)
    except (UserError, TemporaryError) as error:
        return EnvironmentLine(name, own, 0, None, None, str(error))
    finally:
        house.close()
    newest, held_by = latest[0] if latest else None, holder.owner if holder else None
    return EnvironmentLine(name, own, len(pointers), newest, held_by, last_used=used, expires_days=life)


def deployments(house: House, limit: int) -> list[Deployment]:
    """The newest deployments of an environment. Raises `UserError` for one that nobody knows."""
    known_environment(house)
    return house.ledger.deployments(house.environment, limit)


def known_environment(house: House) -> None:
    """Raise a finding with the nearest name for an environment that is neither declared nor used."""
    names = _names(house)
    if house.environment not in names:
        hint = did_you_mean(house.environment, names) or "`xde env list` shows them all"
        raise UserError(Finding("XDE0746", f"there is no environment `{house.environment}`", hint=hint))


def is_known(house: House) -> bool:
    """Whether an environment is declared or points at anything."""
    return house.environment in _names(house)


def _names(house: House) -> set[str]:
    return {house.settings.environment, *house.settings.environments, *(e for e in house.ledger.environments() if not e.endswith(NEXT))}


def differences(left: House, right: House) -> tuple[Difference, ...]:
    """The datasets of which two environments show different versions, in order of name."""
    known_environment(left)
    known_environment(right)
    one, other = left.ledger.pointers(left.environment), right.ledger.pointers(right.environment)
    return tuple(Difference(n, one.get(n), other.get(n)) for n in sorted({*one, *other}) if one.get(n) != other.get(n))


def drop(house: House) -> int:
    """Forget an environment; its tables stay until a clean finds that nobody else needs them. Gives the number of its datasets."""
    known_environment(house)
    if house.environment == house.settings.environment:
        why = "commands work there unless they are told otherwise"
        hint = "name another as `environment:` in `xde.yaml` first"
        raise UserError(Finding("XDE0747", f"`{house.environment}` is your own environment, and stays", why=why, hint=hint))
    holder = house.ledger.holder(house.environment)
    if holder is not None and holder.until > house.clock.now().isoformat():
        raise UserError(Finding("XDE0747", f"`{house.environment}` is held by {holder.owner}", hint="wait until it is done"))
    number = len(house.ledger.pointers(house.environment))
    tell_end(house.lake, house.environment, house.clock.now().isoformat())
    house.ledger.drop_environment(house.environment)
    return number
