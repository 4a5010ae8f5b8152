"""A column that a source no longer gives: who reads it, and who answers for them, told with the finding; and where its contract says so."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xde.app.impact import impact_of
from xde.ground.errors import UserError
from xde.ground.names import listed
from xde.kernel.project.declarations import SourceDataset

if TYPE_CHECKING:
    from xde.app.impact import Impact
    from xde.app.understanding import Understanding
    from xde.ground.findings import Finding
    from xde.ground.spans import Span
    from xde.kernel.plan.plan import Step
    from xde.kernel.run.attempt import Performer
    from xde.kernel.run.events import Outcome
    from xde.kernel.run.runner import StepContext

CODES = frozenset({"XDE0345", "XDE0411", "XDE0417", "XDE0482"})  # a column is missing, or may have another name
PLACED = {**dict.fromkeys(("XDE0411", "XDE0412", "XDE0423"), "schemaChange"), "XDE0420": "deadLetter"}
"""What a word of the contract decides."""
NO_VALUE = "XDE0152"  # of a secret, which a server of the contract names
SHOWN = 3  # readers that are named
_NAMED = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class ReadersTold:
    """Performs loads as another does; what is told of a column that is missing says also who reads it."""

    performer: Performer
    known: Understanding

    def perform(self, step: Step, context: StepContext) -> Outcome:
        """As the other does it."""
        try:
            outcome = self.performer.perform(step, context)
        except UserError as error:
            if not any(f.code in CODES or f.code in PLACED or f.code == NO_VALUE for f in error.findings):
                raise
            raise type(error)(*(self._with_readers(step.dataset, f) for f in error.findings)) from None
        if not any(f.code in CODES for f in outcome.findings):
            return outcome
        return replace(outcome, findings=tuple(self._with_readers(step.dataset, f) for f in outcome.findings))

    def _place(self, dataset: str, code: str) -> Span | None:
        """Where the contract says what is done about it, or how it would."""
        reading, source = self.known.readings[dataset], self.known.project.datasets[dataset]
        if code == NO_VALUE:
            server = reading.ask.place if reading.ask is not None else reading.store
            return server.span if server is not None else None
        if code not in PLACED or not isinstance(source, SourceDataset):
            return None
        said = source.object.custom.get(PLACED[code])
        return said.span if said is not None else source.object.span

    def _with_readers(self, dataset: str, finding: Finding) -> Finding:
        finding = replace(finding, span=finding.span or self._place(dataset, finding.code))
        if finding.code not in CODES:
            return finding
        named = set(_NAMED.findall(finding.message))
        columns = [f.name for f in self.known.readings[dataset].fields if f.source_name in named]
        told = [t for c in columns if (t := _readers(c, impact_of(self.known, dataset, c)))]
        return replace(finding, why="; ".join([*([finding.why] if finding.why else []), *told]))


def _readers(column: str, impact: Impact) -> str:
    """`phone` is read by `marts.calls` (`phone`; anna) and 2 more."""
    if not impact.consumers:
        return ""
    first = []
    for consumer in impact.consumers[:SHOWN]:
        into = ", ".join(f"`{c}`" for c in consumer.columns) or "its rows"
        owners = f"; {', '.join(consumer.owners)}" if consumer.owners else ""
        first.append(f"`{consumer.dataset}` ({into}{owners})")
    more = len(impact.consumers) - len(first) + len(impact.further)
    return f"`{column}` is read by {listed([*first, *([f'{more} more'] if more else [])])}"
