"""`xde format`: the models' SQL in one form."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session
from xde.ground.errors import UserError

if TYPE_CHECKING:
    from xde.app.formatting import Formatted
    from xde.ground.findings import Finding

FAILED = 1


@xde_command("format", "xde format", "xde format models/marts/orders.sql", "xde format --check", "xde format --diff models/staging")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing; fail when a file is not in the form.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@json_option
@pass_session
def command(session: Session, *, paths: tuple[Path, ...], check: bool, diff: bool) -> int:
    """Put the SQL of models into one form: lines, indents, capitals. No word and no comment is lost, and no model is built anew.

    PATHS are files of SQL, or folders of them. Without one, all models of the project. The head of a model stays as it is written, and
    so does a file that is not SQL.
    """
    from xde.app.formatting import formatted, put, unformatted

    files = list(formatted(_root(session, needed=not paths), paths))
    findings = [f for file in files for f in file.findings]
    changed = [f for f in files if f.changed]
    if not check and not diff:
        for file in changed:
            put(file)
    if check:
        findings += [unformatted(f) for f in changed]
    _tell(session, files, findings, diff=diff, writing=not check and not diff)
    return FAILED if findings else 0


def _root(session: Session, *, needed: bool) -> Path | None:
    try:
        return session.root()
    except UserError:
        if needed:
            raise
        return None


def _tell(session: Session, files: list[Formatted], findings: list[Finding], *, diff: bool, writing: bool) -> None:
    from xde.faces.words.findings import finding_fact, worst_first
    from xde.faces.words.numbers import amount

    changed = [f for f in files if f.changed]
    if session.machine:
        facts = [{"path": f.path, "changed": f.changed, **({"diff": _difference(f)} if diff else {})} for f in files]
        session.document({"files": facts, "findings": [finding_fact(f) for f in worst_first(findings)]})
        return
    for file in changed:
        if diff:
            session.result(_difference(file))
        elif writing:
            session.result(f"formatted {file.path}")
    session.tell_findings(findings)
    done = "formatted" if writing else "would be formatted"
    session.talk(f"{amount(len(changed), 'file')} {done}, {len(files) - len(changed)} left as they are")


def _difference(file: Formatted) -> str:
    one, other = file.before.splitlines(keepends=True), file.after.splitlines(keepends=True)
    return "".join(difflib.unified_diff(one, other, file.path, f"{file.path} (formatted)"))
