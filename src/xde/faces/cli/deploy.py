"""`xde deploy`: a change brought to an environment, whole and at once."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session
from xde.ground.errors import UserError
from xde.ground.findings import Finding

if TYPE_CHECKING:
    from xde.app.deploying import Deployed, Order
    from xde.app.workspace import Workspace
    from xde.kernel.plan.ledger import Claim


class Options(TypedDict):
    """What may be asked of `deploy`."""

    yes: bool
    dry_run: bool
    plan: str | None
    wait: float
    note: str
    allow_breaking: str
    until: str


@xde_command("deploy", "xde deploy prod", "xde deploy prod --dry-run", "xde deploy staging --yes --note 'carrier names'")
@click.argument("environment")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--plan", metavar="DIGEST", help="Only if what there is to do is still the plan that `xde plan ENVIRONMENT` showed.")
@click.option("--wait", type=click.FloatRange(min=0), default=0.0, metavar="SECONDS", help="Wait so long if another holds it.")
@click.option("--allow-breaking", metavar="REASON", default="", help="Let contracts break their promises, and say why; it is kept.")
@click.option("--until", metavar="TIME", default="", help="Build models by time up to this day or UTC time, exclusive.")
@click.option("--note", default="", metavar="TEXT", help="A word about it, kept with the deployment.")
@json_option
@pass_session
@click.pass_context
def command(ctx: click.Context, session: Session, *, environment: str, **options: Unpack[Options]) -> None:
    """Bring the working tree to an environment, whole and at once.

    What is missing is built beside what is there and audited; then every pointer is switched at once. Whatever fails, and whenever it is
    stopped, the environment shows what it showed before. Ends with 3 when data did not pass its contract.
    """
    from xde.app.deploying import Order, promises_are_kept  # deferred: it brings the planner
    from xde.faces.words.deployments import deployed_fact, proposal_fact, proposal_text

    with session.open(environment=environment, working_tree=True) as workspace:
        proposal = workspace.propose(options["until"])
        if session.machine and (options["dry_run"] or proposal.empty):
            session.document(proposal_fact(proposal))
            return
        if not session.machine:
            session.result(proposal_text(proposal, ink=session.ink()))
        if options["dry_run"] or proposal.empty:
            return
        allowed = options["allow_breaking"].strip()
        promises_are_kept(proposal, allowed)
        if not options["yes"] and options["plan"] is None and not _agreed(session, environment):
            ctx.exit(1)
        order = Order(options["plan"] or proposal.digest, options["note"], allowed, options["until"], wait=options["wait"])
        deployed = _carried_out(session, workspace, order)
    if session.machine:
        session.document(deployed_fact(deployed))
    else:
        _report(session, deployed)
    code = _code(deployed)
    if code:
        ctx.exit(code)


def _agreed(session: Session, environment: str) -> bool:
    if session.machine or not sys.stdin.isatty():
        why = "nobody is there to be asked"
        raise UserError(
            Finding(
                "XDE0748",
                f"`{environment}` is not deployed to without a yes",
                why=why,
                hint="`--yes`, or `--plan DIGEST` for what you have seen",
            )
        )
    return click.confirm(f"deploy this to `{environment}`?", err=True)


def _carried_out(session: Session, workspace: Workspace, order: Order) -> Deployed:
    from dataclasses import replace

    if session.machine:
        return workspace.deploy(order)
    from xde.faces.cli.lines import StepReporter

    def waiting(claim: Claim) -> None:
        session.talk(f"waiting for run `{claim.run}`, which holds `{claim.environment}` ({claim.owner})")

    reporter = StepReporter(workspace.propose(order.until).plan, session)
    return workspace.deploy(replace(order, observers=(reporter,), waiting=waiting))


def _report(session: Session, deployed: Deployed) -> None:
    from xde.faces.words.deployments import switched_text
    from xde.faces.words.run import run_findings, run_line

    finished = deployed.finished
    if finished is not None and finished.outcomes:
        session.result(run_line(finished, session.ink()))
        session.tell_findings(run_findings(finished))
    if deployed.deployment is not None:
        session.result(switched_text(deployed.deployment, session.ink()))
    else:
        session.talk("nothing was switched: the environment shows what it showed before")


def _code(deployed: Deployed) -> int:
    from xde.faces.words.run import data_did_not_pass

    if deployed.deployment is not None:
        return 0
    finished = deployed.finished
    if finished is not None and finished.status == "cancelled":
        return 130
    return 3 if finished is not None and data_did_not_pass(finished.outcomes) else 1
