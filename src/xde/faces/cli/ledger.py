"""`xde ledger`: look after our own memory."""

from __future__ import annotations

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import examples_text, json_option
from xde.faces.cli.session import Session, pass_session
from xde.faces.words.numbers import amount


@click.group("ledger", epilog=examples_text(("xde ledger rebuild",)))
def command() -> None:
    """Look after the ledger.

    The ledger mirrors what the lake's commits say, for speed; the lake is the truth.
    """


@xde_command("rebuild", "xde ledger rebuild", "xde --env prod ledger rebuild --json")
@json_option
@pass_session
def rebuild(session: Session) -> None:
    """Make the ledger again from what the lake says.

    Runs and steps that it remembers stay. One that is broken is moved aside, and a new one is begun.
    """
    from xde.app.rebuilding import rebuild_at  # deferred: it brings the lake

    tables, aside = rebuild_at(session.root(), session.environment)
    if session.machine:
        session.document({"tables": tables, "aside": str(aside) if aside else None})
        return
    if aside is not None:
        session.talk(f"the ledger was broken, and is now `{aside.name}` beside the new one: which runs there were stands in it alone")
    session.result(f"{amount(tables, 'table')} found; the ledger says again what the lake says")


command.add_command(rebuild)
