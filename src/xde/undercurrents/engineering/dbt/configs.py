"""What is configured for a node, from the least to the most special: the project's settings by folder, its YAML, its own `config()`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.kernel.project.tree import Mapping as Tree
from xde.undercurrents.engineering.dbt.templates import Impossible, constant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from xde.undercurrents.engineering.dbt.templates import Templates

_ADDED = ("tags",)
_MERGED = ("meta",)
_TREES = frozenset({"meta", "persist_docs", "grants", "contract", "docs", "column_types", "tags", "hooks"})
_YES, _NO = frozenset({"true", "yes", "on"}), frozenset({"false", "no", "off"})


def merged(*layers: Mapping[str, object]) -> dict[str, object]:
    """Layers put over each other, the most special last: tags come together, `meta` is merged, all else is replaced."""
    found: dict[str, object] = {}
    for layer in layers:
        for key, value in layer.items():
            if key in _ADDED:
                before = found.get(key)
                found[key] = list(dict.fromkeys([*texts(before), *texts(value)]))
            elif key in _MERGED and isinstance(value, dict):
                before = found.get(key)
                found[key] = {**(before if isinstance(before, dict) else {}), **value}
            else:
                found[key] = value
    return found


def of_project(tree: Tree | None, way: Sequence[str]) -> dict[str, object]:
    """What the settings say of a node by its way through the folders: `(project, folder, ..., name)`."""
    layers: list[dict[str, object]] = []
    for part in (*way, None):
        if tree is None:
            break
        layers.append(_here(tree))
        tree = tree.mapping(part) if part is not None else None
    return merged(*layers)


def _here(tree: Tree) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, node in tree.items.items():
        if key.startswith("+"):
            found[key[1:]] = node.data()
        elif not isinstance(node, Tree) or key in _TREES:
            found[key] = node.data()
    return found


def of_yaml(node: Tree | None) -> dict[str, object]:
    """What a node's description says: `config:`, and the words that may stand beside it."""
    if node is None:
        return {}
    beside: dict[str, object] = {k: node.value(k) for k in ("meta", "tags", "access", "group", "latest_version") if k in node.items}
    config = node.mapping("config")
    return merged(beside, config.data() if config is not None else {})


def of_text(templates: Templates, text: str, path: str) -> dict[str, object]:
    """What a template says in `config(...)` by constants, before it is carried out. Raises `Wrong`."""
    found: dict[str, object] = {}
    for name, _, call in templates.calls(text, path):
        if name != "config":
            continue
        for argument in call.kwargs:
            try:
                found[argument.key] = constant(argument.value)
            except Impossible:
                continue
    return found


def texts(value: object) -> list[str]:
    """One text or several, as a list."""
    if value is None:
        return []
    return [str(v) for v in value] if isinstance(value, (list, tuple)) else [str(value)]


def flag(value: object, *, default: bool = False) -> bool:
    """True or false, in the words of dbt's YAML, which is of version 1.1."""
    if isinstance(value, str):
        return value.casefold() in _YES or (default and value.casefold() not in _NO)
    return default if value is None else bool(value)


def first(config: Mapping[str, object], words: Iterable[str]) -> object:
    """The first of some words that has a value."""
    return next((config[w] for w in words if config.get(w) is not None), None)
