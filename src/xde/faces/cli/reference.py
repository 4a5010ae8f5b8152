"""`docs/commands.md`, made from the commands themselves: `python -m xde.faces.cli.reference > docs/commands.md`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from xde.faces.cli.main import root

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = """# Commands

Made from the commands themselves by `python -m xde.faces.cli.reference`; each says the same with `--help`.

Results go to stdout, talk to stderr. `--json` prints one document with stable field names; when a command fails, it is
`{"findings": [...]}`. Colour is for terminals only, and never where `NO_COLOR` is set.

| exit code | meaning |
| --- | --- |
| 0 | done |
| 1 | a finding: something for you to mend |
| 2 | wrong usage |
| 3 | data did not pass its contract |
| 70 | a fault of xde |
| 130 | cancelled; nothing half done was published |
"""


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with its whole name, groups before what is in them."""
    yield from _commands("xde", root)


def _commands(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is not None:
                yield from _commands(f"{name} {child}", found)


def commands_page() -> str:
    """The whole page."""
    sections = [_HEAD]
    above = click.Context(root, **root.context_settings)  # it says how help is asked for, and a command says it in its help
    for name, command in commands():
        context = click.Context(command, parent=above, info_name=name, terminal_width=100, max_content_width=100)
        sections.append(f"## `{name}`\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(sections)


if __name__ == "__main__":
    click.echo(commands_page(), nl=False)
