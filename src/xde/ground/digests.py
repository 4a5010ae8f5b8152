"""Stable digests: of values (what a thing means) and of files (what was delivered)."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str).encode


def digest(*parts: object) -> str:
    """16 hexadecimal digits of BLAKE2b over the canonical JSON of `parts`; equal values give equal digests."""
    return hashlib.blake2b(_canonical(parts).encode(), digest_size=8).hexdigest()


def numbered_digests(*parts: object) -> Callable[[int], str]:
    """`digest(*parts, n)` for many numbers: what they have in common is written once."""
    common = hashlib.blake2b(_canonical(parts)[:-1].encode() + b",", digest_size=8)

    def of(number: int) -> str:
        state = common.copy()
        state.update(b"%d]" % number)
        return state.hexdigest()

    return of


def bytes_digest(content: bytes) -> str:
    """32 hexadecimal digits of BLAKE2b over raw bytes."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def file_digest(path: Path) -> str:
    """32 hexadecimal digits of BLAKE2b over a file's bytes, read in pieces of 1 MiB."""
    with path.open("rb") as stream:
        return pieces_digest(iter(lambda: stream.read(1 << 20), b""))


SHA256 = "sha256:"


def file_digest_like(path: Path, like: str) -> str:
    """The digest of a file's bytes in the form of another, so that the two can be compared: SHA-256, or where that one is so BLAKE2b.

    Most processors have instructions for the former, and take less than half of the time for it.
    """
    if like and not like.startswith(SHA256):
        return file_digest(path)
    with path.open("rb") as stream:
        return SHA256 + hashlib.file_digest(stream, "sha256").hexdigest()


def pieces_digest(pieces: Iterable[bytes]) -> str:
    """As `bytes_digest` of bytes that come in pieces."""
    state = hashlib.blake2b(digest_size=16)
    for piece in pieces:
        state.update(piece)
    return state.hexdigest()


def digest_if_there(path: str) -> str:
    """As `bytes_digest` of a small file; empty where it cannot be read."""
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - a Path costs more than the read
            return bytes_digest(stream.read())
    except OSError:
        return ""
