"""A desk: files written in bytes, loaded by the real engine."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from xde.connectors.duckdb.ingestion import loader as loading
from xde.connectors.duckdb.ingestion.loader import DuckdbLoader
from xde.connectors.duckdb.ingestion.delivered import LARGE
from xde.connectors.duckdb.session import DuckdbSession
from xde.ground.digests import file_digest
from xde.kernel.project.settings import EngineSettings
from xde.lifecycle.ingestion.port import Dialect, Field, FileToLoad, Letter, LoadJob
from xde.lifecycle.sources.port import FoundFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from xde.connectors.duckdb.ingestion.sieving import Sieved
    from xde.lifecycle.ingestion.port import Loaded


@dataclass
class Desk:
    folder: Path
    session: DuckdbSession
    large: int
    loader: DuckdbLoader = field(init=False)

    def __post_init__(self) -> None:
        self.loader = DuckdbLoader(self.session.cursor, self.large)

    def file(self, content: bytes, name: str = "f.csv") -> FileToLoad:
        path = self.folder / name
        path.write_bytes(content)
        return self.found(path)

    def found(self, path: Path) -> FileToLoad:
        return FileToLoad(FoundFile(path.name, str(path), path.stat().st_size, path.stat().st_mtime_ns), file_digest(path))

    def job(self, files: Sequence[FileToLoad], fields: Sequence[Field], dialect: Dialect | None = None, **more: Any) -> LoadJob:
        table = self.folder / "table"
        return LoadJob(
            "s.t",
            "run1",
            "2026-01-01",
            files,
            dialect or Dialect(),
            fields,
            more.pop("checks", ()),
            str(table),
            str(table / "_letters"),
            **more,
        )

    def load(self, job: LoadJob) -> Loaded:
        loaded = self.loader.load(job)
        for account in loaded.accounts:
            assert account.records == account.accepted + account.superseded + account.letters
        return loaded

    def replay(self, job: LoadJob, letters: Sequence[Letter]) -> Loaded:
        return self.loader.replay(replace(job, files=(), run="run2"), letters)

    def rows(self, loaded: Loaded) -> list[tuple[Any, ...]]:
        cursor = self.session.cursor()
        found: list[tuple[Any, ...]] = []
        for file in loaded.files:
            table = cursor.sql(f"SELECT * FROM read_parquet('{self.folder}/table/{file.path}')").to_arrow_table()
            found += [tuple(row.values()) for row in table.to_pylist()]
        assert len(found) == loaded.accepted
        return found

    def letters(self, loaded: Loaded) -> list[Letter]:
        found = list(self.loader.read_letters([f"{self.folder}/table/_letters/{p}" for p in loaded.letter_files]))
        assert len({x.id for x in found}) == len(found)
        return found


@pytest.fixture
def large() -> int:
    """From how many bytes on a file is sieved, where it may be."""
    return LARGE


@pytest.fixture
def desk(tmp_path: Path, large: int) -> Iterator[Desk]:
    session = DuckdbSession(EngineSettings(threads=2), tmp_path / "spill")
    yield Desk(tmp_path, session, large)
    session.close()


@pytest.fixture
def sieved(monkeypatch: pytest.MonkeyPatch) -> list[Sieved | None]:
    """What each file that might be sieved gave."""
    given: list[Sieved | None] = []

    def noting(original: Callable[..., Sieved | None]) -> Callable[..., Sieved | None]:
        def noted(*known: Any) -> Sieved | None:
            given.append(original(*known))
            return given[-1]

        return noted

    for name in ("sieve", "sieve_json"):
        monkeypatch.setattr(loading, name, noting(getattr(loading, name)))
    return given
