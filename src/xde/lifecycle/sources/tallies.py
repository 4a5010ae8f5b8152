"""Sets of records told from one another without keeping them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

_ALL = 1 << 128


@dataclass(slots=True)
class Tally:
    """A set of records as a number of them and one digest, whatever their order (the sum of the digests of each)."""

    count: int = 0
    sum: int = 0

    def add(self, record: int) -> None:
        """Take one in."""
        self.count += 1
        self.sum = (self.sum + record) % _ALL

    def __str__(self) -> str:
        return f"{self.count}:{self.sum:032x}"


def record_digest(raw: str) -> int:
    """The digest of a record as a number."""
    return int.from_bytes(hashlib.blake2b(raw.encode("utf-8", "surrogatepass"), digest_size=16).digest())
