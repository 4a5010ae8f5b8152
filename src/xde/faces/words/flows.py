"""Flow functions in words: a list, one of them with its picture, and the page of documents that shows them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.words.ink import PLAIN, Ink
from xde.faces.words.table import Column, draw
from xde.kernel.graph.flows.signature import ArgumentKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.kernel.graph.flows.picture import Rows
    from xde.kernel.graph.flows.signature import Argument, Flow

NUMBERS = frozenset({"INTEGER", "BIGINT", "HUGEINT", "DOUBLE"})


def flows_text(flows: Sequence[Flow], ink: Ink = PLAIN, cells: int | None = None) -> str:
    """All flows as a table."""
    rows = [[f.name, f.origin, f.summary] for f in flows]
    return "\n".join(draw([Column("flow"), Column("from"), Column("what it does")], rows, ink=ink, cells=cells).lines) + "\n"


def flow_text(flow: Flow, ink: Ink = PLAIN, cells: int | None = None) -> str:
    """One flow: what it does, its arguments, rows in and rows out."""
    lines = [f"{ink('strong', flow.name)}: {flow.summary}", ""]
    if flow.notes:
        lines += [flow.notes, ""]
    rows = [[_named(a), _kind(a), _help(a)] for a in flow.arguments]
    lines += draw([Column("argument"), Column("is"), Column("")], rows, ink=ink, cells=cells).lines
    if flow.picture is not None:
        for name, table in flow.picture.given.items():
            lines += ["", ink("dim", name), *_drawn(table, ink, cells)]
        lines += ["", ink("dim", f"FROM {flow.picture.call}"), *_drawn(flow.picture.gives, ink, cells)]
    return "\n".join(lines) + "\n"


def flow_fact(flow: Flow) -> dict[str, object]:
    """A flow as JSON data."""
    return {
        "name": flow.name,
        "from": flow.origin,
        "path": flow.path if flow.origin == "the project" else "",
        "summary": flow.summary,
        "notes": flow.notes,
        "arguments": [
            {
                "name": a.name,
                "kind": a.kind.value,
                "words": list(a.words),
                "required": a.required,
                "named": not a.by_position,
                "help": a.help,
            }
            for a in flow.arguments
        ],
        "example": flow.picture.call if flow.picture is not None else "",
    }


def flows_page(flows: Sequence[Flow]) -> str:
    """The page of documents: a section a flow."""
    return "\n".join([_HEAD.format(links="\n".join(f"| [`{f.name}`](#{f.name}) | {f.summary} |" for f in flows)), *map(_section, flows)])


_HEAD = """# Flow functions

Made from the flows themselves by `python -m xde.faces.cli.flow_reference`; `xde flows NAME` shows the same.
Every picture here is run by a test: the rows that go in give the rows that come out, with these names and types.

What a flow is, how arguments are written, and how to make one of your own: [flow](concepts/flow.md).

| flow | what it does |
| --- | --- |
{links}
"""


def _section(flow: Flow) -> str:
    parts = [f"## `{flow.name}`", flow.summary]
    if flow.notes:
        parts.append(flow.notes)
    rows = "\n".join(f"| `{_named(a)}` | {_kind(a)} | {_help(a)} |" for a in flow.arguments)
    parts.append(f"| argument | is | |\n| --- | --- | --- |\n{rows}")
    if flow.picture is not None:
        for name, table in flow.picture.given.items():
            parts += [f"`{name}`", _markdown(table)]
        parts += [f"```sql\nFROM {flow.picture.call}\n```", _markdown(flow.picture.gives)]
    return "\n\n".join(parts) + "\n"


def _named(argument: Argument) -> str:
    name = f"{argument.name}, ..." if argument.many else argument.name if argument.by_position else f"{argument.name} :="
    return name if argument.required else f"[{name}]"


def _help(argument: Argument) -> str:
    return argument.help or ("what goes in" if argument.kind is ArgumentKind.RELATION else "")


def _kind(argument: Argument) -> str:
    return ", ".join(f"`{w}`" for w in argument.words) if argument.words else argument.kind.value


def _drawn(table: Rows, ink: Ink, cells: int | None) -> list[str]:
    columns = [Column(n, right=t in NUMBERS) for n, t in zip(table.columns, table.types, strict=True)]
    return draw(columns, table.cells, ink=ink, cells=cells).lines


def _markdown(table: Rows) -> str:
    rules = ["---:" if t in NUMBERS else "---" for t in table.types]
    lines = [table.columns, rules, *([cell or "*NULL*" for cell in row] for row in table.cells)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
