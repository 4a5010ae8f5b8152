"""`xde clean`: take away files that nobody needs any more."""

from __future__ import annotations

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session
from xde.faces.words.findings import finding_fact
from xde.faces.words.listings import cleaned_fact, cleaned_text, expired_fact, expired_text, freed_fact, freed_text


@xde_command("clean", "xde clean --dry-run", "xde clean --keep-hours 24 --compact")
@click.option("--keep-hours", type=click.FloatRange(min=0), default=168.0, show_default=True, help="Keep what snapshots so young need.")
@click.option(
    "--keep-days", type=click.FloatRange(min=0), default=7.0, show_default=True, help="Keep the versions that were in use so lately."
)
@click.option("--compact", is_flag=True, help="Rewrite many small files as few large ones first.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be taken away.")
@json_option
@pass_session
def command(session: Session, *, keep_hours: float, keep_days: float, compact: bool, dry_run: bool) -> None:
    """Take away environments, versions and files that nobody needs any more.

    Environments whose time is over: as `expires:` in `xde.yaml` says, and those that nothing declares and nothing was deployed to, 30
    days after their last run. Versions of datasets that no environment points at, has used in the last --keep-days, or has made from
    them what it uses: to go back to one of these is to build it again. Files that a crash left behind, and those that only
    snapshots older than --keep-hours need: `xde show --at` can no longer read these snapshots afterwards. Replication slots of
    PostgreSQL by which no environment loads any more.
    """
    with session.open() as workspace:
        expired = workspace.expire(dry_run=dry_run)
        cleaned = workspace.clean(keep_hours=keep_hours, keep_days=keep_days, dry_run=dry_run, compact=compact)
        session.warn(workspace.warnings)
    if session.machine:
        findings = [finding_fact(w) for w in workspace.warnings]
        gone = [expired_fact(e) for e in expired]
        slots = [freed_fact(f) for f in workspace.freed]
        tables = [cleaned_fact(c) for c in cleaned]
        session.document({"dry_run": dry_run, "environments": gone, "slots": slots, "tables": tables, "findings": findings})
    else:
        if expired:
            session.result(expired_text(expired, dry_run=dry_run))
        if workspace.freed:
            session.result(freed_text(workspace.freed, dry_run=dry_run))
        session.result(cleaned_text(cleaned, dry_run=dry_run))
