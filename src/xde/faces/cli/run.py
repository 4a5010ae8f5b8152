"""`xde run`: load what is new, build what is stale, publish what passes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session
from xde.faces.words.plan import nothing_to_do, plan_fact, short_plan_text
from xde.faces.words.run import data_did_not_pass, run_fact, run_findings, run_line, summary_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.app.workspace import Workspace
    from xde.kernel.plan.plan import Plan
    from xde.kernel.run.events import Observer, RunFinished

_CODES = {"done": 0, "failed": 1, "cancelled": 130}


@xde_command("run", "xde run", "xde run +marts.carrier_delay", "xde run nyc.* --full", "xde run --wait 600 --json")
@click.argument("selection", nargs=-1)
@click.option("--full", is_flag=True, help="As if nothing were there: load and build all of what is selected.")
@click.option("--wait", type=float, default=0.0, metavar="SECONDS", help="Wait so long if another run holds the environment.")
@json_option
@pass_session
@click.pass_context
def command(ctx: click.Context, session: Session, *, selection: tuple[str, ...], full: bool, wait: float) -> None:
    """Load what is new, build what is stale, publish what passes.

    SELECTION is as for `xde plan`. Ends with 3 when data did not pass its contract, with 130 when it was cancelled; in
    both cases nothing half done was published.
    """
    with session.open() as workspace:
        plan = workspace.plan(selection, full=full)
        if not plan.steps:
            _nothing(session, plan)
            return
        session.talk(short_plan_text(plan))
        finished = _carried_out(session, workspace, plan, wait)
    if session.machine:
        session.document(run_fact(finished))
    else:
        _report(session, finished)
    code = 3 if finished.status == "failed" and data_did_not_pass(finished.outcomes) else _CODES.get(finished.status, 1)
    if code:
        ctx.exit(code)


def _nothing(session: Session, plan: Plan) -> None:
    if session.machine:
        session.document({"run": None, "status": "done", "seconds": 0.0, "at": plan.created_at, "steps": [], "plan": plan_fact(plan)})
    else:
        session.result(nothing_to_do(plan))


def _carried_out(session: Session, workspace: Workspace, plan: Plan, wait: float) -> RunFinished:
    observers: Sequence[Observer] = ()
    if not session.machine:
        if _live(session):
            from xde.faces.cli.live import LiveProgress  # deferred: rich is only for terminals

            with LiveProgress(plan, colour=session.ink(error=True).on) as progress:
                return workspace.run(plan, observers=[progress], wait=wait)
        from xde.faces.cli.lines import StepReporter

        observers = [StepReporter(plan, session)]
    return workspace.run(plan, observers=observers, wait=wait)


def _live(session: Session) -> bool:
    return session.verbosity >= 0 and sys.stderr.isatty() and sys.stdout.isatty()


def _report(session: Session, finished: RunFinished) -> None:
    if _live(session):
        session.result(summary_table(finished, session.ink(), session.cells()))
    session.result(run_line(finished, session.ink()))
    findings = run_findings(finished)
    if findings:
        session.talk("")
        session.tell_findings(findings)
    if finished.status == "cancelled":
        session.talk("cancelled; nothing half done was published")
