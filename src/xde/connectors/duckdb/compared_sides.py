"""The two sides of a comparison made readable: files, views and a user's own files under the names `xde_left` and `xde_right`."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from xde.connectors.duckdb.compared_values import Value, comparable, settled
from xde.connectors.duckdb.transformation import make_views, relation
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import literal, quoted
from xde.lifecycle.serving.comparing import Layout, layout_of
from xde.lifecycle.storage.port import Column
from xde.lifecycle.transformation.port import Input

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xde.connectors.duckdb.session import DuckdbSession, Scope
    from xde.lifecycle.serving.comparing import Asked, Retyped, Side
    from xde.lifecycle.storage.port import Schema

MASK_BITS = 60
BOTH, ADDED, REMOVED = 0, 1, 2  # where a row is: `side` in the table `differing`
LEFT, RIGHT, SHARED = "xde_left", "xde_right", "xde_shared"
_READERS = {"csv": "read_csv", "tsv": "read_csv", "txt": "read_csv", "json": "read_json", "ndjson": "read_json", "jsonl": "read_json"}


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the comparison reads: two views and, if both sides have files in common, a third with the rows of those."""

    scope: Scope
    sides: tuple[Side, Side]
    layout: Layout
    rows: tuple[int, int]
    shared_rows: int
    has_shared: bool
    to_read: bool
    null_keys: bool
    personal: frozenset[str]

    @property
    def values(self) -> tuple[Value, ...]:
        """The columns that are compared."""
        return tuple(Value(i, c) for i, c in enumerate(self.layout.columns))

    @property
    def keys(self) -> list[str]:
        """The key's columns in SQL."""
        return [f"k{i}" for i in range(len(self.layout.key))]

    @property
    def cells(self) -> list[str]:
        """Every column in SQL, the key first."""
        return [*self.keys, *(f"c{i}" for i in range(len(self.layout.columns)))]

    def on(self, one: str, other: str) -> str:
        """Whether rows of two tables have the same key; NULL is a key like any other, but for `=` the engine skips what cannot match."""
        return " AND ".join(f"{one}.{k} {'IS NOT DISTINCT FROM' if self.null_keys else '='} {other}.{k}" for k in self.keys)

    def hides(self, column: str) -> bool:
        """Whether a column's values are not to be seen."""
        return column.casefold() in self.personal

    def run(self, sql: str) -> list[Any]:
        """All rows of a query; for a few."""
        return self.scope.cursor.execute(sql).fetchall()


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the rows of a side come from; a view is read in the scope in which its inputs have their names."""

    side: Side
    schema: Schema
    sql: str
    scope: Scope | None = None


@contextmanager
def prepared(session: DuckdbSession, left: Side, right: Side, asked: Asked) -> Iterator[Prepared]:
    """Open both sides, match their columns, and leave out the files that both have."""
    with session.scope() as main, session.scope() as one, session.scope() as two:
        sources = _source(main, one, left, "raw_left"), _source(main, two, right, "raw_right")
        raw = layout_of(left, right, (sources[0].schema, sources[1].schema), asked)
        layout = replace(raw, key=settled(main.cursor, raw.key), columns=settled(main.cursor, raw.columns))
        shared = _shared(left, right, layout, (sources[0].schema, sources[1].schema), asked)
        for name, source, which in zip((LEFT, RIGHT), sources, (0, 1), strict=True):
            _view(main, name, _without(source, shared, main), layout, which, asked)
        if shared:
            _view(main, SHARED, _only(sources[0], shared, main), layout, 0, asked)
        to_read = any(set(s.given.paths) - shared if s.given else True for s in (left, right))
        shared_rows = _count(main, SHARED) if shared else 0
        rows = tuple(_rows(main, s, n, shared_rows, asked) for s, n in ((left, LEFT), (right, RIGHT)))
        personal = frozenset(p.casefold() for p in asked.personal)
        nulls = to_read and _has_null(main, [f"k{i}" for i in range(len(layout.key))])
        yield Prepared(main, (left, right), layout, (rows[0], rows[1]), shared_rows, bool(shared), to_read, nulls, personal)


def _has_null(main: Scope, keys: Sequence[str]) -> bool:
    """Whether a row that is to be compared has no key; one of a shared file matters to none that has one."""
    some = " OR ".join(f"{k} IS NULL" for k in keys) or "false"
    found = [main.cursor.execute(f"SELECT 1 FROM {name} WHERE {some} LIMIT 1").fetchone() for name in (LEFT, RIGHT)]
    return any(row is not None for row in found)


def _rows(main: Scope, side: Side, name: str, shared_rows: int, asked: Asked) -> int:
    return side.rows if side.rows is not None and not asked.where else _count(main, name) + shared_rows


def _count(main: Scope, name: str) -> int:
    row = main.cursor.execute(f"SELECT count(*) FROM {name}").fetchone()
    return int(row[0]) if row else 0


def _shared(left: Side, right: Side, layout: Layout, schemas: tuple[Schema, Schema], asked: Asked) -> frozenset[str]:
    """The files of both sides: never written twice, so their rows are equal, if they are read in the same words."""
    if left.given is None or right.given is None or any(c.left != c.right for c in (*layout.key, *layout.columns)):
        return frozenset()
    return frozenset() if asked.where and schemas[0] != schemas[1] else frozenset(left.given.paths) & frozenset(right.given.paths)


def _without(source: _Source, shared: frozenset[str], main: Scope) -> _Source:
    if source.side.given is None:
        return source
    return _of_files(source, tuple(p for p in source.side.given.paths if p not in shared), main)


def _only(source: _Source, shared: frozenset[str], main: Scope) -> _Source:
    return _of_files(source, tuple(sorted(shared)), main)


def _of_files(source: _Source, paths: tuple[str, ...], main: Scope) -> _Source:
    """Some files of a side. If none of these has a column yet that came later, it is NULL in all of them."""
    text = relation(Input(source.schema, paths))
    try:
        main.cursor.execute(f"DESCRIBE {text}")
    except duckdb.BinderException:
        empty = ", ".join(f"CAST(NULL AS {c.type}) AS {quoted(c.name)}" for c in source.schema)
        files = f"read_parquet([{', '.join(literal(p) for p in paths)}], union_by_name = true)"
        names = ", ".join(quoted(c.name) for c in source.schema)
        text = f"SELECT {names} FROM (SELECT {empty} WHERE false UNION ALL BY NAME SELECT * FROM {files})"
    return replace(source, sql=text)


def _source(main: Scope, own: Scope, side: Side, raw: str) -> _Source:
    if side.given is not None:
        return _Source(side, side.given.schema, relation(side.given))
    if side.view is not None:
        for name, given in side.inputs.items():
            own.show(name, given, relation(given))
        make_views(own, side.view)
        sql = f"SELECT * FROM ({side.view.sql}\n)"
        return _Source(side, _described(own, sql), sql, own)
    return _file(main, side, raw)


def _file(main: Scope, side: Side, raw: str) -> _Source:
    """A file of the user's: Parquet is read where it lies, anything else once, with types guessed from all its records."""
    ending = next((s for s in reversed(Path(side.file).name.casefold().split(".")) if s in _READERS or s == "parquet"), "parquet")
    try:
        if ending == "parquet":
            sql = f"SELECT * FROM read_parquet({literal(side.file)})"
        else:
            main.cursor.execute(f"CREATE TABLE {raw} AS SELECT * FROM {_READERS[ending]}({literal(side.file)}, sample_size = -1)")
            sql = f"SELECT * FROM {raw}"
        return _Source(side, _described(main, sql), sql)
    except duckdb.Error as error:
        raise UserError(
            Finding(
                "XDE0925", f"`{side.file}` cannot be read", why=" ".join(str(error).split())[:300], hint="give a CSV, JSON or Parquet file"
            )
        ) from error


def _described(scope: Scope, sql: str) -> Schema:
    return tuple(Column(name, kind) for name, kind, *_ in scope.cursor.execute(f"DESCRIBE {sql}").fetchall())


def _view(main: Scope, name: str, source: _Source, layout: Layout, which: int, asked: Asked) -> None:
    """A side as it is compared: the key as k0, k1 ..., the columns as c0, c1 ..., of the same types on both sides."""
    cells = [*_cells("k", layout.key, which, source.schema), *_cells("c", layout.columns, which, source.schema)]
    text = f"SELECT {', '.join(cells)} FROM ({source.sql}\n)"
    if asked.where:
        text += f" WHERE ({asked.where}\n)"
        _check(source.scope or main, source.side, text)
    if source.scope is None:
        main.cursor.execute(f"CREATE VIEW {name} AS {text}")
    else:
        source.scope.cursor.execute(f"CREATE TABLE main.xde_rows AS {text}")
        main.cursor.execute(f"CREATE VIEW {name} AS SELECT * FROM {source.scope.name}.main.xde_rows")


def _check(scope: Scope, side: Side, sql: str) -> None:
    try:
        scope.cursor.execute(f"DESCRIBE {sql}")
    except duckdb.Error as error:
        raise UserError(
            Finding(
                "XDE0926",
                f"the condition of `--where` does not fit `{side.name}`",
                why=" ".join(str(error).split())[:300],
                hint="write a condition in DuckDB's SQL over columns that both sides have",
            )
        ) from error


def _cells(letter: str, columns: Sequence[Retyped], which: int, schema: Schema) -> Iterator[str]:
    names = {c.name.casefold(): c.name for c in schema}
    for index, column in enumerate(columns):
        kind = (column.left, column.right)[which]
        yield f"{comparable(quoted(names[column.name.casefold()]), kind, column.compared)} AS {letter}{index}"
