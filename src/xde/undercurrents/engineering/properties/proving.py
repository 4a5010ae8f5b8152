"""Suspects proved: each is tried by itself, made small, and written as a case would be, so that what is told is what was seen."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.undercurrents.engineering.properties.found import Failure, Searched
from xde.undercurrents.engineering.properties.guarantees import AGAIN, ORDER, RUNS, Guarantee
from xde.undercurrents.engineering.properties.searching import Search, summary
from xde.undercurrents.engineering.properties.shrinking import Shrinking, has_hypothesis
from xde.undercurrents.engineering.testing.case_reader import read_cases
from xde.undercurrents.engineering.testing.case_writer import appended, case_text
from xde.undercurrents.engineering.testing.exercising import give
from xde.undercurrents.engineering.testing.sandbox import QueryError, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xde.undercurrents.engineering.properties.guarantees import Promised
    from xde.undercurrents.engineering.properties.target import Target
    from xde.undercurrents.engineering.properties.trial import Trial
    from xde.undercurrents.engineering.testing.sandbox import Scratch

MOST_FAILURES = 4  # counterexamples that are made small and shown of one model


@dataclass(frozen=True, slots=True)
class Wish:
    """How to search: how many examples, from which seed, and whether what is found is made small."""

    examples: int = 200
    seed: int = 0
    shrink: bool = True


def search(scratch: Scratch, target: Target, wish: Wish, monotonic: Callable[[], float]) -> Searched:
    """Everything that can be found of a model, in a fresh scratch database."""
    begun = monotonic()
    searching = Search(scratch, target, wish.examples, wish.seed)
    try:
        promised, suspects = searching.suspects()
    except QueryError as error:
        return Searched(target.name, wish.examples, 0, {}, trouble=str(error), seconds=monotonic() - begun)
    proving = _Proving(searching, searching.trial(), promised, wish, monotonic)
    found = proving.failures(suspects) if suspects else []
    told = summary(searching, promised, monotonic() - begun)
    return replace(
        told, failures=tuple(f for f in found if not f.guarantee.warning), warnings=tuple(f for f in found if f.guarantee.warning)
    )


@dataclass(slots=True)
class _Proving:
    search: Search
    trial: Trial
    promised: Promised
    wish: Wish
    monotonic: Callable[[], float]
    told: set[str] = field(default_factory=set)

    def failures(self, suspects: Mapping[str, Sequence[int]]) -> list[Failure]:
        """A failure for each guarantee that is broken; those that one counterexample breaks together stand together."""
        by_id = {g.id: g for g in self.promised.guarantees}
        order = sorted(suspects, key=lambda i: (by_id[i].warning, by_id[i].law == ORDER))
        found: list[Failure] = []
        for ident in order:
            if ident in self.told or len(found) >= MOST_FAILURES:
                continue
            failure = self._failure(by_id[ident], suspects[ident], [by_id[i] for i in order if i != ident and i not in self.told])
            if failure is not None:
                found.append(failure)
                self.told |= {ident, *(g.id for g in failure.also)}
        return found

    def _failure(self, guarantee: Guarantee, numbers: Sequence[int], others: Sequence[Guarantee]) -> Failure | None:
        number = next((n for n in numbers if self._breaks(n, guarantee)), None)
        if number is None:
            return None
        if guarantee.law == ORDER and not self.trial.again().equal:
            guarantee = replace(guarantee, id=guarantee.id.replace(ORDER, AGAIN), message="the same rows when it is run again", law=AGAIN)
        shrunk = ""
        if self.wish.shrink:
            shrinking = Shrinking(self.trial, guarantee, number, self.monotonic)
            shrinking.rows()
            shrunk = "rows"
            if has_hypothesis():
                shrinking.cells(self.search.target.columns_read)
                shrunk = "cells"
        given = self._written(guarantee)
        return self._told(guarantee, given, tuple(g for g in others if g.check and self.trial.breaks(g)), shrunk)

    def _breaks(self, number: int, guarantee: Guarantee) -> bool:
        self.trial.example(number)
        return self.trial.valid() and self.trial.breaks(guarantee)

    def _written(self, guarantee: Guarantee) -> dict[str, Result]:
        """The rows as a case would give them: with those columns that are read, if they alone break it too.

        What fills the other columns in a case need not keep the input's contract: nobody looks at it.
        """
        subject, read = self.search.target.subject, self.search.target.columns_read
        whole = {n: self.trial.rows(n) for n in self.trial.premises if n in subject.inputs}
        few = {n: _only(r, read[n]) if read.get(n) else r for n, r in whole.items()}
        for given in (few, whole):
            try:
                self._give(given)
                if self.trial.breaks(guarantee):
                    return given
            except (UserError, QueryError):
                continue
        return whole

    def _give(self, given: Mapping[str, Result]) -> None:
        subject = self.search.target.subject
        text = appended(None, subject.name, "model", case_text("x", records(given), ()))
        cases, _ = read_cases(text.encode(), "", lambda _: None)
        give(self.trial.scratch, subject, cases[0].rounds[0].given, {})

    def _told(self, guarantee: Guarantee, given: Mapping[str, Result], also: tuple[Guarantee, ...], shrunk: str) -> Failure:
        found = Failure(guarantee, given, also=also, shrunk=shrunk)
        if guarantee.law and guarantee.law != RUNS:
            return replace(found, difference=self.trial.difference(guarantee.law))
        error = self.trial.error()
        if guarantee.law == RUNS or error:
            return replace(found, error=error)
        at_fault = self.trial.at_fault(guarantee.check) if guarantee.check else ()
        return replace(found, came=self.trial.came(), at_fault=at_fault)


def _only(rows: Result, columns: set[str]) -> Result:
    places = [i for i, (c, _) in enumerate(rows.columns) if c in columns]
    return Result(tuple(rows.columns[i] for i in places), tuple(tuple(r[i] for i in places) for r in rows.rows))


def records(given: Mapping[str, Result]) -> dict[str, list[dict[str, object]]]:
    """Rows by the names of their columns."""
    return {n: [dict(zip((c for c, _ in r.columns), row, strict=True)) for row in r.rows] for n, r in given.items()}
