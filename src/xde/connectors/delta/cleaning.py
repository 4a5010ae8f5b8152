"""What lies in a table's folder and is of no use to anybody: orphans of crashes, files that only old snapshots need."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.connectors.delta.stores import LOG
from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from xde.connectors.delta.log import Told
    from xde.connectors.delta.stores import Stored

WRITER_HOURS = 1.0  # a file this young may belong to a writer that has not committed yet, however little is to be kept
STAGED = re.compile(r"#\d+\Z")


@dataclass(frozen=True, slots=True)
class Uses:
    """What is known of the use of files: those of the newest snapshot, what the log says, and from when on (seconds) all is kept."""

    live: Collection[str]
    told: Told
    kept_since: float
    written_since: float


def uses(live: Collection[str], told: Told, now: float, keep_hours: float) -> Uses:
    """With `now` in seconds since 1970."""
    return Uses(live, told, now - keep_hours * 3600, now - max(keep_hours, WRITER_HOURS) * 3600)


def leftovers(stored: Iterable[Stored], known: Uses) -> list[Stored]:
    """The files that can be taken away; whatever we do not know the sense of stays."""
    return [f for f in stored if _left(f, known)]


def _left(file: Stored, known: Uses) -> bool:
    place, _, name = file.path.rpartition("/")
    orphan = file.changed < known.written_since
    if not place:
        return (name.startswith("_making_") and orphan) or (name.endswith(".parquet") and _data_left(file, known, orphan=orphan))
    if place == "_letters" and file.path in known.told.removed:
        return known.told.removed[file.path] < known.kept_since
    if place == "_letters":
        return orphan and known.told.whole and name not in known.told.letters | known.told.waiting
    if place == LOG:
        return orphan and STAGED.search(name) is not None
    return orphan and place.startswith("_making_")


def _data_left(file: Stored, known: Uses, *, orphan: bool) -> bool:
    if file.path in known.live:
        return False
    removed = known.told.removed.get(file.path)
    if removed is not None:
        return removed < known.kept_since
    return orphan
