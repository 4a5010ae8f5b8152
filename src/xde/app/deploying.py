"""A change brought to an environment: what is missing is built beside what is there, audited, and then all pointers are switched at once.

Nobody sees anything of it before the switch. It is one transaction of the ledger: killed at any moment, the environment shows the
old state or the new one.
"""

from __future__ import annotations

import getpass
import subprocess
from contextlib import suppress
from dataclasses import field, replace
from typing import TYPE_CHECKING

from xde.app import planning
from xde.app.definitions import definitions_at, definitions_folder, keep_definitions, tell_deployment, tell_newest
from xde.app.opening import deployed_project
from xde.app.restatements import place
from xde.ground.crash import CrashPoint, crash_point
from xde.ground.digests import digest
from xde.ground.errors import UserError
from xde.ground.findings import Finding, Severity
from xde.ground.garbage import no_garbage
from xde.ground.names import did_you_mean
from xde.ground.records import dataclass
from xde.kernel.plan.changes import Side, changes
from xde.kernel.plan.ledger import NEXT, Deployment
from xde.kernel.plan.plan import StepKind
from xde.kernel.project.declarations import SourceDataset

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from xde.app.contracts import Comparison
    from xde.app.planning import Planned
    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.kernel.plan.changes import Change
    from xde.kernel.plan.ledger import Claim
    from xde.kernel.plan.plan import Plan
    from xde.kernel.run.events import Observer, RunFinished


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a deployment would do: the plan of what is to be built, the versions it would show, the datasets that would go.

    `digest` names all of it: the same proposal has the same digest, whenever it is made. `contracts` holds those of now against those
    that are deployed; None where nothing is.
    """

    planned: Planned
    pointers: dict[str, str]
    dropped: tuple[str, ...]
    adopted: tuple[str, ...]
    definitions: str
    first: bool
    changes: dict[str, Change]
    contracts: Comparison | None = None

    @property
    def plan(self) -> Plan:
        """The steps."""
        return self.planned.plan

    @property
    def empty(self) -> bool:
        """Whether the environment shows just this already."""
        return not (self.plan.steps or self.dropped or self.adopted or self.first)

    @property
    def breaks(self) -> bool:
        """Whether a contract breaks its promise and its version does not say so."""
        return self.contracts is not None and any(f.severity is Severity.ERROR for f in self.contracts.findings)

    @property
    def digest(self) -> str:
        """Names what would be done."""
        return digest(self.plan.digest, self.pointers, self.dropped, self.definitions)


@dataclass(frozen=True, slots=True)
class Deployed:
    """What came of it: the deployment if the switch was made, and the run that built what was missing."""

    deployment: Deployment | None
    finished: RunFinished | None
    findings: tuple[Finding, ...] = field(default=())


def may_be_deployed_to(house: House) -> None:
    """Raise a finding for the environment in which the working tree runs, and for one that nobody declared or uses."""
    name = house.environment
    if name == house.settings.environment:
        known = sorted({*house.settings.environments, *house.ledger.environments()} - {name})
        hint = did_you_mean(name, known) or ("name another: " + ", ".join(f"`{k}`" for k in known) if known else "`xde deploy prod`")
        why = "it is your own: `xde run` builds there what the working tree says"
        raise UserError(Finding("XDE0740", f"nothing is deployed to `{name}`", why=why, hint=hint))


def propose(house: House, known: Understanding, until: str = "") -> Proposal:
    """What deploying the working tree to an environment would do; writes nothing.

    Files that a source delivered since are no part of it: loading them is the next run's work.
    """
    with no_garbage():
        return _proposal(house, known, until)


def _proposal(house: House, known: Understanding, until: str) -> Proposal:
    pointers = place(house, known)
    changed = frozenset(n for n, v in known.versions.items() if pointers.get(n) != v and not known.is_ephemeral(n))
    before = deployed_project(house, known.project.root)
    explained = explain(before, known)
    planned = planning.make(
        house, known, changed, full=False, changes={n: c.text for n, c in explained.items()}, until=planning.read_moment("--until", until)
    )
    building = {s.dataset for s in planned.plan.steps if s.kind is not StepKind.ADOPT}
    steps = tuple(replace(s, after=tuple(a for a in s.after if a in building)) for s in planned.plan.steps if s.dataset in building)
    plan = replace(planned.plan, steps=steps, unchanged=len(known.versions) - len(changed))
    latest = house.ledger.deployments(house.environment, 1)
    return Proposal(
        replace(planned, plan=plan),
        {n: v for n, v in known.versions.items() if not known.is_ephemeral(n)},
        tuple(sorted(n for n in pointers if n not in known.versions or known.is_ephemeral(n))),
        tuple(sorted(changed - building)),
        known.project.digest,
        not latest or latest[0].definitions != known.project.digest,
        explained,
        _contracts(known, before) if before is not None else None,
    )


def _contracts(known: Understanding, before: Understanding) -> Comparison:
    """Every contract held against what it was when it was deployed, as it lies there since that was read."""
    from xde.app.contracts import check

    root = known.project.root
    return check(root, str(definitions_folder(root, before.project.digest)), was=before)


def explain(before: Understanding | None, known: Understanding) -> dict[str, Change]:
    """What is different about each dataset that both projects have; nothing where nothing was deployed before."""
    if before is None:
        return {}
    old, new = (Side(k.project.datasets, k.analyses, k.versions, k.project.settings.parameters) for k in (before, known))
    return changes(old, new)


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody has asked for: `shown` is the digest of the proposal that he saw (None: whatever there is to do).

    `allow_breaking` says why contracts may break their promises without a new major version; empty: they may not. `until` is how far models
    by time are built; the run after it makes the rest.
    """

    shown: str | None = None
    note: str = ""
    allow_breaking: str = ""
    until: str = ""
    wait: float = 0.0
    waiting: Callable[[Claim], None] = lambda _: None
    observers: Sequence[Observer] = ()


def deploy(house: House, known: Understanding, root: Path, order: Order) -> Deployed:
    """Build what is missing, audit it, switch every pointer at once. A step that fails leaves the environment as it was.

    Raises `UserError` when what there is to do is no longer what was shown, and when a contract breaks its promise without saying so.
    """
    from xde.app.readiness import must_be_ready
    from xde.app.running import Manner, carry_out

    may_be_deployed_to(house)
    must_be_ready(house, known, root)
    made: list[Deployment] = []
    proposed: list[Proposal] = []

    def replan() -> Planned:
        proposal = propose(house, known, order.until)
        if order.shown is not None and proposal.digest != order.shown:
            raise UserError(_not_as_shown(house.environment, order.shown, proposal.digest))
        promises_are_kept(proposal, order.allow_breaking)
        # before anything is built: what somebody edits from now on is not deployed
        there = keep_definitions(house.lake, root)
        if there != proposal.definitions:
            raise UserError(_not_as_read(root, proposal.definitions, there))
        proposed.append(proposal)
        aside = replace(proposal.plan, environment=house.environment + NEXT)
        return replace(proposal.planned, plan=aside)

    def then(claim: Claim, finished: RunFinished) -> None:
        if finished.status == "done":
            proposal = proposed[0]
            facts = {"steps": len(finished.outcomes), "seconds": round(finished.seconds, 3), "run": finished.run, **_revision(root)}
            facts |= {"views": _views(known), **_allowed(proposal, order.allow_breaking)}
            facts |= {"until": order.until} if order.until else {}
            wanted = (proposal.digest, proposal.definitions, proposal.pointers, order.note)
            made.append(switch(house, claim, wanted, facts))

    finished = carry_out(house, known, replan, Manner(order.observers, order.wait, order.waiting, then))
    for deployment in made:  # while what they mean is still known of the working tree; nothing but time is lost where it cannot be done
        with suppress(OSError, UserError):
            definitions_at(house.lake, deployment.definitions, root)
    return Deployed(made[0] if made else None, finished)


def promises_are_kept(proposal: Proposal, allowed: str) -> None:
    """Raise what is wrong with the versions of contracts, unless a reason is given why they may break."""
    from xde.app.contracts import allow

    if proposal.contracts is not None:
        wrong = [f for f in allow(proposal.contracts, allowed).findings if f.severity is Severity.ERROR]
        if wrong:
            raise UserError(*wrong)


def _allowed(proposal: Proposal, reason: str) -> dict[str, object]:
    """What is kept of a break that was allowed: the reason, and the contracts that it was given for."""
    from xde.app.contracts import BREAKING

    broken = [f.message for f in (proposal.contracts.findings if proposal.contracts else ()) if f.code in BREAKING]
    return {"allowed": reason, "breaks": broken} if reason and broken else {}


def switch(house: House, claim: Claim, wanted: tuple[str, str, dict[str, str], str], facts: dict[str, object]) -> Deployment:
    """Point an environment at other versions, at once: `wanted` is the plan's digest, the definitions', the pointers and a note."""
    plan, definitions, pointers, note = wanted
    latest = house.ledger.deployments(house.environment, 1)
    tell_newest(house.lake, latest)
    number = latest[0].number + 1 if latest else 1
    at = house.clock.now().isoformat()
    deployment = Deployment(house.environment, number, at, _author(), plan, definitions, pointers, note, facts)
    crash_point(CrashPoint.BEFORE_SWITCH)
    if not house.ledger.deploy(deployment, claim):
        why = "the claim on the environment went to another while this stood still"
        raise UserError(
            Finding("XDE0742", f"`{house.environment}` was not switched", why=why, hint="look at `xde env show` and deploy again")
        )
    crash_point(CrashPoint.SWITCHED)
    tell_deployment(house.lake, deployment)
    return deployment


def _views(known: Understanding) -> list[str]:
    datasets = known.project.datasets.values()
    return [d.name for d in datasets if not isinstance(d, SourceDataset) and not d.head.stored]


def _not_as_shown(environment: str, shown: str, now: str) -> Finding:
    why = f"the plan that was shown is `{shown}`, what there is to do now is `{now}`: something has changed meanwhile"
    return Finding(
        "XDE0741", f"`{environment}` is not what it was when the plan was shown", why=why, hint=f"look again: `xde plan {environment}`"
    )


def _not_as_read(root: Path, read: str, there: str) -> Finding:
    why = f"its files had the digest `{read}` when they were read, and have `{there}` now: somebody edits them"
    return Finding(
        "XDE0741", f"the project in `{root.name}` has changed since it was read", why=why, hint="deploy again; nothing was built"
    )


def _author() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def _revision(root: Path) -> dict[str, object]:
    """The commit that the working tree stands on, where it is one of git's; `dirty` when something is not committed."""
    try:
        command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
        # fixed words, and whichever git the user has
        told = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()  # noqa: S603 - no shell, no input
    except (OSError, subprocess.SubprocessError):
        return {}
    return {"revision": told} if told else {}
