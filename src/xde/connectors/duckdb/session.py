"""One DuckDB instance for a whole process: its limits, its cursors, and a way to stop them all."""

from __future__ import annotations

import threading
import uuid
from contextlib import contextmanager, suppress
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import duckdb

from xde.connectors.duckdb.metering import ask
from xde.ground.errors import TemporaryError, UserError, XdeError
from xde.ground.findings import Finding
from xde.ground.names import quoted
from xde.ground.records import dataclass
from xde.ground.secrets import redact
from xde.kernel.run.metering import meter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.kernel.project.settings import EngineSettings


@dataclass(slots=True)
class Scope:
    """A connection and its own database: the schemas in it, and its views with what each of them shows."""

    cursor: duckdb.DuckDBPyConnection
    name: str
    schemas: set[str] = field(default_factory=set)
    views: dict[str, object] = field(default_factory=dict)
    metered: bool = False

    def show(self, dataset: str, what: object, sql: str) -> None:
        """Let a dataset's name stand for a query; `what` is equal only where the query would be."""
        if what is not None and self.views.get(dataset) == what:
            return
        self.views.pop(dataset, None)
        self.cursor.execute(f"CREATE OR REPLACE VIEW {self.place(dataset)} AS {sql}")
        self.views[dataset] = what

    def place(self, dataset: str) -> str:
        """A dataset's name in SQL; its schema is there afterwards."""
        schema, table = schema_of(dataset)
        if schema not in self.schemas:
            self.cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            self.schemas.add(schema)
        return f"{schema}.{table}"


class DuckdbSession:
    """An in-memory instance, made when first needed; every step works in a database of its own within it.

    Memory, threads and spilling are shared by all steps; two steps at once see nothing of each other.
    """

    def __init__(self, settings: EngineSettings, temp_folder: Path) -> None:
        self._settings = settings
        self._temp_folder = Path(settings.temp_folder) if settings.temp_folder else temp_folder
        self._lock = threading.Lock()
        self._instance: duckdb.DuckDBPyConnection | None = None
        self._users: WeakKeyDictionary[duckdb.DuckDBPyConnection, int] = WeakKeyDictionary()  # threads
        self._idle: list[Scope] = []
        self._watched = False

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A fresh connection to the instance; the caller closes it."""
        with self._lock:
            if self._instance is None:
                self._instance = self._open()
            cursor = self._instance.cursor()
            self._users[cursor] = threading.get_ident()
        ask(cursor)
        if self._watched:
            cursor.execute("SET enable_progress_bar = true; SET enable_progress_bar_print = false")
        return cursor

    def apart(self) -> duckdb.DuckDBPyConnection:
        """A connection to an instance of its own, which puts nothing on a disk: what needs more memory fails. The caller closes it."""
        instance = self._open(spilling=False)
        with self._lock:
            self._users[instance] = threading.get_ident()
        ask(instance)
        if self._watched:
            instance.execute("SET enable_progress_bar = true; SET enable_progress_bar_print = false")
        return instance

    @contextmanager
    def scope(self) -> Iterator[Scope]:
        """A connection whose unqualified world is a database of its own, gone at the end."""
        with self._used(self._enter()) as scope:
            try:
                yield scope
            finally:
                self._leave(scope)

    @contextmanager
    def kept_scope(self) -> Iterator[Scope]:
        """A scope that may have the views of earlier steps; whoever uses it makes all that he reads what it must be for him.

        To make a scope and its views costs as much as a small query. After an error it is not used again.
        """
        with self._lock:
            idle = self._idle.pop() if self._idle else None
        scope = idle or self._enter()
        try:
            with self._used(scope):
                scope.metered = scope.metered or ask(scope.cursor)
                yield scope
        except BaseException:
            self._leave(scope)
            raise
        with self._lock:
            self._idle.append(scope)

    @contextmanager
    def _used(self, scope: Scope) -> Iterator[Scope]:
        with self._lock:
            self._users[scope.cursor] = threading.get_ident()
        try:
            yield scope
        except duckdb.Error as error:
            raise translated(error) from error

    def _enter(self) -> Scope:
        scope = Scope(self.cursor(), f"scope_{uuid.uuid4().hex[:12]}", metered=meter() is not None)
        try:
            scope.cursor.execute(f"ATTACH ':memory:' AS {scope.name}")
            scope.cursor.execute(f"USE {scope.name}")
        except duckdb.Error as error:
            scope.cursor.close()
            raise translated(error) from error
        return scope

    @staticmethod
    def _leave(scope: Scope) -> None:
        try:
            scope.cursor.execute("USE memory")
            scope.cursor.execute(f"DETACH {scope.name}")
        except duckdb.Error:
            # an interrupted connection may refuse; the database is in memory and goes with the instance
            pass
        finally:
            scope.cursor.close()

    def cancel(self) -> None:
        """Interrupt all that is under way, in loads and checks too; what begins a moment later is not."""
        for cursor in self._cursors():
            with suppress(duckdb.ConnectionException):  # it was closed by its user
                cursor.interrupt()

    def watch(self) -> None:
        """From now on queries know how far they are; it costs them a little."""
        with self._lock:
            idle, self._idle = self._idle, []
            self._watched = True
        for scope in idle:
            self._leave(scope)

    def progress(self) -> dict[int, float]:
        """How far the queries under way are, 0 to 1, by the threads that asked; without those that cannot tell."""
        found: dict[int, float] = {}
        for cursor, thread in self._cursors().items():
            with suppress(duckdb.ConnectionException):
                percent = cursor.query_progress()
                if percent >= 0:
                    found[thread] = min(percent / 100, 1.0)
        return found

    def _cursors(self) -> dict[duckdb.DuckDBPyConnection, int]:
        with self._lock:
            return dict(self._users)

    def close(self) -> None:
        """Let go of the instance and its memory."""
        with self._lock:
            self._idle.clear()
            if self._instance is not None:
                self._instance.close()
                self._instance = None

    def _open(self, *, spilling: bool = True) -> duckdb.DuckDBPyConnection:
        config: dict[str, str | bool | int | float | list[str]] = {"temp_directory": str(self._temp_folder) if spilling else ""}
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
        # A COPY that is interrupted, or fails, waits in 2.0.0 for its threads of asynchronous writes, and they for a lock that it holds:
        # one of some hundred never ends. Without such threads it writes by its own, as fast (on a local disk).
        instance.execute("SET async_threads = 0")
        if not spilling:
            instance.execute("SET enable_external_file_cache = false")  # a path in memory is another file the next time
        return instance


def translated(error: duckdb.Error, subject: str = "the query") -> XdeError | KeyboardInterrupt:
    """An error of the engine in our tempers, with the engine's own words kept."""
    words = redact(" ".join(str(error).split()))  # before it is cut: half a secret is not known again
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
