"""A source of people with in-flight steps, in every form in which records come, and a search for their clear values wherever we write."""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import json
import sqlite3
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from xde.app.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from projects.apis import Api
    from projects.folder import Folder

KEY = "a key of sixteen bytes and more"
NAMES = ("id", "email", "phone", "born", "ssn", "pay", "city")
HEAD = """\
apiVersion: v3.1.0
kind: DataContract
id: crm
name: crm
version: 1.0.0
status: active
servers:
SERVER
schema:
  - name: people
    physicalName: PATTERN
CUSTOM
    properties:
      - {name: id, logicalType: integer, primaryKey: true, required: truePOS0}
      - name: email
        logicalType: string
        required: true
        logicalTypeOptions: {pattern: "[^@]+@[^@]+"}
        customProperties:
          - {property: xdeInFlight, value: {hash: {key: "${env:PII_KEY}", fold: true}}}POS1
      - name: phone
        logicalType: string
        customProperties:
          - {property: xdeInFlight, value: {mask: {keepLast: 2}}}POS2
      - name: born
        logicalType: date
        customProperties:
          - {property: xdeInFlight, value: {mask: {truncate: year}}}POS3
      - name: ssn
        logicalType: string
        logicalTypeOptions: {minLength: 11}
        customProperties:
          - {property: xdeInFlight, value: {drop: true}}POS4
      - name: pay
        logicalType: integer
        customProperties:
          - {property: xdeInFlight, value: {mask: {round: 1000}}}POS5
      - {name: city, logicalType: string, logicalTypeOptions: {maxLength: 12}POS6}
"""
LOCAL = "  - {server: local, type: local, path: data, format: FORMAT}"
GOOD = [(str(n), f"planted-{n}@clear.example", f"+41 79 555{n:04d}", f"19{n % 90 + 10}-03-{n % 27 + 1:02d}", f"756.{n:07d}", f"{n}81726", "Bern")
        for n in range(1, 40)]  # fmt: skip
BAD = [
    ("1001", "planted-1001@clear.example", "+41 79 5551001", "1977-03-39", "756.0001001", "77481726", "Bern"),  # no date
    ("1002", "planted-at-clear.example", "+41 79 5551002", "1977-03-09", "756.0001002", "77481726", "Bern"),  # the pattern
    ("1003", "planted-1003@clear.example", "+41 79 5551003", "1977-03-09", "756.1003", "77481726", "Bern"),  # the rule of what is dropped
    ("planted-1004@clear.example", "1004", "+41 79 5551004", "1977-03-09", "756.0001004", "77481726", "Bern"),  # two values changed places
    ("1005", "", "+41 79 5551005", "1977-03-09", "756.0001005", "77481726", "Bern"),  # nothing where there must be something
    ("1006", "planted-1006@clear.example", "+41 79 5551006", "1977-03-09", "756.0001006", "77481726", "planted-1006@clear.example"),
    ("7", "planted-1007@clear.example", "+41 79 5551007", "1977-03-09", "756.0001007", "77481726", "Bern"),  # a key that is there
]
CLEAR = ("planted", "clear.example", "+41 79 555", "756.0", "756.1", "7748172", "1977-03-", "19481726")


def contract(server: str, pattern: str = "x", custom: str = "", positions: Sequence[tuple[int, int]] = ()) -> str:
    """The contract of one server; `positions` are those of fixed width."""
    text = HEAD.replace("SERVER", server).replace("PATTERN", pattern).replace("CUSTOM\n", custom)
    for n in range(7):
        entry = f"{{property: xdePosition, value: {{start: {positions[n][0]}, length: {positions[n][1]}}}}}" if positions else ""
        within = f", customProperties: [{entry}]" if entry else ""
        text = text.replace(f"POS{n}", within if n in {0, 6} else f"\n          - {entry}" if entry else "")
    return text


def as_csv(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([NAMES, *rows])
    return out.getvalue().encode()


def records(rows: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    return [{k: v or None for k, v in zip(NAMES, r, strict=True)} for r in rows]


def as_parquet(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(records(rows)), out)
    return out.getvalue()


WIDTHS = (27, 27, 15, 10, 11, 8, 27)
STARTS = tuple((1 + sum(WIDTHS[:n]), w) for n, w in enumerate(WIDTHS))


def as_fixed(rows: Sequence[Sequence[str]]) -> bytes:
    return "".join("".join(v.ljust(w) for v, w in zip(r, WIDTHS, strict=True)) + "\n" for r in rows).encode()


def as_workbook(rows: Sequence[Sequence[str]]) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    for row in (NAMES, *rows):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


FORMS = {
    "csv": lambda rows: as_csv(rows) + b"1100,planted-1100@clear.example,+41 79 5551100\n",
    "latin-1": lambda rows: as_csv([*rows, ("50", "planted-50@clear.example", "", "", "", "", "Z\u00fcrich")]).decode().encode("latin-1"),
    "ndjson": lambda rows: "".join(json.dumps(r) + "\n" for r in records(rows)).encode() + b'{"id": 9, "email": "planted-9@clear.ex\n',
    "json": lambda rows: json.dumps(records(rows), indent=1).encode(),
    "parquet": as_parquet,
    "fixed_width": as_fixed,
    "excel": as_workbook,
}


def of_form(folder: Folder, form: str, rows: Sequence[Sequence[str]], name: str = "people-1.dat") -> None:
    """A project with a delivery of that form."""
    folder.write("xde.yaml", "name: p\n")
    (folder.root / "models").mkdir(exist_ok=True)
    kind = "csv" if form == "latin-1" else form
    custom = "    customProperties:\n      - {property: xdeDialect, value: {encoding: latin-1}}\n" if form == "latin-1" else ""
    positions = STARTS if form == "fixed_width" else ()
    folder.write("sources/crm.yaml", contract(LOCAL.replace("FORMAT", kind), "people-*.dat", custom, positions))
    folder.write(f"data/{name}", FORMS[form](rows))


def of_sqlite(folder: Folder, rows: Sequence[Sequence[str]]) -> None:
    """A project whose people are in a database."""
    folder.write("xde.yaml", "name: p\n")
    (folder.root / "models").mkdir(exist_ok=True)
    server = "  - {server: db, type: custom, database: data/crm.db, customProperties: [{property: xdeType, value: sqlite}]}"
    folder.write(
        "sources/crm.yaml", contract(server, "people", "    customProperties:\n      - {property: xdeWriteMode, value: replace}\n")
    )
    folder.write("data/x", "")
    with sqlite3.connect(folder.root / "data/crm.db") as db:
        db.execute(f"CREATE TABLE people ({', '.join(NAMES)})")
        db.executemany("INSERT INTO people VALUES (?, ?, ?, ?, ?, ?, ?)", [[v or None for v in r] for r in rows])
    db.close()


def of_duckdb(folder: Folder, rows: Sequence[Sequence[str]], query: str = "") -> None:
    """A project whose people are in a file of DuckDB."""
    folder.write("xde.yaml", "name: p\nretries: 0\n")
    (folder.root / "models").mkdir(exist_ok=True)
    server = "  - {server: db, type: duckdb, database: data/crm.duckdb, schema: main}"
    asked = f"      - {{property: xdeQuery, value: {json.dumps(query)}}}\n" if query else ""
    custom = f"    customProperties:\n      - {{property: xdeWriteMode, value: replace}}\n{asked}"
    folder.write("sources/crm.yaml", contract(server, "people", custom))
    folder.write("data/x", "")
    path = folder.root / "data/crm.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as db:
        db.execute(f"CREATE TABLE people ({', '.join(f'{n} VARCHAR' for n in NAMES)})")
        db.executemany("INSERT INTO people VALUES (?, ?, ?, ?, ?, ?, ?)", [[v or None for v in r] for r in rows])


def of_api(folder: Folder, api: Api, rows: Sequence[Sequence[str]], day: str = "") -> None:
    """A project that asks an API for people and, from the same answers, for their visits."""
    folder.write("xde.yaml", "name: p\nretries: 0\n")
    (folder.root / "models").mkdir(exist_ok=True)
    patience = "customProperties: [{property: xdeApi, value: {limits: {retries: 0}}}]"
    server = f"  - {{server: crm, type: api, location: {api.url}/v2, {patience}}}"
    request = "{records: data.items, pages: {kind: page, size: {parameter: limit, value: 10}, total: meta.total}}"
    custom = (
        f"    customProperties:\n      - {{property: xdeRequest, value: {request}}}\n      - {{property: xdeWriteMode, value: replace}}\n"
    )
    visits = """\
  - name: visits
    customProperties: [{property: xdeRequest, value: {parent: people, records: visits}}]
    properties:
      - {name: day, logicalType: date}
"""
    folder.write("sources/crm.yaml", contract(server, "people", custom) + visits)
    people = [{**r, "visits": [{"day": "2026-01-02"}, {"day": day or r["email"]}]} for r in records(rows)]
    api.pages_of("/v2/people", people, 10)


def written(*roots: Path) -> Iterator[tuple[str, str]]:
    """Every file that is ours below some folders, as text; Parquet is decoded, its footer too."""
    for root in roots:
        for path in sorted(p for p in root.rglob("*") if p.is_file()):
            if "data" in path.relative_to(root).parts[:1]:
                continue
            content = path.read_bytes()
            yield str(path), content.decode("utf-8", "replace") + content.decode("utf-16-le", "replace")
            if content[:4] == b"PAR1" and content[-4:] == b"PAR1" and len(content) >= 12:  # a kill may have left the first word of one
                yield str(path), "\n".join(_decoded(path))


def _decoded(path: Path) -> Iterator[str]:
    yield str(pq.read_metadata(path).to_dict())
    with duckdb.connect() as c:
        for row in c.execute(f"SELECT to_json(t) FROM read_parquet('{path}') AS t").fetchall():
            yield str(row[0])
        raw = c.execute(f"DESCRIBE SELECT * FROM read_parquet('{path}')").fetchall()
        if any(r[0] == "raw" for r in raw):
            for (blob,) in c.execute(f"SELECT raw FROM read_parquet('{path}')").fetchall():
                yield bytes(blob or b"").decode("utf-8", "replace")


def clear_values(texts: Mapping[str, str] | Iterator[tuple[str, str]]) -> list[tuple[str, str]]:
    """The clear values in some texts, and where."""
    pairs = texts.items() if hasattr(texts, "items") else texts
    return [(where, clear) for where, text in pairs for clear in CLEAR if clear in text]


def run(folder: Folder, **how: Any) -> list[Any]:
    with Workspace.open(folder.root) as workspace:
        return list(workspace.run(**how).outcomes)


def rows(folder: Folder) -> list[dict[str, Any]]:
    with Workspace.open(folder.root) as workspace:
        return sorted(workspace.show("crm.people", limit=None).read_all().to_pylist(), key=lambda r: r["id"])


def letters(folder: Folder) -> Sequence[Any]:
    with Workspace.open(folder.root) as workspace:
        return workspace.letters(status="open")


def hashed(value: str) -> str:
    return hmac.new(KEY.encode(), value.lower().strip().encode(), hashlib.sha256).hexdigest()
