"""What redacted letters do not hold is read again from the files that they came in, where those still are what they were."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.lifecycle.ingestion.from_tables import fetched
from xde.lifecycle.ingestion.port import FileToLoad

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.lifecycle.ingestion.port import Letter, LoadJob


def recovered(house: House, known: Understanding, job: LoadJob, letters: Sequence[Letter]) -> list[Letter]:
    """All letters whole, the redacted ones read again. Raises `UserError` where one of them cannot be."""
    wanted = [x for x in letters if x.redacted]
    if not wanted:
        return list(letters)
    found = {x.id: x for x in _read_again(house, known, job, wanted)}
    lost = [x for x in wanted if x.id not in found]
    if lost:
        raise UserError(_lost(lost))
    return [found.get(x.id, x) for x in letters]


def _read_again(house: House, known: Understanding, job: LoadJob, letters: Sequence[Letter]) -> Sequence[Letter]:
    reading = known.readings[job.dataset]
    if reading.ask is not None:
        return ()
    store = house.store(reading.store)
    digests: dict[str, set[str]] = {}
    for letter in letters:
        digests.setdefault(letter.file, set()).add(letter.file_digest)
    root = reading.root if "://" in reading.root else str((known.project.root / reading.root).resolve())
    listed = house.spooled.segments(root, {}) if reading.push is not None else store.list(root, reading.pattern)
    files = [FileToLoad(f, d) for f in listed for d in sorted(digests.get(f.path, ())) if store.digest(f, d) == d]
    if reading.store is None:
        return house.loader.recovered(replace(job, files=files), letters)
    with fetched(house.tables, reading.store, files, private=True) as given:
        return house.loader.recovered(replace(job, files=given.files), letters)


def _lost(lost: Sequence[Letter]) -> Finding:
    first = lost[0]
    more = f" (and {len(lost) - 1:,} more)" if len(lost) > 1 else ""
    return Finding(
        "XDE0343",
        f"the record of the dead letter `{first.id}`{more} is not kept, and cannot be read again",
        why=f"its source has in-flight steps, and `{first.file}` is no file that is still as it was",
        hint="give the record anew with `--file`, load the source again with `xde run --full`, or discard the letter",
    )


def refuse_in_the_clear(house: House, known: Understanding, files: Sequence[Path]) -> None:
    """Raise a finding for a file of a source with in-flight steps: to look into it would show, and write down, what nobody may see."""
    asked = {f.resolve() for f in files}
    for name, reading in known.readings.items():
        if reading.private and reading.ask is None and reading.push is None and reading.store is None:
            root = (known.project.root / reading.root).resolve()
            if root.is_dir() and not asked.isdisjoint(Path(f.location).resolve() for f in house.files.list(str(root), reading.pattern)):
                why = f"they are files of `{name}`, which has in-flight steps: clear values would be shown, and put on a disk meanwhile"
                hint = f"look at what is kept: `xde profile {name}`"
                raise UserError(Finding("XDE0342", "these files are not looked into", why=why, hint=hint))
