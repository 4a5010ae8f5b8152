"""The segments of a spool as deliveries: numbered files that never change; one that is missing between two others is told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.lifecycle.ingestion.at_the_door import Bound
from xde.lifecycle.ingestion.push import segment_path
from xde.lifecycle.sources.port import FoundFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SEGMENTS, NAME, STEPS = "segments", "name", "steps"
_TOGETHER = 1000  # in one folder


def segment_file(folder: Path, number: int) -> Path:
    """Where a segment is."""
    return folder / SEGMENTS / f"{number // _TOGETHER:09d}" / f"{number:012d}.ndjson"


def found_segments(folder: Path, after: int) -> Iterator[tuple[int, Path]]:
    """The segments that are there, in order of their numbers, beyond one of them."""
    top = folder / SEGMENTS
    for part in sorted(p for p in top.iterdir() if p.name.isdigit() and int(p.name) >= after // _TOGETHER) if top.is_dir() else ():
        for path in sorted(part.glob("*.ndjson")):
            if not path.name.startswith(".") and (number := int(path.stem)) > after:
                yield number, path


def bound(folder: Path) -> Bound:
    """How the records of a spool were treated."""
    try:
        return Bound.of((folder / STEPS).read_bytes())
    except FileNotFoundError:
        return Bound()


class SpoolFiles:
    """Looks at what spools have delivered; whether somebody writes to them meanwhile does not matter."""

    def bound(self, spool: str) -> Bound:
        """How the records of a spool were treated before they were written."""
        return bound(Path(spool))

    def segments(self, spool: str, landed: Mapping[str, int]) -> Sequence[FoundFile]:
        """The segments that are not landed, in order. Raises `UserError` where one before or between them is gone."""
        folder = Path(spool)
        try:
            name = (folder / NAME).read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return []
        last = int(landed.get(name, 0))
        found: list[FoundFile] = []
        for number, path in found_segments(folder, last):
            if number != last + 1 and (last or found):
                raise UserError(_gone(folder, last + 1, number - 1))
            told = path.stat()
            found.append(FoundFile(segment_path(name, number), str(path), told.st_size, told.st_mtime_ns))
            last = number
        return found


def _gone(folder: Path, first: int, last: int) -> Finding:
    which = f"segment {first} is" if first == last else f"segments {first} to {last} are"
    return Finding(
        "XDE0470",
        f"{which} missing from the spool `{folder}`",
        why="what was taken in is loaded in order, and nothing may be passed over",
        hint="put the files back from a copy of the folder `segments`",
    )
