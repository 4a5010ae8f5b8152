"""How many deliberate faults in a model its cases notice, and how many more what it guarantees on random input."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xde.app.interrupting import interruptible
from xde.app.places import as_written
from xde.app.properties import Prover
from xde.app.subjects import subject_of, with_queries
from xde.undercurrents.engineering.mutants.cases import CaseTrial
from xde.undercurrents.engineering.mutants.contracts import promises_of
from xde.undercurrents.engineering.mutants.keeping import KeptFates
from xde.undercurrents.engineering.mutants.killing import Manner, State, kill
from xde.undercurrents.engineering.mutants.mutating import mutants_of
from xde.undercurrents.engineering.mutants.randomly import Bound, RandomInput, put_to_properties

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xde.app.testing import TestBench
    from xde.undercurrents.engineering.mutants.killing import Killing
    from xde.undercurrents.engineering.mutants.mutant import Mutant
    from xde.undercurrents.engineering.testing.case import Case

MOST_WORKERS = 4


@dataclass(frozen=True, slots=True)
class ModelMutants:
    """What became of the mutants of a model: `path` is its file, whose line `first_line` is the first of the SQL."""

    dataset: str
    path: str
    first_line: int
    killing: Killing
    seconds: float


def mutate(bench: TestBench, selection: Sequence[str], examples: int = 200, seed: int = 0) -> Iterator[ModelMutants]:
    """Put the mutants of models to their cases, and those that live to random input: of what is named, else of all that have cases.

    Raises `UserError` when nothing that is named has cases.
    """
    cases = bench.pick(selection)
    named = dict.fromkeys(c.dataset for c in cases if c.dataset in bench.known.project.models and not bench.known.is_seed(c.dataset))
    wanted = with_queries(bench.known, named, asked=bool(selection))
    prover = Prover(bench.known, bench.house)
    for name in wanted:
        begun = bench.house.clock.monotonic()
        with interruptible(bench.house.session.cancel):
            killing = put_to_the_test(bench, name, bench.cases)
            if killing.of(State.SURVIVED):
                random = RandomInput(bench.house.sandbox, prover.target(name), examples, seed)
                killing = put_to_properties(killing, random, _kept(bench, name, ".properties"), Bound(bench.house.clock.monotonic))
        model = bench.known.model(name)
        yield ModelMutants(name, model.path, model.sql_line, killing, bench.house.clock.monotonic() - begun)


def mutants_of_model(bench: TestBench, dataset: str) -> tuple[Mutant, ...]:
    """The mutants of a SQL model; lines count from that of its SQL, `ModelDataset.sql_line` is where that begins.

    What a flow makes is not changed: it has tests of its own.
    """
    subject, model = subject_of(bench.known, dataset), bench.known.model(dataset)
    found = mutants_of(subject.sql, promises_of(subject.inputs, subject.objects, {n: text for n, (text, _) in subject.views.items()}))
    placed = [(m, as_written(model, m.line, m.column)) for m in found]
    return tuple(replace(m, line=place[0], column=place[1]) for m, place in placed if place is not None)


def put_to_the_test(bench: TestBench, dataset: str, cases: Sequence[Case]) -> Killing:
    """Put the mutants of a SQL model to those of the cases that are its own and that one query tells (`Case.plain`)."""
    own = [c for c in cases if c.dataset == dataset and not bench.in_earnest(c)]
    trials = [CaseTrial(bench.house.sandbox, bench.subject(c), c, bench.file_of(c)) for c in own]
    workers = max(1, min(MOST_WORKERS, os.cpu_count() or 1))
    manner = Manner(workers, _kept(bench, dataset), bench.house.session.cancel)
    return kill(bench.known.model(dataset).sql, mutants_of_model(bench, dataset), trials, manner)


def _kept(bench: TestBench, dataset: str, what: str = "") -> KeptFates:
    return KeptFates(bench.root / ".xde" / "cache" / "mutants", dataset + what, bench.known.model(dataset).sql)
