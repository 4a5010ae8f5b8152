"""Who gets what: the one place where the real lake, engine, ledger and files are chosen and joined."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from xde.ground.clock import SystemClock
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean
from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.app.revealing import Revealing
    from xde.connectors.delta.lake import DeltaLake
    from xde.connectors.duckdb.comparing import DuckdbComparer
    from xde.connectors.duckdb.sandbox import DuckdbSandbox
    from xde.connectors.duckdb.session import DuckdbSession
    from xde.connectors.duckdb.transformation import DuckdbEngine
    from xde.connectors.files.sources import DiskFiles
    from xde.ground.clock import Clock
    from xde.kernel.plan.ledger import Ledger
    from xde.kernel.project.settings import EngineSettings, EnvironmentSettings, LakeSettings, Settings
    from xde.lifecycle.ingestion.port import Loader
    from xde.lifecycle.storage.audit_port import Auditor
    from xde.lifecycle.storage.port import DataFile, Schema

ENGINES = ("duckdb",)


@dataclass(slots=True)
class House:
    """The connected parts of one environment; each is made when it is first asked for, so that a quick question stays quick."""

    root: Path
    settings: Settings
    environment: str
    clock: Clock
    _lake: DeltaLake | None = None
    _ledger: Ledger | None = None
    _session: DuckdbSession | None = None
    _revealing: Revealing | None = None

    @property
    def own(self) -> EnvironmentSettings | None:
        """What this environment has of its own."""
        return self.settings.environments.get(self.environment)

    @property
    def lake_path(self) -> str:
        """Where the lake is: a folder or a URL."""
        path = self.revealed.text(self.chosen_lake.path) if "${" in self.chosen_lake.path else self.chosen_lake.path
        return path if "://" in path else str((self.root / path).resolve())

    @property
    def has_lake(self) -> bool:
        """Whether there may be a table; False where a folder was never made, and no library is needed to say so."""
        return "://" in self.lake_path or Path(self.lake_path).is_dir()

    @property
    def lake(self) -> DeltaLake:
        """The lake."""
        if self._lake is None:
            from xde.connectors.delta.lake import DeltaLake

            options = self.chosen_lake.options
            self._lake = DeltaLake(self.lake_path, self.revealed.options(options) if options else {})
        return self._lake

    @property
    def chosen_lake(self) -> LakeSettings:
        """The lake of this environment, as it is written in `xde.yaml`."""
        return (self.own and self.own.lake) or self.settings.lake

    @property
    def ledger(self) -> Ledger:
        """The ledger."""
        if self._ledger is None:
            from xde.ledger.open import open_ledger

            url = self.chosen_ledger
            self._ledger = open_ledger(self.revealed.address(url) if "${" in url or "@" in url else url, self.root)
        return self._ledger

    @property
    def chosen_ledger(self) -> str:
        """The address of this environment's ledger, as it is written in `xde.yaml`."""
        return (self.own and self.own.ledger) or self.settings.ledger

    @property
    def chosen_engine(self) -> EngineSettings:
        """The engine of this environment, as it is written in `xde.yaml`."""
        return (self.own and self.own.engine) or self.settings.engine

    @property
    def revealed(self) -> Revealing:
        """What is behind the references of `xde.yaml`."""
        if self._revealing is None:
            from xde.app.revealing import Revealing

            self._revealing = Revealing(self.root)
        return self._revealing

    @property
    def session(self) -> DuckdbSession:
        """The engine's instance."""
        if self._session is None:
            chosen = self._revealed_engine()
            if chosen.name not in ENGINES:
                raise UserError(
                    Finding(
                        "XDE0805",
                        f"there is no engine `{chosen.name}`",
                        why="installed engines: `duckdb`",
                        hint=did_you_mean(chosen.name, ENGINES) or "write `engine: duckdb` in `xde.yaml`",
                    )
                )
            from xde.connectors.duckdb.session import DuckdbSession

            folder = self.root / ".xde" / "tmp"
            folder.mkdir(parents=True, exist_ok=True)
            self._session = DuckdbSession(chosen, folder)
        return self._session

    def _revealed_engine(self) -> EngineSettings:
        chosen = self.chosen_engine
        if not any("${" in t for t in (chosen.name, chosen.memory_limit, chosen.temp_folder) if t is not None):
            return chosen
        read = self.revealed.text
        memory, folder = (read(t) if t is not None else None for t in (chosen.memory_limit, chosen.temp_folder))
        return replace(chosen, name=read(chosen.name), memory_limit=memory, temp_folder=folder)

    @property
    def engine(self) -> DuckdbEngine:
        """The engine."""
        from xde.connectors.duckdb.transformation import DuckdbEngine

        return DuckdbEngine(self.session)

    @property
    def sandbox(self) -> DuckdbSandbox:
        """Where tests put their rows."""
        from xde.connectors.duckdb.sandbox import DuckdbSandbox

        return DuckdbSandbox(self.session)

    @property
    def loader(self) -> Loader:
        """The loader."""
        from xde.connectors.duckdb.ingestion.loader import DuckdbLoader

        return DuckdbLoader(self.session.cursor)

    @property
    def comparer(self) -> DuckdbComparer:
        """What holds two tables against each other."""
        from xde.connectors.duckdb.comparing import DuckdbComparer

        return DuckdbComparer(self.session)

    @property
    def auditor(self) -> Auditor:
        """The auditor."""
        from xde.connectors.duckdb.auditing import DuckdbAuditor

        return DuckdbAuditor(self.session.cursor)

    @property
    def files(self) -> DiskFiles:
        """The files of sources."""
        from xde.connectors.files.sources import DiskFiles

        return DiskFiles()

    def write(
        self, sql: str, inputs: Mapping[str, tuple[Schema, tuple[str, ...]]], parameters: Mapping[str, object], folder: str
    ) -> tuple[DataFile, ...]:
        """The engine as the writer that storage rewrites files with."""
        from xde.lifecycle.transformation.port import Input, Layout, Query

        return self.engine.write(Query(sql, parameters), {n: Input(s, p) for n, (s, p) in inputs.items()}, folder, Layout())

    def close(self) -> None:
        """Let go of everything that was opened."""
        if self._ledger is not None:
            self._ledger.close()
        if self._session is not None:
            self._session.close()


def house_of(root: Path, settings: Settings, environment: str | None, clock: Clock | None = None) -> House:
    """The parts of an environment, none of them opened yet."""
    return House(root, settings, environment or settings.environment, clock or SystemClock())
