"""Places in a model's SQL as its author sees them: where flows were put in, the columns of a line are others than in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xde.kernel.project.declarations import ModelDataset


def as_written(model: ModelDataset, line: int, column: int) -> tuple[int, int] | None:
    """The line and column (from 1) of the written SQL for those of the model's SQL; None for what a flow made, or was given."""
    expansion = model.expansion
    if expansion is None:
        return line, column
    start = sum(len(text) for text in model.sql.splitlines(keepends=True)[: line - 1]) + column - 1
    if not expansion.is_free(start):
        return None
    origin, _ = expansion.origin(start, 1)
    return expansion.written.count("\n", 0, origin) + 1, origin - expansion.written.rfind("\n", 0, origin)
