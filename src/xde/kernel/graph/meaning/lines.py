"""From the reading of one model and the meaning of its inputs to its lineage: exact where it can be told, else everything of everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.ground.records import dataclass
from xde.kernel.graph.analysis import ColumnLineage, ColumnRef
from xde.kernel.graph.meaning.lineage import Lineage
from xde.kernel.graph.meaning.values import NOTHING, Column, DatasetMeaning, Meaning, Relation, mix
from xde.kernel.graph.text.terms import UnclearError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.kernel.graph.meaning.naming import Missing
    from xde.kernel.graph.text.reading import Reading

    Inputs = Mapping[str, tuple[Mapping[str, str], DatasetMeaning]]


@dataclass(frozen=True, slots=True)
class Lines:
    """The lineage of a model, before the engine has said what its columns are called.

    `exact` is None where it cannot be told; `whole` is what is surely not too little; `missing` are columns found nowhere.
    """

    exact: Relation | None
    whole: Meaning
    missing: tuple[Missing, ...] = ()
    salt: str = ""

    def named(self, names: Sequence[str]) -> tuple[tuple[ColumnLineage, ...], Meaning]:
        """Each output column's lineage under the engine's names, and the rows'; exact only if those agree with ours."""
        exact = self.exact
        if exact is None or self.missing or not _agree(exact, names):
            rows = Meaning(self.whole.reads, mix("whole rows", self.whole.digest))
            meanings = [Meaning(self.whole.reads, mix("whole", n.lower(), self.whole.digest)) for n in names]
        else:
            rows, meanings = self._salted(exact.rows), [self._salted(c.meaning) for c in exact.columns]
        columns = (ColumnLineage(n, tuple(sorted(m.reads)), m.digest, m.identity) for n, m in zip(names, meanings, strict=True))
        return tuple(columns), rows

    @property
    def is_exact(self) -> bool:
        """Whether lineage could be told, as far as can be known without the engine."""
        return self.exact is not None and not self.missing

    def _salted(self, meaning: Meaning) -> Meaning:
        return meaning._replace(digest=mix("salted", self.salt, meaning.digest)) if self.salt else meaning


def lines_of(reading: Reading, inputs: Inputs, *, ordered: bool) -> Lines:
    """The lineage of a text over its inputs; `ordered` says whether the order of its rows is part of what it means."""
    whole = _whole(reading, inputs)
    words = {c.lower() for types, _ in inputs.values() for c in types}
    if reading.query is None or not words.isdisjoint(reading.lost):
        return Lines(None, whole)
    lineage = Lineage({n.lower(): _relation(n, types, meaning) for n, (types, meaning) in inputs.items()}, ordered=ordered)
    try:
        exact: Relation | None = lineage.read(reading.query)
    except (UnclearError, RecursionError):
        exact = None
    return Lines(exact, whole, tuple(lineage.missing), reading.salt)


def _agree(exact: Relation, names: Sequence[str]) -> bool:
    if len(exact.columns) != len(names):
        return False
    return all(c.name is None or c.name.lower() == n.lower() for c, n in zip(exact.columns, names, strict=True))


def _relation(name: str, types: Mapping[str, str], meaning: DatasetMeaning) -> Relation:
    columns = []
    for column in types:
        ref = ColumnRef(name, column)
        columns.append(Column(column, Meaning(frozenset({ref}), meaning.columns[column], ref)))
    return Relation(tuple(columns), Meaning(NOTHING, meaning.rows), dataset=name, kind="dataset")


def _whole(reading: Reading, inputs: Inputs) -> Meaning:
    reads = frozenset(ColumnRef(n, c) for n, (types, _) in inputs.items() for c in types)
    parts = [
        part for n in sorted(inputs) for part in (n, inputs[n][1].rows, *(f"{c}={d}" for c, d in sorted(inputs[n][1].columns.items())))
    ]
    return Meaning(reads, mix("whole query", reading.canonical, *parts))
