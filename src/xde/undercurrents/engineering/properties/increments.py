"""The laws of models that grow: built interval by interval, or delivery by delivery, they have the rows of a full refresh.

All intervals (or deliveries) of all examples are asked for in one query: the bounds are columns of the relation of examples around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xde.ground.names import quoted
from xde.undercurrents.engineering.properties.batching import OUTER, Batch, over
from xde.undercurrents.engineering.properties.generating import EXAMPLE, ROW
from xde.undercurrents.engineering.properties.premises import binding
from xde.undercurrents.engineering.properties.values import family_of
from xde.undercurrents.engineering.testing.promising import orphans
from xde.undercurrents.engineering.testing.sandbox import Asked, QueryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.undercurrents.engineering.properties.premises import Premise
    from xde.undercurrents.engineering.properties.target import Increment, Target

PIECE = "__piece"
START, END, CUT = "__start", "__end", "__cut"


@dataclass(frozen=True, slots=True)
class Rows:
    """Where the rows are: of each input, with the numbers of example and row; and what a full refresh gives, with that of the example."""

    given: Mapping[str, str]
    full: str


@dataclass(frozen=True, slots=True)
class Growth:
    """How a model grows, and what of it can be held against a full refresh."""

    target: Target
    increment: Increment
    premises: Mapping[str, Premise]

    @property
    def lawful(self) -> bool:
        """Whether there is anything to hold: a model by time that names no bounds is cut by its own time, which cannot fail."""
        subject = self.target.subject
        if self.increment.time:
            return bool({"start", "end"} & {*subject.used, *(p for _, ps in subject.views.values() for p in ps)})
        return bool(self.target.given)

    def built(self, rows: Rows) -> tuple[Asked, str]:
        """The rows that come of building in pieces, and what a full refresh would have there, each with example and piece.

        Raises `QueryError` where it cannot be asked so.
        """
        try:
            if self.increment.time:
                return self._by_interval(rows, self.increment.time)
            return self._by_delivery(rows)
        except ValueError as error:
            raise QueryError(str(error)) from error

    def _by_interval(self, rows: Rows, time: str) -> tuple[Asked, str]:
        """Cut wherever a whole grain begins or ends beside a moment that stands in the rows: any other split is one of these."""
        subject, kind = self.target.subject, self.target.subject.types[time]
        moments = [f"SELECT {EXAMPLE}, CAST({quoted(time)} AS TIMESTAMP) AS m FROM {rows.full}"]
        for name in self.target.given:
            times = [c for c, t in subject.inputs[name].items() if family_of(t) == "moment"]
            moments += [f"SELECT {EXAMPLE}, CAST({quoted(c)} AS TIMESTAMP) AS m FROM {rows.given[name]}" for c in times]
        floor = f"SELECT {EXAMPLE}, date_trunc('{self.increment.grain}', m) AS m FROM ({' UNION ALL '.join(moments)}) WHERE m IS NOT NULL"
        cuts = f"SELECT {EXAMPLE}, m FROM ({floor}) UNION SELECT {EXAMPLE}, m + INTERVAL 1 {self.increment.grain} FROM ({floor})"
        cuts += f" UNION SELECT DISTINCT {EXAMPLE}, TIMESTAMP '0001-01-01' FROM ({floor})"
        following = f"lead(m, 1, TIMESTAMP '9999-12-31') OVER (PARTITION BY {EXAMPLE} ORDER BY m)"
        pieces = f"SELECT {EXAMPLE}, CAST(m AS {kind}) AS {START}, CAST({following} AS {kind}) AS {END} FROM ({cuts})"
        batch = self._batch(rows, {"start": f"{OUTER}.{START}", "end": f"{OUTER}.{END}"})
        inside = f"{quoted(time)} >= {OUTER}.{START} AND {quoted(time)} < {OUTER}.{END}"
        text = f"SELECT * FROM ({batch.text(subject.query)}\n) WHERE {inside}"
        columns = ", ".join(quoted(c) for c in subject.types)
        built = f"SELECT {EXAMPLE}, 0 AS {PIECE}, {columns} FROM ({over(pieces, text)})"
        asked = Asked(built, self.target.values(sorted(batch.used)))
        return asked, f"SELECT {EXAMPLE}, 0 AS {PIECE}, {columns} FROM {rows.full} WHERE {quoted(time)} IS NOT NULL"

    def _by_delivery(self, rows: Rows) -> tuple[Asked, str]:
        """Two deliveries of the first input, cut before each of its rows; the other inputs are all there in the second."""
        driving = self.target.given[0]
        columns = ", ".join(quoted(c) for c in self.target.subject.types)
        first = f"SELECT {EXAMPLE}, min({ROW}) AS least FROM {rows.given[driving]} GROUP BY {EXAMPLE}"
        cuts = f"SELECT d.{EXAMPLE}, d.{ROW} AS {CUT} FROM {rows.given[driving]} AS d JOIN ({first}) AS f USING ({EXAMPLE})"
        cuts += f" WHERE d.{ROW} > f.least"
        earlier = self._batch(rows, {}, driving, "<")
        queries = [f"SELECT {EXAMPLE}, {CUT} AS {PIECE}, {columns} FROM ({over(cuts, earlier.text(self.target.subject.query))})"]
        full = f"SELECT o.{EXAMPLE}, c.{CUT} AS {PIECE}, {columns} FROM {rows.full} AS o JOIN ({cuts}) AS c USING ({EXAMPLE})"
        if self.increment.key:
            key = " AND ".join(f"o.{quoted(k)} IS NOT DISTINCT FROM a.{quoted(k)}" for k in self.increment.key)
            gone = f"NOT EXISTS (SELECT 1 FROM {rows.full} AS o WHERE o.{EXAMPLE} = a.{EXAMPLE} AND {key})"
            queries = [f"SELECT * FROM ({queries[0]}) AS a WHERE {gone}", full]
            used = earlier.used
        else:
            later = self._batch(rows, {}, driving, ">=")
            queries.append(f"SELECT {EXAMPLE}, {CUT} AS {PIECE}, {columns} FROM ({over(cuts, later.text(self.target.subject.query))})")
            used = earlier.used | later.used
        return Asked(" UNION ALL ".join(queries), self.target.values(sorted(used))), full

    def _batch(self, rows: Rows, parameters: Mapping[str, str], driving: str = "", side: str = "") -> Batch:
        """The inputs of one example; of the driving one only one side of the cut, and of the others what refers to nothing else."""
        subject = self.target.subject
        tables: dict[str, str] = {}
        for name in self.target.given:
            columns = ", ".join(f"t.{quoted(c)}" for c in subject.inputs[name])
            where = f"t.{EXAMPLE} = {OUTER}.{EXAMPLE}"
            if name == driving:
                where += f" AND t.{ROW} {side} {OUTER}.{CUT}"
            elif side == "<":
                there = f"(SELECT * FROM {rows.given[driving]} WHERE {ROW} < {OUTER}.{CUT})"
                for check in self.premises[name].references:
                    if check.to_dataset == driving and binding(check):
                        where += f" AND NOT {orphans(check, there, EXAMPLE)}"
            tables[name] = f"(SELECT {columns} FROM {rows.given[name]} AS t WHERE {where})"
        views = {n: sql for n, (sql, _) in subject.views.items() if n not in tables}
        return Batch(tables, views, parameters)
