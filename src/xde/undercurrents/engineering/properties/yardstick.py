"""A model's random input, made once and kept, to try other queries on in its place: does one break a guarantee, or differ at all?"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from xde.undercurrents.engineering.properties.guarantees import RUNS
from xde.undercurrents.engineering.properties.searching import OUT, SUSPECTS, Search, differing
from xde.undercurrents.engineering.testing.sandbox import Asked, QueryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xde.undercurrents.engineering.properties.guarantees import Guarantee, Promised
    from xde.undercurrents.engineering.properties.target import Target
    from xde.undercurrents.engineering.testing.sandbox import Scratch

OTHER = "xde_out.instead"


@dataclass(frozen=True, slots=True)
class Yardstick:
    """The examples of one model in a scratch database. What the model itself breaks is not held against another query."""

    search: Search
    promised: Promised
    already: frozenset[str]
    valid: dict[int, bool] = field(default_factory=dict)  # by number of the example, as far as it was asked

    @classmethod
    def of(cls, scratch: Scratch, target: Target, examples: int = 200, seed: int = 0) -> Self:
        """Generate and run. Raises `QueryError` where nothing can be generated, or the model runs on nothing of it."""
        search = Search(scratch, target, examples, seed)
        promised, suspects = search.suspects()
        if not search.asked:
            raise QueryError(search.fallback)
        return cls(search, promised, frozenset(suspects))

    def breaks(self, sql: str) -> Guarantee | None:
        """A guarantee that a query in the place of the model's breaks and the model does not; None when it keeps all.

        It was seen to: on the plain tables of one example. Raises `QueryError` for a query that the engine refuses whatever the rows.
        """
        other = self._run(sql)
        if not other.asked:
            self._must_bind(other)
            other.failed = list(range(SUSPECTS))
        held = [g for g in self.promised.guarantees if g.id not in self.already and not g.warning]
        for suspects in self._suspects(other):
            for guarantee in held:
                if suspects.get(guarantee.id) and self._is_seen(other, guarantee, suspects[guarantee.id]):
                    return guarantee
        return None

    def differs(self, sql: str) -> bool:
        """Whether a query gives other rows than the model in some example. Raises `QueryError` for one that runs on no example."""
        other = self._run(sql)
        if not other.asked:
            raise QueryError(other.fallback)
        types = self.search.target.subject.types
        return bool(other.failed) or bool(self.search.scratch.ask(Asked(f"SELECT 1 FROM ({differing(OUT, OTHER, types)}) LIMIT 1")).rows)

    def _suspects(self, other: Search) -> Iterator[Mapping[str, Sequence[int]]]:
        """By id of guarantee the examples that seem to break it, what is quick to see first."""
        runs = next(g for g in self.promised.guarantees if g.law == RUNS)
        yield {runs.id: other.failed}
        if other.asked:
            yield other.judged(self.promised)
        if other.asked and not other.fallback:
            mine = replace(self.promised, guarantees=tuple(g for g in self.promised.guarantees if g.id not in self.already))
            yield other.in_pieces(mine)
            yield other.other_order(mine)

    def _run(self, sql: str) -> Search:
        subject = self.search.target.subject
        used = tuple(p for p in subject.used if re.search(rf"\$\s*{re.escape(p)}\b", sql))
        target = replace(self.search.target, subject=replace(subject, sql=sql, used=used))
        other = replace(self.search, target=target, failed=[], asked=[], out=OTHER, fallback="")
        other.run()
        return other

    def _must_bind(self, other: Search) -> None:
        """Tell a query that is none from one that fails on all of these rows."""
        trial = other.trial()
        for name in trial.premises:
            trial.lay(name, f"SELECT * FROM ({other.target.alone(name)}) WHERE false")
        trial.result()

    def _is_seen(self, other: Search, guarantee: Guarantee, numbers: Sequence[int]) -> bool:
        """Whether one of a few examples breaks a guarantee by itself."""
        trial = other.trial()
        for number in numbers[:SUSPECTS]:
            trial.example(number)
            if number not in self.valid:
                self.valid[number] = trial.valid()
            if self.valid[number] and trial.breaks(guarantee):
                return True
        return False
