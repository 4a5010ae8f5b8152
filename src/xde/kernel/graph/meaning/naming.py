"""How a written name finds its column, by DuckDB's rules: the nearest SELECT first, a table before a column with fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from xde.kernel.graph.meaning.frames import column_of, row_of
from xde.kernel.graph.meaning.values import NOTHING, Meaning, merged, mix
from xde.kernel.graph.text.terms import UnclearError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.kernel.graph.meaning.frames import Frame, Scope
    from xde.kernel.graph.text.terms import Name


class Missing(NamedTuple):
    """A name that finds nothing: where it begins, what it was looked for in, and the columns that are there."""

    name: str
    start: int
    dataset: str
    table: str
    known: tuple[str, ...]


def find(name: Name, scope: Scope) -> Meaning | Missing:
    """The meaning of a name. Raises `UnclearError` where two readings are possible."""
    level: Scope | None = scope
    depth, unknown = 0, False
    while level is not None:
        meaning = _here(name, level)
        if meaning is not None and unknown:
            raise UnclearError  # a source further in may have a column of this name
        if meaning is not None:
            return meaning if depth == 0 else Meaning(meaning.reads, mix("outer", str(depth), meaning.digest))
        unknown = unknown or level.frame.is_open()
        level, depth = level.outer, depth + 1
    opened = _by_open_source(name, scope)
    return opened if opened is not None else _missing(name, scope)


def is_in_sight(word: str, scope: Scope) -> bool:
    """Whether a bare word could be a column or a table here."""
    level: Scope | None = scope
    while level is not None:
        for table in level.frame.tables:
            if table.alias == word.lower() or word.lower() in table.relation.index or table.relation.open is not None:
                return True
        if level.alias is not None and level.alias(word) is not None:
            return True
        level = level.outer
    return False


def _here(name: Name, scope: Scope) -> Meaning | None:
    parts = name.parts
    alias = _alias(parts, scope)
    if scope.alias_order == "first" and len(parts) == 1 and alias is not None:
        return alias
    found = {m.digest: m for m in _candidates(parts, scope.frame)}
    if len(found) > 1:
        raise UnclearError
    if found:
        column = next(iter(found.values()))
        return merged("either", (column, alias)) if alias is not None and scope.alias_order == "both" else column
    if alias is not None:
        if scope.frame.is_open():
            raise UnclearError
        return alias
    if len(parts) == 1:
        table = scope.frame.named(parts[0])
        return row_of(table) if table is not None else None
    return None


def _alias(parts: tuple[str, ...], scope: Scope) -> Meaning | None:
    found = scope.alias(parts[0]) if scope.alias is not None else None
    return None if found is None else _fields(found, parts[1:])


def _candidates(parts: tuple[str, ...], frame: Frame) -> Iterator[Meaning]:
    if len(parts) >= 3:
        table = frame.named(parts[1], parts[0])
        column = column_of(table, parts[2]) if table is not None and table.schema else None
        if column is not None:
            yield _fields(column, parts[3:])
    if len(parts) >= 2:
        table = frame.named(parts[0])
        column = column_of(table, parts[1]) if table is not None else None
        if column is not None:
            yield _fields(column, parts[2:])
    bare = frame.bare(parts[0])
    if bare is not None:
        yield _fields(bare, parts[1:])


def _fields(meaning: Meaning, fields: tuple[str, ...]) -> Meaning:
    for field in fields:
        meaning = Meaning(meaning.reads, mix(f"field {field.lower()}", meaning.digest))
    return meaning


def _by_open_source(name: Name, scope: Scope) -> Meaning | None:
    level: Scope | None = scope
    found: list[Meaning] = []
    depth = 0
    while level is not None:
        opened = level.frame.open_source(name.parts[0])
        if opened is not None:
            found.append(_fields(Meaning(opened.reads, mix("outer", str(depth), opened.digest)), name.parts[1:]))
        level, depth = level.outer, depth + 1
    if len(found) > 1:
        raise UnclearError
    return found[0] if found else None


def _missing(name: Name, scope: Scope) -> Missing:
    parts, starts = name.parts, name.starts or (-1,) * len(name.parts)
    level: Scope | None = scope
    while level is not None:
        for first in range(len(parts) - 1):
            table = level.frame.named(parts[first], parts[first - 1] if first else "")
            if table is not None:
                relation = table.relation
                return Missing(parts[first + 1], starts[first + 1], relation.dataset, table.alias, tuple(relation.names()))
        level = level.outer
    tables = [t for t in scope.frame.tables if not t.hidden]
    only = tables[0] if len(tables) == 1 else None
    known = tuple(dict.fromkeys(scope.frame.names()))
    if len(parts) > 1:
        return Missing(parts[0], starts[0], "", "", (*(t.alias for t in tables), *known))
    return Missing(parts[0], starts[0], only.relation.dataset if only else "", only.alias if only else "", known)


def placeholder(missing: Missing) -> Meaning:
    """What stands for a missing column, so that all that are missing are found at once."""
    return Meaning(NOTHING, mix("missing", missing.name))
