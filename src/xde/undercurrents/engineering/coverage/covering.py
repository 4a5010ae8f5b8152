"""Adds up what probes count over several cases: hits by branch, by line, and in all."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from xde.undercurrents.engineering.coverage.branch import Branch, RuledOut, Unprobed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xde.undercurrents.engineering.coverage.probing import Probe, Survey


@dataclass(frozen=True, slots=True)
class Refused:
    """An engine does not answer a probe on these rows; `why` is its own word."""

    why: str


class Mark(StrEnum):
    """How much of a line some case reaches."""

    PLAIN = "plain"  # nothing parts here
    COVERED = "covered"
    PARTLY = "partly"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a model, counted from 1 in its SQL, with the branches that begin in it and how often each was taken."""

    number: int
    text: str
    hits: tuple[tuple[Branch, int], ...] = ()

    @property
    def mark(self) -> Mark:
        """How much of it some case reaches."""
        reached = sum(count > 0 for _, count in self.hits)
        if not self.hits:
            return Mark.PLAIN
        return Mark.COVERED if reached == len(self.hits) else Mark.PARTLY if reached else Mark.MISSED


@dataclass(frozen=True, slots=True)
class Coverage:
    """The branches of a model in the order of its text, how often each was taken, what could not be counted and what cannot be."""

    branches: tuple[Branch, ...]
    hits: Mapping[str, int]
    unprobed: tuple[Unprobed, ...] = ()
    ruled_out: tuple[RuledOut, ...] = ()

    @property
    def reached(self) -> int:
        """How many branches some case takes."""
        return sum(self.hits.get(b.id, 0) > 0 for b in self.branches)

    @property
    def percent(self) -> float:
        """The part of the branches that some case takes; 100 where there are none."""
        return 100.0 * self.reached / len(self.branches) if self.branches else 100.0

    def by_line(self) -> dict[int, tuple[tuple[Branch, int], ...]]:
        """Branches with their hits, by the line in which they begin."""
        found: dict[int, list[tuple[Branch, int]]] = defaultdict(list)
        for branch in self.branches:
            found[branch.line].append((branch, self.hits.get(branch.id, 0)))
        return {line: tuple(hits) for line, hits in found.items()}


@dataclass(slots=True)
class Tally:
    """Hits of one model's branches, as case after case is asked."""

    survey: Survey
    _hits: Counter[str] = field(default_factory=Counter)
    _refused: dict[str, str] = field(default_factory=dict)

    def take(self, ask: Callable[[Probe], Sequence[object] | Refused], part: str | None = None) -> None:
        """One case: put every probe to `ask`, those that it refuses in parts. With `part`, only what that CTE is made from."""
        needed = None if part is None else self.survey.needs(part)
        for probe in self.survey.probes:
            if needed is None or probe.part in needed:
                self._put(probe, ask)

    def _put(self, probe: Probe, ask: Callable[[Probe], Sequence[object] | Refused]) -> None:
        answer = ask(probe)
        if not isinstance(answer, Refused):
            for branch, count in zip(probe.branches, answer, strict=True):
                self._hits[branch.id] += int(str(count))
        elif probe.parts:
            for piece in probe.parts:
                self._put(piece, ask)
        else:
            self._refused.update({b.id: answer.why for b in probe.branches})

    def coverage(self) -> Coverage:
        """What came of it. A branch that no case could count is not counted; one that some case could not, by the others."""
        lost = {i: why for i, why in self._refused.items() if i not in self._hits}
        places = {(b.kind, b.line, b.column): (b, lost[b.id]) for b in self.survey.branches if b.id in lost}
        refused = [Unprobed(b.kind, b.line, b.column, b.text, why) for b, why in places.values()]
        branches = tuple(b for b in self.survey.branches if b.id not in lost)
        unprobed = sorted([*self.survey.unprobed, *refused], key=lambda u: (u.line, u.column))
        return Coverage(branches, {b.id: self._hits[b.id] for b in branches}, tuple(unprobed), self.survey.ruled_out)


def annotated(sql: str, coverage: Coverage) -> tuple[Line, ...]:
    """The model's own lines with what was counted in each."""
    hits = coverage.by_line()
    return tuple(Line(number, text, hits.get(number, ())) for number, text in enumerate(sql.splitlines(), 1))
