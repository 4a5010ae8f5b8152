"""A real lake on disk and by URL, and a writer of Parquet files as the engine writes them."""

from __future__ import annotations

import uuid
from pathlib import Path

import duckdb
import pytest

from xde.connectors.delta.lake import DeltaLake
from xde.connectors.delta.types import storable
from xde.connectors.duckdb.statistics import data_file_from_copy
from xde.ground.names import quoted
from xde.lifecycle.storage.port import Column, Commit, TableId


class Bench:
    """A lake with short words for what a test does with it."""

    def __init__(self, root: str) -> None:
        self.lake = DeltaLake(root)
        self.table = TableId("shop.orders", "v1")
        # on an object store the commit of an empty table goes before the first
        self.first = 1 if "://" in root else 0
        self.duck = duckdb.connect()
        self.duck.execute("SET TimeZone = 'UTC'")

    @property
    def path(self) -> Path:
        return Path(self.lake.folder(self.table).removeprefix("file://"))

    def schema(self, sql):
        return tuple(Column(n, storable(t)) for n, t, *_ in self.duck.execute(f"DESCRIBE {sql}").fetchall())

    def write(self, sql):
        """Write a query's rows: (schema, files); no file for no rows."""
        self.path.mkdir(parents=True, exist_ok=True)
        schema = self.schema(sql)
        casts = ", ".join(f"CAST({quoted(c.name)} AS {c.type}) AS {quoted(c.name)}" for c in schema)
        target = self.path / f"{uuid.uuid4().hex}.parquet"
        rows = self.duck.execute(f"COPY (SELECT {casts} FROM ({sql})) TO '{target}' (FORMAT parquet, RETURN_STATS)").fetchall()
        return schema, tuple(data_file_from_copy(r) for r in rows)

    def append(self, sql, **more):
        schema, files = self.write(sql)
        return self.commit(schema, files, **more)

    def commit(self, schema, adds, removes=(), facts=None, personal=()):
        before = self.lake.snapshot(self.table)
        return self.lake.commit(Commit(self.table, schema, adds, removes, before.number if before else None, facts or {}, personal))

    def replace(self, sql, **more):
        schema, files = self.write(sql)
        return self.commit(schema, files, self.snapshot().files, **more)

    def snapshot(self, number=None):
        return self.lake.snapshot(self.table, number)

    def rows(self, number=None, order="ALL"):
        snapshot = self.snapshot(number)
        if not snapshot.files:
            return []
        columns = ", ".join(quoted(c.name) for c in snapshot.schema)
        empty = ", ".join(f"CAST(NULL AS {c.type}) AS {quoted(c.name)}" for c in snapshot.schema)
        paths = [p.removeprefix("file://") for p in snapshot.paths]
        sql = f"SELECT {columns} FROM (SELECT {empty} WHERE false UNION ALL BY NAME SELECT * FROM read_parquet({paths}, union_by_name = true))"
        return self.duck.execute(f"{sql} ORDER BY {order}").fetchall()


@pytest.fixture
def bench(tmp_path):
    return Bench(str(tmp_path / "a lake of ours, #1"))


@pytest.fixture(params=["disk", "url"])
def anywhere(request, tmp_path):
    """The same lake on a disk and behind a URL, where nothing of it is touched but through delta-rs."""
    root = tmp_path / "lake"
    root.mkdir()
    return Bench(str(root) if request.param == "disk" else f"file://{root}")
