"""`xde runs`: the last runs, or the steps of one."""

from __future__ import annotations

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session
from xde.faces.words.listings import run_record_fact, runs_text, step_record_fact, steps_text
from xde.ground.errors import UserError
from xde.ground.findings import Finding


@xde_command("runs", "xde runs", "xde runs --limit 100 --json", "xde runs 20260101T120000-ab12")
@click.argument("run", required=False)
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Runs at most.")
@json_option
@pass_session
def command(session: Session, *, run: str | None, limit: int) -> None:
    """List the last runs, or the steps of one.

    RUN is a run's name, as the list shows it.
    """
    with session.open() as workspace:
        if run is None:
            runs = workspace.runs(limit)
            if session.machine:
                session.document({"runs": [run_record_fact(r) for r in runs]})
            elif runs:
                session.result(runs_text(runs, session.ink()))
            else:
                session.talk("no runs yet")
            return
        steps = workspace.steps(run)
    if not steps:
        raise UserError(Finding("XDE0005", f"no step of a run `{run}` is known", hint="`xde runs` lists the runs"))
    if session.machine:
        session.document({"run": run, "steps": [step_record_fact(s) for s in steps]})
    else:
        session.result(steps_text(steps, session.ink(), session.cells()))
