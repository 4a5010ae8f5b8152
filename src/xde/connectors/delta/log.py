"""A table's log, read as it stands: facts, marks and what each commit brought and took (Delta protocol, "Actions")."""

from __future__ import annotations

import json
from dataclasses import field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from xde.connectors.delta.stores import entry
from xde.ground.records import dataclass
from xde.lifecycle.storage.port import CommitRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xde.connectors.delta.stores import Store

FACTS, MARK = "xde", "xdeCommit"


@dataclass(slots=True)
class Entry:
    """One commit: its own word of itself, the files it brought (with their rows) and those it took."""

    info: dict[str, Any] = field(default_factory=dict)
    added: dict[str, int] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """When it was made, in seconds since 1970."""
        return int(self.info.get("timestamp", 0)) / 1000

    @property
    def facts(self) -> Mapping[str, object]:
        """What it knows; nothing when another tool made it."""
        try:
            told = json.loads(self.info.get(FACTS, "{}"))
        except (TypeError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}


def read_entry(store: Store, folder: str, number: int) -> Entry | None:
    """A commit by its number; None when the log does not have it."""
    text = store.read(folder, entry(number))
    if text is None:
        return None
    found = Entry()
    for line in text.splitlines():
        match json.loads(line):
            case {"commitInfo": info}:
                found.info = info
            case {"add": add}:
                found.added[unquote(add["path"])] = _rows(add.get("stats"))
            case {"remove": remove}:
                found.removed.append(unquote(remove["path"]))
    return found


def record(number: int, told: Entry) -> CommitRecord:
    """A commit for a history."""
    at = datetime.fromtimestamp(told.seconds, UTC).isoformat(timespec="milliseconds")
    return CommitRecord(number, at, told.facts, sum(told.added.values()), len(told.added), len(told.removed))


def placed(store: Store, folder: str, mark: str, first: int) -> int | None:
    """Where a commit with our mark stands, at `first` or after it; None when it does not stand in the log."""
    number = first
    while (found := read_entry(store, folder, number)) is not None:
        if found.info.get(MARK) == mark:
            return number
        number += 1
    return None


@dataclass(slots=True)
class Told:
    """What a whole log says of files: when each that is gone was taken (seconds), and the dead letter files that facts name.

    So are those of rows that wait for their windows to close, of which the newest commit alone says what there is.
    Letters that a later commit has replaced are among those that are gone, by their paths.

    `whole` is False when another tool has cut the log: then what it does not name may still have been named once.
    """

    removed: dict[str, float] = field(default_factory=dict)
    letters: set[str] = field(default_factory=set)
    waiting: set[str] = field(default_factory=set)
    whole: bool = True


def read_told(store: Store, folder: str, newest: int) -> Told:
    """Read every commit, oldest first."""
    told = Told()
    for number in range(newest + 1):
        found = read_entry(store, folder, number)
        if found is None:
            told.whole = False
            continue
        for path in found.added:
            told.removed.pop(path, None)
        told.removed |= dict.fromkeys(found.removed, found.seconds)
        if found.facts.get("letters_replace"):
            told.removed |= dict.fromkeys((f"_letters/{name}" for name in told.letters), found.seconds)
            told.letters.clear()
        told.letters |= set(_letters(found.facts.get("letters")))
        if "waiting" in found.facts or found.facts.get("kind") == "build":
            now = set(_letters(found.facts.get("waiting")))
            told.removed |= dict.fromkeys((f"_letters/{name}" for name in told.waiting - now), found.seconds)
            told.waiting = now
    return told


def lives(store: Store, folder: str, newest: int, files: set[str]) -> Iterator[tuple[int, set[str]]]:
    """The files of each snapshot, back from the newest (whose files are given) to where the log begins."""
    for number in range(newest, -1, -1):
        yield number, files
        found = read_entry(store, folder, number)
        if found is None:
            return
        files = (files - found.added.keys()) | set(found.removed)


def _letters(value: object) -> Iterator[str]:
    """Paths relative to the letters folder."""
    if isinstance(value, list):
        yield from (str(p).removeprefix("_letters/") for p in value)


def _rows(stats: str | None) -> int:
    return int(json.loads(stats).get("numRecords", 0)) if stats else 0
