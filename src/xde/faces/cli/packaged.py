"""The door of a packaged project: `python -m NAME ...` puts its definitions in place and runs `xde ...` on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from xde.app.placing import default_folder, place
from xde.faces.cli.main import FINDING, main
from xde.faces.words.findings import Look, findings_text
from xde.ground.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

PLACE = "--place"  # only put them in place, for the making of an image


def run(package: str, arguments: Sequence[str]) -> int:
    """Carry out a command line of xde on the definitions of an installed package."""
    folder = default_folder(package)
    try:
        place(package, folder)
    except UserError as error:
        click.echo(findings_text(error.findings, Look(folder)), err=True, nl=False)
        return FINDING
    return 0 if list(arguments) == [PLACE] else main(["--project", str(folder), *arguments])
