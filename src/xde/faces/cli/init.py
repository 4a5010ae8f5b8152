"""`xde init`: a new project that runs, small or by example."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session
from xde.faces.words.numbers import amount


@xde_command("init", "xde init my_project", "xde init flights --example flights")
@click.argument("target", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--example", metavar="NAME", help="Copy this example instead: `flights` is a year of New York flights.")
@json_option
@pass_session
def command(session: Session, *, target: Path, example: str | None) -> None:
    """Make a new project that runs.

    DIR must be empty or not there yet. Without --example it holds three rows of work: a source with its contract, a
    staging model, and a mart with a contract of its own.
    """
    from xde.app.scaffold import init  # deferred, as every command's work is

    made = init(target, example)
    if session.machine:
        session.document({"project": str(target), "files": [str(p.relative_to(target)) for p in made]})
        return
    small = [p for p in made if len(made) <= 20 or p.suffix in {".yaml", ".sql", ".md"}]
    for path in small:
        session.result(f"  {path}")
    if len(small) < len(made):
        session.result(f"  and {amount(len(made) - len(small), 'more file')}")
    go = "" if target.resolve() == Path.cwd() else f"  cd {shlex.quote(str(target))}\n"
    session.talk(f"\nmade {amount(len(made), 'file')}; now try:\n{go}  xde plan\n  xde run")
