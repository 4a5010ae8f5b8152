"""`xde profile`: what datasets and files show of themselves."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session
from xde.ground.errors import UserError
from xde.ground.findings import Finding

if TYPE_CHECKING:
    from xde.undercurrents.management.profiling.facts import Profile


@xde_command(
    "profile",
    "xde profile nyc.flights",
    "xde profile nyc",
    "xde profile 'data/*.csv'",
    "xde profile --all --html profile.html",
    "xde profile events.parquet --sample 100000 --json",
    "xde profile 'postgres://reader:${env:SHOP_PASSWORD}@db.example.com/shop?schema=public'",
    "xde profile shop --at-source",
)
@click.argument("sources", nargs=-1, metavar="SOURCE...")
@click.option("--all", "everything", is_flag=True, help="Every dataset that this environment has.")
@click.option(
    "--sample",
    type=click.IntRange(min=100),
    default=1_000_000,
    show_default=True,
    metavar="ROWS",
    help="Of a larger table look at so many rows.",
)
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write a page that needs nothing but itself.")
@click.option("--at-source", is_flag=True, help="Look at datasets where they come from, as they are there now.")
@json_option
@pass_session
def command(session: Session, *, sources: tuple[str, ...], everything: bool, sample: int, html: Path | None, at_source: bool) -> None:
    """Show what datasets, files and tables are: types, gaps, keys, joins, outliers, personal data.

    SOURCE is a dataset, a source of the project (all its datasets), a file, a pattern of files in quotes, or the address of a database
    with its password by reference (`?schema=` and `?table=` choose). Files and addresses need no contract and no project. A dataset of a
    database that was not loaded yet is looked at where it is. Keys and joins are decided by exact counts over all rows; other figures of
    a large table are those of a sample. Of databases it tells how the values of each column arrive: exact, as text, rounded or refused.
    """
    from xde.app.profiling import Wish, profile

    if not sources and not everything:
        raise click.UsageError("name what to profile: `xde profile SOURCE`, or `xde profile --all`")
    begun = time.monotonic()
    found = profile(session.root, session.environment, Wish(sources, everything, sample, at_source))
    if html is not None:
        from xde.faces.words.profile_page import profile_page

        _write(html, profile_page(found, f"Profile of {', '.join(sources) or 'all datasets'}"))
    _tell(session, found, html, time.monotonic() - begun)


def _tell(session: Session, found: Profile, html: Path | None, seconds: float) -> None:
    from xde.faces.words.numbers import amount, duration
    from xde.faces.words.profile import profile_text
    from xde.faces.words.profile_fact import profile_fact

    if session.machine:
        session.document(profile_fact(found))
        return
    session.warn(found.findings)
    if html is None:
        session.result(profile_text(found, session.ink(), session.cells()))
    rows = sum(t.rows for t in found.tables)
    written = f", written to {html}" if html else ""
    session.talk(f"{amount(len(found.tables), 'table')} of {amount(rows, 'row')} in {duration(seconds)}{written}")


def _write(path: Path, text: str) -> None:
    """Write beside the file, and put it in its place when all is written."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        said = f"`{path}` cannot be written: {(error.strerror or str(error)).lower()}"
        raise UserError(Finding("XDE0007", said, hint="name another file with `--html`")) from error
    finally:
        aside.unlink(missing_ok=True)
