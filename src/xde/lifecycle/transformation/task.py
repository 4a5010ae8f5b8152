"""One step of a build with all that it needs, and what every kind of build does: write, audit, publish."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, cast

from xde.ground.crash import CrashPoint, crash_point
from xde.ground.errors import Bug, DataError, UserError
from xde.ground.findings import Finding
from xde.ground.records import dataclass
from xde.kernel.project.arranging import layout_digest
from xde.kernel.project.declarations import Kind
from xde.kernel.run.events import Outcome
from xde.lifecycle.storage.publish import Publication
from xde.lifecycle.transformation.judging import Bench, Letterbox, asking, judged, refuse, throw_away, together
from xde.lifecycle.transformation.port import Input, Layout

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.kernel.plan.ledger import TableState
    from xde.kernel.plan.plan import Step
    from xde.kernel.run.attempt import StepContext
    from xde.lifecycle.storage.merging import Merger, Rewritten
    from xde.lifecycle.storage.pins import Pins
    from xde.lifecycle.storage.port import DataFile, Lake, Schema, Snapshot
    from xde.lifecycle.storage.publish import Published, Publisher
    from xde.lifecycle.transformation.port import Engine, Query
    from xde.lifecycle.transformation.work import ModelWork


@dataclass(frozen=True, slots=True)
class Task:
    """One step with all that it needs: its inputs pinned, and what is written down of each."""

    step: Step
    context: StepContext
    work: ModelWork
    inputs: Mapping[str, Input]
    read: Mapping[str, list[object]]
    box: Letterbox = field(default_factory=Letterbox)

    def facts(self) -> dict[str, object]:
        """What every commit of the step says."""
        asked = next((r.text for r in self.step.reasons if r.code == "full"), "")
        return {
            "kind": "build",
            "run": self.context.run,
            "step": self.step.id,
            "fence": self.context.fence,
            "at": self.context.at,
            "inputs": dict(self.read),
            "checks_digest": self.work.checks_digest,
            **({"asked": asked} if asked else {}),
            **({"packages": dict(self.work.packages)} if self.work.packages else {}),
        }

    def outcome(self, published: Sequence[Published], files: Sequence[DataFile]) -> Outcome:
        """The step is done."""
        last = published[-1] if published else None
        return Outcome(
            self.step,
            "done",
            rows=sum(f.rows for f in files),
            bytes=sum(f.size for f in files),
            letters=self.box.total,
            snapshot=last.snapshot.number if last else None,
            checks=tuple(r for p in published for r in p.results),
            findings=tuple(dict.fromkeys(w for p in published for w in p.warnings)),
        )


class Means:
    """What builds work with; `local` is the engine beside us, which writes the rows of seeds."""

    def __init__(self, engine: Engine, publisher: Publisher, pins: Pins, merger: Merger, local: Engine | None = None) -> None:
        self.engine = engine
        self.publisher = publisher
        self.pins = pins
        self.merger = merger
        self.local = local or engine

    @property
    def lake(self) -> Lake:
        """Where the tables are."""
        return self.publisher.lake

    def write(self, task: Task, sql: str, bounds: Mapping[str, object], types: Schema | None = None) -> tuple[DataFile, ...]:
        """Compute the rows into fresh files of the model's table, which nobody sees yet.

        Rows of given `types` are on their way to another place, and lie as they come.
        """
        layout = Layout(types=types) if types is not None else self._layout(task)
        folder = self.publisher.lake.folder(self.pins.table(task.step.dataset))
        engine = self.local if task.work.model.head.kind is Kind.SEED else self.engine
        query = task.work.query(sql, bounds)
        if task.work.judging is None:
            files = engine.write(query, task.inputs, folder, layout)
        else:
            files = self._judged(task, query, sql, (folder, layout))
        crash_point(CrashPoint.FILES_WRITTEN)
        return files

    def _judged(self, task: Task, query: Query, sql: str, where: tuple[str, Layout]) -> tuple[DataFile, ...]:
        """As `write`, and the rows that do not pass become letters.

        The whole of a model is computed from the rows that were judged. What is built by time judges the rows of its intervals by
        themselves: its own query may look beyond them.
        """
        judging, bench = task.work.judging, self.bench(task)
        if judging is None:
            raise Bug("nothing is judged in this model")
        try:
            with judged(bench, judging, (query, task.inputs), task.box) as aside:
                refuse(bench, judging, task.box)
                if sql != task.work.model.sql:
                    return self.engine.write(query, task.inputs, *where)
                return self.engine.write(asking(query, judging.sql), {**task.inputs, **aside}, *where)
        except BaseException:
            throw_away(bench.folder, task.box.files)
            raise

    def bench(self, task: Task) -> Bench:
        """Where the step's rows are judged."""
        model = task.work.model
        folder = self.publisher.lake.folder(self.pins.table(task.step.dataset))
        time = model.head.time if model.head.kind is Kind.INCREMENTAL else None
        return Bench(folder, self.engine, self.local, model.name, model.path, task.context.run, task.context.at, time)

    def _letters(self, task: Task, facts: Mapping[str, object]) -> dict[str, object]:
        """What the next commit says of letters; nothing where no row was judged.

        They are those of all rows that the table has now, or of the intervals; a model that appends adds to them.
        """
        box, head = task.box, task.work.model.head
        if task.work.judging is None or not (box.accounts or facts.get("full")):
            return {}
        told: dict[str, object] = {"validated": [a.fact() for a in box.accounts]}
        if head.kind is Kind.INCREMENTAL and head.time and not facts.get("full"):
            state = self.state(task)
            there = cast("list[str]", state.facts.get("letter_files", [])) if state else []
            time = next(c for c in task.work.judging.relations[0].types if c.name == head.time)
            files = together(self.bench(task), box, there, time)
            if files is None:
                return told
            throw_away(self.bench(task).folder, box.files)
            box.files = list(files)
        adds = head.kind is Kind.APPEND and not facts.get("full")
        return {**told, "letters": [f.path for f in box.files], **({} if adds else {"letters_replace": True})}

    def _layout(self, task: Task) -> Layout:
        arranged, time = self.merger.arrangement(task.step.dataset), task.work.model.head.time
        sort = arranged.sort or ((time,) if time else ())
        return Layout(sort=sort, types=task.work.types, partition=arranged.partition, file_bytes=arranged.file_bytes)

    def state(self, task: Task) -> TableState | None:
        """What is known of the model's table."""
        table = self.pins.table(task.step.dataset)
        key = (table.dataset, table.version)
        return self.publisher.ledger.states([key]).get(key)

    def publish(
        self, task: Task, rewritten: Rewritten, new: Sequence[DataFile], before: Snapshot | None, facts: Mapping[str, object]
    ) -> Published:
        """Audit the new files, and publish all of them by one commit; with them the letters that were made since the last one."""
        letters = self._letters(task, facts)
        publication = Publication(
            self.pins.table(task.step.dataset),
            task.work.types,
            rewritten.adds,
            new,
            rewritten.removes,
            before,
            {**task.facts(), "rows_out": sum(f.rows for f in new), **facts, **letters, **_laid(task, facts)},
            task.work.checks,
            personal=task.work.personal,
        )
        try:
            published = self.publisher.publish(publication, self.pins, task.context.environment)
        except DataError:  # of a check: there is no commit that names them
            throw_away(self.publisher.lake.folder(publication.table), task.box.files)
            raise
        task.box.emptied()
        return published


def _laid(task: Task, facts: Mapping[str, object]) -> dict[str, object]:
    """A commit that replaces all of a table says how its rows lie now."""
    return {"layout": layout_digest(task.work.model.head)} if facts.get("full") or task.step.arranges else {}


def inputs_of(work: ModelWork, pins: Pins) -> dict[str, Input]:
    """The pinned files of all that a model reads, seen through views. An input that was never built raises `UserError`."""
    inputs: dict[str, Input] = {}
    for name in work.reads:
        snapshot = pins.snapshot(name)
        if snapshot is None:
            raise UserError(
                Finding(
                    "XDE0723",
                    f"`{work.model.name}` reads `{name}`, which has never been built here",
                    span=work.analysis.references.get(name),
                    hint=f"build it first: `xde run {name}`",
                )
            )
        inputs[name] = Input(snapshot.schema, snapshot.paths)
    return inputs
