"""Who gets what: the one place where the real lake, engine, ledger and files are chosen and joined."""

from __future__ import annotations

from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from xde.ground.clock import SystemClock
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean, listed
from xde.ground.records import dataclass
from xde.ground.underway import Running
from xde.lifecycle.storage.port import UNARRANGED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xde.app.connecting import Apis
    from xde.app.revealing import Revealing
    from xde.connectors.delta.lake import DeltaLake
    from xde.connectors.duckdb.comparing import DuckdbComparer
    from xde.connectors.duckdb.sandbox import DuckdbSandbox
    from xde.connectors.duckdb.session import DuckdbSession
    from xde.connectors.duckdb.transformation import DuckdbEngine
    from xde.connectors.files.sources import DiskFiles
    from xde.connectors.http.retrying import Throttle
    from xde.connectors.python.calls import PythonFunctions
    from xde.connectors.spark.session import Sparked
    from xde.connectors.spark.transformation import SparkEngine
    from xde.connectors.spool.segments import SpoolFiles
    from xde.ground.clock import Clock
    from xde.kernel.plan.ledger import Ledger
    from xde.kernel.project.settings import EngineSettings, EnvironmentSettings, LakeSettings, Settings
    from xde.lifecycle.ingestion.from_tables import Tables
    from xde.lifecycle.ingestion.port import Loader
    from xde.lifecycle.sources.port import FileStore
    from xde.lifecycle.sources.tables import Place
    from xde.lifecycle.storage.audit_port import Auditor
    from xde.lifecycle.storage.port import Arrangement, DataFile, Schema
    from xde.lifecycle.transformation.port import Engine

ENGINES = ("duckdb", "spark")


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
    _spark: Sparked | None = None
    _scale_out: SparkEngine | None = None
    _functions: PythonFunctions | None = None
    _throttles: dict[tuple[str, float | None], Throttle] = field(default_factory=dict)
    _running: Running = field(default_factory=Running)
    _files: DiskFiles | None = None
    _stores: dict[tuple[str, tuple[tuple[str, str], ...]], FileStore] = field(default_factory=dict)
    _key: Callable[[str], str] | None = None  # what stands for the keys of hashes, where none is to be looked up

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

            self._ledger = open_ledger(self._ledger_address, self.root)
        return self._ledger

    def set_broken_ledger_aside(self) -> Path | None:
        """Move a ledger out of the way that is broken, before it is opened; gives where it lies now, or None where nothing is wrong."""
        from xde.ledger.open import set_broken_aside

        return set_broken_aside(self._ledger_address, self.root)

    @property
    def _ledger_address(self) -> str:
        url = self.chosen_ledger
        return self.revealed.address(url) if "${" in url or "@" in url else url

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
    def engine_settings(self) -> EngineSettings:
        """Which engine builds models here, with what its references stand for."""
        chosen = self._revealed_engine()
        if chosen.name not in ENGINES:
            raise UserError(
                Finding(
                    "XDE0805",
                    f"there is no engine `{chosen.name}`",
                    why=f"installed engines: {listed([f'`{e}`' for e in ENGINES])}",
                    hint=did_you_mean(chosen.name, ENGINES) or "write `engine: duckdb` in `xde.yaml`",
                )
            )
        return chosen

    @property
    def session(self) -> DuckdbSession:
        """The instance of DuckDB, which loads, checks and describes whatever builds the models."""
        if self._session is None:
            chosen = self.engine_settings
            from xde.connectors.duckdb.session import DuckdbSession

            folder = self.root / ".xde" / "tmp"
            folder.mkdir(parents=True, exist_ok=True)
            self._session = DuckdbSession(chosen, folder)
        return self._session

    def _revealed_engine(self) -> EngineSettings:
        chosen = self.chosen_engine
        words = (chosen.name, chosen.memory_limit, chosen.temp_folder, chosen.master, chosen.remote, *chosen.options.values())
        if not any("${" in t for t in words if t is not None):
            return chosen
        read = self.revealed.text
        name, memory, folder, master, remote = (read(t) if t is not None else None for t in words[:5])
        options = {n: read(v) for n, v in chosen.options.items()}
        return replace(
            chosen, name=name or chosen.name, memory_limit=memory, temp_folder=folder, master=master, remote=remote, options=options
        )

    @property
    def local(self) -> DuckdbEngine:
        """DuckDB over the lake's files: what describes queries, and what answers where a person waits."""
        from xde.connectors.duckdb.transformation import DuckdbEngine

        return DuckdbEngine(self.session)

    @property
    def scale_out(self) -> SparkEngine | None:
        """Spark, where it is what builds the models here; made, but not started."""
        return self.spark if self.engine_settings.name == "spark" else None

    @property
    def spark(self) -> SparkEngine:
        """Spark, whatever builds the models: what it is given and what not can be asked without it."""
        if self._scale_out is None:
            from xde.connectors.spark.session import Sparked
            from xde.connectors.spark.transformation import SparkEngine

            self._spark = Sparked(self.engine_settings, self.root / ".xde" / "tmp")
            self._scale_out = SparkEngine(self._spark, self.local)
        return self._scale_out

    @property
    def engine(self) -> Engine:
        """What builds models, those of Python too."""
        from xde.lifecycle.transformation.functions import CallingEngine

        return CallingEngine(self.scale_out or self.local, self.local, lambda: self.functions)

    @property
    def functions(self) -> PythonFunctions:
        """What runs the functions of Python models."""
        if self._functions is None:
            from xde.connectors.python.calls import PythonFunctions, Room

            chosen, python = self.engine_settings, self.settings.python
            folder = Path(chosen.temp_folder) if chosen.temp_folder else self.root / ".xde" / "tmp"
            spark = self.spark_session if chosen.name == "spark" else None
            self._functions = PythonFunctions(Room(folder, python.memory_limit, python.time_limit, chosen.threads, spark))
        return self._functions

    @property
    def spark_session(self) -> Mapping[str, object]:
        """What another process needs to know to open a session of Spark like ours."""
        from xde.connectors.spark.session import recipe

        return recipe(self.engine_settings)

    def cancel(self) -> None:
        """Interrupt all that is under way."""
        if self._functions is not None:
            self._functions.cancel()
        self._running.cancel()
        self.session.cancel()
        if self._scale_out is not None:
            self._scale_out.cancel()

    def rest(self) -> None:
        """End what waits for more work."""
        self._running.close()

    @property
    def sandbox(self) -> DuckdbSandbox:
        """Where tests put their rows."""
        from xde.connectors.duckdb.sandbox import DuckdbSandbox

        return DuckdbSandbox(self.session)

    @property
    def loader(self) -> Loader:
        """The loader."""
        from xde.connectors.duckdb.ingestion.loader import DuckdbLoader

        return DuckdbLoader(self.session.cursor, apart=self.session.apart)

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
        if self._files is None:
            from xde.connectors.files.sources import DiskFiles

            self._files = DiskFiles()
        return self._files

    def store(self, place: Place | None) -> FileStore:
        """Where the files of a source are listed and fetched."""
        if place is None:
            return self.files
        key = (place.kind, tuple(sorted(place.settings.items())))
        if key not in self._stores:
            from xde.app.connecting import opened_store

            self._stores[key] = opened_store(self.revealed, place)
        return self._stores[key]

    @property
    def tables(self) -> Tables:
        """The databases that are sources."""
        from xde.app.connecting import opened_to_load
        from xde.lifecycle.ingestion.from_tables import Tables

        apis = self.apis()
        folder = self.root / ".xde" / "tmp"
        return Tables(lambda ask: opened_to_load(self.revealed, self.root, self.clock, ask, apis), folder, self.store, self.key)

    def hash_like(self, other: House) -> None:
        """Take the keys of hashes from another house."""
        self._key = other.key

    def key(self, reference: str) -> str:
        """The secret that values are hashed with, hidden from then on in all that is said."""
        if self._key is not None:
            return self._key(reference)
        from xde.ground.secrets import hide

        value = self.revealed.text(reference)
        hide(value)
        return value

    def apis(self) -> Apis:
        """How APIs are asked here; one for all that asks together."""
        from xde.app.connecting import Apis

        chosen = (self.own and self.own.apis) or self.settings.apis
        return Apis(self.root / ".xde" / "tmp", chosen == "cassettes", self._throttles, self._running)

    @property
    def spooled(self) -> SpoolFiles:
        """What was pushed, as files of sources."""
        from xde.connectors.spool.segments import SpoolFiles

        return SpoolFiles()

    def write(
        self,
        sql: str,
        inputs: Mapping[str, tuple[Schema, tuple[str, ...]]],
        parameters: Mapping[str, object],
        folder: str,
        arranged: Arrangement = UNARRANGED,
    ) -> tuple[DataFile, ...]:
        """DuckDB as the writer that storage rewrites files with."""
        from xde.lifecycle.transformation.port import Input, Layout, Query

        layout = Layout(sort=arranged.sort, partition=arranged.partition, file_bytes=arranged.file_bytes)
        return self.local.write(Query(sql, parameters), {n: Input(s, p) for n, (s, p) in inputs.items()}, folder, layout)

    def read(
        self, sql: str, inputs: Mapping[str, tuple[Schema, tuple[str, ...]]], parameters: Mapping[str, object]
    ) -> Sequence[tuple[object, ...]]:
        """DuckDB as the reader that storage asks about files."""
        from xde.lifecycle.transformation.port import Input, Query

        return self.local.rows(Query(sql, parameters), {n: Input(s, p) for n, (s, p) in inputs.items()})

    def close(self) -> None:
        """Let go of everything that was opened."""
        self.rest()
        if self._ledger is not None:
            self._ledger.close()
        if self._session is not None:
            self._session.close()
        if self._spark is not None:
            self._spark.close()


def house_of(root: Path, settings: Settings, environment: str | None, clock: Clock | None = None) -> House:
    """The parts of an environment, none of them opened yet."""
    return House(root, settings, environment or settings.environment, clock or SystemClock())
