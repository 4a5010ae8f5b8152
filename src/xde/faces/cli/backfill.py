"""`xde backfill`: rows computed anew although nothing has changed, and shown all at once."""

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
    from xde.app.backfilling import Backfill, Backfilled, Demand
    from xde.app.workspace import Workspace
    from xde.kernel.plan.ledger import Claim
    from xde.kernel.plan.plan import Plan


class Options(TypedDict):
    """What may be asked of `backfill`."""

    start: str | None
    end: str | None
    upstream: bool
    downstream: bool
    yes: bool
    dry_run: bool
    environment: str | None
    plan: str | None
    wait: float
    reason: str


@xde_command(
    "backfill",
    "xde backfill marts.daily_delay --from 2013-03-01 --to 2013-04-01 --dry-run",
    "xde backfill marts.daily_delay --from 2013-03-01 --to 2013-04-01 --env prod --yes --reason 'times were local'",
    "xde backfill marts.routes --downstream",
)
@click.argument("dataset")
@click.option("--from", "start", metavar="TIME", help="The first day to compute anew, or a time in UTC.")
@click.option("--to", "end", metavar="TIME", help="The first day or time not to.")
@click.option("--upstream", is_flag=True, help="What it is made from, too.")
@click.option("--downstream", is_flag=True, help="What is made from it, too; else the next run does that.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--env", "environment", metavar="NAME", help="The environment to do it in; the same as `xde --env NAME`.")
@click.option("--plan", metavar="DIGEST", help="Only if what there is to do is still the plan that `--dry-run` showed.")
@click.option("--wait", type=click.FloatRange(min=0), default=0.0, metavar="SECONDS", help="Wait so long if another holds the environment.")
@click.option("--reason", default="", metavar="TEXT", help="Why; kept with it.")
@json_option
@pass_session
@click.pass_context
def command(ctx: click.Context, session: Session, *, dataset: str, **options: Unpack[Options]) -> None:
    """Compute rows of DATASET anew, although nothing has changed, and show them all at once.

    For an interval of a model by time, or the whole of another model: because rows were corrected where no run could see it,
    or because the engine was wrong. It is done in tables of their own and audited; until the end the environment shows the old rows, and
    whatever fails, it goes on to. Ends with 3 when data did not pass its contract.
    """
    from xde.app.backfilling import Backfill, Demand  # deferred: it brings the planner
    from xde.faces.words.backfill import backfill_fact, backfill_text, backfilled_fact

    start, end = options["start"], options["end"]
    asked = Backfill(dataset, start, end, options["upstream"], options["downstream"], options["reason"].strip())
    with session.open(environment=options["environment"]) as workspace:
        found = workspace.plan_backfill(asked)
        if not session.machine:
            session.result(backfill_text(found, _command(asked, options), ink=session.ink()))
        elif options["dry_run"]:
            session.document(backfill_fact(found))
        if options["dry_run"]:
            return
        environment = workspace.house.environment
        if not options["yes"] and options["plan"] is None and not _agreed(session, asked, environment):
            ctx.exit(1)
        done = _carried_out(session, workspace, asked, Demand(options["plan"] or found.digest, options["wait"]), found.plan)
    if session.machine:
        session.document(backfilled_fact(done))
    else:
        _report(session, done, asked, environment)
    code = _code(done)
    if code:
        ctx.exit(code)


def _command(asked: Backfill, options: Options) -> str:
    """What to type to have it done."""
    words = ["xde", "backfill", asked.dataset]
    words += [f"--from {asked.start} --to {asked.end}"] if asked.start and asked.end else []
    words += [w for w, given in (("--upstream", asked.upstream), ("--downstream", asked.downstream)) if given]
    return " ".join([*words, *([f"--env {options['environment']}"] if options["environment"] else [])])


def _agreed(session: Session, asked: Backfill, environment: str) -> bool:
    if session.machine or not sys.stdin.isatty():
        why, hint = "nobody is there to be asked", "`--yes`, or `--plan DIGEST` for what you have seen"
        raise UserError(Finding("XDE0769", f"`{asked.dataset}` is not computed anew in `{environment}` without a yes", why=why, hint=hint))
    return click.confirm(f"do this in `{environment}`?", err=True)


def _carried_out(session: Session, workspace: Workspace, asked: Backfill, demand: Demand, plan: Plan) -> Backfilled:
    from dataclasses import replace

    if session.machine:
        return workspace.backfill(asked, demand)
    from xde.faces.cli.lines import StepReporter

    def waiting(claim: Claim) -> None:
        session.talk(f"waiting for run `{claim.run}`, which holds `{claim.environment}` ({claim.owner})")

    return workspace.backfill(asked, replace(demand, observers=(StepReporter(plan, session),), waiting=waiting))


def _report(session: Session, done: Backfilled, asked: Backfill, environment: str) -> None:
    from xde.faces.words.backfill import backfilled_text
    from xde.faces.words.run import run_findings, run_line

    session.result(run_line(done.finished, session.ink()))
    session.tell_findings(run_findings(done.finished))
    if done.moved:
        session.result(backfilled_text(done, asked, environment, session.ink()))
    else:
        session.talk("nothing was switched: the environment shows what it showed before")


def _code(done: Backfilled) -> int:
    from xde.faces.words.run import data_did_not_pass

    if done.moved:
        return 0
    if done.finished.status == "cancelled":
        return 130
    return 3 if data_did_not_pass(done.finished.outcomes) else 1
