"""`xde run`: load what is new, build what is stale, publish what passes."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session
from xde.faces.words.findings import finding_fact
from xde.faces.words.plan import nothing_to_do, short_plan_text
from xde.faces.words.run import data_did_not_pass, run_fact, run_findings, run_line, summary_table, traces
from xde.ground.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.app.workspace import Workspace
    from xde.ground.findings import Finding
    from xde.kernel.plan.ledger import Claim
    from xde.kernel.plan.plan import Plan
    from xde.kernel.run.events import Observer, RunFinished

_CODES = {"done": 0, "failed": 1, "cancelled": 130}


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is to be run, and how long to wait for another run."""

    selection: tuple[str, ...]
    full: bool
    until: str
    wait: float
    reason: str


@xde_command("run", "xde run", "xde run +marts.carrier_delay", "xde run nyc.* --full", "xde run --wait 600 --json")
@click.argument("selection", nargs=-1)
@click.option("--full", "--full-refresh", "full", is_flag=True, help="As if nothing were there: load and build all of what is selected.")
@click.option("--reason", metavar="TEXT", default="", help="With --full: why histories and models that append may lose what they keep.")
@click.option("--until", metavar="TIME", default="", help="Build models by time up to this day or UTC time, exclusive.")
@click.option(
    "--wait", type=click.FloatRange(min=0), default=0.0, metavar="SECONDS", help="Wait so long if another run holds the environment."
)
@json_option
@pass_session
@click.pass_context
def command(  # noqa: PLR0913 - one argument an option
    ctx: click.Context, session: Session, *, selection: tuple[str, ...], full: bool, reason: str, until: str, wait: float
) -> None:
    """Load what is new, build what is stale, publish what passes.

    SELECTION is as for `xde plan`. Ends with 3 when data did not pass its contract, with 130 when it was cancelled; in
    both cases nothing half done was published. What --until leaves out is missing: `xde plan` says so, and the next run computes it.
    """
    with session.open() as workspace:
        taken = workspace.take_in(selection)
        plan = workspace.plan(selection, full=full, until=until, reason=reason)
        wrong = any(f.severity is Severity.ERROR for f in taken)  # all else is done all the same
        session.warn((*workspace.warnings, *taken))
        if not plan.steps:
            _nothing(session, plan, (*workspace.warnings, *taken))
            ctx.exit(1 if wrong else 0)
        session.talk(short_plan_text(plan))
        finished = _carried_out(session, workspace, plan, _Wish(selection, full, until, wait, reason))
        warnings = (*workspace.warnings, *taken)
    if session.machine:
        session.document({**run_fact(finished), "warnings": [finding_fact(w) for w in warnings]})
    else:
        _report(session, plan, finished)
        session.warn(warnings)
    code = _code(finished) or int(wrong)
    if code:
        ctx.exit(code)


def _code(finished: RunFinished) -> int:
    if traces(finished.outcomes):
        return 70
    if finished.status == "failed" and data_did_not_pass(finished.outcomes):
        return 3
    return _CODES.get(finished.status, 1)


def _nothing(session: Session, plan: Plan, warnings: Sequence[Finding]) -> None:
    if session.machine:
        empty: dict[str, object] = {"run": None, "status": "done", "seconds": 0.0, "at": plan.created_at, "steps": [], "findings": []}
        session.document({**empty, "warnings": [finding_fact(w) for w in warnings]})
    else:
        session.result(nothing_to_do(plan))


def _carried_out(session: Session, workspace: Workspace, plan: Plan, wish: _Wish) -> RunFinished:
    def carry_out(*observers: Observer) -> RunFinished:
        return workspace.run(
            plan,
            selection=wish.selection,
            full=wish.full,
            until=wish.until,
            reason=wish.reason,
            observers=observers,
            wait=wish.wait,
            waiting=lambda c: _waiting(session, c),
        )

    if session.machine:
        return carry_out()
    if _live(session):
        from xde.faces.cli.live import LiveProgress  # deferred: rich is only for terminals

        with LiveProgress(plan, colour=session.ink(error=True).on, ask=workspace.watch()) as progress:
            return carry_out(progress)
    from xde.faces.cli.lines import StepReporter

    return carry_out(StepReporter(plan, session))


def _waiting(session: Session, claim: Claim) -> None:
    session.talk(f"waiting for run `{claim.run}`, which holds `{claim.environment}` ({claim.owner})")


def _live(session: Session) -> bool:
    return session.verbosity >= 0 and sys.stderr.isatty() and sys.stdout.isatty()


def _report(session: Session, plan: Plan, finished: RunFinished) -> None:
    if not finished.outcomes:  # another run was faster while we waited
        session.result(nothing_to_do(replace(plan, steps=(), unchanged=plan.unchanged + len(plan.steps))))
        return
    if _live(session):
        session.result(summary_table(finished, session.ink(), session.cells()))
    session.result(run_line(finished, session.ink()))
    findings = run_findings(finished)
    if findings:
        session.talk("")
        session.tell_findings(findings)
    for trace in traces(finished.outcomes):
        click.echo(trace, err=True, nl=False)
    if finished.status == "cancelled":
        session.talk("cancelled; nothing half done was published")
