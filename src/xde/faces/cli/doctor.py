"""`xde doctor`: can everything be reached, written and read?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session
from xde.faces.words.listings import BAD, diagnosis_fact, diagnosis_text
from xde.ground.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.app.answers import Diagnosis


@xde_command("doctor", "xde doctor", "xde doctor --engine spark", "xde --env prod doctor --json")
@click.option("--engine", type=click.Choice(["spark"]), help="Tell which models this engine would not be given; it need not be installed.")
@json_option
@pass_session
@click.pass_context
def command(ctx: click.Context, session: Session, engine: str | None) -> None:
    """Try whether sources, lake, ledger and engine can be reached, written and read.

    Ends with 1 when something is missing or denied; what is only slow or unsafe is told.
    """
    from xde.app.doctor import SECRET_CODES, doctor_secrets

    found = []
    try:
        for diagnosis in _all(session, doctor_secrets(session.root().resolve(), session.environment), engine):
            found.append(diagnosis)
            if not session.machine:
                session.result(diagnosis_text(diagnosis, session.ink()))
    except UserError as error:
        if not any(d.status in BAD for d in found) or any(f.code not in SECRET_CODES for f in error.findings):
            raise  # else it is what was said of the secrets already
    if session.machine:
        session.document({"diagnoses": [diagnosis_fact(d) for d in found]})
    if any(d.status in BAD for d in found):
        ctx.exit(1)


def _all(session: Session, secrets: Iterator[Diagnosis], engine: str | None) -> Iterator[Diagnosis]:
    """The secrets first: nothing can be opened without them."""
    yield from secrets
    with session.open() as workspace:
        yield from workspace.doctor(engine)
