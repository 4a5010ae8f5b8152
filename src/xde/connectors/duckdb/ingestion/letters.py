"""Dead letters as Parquet files."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from xde.lifecycle.ingestion.port import Letter, LetterReason

if TYPE_CHECKING:
    from collections.abc import Sequence


def write_letters(letters: Sequence[Letter], folder: str) -> str:
    """One file of letters, written aside and then put in place; gives its name."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    reason = pa.struct([("rule", pa.string()), ("column", pa.string()), ("message", pa.string())])
    schema = pa.schema(
        [
            ("id", pa.string()),
            ("dataset", pa.string()),
            ("file", pa.string()),
            ("file_digest", pa.string()),
            ("line", pa.int64()),
            ("offset", pa.int64()),
            ("raw", pa.binary()),
            ("reasons", pa.list_(reason)),
            ("run", pa.string()),
            ("at", pa.string()),
            ("header", pa.list_(pa.string())),
        ]
    )
    rows = [
        {
            "id": x.id,
            "dataset": x.dataset,
            "file": x.file,
            "file_digest": x.file_digest,
            "line": x.line,
            "offset": x.offset,
            "raw": x.raw,
            "reasons": [{"rule": r.rule, "column": r.column, "message": r.message} for r in x.reasons],
            "run": x.run,
            "at": x.at,
            "header": list(x.header),
        }
        for x in letters
    ]
    name = f"{uuid.uuid4().hex}.parquet"
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    aside = target / f".{name}"
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), aside, compression="zstd")
    aside.replace(target / name)
    return name


def read_letters(paths: Sequence[str]) -> list[Letter]:
    """The letters of some files, in their order."""
    import pyarrow.parquet as pq

    found: list[Letter] = []
    for path in paths:
        for row in pq.read_table(path).to_pylist():
            reasons = tuple(LetterReason(r["rule"], r["column"], r["message"]) for r in row["reasons"])
            found.append(
                Letter(
                    row["id"],
                    row["dataset"],
                    row["file"],
                    row["file_digest"],
                    row["line"],
                    row["raw"],
                    reasons,
                    row["run"],
                    row["at"],
                    row["offset"],
                    tuple(row.get("header") or ()),
                )
            )
    return found
