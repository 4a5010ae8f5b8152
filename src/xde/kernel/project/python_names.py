"""A text of Python and its syntax tree, with places in characters, and what a name in it stands for by its imports."""

from __future__ import annotations

import ast

from xde.ground.spans import Span


class Text:
    """A parsed file; `lines` are for places: Python counts columns in bytes. Raises `SyntaxError` or `ValueError`."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.tree = ast.parse(text)
        self.lines = text.splitlines()
        self._names = dict(_imports(self.tree))

    def place(self, node: ast.expr | ast.stmt | ast.keyword | ast.arg) -> tuple[int, int, int, int]:
        """Line and column of the beginning and of the end, from 1."""
        end = node.end_lineno or node.lineno
        return node.lineno, self._column(node.lineno, node.col_offset), end, self._column(end, node.end_col_offset or 0)

    def span(self, node: ast.expr | ast.stmt | ast.keyword | ast.arg) -> Span:
        """Where something stands; of what goes over several lines only the first."""
        line, column, end_line, end_column = self.place(node)
        if end_line != line:
            end_column = len(self.lines[line - 1]) + 1 if line <= len(self.lines) else column
        return Span(self.path, line, column, line, end_column)

    def name_of(self, node: ast.expr | None) -> str:
        """The full name of what an expression names: `pl.DataFrame` is `polars.DataFrame`; empty for any other expression."""
        match node:
            case ast.Name(id=name):
                return self._names.get(name, name)
            case ast.Attribute(value=value, attr=attribute):
                owner = self.name_of(value)
                return f"{owner}.{attribute}" if owner else ""
            case ast.Constant(value=str() as text):
                try:
                    return self.name_of(ast.parse(text, mode="eval").body)
                except SyntaxError:
                    return ""
            case _:
                return ""

    def _column(self, line: int, offset: int) -> int:
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        return len(text.encode()[:offset].decode(errors="replace")) + 1


def _imports(tree: ast.Module) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(a.asname, a.name) if a.asname else (a.name.split(".")[0], a.name.split(".")[0]) for a in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found += [(a.asname or a.name, f"{node.module}.{a.name}") for a in node.names]
    return found
