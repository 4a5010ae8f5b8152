"""`xde import`: projects of other tools made into projects of ours."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import examples_text, json_option
from xde.faces.cli.session import Session, pass_session

MOST = 20
"""So many findings are told on a terminal; the others are read in peace."""


@click.group("import", epilog=examples_text(("xde import dbt ../shop", "xde import dbt ../shop --into shop --json")))
def command() -> None:
    """Make a project of what another tool has: `xde import dbt DIR`."""


@xde_command("dbt", "xde import dbt ../shop", "xde import dbt ../shop --into shop")
@click.argument("source", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--into", type=click.Path(path_type=Path), metavar="FOLDER", help="The new project; default: `NAME_xde`, here.")
@json_option
@pass_session
def dbt(session: Session, *, source: Path, into: Path | None) -> None:
    """Make an xde project of the dbt project in DIR, and tell what a person must decide.

    dbt need not be installed, and no warehouse is asked. FOLDER must be empty or not there yet; DIR is not changed. What cannot be carried
    over is left out of the build and kept under `undecided/`. The report stands in `IMPORT.md` too.
    """
    from xde.app.importing import REPORT, import_dbt  # deferred, as every command's work is
    from xde.faces.words.imports import import_fact, import_page, import_text

    made = import_dbt(source, into, import_page)
    if session.machine:
        session.document(import_fact(made))
        return
    told = [*made.report.decisions, *made.report.unread]
    session.tell_findings(told[:MOST])
    if len(told) > MOST:
        session.talk(f"and {len(told) - MOST} more, all of them in {REPORT}\n")
    session.result(import_text(made, session.ink(), session.cells()))
    session.talk(f"\nthe whole report: {made.folder / REPORT}; now try:\n  cd {shlex.quote(str(made.folder))}\n  xde plan\n  xde run")


command.add_command(dbt)
