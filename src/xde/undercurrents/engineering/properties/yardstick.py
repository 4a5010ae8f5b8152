"""A model's random input, made once and kept, to try other queries on in its place: does one break a guarantee, or differ at all?"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from xde.undercurrents.engineering.properties.searching import OUT, Search, differing
from xde.undercurrents.engineering.testing.sandbox import Asked, QueryError

if TYPE_CHECKING:
    from xde.undercurrents.engineering.properties.guarantees import Promised
    from xde.undercurrents.engineering.properties.target import Target
    from xde.undercurrents.engineering.testing.sandbox import Scratch

OTHER = "xde_out.instead"


@dataclass(frozen=True, slots=True)
class Yardstick:
    """The examples of one model in a scratch database. What the model itself breaks is not held against another query."""

    search: Search
    promised: Promised
    already: frozenset[str]

    @classmethod
    def of(cls, scratch: Scratch, target: Target, examples: int = 200, seed: int = 0) -> Self:
        """Generate and run. Raises `QueryError` where nothing can be generated."""
        search = Search(scratch, target, examples, seed)
        promised, suspects = search.suspects()
        return cls(search, promised, frozenset(suspects))

    def breaks(self, sql: str) -> str | None:
        """The id of a guarantee that a query in the place of the model's breaks and the model does not; None when it keeps all.

        Raises `QueryError` for a query that runs on no example.
        """
        other = self._run(sql)
        found = other.judged(self.promised)
        if other.failed:
            found[self.promised.guarantees[0].id] = other.failed
        return next((g.id for g in self.promised.guarantees if found.get(g.id) and g.id not in self.already and not g.warning), None)

    def differs(self, sql: str) -> bool:
        """Whether a query gives other rows than the model in some example. Raises `QueryError` as above."""
        other = self._run(sql)
        types = self.search.target.subject.types
        return bool(other.failed) or bool(self.search.scratch.ask(Asked(f"SELECT 1 FROM ({differing(OUT, OTHER, types)}) LIMIT 1")).rows)

    def _run(self, sql: str) -> Search:
        subject = self.search.target.subject
        used = tuple(p for p in subject.used if re.search(rf"\$\s*{re.escape(p)}\b", sql))
        target = replace(self.search.target, subject=replace(subject, sql=sql, used=used))
        other = replace(self.search, target=target, failed=[], asked=[], out=OTHER, fallback="")
        other.run()
        if not other.asked:
            raise QueryError(other.fallback)
        return other
