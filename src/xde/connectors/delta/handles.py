"""delta-rs's tables, kept open between questions: opening one costs ten times as much as bringing it up to date."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from xde.connectors.delta.actions import files_of
from xde.connectors.delta.types import from_delta
from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding
from xde.ground.records import dataclass
from xde.ground.secrets import redact
from xde.lifecycle.storage.port import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from deltalake import DeltaTable

    from xde.connectors.delta.stores import Store
    from xde.lifecycle.storage.port import Schema, TableId

# what a reader must know of, beyond plain files, for us to read it right
KNOWN_FEATURES = {"timestampNtz", "v2Checkpoint", "vacuumProtocolCheck"}


@dataclass(slots=True)
class Opened:
    """A table at its newest commit, in the hands of one thread; opened by delta-rs once that is needed."""

    birth: object
    open: Callable[[], DeltaTable]
    snapshot: Snapshot | None = None
    kept: DeltaTable | None = None

    @property
    def handle(self) -> DeltaTable:
        """delta-rs's own; it may be newer than a snapshot that was known without it."""
        if self.kept is None:
            self.kept = self.open()
        return self.kept

    @property
    def number(self) -> int:
        """Of the newest commit that is known."""
        return self.snapshot.number if self.kept is None and self.snapshot is not None else self.handle.version()


class Handles:
    """Lends each table's handle to one thread at a time; a second one opens its own."""

    def __init__(self, store: Store, options: Mapping[str, str]) -> None:
        self._store = store
        self._options = dict(options)
        self._lock = threading.Lock()
        self._kept: dict[str, Opened] = {}

    @contextmanager
    def newest(self, folder: str) -> Iterator[Opened | None]:
        """The table as it is now; None where there is none. After an error the handle is not used again."""
        opened = self._taken(folder) or self._fresh(folder)
        yield opened
        if opened is not None:
            with self._lock:
                self._kept[folder] = opened

    def at(self, folder: str, number: int) -> DeltaTable:
        """The table as it was after a commit, by a handle of its own."""
        return self._open(folder, number)

    def made(self, folder: str, birth: object, snapshot: Snapshot) -> None:
        """Keep what is known of a table that was made just now."""
        with self._lock:
            self._kept[folder] = Opened(birth, lambda: self._open(folder, None), snapshot)

    def forget(self, folder: str) -> None:
        """The table is dropped."""
        with self._lock:
            self._kept.pop(folder, None)

    def _taken(self, folder: str) -> Opened | None:
        with self._lock:
            opened = self._kept.pop(folder, None)
        if opened is None or opened.birth != self._store.birth(folder):
            return None
        if self._store.is_newest(folder, opened.number):
            return opened
        if opened.kept is None:
            return None
        with _told(folder):
            opened.handle.update_incremental()
        _understood(opened.handle, folder)
        return opened

    def _fresh(self, folder: str) -> Opened | None:
        if self._store.is_bare(folder):
            return None
        from deltalake.exceptions import TableNotFoundError

        birth = self._store.birth(folder)
        try:
            return Opened(birth, lambda: self._open(folder, None), kept=self._open(folder, None))
        except TableNotFoundError:
            return None

    def _open(self, folder: str, number: int | None) -> DeltaTable:
        from deltalake import DeltaTable

        with _told(folder):
            handle = DeltaTable(self._store.where(folder), version=number, storage_options=self._options or None)
        _understood(handle, folder)
        return handle


def schema_of(handle: DeltaTable) -> Schema:
    """The columns of a table."""
    return from_delta(json.loads(handle.schema().to_json()))


def snapshot_of(handle: DeltaTable, table: TableId, folder: str) -> Snapshot:
    """The files of a table with all that the log says of them. Without PyArrow, whose import costs more than most reads."""
    schema = schema_of(handle)
    return Snapshot(table, handle.version(), schema, files_of(handle.get_add_actions(flatten=False), schema), folder)


@contextmanager
def _told(folder: str) -> Iterator[None]:
    """Errors of reading a log in our tempers; that there is no table is for the caller to hear."""
    from deltalake.exceptions import DeltaError, TableNotFoundError

    try:
        yield
    except TableNotFoundError:
        raise
    except OSError as error:
        raise TemporaryError(f"the log of `{folder}` cannot be read: {first_line(error)}") from error
    except DeltaError as error:
        raise UserError(
            Finding(
                "XDE0608",
                f"the log of `{folder}` in the lake cannot be understood",
                why=first_line(error),
                hint="put the table's `_delta_log` back from a backup, or move the folder away and run `xde run --full`",
            )
        ) from error


def _understood(handle: DeltaTable, folder: str) -> None:
    protocol = handle.protocol()
    unknown = set(protocol.reader_features or ()) - KNOWN_FEATURES
    if unknown or protocol.min_reader_version == 2:
        names = ", ".join(sorted(unknown)) or "columnMapping"
        raise UserError(
            Finding(
                "XDE0602",
                f"the table `{folder}` uses what xde does not read: {names}",
                why="another tool has changed it; its plain files would give wrong rows",
                hint="undo it with that tool, or move the folder away and rebuild with `xde run --full`",
            )
        )


def first_line(error: Exception) -> str:
    """The words of an error without its stack."""
    return redact(" ".join(str(error).split("\n   0:", maxsplit=1)[0].split()))[:300]  # before it is cut: half a secret is not known again
