"""`xde test --mutants`: how many deliberate faults the cases catch, and how many more the properties."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xde.app.mutating import mutate
from xde.faces.cli.reports import current
from xde.faces.words.findings import finding_fact
from xde.faces.words.mutants import model_fact, model_text, summary
from xde.undercurrents.engineering.mutants.killing import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.app.mutating import ModelMutants
    from xde.app.testing import TestBench
    from xde.faces.cli.session import Session


@dataclass(frozen=True, slots=True)
class Wanted:
    """From which score on it is good enough, and how much random input properties are tried on, from which seed."""

    at_least: float | None = None
    examples: int = 200
    seed: int = 0


def mutants(session: Session, bench: TestBench, selection: Sequence[str], wanted: Wanted) -> int:
    """Tell of each model as it is done; 1 when cases are faulty, or the score of all together is too low."""
    session.tell_findings(bench.findings if not session.machine else ())
    report = current()
    models = report.mutants
    for found in mutate(bench, selection, wanted.examples, wanted.seed):
        models.append(found)
        if not session.machine:
            session.result(model_text(found, session.ink(), whole=session.verbosity > 0, cells=session.cells()))
    if session.machine:
        session.document({"models": [model_fact(m) for m in models], "findings": [finding_fact(f) for f in bench.findings]})
    else:
        session.result(summary(models, session.ink()))
    report.below = wanted.at_least is not None and _score(models) * 100 < wanted.at_least
    return 1 if report.below or bench.findings or any(m.killing.failing for m in models) else 0


def _score(models: Sequence[ModelMutants]) -> float:
    all_of_them = sum(m.killing.count for m in models)
    return sum(len(m.killing.of(State.KILLED)) for m in models) / all_of_them if all_of_them else 1.0
