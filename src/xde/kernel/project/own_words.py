"""The words of ours that a contract may hold in `customProperties`: which there are at which place, and what they may say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.ground.findings import Finding, Severity
from xde.ground.names import did_you_mean
from xde.kernel.project.fields import Anything, Codes, Complaints, Flag, Kind, ListOf, MapOf, Number, Record, Text
from xde.kernel.project.odcs import columns_below, own_words
from xde.kernel.project.odcs_servers import CUSTOM_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.kernel.project.tree import Mapping

CODES = Codes(unknown="XDE0317", missing="XDE0318", type="XDE0318", value="XDE0318")

_TEXT = Text()
_NULL_WORDS = ListOf(_TEXT, doc="Texts that mean that a value is missing")
_DATE = Text(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", wanted="an ISO date", example="2027-06-30")
_ONE_CHARACTER = Text(pattern=r"^(.|\\t)$", wanted="one character", example=";")
_QUOTE = Text(pattern=r"^.?$", wanted="one character, or nothing")
_WAIVER = Record(
    {"author": Text(pattern=r"\S", wanted="a name"), "reason": Text(pattern=r"\S", wanted="a reason"), "until": _DATE},
    ("author", "reason", "until"),
)
_ON_FAILURE = Text(("warn", "quarantine", "block"))
_DURATION = Text(pattern=r"^P(?=.)([0-9]+[YMWD])*(T([0-9]+[HMS])+)?$", wanted="an ISO duration", example="P30D")
_DIALECT = Record(
    {
        "format": _TEXT,
        "delimiter": _ONE_CHARACTER,
        "quote": _QUOTE,
        "escape": _QUOTE,
        "header": Flag(),
        "skip": Number(whole=True, least=0),
        "encoding": _TEXT,
        "nullWords": _NULL_WORDS,
        "compression": Text(("none", "gzip", "zstd", "auto")),
        "trim": Flag(),
        "comment": _ONE_CHARACTER,
        "decimal": Text((".", ",")),
        "sheet": _TEXT,
        "recordsAt": _TEXT,
        "maxRecordBytes": Number(whole=True, least=1),
    }
)
_percent = Number(least=0)
_DEAD_LETTER = Record(
    {
        "mode": Text(("quarantine", "stop")),
        "maxRejectedPercent": _percent,
        "maxRejected": Number(whole=True, least=0),
        "target": _TEXT,
        "replay": Flag(),
        "retention": _DURATION,
    }
)
_CHANGE = ("freeze", "evolve", "discard", "quarantine")
_SCHEMA_CHANGE = Record({"newColumn": Text(_CHANGE), "missingColumn": Text(("freeze", "evolve"))})
_POSITION = Record({"start": Number(whole=True, least=1), "length": Number(whole=True, least=1)}, ("start", "length"))
_MASK = Record(
    {
        "text": Text(doc="A text that stands for every value"),
        "keepLast": Number(whole=True, least=1),
        "keepDomain": Flag(),
        "empty": Flag(),
        "truncate": Text(("month", "year")),
        "round": Number(above=0),
    }
)
_IN_FLIGHT = Record(
    {
        "hash": Record({"key": Text(doc="A reference to a secret"), "fold": Flag()}),
        "mask": _MASK,
        "cast": Text(pattern=r"\S", wanted="a type"),
        "drop": Flag(),
    }
)
_OPEN = Record({}, open=True)

OF_CONTRACT: dict[str, Kind] = {
    "tier": Number(whole=True, least=1),
    "compatibility": Text(("backward", "forward", "full", "none")),
}
_SECONDS = Number(least=0)
_LIMITS = Record(
    {
        "connections": Number(whole=True, least=1),
        "rowsPerSecond": Number(whole=True, least=1),
        "bytesPerSecond": Number(whole=True, least=1),
        "hours": Text(
            pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$", wanted="hours in UTC", example="22:00-05:30"
        ),
        "statementTimeout": _SECONDS,
        "connectTimeout": _SECONDS,
    }
)
_CURSOR = Record({"property": Anything(), "lag": Anything(plain=True), "order": Text(("ascending",))}, ("property",))
_CAPTURE = Record(
    {
        "publication": Text(pattern=r"\S", wanted="the name of a publication"),
        "slot": Text(pattern=r"^[a-z0-9_]{1,50}$", wanted="small letters, digits and `_`, 50 at most", example="shop_orders"),
        "batch": Number(whole=True, least=1),
        "by": Text(("log", "comparison"), doc="From the server's log, or by holding each snapshot against the one before"),
        "key": ListOf(_TEXT, doc="The columns that tell the rows of a snapshot apart, where the contract has no primary key"),
        "maxGonePercent": Number(doc="By comparison: of how many percent of its rows a snapshot may be short"),
        "goneDespiteLetters": Flag(doc="By comparison: whether rows are gone that a snapshot with dead letters does not have"),
    }
)
_TIME = Text(pattern=r"^[0-9]+([.][0-9]+)? ?(s|min|h|days?)$", wanted="a number of s, min, h or days", example="10 s")
_ONE_OR_MORE = Number(whole=True, least=1)
_PUSH = Record(
    {
        "keys": ListOf(Record({"name": Text(pattern=r"\S", wanted="a name"), "secret": _TEXT}, ("name", "secret"))),
        "mode": Text(("refuse", "accept-all")),
        "limits": Record({"bodyBytes": _ONE_OR_MORE, "records": _ONE_OR_MORE, "spoolBytes": _ONE_OR_MORE}),
        "commit": Record({"every": _TIME, "rows": _ONE_OR_MORE}),
        "idempotency": Record({"window": _TIME, "requests": _ONE_OR_MORE}),
        "keep": _TIME,
    }
)
_PLAIN = MapOf(Anything(plain=True))
_MORE_THAN_NOTHING = Number(above=0)
_API_LIMITS = Record(
    {
        "requestsPerSecond": _MORE_THAN_NOTHING,
        "responseBytes": _ONE_OR_MORE,
        "retries": Number(whole=True, least=0),
        "longestWait": _SECONDS,
        "timeout": _MORE_THAN_NOTHING,
        "connectTimeout": _MORE_THAN_NOTHING,
    }
)
_PAGES = Record(
    {
        "kind": Text(("none", "page", "offset", "cursor", "next", "link")),
        "parameter": _TEXT,
        "at": _TEXT,
        "record": _TEXT,
        "first": Number(whole=True, least=0),
        "size": Record({"parameter": _TEXT, "value": _ONE_OR_MORE}, ("value",)),
        "total": _TEXT,
        "pages": _TEXT,
        "more": _TEXT,
        "short": Flag(),
        "newestFirst": Flag(),
        "most": _ONE_OR_MORE,
    }
)
_AUTH_TEXTS = ("token", "user", "password", "header", "parameter", "value", "tokenUrl", "clientId", "clientSecret", "scope")
_AUTH = Record({"kind": Text(("bearer", "basic", "key", "oauth2")), **dict.fromkeys(_AUTH_TEXTS, _TEXT)}, ("kind",))
_API = Record({"headers": _PLAIN, "query": _PLAIN, "auth": _AUTH, "limits": _API_LIMITS, "pages": _PAGES, "caFile": _TEXT})
_SINCE = Record(
    {"parameter": _TEXT, "start": Anything(plain=True), "format": Text(("iso8601", "date", "unix", "unixMillis"))}, ("parameter",)
)
_REQUEST = Record(
    {
        "parent": _TEXT,
        "method": Text(("GET", "POST")),
        "query": _PLAIN,
        "headers": _PLAIN,
        "body": Record({}, open=True),
        "records": _TEXT,
        "pages": _PAGES,
        "since": _SINCE,
    }
)
_STREAM = Record(
    {
        "payload": Text(pattern=r"\S", wanted="the name of a field"),
        "subject": Text(pattern=r"^\S+$", wanted="a subject", example="plant.*.heat"),
        "group": Text(pattern=r"\S", wanted="the name of a consumer group"),
        "begin": Text(("earliest", "latest")),
        "onGap": Text(("stop", "continue")),
        "batch": _ONE_OR_MORE,
        "commit": Record({"every": _TIME, "rows": _ONE_OR_MORE}),
        "spoolBytes": _ONE_OR_MORE,
        "keep": _TIME,
    }
)
OF_SERVER: dict[str, Kind] = {
    "push": _PUSH,
    "api": _API,
    "type": Text(pattern=r"\S", wanted="the kind of a connector", example="sqlite"),
    "source": Text(pattern=r"\S", wanted="the module and the function that gives a source of dlt", example="shop_source:shop"),
    "arguments": _OPEN,
    "tls": Flag(),
    "caFile": _TEXT,
    "saslMechanism": Text(("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")),
    "url": _TEXT,
    "options": _PLAIN,
    "region": _TEXT,
    "accessKey": _TEXT,
    "secretKey": _TEXT,
    "anonymous": Flag(),
    "requesterPays": Flag(),
    "user": _TEXT,
    "password": _TEXT,
    "sslMode": Text(("disable", "allow", "prefer", "require", "verify-ca", "verify-full")),
}
OF_TABLE: dict[str, Kind] = {
    "request": _REQUEST,
    "query": Text(pattern=r"\S", wanted="a query in the database's SQL"),
    "limits": _LIMITS,
    "reader": Text(("copy", "connectorx"), doc="What reads a whole table of PostgreSQL: its own `COPY`, or ConnectorX"),
    "dialect": _DIALECT,
    "server": _TEXT,
    "writeMode": Text(("append", "replace", "merge")),
    "deadLetter": _DEAD_LETTER,
    "schemaChange": _SCHEMA_CHANGE,
    "incrementalCursor": _CURSOR,
    "capture": _CAPTURE,
    "stream": _STREAM,
    "tenantColumn": _TEXT,
    "lifecycleTier": _OPEN,
}
OF_PROPERTY: dict[str, Kind] = {
    "nullWords": _NULL_WORDS,
    "position": _POSITION,
    "sourceName": _TEXT,
    "alsoNamed": ListOf(_TEXT, doc="Other names under which the source gives this column, or once gave it"),
    "inFlight": _IN_FLIGHT,
    "dataSubjectKey": Flag(),
    "tenantColumn": Flag(),
    "maskingPolicy": _OPEN,
}
OF_RULE: dict[str, Kind] = {"rowPredicate": Text(pattern=r"\S", wanted="a condition in SQL"), "onFailure": _ON_FAILURE, "waiver": _WAIVER}
OF_RELATIONSHIP: dict[str, Kind] = {"severity": Text(("warning", "error")), "onFailure": _ON_FAILURE, "waiver": _WAIVER}
OF_SERVICE_LEVEL: dict[str, Kind] = {"graceMinutes": Number(least=0), **OF_RELATIONSHIP}
OF_SUPPORT: dict[str, Kind] = {"routeSeverity": Anything()}
_EVERY = {*OF_CONTRACT, *OF_SERVER, *OF_TABLE, *OF_PROPERTY, *OF_RULE, *OF_RELATIONSHIP, *OF_SERVICE_LEVEL, *OF_SUPPORT}


def check_own_words(root: Mapping) -> list[Finding]:
    """What is wrong with our words in a contract; those of other vendors are theirs."""
    say = Complaints(CODES)
    for node, known in _places(root):
        if "customProperties" in node.items:
            _check_place(node, known, say)
    return say.findings.items


def _places(root: Mapping) -> Iterator[tuple[Mapping, dict[str, Kind]]]:
    yield root, OF_CONTRACT
    for server in root.mappings("servers"):
        yield server, {**_of_stranger(server), **OF_SERVER}
    for level in root.mappings("slaProperties"):
        yield level, OF_SERVICE_LEVEL
    for channel in root.mappings("support"):
        yield channel, OF_SUPPORT
    for table in root.mappings("schema"):
        yield table, OF_TABLE
        yield from _rules_and_relationships(table)
        for _, column in columns_below(table):
            yield column, OF_PROPERTY
            yield from _rules_and_relationships(column)


def _of_stranger(server: Mapping) -> dict[str, Kind]:
    """The words of a server that a connector of others reads: it alone knows them."""
    said = dict(own_words(server)) if "customProperties" in server.items else {}
    kind = said["type"].text("value") if "type" in said else None
    return {} if kind is None or kind in CUSTOM_KINDS else dict.fromkeys(said, Anything())


def _rules_and_relationships(node: Mapping) -> Iterator[tuple[Mapping, dict[str, Kind]]]:
    if "quality" in node.items:
        for rule in node.mappings("quality"):
            yield rule, OF_RULE
    if "relationships" in node.items:
        for relationship in node.mappings("relationships"):
            yield relationship, OF_RELATIONSHIP


def _check_place(node: Mapping, known: dict[str, Kind], say: Complaints) -> None:
    seen: set[str] = set()
    ours = 0
    for name, entry in own_words(node):
        ours += 1
        kind, at = known.get(name), entry.items.get("property", entry)
        if name in seen:
            say.add(CODES.value, f"`{name}` is said twice", at, "again", "only one of the two can hold", "keep one")
        elif kind is None:
            why = "it stands at another place of a contract" if name in _EVERY else "no word of xde is called so"
            written = entry.text("property") or ""
            words = known if written == name else [_prefixed(word) for word in known]
            say.add(CODES.unknown, f"`{written}` is not known here", at, "unknown", why, did_you_mean(written, words) or "delete it")
        elif "value" in entry.items:
            kind.check(entry.items["value"], name, say)
        seen.add(name)
    if ours < len(node.mappings("customProperties")):
        _check_bare(node, known, say)


def _check_bare(node: Mapping, known: dict[str, Kind], say: Complaints) -> None:
    """A word of ours without prefix and vendor is nobody's: it would be passed over in silence."""
    for entry in node.mappings("customProperties"):
        name = entry.text("property") or ""
        if name in known and "vendor" not in entry.items:
            why = "without `vendor: xde` it belongs to no tool, and xde passes it over"
            hint = f"write `property: {_prefixed(name)}`"
            warning = Finding("XDE0319", f"`{name}` is not read", entry.place("property"), "whose?", why, hint, Severity.WARNING)
            say.findings.add(warning)


def _prefixed(name: str) -> str:
    return f"xde{name[0].upper()}{name[1:]}"
