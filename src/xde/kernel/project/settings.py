"""`xde.yaml` as data: where the lake and the ledger lie, which engine computes, what the parameters are."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.ground.spans import Span


@dataclass(frozen=True, slots=True)
class LakeSettings:
    """Where the Delta tables lie: a folder relative to the project, or the URL of an object store."""

    path: str = ".xde/lake"
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Which engine computes and within what: memory as DuckDB writes it (`4GB`), threads a step, a spill folder.

    Of Spark: the `master` that a driver here works with, or the `remote` server of Spark Connect; `options` are its own settings.
    """

    name: str = "duckdb"
    memory_limit: str | None = None
    threads: int | None = None
    temp_folder: str | None = None
    master: str | None = None
    remote: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EnvironmentSettings:
    """What an environment has of its own; None means that it shares the project's. `expires_days` after its last use it may be dropped."""

    name: str
    lake: LakeSettings | None = None
    ledger: str | None = None
    engine: EngineSettings | None = None
    span: Span | None = None
    expires_days: float | None = None
    apis: str | None = None


@dataclass(frozen=True)
class Allowance:
    """Rules of the linter that are switched off, and why; `spans` are the places of their names."""

    rules: tuple[str, ...] = ()
    reason: str = ""
    spans: tuple[Span, ...] = ()


NOTHING_ALLOWED = Allowance()


@dataclass(frozen=True, slots=True)
class PythonSettings:
    """How far the functions of Python models may go: `2GB`, `10 minutes`; None for half of the machine's memory, and for any time."""

    memory_limit: str | None = None
    time_limit: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole of `xde.yaml`; `ledger` is `sqlite:PATH` or `postgresql://...`; parameters keep their YAML values."""

    name: str
    lake: LakeSettings = field(default_factory=LakeSettings)
    ledger: str = "sqlite:.xde/ledger.sqlite"
    engine: EngineSettings = field(default_factory=EngineSettings)
    dialect: str = "duckdb"
    parallel: int = 2
    retries: int = 2
    environment: str = "dev"
    environments: Mapping[str, EnvironmentSettings] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict)
    python: PythonSettings = field(default_factory=PythonSettings)
    lint: Allowance = NOTHING_ALLOWED
    apis: str = "live"  # or cassettes: answers of APIs that were recorded
