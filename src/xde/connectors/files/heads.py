"""The beginning of a file as text, and its encoding told from all of its bytes: for profiles and drafts, never while loading."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, cast

from xde.ground.errors import UserError
from xde.ground.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAD = 1 << 18
_PIECE = 1 << 20
_HOLES = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class Head:
    """What a file begins with. `longest` is its longest line in bytes; `certain` is False where another encoding would do as well."""

    text: str
    encoding: str
    certain: bool
    longest: int


def head_of(path: Path) -> Head:
    """Look at a file, packed or not. Raises `UserError` for one that is empty, no text, cut or not to be read."""
    try:
        with _opened(path) as stream:
            first = stream.read(HEAD)
            if not first.strip():
                raise UserError(Finding("XDE0372", f"`{path}` is empty", hint="have it delivered again, or name another file"))
            encoding = next((name for mark, name in _MARKS if first.startswith(mark)), None)
            if encoding is None and b"\0" in first:
                raise UserError(_no_text(path))
            longest, is_utf8, holes = _scanned(first, stream) if encoding != "utf-16" else (0, False, False)
    except PermissionError as error:
        raise UserError(Finding("XDE0373", f"`{path}` may not be read", hint="give the user who runs xde the right to read it")) from error
    except (OSError, EOFError, zlib.error) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UserError(Finding("XDE0373", f"`{path}` cannot be read to its end", why=why, hint="have it delivered again")) from error
    if encoding is None:
        encoding = "utf-8" if is_utf8 else "latin-1" if holes else "cp1252"
    elif encoding == "utf-8" and not is_utf8:
        raise UserError(_no_text(path))
    text = first.decode("utf-8-sig" if encoding == "utf-8" else encoding, errors="replace")
    return Head(text.replace("\r\n", "\n").replace("\r", "\n"), encoding, encoding not in {"cp1252", "latin-1"}, longest)


def _no_text(path: Path) -> Finding:
    return Finding(
        "XDE0374",
        f"`{path}` is no text in an encoding that can be told",
        why="it has bytes that no text has, or that do not keep to the mark it begins with",
        hint="give a CSV, JSON, Parquet or Excel file, in UTF-8 if it is text",
    )


def _opened(path: Path) -> IO[bytes]:
    match path.suffix.lower():
        case ".gz":
            return cast("IO[bytes]", gzip.open(path, "rb"))
        case ".zst":
            import pyarrow as pa

            return cast("IO[bytes]", io.BufferedReader(pa.input_stream(str(path), compression="zstd")))
        case _:
            return path.open("rb")


def _scanned(first: bytes, stream: IO[bytes]) -> tuple[int, bool, bool]:
    """The longest line, whether all is UTF-8, and whether a byte is no letter of Windows-1252."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    longest = line = 0
    valid, holes = True, False
    for piece in _pieces(first, stream):
        parts = piece.split(b"\n")
        line += len(parts[0])
        for part in parts[1:]:
            longest, line = max(longest, line), len(part)
        holes = holes or bool(_HOLES.search(piece))
        if valid:
            try:
                decoder.decode(piece)
            except UnicodeDecodeError:
                valid = False
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        valid = False
    return max(longest, line), valid, holes


def _pieces(first: bytes, stream: IO[bytes]) -> Iterator[bytes]:
    yield first
    while piece := stream.read(_PIECE):
        yield piece
