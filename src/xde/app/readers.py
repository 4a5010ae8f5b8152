"""Who reads datasets, counted: noted in a journal of the process's own, which costs a reader nothing, and counted into the ledger later."""

from __future__ import annotations

import json
import os
import uuid
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from xde.ground.crash import CrashPoint, crash_point
from xde.ground.digests import digest
from xde.ground.errors import TemporaryError
from xde.kernel.plan.costs import JournalPiece, Reads
from xde.kernel.run.owners import parse_owner, this_owner

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from xde.app.wiring import House

MANY = 50  # journals lying about: then a reader counts them himself, after he has what he wanted

_journals: dict[str, str] = {}  # the name of a process's journal, by the process: a fork has what its parent knew


def note_read(house: House, dataset: str, how: str) -> None:
    """Write down that a dataset was read. The line is whole or not there, and outlives us; where it cannot be written, nobody minds."""
    told = {"at": house.clock.now().isoformat(timespec="microseconds"), "environment": house.environment, "dataset": dataset, "how": how}
    text = json.dumps(told) + "\n"
    owner = str(this_owner())
    path = _folder(house) / f"{_journals.setdefault(owner, uuid.uuid4().hex[:16])}.jsonl"
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            text = json.dumps({"owner": owner}) + "\n" + text
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(file, text.encode())
        finally:
            os.close(file)
        crash_point(CrashPoint.READ_NOTED)


def count_if_many(house: House) -> None:
    """Keep the journals few where nothing is ever run; a busy ledger is left for another time."""
    with suppress(OSError, TemporaryError):
        if sum(1 for _ in _folder(house).iterdir()) > MANY:
            count_reads(house)


def count_reads(house: House) -> None:
    """Count what the journals say and was not counted yet, each read once, whoever else counts; take away those of the dead."""
    folder = _folder(house)
    with suppress(FileNotFoundError, NotADirectoryError):
        paths = sorted(p for p in folder.iterdir() if p.suffix == ".jsonl")
        if not paths:
            return
        known = house.ledger.journals()
        gone = [p.stem for p in paths if _count(house, p, known.get(p.stem, 0))]
        house.ledger.forget_journals(gone)


def _count(house: House, path: Path, start: int) -> bool:
    """Count one journal from a byte on; whether it is done with, and away."""
    try:
        dead = _is_dead(path)  # before it is read: what the dead wrote is all there
        content = path.read_bytes()
    except OSError:
        return False
    end = content.rfind(b"\n") + 1
    if end > start and not house.ledger.count_reads(_summed(content[start:end]), JournalPiece(path.stem, start, end)):
        return False
    crash_point(CrashPoint.READS_COUNTED)
    if dead:
        path.unlink(missing_ok=True)
    return dead


def _summed(lines: bytes) -> list[Reads]:
    times: Counter[tuple[str, str, str, str]] = Counter()
    last: dict[tuple[str, str, str, str], str] = {}
    for read in _told(lines):
        key = (read["environment"], read["dataset"], read["how"], read["at"][:10])
        times[key] += 1
        last[key] = max(last.get(key, ""), read["at"])
    return [Reads(*key, times=n, last=last[key]) for key, n in times.items()]


def _told(lines: bytes) -> Iterable[dict[str, str]]:
    for line in lines.splitlines():
        with suppress(ValueError):  # a line that a full disk cut short
            told = json.loads(line)
            if isinstance(told, dict) and all(isinstance(told.get(k), str) for k in ("at", "environment", "dataset", "how")):
                yield told


def _is_dead(path: Path) -> bool:
    """Whether nobody will write there any more."""
    with path.open("rb") as stream, suppress(ValueError, AttributeError):
        owner = parse_owner(str(json.loads(stream.readline()).get("owner", "")))
        return owner is not None and owner.is_dead
    return False


def _folder(house: House) -> Path:
    """The journals are apart by ledger: an environment may have one of its own."""
    return house.root / ".xde" / "reads" / digest(house.chosen_ledger)[:12]
