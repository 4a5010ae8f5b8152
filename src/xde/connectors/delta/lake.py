"""The lake: Delta tables whose log is written by delta-rs and whose Parquet files are written by an engine."""

from __future__ import annotations

import json
import threading
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from xde.connectors.delta.actions import add_action, file_of_row, remove_action
from xde.connectors.delta.cleaning import Leftovers, leftovers
from xde.connectors.delta.types import from_delta, storable, to_delta
from xde.ground.clock import SystemClock
from xde.ground.crash import CrashPoint, crash_point
from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding
from xde.lifecycle.storage.port import Cleaned, CommitRecord, Snapshot, TableId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deltalake import DeltaTable
    from deltalake.transaction import AddAction, RemoveAction

    from xde.lifecycle.storage.port import Commit

# every commit of ours carries a transaction of this application: delta-rs refuses two of them that were made at once,
# where it would silently put one plain append after the other
APPLICATION = "xde"
PROPERTIES = {"delta.logRetentionDuration": "interval 36500 days", "delta.enableExpiredLogCleanup": "false"}


class DeltaLake:
    """Tables under one folder or URL: `ROOT/schema/name/VERSION`."""

    def __init__(self, root: str, options: Mapping[str, str] | None = None) -> None:
        self.root = root.rstrip("/")
        self._options = dict(options or {})
        self._local = "://" not in root
        self._lock = threading.Lock()
        self._open: dict[TableId, DeltaTable] = {}

    def storable(self, kind: str) -> str:
        """The type in which a column of a type is stored."""
        return storable(kind)

    def tables(self) -> tuple[TableId, ...]:
        """Every table with a log, in order of its name."""
        if not self._local:
            raise UserError(
                Finding("XDE0602", "the tables of a lake on an object store cannot be listed yet", hint="use the ledger that knows them")
            )
        logs = Path(self.root).glob("*/*/*/_delta_log/*.json")
        found = {log.parent.parent for log in logs}
        return tuple(TableId(f"{p.parent.parent.name}.{p.parent.name}", p.name) for p in sorted(found))

    def folder(self, table: TableId) -> str:
        """Where an engine writes; made if it is a disk's."""
        schema, _, name = table.dataset.partition(".")
        path = f"{self.root}/{schema}/{name}/{table.version}"
        if self._local:
            try:
                Path(path, "_letters").mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise UserError(
                    Finding(
                        "XDE0603",
                        f"the lake cannot be written at `{self.root}`",
                        why=str(error.strerror),
                        hint="give the folder to the user who runs xde, or name another as `lake:` in `xde.yaml`",
                    )
                ) from error
        return path

    def snapshot(self, table: TableId, number: int | None = None) -> Snapshot | None:
        """The table at its newest or at an older commit."""
        handle = self._handle(table, fresh=True)
        if handle is None:
            return None
        if number is not None and number != handle.version():
            handle = self._at(table, handle.version(), number)
        import pyarrow as pa

        rows = pa.table(handle.get_add_actions(flatten=True)).to_pylist()
        schema = from_delta(json.loads(handle.schema().to_json()))
        files = tuple(file_of_row(row, schema) for row in rows)
        return Snapshot(table, handle.version(), schema, files, self._path(table))

    def commit(self, commit: Commit) -> int:
        """Publish adds and removes with their facts, or raise `TemporaryError` when somebody else was first."""
        from deltalake.exceptions import DeltaError

        mark = uuid.uuid4().hex
        crash_point(CrashPoint.BEFORE_COMMIT)
        try:
            number = self._create(commit, mark) if commit.base is None else self._append(commit, mark)
        except DeltaError as error:
            if self._mark_at(commit.table, (commit.base if commit.base is not None else -1) + 1) == mark:
                number = (commit.base if commit.base is not None else -1) + 1
            else:
                msg = f"`{commit.table.dataset}` was changed by somebody else at the same time: {' '.join(str(error).split())[:200]}"
                raise TemporaryError(msg) from error
        crash_point(CrashPoint.AFTER_COMMIT)
        return number

    def history(self, table: TableId, since: int = -1) -> tuple[CommitRecord, ...]:
        """The commits after `since`, newest first."""
        handle = self._handle(table, fresh=True)
        if handle is None:
            return ()
        newest = handle.version()
        if self._local:
            log = Path(self._path(table), "_delta_log")
            return tuple(_record(n, (log / f"{n:020}.json").read_text("utf-8")) for n in range(newest, since, -1))
        told = handle.history(newest - since)
        return tuple(
            CommitRecord(newest - i, _iso(int(entry["timestamp"])), json.loads(entry.get("xde", "{}"))) for i, entry in enumerate(told)
        )

    def clean(self, table: TableId, *, keep_hours: float, dry_run: bool) -> Cleaned:
        """Take away what no commit of the last `keep_hours` needs, and orphans."""
        handle = self._handle(table, fresh=True)
        folder = self._path(table)
        if handle is None or not self._local:
            return Cleaned(table, (), 0)
        letters = {str(p) for record in self.history(table) for p in _texts(record.facts.get("letters"))}
        live = {unquote(p) for p in (Path(u).name for u in handle.file_uris())}
        recent = self._recent(table, handle.version(), keep_hours)
        left: Leftovers = leftovers(Path(folder), live | recent, letters, SystemClock().now().timestamp() - max(keep_hours, 1.0) * 3600)
        crash_point(CrashPoint.CLEAN_LISTED)
        if not dry_run:
            left.remove()
        return Cleaned(table, left.names, left.bytes)

    def drop(self, table: TableId) -> None:
        """Take the whole folder away, its log first: a table without a log is not there."""
        import shutil

        folder = Path(self._path(table))
        with self._lock:
            self._open.pop(table, None)
        if (folder / "_delta_log").exists():
            aside = folder / f"_dropped_{uuid.uuid4().hex}"
            (folder / "_delta_log").rename(aside)
        shutil.rmtree(folder, ignore_errors=True)

    def _path(self, table: TableId) -> str:
        schema, _, name = table.dataset.partition(".")
        return f"{self.root}/{schema}/{name}/{table.version}"

    def _handle(self, table: TableId, *, fresh: bool) -> DeltaTable | None:
        from deltalake import DeltaTable
        from deltalake.exceptions import TableNotFoundError

        with self._lock:
            handle = self._open.get(table)
            try:
                if handle is None:
                    if self._local and not Path(self._path(table), "_delta_log").exists():
                        return None
                    handle = DeltaTable(self._path(table), storage_options=self._options or None)
                    self._open[table] = handle
                elif fresh:
                    handle.update_incremental()
            except TableNotFoundError:
                self._open.pop(table, None)
                return None
            return handle

    def _at(self, table: TableId, newest: int, number: int) -> DeltaTable:
        from deltalake import DeltaTable

        if not 0 <= number <= newest:
            raise UserError(
                Finding(
                    "XDE0604",
                    f"`{table.dataset}` has no snapshot {number}",
                    why=f"its snapshots are 0 to {newest}",
                    hint=f"see them with `xde history {table.dataset}`",
                )
            )
        return DeltaTable(self._path(table), version=number, storage_options=self._options or None)

    def _create(self, commit: Commit, mark: str) -> int:
        from deltalake import Schema
        from deltalake.transaction import create_table_with_add_actions

        schema = to_delta(commit.schema)
        shown = [c.name for c in commit.schema if c.name not in commit.personal]
        properties = {**PROPERTIES, "delta.dataSkippingStatsColumns": ",".join(f"`{c}`" for c in shown)} if commit.personal else PROPERTIES
        create_table_with_add_actions(
            self._path(commit.table),
            Schema.from_json(json.dumps(schema)),
            [add_action(f, commit) for f in commit.adds],
            mode="error",
            configuration=properties,
            storage_options=self._options or None,
            commit_properties=self._properties(commit, mark, 0),
        )
        if self._mark_at(commit.table, 0) != mark:
            msg = f"`{commit.table.dataset}` was made by somebody else at the same time"
            raise TemporaryError(msg)
        return 0

    def _append(self, commit: Commit, mark: str) -> int:
        base = commit.base if commit.base is not None else -1
        handle = self._handle(commit.table, fresh=True)
        if handle is None or handle.version() != base:
            seen = "nothing" if handle is None else f"snapshot {handle.version()}"
            msg = f"`{commit.table.dataset}` was changed by somebody else: {seen} where {base} was read"
            raise TemporaryError(msg)
        from deltalake import Schema

        actions: list[AddAction | RemoveAction] = [
            *(add_action(f, commit) for f in commit.adds),
            *(remove_action(f) for f in commit.removes),
        ]
        schema = Schema.from_json(json.dumps(to_delta(commit.schema)))
        try:
            handle.create_write_transaction(actions, "append", schema, commit_properties=self._properties(commit, mark, base + 1))
        finally:
            with self._lock:
                self._open.pop(commit.table, None)
        if self._mark_at(commit.table, base + 1) != mark:
            msg = f"a commit of `{commit.table.dataset}` did not come to stand where it was meant to"
            raise AssertionError(msg)
        return base + 1

    @staticmethod
    def _properties(commit: Commit, mark: str, number: int) -> Any:  # noqa: ANN401 - a type of the library, imported late
        from deltalake import CommitProperties
        from deltalake.transaction import Transaction

        told = {"xde": json.dumps(commit.facts, default=str), "xdeCommit": mark}
        return CommitProperties(custom_metadata=told, max_commit_retries=1, app_transactions=[Transaction(APPLICATION, number)])

    def _mark_at(self, table: TableId, number: int) -> str | None:
        if self._local:
            try:
                text = Path(self._path(table), "_delta_log", f"{number:020}.json").read_text("utf-8")
            except FileNotFoundError:
                return None
            return str(_info(text).get("xdeCommit"))
        handle = self._handle(table, fresh=True)
        if handle is None or handle.version() < number:
            return None
        return str(handle.history(handle.version() - number + 1)[-1].get("xdeCommit"))

    def _recent(self, table: TableId, newest: int, keep_hours: float) -> set[str]:
        """Names of the files that snapshots of the last `keep_hours` need, the one before them included."""
        names: set[str] = set()
        since = SystemClock().now().timestamp() - keep_hours * 3600
        for number in range(newest, -1, -1):
            log = Path(self._path(table), "_delta_log", f"{number:020}.json")
            for line in log.read_text("utf-8").splitlines():
                entry = json.loads(line)
                for kind in ("add", "remove"):
                    if kind in entry:
                        names.add(unquote(Path(entry[kind]["path"]).name))
            if _record(number, log.read_text("utf-8")).at < datetime.fromtimestamp(since, UTC).isoformat():
                break
        return names


def _record(number: int, text: str) -> CommitRecord:
    info = _info(text)
    entries = [json.loads(line) for line in text.splitlines()]
    adds = [e["add"] for e in entries if "add" in e]
    removes = sum("remove" in e for e in entries)
    rows = sum(json.loads(a.get("stats") or "{}").get("numRecords", 0) for a in adds)
    return CommitRecord(number, _iso(int(info.get("timestamp", 0))), json.loads(info.get("xde", "{}")), rows, len(adds), removes)


def _info(text: str) -> dict[str, Any]:
    for line in text.splitlines():
        if line.startswith('{"commitInfo"'):
            found: dict[str, Any] = json.loads(line)["commitInfo"]
            return found
    return {}


def _iso(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")


def _texts(value: object) -> list[object]:
    return value if isinstance(value, list) else []
