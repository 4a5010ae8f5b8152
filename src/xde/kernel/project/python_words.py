"""The words of `@model(...)` as a tree with places, so that what holds for the head of a SQL model holds for them too."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from xde.ground.findings import Finding
from xde.kernel.project.fields import Complaints, ListOf, MapOf, Text
from xde.kernel.project.model_head import CODES, HEAD, head_of
from xde.kernel.project.settings_reader import MEMORY, PATIENCE
from xde.kernel.project.tree import Mapping, Scalar, Sequence

if TYPE_CHECKING:
    from xde.ground.spans import Span
    from xde.kernel.project.declarations import ModelHead
    from xde.kernel.project.python_names import Text as Source
    from xde.kernel.project.tree import Node

HEAD_OF_PYTHON = HEAD.with_fields(
    {
        "requires": ListOf(Text(pattern=r"\S", wanted="a requirement"), doc="Packages with the versions that will do"),
        "columns": MapOf(Text(pattern=r"\S", wanted="a type"), doc="Names and types of what is given back"),
        "memory": Text(pattern=MEMORY, wanted="an amount of memory", example="2GB", doc="Most memory that it may use"),
        "timeout": Text(pattern=PATIENCE, wanted="a number of seconds, minutes or hours", example="10 minutes", doc="Longest time"),
    }
)


class Words:
    """What the decorator of one model says, and what is wrong with it."""

    def __init__(self, source: Source, decorator: ast.expr) -> None:
        self.findings: list[Finding] = []
        self._source = source
        self.root = Mapping(source.path, source.place(decorator))
        for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
            self._take(keyword)
        if isinstance(decorator, ast.Call) and decorator.args:
            self._unreadable(decorator.args[0])
        if not self.findings:
            say = Complaints(CODES)
            HEAD_OF_PYTHON.check(self.root, source.path, say)
            self.findings += say.findings

    @property
    def head(self) -> ModelHead:
        """What a SQL model says in its head."""
        return head_of(self.root)

    def listed(self, key: str) -> list[tuple[str, Span]]:
        """The texts of a list, with their places."""
        node = self.root.items.get(key)
        items = node.items if isinstance(node, Sequence) else []
        return [(i.value, i.span) for i in items if isinstance(i, Scalar) and isinstance(i.value, str)]

    def named(self, key: str) -> list[tuple[str, str, Span]]:
        """The entries of a mapping of texts, with their places."""
        node = self.root.mapping(key)
        entries = node.items.items() if node is not None else ()
        return [(n, i.value, i.span) for n, i in entries if isinstance(i, Scalar) and isinstance(i.value, str)]

    def _take(self, keyword: ast.keyword) -> None:
        if keyword.arg is None:
            self._unreadable(keyword.value)
            return
        node = self._node(keyword.value)
        if node is not None:
            line, column, *_ = self._source.place(keyword)
            self.root.keys[keyword.arg] = Scalar(
                self._source.path, (line, column, line, column + len(keyword.arg)), keyword.arg, keyword.arg
            )
            self.root.items[keyword.arg] = node

    def _node(self, value: ast.expr) -> Node | None:
        path, place = self._source.path, self._source.place(value)
        match value:
            case ast.Constant(value=bool() | int() | float() | str() | None as plain):
                return Scalar(path, place, str(plain), plain)
            case ast.List(elts=items) | ast.Tuple(elts=items):
                listed = Sequence(path, place)
                listed.items = [n for i in items if (n := self._node(i)) is not None]
                return listed
            case ast.Dict(keys=keys, values=values):
                mapped = Mapping(path, place)
                for key, item in zip(keys, values, strict=True):
                    self._entry(mapped, key, item)
                return mapped
            case _:
                self._unreadable(value)
                return None

    def _entry(self, mapped: Mapping, key: ast.expr | None, item: ast.expr) -> None:
        name, node = self._node(key) if key is not None else None, self._node(item)
        if key is None:
            self._unreadable(item)
        elif isinstance(name, Scalar) and node is not None:
            mapped.keys[name.text] = name
            mapped.items[name.text] = node

    def _unreadable(self, value: ast.expr) -> None:
        why = "a project is read without running its Python"
        hint = "write the value out, or a list or dictionary of written-out values"
        self.findings.append(
            Finding(
                "XDE0262",
                f"a word of `@model` in `{self._source.path}` is not written out",
                self._source.span(value),
                "has to be run",
                why,
                hint,
            )
        )
