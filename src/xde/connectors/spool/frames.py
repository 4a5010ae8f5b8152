"""Frames: how what was taken in of one request stands in a journal, and how a journal that a crash has torn is read.

A frame is a line `xde1 CRC DURABLE HEADER DATA`, a header of JSON in one line, and lines of records. CRC is that of all that follows it;
DURABLE is the length of the journal that was known to be on the disk when the frame was written, HEADER and DATA are lengths in bytes.
So a frame that is broken tells whether it was ever answered for: not when no whole frame after it says that more was on the disk.
"""

from __future__ import annotations

import json
import re
import zlib
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from xde.lifecycle.ingestion.push import Entry

_FIRST = re.compile(rb"xde1 ([0-9a-f]{8}) ([0-9]{1,15}) ([0-9]{1,9}) ([0-9]{1,10})\n")
_MARK = b"xde1 "
_LONGEST_FIRST = 60


@dataclass(frozen=True, slots=True)
class Frame:
    """A whole frame: where its records stand in the journal, and what its header says."""

    start: int
    data: int
    end: int
    durable: int
    rows: int
    at: float
    key: str
    body: str
    answer: bytes


def written(entry: Entry, at: float, durable: int) -> bytes:
    """An entry as a frame. `at` is in seconds since 1970, `durable` how much of the journal is on the disk."""
    header: dict[str, object] = {"at": at, "rows": entry.rows}
    if entry.key:
        header |= {"key": entry.key, "body": entry.body, "answer": entry.answer.decode()}
    told = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    rest = b"%d %d %d\n%b%b" % (durable, len(told), len(entry.lines), told, entry.lines)
    return b"xde1 %08x %b" % (zlib.crc32(rest), rest)


def whole(path: Path) -> tuple[list[Frame], int]:
    """The frames of a journal, and where the last whole one ends. Raises `UserError` where one that was answered for is broken."""
    frames: list[Frame] = []
    size = path.stat().st_size
    with path.open("rb") as stream:
        at = 0
        while at < size and (frame := _frame(stream, at)) is not None:
            frames.append(frame)
            at = frame.end
        if at < size:
            _nothing_lost(stream, path, at, size)
    return frames, at


def _frame(stream: BinaryIO, at: int) -> Frame | None:
    stream.seek(at)
    first = stream.readline(_LONGEST_FIRST)
    found = _FIRST.fullmatch(first)
    if found is None:
        return None
    lengths = int(found[3]), int(found[4])
    told = stream.read(lengths[0])
    data = stream.read(lengths[1])
    if len(told) != lengths[0] or len(data) != lengths[1]:
        return None
    if zlib.crc32(data, zlib.crc32(told, zlib.crc32(first[len(_MARK) + 9 :]))) != int(found[1], 16):
        return None
    header = json.loads(told)
    start = at + len(first) + lengths[0]
    answer = str(header.get("answer", "")).encode()
    key, body = str(header.get("key", "")), str(header.get("body", ""))
    return Frame(at, start, start + lengths[1], int(found[2]), int(header["rows"]), float(header["at"]), key, body, answer)


def _nothing_lost(stream: BinaryIO, path: Path, broken: int, size: int) -> None:
    """Raise where a whole frame stands after the broken place and says that this place was on the disk."""
    stream.seek(broken + 1)
    rest = stream.read(size - broken)
    for match in re.finditer(_MARK, rest):
        frame = _frame(stream, broken + 1 + match.start())
        if frame is not None and frame.durable > broken:
            raise damaged(path, broken)


def damaged(path: Path, at: int) -> UserError:
    """The complaint about a journal that has lost what was answered for."""
    why = "records were taken in and answered for there, and what is in the file now is not what was written"
    hint = "put the file back from a copy; or move it out of the folder, and ask those who pushed to send again"
    return UserError(Finding("XDE0468", f"`{path}` is damaged at byte {at:,}", why=why, hint=hint))


def copied(path: Path, frames: list[Frame]) -> Iterator[bytes]:
    """The records of frames, as lines."""
    with path.open("rb") as stream:
        for frame in frames:
            stream.seek(frame.data)
            yield stream.read(frame.end - frame.data)
