"""Which branches of the models the cases of a project reach: the inputs of each case, put to the model's probes in a sandbox."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from xde.app.interrupting import interruptible
from xde.app.places import as_written
from xde.app.subjects import at, moment, subject_of, with_queries
from xde.ground.errors import UserError
from xde.undercurrents.engineering.coverage.branch import Branch, RuledOut, Unprobed
from xde.undercurrents.engineering.coverage.covering import Coverage, Refused, Tally, annotated
from xde.undercurrents.engineering.coverage.probing import survey
from xde.undercurrents.engineering.coverage.promises import Promise, promise_of
from xde.undercurrents.engineering.testing.case import Table
from xde.undercurrents.engineering.testing.exercising import asked_of, give
from xde.undercurrents.engineering.testing.sandbox import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xde.app.testing import TestBench
    from xde.ground.findings import Finding
    from xde.kernel.project.declarations import ModelDataset
    from xde.undercurrents.engineering.coverage.covering import Line
    from xde.undercurrents.engineering.coverage.probing import Probe
    from xde.undercurrents.engineering.testing.case import Case
    from xde.undercurrents.engineering.testing.exercising import Subject
    from xde.undercurrents.engineering.testing.sandbox import Scratch


Part = TypeVar("Part", Branch, Unprobed, RuledOut)


@dataclass(frozen=True, slots=True)
class ModelCoverage:
    """What the cases of a model reach of it.

    `lines` are those of its SQL, whose first is line `first` of the file; `findings` tell of cases whose rows cannot be given.
    """

    dataset: str
    path: str
    first: int
    cases: int
    coverage: Coverage
    lines: tuple[Line, ...]
    findings: tuple[Finding, ...] = ()


def cover(bench: TestBench, selection: Sequence[str]) -> tuple[ModelCoverage, ...]:
    """The coverage of every model that is meant, by the cases that are meant; all models when nothing is asked."""
    cases = bench.pick(selection)
    models = {n: m for n, m in bench.known.project.models.items() if not bench.known.is_seed(n)}
    names = dict.fromkeys(c.dataset for c in cases) if selection else sorted(models)
    wanted = with_queries(bench.known, (n for n in names if n in models), asked=bool(selection))
    return tuple(_cover(bench, models[n], [c for c in cases if c.dataset == n]) for n in wanted)


def _cover(bench: TestBench, model: ModelDataset, cases: Sequence[Case]) -> ModelCoverage:
    tally = Tally(survey(model.sql, promises_of(subject_of(bench.known, model.name))))
    findings: list[Finding] = []
    for case in cases if tally.survey.probes else ():
        try:
            with interruptible(bench.house.session.cancel), bench.house.sandbox.scratch() as scratch:
                for subject, given in _moments(bench, case):
                    give(scratch, subject, given, bench.file_of(case))
                    _take(tally, scratch, subject, (case, given))
        except UserError as error:
            findings += error.findings
    coverage = _own(model, tally.coverage())
    return ModelCoverage(model.name, model.path, model.sql_line, len(cases), coverage, annotated(model.written, coverage), tuple(findings))


def _own(model: ModelDataset, coverage: Coverage) -> Coverage:
    """What is the model's own, at its own places: the branches inside of a flow are not its author's to reach."""
    if model.expansion is None:
        return coverage

    def placed(parts: Sequence[Part]) -> tuple[Part, ...]:
        places = [(p, as_written(model, p.line, p.column)) for p in parts]
        return tuple(replace(p, line=place[0], column=place[1]) for p, place in places if place is not None)

    branches = placed(coverage.branches)
    return Coverage(branches, {b.id: coverage.hits[b.id] for b in branches}, placed(coverage.unprobed), placed(coverage.ruled_out))


def promises_of(subject: Subject) -> dict[str, Promise]:
    """What the contracts of a model's inputs promise; a view without one carries on what its own inputs promise."""
    found: dict[str, Promise] = {}
    for name in subject.inputs:
        promised = subject.objects.get(name)
        if promised is not None:
            required = frozenset(p.name.lower() for p in promised.properties if p.required or p.primary_key)
            unique = [frozenset([p.name.lower()]) for p in promised.properties if p.unique]
            key = frozenset(c.lower() for c in promised.key)
            found[name.lower()] = Promise(required, tuple(k for k in (key, *unique) if k))
    for name, (text, _) in subject.views.items():
        if subject.objects.get(name) is None:
            found[name.lower()] = promise_of(text, found)
    return found


def _take(tally: Tally, scratch: Scratch, subject: Subject, around: tuple[Case, Mapping[str, Table]]) -> None:
    case, given = around

    def ask(probe: Probe) -> Sequence[object] | Refused:
        try:
            return scratch.ask(asked_of(replace(subject, used=probe.parameters), case, probe.sql, given)).rows[0]
        except QueryError as error:
            return Refused(str(error))

    tally.take(ask, case.cte)


def _moments(bench: TestBench, case: Case) -> Iterator[tuple[Subject, Mapping[str, Table]]]:
    """What a model sees in each round of a case: rows that are given take the place of earlier ones, rows that are added join them."""
    given: dict[str, Table] = {}
    for part in case.rounds:
        given.update(part.given)
        for name, table in part.add.items():
            before = given.get(name)
            given[name] = Table((*before.rows, *table.rows), span=table.span) if before and not before.parquet else table
        now = moment(case, part.now or case.now) or bench.house.clock.now()
        yield at(bench.subject(case), now, bench.known), dict(given)
