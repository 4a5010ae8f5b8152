"""A plan, carried out: the claim taken, the performers put together, the ledger told."""

from __future__ import annotations

import threading
import uuid
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xde.app.pushed import hashed_at_the_door
from xde.app.readers import count_reads
from xde.app.schema_changes import ReadersTold
from xde.kernel.plan.plan import StepKind
from xde.kernel.project.arranging import expressions
from xde.kernel.run.claims import held_claim
from xde.kernel.run.owners import this_owner
from xde.kernel.run.recorder import Recorder
from xde.kernel.run.runner import run_plan
from xde.lifecycle.ingestion.perform import LoadPerformer, SourceWork
from xde.lifecycle.storage.adopt import AdoptPerformer
from xde.lifecycle.storage.merging import Merger
from xde.lifecycle.storage.pins import Pins
from xde.lifecycle.storage.port import Arrangement
from xde.lifecycle.storage.publish import Publisher
from xde.lifecycle.storage.shadow import CopyPerformer
from xde.lifecycle.transformation.perform import BuildPerformer
from xde.lifecycle.transformation.view import ViewPerformer
from xde.lifecycle.transformation.work import ModelWork

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from xde.app.planning import Planned
    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.kernel.graph.analysis import ColumnRef
    from xde.kernel.plan.ledger import Claim
    from xde.kernel.project.contract import Property
    from xde.kernel.run.attempt import Performer
    from xde.kernel.run.events import Observer, RunFinished
    from xde.lifecycle.sources.port import FoundFile

FILE_BYTES = 128_000_000  # of a file of a table whose head says how its rows lie
AGAIN = 0.05  # seconds between two interruptions of a run that is to stop


@dataclass(frozen=True, slots=True)
class Manner:
    """How a plan is carried out: who hears of it, how long to wait for the claim, and what is done at the end while it is still ours."""

    observers: Sequence[Observer] = ()
    wait: float = 0.0
    waiting: Callable[[Claim], None] = lambda _: None
    then: Callable[[Claim, RunFinished], None] = lambda _claim, _finished: None


def carry_out(house: House, known: Understanding, replan: Callable[[], Planned], manner: Manner) -> RunFinished:
    """Take the claim, plan under it, and do what is planned: what is done is what was there to do when the claim was ours."""
    run = uuid.uuid4().hex[:12]
    cancelled = _Stop(house)
    who = (house.ledger, house.environment, str(this_owner()), run)
    with held_claim(*who, house.clock, manner.wait, cancelled.sleep, waiting=manner.waiting, lost=cancelled.set) as claim:
        with closing(cancelled):
            planned = replan()
            finished = run_plan(
                planned.plan,
                performers(house, known, planned.found, {s.dataset for s in planned.plan.steps}),
                run=run,
                fence=claim.fence,
                clock=house.clock,
                observers=[Recorder(house.ledger, claim.fence), *manner.observers],
                parallel=known.project.settings.parallel,
                retries=known.project.settings.retries,
                sleep=cancelled.sleep,
                cancelled=cancelled,
            )
        house.rest()
        manner.then(claim, finished)
        count_reads(house)
        return finished


class _Stop(threading.Event):
    """Set when the run is to stop; then the engine's queries are interrupted, again and again: a step may be between two of them."""

    def __init__(self, house: House) -> None:
        super().__init__()
        self._house = house
        self._over = threading.Event()

    def set(self) -> None:
        """Stop, and interrupt what is under way."""
        if not self.is_set():
            super().set()
            threading.Thread(target=self._interrupt, name="interrupt", daemon=True).start()

    def _interrupt(self) -> None:
        while not self._over.is_set():
            self._house.cancel()
            self._over.wait(AGAIN)

    def close(self) -> None:
        """The run is over; what the engine is asked from now on is answered."""
        self._over.set()

    def sleep(self, seconds: float) -> None:
        """Sleep until it is time or the run is stopped."""
        self.wait(seconds)


def performers(
    house: House, known: Understanding, found: Mapping[str, Mapping[str, FoundFile]], datasets: Collection[str]
) -> dict[StepKind, Performer]:
    """Who does which kind of step, to these datasets."""
    from xde.undercurrents.management.quality.verdict import finding_of

    pins = Pins(house.lake, house.ledger, known.versions)
    publisher = Publisher(house.lake, house.auditor, house.ledger, house.clock, finding_of)
    merger = Merger(house.lake, house.write, house.read, arrangements(known, datasets))
    personal = all_personal(known) if datasets else {}
    models = {n: model_work(known, n, house, personal[n]) for n in known.project.models if n in datasets}
    sources = {
        n: SourceWork(
            known.readings[n],
            known.checks[n],
            known.checks_digests[n],
            found.get(n, {}),
            personal[n],
            known.schemas[n],
            hashed_at_the_door(house, known.readings[n]),
        )
        for n in known.project.sources
        if n in datasets
    }
    return {
        StepKind.LOAD: ReadersTold(LoadPerformer(house.loader, publisher, pins, sources, merger, house.tables), known),
        StepKind.BUILD: BuildPerformer(house.engine, publisher, pins, models, merger, house.local),
        StepKind.ADOPT: AdoptPerformer(publisher, pins),
        StepKind.COPY: CopyPerformer(publisher, pins, personal),
        StepKind.VIEW: ViewPerformer(house.local, publisher, pins, models),
    }


def arrangements(known: Understanding, datasets: Collection[str]) -> dict[str, Arrangement]:
    """How the rows of those datasets are to lie in files of which a model's head says it."""
    heads = {n: m.head for n, m in known.project.models.items() if n in datasets and (m.head.partition or m.head.sort)}
    by_time = {n: (h.time,) if h.time else () for n, h in heads.items()}
    return {n: Arrangement(expressions(h.partition), h.sort or by_time[n], FILE_BYTES) for n, h in heads.items()}


def model_work(known: Understanding, name: str, house: House, personal: tuple[str, ...]) -> ModelWork:
    """A model, ready to be built."""
    from xde.app.needs import installed

    parameters = {**known.project.settings.parameters, "today": house.clock.now().date()}
    model = known.model(name)
    return ModelWork(
        model,
        known.analyses[name],
        known.schemas[name],
        known.views(name),
        known.reads(name),
        known.checks[name],
        known.checks_digests[name],
        parameters,
        known.view_parameters(known.views(name)),
        personal,
        _time_from(known, name),
        installed(model.python) if model.python is not None else {},
        known.judgings.get(name),
        known.windowings.get(name),
    )


def _time_from(known: Understanding, name: str) -> ColumnRef | None:
    """The column that a model's time is a copy of, seen through views."""
    source = known.identity(name, known.model(name).head.time or "")
    while source is not None and known.is_view(source.dataset):
        source = known.identity(source.dataset, source.column)
    return source


def personal_columns(known: Understanding, name: str) -> tuple[str, ...]:
    """The columns of a dataset that may show a person: as its own contract says, or that are made from such a column."""
    return all_personal(known)[name]


def all_personal(known: Understanding) -> dict[str, tuple[str, ...]]:
    """The personal columns of every dataset, inputs first, so that each is looked at once."""
    found: dict[str, tuple[str, ...]] = {}
    for name in known.order:
        dataset = known.project.datasets[name]
        properties: tuple[Property, ...] = dataset.object.properties if dataset.object else ()
        own = [p.name for p in properties if p.personal]
        if name in known.analyses:
            own += [c.name for c in known.analyses[name].columns if any(r.column in found.get(r.dataset, ()) for r in c.reads)]
        found[name] = tuple(dict.fromkeys(own))
    return found
