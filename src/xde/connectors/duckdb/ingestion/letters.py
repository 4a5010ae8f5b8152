"""Dead letters as Parquet files."""

from __future__ import annotations

import uuid
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from xde.lifecycle.ingestion.port import Letter, LetterReason

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa


def write_letters(letters: Sequence[Letter], folder: str) -> str:
    """One file of letters, written aside and then put in place; gives its name."""
    import pyarrow.parquet as pq

    table = _table(letters)
    name = f"{uuid.uuid4().hex}.parquet"
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    aside = target / f".{name}"
    pq.write_table(table, aside, compression="zstd")
    aside.replace(target / name)
    return name


def _table(letters: Sequence[Letter]) -> pa.Table:
    """Column by column: a dictionary for each letter would take most of the time of a load with many."""
    import pyarrow as pa

    text, number = pa.string(), pa.int64()
    reasons = [r for x in letters for r in x.reasons]
    parts = [[r.rule for r in reasons], [r.column for r in reasons], [r.message for r in reasons]]
    told = pa.StructArray.from_arrays([pa.array(part, text) for part in parts], ["rule", "column", "message"])
    ends = list(accumulate((len(x.reasons) for x in letters), initial=0))
    headers = list(dict.fromkeys(x.header for x in letters))
    numbers = {header: n for n, header in enumerate(headers)}
    columns = {
        "id": pa.array([x.id for x in letters], text),
        "dataset": pa.array([x.dataset for x in letters], text),
        "file": pa.array([x.file for x in letters], text),
        "file_digest": pa.array([x.file_digest for x in letters], text),
        "line": pa.array([x.line for x in letters], number),
        "offset": pa.array([x.offset for x in letters], number),
        "raw": pa.array([x.raw for x in letters], pa.binary()),
        "reasons": pa.ListArray.from_arrays(pa.array(ends, pa.int32()), told),
        "run": pa.array([x.run for x in letters], text),
        "at": pa.array([x.at for x in letters], text),
        "header": pa.array([list(h) for h in headers], pa.list_(text)).take(pa.array([numbers[x.header] for x in letters], pa.int32())),
    }
    return pa.table(columns)


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
