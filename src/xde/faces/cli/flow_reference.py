"""`docs/flows.md`, made from our flows themselves: `python -m xde.faces.cli.flow_reference > docs/flows.md`."""

from __future__ import annotations

import click

from xde.app.flows import our_flows
from xde.faces.words.flows import flows_page


def page() -> str:
    """The whole page."""
    return flows_page(our_flows())


if __name__ == "__main__":
    click.echo(page(), nl=False)
