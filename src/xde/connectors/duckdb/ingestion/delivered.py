"""The bytes of a delivered file: opened whatever it is packed in, its lines counted, its records found again."""

from __future__ import annotations

import codecs
import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from xde.ground.errors import UserError
from xde.ground.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.lifecycle.ingestion.port import Dialect
    from xde.lifecycle.sources.port import FoundFile

NATIVE = {"utf-8", "utf8"}


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it stands in a file: its number and the physical line it begins on (from 1), where it begins, its bytes."""

    number: int
    line: int
    offset: int
    raw: bytes


def compression(file: FoundFile, dialect: Dialect) -> str:
    """How a file is packed: as the contract says, or by its ending."""
    if dialect.compression != "auto":
        return dialect.compression
    endings = {".gz": "gzip", ".zst": "zstd"}
    return endings.get(Path(file.path).suffix, "none")


def open_bytes(file: FoundFile, dialect: Dialect) -> IO[bytes]:
    """The unpacked bytes."""
    match compression(file, dialect):
        case "gzip":
            return cast("IO[bytes]", gzip.open(file.location, "rb"))
        case "zstd":
            import pyarrow as pa

            return cast("IO[bytes]", pa.input_stream(file.location, compression="zstd"))
        case _:
            return Path(file.location).open("rb")


def readable(file: FoundFile, dialect: Dialect, scratch: Path) -> str:
    """A path whose content is UTF-8, unpacked where that is needed to make it so. A file that is cut or not what it says raises `UserError`."""
    try:
        encoding = codecs.lookup(dialect.encoding).name
    except LookupError as error:
        raise UserError(Finding("XDE0402", f"there is no encoding `{dialect.encoding}`", hint="write one that Python knows, such as `utf-8` or `latin-1`")) from error
    if encoding in NATIVE:
        return file.location
    target = scratch / f"utf8-{abs(hash(file.location))}"
    with open_bytes(file, dialect) as stream, target.open("w", encoding="utf-8", newline="") as out:
        decoded = codecs.getreader(encoding)(stream)
        try:
            while piece := decoded.read(1 << 20):
                out.write(piece)
        except UnicodeDecodeError as error:
            raise UserError(
                Finding("XDE0403", f"`{file.path}` is not in `{dialect.encoding}`", why=str(error), hint="write the file's encoding as `encoding` of its `xdeDialect`")
            ) from error
    return str(target)


def count_lines(file: FoundFile, dialect: Dialect) -> int:
    """Physical lines; a last one without an end counts. A broken archive raises `UserError`."""
    lines, last = 0, b"\n"
    try:
        with open_bytes(file, dialect) as stream:
            while piece := stream.read(1 << 20):
                lines += piece.count(b"\n")
                last = piece[-1:]
    except (EOFError, gzip.BadGzipFile, zlib.error, OSError) as error:
        raise broken(file, error) from error
    return lines + (last != b"\n")


def broken(file: FoundFile, error: Exception) -> UserError:
    """A file that cannot be unpacked to its end."""
    return UserError(
        Finding("XDE0404", f"`{file.path}` cannot be read to its end", why=str(error) or type(error).__name__, hint="it may still be on its way: deliver it under another name and rename it when it is whole")
    )


def records(stream: IO[bytes], dialect: Dialect, rejected: dict[int, int]) -> Iterator[Record]:
    """The records of a CSV file, blank lines left out: a line ends a record unless a quote is open.

    `rejected` gives the lengths of records that the reader refused, by their offset: their quotes may be wrong, so they end
    where the reader said.
    """
    quote = dialect.quote.encode()
    number, line, offset, held, begun_line, begun = 0, 0, 0, b"", 1, 0
    for text in stream:
        line += 1
        if not held:
            begun_line, begun = line, offset
        held += text
        offset += len(text)
        if begun in rejected:
            if len(held.rstrip(b"\r\n")) < rejected[begun]:
                continue
        elif quote and held.count(quote) % 2:
            continue
        if held.strip(b"\r\n"):
            number += 1
            yield Record(number, begun_line, begun, held.rstrip(b"\r\n"))
        held = b""
    if held:
        yield Record(number + 1, begun_line, begun, held)
