"""Which mutants a model's tests notice: every test against every mutant that no test before it has noticed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from xde.undercurrents.engineering.mutants.mutant import Mutant

PASSED, FAILED, UNBOUND = "passed", "failed", "unbound"
History = dict[str, dict[str, str]]
"""By id of mutant and digest of trial: `passed`, `failed` or `unbound`."""


class UnboundError(Exception):
    """A query that the engine refuses whatever the rows."""


class Trial(Protocol):
    """One test of a model, made ready to be put to one query after the other."""

    @property
    def name(self) -> str:
        """What it is called in the report."""
        ...

    @property
    def digest(self) -> str:
        """All that decides what it says of a query."""
        ...

    def ready(self) -> AbstractContextManager[Callable[[str], bool]]:
        """Load the inputs, once. What it gives tells of a query whether the test passes; it raises `UnboundError`.

        Called in several threads, once in each.
        """
        ...


class Memory(Protocol):
    """What came of mutants and tests before."""

    def load(self) -> History:
        """What is known; nothing when there is none, or it cannot be read."""
        ...

    def save(self, history: History) -> None:
        """Keep it for the next time."""
        ...


class State(Enum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    INVALID = "invalid"  # no query at all: it does not count


class Killer(Enum):
    """What noticed a mutant."""

    CASE = "case"
    PROPERTY = "property"


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a mutant, and by what: `by` is the name of a case, or the guarantee that is broken in words."""

    mutant: Mutant
    state: State
    by: str | None = None
    killer: Killer | None = None


@dataclass(frozen=True, slots=True)
class Killing:
    """The outcome for one model.

    `trials` are the tests that were used; `failing` are those that the model itself does not pass: they say nothing of mutants.
    `asked` counts the queries that were run: what was known from before is not among them. `untried` are mutants that no case noticed
    and that were not put to properties, as there was no time, or no random input (`trouble` says why).
    """

    fates: tuple[Fate, ...]
    trials: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()
    asked: int = 0
    untried: int = 0
    trouble: str = ""

    def of(self, state: State) -> tuple[Fate, ...]:
        """The mutants of which this became."""
        return tuple(f for f in self.fates if f.state is state)

    def by(self, killer: Killer) -> tuple[Fate, ...]:
        """The mutants that this noticed; those that both would notice count for the cases, which are asked first."""
        return tuple(f for f in self.fates if f.killer is killer)

    @property
    def count(self) -> int:
        """How many could be killed."""
        return len(self.of(State.KILLED)) + len(self.of(State.SURVIVED))

    @property
    def score(self) -> float | None:
        """Killed mutants by all that could be, from 0 to 1; None where there are none."""
        return len(self.of(State.KILLED)) / self.count if self.count else None

    @property
    def score_by_cases(self) -> float | None:
        """The same of those that a case killed."""
        return len(self.by(Killer.CASE)) / self.count if self.count else None


@dataclass(frozen=True, slots=True)
class Manner:
    """How it is done. `cancel` ends the queries that are under way, for a Ctrl-C: it is called until all workers are done."""

    workers: int = 2
    memory: Memory | None = None
    cancel: Callable[[], None] = lambda: None


@dataclass(slots=True)
class _Share:
    """The mutants of one worker, and what it finds; no mutant is in two shares."""

    sql: str
    mutants: Sequence[Mutant]
    history: History
    over: threading.Event
    failing: set[str] = field(default_factory=set)
    asked: int = 0

    def put_to(self, trial: Trial) -> None:
        """Put those that live to a test."""
        alive = [m for m in self.mutants if self._lives(m, trial)]
        if not alive:
            return
        with trial.ready() as passes:
            self.asked += 1
            if not self._passes_itself(passes):
                self.failing.add(trial.digest)
                return
            for mutant in alive:
                if self.over.is_set():
                    return
                self.asked += 1
                self.history.setdefault(mutant.id, {})[trial.digest] = _said(passes, mutant)

    def _lives(self, mutant: Mutant, trial: Trial) -> bool:
        known = self.history.get(mutant.id, {})
        return trial.digest not in known and UNBOUND not in known.values() and not self._killed(known)

    def _killed(self, known: dict[str, str]) -> bool:
        return FAILED in known.values()

    def _passes_itself(self, passes: Callable[[str], bool]) -> bool:
        try:
            return passes(self.sql)
        except UnboundError:
            return False


def _said(passes: Callable[[str], bool], mutant: Mutant) -> str:
    try:
        return PASSED if passes(mutant.sql) else FAILED
    except UnboundError:
        return UNBOUND


def kill(sql: str, mutants: Sequence[Mutant], trials: Sequence[Trial], manner: Manner | None = None) -> Killing:
    """Put the mutants of a query to its tests.

    A test is used only if the query itself passes it. A mutant that fails on the rows of a test is killed by it; one that does not
    bind is invalid. What is known of a mutant and a test from before is not tried again.
    """
    manner = manner or Manner()
    workers, memory, over = manner.workers, manner.memory, threading.Event()
    digests = {t.digest for t in trials}
    before = _of_these(memory.load() if memory is not None else {}, mutants, digests)
    portions = [mutants[n::workers] for n in range(workers)]
    shares = [_Share(sql, p, {m.id: before[m.id] for m in p if m.id in before}, over) for p in portions]
    with ThreadPoolExecutor(workers) as pool:
        works = [pool.submit(_work, share, trials) for share in shares]
        try:
            for work in works:
                work.result()
        finally:
            over.set()
            while wait(works, 0.05).not_done:
                manner.cancel()
    history = {id_: known for share in shares for id_, known in share.history.items()}
    if memory is not None and any(share.asked for share in shares):
        memory.save(history)
    failing = {d for share in shares for d in share.failing}
    return Killing(
        tuple(_fate(m, history.get(m.id, {}), trials) for m in mutants),
        tuple(t.name for t in trials if t.digest not in failing),
        tuple(t.name for t in trials if t.digest in failing),
        sum(share.asked for share in shares),
    )


def _of_these(history: History, mutants: Sequence[Mutant], digests: set[str]) -> History:
    """What is still of use: tests that are there no more have no say."""
    ids = {m.id for m in mutants}
    return {i: {d: said for d, said in known.items() if d in digests} for i, known in history.items() if i in ids}


def _work(share: _Share, trials: Sequence[Trial]) -> None:
    for trial in trials:
        if share.over.is_set():
            return
        share.put_to(trial)


def _fate(mutant: Mutant, known: dict[str, str], trials: Sequence[Trial]) -> Fate:
    if UNBOUND in known.values():
        return Fate(mutant, State.INVALID)
    by = next((t.name for t in trials if known.get(t.digest) == FAILED), None)
    return Fate(mutant, State.KILLED, by, Killer.CASE) if by is not None else Fate(mutant, State.SURVIVED)
