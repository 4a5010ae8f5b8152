"""`xde test --mutants`: how many deliberate faults the cases catch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.app.mutating import mutate
from xde.faces.words.findings import finding_fact
from xde.faces.words.mutants import model_fact, model_text, summary
from xde.undercurrents.engineering.mutants.killing import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.app.mutating import ModelMutants
    from xde.app.testing import TestBench
    from xde.faces.cli.session import Session


def mutants(session: Session, bench: TestBench, selection: Sequence[str], at_least: float | None) -> int:
    """Tell of each model as it is done; 1 when cases are faulty, or the score of all together is below `at_least` percent."""
    session.tell_findings(bench.findings if not session.machine else ())
    models: list[ModelMutants] = []
    for found in mutate(bench, selection):
        models.append(found)
        if not session.machine:
            session.result(model_text(found, session.ink(), whole=session.verbosity > 0, cells=session.cells()))
    if session.machine:
        session.document({"models": [model_fact(m) for m in models], "findings": [finding_fact(f) for f in bench.findings]})
    else:
        session.result(summary(models, session.ink()))
    below = at_least is not None and _score(models) * 100 < at_least
    return 1 if below or bench.findings or any(m.killing.failing for m in models) else 0


def _score(models: Sequence[ModelMutants]) -> float:
    killed = sum(len(m.killing.of(State.KILLED)) for m in models)
    all_of_them = killed + sum(len(m.killing.of(State.SURVIVED)) for m in models)
    return killed / all_of_them if all_of_them else 1.0
