"""`xde doctor`: can everything be reached, written and read?"""

from __future__ import annotations

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session
from xde.faces.words.listings import BAD, diagnosis_fact, diagnosis_text


@xde_command("doctor", "xde doctor", "xde --env prod doctor --json")
@json_option
@pass_session
@click.pass_context
def command(ctx: click.Context, session: Session) -> None:
    """Try whether sources, lake, ledger and engine can be reached, written and read.

    Ends with 1 when something is missing or denied; what is only slow or unsafe is told.
    """
    found = []
    with session.open() as workspace:
        for diagnosis in workspace.doctor():
            found.append(diagnosis)
            if not session.machine:
                session.result(diagnosis_text(diagnosis, session.ink()))
    if session.machine:
        session.document({"diagnoses": [diagnosis_fact(d) for d in found]})
    if any(d.status in BAD for d in found):
        ctx.exit(1)
