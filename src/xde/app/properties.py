"""Models tried on random input that keeps its contracts: which of them, with what they promise, and what was found."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from xde.app.interrupting import interruptible
from xde.app.planning import select
from xde.app.recording import columns_read
from xde.app.subjects import at, subject_of, with_queries
from xde.app.treated import against_kept
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.spans import Span
from xde.kernel.graph.head_columns import key_of_rows
from xde.kernel.project.declarations import Kind, ModelDataset
from xde.undercurrents.engineering.properties.proving import Wish, search
from xde.undercurrents.engineering.properties.target import Increment, Target
from xde.undercurrents.engineering.properties.telling import NO_MODEL, finding_of, plainer, trouble_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xde.app.counterexamples import Kept
    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.kernel.project.declarations import Dataset
    from xde.undercurrents.engineering.properties.found import Failure, Searched


__all__ = ["Proved", "Prover", "plainer"]


@dataclass(frozen=True, slots=True)
class Proved:
    """A model that was tried: what was found, each failure with its finding, and from which seed."""

    searched: Searched
    findings: tuple[tuple[Failure, Finding], ...]
    trouble: Finding | None
    seed: int


@dataclass(slots=True)
class Prover:
    """Tries the models of a project, one after the other; neither lake nor ledger is touched."""

    known: Understanding
    house: House
    _seen: Understanding | None = field(default=None)

    def models(self, selection: Sequence[str]) -> tuple[str, ...]:
        """The models that a selection names, in an order in which they could be built. Raises `UserError` for one that names nothing."""
        chosen = select(self.known, selection)
        proved = [n for n in self.known.project.models if not self.known.is_seed(n)]
        meant = (n for n in self.known.order if n in proved and (chosen is None or n in chosen))
        return with_queries(self.known, meant, asked=bool(selection))

    def search(self, selection: Sequence[str], examples: int = 200, seed: int = 0) -> Iterator[Proved]:
        """What is found of each model. Raises `UserError` when none is meant."""
        names = self.models(selection)
        if selection and not names:
            raise UserError(_no_model(selection))
        for name in names:
            target = self.target(name)
            with interruptible(self.house.session.cancel), self.house.sandbox.scratch() as scratch:
                found = search(scratch, target, Wish(examples, seed), self.house.clock.monotonic)
            place = self._place(name)
            told = tuple((f, finding_of(name, f, place)) for f in (*found.failures, *found.warnings))
            yield Proved(found, told, trouble_of(found, place) if found.trouble else None, seed)

    def keep(self, proved: Proved) -> Kept:
        """Keep what was found of a model as cases."""
        from xde.app.counterexamples import keep

        return keep(self.known, self.house, proved.searched)

    def _place(self, name: str) -> Span:
        model = self.known.project.models[name]
        return model.span or Span(model.path, model.sql_line)

    def target(self, name: str) -> Target:
        """A model with all that is promised around it."""
        if self._seen is None:
            self._seen = _without_promises_seen_through(self.known)
        known = self._seen
        subject = at(subject_of(known, name), self.house.clock.now(), known)
        keys = {n: key_of_rows(d.head) for n, d in self.known.project.models.items() if d.head.key}
        model = self.known.project.models[name]
        checks = {n: against_kept(known.readings.get(n), c) for n, c in known.checks.items()}
        return Target(subject, checks, keys, _increment(model), columns_read(known, subject))


def _no_model(selection: Sequence[str]) -> Finding:
    shown = ", ".join(f"`{s}`" for s in selection)
    why = "properties are those of models; what a source gives is held against its contract when it is loaded"
    return Finding(NO_MODEL, f"{shown} names no model", why=why, hint="name a model: `xde test --properties marts.x`")


def _increment(model: ModelDataset) -> Increment | None:
    match model.head.kind:
        case Kind.INCREMENTAL if model.head.time:
            return Increment(model.head.time, model.head.grain)
        case Kind.INCREMENTAL if model.head.watermark is not None:
            return None
        case Kind.INCREMENTAL if model.head.deleted or model.head.missing == "delete":
            return None
        case Kind.INCREMENTAL:
            return Increment(key=model.head.key)
        case Kind.APPEND:
            return Increment()
        case Kind.TABLE | Kind.VIEW | Kind.HISTORY | Kind.SEED | Kind.EPHEMERAL:
            return None


def _without_promises_seen_through(known: Understanding) -> Understanding:
    """Tables that promise nothing are computed from their own inputs, as views are: more is known of those."""
    datasets: Mapping[str, Dataset] = {n: _as_view(d) for n, d in known.project.datasets.items()}
    return replace(known, project=replace(known.project, datasets=datasets))


def _as_view(dataset: Dataset) -> Dataset:
    if isinstance(dataset, ModelDataset) and dataset.head.kind is Kind.TABLE and dataset.object is None:
        return replace(dataset, head=replace(dataset.head, kind=Kind.VIEW))
    return dataset
