"""`xde package`: the tested unit of a project."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict, Unpack

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session


class Options(TypedDict):
    """What may be asked of `package`."""

    output: Path
    version: str | None
    hashes: bool
    allow_dirty: bool


@xde_command("package", "xde package", "xde package --output build/unit --version 1.4.0", "xde package --lock")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("dist"),
    show_default=True,
    metavar="DIR",
    help="Where to; replaced as a whole.",
)
@click.option("--version", metavar="X.Y.Z", help="Its version; default: the tag `vX.Y.Z` at the commit, else one that names the commit.")
@click.option("--lock", is_flag=True, help="Only write `requirements.lock`, from the environment in use.")
@click.option("--hashes", is_flag=True, help="Lock the very files, by their digests: of this platform, and no other.")
@click.option("--allow-dirty", is_flag=True, help="Package what is not committed.")
@json_option
@pass_session
def command(session: Session, *, lock: bool, **options: Unpack[Options]) -> None:
    """Make the tested unit: a wheel and a Dockerfile with a locked, proven set of dependencies.

    Wheel and lock are installed into a fresh environment, and the cases run there; only what passes is written. The lock is the
    project's `requirements.lock`, or made from the environment in use where there is none. Configuration stays outside: `${env:NAME}` in
    `xde.yaml` is read where the unit runs.
    """
    from xde.app.packaging import Order, package  # deferred: as every command's work is
    from xde.faces.words.delivery import packed_fact, packed_text
    from xde.faces.words.numbers import amount

    root = session.root().resolve()
    if lock:
        from xde.app.locking import write_lock

        path, number = write_lock(root, hashes=options["hashes"])
        if session.machine:
            session.document({"path": path.name, "packages": number})
        else:
            session.result(f"{path.name}: {amount(number, 'package')}")
        return
    order = Order(options["output"], options["version"], options["hashes"], options["allow_dirty"], session.talk)
    packed = package(root, order)
    session.warn(packed.warnings)
    if session.machine:
        session.document(packed_fact(packed))
    else:
        session.result(packed_text(packed))
