"""A model to be tried: its query, what it may take for granted of its inputs, and what it guarantees."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xde.ground.names import quoted
from xde.undercurrents.engineering.properties.batching import OUTER, Batch
from xde.undercurrents.engineering.properties.generating import EXAMPLE, held
from xde.undercurrents.engineering.properties.premises import Premise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.kernel.plan.checks import Check
    from xde.undercurrents.engineering.testing.exercising import Subject


@dataclass(frozen=True, slots=True)
class Increment:
    """How the model grows: by `time` in intervals of a `grain` (`key` empty), by `key`, or by appending (neither)."""

    time: str | None = None
    grain: str = "day"
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """`checks` are the contracts of all datasets around, compiled; `keys` the keys that heads of models declare."""

    subject: Subject
    checks: Mapping[str, Sequence[Check]]
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    increment: Increment | None = None
    columns_read: Mapping[str, set[str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The model's name."""
        return self.subject.name

    @property
    def computed(self) -> tuple[str, ...]:
        """Views that have a contract of their own: computed from their inputs, and what breaks that contract taken out."""
        return tuple(v for v in self.subject.views if self.subject.objects.get(v) is not None)

    @property
    def given(self) -> tuple[str, ...]:
        """The datasets whose rows the model reads, views without a contract seen through."""
        return self.subject.needed(self.computed)

    def premises(self) -> dict[str, Premise]:
        """Every dataset that gets rows: those at the bottom, and views that promise something."""
        bottom = dict.fromkeys(n for n in self.subject.needed(()))
        found = {}
        for name in (*bottom, *self.computed):
            view = name in self.subject.views
            types, promised = self.subject.inputs[name], self.subject.objects.get(name)
            found[name] = Premise(name, types, promised, tuple(self.checks.get(name, ())), self.keys.get(name, ()), computed=view)
        return found

    def batch(self, tables: Sequence[str], parameters: Mapping[str, str] | None = None, within: tuple[int, int] | None = None) -> Batch:
        """How texts are made to read the rows of one example: tables by its number, the other views by their own text.

        The engine may compute what no example needs; `within` keeps it from rows of examples beyond those.
        """
        bounds = f" AND {EXAMPLE} BETWEEN {within[0]} AND {within[1] - 1}" if within else ""
        held_rows = {n: f"(SELECT {self._columns(n)} FROM {held(n)} WHERE {EXAMPLE} = {OUTER}.{EXAMPLE}{bounds})" for n in tables}
        views = {n: sql for n, (sql, _) in self.subject.views.items() if n not in held_rows}
        return Batch(held_rows, views, parameters or {})

    def _columns(self, name: str) -> str:
        return ", ".join(quoted(c) for c in self.subject.inputs[name])

    def alone(self, name: str, where: str = "", order: str = "__row") -> str:
        """The rows of one dataset as a query, without their numbers."""
        return f"SELECT {self._columns(name)} FROM {held(name)} {where} ORDER BY {order}"

    def values(self, used: Sequence[str]) -> dict[str, object]:
        """The values of parameters."""
        return {n: self.subject.parameters[n] for n in used if n in self.subject.parameters}

    def views_left(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """The views that must be made before the model runs by itself."""
        reached: set[str] = set()
        todo = list(self.subject.reads[self.name])
        while todo:
            name = todo.pop()
            if name in self.subject.views and name not in self.computed and name not in reached:
                reached.add(name)
                todo += self.subject.reads[name]
        return {n: v for n, v in self.subject.views.items() if n in reached}
