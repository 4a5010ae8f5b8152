"""The bytes of a delivered file: opened whatever it is packed in, made readable, its lines counted."""

from __future__ import annotations

import codecs
import gzip
import io
import uuid
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from xde.connectors.duckdb.ingestion.splitting import Splitting, records
from xde.ground.errors import UserError
from xde.ground.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.lifecycle.ingestion.port import Dialect
    from xde.lifecycle.sources.port import FoundFile

CUT = (EOFError, gzip.BadGzipFile, zlib.error, OSError)
PIECE = 1 << 20
LARGE = 16_000_000  # bytes: the engine has looked through a smaller file, or counted its lines, before NumPy has started


@dataclass(frozen=True, slots=True)
class Content:
    """What the reader opens for a file: UTF-8 with one kind of line ends, packed or not; the file itself wherever that will do.

    `own` says that it is the file's own bytes, so that an offset in it is one in the file; `encoding` is theirs. `line_end` is
    empty where the reader must find it, for it takes only one of a single character from us.
    A last line without an end counts among `lines`. `bare` says that no byte of it quotes, escapes or comments: a line is what it reads.
    """

    file: FoundFile
    path: str
    packed: str
    lines: int = 0
    own: bool = True
    encoding: str = "utf-8"
    line_end: str = r"\n"
    bare: bool = False

    def open(self) -> IO[bytes]:
        """The unpacked bytes."""
        return _opened(self.path, self.packed)

    def verbatim(self, raw: bytes) -> bytes:
        """A record's bytes as they were delivered."""
        return raw if self.encoding == "utf-8" else raw.decode("utf-8").encode(self.encoding)


def compression(file: FoundFile, dialect: Dialect) -> str:
    """How a file is packed: as the contract says, or by its ending."""
    if dialect.compression != "auto":
        return dialect.compression
    endings = {".gz": "gzip", ".zst": "zstd"}
    return endings.get(Path(file.path).suffix.lower(), "none")


def open_bytes(file: FoundFile, dialect: Dialect) -> IO[bytes]:
    """The unpacked bytes of a file."""
    return _opened(file.location, compression(file, dialect))


def _opened(path: str, packed: str) -> IO[bytes]:
    match packed:
        case "gzip":
            return cast("IO[bytes]", gzip.open(path, "rb"))
        case "zstd":
            import pyarrow as pa

            return cast("IO[bytes]", io.BufferedReader(pa.input_stream(path, compression="zstd")))
        case _:
            return Path(path).open("rb")


def content(file: FoundFile, dialect: Dialect, scratch: Path, splitting: Splitting) -> Content:
    """What the reader can open. A file that is cut, or not in the encoding that the contract says, raises `UserError`."""
    given = _in_utf8(file, dialect, scratch)
    ends = _LineEnds.of(given, splitting.marks)
    bare = not ends.marked and ends.cr in {0, ends.lf} and ends.cr == ends.crlf
    line_end = r"\n"
    if ends.crlf and (ends.crlf < ends.lf or splitting.blanks):  # the reader passes over a blank line that ends with both
        given = _with_one_end(given, scratch, splitting)
    elif ends.crlf:
        line_end = ""
    elif ends.cr and not ends.lf:
        given = _with_new_ends(given, scratch)
        ends = _LineEnds.of(given)
    return replace(given, lines=ends.lines, line_end=line_end, bare=bare)


def encoding_of(dialect: Dialect) -> str:
    """The encoding by the name that Python has for it."""
    try:
        return codecs.lookup(dialect.encoding).name
    except LookupError as error:
        raise UserError(
            Finding(
                "XDE0402", f"there is no encoding `{dialect.encoding}`", hint="write one that Python knows, such as `utf-8` or `latin-1`"
            )
        ) from error


def not_in_encoding(file: FoundFile, dialect: Dialect, error: Exception) -> UserError:
    """A file whose bytes are not text in the encoding of its contract."""
    return UserError(
        Finding(
            "XDE0403",
            f"`{file.path}` is not in `{dialect.encoding}`",
            why=str(error),
            hint="write the file's encoding as `encoding` of its `xdeDialect`",
        )
    )


def broken(file: FoundFile, error: Exception) -> UserError:
    """A file that cannot be unpacked to its end."""
    return UserError(
        Finding(
            "XDE0404",
            f"`{file.path}` cannot be read to its end",
            why=str(error) or type(error).__name__,
            hint="it may still be on its way: deliver it under another name and rename it when it is whole",
        )
    )


def _in_utf8(file: FoundFile, dialect: Dialect, scratch: Path) -> Content:
    encoding = encoding_of(dialect)
    packed = compression(file, dialect)
    if encoding in {"utf-8", "utf-8-sig", "ascii"}:
        return Content(file, file.location, packed)
    target = scratch / uuid.uuid4().hex
    try:
        with _opened(file.location, packed) as stream:
            encoding = _with_its_order(encoding, stream.read(2))
        with _opened(file.location, packed) as stream, target.open("wb") as out:
            decoded = codecs.getreader(encoding)(stream)
            while piece := decoded.read(PIECE):
                out.write(piece.encode())
    except UnicodeError as error:
        raise not_in_encoding(file, dialect, error) from error
    except CUT as error:
        raise broken(file, error) from error
    return Content(file, str(target), "none", own=False, encoding=encoding)


def _with_its_order(encoding: str, first: bytes) -> str:
    """UTF-16 with its byte order, so that a record can be written as it stood; the mark at the start stays text, as it is in UTF-8."""
    if encoding != "utf-16":
        return encoding
    return {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}.get(first, "utf-16")


@dataclass(slots=True)
class _LineEnds:
    """How many line ends of each kind a file has, how many lines that makes, and whether one of some marks stands in it."""

    lf: int = 0
    crlf: int = 0
    cr: int = 0
    lines: int = 0
    marked: bool = False

    @classmethod
    def of(cls, given: Content, marks: Sequence[bytes] = ()) -> _LineEnds:
        found, last = cls(), b"\n"
        count = _line_feeds if given.file.size >= LARGE else _few_line_feeds
        try:
            with given.open() as stream:
                while piece := stream.read(PIECE):
                    found.lf += count(piece)
                    if b"\r" in piece:
                        found.cr += piece.count(b"\r")
                        found.crlf += piece.count(b"\r\n")
                    found.crlf += last == b"\r" and piece[:1] == b"\n"
                    found.marked = found.marked or any(m in piece for m in marks)
                    last = piece[-1:]
        except CUT as error:
            raise broken(given.file, error) from error
        found.lines = found.lf + (last != b"\n")
        return found


def _few_line_feeds(piece: bytes) -> int:
    return piece.count(b"\n")


def _line_feeds(piece: bytes) -> int:
    """As `bytes.count`, which stops at each of them: where there are millions that is most of the time."""
    import numpy as np

    return int(np.count_nonzero(np.frombuffer(piece, np.uint8) == ord("\n")))


def _with_one_end(given: Content, scratch: Path, splitting: Splitting) -> Content:
    """A file of both kinds of line ends, as the reader can read it; a line end within quotes is a value and stays as it is."""
    target = scratch / uuid.uuid4().hex
    every = replace(splitting, blanks=True, comment=b"")
    with given.open() as stream, target.open("wb") as out:
        for record in records(stream, every, {}):
            out.write(record.raw + b"\n")
    return replace(given, path=str(target), packed="none", own=False)


def _with_new_ends(given: Content, scratch: Path) -> Content:
    target = scratch / uuid.uuid4().hex
    with given.open() as stream, target.open("wb") as out:
        while piece := stream.read(PIECE):
            out.write(piece.replace(b"\r", b"\n"))
    return replace(given, path=str(target), packed="none", own=False)
