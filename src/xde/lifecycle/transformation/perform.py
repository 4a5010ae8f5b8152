"""A build, done: compute a model's rows aside, audit them, publish them by one commit a batch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from xde.ground.crash import CrashPoint, crash_point
from xde.ground.errors import DataError
from xde.ground.findings import Finding
from xde.kernel.plan.versions import meaning
from xde.kernel.project.declarations import Kind
from xde.kernel.run.metering import meter
from xde.lifecycle.storage.merging import Going, Rewritten
from xde.lifecycle.storage.port import Snapshot, TableId
from xde.lifecycle.storage.shadow import cast_shadow, ours_alone
from xde.lifecycle.transformation.by_time import ByTime
from xde.lifecycle.transformation.by_window import ByWindow
from xde.lifecycle.transformation.history import Histories
from xde.lifecycle.transformation.reach import pinned_input
from xde.lifecycle.transformation.task import Means, Task, inputs_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from xde.kernel.plan.plan import Step
    from xde.kernel.run.events import Outcome
    from xde.kernel.run.runner import StepContext
    from xde.lifecycle.storage.merging import Merger
    from xde.lifecycle.storage.pins import Pins
    from xde.lifecycle.storage.port import DataFile, Lake
    from xde.lifecycle.storage.publish import Published, Publisher
    from xde.lifecycle.transformation.port import Engine, Input
    from xde.lifecycle.transformation.work import ModelWork


class BuildPerformer:
    """Performs BUILD steps of every kind of model; `local` is the engine beside us, which writes the rows of seeds."""

    def __init__(
        self, engine: Engine, publisher: Publisher, pins: Pins, work: Mapping[str, ModelWork], merger: Merger, local: Engine | None = None
    ) -> None:
        self._means = Means(engine, publisher, pins, merger, local)
        self._publisher = publisher
        self._pins = pins
        self._work = work

    def perform(self, step: Step, context: StepContext) -> Outcome:
        """Build the step's model; `Outcome.rows` are the rows computed."""
        work = self._work[step.dataset]
        before = self._pins.renew(step.dataset)
        task = Task(step, context, work, inputs_of(work, self._pins), {n: pinned_input(self._pins, n) for n in work.reads})
        _given(self._pins.snapshot(n) for n in work.reads)
        if before is not None and step.restates:
            ours_alone(self._publisher, before, context)
        elif step.restates and not step.full:
            before = cast_shadow(self._publisher, self._pins, step, context, work.personal)
        if step.arranges and before is not None:
            arranged = self._arrange(task, before)
            if step.only_arranges:
                return task.outcome([arranged], ())
            before = arranged.snapshot
        match work.model.head.kind:
            case Kind.INCREMENTAL:
                return self._incremental(task, before)
            case Kind.APPEND:
                return self._append(task, before)
            case Kind.HISTORY:
                return Histories(self._means).build(task, before)
            case Kind.TABLE | Kind.VIEW | Kind.SEED | Kind.EPHEMERAL:
                return self._whole(task, before)

    def _incremental(self, task: Task, before: Snapshot | None) -> Outcome:
        if task.work.windowing is not None:
            return ByWindow(self._means).build(task, before)
        if task.work.model.head.time:
            return ByTime(self._means).build(task, before)
        return self._by_key(task, before)

    def _arrange(self, task: Task, before: Snapshot) -> Published:
        """Write the files anew, as rows are to lie now: no row changes, and nobody downstream sees a difference."""
        rewritten = self._means.merger.rearrange(before)
        crash_point(CrashPoint.ARRANGED)
        facts = {"kind": "compact", "inputs": {}, "intervals": []}
        return self._means.publish(task, rewritten, (), before, facts)

    def _whole(self, task: Task, before: Snapshot | None) -> Outcome:
        files = self._means.write(task, task.work.model.sql, {})
        removes = before.files if before else ()
        return task.outcome([self._means.publish(task, Rewritten(files, removes), files, before, {"full": True})], files)

    def _by_key(self, task: Task, before: Snapshot | None) -> Outcome:
        head = task.work.model.head
        if head.deleted or head.missing == "delete":
            return self._with_deletions(task, before, Going(head.key, head.deleted, head.missing == "delete"))
        if before is None or task.step.full:
            return self._whole(task, before)
        files = self._means.write(task, task.work.model.sql, {})
        rewritten = self._means.merger.merge(before, files, task.work.types, task.work.model.head.key)
        return task.outcome([self._means.publish(task, rewritten, files, before, {})], files)

    def _with_deletions(self, task: Task, before: Snapshot | None, going: Going) -> Outcome:
        """By key, where keys go as well; a run that learns nothing changes no row."""
        table = self._pins.table(task.step.dataset)
        afresh = before is None or task.step.full
        there = Snapshot(table, -1, task.work.types, (), self._publisher.lake.folder(table)) if before is None or afresh else before
        files = self._means.write(task, task.work.model.sql, {}, task.work.types)
        told: Sequence[DataFile] = ()
        try:
            learnt = self._means.merger.merge_and_delete(there, files, task.work.types, going)
            told = learnt.told
        finally:
            self._publisher.discard(table, [*files, *told])
        facts: dict[str, object] = {"full": True} if afresh else {} if told else {"same": True}
        rewritten = replace(learnt.table, removes=before.files) if before is not None and afresh else learnt.table
        return task.outcome([self._means.publish(task, rewritten, learnt.added, before, facts)], learnt.added)

    def _append(self, task: Task, before: Snapshot | None) -> Outcome:
        if before is None or task.step.full:
            return self._whole(task, before)
        files = self._means.write(replace(task, inputs=self._new_rows(task)), task.work.model.sql, {})
        return task.outcome([self._means.publish(task, Rewritten(files, ()), files, before, {})], files)

    def _new_rows(self, task: Task) -> dict[str, Input]:
        """The inputs with, of the first that the model reads, only the files that came since its last build."""
        driving = task.work.reads[0]
        state = self._means.state(task)
        known = cast("Mapping[str, Sequence[object]]", state.facts.get("inputs", {})) if state else {}
        version, number = (*known.get(driving, (None, None)), None)[:2]
        table = self._pins.table(driving)
        if version is None or meaning(str(version)) != meaning(table.version) or number is None:
            return dict(task.inputs)
        then = self._publisher.lake.snapshot(TableId(driving, str(version)), int(str(number)))
        now = self._pins.snapshot(driving)
        if then is None or now is None:
            return dict(task.inputs)
        old = {f.path for f in then.files}
        missing = old - {f.path for f in now.files}
        if missing and (come := _come_since(self._publisher.lake, then, now)) is not None:
            return {**task.inputs, driving: replace(task.inputs[driving], paths=come)}
        if missing:
            raise DataError(
                Finding(
                    "XDE0721",
                    f"`{task.step.dataset}` appends, but rows of `{driving}` that it has read were replaced",
                    why="an `append` model reads each row of its first input once, and cannot take back what it has made of a row",
                    hint=f"rebuild it with `xde run --full {task.step.dataset} --reason WHY`, or make it `kind: incremental` with a `key`",
                )
            )
        fresh = tuple(f"{now.folder}/{f.path}" for f in now.files if f.path not in old)
        return {**task.inputs, driving: replace(task.inputs[driving], paths=fresh)}


def _given(snapshots: Iterable[Snapshot | None]) -> None:
    """Note what a step is given to read."""
    if metered := meter():
        files = [f for s in snapshots if s is not None for f in s.files]
        metered.given(sum(f.rows for f in files), sum(f.size for f in files))


def _come_since(lake: Lake, then: Snapshot, now: Snapshot) -> tuple[str, ...] | None:
    """The files that came between two snapshots of a table, some of whose files were only written anew; None where rows went as well."""
    if then.table != now.table:
        return None
    found: list[str] = []
    for record in sorted(lake.history(now.table, since=then.number), key=lambda r: r.number):
        if record.number > now.number or record.facts.get("kind") == "compact" or not (record.files_added or record.files_removed):
            continue
        before, after = lake.snapshot(now.table, record.number - 1), lake.snapshot(now.table, record.number)
        if record.files_removed or before is None or after is None:
            return None
        there = {f.path for f in before.files}
        found += [f"{after.folder}/{f.path}" for f in after.files if f.path not in there]
    return tuple(found)
