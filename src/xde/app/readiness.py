"""Whether an environment can run what is to be deployed to it: its engine takes the queries, what the project needs can be imported."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from xde.app.dependencies import declared, not_imported
from xde.app.needs import unmet
from xde.ground.errors import UserError
from xde.ground.findings import Finding, Findings
from xde.ground.spans import Span
from xde.lifecycle.storage.port import Column
from xde.lifecycle.transformation.port import Input, Query

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from xde.app.understanding import Understanding
    from xde.app.wiring import House


def must_be_ready(house: House, known: Understanding, root: Path) -> None:
    """Raise `UserError` with everything that keeps the models that would change from running in the environment."""
    pointers = house.ledger.pointers(house.environment)
    changed = [n for n in known.order if n in known.analyses and pointers.get(n) != known.versions[n]]
    findings = Findings()
    _bind(house, known, changed, findings)
    findings.extend(unmet(house, known, changed))
    _import(root, findings)
    if findings.errors:
        raise UserError(*findings.errors)


def _bind(house: House, known: Understanding, models: Collection[str], findings: Findings) -> None:
    """The engine that understood the project may have been another one: that of one's own environment."""
    if not models:
        return
    now = house.clock.now()
    moment = now.replace(tzinfo=None)
    given = {**known.project.settings.parameters, "today": now.date(), "start": moment, "end": moment}
    with house.local.describing() as columns:
        for name in models:
            model = known.model(name)
            if model.python is not None:
                continue
            inputs = {n: Input(tuple(Column(c.name, c.type) for c in known.schemas[n])) for n in known.upstream[name]}
            query = Query(model.sql, {p: given[p] for p in known.analyses[name].parameters})
            try:
                columns(query, inputs)
            except UserError as error:
                why = "; ".join(": ".join(filter(None, (f.message, f.why))) for f in error.findings)
                hint = f"`{house.environment}` keeps what it shows; write what its engine `{house.engine.dialect}` takes"
                findings.add(Finding("XDE0978", f"`{name}` does not bind in `{house.environment}`", Span(model.path), why=why, hint=hint))


def _import(root: Path, findings: Findings) -> None:
    for dependency, words in not_imported(sys.executable, declared(root)):
        why = "\n".join(words.strip().splitlines()[-4:])
        hint = f"install it where xde runs: `python -m pip install --requirement {dependency.span.path}`"
        findings.add(Finding("XDE0979", f"`{dependency.name}` cannot be imported", dependency.span, why=why, hint=hint))
