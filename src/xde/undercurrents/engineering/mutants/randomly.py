"""Mutants that no case notices, put to what the model guarantees on random input: a guarantee that only the mutant breaks kills it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from xde.ground.digests import digest
from xde.undercurrents.engineering.mutants.killing import Fate, Killer, State, UnboundError
from xde.undercurrents.engineering.properties.yardstick import Yardstick
from xde.undercurrents.engineering.testing.sandbox import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from xde.undercurrents.engineering.mutants.killing import History, Killing, Memory
    from xde.undercurrents.engineering.mutants.mutant import Mutant
    from xde.undercurrents.engineering.properties.target import Target
    from xde.undercurrents.engineering.testing.sandbox import Sandbox

KEPT, REFUSED, BROKEN = "kept", "refused", "broken: "
SECONDS = 20.0
"""How long the mutants of one model are put to random input. One that is under way is finished."""


class Properties(Protocol):
    """What a model guarantees, made ready to be held against one query after the other."""

    @property
    def digest(self) -> str:
        """All that decides what it says of a query."""
        ...

    def ready(self) -> AbstractContextManager[Callable[[str], str | None]]:
        """What it gives tells in words what a query breaks, None for nothing; it raises `UnboundError`.

        Raises `QueryError` where there is no random input.
        """
        ...


@dataclass(frozen=True)
class RandomInput:
    """The guarantees of a model on random input that keeps its contracts."""

    sandbox: Sandbox
    target: Target
    examples: int = 200
    seed: int = 0

    @cached_property
    def digest(self) -> str:
        """All but the model's own query."""
        target, subject = self.target, self.target.subject
        used = {*subject.used, *(p for _, ps in subject.views.values() for p in ps)}
        values = {n: v for n, v in subject.parameters.items() if n in used}
        around = {subject.name, *subject.inputs}
        promised = [repr(o.properties) for n in subject.inputs if (o := subject.objects.get(n))]
        promised += [repr((n, target.checks.get(n), target.keys.get(n))) for n in sorted(around)]
        seen = [subject.types, subject.stored, subject.inputs, subject.views, subject.key, values, repr(target.increment)]
        return digest(*seen, promised, self.examples, self.seed)

    @contextmanager
    def ready(self) -> Iterator[Callable[[str], str | None]]:
        """The input is made once."""
        with self.sandbox.scratch() as scratch:
            yardstick = Yardstick.of(scratch, self.target, self.examples, self.seed)

            def broken(sql: str) -> str | None:
                try:
                    guarantee = yardstick.breaks(sql)
                except QueryError as error:
                    raise UnboundError(str(error)) from error
                return guarantee.message if guarantee is not None else None

            yield broken


@dataclass(frozen=True, slots=True)
class Bound:
    """No mutant more is begun after so many seconds."""

    monotonic: Callable[[], float]
    seconds: float = SECONDS


def put_to_properties(killing: Killing, properties: Properties, memory: Memory, bound: Bound) -> Killing:
    """What became of the mutants that no case noticed. What is known from before is not tried again."""
    alive = [f.mutant for f in killing.of(State.SURVIVED)]
    known = _of_these(memory.load(), properties.digest)
    todo = [m for m in alive if m.id not in known]
    trouble, asked, begun = "", 0, bound.monotonic()
    if todo:
        try:
            with properties.ready() as broken:
                for mutant in todo:
                    if bound.monotonic() - begun > bound.seconds:
                        break
                    known[mutant.id] = _said(broken, mutant)
                    asked += 1
        except QueryError as error:
            trouble = str(error)
        ids = {f.mutant.id for f in killing.fates}
        memory.save({i: {properties.digest: said} for i, said in known.items() if i in ids})
    untried = sum(m.id not in known for m in alive)
    fates = tuple(_fate(f, known.get(f.mutant.id)) if f.state is State.SURVIVED else f for f in killing.fates)
    return replace(killing, fates=fates, asked=killing.asked + asked, untried=untried, trouble=trouble)


def _of_these(history: History, key: str) -> dict[str, str]:
    return {i: said[key] for i, said in history.items() if key in said}


def _said(broken: Callable[[str], str | None], mutant: Mutant) -> str:
    try:
        found = broken(mutant.sql)
    except UnboundError:
        return REFUSED
    return KEPT if found is None else BROKEN + found


def _fate(fate: Fate, said: str | None) -> Fate:
    if said == REFUSED:
        return Fate(fate.mutant, State.INVALID)
    if said is not None and said.startswith(BROKEN):
        return Fate(fate.mutant, State.KILLED, said.removeprefix(BROKEN), Killer.PROPERTY)
    return fate
