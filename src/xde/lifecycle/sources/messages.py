"""Messages of brokers and devices as lines of a file: JSON as it came, and what cannot stand in a line packed, so that none is lost.

A message is bytes. One that is text without a control character stands as it is, whether or not it is JSON: what is none becomes a dead
letter, verbatim. One of several lines that is JSON is put on one line. Everything else is written in base64 behind a mark that no JSON
begins with; the loader makes a letter of it, and takes it out of its packing again.
"""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MARK = b"\x02"
_BOM = b"\xef\xbb\xbf"
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def line_of(body: bytes, told: Mapping[str, object] | None = None) -> bytes:
    """A message as a line, without its end. `told` become members of a JSON object, before its own; of other messages nothing is told."""
    if told and (record := _record(body)) is not None:
        inner = _one_line(body).strip()[1:]
        before = json.dumps(told, ensure_ascii=False).encode("utf-8", "surrogatepass")[:-1]
        return before + (b", " if record else b"") + inner
    if _stands(body):
        return body
    if b"\n" in body or b"\r" in body:
        joined = _one_line(body)
        if _stands(joined) and _record(body) is not None:
            return joined
    return MARK + b64encode(body)


def unpacked(line: bytes) -> bytes:
    """The message that a line is."""
    if not line.startswith(MARK):
        return line
    try:
        return b64decode(line[1:], validate=True)
    except binascii.Error:
        return line


def plain_text(value: bytes | None) -> str | None:
    r"""Bytes as text; those that are none as `\xNN`."""
    return value.decode("utf-8", "backslashreplace") if value is not None else None


def headers_of(pairs: Iterable[tuple[str, bytes | None]]) -> dict[str, str | None]:
    """Headers as an object; of several of a name the last."""
    return {n: plain_text(v) for n, v in pairs}


def moment(milliseconds: float) -> str:
    """Milliseconds since 1970 in ISO 8601."""
    return (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _stands(body: bytes) -> bool:
    if _CONTROL.search(body) or body.startswith(_BOM) or not body.strip():
        return False
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _one_line(body: bytes) -> bytes:
    return body.replace(b"\r", b" ").replace(b"\n", b" ")


def _record(body: bytes) -> dict[str, object] | None:
    if body.startswith(_BOM):  # the reader would not see it at the beginning of a file, and elsewhere take it for a character
        return None
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
