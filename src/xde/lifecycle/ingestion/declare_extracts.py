"""How records of a source of dlt are read, from the words of its contract."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from xde.ground.findings import Finding
from xde.ground.secrets import sounds_secret
from xde.kernel.project.secret_references import EXAMPLES, password_in, references
from xde.lifecycle.ingestion.declare_apis import carried_of, known_of, request_of
from xde.lifecycle.ingestion.declare_tables import in_the_open, limits_of
from xde.lifecycle.sources.extracts import KIND, Extract
from xde.lifecycle.sources.tables import Ask, AskedColumn, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xde.ground.findings import Findings
    from xde.kernel.project.contract import Server
    from xde.kernel.project.declarations import SourceDataset
    from xde.lifecycle.ingestion.declare_apis import Family
    from xde.lifecycle.ingestion.port import Field, SchemaChange

CODE = "XDE0529"
_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*\Z")
_OTHER_WAYS = ("query", "capture")


def extract_ask(dataset: SourceDataset, server: Server, family: Family, mode: str, change: SchemaChange, findings: Findings) -> Ask:
    """What is asked: all records of the resource, or those of lists within them."""
    _check(dataset, mode, findings)
    place, root = _place(server, findings), family.root
    resource = root.physical_name or root.name
    extract = Extract(
        place.settings.get("source", ""),
        place.settings.get("arguments", "{}"),
        resource,
        mode,
        family.ways,
        tuple(carried_of(p) for p in dataset.object.properties if (p.physical_name or "").startswith("../")),
        known_of(dataset),
        family.tells,
    )
    columns = _columns(family.fields)
    every = change.new_column in {"evolve", "quarantine"}
    limits, span = limits_of(dataset.object.custom), dataset.object.span
    merges = mode == "merge"
    return Ask(dataset.name, place, resource, None, columns, limits=limits, span=span, merges=merges, every=every, extract=extract)


def _columns(fields: Sequence[Field]) -> tuple[AskedColumn, ...]:
    return tuple(AskedColumn(f.source_name, f.type, f.also) for f in fields)


def _check(dataset: SourceDataset, mode: str, findings: Findings) -> None:
    given = dataset.object.custom
    for word in _OTHER_WAYS:
        if word in given:
            said = f"xde{word.capitalize()}"
            why = "which rows there are, and which of them are new, is what the source itself says"
            hint = f"take `{said}` away; what it asks for stands in `xdeArguments` of the server, or in the source's own code"
            findings.add(Finding(CODE, f"`{dataset.name}` is read by dlt, and cannot say `{said}`", given[word].span, word, why, hint))
    cursor = given["incrementalCursor"].value if "incrementalCursor" in given else {}
    if isinstance(cursor, dict) and "lag" in cursor:
        hint = "say it to dlt: `dlt.sources.incremental(..., lag=...)`"
        told = f"the lag of `{dataset.name}` is for its source to keep"
        findings.add(Finding(CODE, told, given["incrementalCursor"].span, "lag", hint=hint))
    words = request_of(dataset.object)
    other = next((w for w in words if w not in {"parent", "records"}), None)
    if other is not None:
        why = "its requests are those that the source makes"
        hint = "say it in `xdeArguments` of the server, or in the source's own code"
        told = f"`{dataset.name}` is read by dlt, and cannot say `{other}` in its `xdeRequest`"
        findings.add(Finding(CODE, told, given["request"].span, other, why, hint))
    elif "records" in words and "parent" not in words:
        hint = "add `parent`: the object of this contract whose records hold the list"
        findings.add(Finding(CODE, f"`{dataset.name}` is a list within records of nobody", given["request"].span, "whose?", hint=hint))
    if mode == "merge" and not dataset.object.key:
        hint = "add `primaryKey: true` to its key, or say `xdeWriteMode: replace`"
        findings.add(Finding(CODE, f"`{dataset.name}` is merged but has no primary key", dataset.object.span, "by what?", hint=hint))


def _place(server: Server, findings: Findings) -> Place:
    """The source and its arguments; references in them are looked up when it is opened."""
    source = str(server.custom["source"].value) if "source" in server.custom else ""
    if not _NAME.match(source):
        at = server.custom["source"].span if "source" in server.custom else server.span
        told = f"`{source}` names no source" if source else f"the server `{server.name}` does not say which source it is"
        hint = "write module and function, such as `shop_source:shop`, or `dlt.sources.rest_api:rest_api_source`"
        findings.add(Finding(CODE, told, at, "module:function", hint=hint))
    said = server.custom.get("arguments")
    arguments = said.value if said is not None and isinstance(said.value, dict) else {}
    name = next((n for n, text in _texts(arguments) if _in_the_open(n, text)), None)
    if name is not None and said is not None:
        hint = f"write a reference in its place: {EXAMPLES}"
        findings.add(in_the_open(server.name, f"`{name}`", said.span, hint))
    return Place(KIND, {"source": source, "arguments": json.dumps(arguments, ensure_ascii=False, sort_keys=True, default=str)}, server.span)


def _in_the_open(name: str, text: str) -> bool:
    """Whether a text of that name is a secret; an address is one where it has a password."""
    if not text or references(text):
        return False
    return password_in(text) if "://" in text else sounds_secret(name)


def _texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401 - plain data
    """The texts of plain data, each with the nearest name above it."""
    match value:
        case dict():
            for key, each in value.items():
                yield from _texts(each, str(key))
        case list():
            for each in value:
                yield from _texts(each, name)
        case str():
            yield name, value
