"""Records of redacted letters, read again from the files that they came in; and errors of private loads without the engine's words."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb

from xde.connectors.duckdb.ingestion.csv_files import open_csv
from xde.connectors.duckdb.ingestion.delivered import content
from xde.connectors.duckdb.ingestion.documents import json_records, sheet_rows
from xde.connectors.duckdb.ingestion.line_files import EVERY_LINE
from xde.connectors.duckdb.ingestion.text_files import TextFile
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import literal
from xde.lifecycle.ingestion.port import SchemaChange

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence, Set
    from pathlib import Path

    from xde.lifecycle.ingestion.port import Letter, LoadJob
    from xde.lifecycle.sources.port import FoundFile

_SHOWS_CONTENT = {"XDE0414"}  # what is told of a file by the words of its reader, which quote it


def recovered(cursor: duckdb.DuckDBPyConnection, job: LoadJob, letters: Sequence[Letter], scratch: Path) -> list[Letter]:
    """The letters whose records are found, with them."""
    files = {(f.found.path, f.digest): f.found for f in job.files}
    lenient = replace(job, schema_change=SchemaChange("discard", "evolve"))
    found: list[Letter] = []
    for path, digest in dict.fromkeys((x.file, x.file_digest) for x in letters):
        its = [x for x in letters if (x.file, x.file_digest) == (path, digest)]
        if (file := files.get((path, digest))) is not None:
            records = _records(cursor, lenient, file, {x.line for x in its}, scratch)
            found += [replace(x, raw=records[x.line], redacted=False) for x in its if x.line in records]
    return found


def _records(cursor: duckdb.DuckDBPyConnection, job: LoadJob, found: FoundFile, lines: Set[int], scratch: Path) -> dict[int, bytes]:
    """Records by the line, row or number that their letters tell."""
    dialect = job.dialect
    match dialect.format:
        case "csv":
            return _of_text(open_csv(job, found, scratch).file, lines)
        case "ndjson" | "fixed_width":
            return _of_text(TextFile(content(found, dialect, scratch, EVERY_LINE), EVERY_LINE, dialect.skip, dialect.skip), lines)
        case "json":
            return {n: raw.encode() for n, raw in enumerate(json_records(found, dialect), 1) if n in lines}
        case "excel":
            header, rows = sheet_rows(found, dialect)
            return {n: json.dumps(dict(zip(header, r, strict=True)), ensure_ascii=False).encode() for n, r in rows if n in lines}
        case _:
            listed = ", ".join(str(n - 1) for n in lines)
            relation = f"read_parquet({literal(found.location)}, file_row_number = true)"
            plain = f"read_parquet({literal(found.location)})"
            whole = f"SELECT CAST(to_json(__row) AS VARCHAR), n.file_row_number FROM {plain} AS __row POSITIONAL JOIN {relation} AS n"
            query = f"{whole} WHERE n.file_row_number IN ({listed})"
            return {int(n) + 1: str(raw).encode() for raw, n in cursor.execute(query).fetchall()}


def _of_text(file: TextFile, lines: Set[int]) -> dict[int, bytes]:
    return {r.line: file.as_delivered(r).raw for r in file.every() if r.line in lines}


@contextmanager
def without_words(dataset: str) -> Iterator[None]:
    """What fails in here is told without the engine's own words: they may quote a value."""
    try:
        yield
    except duckdb.InterruptException:
        raise KeyboardInterrupt from None
    except duckdb.OutOfMemoryException:
        why = "a source with in-flight steps is loaded in memory alone: what does not fit may not be put on a disk"
        hint = "raise `memory_limit` under `engine:` in `xde.yaml`, or have the source delivered in smaller files"
        raise UserError(Finding("XDE0802", f"loading `{dataset}` needs more memory than the engine may use", why=why, hint=hint)) from None
    except duckdb.Error as error:
        why = f"it raised `{type(error).__name__}`, whose words are not shown: they may quote a value of a source with in-flight steps"
        hint = "try the rules that the contract writes in SQL on made-up values; use `TRY_CAST` where a cast can fail"
        raise UserError(Finding("XDE0339", f"loading `{dataset}` failed in the engine", why=why, hint=hint)) from None
    except UserError as error:
        if not any(f.code in _SHOWS_CONTENT for f in error.findings):
            raise
        raise UserError(*(replace(f, why="") for f in error.findings)) from None
