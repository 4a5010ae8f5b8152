"""A contract to begin with (Open Data Contract Standard): columns, types, and of promises only those that hold by themselves."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from xde.kernel.project.logical_types import logical_type
from xde.undercurrents.engineering.drafts.model import chosen
from xde.undercurrents.engineering.testing.case_writer import value_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xde.kernel.project.contract import Property
    from xde.undercurrents.engineering.drafts.model import Source


def contract_text(name: str, sources: Sequence[Source]) -> str:
    """The file of a contract. With one input, of which every row is kept, its key and what it requires hold for the model too."""
    table = name.partition(".")[2]
    lines = [
        "apiVersion: v3.1.0",
        "kind: DataContract",
        f"id: {uuid.uuid5(uuid.NAMESPACE_URL, f'xde:{name}')}",
        f"name: {name}",
        "version: 0.1.0",
        "status: draft",
        "schema:",
        f"  - name: {table}",
        "    physicalType: table",
        "    logicalType: object",
        "    description: Say here what one row is.",
        "    properties:",
    ]
    columns = chosen(sources)
    if not columns:
        lines += _property("id", "INTEGER", None, whole=False)
    for column, source in columns.items():
        promise = source.promises.get(column)
        whole = promise is not None and len(sources) == 1
        lines += _property(column, source.types[column], promise or source.meanings.get(column), whole=whole)
    return "\n".join(lines) + "\n"


def _property(name: str, kind: str, promise: Property | None, *, whole: bool) -> Iterator[str]:
    yield f"      - name: {value_text(name)}"
    logical = logical_type(kind)
    if logical is not None:
        yield f"        logicalType: {logical}"
    yield f"        physicalType: {value_text(kind)}"
    if promise is not None and whole and (promise.required or promise.primary_key):
        yield "        required: true"
    if promise is not None and whole and promise.primary_key:
        yield "        primaryKey: true"
        yield f"        primaryKeyPosition: {max(promise.primary_key_position, 1)}"
    if promise is not None and promise.classification:
        yield f"        classification: {value_text(promise.classification)}"
    yield f"        description: {value_text(promise.description if promise and promise.description else 'Say here what it is.')}"
