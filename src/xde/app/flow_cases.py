"""Cases of flow functions: a call over tables of rows that are given, with no model and no contract around it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xde.app.flows import book_of
from xde.app.subjects import moment
from xde.ground.errors import UserError
from xde.ground.findings import Finding, Findings
from xde.ground.names import did_you_mean, quoted, quoted_name
from xde.kernel.graph.flows.expanding import expand
from xde.undercurrents.engineering.testing.case import FLOW
from xde.undercurrents.engineering.testing.exercising import Subject, Verdict, exercise
from xde.undercurrents.engineering.testing.guessing import types_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from xde.app.understanding import Understanding
    from xde.kernel.graph.flows.book import FlowBook
    from xde.undercurrents.engineering.testing.case import Case
    from xde.undercurrents.engineering.testing.sandbox import Sandbox

_SCHEMA = "xde_flow"  # of tables that are given without a schema
_BOOKS: dict[tuple[str, str], FlowBook] = {}  # of the project that was asked for last, as it was then


@dataclass(slots=True)
class FlowBench:
    """The flows that a project may call, and what they give; `sandbox` and `now` are those of the house."""

    known: Understanding
    sandbox: Sandbox
    now: datetime

    def wrong(self, case: Case) -> Finding | None:
        """A finding for a case of a flow that there is not."""
        name = case.dataset.removeprefix(FLOW)
        names = self.book().names
        if name.lower() in names:
            return None
        hint = did_you_mean(name, names) or f"write `flows/{name}.py`, or mend the name"
        return Finding("XDE0912", f"there is no flow `{name}`", case.dataset_span, "nobody offers it", hint=hint)

    def book(self) -> FlowBook:
        """All flows; what is wrong with files of flows was told when the project was read."""
        project = self.known.project
        key = (str(project.root), project.digest)
        if key not in _BOOKS:
            _BOOKS.clear()
            _BOOKS[key] = book_of(project.flows, project.root, Findings())
        return _BOOKS[key]

    def verdict(self, case: Case, file_of: Mapping[str, str]) -> Verdict:
        """Ask the call over what is given. A call that is refused may be what is expected (`finding`)."""
        wrong = self.wrong(case)
        if wrong is not None:
            return Verdict(findings=(wrong,))
        only = case.rounds[0]
        made = expand(f"SELECT * FROM {case.call}", self.book())
        told = [Finding(f.code, f"{f.message}", case.span, "this case", f.why, f.hint) for f in made.faults]
        name = case.dataset.removeprefix(FLOW)
        if made.expansion is None or (not told and name.lower() not in made.expansion.flows):
            why = f"`call: {case.call}` calls another, or none"
            told = [Finding("XDE0903", f"the case does not call `{name}`", case.span, "this case", why, f"write `call: {name}(...)`")]
        if only.expect.finding is not None:
            return Verdict(findings=_expected(case, only.expect.finding, told), sql=case.call or "")
        if told:
            return Verdict(findings=tuple(told), sql=case.call or "")
        try:
            subject, placed = self._subject(case, made.sql)
        except UserError as error:
            return Verdict(findings=tuple(error.findings))
        with self.sandbox.scratch() as scratch:
            return exercise(scratch, subject, placed, file_of)

    def _subject(self, case: Case, sql: str) -> tuple[Subject, Case]:
        """The call as a model of the tables that are given, and the case with their places; CTEs give them the names that the call uses."""
        only = case.rounds[0]
        places = {n: n if "." in n else f"{_SCHEMA}.{n}" for n in only.given}
        inputs = {places[n]: self._types(case, n) for n in only.given}
        bare = [f"{quoted(n)} AS (SELECT * FROM {quoted_name(p)})" for n, p in places.items() if n != p]
        text = f"WITH {', '.join(bare)}\n{sql}" if bare else sql
        values = {"today": (moment(case, case.now) or self.now).date(), **self.known.project.settings.parameters}
        used = tuple(p for p in {**values, **case.parameters} if re.search(rf"\$\s*{re.escape(p)}\b", sql))
        name = case.dataset.removeprefix(FLOW)
        objects = {p: d.object for p in inputs if (d := self.known.project.datasets.get(p)) is not None}
        subject = Subject(name, text, {}, inputs, objects, parameters=values, used=used, reads={name: tuple(inputs)}, stored=False)
        return subject, replace(case, rounds=(replace(only, given={places[n]: t for n, t in only.given.items()}),))

    def _types(self, case: Case, name: str) -> dict[str, str]:
        said = dict(case.types.get(name, {}))
        if name in self.known.schemas:
            return {c.name: c.type for c in self.known.schemas[name]} | said
        table = case.rounds[0].given[name]
        found = types_of(table) | said
        if not found or (table.parquet is not None and not said):
            hint = f"say them: `types: {{{name}: {{id: BIGINT}}}}`"
            raise UserError(Finding("XDE0903", f"nobody knows the columns of `{name}`", table.span or case.span, "no columns", "", hint))
        return found


def _expected(case: Case, code: str, told: list[Finding]) -> tuple[Finding, ...]:
    if any(f.code == code for f in told):
        return ()
    why = "; ".join(f"{f.code} {f.message}" for f in told) or "nothing was told: the call can be made"
    expect = case.rounds[0].expect
    return (Finding("XDE0913", f"`{code}` was expected, and nobody told it", expect.span or case.span, "expected", why), *told)
