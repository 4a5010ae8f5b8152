"""What the process that reads is told, over a pipe, and where it tells how it went."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields

NO_ROOM = 74  # what the process ends with where it has no room on the disk to say so (EX_IOERR of sysexits.h)


@dataclass(frozen=True, slots=True)
class Job:
    """Queries of one table, read by some connections at once: each connection is set up by `before`.

    `columns` are names and kinds of what the queries give, without the last column, which is that of odd rows. `rows` is where the Parquet
    of the others goes, `odd` where the CSV of these, in which a missing value is `missing`. `address` has the password in it.
    """

    parent: int
    address: str = field(repr=False)
    before: list[str]
    queries: list[str]
    connections: int
    columns: list[tuple[str, str]]
    missing: str
    rows: str
    odd: str
    report: str

    def told(self) -> bytes:
        """As one line."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def heard(cls, line: bytes) -> Job:
        """From one line."""
        found = json.loads(line)
        return cls(**{f.name: found[f.name] for f in fields(cls)})
