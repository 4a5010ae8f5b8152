"""Commits that stand where they were meant to, or not at all.

delta-rs puts a plain append silently after whatever was committed since (with `max_commit_retries=0` it never commits at all).
So every commit carries a transaction of the application `xde`: of two commits with one that were made at once, it refuses the second.
And each carries a mark of its own, by which we know afterwards whether it stands in the log, whatever error we were given.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from xde.connectors.delta.actions import add_action, remove_action, storable_types
from xde.connectors.delta.evolution import Evolution, evolution, first_settings
from xde.connectors.delta.first_entry import APPLICATION, first_entry, first_snapshot
from xde.connectors.delta.handles import first_line, schema_of
from xde.connectors.delta.log import FACTS, MARK, placed
from xde.connectors.delta.stores import Disk, entry, not_writable
from xde.connectors.delta.types import to_delta
from xde.ground.errors import Bug, TemporaryError, UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deltalake import CommitProperties, DeltaTable
    from deltalake import Schema as DeltaSchema
    from deltalake.transaction import AddAction, RemoveAction

    from xde.connectors.delta.handles import Handles
    from xde.connectors.delta.stores import Store
    from xde.ground.clock import Clock
    from xde.lifecycle.storage.port import Commit, Schema, Snapshot


class Committer:
    """Writes commits into the logs of one store."""

    def __init__(self, store: Store, handles: Handles, options: Mapping[str, str], clock: Clock) -> None:
        self._store = store
        self._handles = handles
        self._options = dict(options)
        self._clock = clock

    def create(self, commit: Commit, folder: str) -> int:
        """The first commit of a table. On a disk its number is 0; on an object store an empty table is made first, and the files follow."""
        if isinstance(self._store, Disk):
            return self._first_on_disk(self._store, commit, folder)
        bare = replace(commit, adds=(), facts={"kind": "schema", "what": "table"})
        number = self._put(folder, 0, lambda p: self._make(bare, self._store.where(folder), p), bare.facts)
        if number:
            raise lost(commit, None)
        with self._handles.newest(folder) as opened:
            if opened is None or opened.handle.version() != number:
                raise lost(commit, None)
            return self._put(folder, number + 1, self._write(opened.handle, commit, Evolution()), commit.facts)

    def _first_on_disk(self, disk: Disk, commit: Commit, folder: str) -> int:
        try:
            birth = disk.put_first(folder, first_entry(commit, uuid.uuid4().hex, self._now()))
        except OSError as error:
            raise UserError(not_writable(disk.where(folder), error)) from error
        if birth is None:
            raise lost(commit, None)
        self._handles.made(folder, birth, first_snapshot(commit, disk.where(folder)))
        return 0

    def _make(self, commit: Commit, where: str, properties: CommitProperties) -> None:
        from deltalake.transaction import create_table_with_add_actions

        types, now = storable_types(commit.schema), self._now()
        create_table_with_add_actions(
            where,
            _delta_schema(commit.schema),
            [add_action(f, commit, types, now) for f in commit.adds],
            mode="error",
            configuration=first_settings(commit),
            storage_options=self._options or None,
            commit_properties=properties,
        )

    def follow(self, commit: Commit, folder: str, before: Snapshot) -> int:
        """The commit after `before`, which must still be the newest."""
        removes, known = {f.path for f in commit.removes}, {f.path for f in before.files}
        if not removes <= known or known & {f.path for f in commit.adds}:
            raise Bug(f"a commit of `{commit.table.dataset}` removes files that are not there, or adds some that are")
        with self._handles.newest(folder) as opened:
            if opened is None or opened.handle.version() != before.number:
                raise lost(commit, before.number)
            handle = opened.handle
            plan = evolution(schema_of(handle), handle.metadata().configuration, commit, whole=removes == known)
            self._prepare(handle, folder, plan)
            return self._put(folder, handle.version() + 1, self._write(handle, commit, plan), commit.facts)

    def _write(self, handle: DeltaTable, commit: Commit, plan: Evolution) -> Callable[[CommitProperties], None]:
        types, now = storable_types(commit.schema), self._now()
        actions: list[AddAction | RemoveAction] = [add_action(f, commit, types, now) for f in commit.adds]
        if plan.replaced is not None:
            # takes every file by itself, and the new schema goes into the same commit
            replaced = _delta_schema(plan.replaced)
            return lambda properties: handle.create_write_transaction(actions, "overwrite", replaced, commit_properties=properties)
        actions += [remove_action(f, commit, now) for f in commit.removes]
        schema = handle.schema()
        return lambda properties: handle.create_write_transaction(actions, "append", schema, commit_properties=properties)

    def _prepare(self, handle: DeltaTable, folder: str, plan: Evolution) -> None:
        """What delta-rs cannot do in the commit of the files: commits of their own before it, that change no row.

        After a crash between them the table has a column that no file has yet: it reads as null, and the next attempt goes on from there.
        """
        from deltalake import Field, TableFeatures

        steps: list[tuple[str, Callable[[CommitProperties], None]]] = []
        if plan.zoneless:
            feature = TableFeatures.TimestampWithoutTimezone
            steps.append(
                ("feature", lambda p: handle.alter.add_feature(feature, allow_protocol_versions_increase=True, commit_properties=p))
            )
        if plan.added:
            fields = [Field.from_json(json.dumps(f)) for f in to_delta(plan.added)["fields"]]
            steps.append(("columns", lambda p: handle.alter.add_columns(fields, commit_properties=p)))
        if plan.settings:
            settings = dict(plan.settings)
            steps.append(
                ("settings", lambda p: handle.alter.set_table_properties(settings, raise_if_not_exists=False, commit_properties=p))
            )
        for what, act in steps:
            number = self._put(folder, handle.version() + 1, act, {"kind": "schema", "what": what})
            handle.update_incremental()
            if handle.version() != number:
                raise TemporaryError(f"`{folder}` was changed by somebody else at the same time")

    def _put(self, folder: str, number: int, act: Callable[[CommitProperties], None], facts: Mapping[str, object]) -> int:
        """Carry out one commit and find it in the log. A tool that knows nothing of us may have come between: then it stands later."""
        from deltalake.exceptions import DeltaError

        mark = uuid.uuid4().hex
        try:
            act(_properties(facts, mark, number))
        except (DeltaError, OSError) as error:
            found = placed(self._store, folder, mark, number)
            if found is None:
                raise self._failure(folder, number, error) from error
            return found
        found = placed(self._store, folder, mark, number)
        if found is None:
            raise Bug(f"a commit of `{folder}` was taken by delta-rs and does not stand in the log")
        return found

    def _failure(self, folder: str, number: int, error: Exception) -> TemporaryError | UserError:
        if self._store.read(folder, entry(number)) is not None:
            return TemporaryError(f"`{folder}` was changed by somebody else at the same time: commit {number} is not ours")
        where = self._store.where(folder)
        if isinstance(error, OSError) and "://" not in where:
            return UserError(not_writable(where, error))
        return TemporaryError(f"a commit of `{folder}` failed: {first_line(error)}")

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


def lost(commit: Commit, base: int | None) -> TemporaryError:
    """Somebody else was first."""
    read = "no table" if base is None else f"snapshot {base}"
    return TemporaryError(f"`{commit.table.dataset}` was changed by somebody else: {read} was read, and is not the newest any more")


def _properties(facts: Mapping[str, object], mark: str, number: int) -> CommitProperties:
    from deltalake import CommitProperties
    from deltalake.transaction import Transaction

    told = {FACTS: json.dumps(facts, default=str), MARK: mark}
    return CommitProperties(custom_metadata=told, max_commit_retries=1, app_transactions=[Transaction(APPLICATION, number)])


def _delta_schema(schema: Schema) -> DeltaSchema:
    from deltalake import Schema

    return Schema.from_json(json.dumps(to_delta(schema)))
