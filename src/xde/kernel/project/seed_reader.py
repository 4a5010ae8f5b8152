"""A seed: a CSV file under `models/` whose rows are part of the project, made into a query that gives them.

The query says the same whatever the order of the rows, of the columns and of the quotes in the file: the columns are those of the contract
in its order, each a list of texts; the rows are in order of their values. What a field means is the contract's business.
"""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from xde.ground.digests import bytes_digest
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean, listed, literal, quoted
from xde.ground.spans import Span
from xde.kernel.project.declarations import Kind, ModelDataset, ModelHead
from xde.kernel.project.yaml_reader import decoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.kernel.project.contract import Contract, SchemaObject

MOST_BYTES = 2_000_000
"""A larger file is no part of a project's text: every command would carry it about."""
_SHOWN = 10  # faults of one kind in one file


def read_seed(
    name: str, path: str, content: bytes, contract: Contract | None, table: SchemaObject | None
) -> tuple[ModelDataset | None, list[Finding]]:
    """The seed that a file holds, and what is wrong with it."""
    if len(content) > MOST_BYTES:
        return None, [_too_large(name, path, len(content))]
    if table is None or not table.properties:
        return None, [_untyped(name, path)]
    text, finding = decoded(content, path)
    if finding is not None:
        return None, [finding]
    columns = tuple(p.name for p in table.properties)
    found, findings = _records(text, path, {p.physical_name or p.name: p.name for p in table.properties})
    if findings:
        return None, findings
    rows = sorted(found, key=lambda r: [(v is None, v or "") for v in r[1]])
    sql = _query(columns, [values for _, values in rows])
    head = ModelHead(Kind.SEED, description=table.description, tags=table.tags)
    digest = bytes_digest(sql.encode(errors="surrogatepass"))
    lines = tuple(line for line, _ in rows)
    return ModelDataset(name, path, sql, 1, head, digest, contract, table, Span(path), lines=lines), []


def _records(text: str, path: str, names: dict[str, str]) -> tuple[list[tuple[int, list[str | None]]], list[Finding]]:
    """Each record's line and fields, in the contract's order; a field without anything in it is NULL."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, list[str | None]]] = []
    findings: list[Finding] = []
    try:
        header = next(reader, [])
        findings += _header_faults(header, path, names)
        places = [header.index(physical) for physical in names if physical in header]
        line = reader.line_num + 1
        for record in reader:
            if record and len(record) != len(header):
                why = f"it has {len(record)} fields, and the first line names {len(header)} columns"
                findings.append(_fault("XDE0289", "a record does not fit the columns", Span(path, line), why, "put commas within quotes"))
            elif record:
                rows.append((line, [record[p] or None for p in places]))
            line = reader.line_num + 1
    except csv.Error as error:
        why = f"it cannot be read as CSV: {error}"
        findings.append(
            _fault("XDE0289", "quotes do not match", Span(path, reader.line_num), why, "close the quotes; double one within them")
        )
    return rows, findings[:_SHOWN]


def _header_faults(header: Sequence[str], path: str, names: dict[str, str]) -> list[Finding]:
    place = Span(path, 1)
    found = []
    for column in header:
        if column not in names:
            hint = did_you_mean(column, set(names) - set(header)) or "add it to `properties` of the contract, or take it out of the file"
            found.append(_fault("XDE0289", f"the contract has no column `{column}`", place, "", hint))
    for column in names:
        if column not in header:
            hint = f"the first line names {listed([f'`{c}`' for c in header])}" if header else "write the names of the columns first"
            found.append(_fault("XDE0289", f"the column `{column}` of the contract is not in the file", place, "", hint))
    if len(set(header)) < len(header):
        found.append(_fault("XDE0289", "a column is named twice", place, "", "give each its own name"))
    return found


def _fault(code: str, message: str, place: Span, why: str, hint: str) -> Finding:
    return Finding(code, message, place, "here", why, hint)


def _query(columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> str:
    # one list a column, so that a column that comes to it changes what no other means
    fields = [
        f"from_json({literal(json.dumps([r[i] for r in rows], ensure_ascii=False))}, '[\"VARCHAR\"]')[i] AS {quoted(name)}"
        for i, name in enumerate(columns)
    ]
    return f"SELECT {', '.join(fields)} FROM (SELECT unnest(range(1, {len(rows) + 1})) AS i) AS xde_row"


def _too_large(name: str, path: str, size: int) -> Finding:
    return Finding(
        "XDE0290",
        f"the seed `{name}` has {size / 1e6:,.1f} MB, and a seed may have {MOST_BYTES / 1e6:.0f}",
        Span(path),
        "this file",
        "the rows of a seed are part of the project's text, which every command and every deployment carries",
        "load it: a contract under `sources/` with the file in its server's folder",
    )


def _untyped(name: str, path: str) -> Finding:
    stem = name.partition(".")[2]
    return Finding(
        "XDE0288",
        f"nobody says which columns the seed `{name}` has",
        Span(path),
        "this file",
        "a field is text until a contract says what it is",
        f"write `{path.rpartition('.')[0]}.yaml`, a contract with `schema: [{{name: {stem}, properties: [...]}}]`",
    )
