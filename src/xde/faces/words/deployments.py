"""Environments and deployments in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.words.ink import PLAIN, Ink
from xde.faces.words.numbers import amount
from xde.faces.words.plan import plan_fact, plan_text
from xde.faces.words.table import Column, draw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.app.deploying import Deployed, Proposal
    from xde.app.environments import Difference, EnvironmentLine
    from xde.kernel.plan.ledger import Deployment


def proposal_text(proposal: Proposal, *, ink: Ink = PLAIN) -> str:
    """What a deployment would do; ends with a line end."""
    environment = proposal.plan.environment
    if proposal.empty:
        return f"`{environment}` shows what the working tree says: nothing to deploy\n"
    command = f"xde deploy {environment}" + (" --allow-breaking REASON" if proposal.breaks else "")
    lines = (
        [plan_text(proposal.plan, ink=ink, command=command).rstrip("\n")]
        if proposal.plan.steps
        else [f"nothing to build for `{environment}`"]
    )
    if proposal.adopted:
        lines += ["", f"{amount(len(proposal.adopted), 'dataset')} already built, only to be pointed at:"]
        lines += [f"  {name}" for name in proposal.adopted]
    if proposal.dropped:
        lines += ["", ink("warning", f"{amount(len(proposal.dropped), 'dataset')} would no longer be there:")]
        lines += [f"  {name}" for name in proposal.dropped]
    if proposal.contracts is not None and proposal.contracts.compared:
        from xde.faces.words.compatibility import comparison_text

        lines += ["", comparison_text(proposal.contracts, ink=ink).rstrip("\n")]
    lines += ["", f"plan {proposal.digest}"]
    return "\n".join(lines) + "\n"


def proposal_fact(proposal: Proposal) -> dict[str, object]:
    """The same as JSON data."""
    from xde.faces.words.compatibility import comparison_fact

    return {
        **plan_fact(proposal.plan, ()),
        "digest": proposal.digest,
        "definitions": proposal.definitions,
        "adopted": list(proposal.adopted),
        "dropped": list(proposal.dropped),
        "contracts": comparison_fact(proposal.contracts) if proposal.contracts is not None else None,
    }


def switched_text(deployment: Deployment, ink: Ink = PLAIN) -> str:
    """`prod: deployment 3, 14 datasets`."""
    note = f" ({deployment.note})" if deployment.note else ""
    return ink(
        "good", f"`{deployment.environment}` shows deployment {deployment.number}: {amount(len(deployment.pointers), 'dataset')}{note}"
    )


def deployed_fact(deployed: Deployed) -> dict[str, object]:
    """What came of a deployment as JSON data."""
    from xde.faces.words.run import run_fact

    return {
        "deployment": deployment_fact(deployed.deployment) if deployed.deployment else None,
        "run": run_fact(deployed.finished) if deployed.finished else None,
    }


def deployment_fact(deployment: Deployment) -> dict[str, object]:
    """A deployment as JSON data."""
    return {
        "environment": deployment.environment,
        "number": deployment.number,
        "at": deployment.at,
        "author": deployment.author,
        "plan": deployment.plan,
        "definitions": deployment.definitions,
        "note": deployment.note,
        "pointers": dict(deployment.pointers),
        "facts": dict(deployment.facts),
    }


def environments_text(lines: Sequence[EnvironmentLine], *, ink: Ink = PLAIN, cells: int | None = None) -> str:
    """Environments as a table; ends with a line end."""
    columns = [
        Column("environment"),
        Column("datasets", right=True),
        Column("deployment", right=True),
        Column("at (UTC)"),
        Column("by"),
        Column("last used (UTC)"),
        Column(""),
    ]
    rows = [
        [
            e.name,
            "" if e.problem else f"{e.datasets:,}",
            str(e.deployment.number) if e.deployment else "",
            _moment(e.deployment.at) if e.deployment else "",
            e.deployment.author if e.deployment else "",
            _moment(e.last_used) if e.last_used else "",
            ", ".join(
                [
                    *(["your own: runs the working tree"] if e.own else []),
                    *([f"held by {e.held_by}"] if e.held_by else []),
                    *([f"expires {e.expires_days:g} days after that"] if e.expires_days is not None else []),
                    *([e.problem] if e.problem else []),
                ]
            ),
        ]
        for e in lines
    ]
    return "\n".join(draw(columns, rows, ink=ink, cells=cells).lines) + "\n"


def environment_fact(line: EnvironmentLine) -> dict[str, object]:
    """An environment as JSON data."""
    deployment = deployment_fact(line.deployment) if line.deployment else None
    return {
        "environment": line.name,
        "own": line.own,
        "datasets": line.datasets,
        "deployment": deployment,
        "held_by": line.held_by,
        "last_used": line.last_used,
        "expires_days": line.expires_days,
        "problem": line.problem,
    }


def deployments_text(deployments: Sequence[Deployment], *, ink: Ink = PLAIN, cells: int | None = None) -> str:
    """Deployments as a table, the one that is shown first; ends with a line end."""
    if not deployments:
        return "nothing was deployed here: it runs the working tree\n"
    columns = [
        Column("deployment", right=True),
        Column("at (UTC)"),
        Column("by"),
        Column("revision"),
        Column("datasets", right=True),
        Column("note"),
    ]
    rows = [
        [
            str(d.number),
            _moment(d.at),
            d.author,
            str(d.facts.get("revision", "")),
            f"{len(d.pointers):,}",
            _note(d) or ("shown" if not n else ""),
        ]
        for n, d in enumerate(deployments)
    ]
    return "\n".join(draw(columns, rows, ink=ink, cells=cells).lines) + "\n"


def _note(deployment: Deployment) -> str:
    """What was said of it, and why it was let break a promise."""
    allowed = deployment.facts.get("allowed")
    return ", ".join(filter(None, [deployment.note, f"may break: {allowed}" if allowed else ""]))


def differences_text(found: Sequence[Difference], left: str, right: str, *, ink: Ink = PLAIN, cells: int | None = None) -> str:
    """The datasets in which two environments differ; ends with a line end."""
    if not found:
        return f"`{left}` and `{right}` show the same versions of everything\n"
    columns = [Column("dataset"), Column(left), Column(right)]
    rows = [[d.dataset, d.left or "not there", d.right or "not there"] for d in found]
    return "\n".join(draw(columns, rows, ink=ink, cells=cells).lines) + f"\n{amount(len(found), 'dataset')} differ\n"


def _moment(at: str) -> str:
    return at[:16].replace("T", " ")
