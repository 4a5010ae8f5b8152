"""Dead letters as Parquet files."""

from __future__ import annotations

import uuid
from array import array
from itertools import accumulate, chain
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from xde.lifecycle.ingestion.port import Letter, LetterReason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

PIECE = 1 << 28  # bytes


def write_letters(letters: Sequence[Letter], folder: str) -> str:
    """One file of letters, written aside and then put in place; gives its name."""
    import pyarrow.parquet as pq

    name = f"{uuid.uuid4().hex}.parquet"
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    aside = target / f".{name}"
    tables = map(_table, _pieces(letters))
    first = next(tables)
    with pq.ParquetWriter(aside, first.schema, compression="zstd") as out:
        out.write_table(first)
        for table in tables:
            out.write_table(table)
    aside.replace(target / name)
    return name


def _pieces(letters: Sequence[Letter]) -> Iterator[list[Letter]]:
    """Some at a time: Arrow counts the bytes of a column in 32 bits, and all letters need not be there twice."""
    piece: list[Letter] = []
    size = 0
    widths = {header: sum(map(len, header)) for header in {x.header for x in letters}}
    for letter in letters:
        size += len(letter.raw) + widths[letter.header]
        if piece and size > PIECE:
            yield piece
            piece, size = [], len(letter.raw)
        piece.append(letter)
    yield piece


def _table(letters: Sequence[Letter]) -> pa.Table:
    """Column by column: a dictionary for each letter would take most of the time of a load with many."""
    import pyarrow as pa

    reasons = [r for x in letters for r in x.reasons]
    parts = [_texts([r.rule for r in reasons]), _texts([r.column for r in reasons]), _texts([r.message for r in reasons])]
    headers = [x.header for x in letters]
    encoded = {header: [name.encode() for name in header] for header in set(headers)}  # nearly all have that of their file
    names = list(chain.from_iterable(encoded[header] for header in headers))
    told = pa.StructArray.from_arrays(parts, ["rule", "column", "message"])
    columns = {
        "id": _texts([x.id for x in letters]),
        "dataset": _texts([x.dataset for x in letters]),
        "file": _texts([x.file for x in letters]),
        "file_digest": _texts([x.file_digest for x in letters]),
        "line": _numbers([x.line for x in letters]),
        "offset": _numbers([x.offset for x in letters]),
        "raw": _texts([x.raw for x in letters], pa.binary()),
        "reasons": pa.ListArray.from_arrays(_numbers(_ends([x.reasons for x in letters]), "i"), told),
        "run": _texts([x.run for x in letters]),
        "at": _texts([x.at for x in letters]),
        "header": pa.ListArray.from_arrays(_numbers(_ends(headers), "i"), _texts(names)),
    }
    if any(x.redacted for x in letters):  # of one load all are, or none
        columns["redacted"] = pa.array([x.redacted for x in letters], pa.bool_())
    return pa.table(columns)


def _texts(values: Sequence[str | bytes | None], kind: pa.DataType | None = None) -> pa.Array:
    """From its buffers: `pyarrow.array` loads pandas wherever that is installed, which takes longer than all letters of a load."""
    import pyarrow as pa

    encoded = _encoded(values)
    ends = array("i", accumulate(map(len, encoded), initial=0))
    buffers = [_there(values), pa.py_buffer(ends.tobytes()), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(kind or pa.string(), len(values), buffers)


def _encoded(values: Sequence[str | bytes | None]) -> Sequence[bytes]:
    if len(set(values)) == 1:  # as the dataset and the run of letters are
        values = [values[0].encode() if isinstance(values[0], str) else values[0]] * len(values)
    return [v if isinstance(v, bytes) else (v or "").encode() for v in values]


def _numbers(values: Sequence[int | None], code: Literal["i", "q"] = "q") -> pa.Array:
    """Of 32 bits (`i`) or of 64 (`q`)."""
    import pyarrow as pa

    content = array(code, (v or 0 for v in values))
    return pa.Array.from_buffers(pa.int32() if code == "i" else pa.int64(), len(values), [_there(values), pa.py_buffer(content.tobytes())])


def _there(values: Sequence[object]) -> pa.Buffer | None:
    """Arrow's bitmap of which values are there, lowest bit first; none where all are."""
    import pyarrow as pa

    if None not in values:
        return None
    bits = bytearray((len(values) + 7) // 8)
    for n, value in enumerate(values):
        bits[n >> 3] |= (value is not None) << (n & 7)
    return pa.py_buffer(bytes(bits))


def _ends(lists: Sequence[Sequence[object]]) -> list[int]:
    return list(accumulate(map(len, lists), initial=0))


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
                    bool(row.get("redacted")),
                )
            )
    return found
