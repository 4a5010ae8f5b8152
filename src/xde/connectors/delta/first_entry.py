"""The first entry of a table's log, written by us: on a disk it needs no library, and is the price of every new table."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from xde import __version__
from xde.connectors.delta.actions import as_logged, changes_data, statistics_json, storable_types
from xde.connectors.delta.evolution import first_settings
from xde.connectors.delta.log import FACTS, MARK
from xde.connectors.delta.types import is_zoneless, storable_schema, to_delta
from xde.lifecycle.storage.port import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.lifecycle.storage.port import Commit

APPLICATION = "xde"  # of the transaction that every commit carries
PLAIN: dict[str, Any] = {"minReaderVersion": 1, "minWriterVersion": 2}
ZONELESS: dict[str, Any] = {
    "minReaderVersion": 3,
    "minWriterVersion": 7,
    "readerFeatures": ["timestampNtz"],
    "writerFeatures": ["timestampNtz"],
}


def first_entry(commit: Commit, mark: str, milliseconds: int) -> str:
    """The commit as lines of JSON (Delta protocol, "Actions"): the table, its files, what we know of them."""
    return "".join(json.dumps(action, ensure_ascii=False, separators=(",", ":")) + "\n" for action in _actions(commit, mark, milliseconds))


def _actions(commit: Commit, mark: str, milliseconds: int) -> Iterator[dict[str, Any]]:
    schema = to_delta(commit.schema)
    yield {
        "commitInfo": {
            "timestamp": milliseconds,
            "operation": "CREATE TABLE",
            "operationParameters": {"mode": "ErrorIfExists"},
            "engineInfo": f"xde:{__version__}",
            FACTS: json.dumps(commit.facts, default=str),
            MARK: mark,
        }
    }
    yield {"protocol": ZONELESS if is_zoneless(schema) else PLAIN}
    yield {
        "metaData": {
            "id": str(uuid.uuid4()),
            "name": None,
            "description": None,
            "format": {"provider": "parquet", "options": {}},
            "schemaString": json.dumps(schema, ensure_ascii=False, separators=(",", ":")),
            "partitionColumns": [],
            "createdTime": milliseconds,
            "configuration": first_settings(commit),
        }
    }
    types = storable_types(commit.schema)
    for file in commit.adds:
        yield {
            "add": {
                "path": quote(file.path),
                "partitionValues": {},
                "size": file.size,
                "modificationTime": milliseconds,
                "dataChange": changes_data(commit),
                "stats": statistics_json(file, types, commit.personal),
            }
        }
    yield {"txn": {"appId": APPLICATION, "version": 0, "lastUpdated": milliseconds}}


def first_snapshot(commit: Commit, where: str) -> Snapshot:
    """What reading the table back would give: our own entry, and so known without being read."""
    schema = storable_schema(commit.schema)
    types = {c.name: c.type for c in schema}
    files = tuple(replace(f, statistics=as_logged(f, types, commit.personal)) for f in commit.adds)
    return Snapshot(commit.table, 0, schema, files, where)
