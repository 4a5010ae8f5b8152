"""The table of functions of `docs/concepts/engine.md`: `python -m xde.connectors.spark.portable.table` writes it."""

from __future__ import annotations

import sys

from xde.connectors.spark.portable.proven import FUNCTIONS

BEGIN, END = "<!-- functions: begin -->", "<!-- functions: end -->"


def table() -> str:
    """Markdown, a line for each kind."""
    kinds: dict[str, list[str]] = {}
    for name, kind in FUNCTIONS.items():
        kinds.setdefault(kind, []).append(f"`{name}`")
    lines = ["| of | functions |", "| --- | --- |", *(f"| {kind} | {', '.join(sorted(names))} |" for kind, names in kinds.items())]
    return "\n".join(lines)


def placed(page: str) -> str:
    """A page with the table put in its place."""
    head, _, rest = page.partition(BEGIN)
    return f"{head}{BEGIN}\n\n{table()}\n\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    sys.stdout.write(placed(sys.stdin.read()))
