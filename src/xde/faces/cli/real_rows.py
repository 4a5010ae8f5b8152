"""What `xde test` does with real rows: record a case of them, or run the whole graph on a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.cli.reports import current
from xde.faces.words.numbers import amount, count
from xde.faces.words.run import data_did_not_pass, run_fact, run_findings, run_line
from xde.ground.errors import UserError
from xde.ground.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.faces.cli.session import Session


def record(session: Session, selection: Sequence[str], name: str, rows: int) -> int:
    """Record a case of each dataset that is named."""
    if not selection:
        raise UserError(Finding("XDE0915", "nobody says which model to record", hint=f"name it: `xde test --record '{name}' marts.x`"))
    facts = []
    with session.open() as workspace:
        for dataset in selection:
            made = workspace.record(dataset, name, rows=rows)
            facts.append(
                {"dataset": made.dataset, "path": made.path, "name": made.name, "given": dict(made.given), "expected": made.expected}
            )
            given = ", ".join(f"{count(n)} of `{i}`" for i, n in made.given.items())
            text = f"{made.path}: `{made.name}`: {amount(made.expected, 'row')} of `{dataset}` from {given}"
            if not session.machine:
                session.result(text)
    if session.machine:
        session.document({"recorded": facts})
    else:
        session.talk("read it before you keep it: it says what the model does, not what it should do")
    return 0


def smoke(session: Session, rows: int) -> int:
    """Run the graph on a sample; 0 done, 1 a finding, 3 data did not pass."""
    with session.open() as workspace:
        smoked = workspace.smoke(rows=rows)
    finished = smoked.finished
    current().findings += run_findings(finished) if finished is not None else ()
    if session.machine:
        sampled = {n: {"rows": a, "of": b} for n, (a, b) in smoked.sampled.items()}
        session.document({"sampled": sampled, "run": run_fact(finished) if finished else None})
    else:
        sampled_text = ", ".join(f"{count(a)} of {count(b)} rows of `{n}`" for n, (a, b) in smoked.sampled.items())
        session.talk(f"sampled {sampled_text}")
        if finished is not None:
            session.result(run_line(finished, session.ink()))
            session.tell_findings(run_findings(finished))
    if finished is None or finished.status == "done":
        return 0
    return 3 if data_did_not_pass(finished.outcomes) else 1
