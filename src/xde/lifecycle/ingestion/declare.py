"""How a source is read, from the words of its contract."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from xde.ground.findings import Finding, Findings
from xde.ground.names import did_you_mean
from xde.ground.records import dataclass
from xde.kernel.project.contract import Custom
from xde.lifecycle.ingestion.at_the_door import landing_fields
from xde.lifecycle.ingestion.declare_apis import API, API_DIALECT, api_ask, family_of, paths_of
from xde.lifecycle.ingestion.declare_extracts import extract_ask
from xde.lifecycle.ingestion.declare_readers import check_reader
from xde.lifecycle.ingestion.declare_servers import server_of
from xde.lifecycle.ingestion.declare_stores import root_of, store_of
from xde.lifecycle.ingestion.declare_streams import BROKERS, DEVICES, EVENT_DIALECT, device_push, stream_ask, stream_mode
from xde.lifecycle.ingestion.declare_tables import TABLE_DIALECT, ask_of, kind_of, no_log, write_mode
from xde.lifecycle.ingestion.patterns import is_iso, strptime
from xde.lifecycle.ingestion.port import Dialect, Field, LetterLimit, SchemaChange
from xde.lifecycle.ingestion.push import is_push, push_of
from xde.lifecycle.ingestion.snapshots import by_comparison, comparison_of
from xde.lifecycle.ingestion.treatments import Way, check_treatments, is_private, treatment_of
from xde.lifecycle.sources.apis import UP
from xde.lifecycle.sources.extracts import KIND as DLT
from xde.lifecycle.sources.tables import AskedColumn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.kernel.project.contract import Property, Server
    from xde.kernel.project.declarations import SourceDataset
    from xde.lifecycle.ingestion.push import Push
    from xde.lifecycle.ingestion.snapshots import Comparison
    from xde.lifecycle.sources.tables import Ask, Place

FORMATS = ("csv", "json", "ndjson", "parquet", "excel", "fixed_width")
WORDS = {
    "delimiter": "delimiter",
    "quote": "quote",
    "escape": "escape",
    "header": "header",
    "skip": "skip",
    "encoding": "encoding",
    "compression": "compression",
    "trim": "trim",
    "comment": "comment",
    "decimal": "decimal",
    "sheet": "sheet",
    "recordsAt": "records_at",
    "maxRecordBytes": "max_record_bytes",
}
TYPES = {"string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE", "time": "TIME", "blob": "BLOB"}


@dataclass(frozen=True, slots=True)
class Reading:
    """How one source dataset is read: where its files are, in what dialect, as which fields, and how they join the table."""

    dataset: str
    root: str
    pattern: str
    dialect: Dialect
    fields: tuple[Field, ...]
    schema_change: SchemaChange
    limit: LetterLimit
    write_mode: str
    key: tuple[str, ...]
    version: str | None = None  # the column that says which of two records of a key is the newer
    ask: Ask | None = None  # what is asked of a database, where it is no files that are read
    push: Push | None = None  # where it is no delivered files that are read but what is pushed
    store: Place | None = None  # where its files are objects of a store, and `root` their address
    private: bool = False  # whether some of what is read may lie on no disk
    compared: Comparison | None = None  # where it is captured by comparison: how
    clear: tuple[Field, ...] = ()  # the fields of records as they are pushed, where `fields` are those of what is kept of them

    @property
    def as_they_come(self) -> tuple[Field, ...]:
        """The fields with their in-flight steps."""
        return self.clear or self.fields

    @property
    def place(self) -> str:
        """Folder and pattern as they are shown."""
        return f"{self.root.rstrip('/')}/{self.pattern}" if self.root != "." else self.pattern

    def on_disk(self) -> Reading:
        """The same of files in the project's folder, as the cases of a test deliver them."""
        return self if self.store is None else replace(self, store=None, root="objects")

    def meaning(self) -> object:
        """All that decides which rows there are and what stands in them: a change of it makes another version."""
        spoken = {n: v for n, v in asdict(self.dialect).items() if n not in {"quoted_nulls", "packed", "treated"}}
        fields = [{n: v for n, v in asdict(f).items() if (n not in {"path", "treatment"} or v) and n != "also"} for f in self.as_they_come]
        how: list[object] = [spoken, fields, self.write_mode, list(self.key), self.schema_change.missing_column]
        if self.version is not None and self.write_mode == "merge":
            how.append(self.version)
        if self.compared is not None:
            how.append(["comparison", list(self.compared.key)])
        if self.ask is not None:
            how.append([self.ask.place.kind, self.ask.relation, self.ask.query, list(self.ask.cursor.columns) if self.ask.cursor else []])
            how += ["capture"] if self.ask.capture is not None else []
        if self.ask is not None and self.ask.request is not None:
            how.append(self.ask.request.meaning())
        if self.ask is not None and self.ask.stream is not None:
            how.append(self.ask.stream.meaning())
        if self.ask is not None and self.ask.extract is not None:
            how.append(self.ask.extract.meaning())
        return how


def declare(dataset: SourceDataset) -> tuple[Reading | None, Findings]:
    """The reading of a dataset, or None and what stops it; that its contract says only what a contract can say was seen to before."""
    findings = Findings()
    reading = _declared(dataset, findings)
    if reading is not None and is_private(dataset, shared=True):
        way = Way(reading.fields, reading.ask, reading.schema_change.new_column, reading.version)
        check_treatments(dataset, way, findings)
        if is_private(dataset, shared=reading.ask is not None and reading.ask.request is not None):
            ask = replace(reading.ask, private=True) if reading.ask is not None else None
            reading = _at_the_door(replace(reading, private=True, ask=ask))
    return (None if findings.errors else reading), findings


def _at_the_door(reading: Reading) -> Reading:
    """What is pushed is treated before it is written down: what is loaded has nothing left to be done."""
    if reading.push is None:
        return reading
    dialect = replace(reading.dialect, treated=True)
    return replace(reading, dialect=dialect, clear=reading.fields, fields=landing_fields(reading.fields))


def _declared(dataset: SourceDataset, findings: Findings) -> Reading | None:
    given = dataset.object.custom
    server = server_of(dataset, findings)
    if server is None:
        return None
    kind = kind_of(server)
    check_reader(dataset, server, kind, findings)
    compared_by = by_comparison(given)
    if kind in {API, DEVICES, *BROKERS} or is_push(server) or (kind is None and not compared_by) or (kind == DLT and compared_by):
        no_log(dataset, server, findings)
    if kind is not None:
        ways = {API: _of_api, DLT: _of_extract, **dict.fromkeys((DEVICES, *BROKERS), _of_stream)}
        return ways.get(kind, _of_table)(dataset, server, kind, findings)
    push = push_of(dataset, server, findings) if is_push(server) else None
    dialect = _dialect(server, "csv" if push is None else "ndjson", given.get("dialect"), findings)
    if push is not None and (dialect.format != "ndjson" or dialect.encoding != "utf-8" or dialect.skip):
        hint = "leave `format`, `encoding` and `skip` out: what is pushed may be JSON, NDJSON, CSV or Arrow, and is kept as lines of JSON"
        message = f"`{dataset.name}` is pushed to, and cannot be read as `{dialect.format}`, `{dialect.encoding}`"
        findings.add(Finding("XDE0464", message, server.span, "lines of JSON", hint=hint))
    fields = tuple(_field(p, dialect, findings) for p in dataset.object.properties)
    version = _version(dataset, fields, findings)
    store = store_of(server, findings)
    mode = write_mode(given) if by_comparison(given) else str(_value(given, "writeMode", "append"))
    compared = comparison_of(dataset, fields, mode, findings)
    if findings.errors:
        return None
    pattern = dataset.object.physical_name or dataset.object.name
    return Reading(
        dataset.name,
        root_of(server, store) if push is None else push.spool,
        pattern if push is None else "segments/*/*.ndjson",
        dialect,
        fields,
        _changes(given) if push is None else _bearable(_changes(given)),
        letter_limit(given),
        mode,
        dataset.object.key,
        version if compared is None else None,
        push=push,
        store=store,
        compared=compared,
    )


def _of_table(dataset: SourceDataset, server: Server, kind: str, findings: Findings) -> Reading | None:
    given, dialect = dataset.object.custom, TABLE_DIALECT
    fields = tuple(_field(p, dialect, findings) for p in dataset.object.properties)
    ask = ask_of(dataset, server, kind, fields, _changes(given), findings)
    mode = write_mode(given)
    compared = comparison_of(dataset, fields, mode, findings)
    if findings.errors:
        return None
    version = ask.cursor.columns[0] if ask.cursor is not None and mode == "merge" else None
    named = next((f.name for f in fields if f.source_name == version), None)
    return Reading(
        dataset.name,
        ".",
        ask.relation,
        dialect,
        fields,
        _changes(given),
        letter_limit(given),
        mode,
        dataset.object.key,
        named,
        ask,
        compared=compared,
    )


def _of_stream(dataset: SourceDataset, server: Server, kind: str, findings: Findings) -> Reading | None:
    """One event with a new member must not keep those behind it from being loaded: it becomes a letter, unless the contract says else."""
    given = dataset.object.custom
    fields = paths_of(tuple(_field(p, EVENT_DIALECT, findings) for p in dataset.object.properties))
    push = device_push(dataset, server, fields, findings) if kind == DEVICES else None
    ask = stream_ask(dataset, server, kind, fields, findings) if push is None else None
    version = _version(dataset, fields, findings)
    if findings.errors:
        return None
    change, limit, mode, key = _bearable(_changes(given)), letter_limit(given), stream_mode(given), dataset.object.key
    root, pattern = (".", "*.ndjson") if push is None else (push.spool, "segments/*/*.ndjson")
    return Reading(dataset.name, root, pattern, EVENT_DIALECT, fields, change, limit, mode, key, version, ask, push)


def _of_api(dataset: SourceDataset, server: Server, kind: str, findings: Findings) -> Reading | None:
    """New members are left out and told, unless the contract says more; a child is read as its first parent is, unless it says else."""
    family, given = family_of(dataset, findings), dataset.object.custom
    if findings.errors:
        return None
    root = replace(dataset, name=f"{dataset.name.rpartition('.')[0]}.{family.root.name}", object=family.root)
    mode = write_mode({n: c for o in (family.root, dataset.object) for n, c in o.custom.items()})
    asked = replace(root, object=replace(family.root, custom=_said(family.root.custom, given, mode)))
    fields = paths_of(tuple(_field(p, API_DIALECT, findings) for p in dataset.object.properties))
    own = fields if root.name == dataset.name else tuple(_field(p, API_DIALECT, Findings()) for p in family.root.properties)
    change = _changes(given) if "schemaChange" in given else SchemaChange("discard")
    ask = ask_of(asked, server, kind, own, change, findings)
    if mode == "merge" and not dataset.object.key:
        hint = "add `primaryKey: true` to its key, or say `xdeWriteMode: replace`"
        findings.add(Finding("XDE0443", f"`{dataset.name}` is merged but has no primary key", dataset.object.span, "by what?", "", hint))
    columns = tuple(AskedColumn(f.source_name, f.type) for f in fields)
    ask = api_ask(replace(ask, columns=columns), dataset, server, replace(family, fields=own, tells="schemaChange" not in given), findings)
    if findings.errors:
        return None
    up = UP * (len(family.chain) - 1)
    version = f"{up}{ask.cursor.columns[0]}" if ask.cursor is not None and mode == "merge" else None
    named = next((f.name for f in fields if f.source_name == version), None)
    ask = replace(ask, dataset=dataset.name, span=dataset.object.span)
    return Reading(dataset.name, ".", "*.ndjson", API_DIALECT, fields, change, letter_limit(given), mode, dataset.object.key, named, ask)


def _of_extract(dataset: SourceDataset, server: Server, kind: str, findings: Findings) -> Reading | None:
    """As records of an API are; a child is read as its first parent is, unless it says else."""
    del kind
    family, given = family_of(dataset, findings), dataset.object.custom
    if findings.errors:
        return None
    mode = write_mode({n: c for o in (family.root, dataset.object) for n, c in o.custom.items()})
    fields = paths_of(tuple(_field(p, API_DIALECT, findings) for p in dataset.object.properties))
    change = _changes(given) if "schemaChange" in given else SchemaChange("discard")
    family = replace(family, fields=fields, tells="schemaChange" not in given)
    ask = extract_ask(dataset, server, family, mode, change, findings)
    version = _version(dataset, fields, findings) if mode == "merge" else None
    if findings.errors:
        return None
    key, limit = dataset.object.key, letter_limit(given)
    return Reading(dataset.name, ".", "*.ndjson", API_DIALECT, fields, change, limit, mode, key, version, ask)


def _said(root: Mapping[str, Custom], own: Mapping[str, Custom], mode: str) -> dict[str, Custom]:
    """The words of an object, as the one within it is read: by the first's cursor, and in its own mode."""
    limits = {n: c for n, c in own.items() if n == "limits"}
    return {**root, **limits, "writeMode": replace(own.get("writeMode") or root.get("writeMode") or Custom(mode), value=mode)}


def _bearable(change: SchemaChange) -> SchemaChange:
    """The policy for what was taken in already: one record with a new member must not keep a whole segment from being loaded."""
    return SchemaChange("quarantine" if change.new_column == "freeze" else change.new_column, change.missing_column)


def _version(dataset: SourceDataset, fields: tuple[Field, ...], findings: Findings) -> str | None:
    given = dataset.object.custom
    words = _value(given, "incrementalCursor", {})
    name = words.get("property") if isinstance(words, dict) else None
    if name is None:
        return None
    names = [f.name for f in fields]
    if isinstance(name, list):
        told = f"the cursor of `{dataset.name}` has several columns: {', '.join(f'`{n}`' for n in name)}"
        why = "of two records of a key in files, one column says which is the newer"
        findings.add(Finding("XDE0439", told, given["incrementalCursor"].span, "one column", why, "name the one that says it"))
    elif str(name) not in names:
        findings.add(
            Finding(
                "XDE0439",
                f"the cursor of `{dataset.name}` is not one of its columns: `{name}`",
                given["incrementalCursor"].span,
                "no such column",
                hint=did_you_mean(str(name), names) or "name a column of the contract as its `property`",
            )
        )
    return str(name[0] if isinstance(name, list) and name else name)


def column_type(of: Property) -> str:
    """The engine's type of a property: `physicalType` as written, else what its `logicalType` is stored as."""
    if of.physical_type:
        return of.physical_type
    match of.logical_type:
        case "timestamp":
            return "TIMESTAMP WITH TIME ZONE" if of.options.get("timezone") is True else "TIMESTAMP"
        case "array":
            return (column_type(of.items) if of.items else "VARCHAR") + "[]"
        case "object":
            parts = ", ".join(f'"{p.name}" {column_type(p)}' for p in of.properties)
            return f"STRUCT({parts})" if parts else "VARCHAR"
        case "map":
            return "MAP(VARCHAR, VARCHAR)"
        case _:
            return TYPES.get(of.logical_type or "string", "VARCHAR")


def _dialect(server: Server, usual: str, custom: Custom | None, findings: Findings) -> Dialect:
    words = custom.value if custom and isinstance(custom.value, dict) else {}
    form = str(words.get("format", server.settings.get("format", usual)))
    if form not in FORMATS:
        findings.add(
            Finding(
                "XDE0410",
                f"there is no format `{form}`",
                custom.span if custom is not None and "format" in words else server.span,
                hint=did_you_mean(form, FORMATS) or "one of " + ", ".join(FORMATS),
            )
        )
    chosen: dict[str, object] = {"format": form}
    for word, value in words.items():
        if word in WORDS:
            chosen[WORDS[word]] = value
        elif word == "nullWords":
            chosen["nulls"] = ("", *(str(v) for v in value))
    if form == "csv" and "escape" not in chosen:
        chosen["escape"] = chosen.get("quote", '"')
    return Dialect(**chosen)  # type: ignore[arg-type]  # the words were read by the contract's own reader


def _field(of: Property, dialect: Dialect, findings: Findings) -> Field:
    nulls = _value(of.custom, "nullWords", ())
    position = _value(of.custom, "position", None)
    start_length = None
    if isinstance(position, dict):
        start_length = (int(str(position.get("start", 1))) - 1, int(str(position.get("length", 1))))
    elif dialect.format == "fixed_width":
        findings.add(
            Finding(
                "XDE0437",
                f"`{of.name}` has no place in a file of fixed width",
                of.span,
                "no position",
                hint="add `xdePosition: {start: 1, length: 10}` to its `customProperties`",
            )
        )
    kind = column_type(of)
    pattern = of.options.get("format")
    timed = kind.upper().startswith(("DATE", "TIME"))
    form = strptime(str(pattern)) if pattern and timed and not is_iso(str(pattern)) else None
    if pattern and timed and form is None and not is_iso(str(pattern)):
        findings.add(
            Finding(
                "XDE0438",
                f"the date pattern of `{of.name}` cannot be understood: `{pattern}`",
                of.span,
                "unknown pattern",
                hint="write the letters of the JDK, such as `dd.MM.yyyy HH:mm`, and words of its own in single quotes",
            )
        )
    words = tuple(str(n) for n in nulls) if isinstance(nulls, (list, tuple)) else ()
    if dialect.format in {"ndjson", "json", "excel", "fixed_width"}:
        words = tuple(dict.fromkeys([*words, *(n for n in dialect.nulls if n)]))
    treatment = treatment_of(of, kind, findings)
    named = _value(of.custom, "alsoNamed", ())
    also = tuple(str(n) for n in named) if isinstance(named, (list, tuple)) else ()
    return Field(of.name, of.physical_name or of.name, kind, form, words, start_length, of.required, treatment=treatment, also=also)


def _changes(given: Mapping[str, Custom]) -> SchemaChange:
    words = _value(given, "schemaChange", {})
    return (
        SchemaChange(str(words.get("newColumn", "freeze")), str(words.get("missingColumn", "freeze")))
        if isinstance(words, dict)
        else SchemaChange()
    )


def letter_limit(given: Mapping[str, Custom]) -> LetterLimit:
    """How many dead letters the custom properties of a contract's object allow."""
    words = _value(given, "deadLetter", {})
    if not isinstance(words, dict):
        return LetterLimit()
    if words.get("mode") == "stop":
        return LetterLimit(records=0)
    percent, records = words.get("maxRejectedPercent"), words.get("maxRejected")
    return LetterLimit(float(percent) if percent is not None else None, int(records) if records is not None else None)


def _value(given: Mapping[str, Custom], name: str, default: object) -> object:
    return given[name].value if name in given else default
