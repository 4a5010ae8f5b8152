"""What all commands share in their making: examples below the help, and the switch for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from xde.faces.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable


def command(name: str, *examples: str) -> Callable[[Callable[..., Any]], click.Command]:
    """A click command whose help ends with examples, one a line."""
    return click.command(name, epilog=examples_text(examples), no_args_is_help=False)


def examples_text(examples: tuple[str, ...]) -> str:
    """The paragraph of examples, marked with a backspace so that click does not wrap it."""
    return "\n".join(["\b", "Examples:", *(f"  {e}" for e in examples)])


def _machine(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    if value:
        ctx.ensure_object(Session).machine = True


json_option = click.option("--json", is_flag=True, is_eager=True, expose_value=False, callback=_machine, help="Print one JSON document.")
