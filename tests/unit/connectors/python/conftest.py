"""A function called as a run calls it: the real engine, real files, a real process."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from xde.connectors.duckdb.session import DuckdbSession
from xde.connectors.duckdb.transformation import DuckdbEngine
from xde.connectors.python.calls import PythonFunctions, Room
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.kernel.project.python_reader import read_python_model
from xde.kernel.project.settings import EngineSettings
from xde.lifecycle.storage.port import Column
from xde.lifecycle.transformation.functions import CallingEngine
from xde.lifecycle.transformation.port import Call, Input, Layout, Query

HEAD = "from typing import Annotated\nfrom xde.models import Reads, model\n"


def rows_of(sql: str) -> list[tuple[Any, ...]]:
    """The rows of a query, in UTC."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return [tuple(r.values()) for r in connection.sql(sql).to_arrow_table().to_pylist()]


@dataclass
class Bench:
    """Calls functions in a folder of a test's own."""

    folder: Path
    memory: str | None = None
    timeout: str | None = None
    library: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.session = DuckdbSession(EngineSettings(threads=2), self.folder)
        self.local = DuckdbEngine(self.session)
        self.functions = PythonFunctions(Room(self.folder / "tmp", self.memory, self.timeout))
        self.engine = CallingEngine(self.local, self.local, lambda: self.functions)

    def given(self, name: str, sql: str) -> Input:
        """A dataset with the rows of a query, in two files where there are rows enough."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        query = Query(sql)
        files = self.local.write(query, {}, str(folder), Layout(types=self.local.columns(query, {})))
        return Input(self.local.columns(query, {}), tuple(str(folder / f.path) for f in files))

    def call(
        self, text: str, types: Mapping[str, str], inputs: Mapping[str, Input] | None = None, values: Mapping[str, object] | None = None
    ) -> list[tuple[Any, ...]]:
        """The rows that a model's function gives, as they lie in its table's files. Raises `UserError`."""
        columns = "".join(f"{n!r}: {t!r}, " for n, t in types.items())
        text = HEAD + text.replace("@model", f"@model(columns={{{columns}}})")
        model, findings = read_python_model("a.m", "models/a/m.py", text, self.library, (None, None))
        assert model is not None, findings
        schema = tuple(Column(n, t) for n, t in types.items())
        folder = self.folder / "table"
        folder.mkdir(exist_ok=True)
        query = Query(model.sql, {}, call=Call(model, schema, values or {}))
        files = self.engine.write(query, inputs or {}, str(folder), Layout(types=schema))
        assert not list((self.folder / "tmp").iterdir())
        names = ", ".join(f'"{n}"' for n in types)
        paths = [str(folder / f.path) for f in files]
        return rows_of(f"SELECT {names} FROM read_parquet({paths})") if paths else []

    def fails(self, text: str, types: Mapping[str, str] | None = None, inputs: Mapping[str, Input] | None = None) -> Finding:
        """The one finding of a call that fails; nothing is left of it."""
        try:
            rows = self.call(text, types or {"x": "BIGINT"}, inputs)
        except UserError as error:
            assert len(error.findings) == 1, error.findings
            assert not list((self.folder / "table").iterdir())
            assert not list((self.folder / "tmp").iterdir())
            return error.findings[0]
        raise AssertionError(rows)


@pytest.fixture
def bench_of(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Makes a bench with limits of its own."""
    made: list[Bench] = []

    def make(**limits: object) -> Bench:
        made.append(Bench(tmp_path, **limits))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.session.close()


@pytest.fixture
def asked() -> Callable[[str], list[tuple[Any, ...]]]:
    """Asks DuckDB."""
    return rows_of


@pytest.fixture
def bench(bench_of: Callable[..., Bench]) -> Bench:
    """A bench without limits."""
    return bench_of()
