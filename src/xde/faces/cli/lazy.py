"""Commands that are imported when they are used, and no sooner: `xde --version` pays for none of them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import click

from xde.faces.cli.overriding import override
from xde.ground.names import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping


class LazyGroup(click.Group):
    """A group that knows its commands by name and one line of help: `commands` maps `plan` to (module, short help).

    The module holds the command under the name `command`. A test holds the short help here and there together.
    """

    def __init__(self, *args: object, lazy: Mapping[str, tuple[str, str]], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # click's own arguments, passed on untouched
        self.lazy = lazy

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """In the order of work, not of the alphabet."""
        return list(self.lazy)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import a command."""
        if cmd_name not in self.lazy:
            return None
        found = importlib.import_module(self.lazy[cmd_name][0]).command
        return found if isinstance(found, click.Command) else None

    @override
    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest name for a misspelt one."""
        name = args[0]
        if name not in self.lazy and not name.startswith("-"):
            near = nearest(name, self.lazy)
            hint = f" Did you mean '{near}'?" if near else ""
            ctx.fail(f"No such command '{name}'.{hint}")
        return super().resolve_command(ctx, args)

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """The list of commands, from what is known without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, short) in self.lazy.items()])
