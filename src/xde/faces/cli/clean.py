"""`xde clean`: take away files that nobody needs any more."""

from __future__ import annotations

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session
from xde.faces.words.listings import cleaned_fact, cleaned_text


@xde_command("clean", "xde clean --dry-run", "xde clean --keep-hours 24 --compact")
@click.option("--keep-hours", type=click.FloatRange(min=0), default=168.0, show_default=True, help="Keep what snapshots so young need.")
@click.option("--compact", is_flag=True, help="Rewrite many small files as few large ones first.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be taken away.")
@json_option
@pass_session
def command(session: Session, *, keep_hours: float, compact: bool, dry_run: bool) -> None:
    """Take away files that nobody needs any more.

    Files that a crash left behind, and those that only snapshots older than --keep-hours need: `xde show --at` can no
    longer read these snapshots afterwards.
    """
    with session.open() as workspace:
        cleaned = workspace.clean(keep_hours=keep_hours, dry_run=dry_run, compact=compact)
    if session.machine:
        session.document({"dry_run": dry_run, "tables": [cleaned_fact(c) for c in cleaned]})
    else:
        session.result(cleaned_text(cleaned, dry_run=dry_run))
