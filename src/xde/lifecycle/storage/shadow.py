"""A shadow: a table that begins as another one is, file by file by reference, and goes its own way from there.

Nobody sees it until an environment is pointed at it; the table that it began with is not touched.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding
from xde.kernel.plan.facts import fold_history
from xde.kernel.run.events import Outcome
from xde.lifecycle.storage.port import Commit, DataFile, TableId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.kernel.plan.plan import Step
    from xde.kernel.run.attempt import StepContext
    from xde.lifecycle.storage.pins import Pins
    from xde.lifecycle.storage.port import Snapshot
    from xde.lifecycle.storage.publish import Publisher


def cast_shadow(publisher: Publisher, pins: Pins, step: Step, context: StepContext, personal: tuple[str, ...]) -> Snapshot | None:
    """The step's table, begun as the one that it restates is now; None where there is none such.

    Its first commit says what was known of that one, so that the next run finds what is new since.
    """
    lake = publisher.lake
    of = lake.snapshot(TableId(step.dataset, step.restates))
    if of is None:
        return None
    table = pins.table(step.dataset)
    known = fold_history((r.number, r.facts) for r in reversed(lake.history(of.table)) if r.number <= of.number)
    letters = tuple(str(f) for f in cast("list[str]", known.get("letter_files", [])))
    waiting = tuple(str(f) for f in cast("list[str]", known.get("waiting", [])))
    lake.share(replace(of, files=(*of.files, *(DataFile(f"_letters/{f}", 0, 0) for f in (*letters, *waiting)))), table)
    facts: dict[str, object] = {
        "kind": "restate",
        "run": context.run,
        "step": step.id,
        "fence": context.fence,
        "at": context.at,
        "environment": context.environment,
        "of": [step.restates, of.number],
        "state": known,
        **({"letters": list(letters)} if letters else {}),
        **({"waiting": list(waiting)} if waiting else {}),
    }
    number = lake.commit(Commit(table, of.schema, of.files, (), None, facts, personal))
    publisher.note(table, number, facts, context.environment)
    return pins.renew(step.dataset)


def ours_alone(publisher: Publisher, shadow: Snapshot, context: StepContext) -> None:
    """Raise a finding for a restatement that another run has begun: two backfills at once have taken the same number."""
    dataset, version = shadow.table.dataset, shadow.table.version
    runs = [r.facts["run"] for r in publisher.lake.history(shadow.table) if "run" in r.facts]
    if not runs:
        msg = f"`{version}` of `{dataset}` was begun, and has no rows yet"
        raise TemporaryError(msg)
    if runs[-1] != context.run:
        why = f"run `{runs[-1]}` has begun `{version}` of it, in another environment"
        raise UserError(
            Finding("XDE0768", f"`{dataset}` is computed anew by another backfill at the same time", why=why, hint="do it again")
        )


class CopyPerformer:
    """Performs COPY steps; `personal` are the columns of each dataset that the log keeps no statistics of."""

    def __init__(self, publisher: Publisher, pins: Pins, personal: Mapping[str, tuple[str, ...]]) -> None:
        self._publisher = publisher
        self._pins = pins
        self._personal = personal

    def perform(self, step: Step, context: StepContext) -> Outcome:
        """Begin the table, unless it is there: tables of one version are made from the same inputs."""
        snapshot = self._pins.renew(step.dataset)
        if snapshot is None:
            snapshot = cast_shadow(self._publisher, self._pins, step, context, self._personal.get(step.dataset, ()))
        if snapshot is None:
            msg = f"the table of `{step.dataset}` that was to be copied is gone"
            raise TemporaryError(msg)
        return Outcome(step, "done", rows=snapshot.rows, snapshot=snapshot.number)
