"""What steps took of the machine, and who read what they made: the records behind `xde cost`."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Usage:
    """What a step took; None where nobody could tell.

    `seconds` on the clock; `rows` and `bytes` that it wrote; `rows_in` and `bytes_in` that the files it was given to read hold, and
    `bytes_read` what the engine fetched of them. `memory` and `spilled` are the most that the engine held at once, in memory and on disk,
    while the step's queries ran: that is the step's own only where it was `alone`, else a bound.
    """

    seconds: float = 0.0
    rows: int = 0
    bytes: int = 0
    rows_in: int | None = None
    bytes_in: int | None = None
    bytes_read: int | None = None
    memory: int | None = None
    spilled: int | None = None
    alone: bool = True

    def fact(self) -> dict[str, object]:
        """As JSON data, without what nobody could tell."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) is not None}


_NUMBERS = tuple(f.name for f in fields(Usage) if f.name != "alone")


def usage_of(fact: object) -> Usage | None:
    """Usage from its fact; None when it is none, as with what was written before there was any."""
    if not isinstance(fact, dict) or "seconds" not in fact:
        return None
    numbers = {n: fact[n] for n in _NUMBERS if isinstance(fact.get(n), (int, float))}
    return Usage(**numbers, alone=fact.get("alone") is not False)


def together(parts: Iterable[Usage]) -> Usage:
    """One after the other: times and amounts are added, of memory the most counts."""
    told = list(parts)
    return Usage(
        sum(u.seconds for u in told),
        sum(u.rows for u in told),
        sum(u.bytes for u in told),
        _total(u.rows_in for u in told),
        _total(u.bytes_in for u in told),
        _total(u.bytes_read for u in told),
        _most(u.memory for u in told),
        _most(u.spilled for u in told),
        all(u.alone for u in told),
    )


def _total(numbers: Iterable[int | None]) -> int | None:
    known = [n for n in numbers if n is not None]
    return sum(known) if known else None


def _most(numbers: Iterable[int | None]) -> int | None:
    return max((n for n in numbers if n is not None), default=None)


@dataclass(frozen=True, slots=True)
class CostRecord:
    """A step that worked, and what it took; `status` is done, failed or cancelled, `ended_at` ISO in UTC."""

    run: str
    step: str
    environment: str
    dataset: str
    version: str
    kind: str
    status: str
    ended_at: str
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class Reads:
    """How often a dataset was read on one day (UTC, `2026-01-31`) of an environment, `how`: show, export or diff; `last` is ISO."""

    environment: str
    dataset: str
    how: str
    day: str
    times: int
    last: str


@dataclass(frozen=True, slots=True)
class JournalPiece:
    """Which part of a journal of reads was counted: the bytes from `start` to `end` of the file of that name."""

    journal: str
    start: int
    end: int


def spent_by_commits(commits: Iterable[tuple[str, Mapping[str, object]]]) -> dict[tuple[str, str], tuple[str, Usage]]:
    """What steps took, by run and step, as the commits of a table say; each with the time of the step's last commit.

    `commits` are times (ISO) and facts.
    """
    found: dict[tuple[str, str], tuple[str, Usage]] = {}
    for at, facts in commits:
        usage = usage_of(facts.get("cost"))
        if usage is not None:
            key = (str(facts.get("run", "")), str(facts.get("step", "")))
            last, before = found.get(key, (at, Usage()))
            found[key] = (max(at, last), together([before, usage]) if key in found else usage)
    return found
