"""What a text of Python means, as a digest of its syntax tree: comments, layout and docstrings have no part in it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from xde.ground.digests import digest

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNHEARD = frozenset({"ctx", "type_comment", "kind", "type_ignores"})
LIBRARY = "lib"


def meaning_of(tree: ast.Module, model: str = "") -> str:
    """The digest of a module; of the function `model` neither the decorators count nor the annotations, which are told elsewhere.

    It is the same under every version of Python: fields of the tree that are empty are not told of.
    """
    return digest(_told(tree, model))


def _told(node: object, model: str) -> object:
    match node:
        case ast.AST():
            return [type(node).__name__, *([n, _told(v, model)] for n, v in _fields(node, model))]
        case list():
            return [_told(v, model) for v in node]
        case bytes() | complex() | float():
            return [type(node).__name__, repr(node)]
        case _ if node is Ellipsis:
            return ["..."]
        case _:
            return node


def _fields(node: ast.AST, model: str) -> Iterator[tuple[str, object]]:
    own = isinstance(node, ast.FunctionDef) and node.name == model
    for name, value in ast.iter_fields(node):
        if name in _UNHEARD or value == [] or (value is None and not isinstance(node, ast.Constant)):
            continue
        if own and name in {"decorator_list", "returns"}:
            continue
        if own and isinstance(value, ast.arguments):
            yield name, [a.arg for a in (*value.posonlyargs, *value.args, *value.kwonlyargs)]
            yield "defaults", [d for d in (*value.defaults, *value.kw_defaults) if d is not None]
        elif name == "body" and isinstance(value, list):
            yield name, _without_docstring(node, value)
        else:
            yield name, value


def _without_docstring(node: ast.AST, body: list[ast.stmt]) -> list[ast.stmt]:
    if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) or not body:
        return body
    first = body[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    return body[1:] if is_text else body


def imported(tree: ast.Module, path: str) -> Iterator[tuple[tuple[str, ...], ast.stmt]]:
    """The files of `lib/` that a module imports: for each name those that it may be, of which the first that there is is meant."""
    package = path.split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == LIBRARY:
                    yield (f"{alias.name.replace('.', '/')}.py",), node
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            parts = [*base, *(node.module.split(".") if node.module else [])]
            if parts[:1] == [LIBRARY]:
                of_module = (f"{'/'.join(parts)}.py",) if len(parts) > 1 else ()
                for alias in node.names:
                    yield (f"{'/'.join(parts)}/{alias.name}.py", *of_module), node
