"""How records are asked of an API, from the words of its contract."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from xde.ground.findings import Finding, Severity
from xde.ground.names import did_you_mean
from xde.ground.raw_json import steps
from xde.ground.records import dataclass
from xde.ground.secrets import sounds_secret
from xde.kernel.project.secret_references import EXAMPLES, references
from xde.lifecycle.ingestion.port import Dialect
from xde.lifecycle.ingestion.treatments import WORD
from xde.lifecycle.sources.apis import SECRETS, UP, Carried, Manners, Paging, Request, Since
from xde.lifecycle.sources.tables import Place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.ground.findings import Findings
    from xde.ground.spans import Span
    from xde.kernel.project.contract import Property, SchemaObject, Server
    from xde.kernel.project.declarations import SourceDataset
    from xde.lifecycle.ingestion.port import Field
    from xde.lifecycle.sources.apis import Path
    from xde.lifecycle.sources.tables import Ask, Cursor

API = "api"
API_DIALECT = Dialect("ndjson", compression="none", nulls=())
_WORDS = {
    "requestsPerSecond": "a_second",
    "responseBytes": "response_bytes",
    "retries": "retries",
    "longestWait": "longest_wait",
    "timeout": "timeout",
    "connectTimeout": "connect_timeout",
}
_AUTH = {"bearer": ("token",), "basic": ("user", "password"), "key": ("value",), "oauth2": ("tokenUrl", "clientId", "clientSecret")}
_LOCAL = re.compile(r"http://(localhost|127\.[0-9.]+|\[::1\])([:/]|\Z)")


@dataclass(frozen=True, slots=True)
class Family:
    """An object of a contract with those it is within: `chain` begins with the object that has the requests and ends with this one.

    `fields` are those of the first; `tells` says that members which the contract does not know are told.
    """

    chain: tuple[SchemaObject, ...]
    shared: bool
    fields: tuple[Field, ...] = ()
    tells: bool = False

    @property
    def root(self) -> SchemaObject:
        """The object that has the requests."""
        return self.chain[0]

    @property
    def ways(self) -> tuple[Path, ...]:
        """The way from a record of each to the list of the next within it."""
        return tuple(steps(str(request_of(o).get("records") or o.name)) for o in self.chain[1:])


def family_of(dataset: SourceDataset, findings: Findings) -> Family:
    """The parents of a dataset, from its contract."""
    by_name = {o.name: o for o in dataset.contract.schema}
    chain = [dataset.object]
    while (parent := request_of(chain[0]).get("parent")) is not None:
        at = chain[0].custom["request"].span
        found = by_name.get(str(parent))
        if found is None or found in chain:
            told = f"`{chain[0].name}` is within `{parent}`, which " + ("this contract does not have" if found is None else "is within it")
            hint = did_you_mean(str(parent), by_name) or "name the object of this contract whose records hold the list"
            findings.add(Finding("XDE0458", told, at, "no such parent", hint=hint))
            break
        chain.insert(0, found)
    children = {str(request_of(o).get("parent")) for o in dataset.contract.schema}
    return Family(tuple(chain), len(chain) > 1 or chain[0].name in children)


def paths_of(fields: Sequence[Field]) -> tuple[Field, ...]:
    """The fields with their paths in a record: `customer.city` is a member of a member; `../id` is a value of the parent's record."""
    return tuple(f if f.source_name.startswith(UP) else replace(f, path=steps(f.source_name)) for f in fields)


def api_ask(ask: Ask, dataset: SourceDataset, server: Server, family: Family, findings: Findings) -> Ask:
    """What is asked, with the request in it."""
    words, root = request_of(dataset.object), request_of(family.root)
    api = _custom(server, "api")
    paging = _paging(dataset, {**_part(api, "pages"), **_part(root, "pages")}, findings)
    if len(family.chain) > 1:
        _check_child(dataset, words, findings)
    request = Request(
        f"{dataset.name.rpartition('.')[0]}.{family.root.name}",
        family.root.physical_name or f"/{family.root.name}",
        str(root.get("method", "POST" if "body" in root else "GET")),
        tuple((n, _text(v)) for n, v in _part(root, "query").items()),
        tuple((n, _text(v)) for n, v in _part(root, "headers").items()),
        json.dumps(root["body"], ensure_ascii=False) if "body" in root else None,
        _records(root),
        family.ways,
        tuple(carried_of(p) for p in dataset.object.properties if (p.physical_name or "").startswith(UP)),
        paging,
        _since(dataset, root, ask.cursor, findings),
        Manners(**{_WORDS[w]: cast("Any", v) for w, v in _part(api, "limits").items() if w in _WORDS}),
        _cursor_paths(ask.cursor, family.fields),
        ask.cursor is not None and not ask.merges,
        family.shared,
        known_of(dataset),
        family.tells,
        _personal(dataset, family.root),
    )
    _check_open(dataset.object, root, findings)
    if paging.kind in {"page", "offset", "cursor"} and request.method == "GET" and any(n == paging.parameter for n, _ in request.query):
        told = f"`{paging.parameter}` of `{dataset.name}` is said by its pages, and in its query too"
        findings.add(Finding("XDE0443", told, _at(family.root), "twice", hint="leave it out of `query`"))
    return replace(ask, place=_place(server, api, findings), relation=request.path, request=request)


def request_of(of: SchemaObject) -> dict[str, Any]:
    """The words of its `xdeRequest`."""
    said = of.custom.get("request")
    return said.value if said is not None and isinstance(said.value, dict) else {}


def _custom(server: Server, name: str) -> dict[str, Any]:
    said = server.custom.get(name)
    return said.value if said is not None and isinstance(said.value, dict) else {}


def _part(words: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = words.get(name)
    return found if isinstance(found, dict) else {}


def _at(of: SchemaObject) -> Span | None:
    return of.custom["request"].span if "request" in of.custom else of.span


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _records(words: Mapping[str, Any]) -> Path | None:
    said = words.get("records")
    return None if said is None else steps(str(said))


def carried_of(of: Property) -> Carried:
    """The value of a record further up that a property such as `../id` takes."""
    name = of.physical_name or ""
    up = (len(name) - len(name.lstrip("./"))) // len(UP)
    return Carried(name, up, steps(name[up * len(UP) :]))


def _top(of: Property) -> str:
    name = of.physical_name or of.name
    return name if name.startswith(UP) else (steps(name) or (name,))[0]


def known_of(dataset: SourceDataset) -> tuple[str, ...]:
    """The members that a property takes, or a list within is made of."""
    lists = (
        steps(str(w.get("records") or o.name)) for o in dataset.contract.schema if (w := request_of(o)).get("parent") == dataset.object.name
    )
    return (*(_top(p) for p in dataset.object.properties), *(path[0] for path in lists if path))


def _paging(dataset: SourceDataset, words: Mapping[str, Any], findings: Findings) -> Paging:
    kind = str(words.get("kind", "none"))
    size = _part(words, "size")
    found = Paging(
        kind,
        str(words.get("parameter", {"page": "page", "offset": "offset", "cursor": "cursor"}.get(kind, ""))),
        steps(str(words.get("at", ""))),
        steps(str(words.get("record", ""))),
        int(words.get("first", 0 if kind == "offset" else 1)),
        str(size.get("parameter", "")),
        int(size["value"]) if "value" in size else None,
        steps(str(words.get("total", ""))),
        steps(str(words.get("pages", ""))),
        steps(str(words.get("more", ""))),
        words.get("short") is True,
        words.get("newestFirst") is True,
        int(words.get("most", Paging().most)),
    )
    told = hint = ""
    if kind == "next" and not found.at:
        told, hint = "nothing says where a page holds the link to the next", "write the way to it, such as `at: links.next`"
    elif kind == "cursor" and bool(found.at) is bool(found.record):
        told = "nothing says where a page holds its cursor" if not found.at else "its cursor is in two places"
        hint = "write `at: meta.next` for a member of the page, or `record: id` for one of its last record"
    elif found.short and not found.size:
        told, hint = "nobody can tell a short page without its size", "add `size: {parameter: limit, value: 100}`"
    if told:
        findings.add(Finding("XDE0443", f"the pages of `{dataset.name}`: {told}", _at(dataset.object), kind, hint=hint))
    return found


def _since(dataset: SourceDataset, words: Mapping[str, Any], cursor: Cursor | None, findings: Findings) -> Since | None:
    said = _part(words, "since")
    if not said:
        return None
    if cursor is None and "incrementalCursor" not in dataset.object.custom and not request_of(dataset.object).get("parent"):
        why = "what is asked for next time is what the cursor of the last load says"
        hint = "add `xdeIncrementalCursor: {property: updated_at}`"
        findings.add(Finding("XDE0443", f"`{dataset.name}` has `since` but no cursor", _at(dataset.object), "since what?", why, hint))
    start = said.get("start")
    return Since(str(said.get("parameter", "")), None if start is None else _text(start), said.get("format"))


def _cursor_paths(cursor: Cursor | None, fields: Sequence[Field]) -> tuple[tuple[Path, str], ...]:
    if cursor is None:
        return ()
    by_source = {f.source_name: f for f in fields}
    return tuple((steps(c), _kind(by_source[c])) for c in cursor.columns)


def _kind(of: Field) -> str:
    """Whether values are compared as times (with the format in which they are written), as numbers or as texts."""
    said = of.type.upper()
    if said.startswith(("DATE", "TIME")):
        return f"time:{of.format.replace('%-', '%').replace('%g', '%f')}" if of.format else "time"
    return "number" if re.match(r".*INT|DECIMAL|NUMERIC|DOUBLE|FLOAT|REAL", said) else "text"


def _check_child(dataset: SourceDataset, words: Mapping[str, Any], findings: Findings) -> None:
    own = [w for w in words if w not in {"parent", "records"}]
    if own:
        why = "its records come with those of its parent, from the same requests"
        told = f"`{dataset.name}` is within `{words['parent']}`, and cannot say `{own[0]}`"
        findings.add(Finding("XDE0443", told, _at(dataset.object), own[0], why, f"say it of `{words['parent']}`"))


def _place(server: Server, api: Mapping[str, Any], findings: Findings) -> Place:
    """The address with all that opens the door; texts may be references, which are looked up when it is opened."""
    location = str(server.settings.get("location", ""))
    settings = {"location": location}
    auth = _part(api, "auth")
    settings |= {n: _text(v) for n, v in auth.items() if n != "kind"}
    if auth:
        settings["auth"] = str(auth.get("kind"))
    if "caFile" in api:
        settings["caFile"] = str(api["caFile"])
    for part in ("headers", "query"):
        settings |= {f"{part}:{n}": _text(v) for n, v in _part(api, part).items()}
    _check_auth(server, auth, findings)
    hidden = [n for n in settings if n in SECRETS or (":" in n and sounds_secret(n.partition(":")[2]))]
    for name in hidden:
        if settings[name] and not references(settings[name]):
            _open(name.partition(":")[2] or name, server.custom["api"].span, findings)
    if not re.match(r"https?://[^/@?#\s]+(/[^@?#\s]*)?\Z", location) and not references(location):
        hint = "write it like `https://api.example.com/v2`; what comes after `?` is `query` of `xdeApi`"
        findings.add(Finding("XDE0443", f"`{_without_user(location)}` is no address of an API", server.span, "location", hint=hint))
    elif (auth or hidden) and any(a.startswith("http://") and not _LOCAL.match(a) for a in (location, settings.get("tokenUrl", ""))):
        why = "whoever is between here and there can read along"
        told = f"the secrets of the server `{server.name}` are sent without encryption"
        findings.add(Finding("XDE0444", told, server.span, "http", why, "write `https://`", Severity.WARNING))
    return Place(API, settings, server.span)


def _check_auth(server: Server, auth: Mapping[str, Any], findings: Findings) -> None:
    kind = str(auth.get("kind", ""))
    missing = next((w for w in _AUTH.get(kind, ()) if w not in auth), None)
    if kind == "key" and missing is None and ("header" in auth) is ("parameter" in auth):
        missing = "header` or `parameter"
    if missing is not None:
        told = f"the `auth` of the server `{server.name}` has no `{missing}`"
        hint = f"add `{missing}`: a secret is a reference, {EXAMPLES}"
        findings.add(Finding("XDE0443", told, server.custom["api"].span, kind, hint=hint))


def _without_user(location: str) -> str:
    return re.sub(r"//[^/@]*@", "//***@", location.partition("?")[0])


def _check_open(of: SchemaObject, words: Mapping[str, Any], findings: Findings) -> None:
    """What an object says of its requests is no place for secrets: those of the server open the door for all."""
    for part in ("headers", "query"):
        for name, value in _part(words, part).items():
            if sounds_secret(name) or references(_text(value)):
                _open(name, _at(of), findings)


def _open(name: str, at: Span | None, findings: Findings) -> None:
    why = "whoever may read the contract could use it, and it is kept with every deployment"
    hint = f"say it in `auth` (or `headers`) of the server's `xdeApi`, as a reference: {EXAMPLES}"
    findings.add(Finding("XDE0444", f"`{name}` is a secret that stands in the open", at, "readable", why, hint))


def _personal(dataset: SourceDataset, root: SchemaObject) -> tuple[tuple[tuple[Path, ...], Path], ...]:
    """Every value that may show a person, of all objects that have the same requests: they are in the same cassette."""
    found: list[tuple[tuple[Path, ...], Path]] = []
    by_name = {o.name: o for o in dataset.contract.schema}
    for each in by_name.values():
        inner: list[Path] = []
        at = each
        while at is not root and (parent := by_name.get(str(request_of(at).get("parent")))) is not None and len(inner) < len(by_name):
            inner.insert(0, steps(str(request_of(at).get("records") or at.name)))
            at = parent
        if at is root:
            named = (p.physical_name or p.name for p in each.properties if p.personal or WORD in p.custom)
            found += [(tuple(inner), steps(n)) for n in named if not n.startswith(UP)]
    return tuple(found)
