"""How the events of a broker are read, from the words of its contract."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from xde.ground.findings import Finding
from xde.ground.names import did_you_mean, listed
from xde.lifecycle.ingestion.declare_tables import limits_of, not_in_the_open
from xde.lifecycle.ingestion.port import Dialect
from xde.lifecycle.ingestion.push import SPOOL, Push, seconds
from xde.lifecycle.sources.devices import Subscription
from xde.lifecycle.sources.streams import HEADERS, OFFSET, TIMESTAMP, TOLD, TOPIC, Stream
from xde.lifecycle.sources.tables import Ask, AskedColumn, Place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.ground.findings import Findings
    from xde.kernel.project.contract import Custom, Server
    from xde.kernel.project.declarations import SourceDataset
    from xde.lifecycle.ingestion.port import Field

BROKERS = frozenset({"redis", "nats", "kafka"})
DEVICES = "mqtt"
EVENT_DIALECT = Dialect("ndjson", compression="none", nulls=(), packed=True)
_OWN = ("user", "password", "tls", "caFile", "saslMechanism")
_WORDS = {"redis": {"payload", "group"}, "nats": {"subject"}, "kafka": {"group"}}  # besides `_ALL`
_ALL = {"begin", "onGap", "batch", "commit"}
_TOLD = {
    "redis": (TOPIC, OFFSET, TIMESTAMP),
    "nats": (TOPIC, OFFSET, TIMESTAMP, HEADERS),
    "kafka": TOLD,
    DEVICES: (TOPIC, TIMESTAMP),
}


def stream_ask(dataset: SourceDataset, server: Server, kind: str, fields: Sequence[Field], findings: Findings) -> Ask:
    """What is asked of the broker."""
    given = dataset.object.custom
    words = stream_words(given)
    _check(dataset, server, kind, fields, findings)
    stream = Stream(
        tuple(f.source_name for f in fields if f.source_name in TOLD),
        str(words.get("payload", "")),
        str(words.get("subject", "")),
        str(words.get("group", "")),
        words.get("begin") == "latest",
        words.get("onGap") == "continue",
        int(words.get("batch", Stream().batch)),
        seconds(words.get("commit", {}).get("every"), Stream().every),
    )
    columns = tuple(AskedColumn(f.source_name, f.type) for f in fields)
    relation = dataset.object.physical_name or dataset.object.name
    place = stream_place(server, kind, findings)
    mode = stream_mode(given)
    limits, merges = limits_of(given), mode == "merge"
    return Ask(dataset.name, place, relation, None, columns, limits=limits, span=dataset.object.span, merges=merges, stream=stream)


def device_push(dataset: SourceDataset, server: Server, fields: Sequence[Field], findings: Findings) -> Push:
    """The spool of what devices say, and the subscription that fills it."""
    words = stream_words(dataset.object.custom)
    _check(dataset, server, DEVICES, fields, findings)
    topic = dataset.object.physical_name or dataset.object.name
    told = tuple(f.source_name for f in fields if f.source_name in TOLD)
    limits, commit, usual = limits_of(dataset.object.custom), words.get("commit", {}), Push(dataset.name, "")
    place = stream_place(server, DEVICES, findings)
    return Push(
        dataset.name,
        f"{server.settings.get('path', SPOOL)}/{dataset.name}",
        spool_bytes=int(words.get("spoolBytes", usual.spool_bytes)),
        every=seconds(commit.get("every"), usual.every),
        rows=int(commit.get("rows", usual.rows)),
        keep=seconds(words["keep"], 0.0) if "keep" in words else None,
        span=server.span,
        subscription=Subscription(dataset.name, place, topic, told, limits.connect_timeout, dataset.object.span),
    )


def _check(dataset: SourceDataset, server: Server, kind: str, fields: Sequence[Field], findings: Findings) -> None:
    _check_words(dataset, kind, stream_words(dataset.object.custom), findings)
    check_mode(dataset, findings)
    _check_told(dataset, kind, fields, findings)
    form = str(server.settings.get("format", "json"))
    if form != "json":
        why = "an event becomes a row by its members"
        told = f"the events of `{dataset.name}` are `{form}`, which cannot be read yet"
        findings.add(Finding("XDE0514", told, server.span, "not `json`", why, "have the producer write JSON, and say `format: json`"))


def stream_words(given: Mapping[str, Custom]) -> dict[str, Any]:
    """What `xdeStream` says."""
    said = given.get("stream")
    return said.value if said is not None and isinstance(said.value, dict) else {}


def stream_mode(given: Mapping[str, Custom]) -> str:
    """How events join the table: they add to what is there, unless the contract merges them."""
    return str(given["writeMode"].value) if "writeMode" in given else "append"


def stream_place(server: Server, kind: str, findings: Findings) -> Place:
    """The server with what opens its door."""
    settings = {n: str(v) for n, v in server.settings.items()}
    settings |= {n: _text(server.custom[n].value) for n in _OWN if n in server.custom}
    not_in_the_open(server, "password", "password", findings)
    if "host" not in settings:
        hint = "add `host: broker.example.com` (and `port`)"
        findings.add(Finding("XDE0514", f"nobody says where the server `{server.name}` is", server.span, "no `host`", hint=hint))
    return Place(kind, settings, server.span)


def check_mode(dataset: SourceDataset, findings: Findings) -> None:
    """Events add to what is there, or give way to each other by their key."""
    mode = dataset.object.custom.get("writeMode")
    if mode is not None and mode.value == "replace":
        why = "what a broker has is what came lately, and not all there is"
        message = f"`{dataset.name}` is a stream, and cannot be written with `replace`"
        findings.add(Finding("XDE0514", message, mode.span, "replace", why, "write `append`, or `merge` with a primary key"))
    for word in ("query", "request", "incrementalCursor"):
        if word in dataset.object.custom and not (word == "incrementalCursor" and stream_mode(dataset.object.custom) == "merge"):
            message = f"`{dataset.name}` is a stream, and is asked for nothing by `xde{word[0].upper()}{word[1:]}`"
            findings.add(Finding("XDE0514", message, dataset.object.custom[word].span, "not here", hint="take it away"))


def _check_words(dataset: SourceDataset, kind: str, words: Mapping[str, object], findings: Findings) -> None:
    own = _WORDS[kind] | _ALL if kind in _WORDS else {"commit", "spoolBytes", "keep"}
    for word in sorted(set(words) - own):
        hint = f"for `{kind}` there are {listed([f'`{w}`' for w in sorted(own)])}"
        message = f"`{word}` of `xdeStream` says nothing to a server of `{kind}`"
        findings.add(Finding("XDE0514", message, dataset.object.custom["stream"].span, word, hint=hint))


def _check_told(dataset: SourceDataset, kind: str, fields: Sequence[Field], findings: Findings) -> None:
    by_name = {p.name: p for p in dataset.object.properties}
    for field in fields:
        known = _TOLD[kind]
        if field.source_name.startswith("$") and field.source_name not in known:
            hint = did_you_mean(field.source_name, known) or f"there are {listed([f'`{t}`' for t in known])}"
            message = f"nothing is known of an event of `{kind}` by the name `{field.source_name}`"
            findings.add(Finding("XDE0514", message, by_name[field.name].span, "unknown", hint=hint))
        if field.source_name == TIMESTAMP and field.type.upper() in {"TIMESTAMP", "DATETIME"}:
            hint = "add `logicalTypeOptions: {timezone: true}`"
            message = f"`{field.name}` is the moment of an event, and has no zone"
            findings.add(Finding("XDE0514", message, by_name[field.name].span, "in which zone?", hint=hint))


def _text(value: object) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)
