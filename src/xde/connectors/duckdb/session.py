"""One DuckDB instance for a whole process: its limits, its cursors, and a way to stop them all."""

from __future__ import annotations

import threading
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from xde.ground.errors import TemporaryError, UserError, XdeError
from xde.ground.findings import Finding
from xde.ground.names import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.kernel.project.settings import EngineSettings


class DuckdbSession:
    """An in-memory instance, made when first needed; every step works in a database of its own within it.

    Memory, threads and spilling are shared by all steps; nothing that a step creates is seen by another.
    """

    def __init__(self, settings: EngineSettings, temp_folder: Path) -> None:
        self._settings = settings
        self._temp_folder = Path(settings.temp_folder) if settings.temp_folder else temp_folder
        self._lock = threading.Lock()
        self._instance: duckdb.DuckDBPyConnection | None = None
        self._active: set[duckdb.DuckDBPyConnection] = set()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A fresh connection to the instance; the caller closes it."""
        with self._lock:
            if self._instance is None:
                self._instance = self._open()
            return self._instance.cursor()

    @contextmanager
    def scope(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection whose unqualified world is a database of its own, gone at the end."""
        cursor = self.cursor()
        name = f"scope_{uuid.uuid4().hex[:12]}"
        self._active.add(cursor)
        try:
            cursor.execute(f"ATTACH ':memory:' AS {name}")
            cursor.execute(f"USE {name}")
            yield cursor
        except duckdb.Error as error:
            raise translated(error) from error
        finally:
            self._active.discard(cursor)
            self._leave(cursor, name)

    @staticmethod
    def _leave(cursor: duckdb.DuckDBPyConnection, name: str) -> None:
        try:
            cursor.execute("USE memory")
            cursor.execute(f"DETACH {name}")
        except duckdb.Error:
            # an interrupted connection may refuse; the database is in memory and goes with the instance
            pass
        finally:
            cursor.close()

    def cancel(self) -> None:
        """Interrupt all that is under way."""
        for cursor in list(self._active):
            cursor.interrupt()

    def close(self) -> None:
        """Let go of the instance and its memory."""
        with self._lock:
            if self._instance is not None:
                self._instance.close()
                self._instance = None

    def _open(self) -> duckdb.DuckDBPyConnection:
        config: dict[str, str | bool | int | float | list[str]] = {"temp_directory": str(self._temp_folder)}
        if self._settings.memory_limit:
            config["memory_limit"] = self._settings.memory_limit
        if self._settings.threads:
            config["threads"] = self._settings.threads
        try:
            instance = duckdb.connect(":memory:", config=config)
        except duckdb.Error as error:
            raise UserError(
                Finding(
                    "XDE0801",
                    "the engine does not accept its settings",
                    why=str(error).splitlines()[0],
                    hint="write `memory_limit` like `4GB` and `threads` as a whole number under `engine:` in `xde.yaml`",
                )
            ) from error
        instance.execute("SET TimeZone = 'UTC'")
        instance.execute("SET enable_progress_bar = false")
        instance.execute("SET autoinstall_known_extensions = false")
        return instance


def translated(error: duckdb.Error, subject: str = "the query") -> XdeError | KeyboardInterrupt:
    """An error of the engine in our tempers, with the engine's own words kept."""
    words = " ".join(str(error).split())
    if isinstance(error, duckdb.InterruptException):
        return KeyboardInterrupt()
    if isinstance(error, duckdb.OutOfMemoryException):
        return UserError(
            Finding(
                "XDE0802",
                f"{subject} needs more memory than the engine may use",
                why=words[:400],
                hint="raise `memory_limit` under `engine:` in `xde.yaml`, or give the model a smaller `batch`",
            )
        )
    if isinstance(error, duckdb.IOException):
        if "No space left" in words:
            return UserError(
                Finding(
                    "XDE0803",
                    "the disk is full",
                    why=words[:400],
                    hint="free some space, or point `temp_folder` under `engine:` at a larger disk",
                )
            )
        return TemporaryError(words[:400])
    return UserError(
        Finding(
            "XDE0804",
            f"{subject} failed in the engine",
            why=words[:600],
            hint="run the model's SQL by itself to see the value that breaks it, or use `TRY_CAST` where a cast can fail",
        )
    )


def schema_of(dataset: str) -> tuple[str, str]:
    """The two quoted parts of a dataset's name."""
    schema, _, name = dataset.partition(".")
    return quoted(schema), quoted(name)
