"""`xde lineage`: what a dataset or column is made from, or who reads it."""

from __future__ import annotations

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session
from xde.faces.words.lineage import lineage_fact, lineage_text


@xde_command(
    "lineage",
    "xde lineage marts.carrier_delay",
    "xde lineage marts.carrier_delay.mean_delay",
    "xde lineage nyc.flights.arr_delay --downstream --depth 2",
)
@click.argument("target")
@click.option("--downstream", is_flag=True, help="Who is made from it, instead of what it is made from.")
@click.option("--depth", type=click.IntRange(min=1), help="Steps to follow at most.")
@json_option
@pass_session
def command(session: Session, *, target: str, downstream: bool, depth: int | None) -> None:
    """Draw what a dataset or column is made from, or who reads it.

    TARGET is `schema.name` or `schema.name.column`.
    """
    with session.open() as workspace:
        node = workspace.lineage(target, downstream=downstream, depth=depth)
    if session.machine:
        session.document(lineage_fact(node))
    else:
        session.result(lineage_text(node, ink=session.ink()))
