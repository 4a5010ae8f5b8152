"""How a table of a database is read, from the words of its contract."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from xde.ground.findings import Finding
from xde.ground.names import did_you_mean
from xde.ground.secrets import sounds_secret
from xde.kernel.project.odcs_servers import CUSTOM_KINDS
from xde.kernel.project.secret_references import password_in, references
from xde.lifecycle.ingestion.declare_readers import reader_of
from xde.lifecycle.ingestion.port import Dialect
from xde.lifecycle.ingestion.snapshots import OF_COMPARISON, by_comparison
from xde.lifecycle.sources.tables import LSN, NULL, OPERATION, SEQUENCE, TOLD, Ask, AskedColumn, Capture, Cursor, Limits, Place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.ground.findings import Findings
    from xde.ground.spans import Span
    from xde.kernel.project.contract import Custom, Server
    from xde.kernel.project.declarations import SourceDataset
    from xde.lifecycle.ingestion.port import Field, SchemaChange

FILES = "files"  # what `xdeType` says of files that have an address
KINDS = {
    "postgres": "postgres",
    "postgresql": "postgres",
    "duckdb": "duckdb",
    "mysql": "mysql",
    "api": "api",
    "kafka": "kafka",
}  # of the standard's types; `custom` says its own
TABLE_DIALECT = Dialect("csv", nulls=(NULL,), compression="none", quoted_nulls=False)
WORDS = {
    "connections": "connections",
    "rowsPerSecond": "rows_per_second",
    "bytesPerSecond": "bytes_per_second",
    "hours": "hours",
    "statementTimeout": "statement_timeout",
    "connectTimeout": "connect_timeout",
}
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?\Z")
_SLOT = re.compile(r"[^a-z0-9_]+")
_TEXTS = ("VARCHAR", "TEXT", "STRING", "CHAR", "BLOB", "BYTEA", "UUID", "BOOL", "STRUCT", "MAP", "JSON")
_CAPITAL = re.compile("([A-Z])")
_OWN = ("user", "password", "sslMode", "url")
OURS = frozenset({*KINDS.values(), *CUSTOM_KINDS})
_LATE = {"mysql", "sqlalchemy"}  # servers whose rows do not tell which transaction wrote them; of strangers' nobody knows


def kind_of(server: Server) -> str | None:
    """The connector of a server, or None where it is no database that can be read."""
    if server.type == "custom":
        said = server.custom.get("type")
        return str(said.value) if said is not None and str(said.value) != FILES else None
    return KINDS.get(server.type)


def write_mode(given: Mapping[str, Custom]) -> str:
    """As the contract says it; rows that nobody can tell from those of before replace them."""
    if "writeMode" in given:
        return str(given["writeMode"].value)
    return "merge" if "capture" in given else "append" if "incrementalCursor" in given else "replace"


def ask_of(dataset: SourceDataset, server: Server, kind: str, fields: Sequence[Field], change: SchemaChange, findings: Findings) -> Ask:
    """What is asked of the database."""
    given = dataset.object.custom
    query = str(given["query"].value).rstrip("; \t\r\n") if "query" in given else None
    cursor = _cursor(dataset, fields, findings) if "incrementalCursor" in given else None
    compared = by_comparison(given)
    mode = "replace" if compared else write_mode(given)
    if "capture" in given and not compared:
        return _captured(dataset, server, kind, fields, change, findings)
    if mode == "append" and cursor is None:
        _no_cursor(dataset, findings)
    if cursor is not None and mode != "replace" and (kind in _LATE or kind not in OURS):
        _merged(dataset, cursor, mode, kind, findings)
    elif mode == "append" and cursor is not None and kind != "postgres":
        _only_new(dataset, cursor, findings)
    relation = dataset.object.physical_name or dataset.object.name
    columns = tuple(AskedColumn(f.source_name, f.type, f.also) for f in fields if not compared or f.source_name not in TOLD)
    cursor = cursor if mode != "replace" else None
    place, limits = _place(server, kind, findings), limits_of(given)
    may_lack, every = _columns(change)
    ask = Ask(dataset.name, place, relation, query, columns, cursor, limits, dataset.object.span, mode == "merge", may_lack, every)
    return replace(ask, reader=reader_of(dataset))


def _captured(dataset: SourceDataset, server: Server, kind: str, fields: Sequence[Field], change: SchemaChange, findings: Findings) -> Ask:
    """What is asked of the database's log."""
    given = dataset.object.custom
    words = given["capture"].value if isinstance(given["capture"].value, dict) else {}
    sources = {f.name: f.source_name for f in fields}
    told = tuple(f.source_name for f in fields if f.source_name in TOLD)
    key = tuple(sources[k] for k in dataset.object.key) if write_mode(given) == "merge" else None
    slot = str(words.get("slot") or _SLOT.sub("_", f"xde_{dataset.name}".lower())[:50])
    capture = Capture(str(words.get("publication", "xde")), slot, key, told, int(words.get("batch", 100_000)))
    if kind != "postgres":
        no_log(dataset, server, findings)
    _capturable(dataset, fields, capture, findings)
    relation = dataset.object.physical_name or dataset.object.name
    columns = tuple(AskedColumn(f.source_name, f.type, f.also) for f in fields if f.source_name not in TOLD)
    return Ask(
        dataset.name,
        _place(server, kind, findings),
        relation,
        None,
        columns,
        limits=limits_of(given),
        span=dataset.object.span,
        merges=key is not None,
        may_lack=_columns(change)[0],
        every=_columns(change)[1],
        capture=capture,
    )


def no_log(dataset: SourceDataset, server: Server, findings: Findings) -> None:
    """A capture of what has no log that could be read."""
    said = dataset.object.custom.get("capture")
    if said is not None:
        hint = "write `by: comparison` in `xdeCapture`, or take it away and say `xdeIncrementalCursor` or `replace`"
        told = f"`{dataset.name}` is on a server of type `{server.type}`, which has no log that can be read"
        findings.add(Finding("XDE0426", told, said.span, "no log", hint=hint))


def _capturable(dataset: SourceDataset, fields: Sequence[Field], capture: Capture, findings: Findings) -> None:
    """What a contract must say, and must not, where changes are read from a log."""
    given, name = dataset.object.custom, dataset.name
    at, mode = given["capture"].span, write_mode(given)
    said = given["capture"].value
    for word in (w for w in OF_COMPARISON if isinstance(said, dict) and w in said):
        hint = "take it away, or say `by: comparison` beside it"
        findings.add(Finding("XDE0426", f"`{word}` of `{name}` says nothing where a log is read", at, word, hint=hint))
    for word in ("query", "incrementalCursor"):
        if word in given:
            why = "the log tells of the rows of a table as they change, whatever their values are"
            told = f"`{name}` is captured, and `{_spoken(word)}` says another way"
            findings.add(Finding("XDE0426", told, given[word].span, "not both", why, f"take `{_spoken(word)}` or `xdeCapture` away"))
    if mode == "replace":
        why = "a capture gives changes, which `merge` brings into a table and `append` writes down one below the other"
        findings.add(
            Finding(
                "XDE0426",
                f"`{name}` is captured, and all of it is replaced",
                given["writeMode"].span,
                "not both",
                why,
                "say `merge` or `append`",
            )
        )
    if capture.key == ():
        why = "changes are brought together with rows by the columns of the primary key"
        findings.add(
            Finding("XDE0426", f"`{name}` is captured but has no primary key", at, "by what?", why, "add `primaryKey: true` to its key")
        )
    if mode == "append" and (missing := [w for w in (OPERATION, LSN, SEQUENCE) if w not in capture.told]):
        why = "without them nobody could tell what happened, and in what order"
        hint = "add properties such as `{name: operation, physicalName: $operation, logicalType: string}`"
        told = f"the log of changes `{name}` does not name {', '.join(f'`{m}`' for m in missing)}"
        findings.add(Finding("XDE0426", told, at, "no order", why, hint))
    required = [f.name for f in fields if f.required and f.source_name not in TOLD]
    if mode == "append" and required:
        why = "a deletion has only the key in it, and a `TRUNCATE` nothing: they would be dead letters"
        told = f"`{required[0]}` of the log of changes `{name}` is required"
        findings.add(Finding("XDE0426", told, at, "missing at times", why, "take `required` away"))


def _spoken(word: str) -> str:
    return f"xde{word[0].upper()}{word[1:]}"


def _columns(change: SchemaChange) -> tuple[bool, bool]:
    """Whether columns may lack, and whether every one is read.

    By `freeze` only the columns of the contract are read: a new one of the database is nobody's to see until somebody names it.
    """
    return change.missing_column == "evolve", change.new_column in {"evolve", "quarantine"}


def place_of(server: Server, kind: str) -> Place:
    """Where a database is."""
    settings = {n: str(v) for n, v in server.settings.items()}
    return Place(kind, settings | {n: str(server.custom[n].value) for n in _own(server, kind) if n in server.custom}, server.span)


def _own(server: Server, kind: str) -> Sequence[str]:
    return _OWN if kind in OURS else [n for n in server.custom if n != "type"]  # a connector of others knows what it asks for


def _place(server: Server, kind: str, findings: Findings) -> Place:
    own = _own(server, kind)
    for name in dict.fromkeys(("password", *(n for n in own if sounds_secret(n)))):
        not_in_the_open(server, name, "password" if name == "password" else f"`{_spoken(name)}`", findings)
    url = server.custom.get("url")
    if url is not None and password_in(str(url.value)):
        findings.add(in_the_open(server.name, "password", url.span, "take it out of `xdeUrl`, and write a reference as `xdePassword`"))
    return place_of(server, kind)


def not_in_the_open(server: Server, word: str, what: str, findings: Findings) -> None:
    """A secret of a server has to be a reference."""
    said = server.custom.get(word)
    if said is not None and not references(str(said.value)):
        variable = _CAPITAL.sub(r"_\1", word).upper()
        hint = f"write a reference, such as `${{env:SHOP_{variable}}}`"
        findings.add(in_the_open(server.name, what, said.span, hint))


def in_the_open(server: str, what: str, span: Span | None, hint: str) -> Finding:
    """What is told of a secret that whoever reads the contract can read."""
    why = "whoever may read the contract could open the door with it, and it is kept with every deployment"
    return Finding("XDE0481", f"the {what} of the server `{server}` stands in the open", span, "readable", why, hint)


def _cursor(dataset: SourceDataset, fields: Sequence[Field], findings: Findings) -> Cursor | None:
    said = dataset.object.custom["incrementalCursor"]
    words = said.value if isinstance(said.value, dict) else {}
    named = words.get("property")
    names = [str(n) for n in named] if isinstance(named, list) else [str(named)] if named is not None else []
    by_name = {f.name: f for f in fields}
    wrong = next((n for n in names if n not in by_name), None)
    if wrong is not None or not names:
        hint = (did_you_mean(wrong, by_name) if wrong else None) or "name a column of the contract as its `property`"
        told = f"the cursor of `{dataset.name}` is not one of its columns: `{wrong or ''}`"
        findings.add(Finding("XDE0439", told, said.span, "no such column", hint=hint))
        return None
    kind = by_name[names[0]].type.upper()
    lag = _lag(words["lag"], dataset, names[0], kind, findings) if words.get("lag") is not None else None
    alone = {p.name for p in dataset.object.properties if p.unique} | (set(dataset.object.key) if len(dataset.object.key) == 1 else set())
    unique = bool(alone & set(names)) or (bool(dataset.object.key) and set(dataset.object.key) <= set(names))
    timed = kind.startswith(("DATE", "TIME"))
    return Cursor(tuple(by_name[n].source_name for n in names), lag, timed, unique)


def _lag(written: object, dataset: SourceDataset, name: str, kind: str, findings: Findings) -> float | None:
    """How far below the last value late rows may come: an amount of the cursor's own kind, and never above it."""
    number = float(written) if isinstance(written, (int, float)) and not isinstance(written, bool) else None
    lag = number if number is not None else _seconds(str(written))
    if number is not None and not 0 <= number < math.inf:
        hint = "write how far below the last value late rows may come: a number from 0 on"
    elif kind == "TIME" or kind.startswith(_TEXTS):
        hint = f"`{name}` is a {kind}: take a number or a moment as the cursor, or no lag"
    elif kind.startswith(("DATE", "TIME")):
        hint = "" if lag is not None else "write a duration such as `PT10M`, or a number of seconds"
    else:
        hint = "" if number is not None else f"`{name}` is a {kind}: write a number, such as `lag: 1000`"
    if hint:
        told = f"the lag of the cursor of `{dataset.name}` is no amount: `{written}`"
        findings.add(Finding("XDE0483", told, dataset.object.custom["incrementalCursor"].span, "lag", hint=hint))
    return lag


def _seconds(written: str) -> float | None:
    found = _DURATION.match(written)
    if found is None or not any(found.groups()):
        return None
    return float(sum(int(n or 0) * of for n, of in zip(found.groups(), (86_400, 3_600, 60, 1), strict=True)))


def limits_of(given: Mapping[str, Custom]) -> Limits:
    """What a load may ask of its source."""
    words = given["limits"].value if "limits" in given else {}
    chosen = {WORDS[w]: v for w, v in words.items() if w in WORDS} if isinstance(words, dict) else {}
    return Limits(**chosen)


def _no_cursor(dataset: SourceDataset, findings: Findings) -> None:
    why = "each load would append all of its rows once more"
    hint = "add `xdeIncrementalCursor: {property: ...}`, or say `replace` or `merge` as its `xdeWriteMode`"
    at = dataset.object.custom["writeMode"].span if "writeMode" in dataset.object.custom else dataset.object.span
    findings.add(Finding("XDE0483", f"nothing says which rows of `{dataset.name}` are new", at, "append", why, hint))


def _only_new(dataset: SourceDataset, cursor: Cursor, findings: Findings) -> None:
    """What is appended must be told from what was appended before, by the cursor alone."""
    at = dataset.object.custom["incrementalCursor"].span
    names = ", ".join(f"`{c}`" for c in cursor.columns)
    if cursor.lag is not None:
        why = "with a lag rows are read again that are there already, and would be there twice"
        hint = "say `merge` as its `xdeWriteMode`, or take the lag away"
        findings.add(Finding("XDE0483", f"`{dataset.name}` appends, and its cursor has a lag", at, "read again", why, hint))
    elif not cursor.unique:
        why = f"two rows may have the same {names}: of one that comes later nobody could tell whether it was read"
        hint = "add the key of the table as the last `property` of the cursor, or say `merge` as its `xdeWriteMode`"
        findings.add(Finding("XDE0483", f"the cursor of `{dataset.name}` does not tell every row from the others", at, "ties", why, hint))


def _merged(dataset: SourceDataset, cursor: Cursor, mode: str, kind: str, findings: Findings) -> None:
    """Where no row tells its transaction, rows are read again so that none is lost that is committed late."""
    at = dataset.object.custom["incrementalCursor"].span
    if mode == "append":
        why = "a row that is committed late stands below the cursor: to find it rows are read again, and would be there twice"
        hint = "say `merge` as its `xdeWriteMode`, with a primary key"
        message = f"`{dataset.name}` appends from a server whose rows tell no transaction"
        findings.add(Finding("XDE0483", message, at, "read again", why, hint))
    elif kind != "mysql" and cursor.lag is None:
        why = "this server does not tell which transactions are open, and what they wrote"
        hint = "give the cursor a `lag` that is longer than any transaction" + (", such as `PT1H`" if cursor.timed else ": so many numbers")
        message = f"the cursor of `{dataset.name}` would miss rows that are committed late"
        findings.add(Finding("XDE0483", message, at, "no lag", why, hint))
