"""A load, done: read the new files aside, audit what was accepted, publish rows, letters and cursor in one commit."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from xde.ground.crash import CrashPoint, crash_point
from xde.ground.errors import Bug, DataError, UserError
from xde.kernel.plan.checks import Action, CheckKind, CheckResult
from xde.kernel.run.events import Outcome
from xde.kernel.run.metering import meter
from xde.lifecycle.ingestion.at_the_door import held_later
from xde.lifecycle.ingestion.capturing import Finishing, bounded_by_nothing, placed, without_gone
from xde.lifecycle.ingestion.changed_columns import changed, missing
from xde.lifecycle.ingestion.from_tables import Given, abandon, aside, fetched, known_of, read_aside, sampled, settle
from xde.lifecycle.ingestion.hashing import hashed_with, keys_of
from xde.lifecycle.ingestion.port import FileToLoad, LoadJob, Merging
from xde.lifecycle.ingestion.push import landed
from xde.lifecycle.ingestion.snapshots import Difference, job_of
from xde.lifecycle.sources.tables import position_of
from xde.lifecycle.storage.merging import Rewritten
from xde.lifecycle.storage.publish import Publication

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from xde.ground.findings import Finding
    from xde.kernel.plan.checks import Check
    from xde.kernel.plan.plan import Step
    from xde.kernel.run.runner import StepContext
    from xde.lifecycle.ingestion.declare import Reading
    from xde.lifecycle.ingestion.from_tables import Tables
    from xde.lifecycle.ingestion.port import Field, Loaded, Loader
    from xde.lifecycle.ingestion.snapshots import Compared
    from xde.lifecycle.sources.port import FoundFile
    from xde.lifecycle.sources.tables import Position
    from xde.lifecycle.storage.merging import Merger
    from xde.lifecycle.storage.pins import Pins
    from xde.lifecycle.storage.port import Schema, Snapshot
    from xde.lifecycle.storage.publish import Publisher


NO_COLUMN = "XDE0482"


@dataclass(frozen=True, slots=True)
class SourceWork:
    """All that loading one dataset needs to know: how it is read, its checks, and its files as the plan found them."""

    reading: Reading
    checks: tuple[Check, ...]
    checks_digest: str
    found: Mapping[str, FoundFile]
    personal: tuple[str, ...]
    stored: Schema
    hashed_with: Mapping[str, str] = field(default_factory=dict)  # of what was pushed: the fingerprints of the keys it was hashed with


class LoadPerformer:
    """Performs LOAD steps."""

    def __init__(
        self, loader: Loader, publisher: Publisher, pins: Pins, work: Mapping[str, SourceWork], merger: Merger, tables: Tables | None = None
    ) -> None:
        self._loader = loader
        self._publisher = publisher
        self._pins = pins
        self._work = work
        self._merger = merger
        self._tables = tables

    def perform(self, step: Step, context: StepContext) -> Outcome:
        """Load the step's files; `Outcome.rows` are the accepted rows of this load, `letters` its dead letters.

        Files that are merged are loaded one after the other, a commit each: of two deliveries of a key the later one holds.
        """
        reading = self._work[step.dataset].reading
        if reading.ask is not None and reading.ask.in_batches:
            outcomes = self._by_batches(step, context)
        elif (reading.write_mode != "merge" and reading.compared is None) or len(step.files) < 2:
            return self._load(step, context)[0]
        else:
            outcomes = [self._load(replace(step, files=(f,), full=step.full and not n), context)[0] for n, f in enumerate(step.files)]
        return replace(
            outcomes[-1],
            step=step,
            rows=sum(o.rows for o in outcomes),
            bytes=sum(o.bytes for o in outcomes),
            letters=sum(o.letters for o in outcomes),
            findings=tuple(dict.fromkeys(f for o in outcomes for f in o.findings)),
            changes=tuple(c for o in outcomes for c in o.changes),
        )

    def _by_batches(self, step: Step, context: StepContext) -> list[Outcome]:
        """Changes in their order, a commit for each batch, up to where the source was when the first was read."""
        outcome, more = self._load(step, context)
        outcomes = [outcome]
        while more:
            outcome, more = self._load(replace(step, full=False), context, going_on=True)
            outcomes.append(outcome)
        return outcomes

    def _load(self, step: Step, context: StepContext, *, going_on: bool = False) -> tuple[Outcome, bool]:
        """One commit, and whether there is more to read. A column that a database has no more may be there under another name."""
        try:
            return self._load_once(step, context, going_on=going_on)
        except UserError as error:
            if all(f.code != NO_COLUMN for f in error.findings):
                raise
            raise UserError(*(self._offered(step, context, error) or error.findings)) from None

    def _offered(self, step: Step, context: StepContext, error: UserError | None = None) -> tuple[Finding, ...]:
        """What lacks in a table that is read and may have got another name, by a few of its rows."""
        work = self._work[step.dataset]
        if work.reading.ask is None or not work.reading.ask.is_table or self._tables is None:
            return ()
        before = self._pins.snapshot(step.dataset)
        folder = self._publisher.lake.folder(self._pins.table(step.dataset))
        keys = keys_of(work.reading, self._tables, {})
        with sampled(self._tables, work.reading.ask) as file:
            if file is None:
                return ()
            job = replace(self._job(step, context, work, folder, before, [file]), keys=keys, merging=None)
            return self._loader.offered(job, file.found, error)

    def _load_once(self, step: Step, context: StepContext, *, going_on: bool = False) -> tuple[Outcome, bool]:
        work = self._work[step.dataset]
        table = self._pins.table(step.dataset)
        before = self._pins.renew(step.dataset)
        lake = self._publisher.lake
        replacing = step.full or work.reading.write_mode == "replace"
        known = known_of(self._publisher, before)
        keys = keys_of(work.reading, self._tables, {} if replacing else known)
        bare = replace(self._job(step, context, work, lake.folder(table), before, ()), keys=keys)
        finish = Finishing(work.reading, self._merger, before, partial(self._loader.kept, bare))
        with self._given(step, work, position_of(known), finish, going_on=going_on) as given:
            job = replace(bare, files=given.files, mark=finish.mark)
            anew = step.full or work.reading.write_mode == "replace" or given.anew
            loaded, compared = self._loaded(work, job, before, anew=step.full)
            if work.reading.ask is not None:
                loaded = replace(loaded, accounts=(given.accounted(work.reading.ask, loaded),))
            columns = changed(work.reading, known, loaded)
            ask = work.reading.ask
            news = self._offered(step, context) if columns.missing and before and ask is not None and not ask.every else ()
            rewritten = compared.table if compared is not None else self._rewritten(work, before, loaded, given, replacing=anew)
        crash_point(CrashPoint.FILES_WRITTEN)
        if metered := meter():
            metered.given(sum(a.records for a in loaded.accounts), sum(a.size for a in loaded.accounts))
        publication = Publication(
            table,
            compared.schema if compared is not None else loaded.schema,
            rewritten.adds,
            compared.fresh if compared is not None else loaded.files if rewritten.adds else (),
            rewritten.removes,
            before,
            {
                **self._facts(step, context, work, loaded),
                **hashed_with(work.reading, keys),
                **given.facts,
                **({"same": True} if given.idle(before, rewritten) or (compared is not None and before and not compared.rows) else {}),
                **({"changes": dict(compared.counts)} if compared is not None else {}),
            },
            tuple(c for c in work.checks if not in_flight(c)),
            tuple(_counted(c, loaded, work.reading) for c in work.checks if in_flight(c)),
            work.personal,
        )
        try:
            published = self._publisher.publish(publication, self._pins, context.environment)
        except DataError:  # the audit says it, before the commit
            abandon(self._tables, given.begun)
            raise
        if work.reading.ask is not None and work.reading.ask.in_batches and self._tables is not None:
            settle(self._tables, placed(work.reading.ask, given.position, lake.folder(table), anew=False), given.position)
        findings = (
            *published.warnings,
            *given.findings,
            *loaded.findings,
            *(compared.findings if compared is not None else ()),
            *(finish.findings(work.reading.ask) if work.reading.ask is not None else ()),
        )
        outcome = Outcome(
            step,
            "done",
            rows=loaded.accepted if compared is None else compared.rows,
            bytes=sum(f.size for f in rewritten.adds),
            letters=loaded.letters,
            snapshot=published.snapshot.number,
            checks=published.results,
            findings=(*findings, *columns.findings(work.reading), *news),
            changes=columns.changes,
        )
        return outcome, given.more

    def _given(
        self, step: Step, work: SourceWork, position: Position | None, finish: Finishing, *, going_on: bool
    ) -> AbstractContextManager[Given]:
        """The files of a step: those that it names, or those that a database is asked for now, from a position on."""
        ask, store = work.reading.ask, work.reading.store
        if ask is None:
            files = [FileToLoad(work.found[f.path], f.digest) for f in step.files]
            private = work.reading.private
            return fetched(self._tables, store, files, private=private) if store is not None else nullcontext(Given(files, {}))
        if self._tables is None:
            raise Bug("nobody can open a database here")
        anew = step.full or work.reading.write_mode == "replace"
        if ask.capture is not None:
            ask = placed(ask, position, self._publisher.lake.folder(self._pins.table(step.dataset)), anew=anew)
        if ask.stream is not None and anew:
            ask = ask.instead_of(position)
        if ask.in_batches and not going_on:
            position = bounded_by_nothing(position)
        return read_aside(self._tables, ask, None if anew or work.reading.compared is not None else position, finish)

    def _loaded(self, work: SourceWork, job: LoadJob, before: Snapshot | None, *, anew: bool) -> tuple[Loaded, Compared | None]:
        """What was read. Of a source that is captured by comparison a whole snapshot, in a folder of its own that is gone at the end."""
        how = work.reading.compared
        if how is None:
            return self._loader.load(job), None
        if self._tables is None:
            raise Bug("there is no room for a snapshot here")
        with aside(self._tables.folder) as scratch:
            loaded = self._loader.load(job_of(job, how, str(scratch)))
            difference = Difference(how, self._merger, work.reading.fields, work.stored, job.at, str(scratch))
            return loaded, difference.against(before, loaded, job.folder, anew=anew)

    def _job(
        self, step: Step, context: StepContext, work: SourceWork, folder: str, before: Snapshot | None, files: Sequence[FileToLoad]
    ) -> LoadJob:
        reading = work.reading
        replacing = step.full or reading.write_mode == "replace"
        appending = not replacing and reading.write_mode == "append"
        return LoadJob(
            dataset=step.dataset,
            run=context.run,
            at=context.at,
            files=files,
            dialect=reading.dialect,
            fields=reading.fields,
            checks=held_later([c for c in work.checks if in_flight(c)], reading.clear),
            folder=folder,
            letters_folder=f"{folder}/_letters",
            schema_change=reading.schema_change,
            limit=reading.limit,
            personal=work.personal,
            existing=before.paths if before is not None and appending else (),
            others=looked_up(work.checks, self._pins, step.dataset, before if not replacing else None),
            evolved=evolved(before, reading.fields) if before is not None and not replacing else (),
            stored=work.stored,
            merging=merging(reading, before if not replacing else None),
            table=before.paths if before is not None else (),
            private=reading.private,
        )

    def _rewritten(self, work: SourceWork, before: Snapshot | None, loaded: Loaded, given: Given, *, replacing: bool) -> Rewritten:
        if before is None:
            return Rewritten(loaded.files, ())
        if replacing:
            return Rewritten(loaded.files, before.files)
        if work.reading.write_mode == "merge" and given.portion is not None and work.reading.ask and work.reading.ask.capture:
            return without_gone(self._merger, before, (loaded.schema, loaded.files), work.reading, given.portion.gone)
        if work.reading.write_mode == "merge":
            return self._merger.merge(before, loaded.files, loaded.schema, work.reading.key)
        return Rewritten(loaded.files, ())

    @staticmethod
    def _facts(step: Step, context: StepContext, work: SourceWork, loaded: Loaded) -> dict[str, object]:
        by_path = {a.path: a for a in loaded.accounts}
        files = [
            {
                "path": f.path,
                "size": f.size,
                "digest": f.digest,
                "changed_ns": work.found[f.path].changed_ns if f.path in work.found else 0,
                "records": by_path[f.path].records,
                "accepted": by_path[f.path].accepted,
                "letters": by_path[f.path].letters,
                "superseded": by_path[f.path].superseded,
                "at": context.at,
            }
            for f in step.files
        ]
        return {
            "kind": "load",
            "run": context.run,
            "step": step.id,
            "fence": context.fence,
            "at": context.at,
            "full": step.full or (work.reading.ask is not None and work.reading.write_mode == "replace"),
            "files": files,
            **({"landed": landed(f.path for f in step.files)} if work.reading.push is not None else {}),
            **({"hashed_with": dict(work.hashed_with)} if work.hashed_with else {}),
            "letters": list(loaded.letter_files),
            "rows_in": sum(a.records for a in loaded.accounts),
            "rows_out": loaded.accepted,
            "superseded": loaded.superseded,
            "checks_digest": work.checks_digest,
            **({"new_columns": {c.name: c.type for c in loaded.new_columns}} if loaded.new_columns else {}),
            **missing(work.reading, loaded),
        }


def in_flight(check: Check) -> bool:
    """Whether the loader itself holds a check, by making dead letters: the rows that it accepts satisfy it."""
    return check.action is Action.DEAD_LETTER and check.kind in {CheckKind.ROW, CheckKind.UNIQUE, CheckKind.REFERENCE}


def looked_up(checks: Sequence[Check], pins: Pins, dataset: str, before: Snapshot | None) -> dict[str, tuple[Schema, tuple[str, ...]]]:
    """What references held in flight look up, by dataset; of a table that refers to itself the rows there that stay."""
    names = {c.to_dataset for c in checks if in_flight(c) and c.kind is CheckKind.REFERENCE}
    found = {n: before if n == dataset else pins.snapshot(n) for n in names}
    return {n: (s.schema, s.paths) for n, s in found.items() if s is not None}


def evolved(before: Snapshot, fields: Sequence[Field]) -> Schema:
    """The columns that a table has and its contract does not: they came by the policy `evolve`."""
    known = {f.name.casefold() for f in fields}
    return tuple(c for c in before.schema if c.name.casefold() not in known)


def merging(reading: Reading, before: Snapshot | None) -> Merging | None:
    """How records of one key are told apart, where they are merged."""
    if reading.write_mode != "merge":
        return None
    return Merging(reading.key, reading.version, (before.schema, before.paths) if before is not None else None)


def _counted(check: Check, loaded: Loaded, reading: Reading) -> CheckResult:
    """The result of a check held in flight: it passes, for what failed it was not accepted, or gave way to another record of its key."""
    told = f"{loaded.failing.get(check.id, 0)} dead letters"
    if reading.write_mode == "merge" and check.kind is CheckKind.UNIQUE and check.columns == reading.key:
        told = f"{loaded.superseded} superseded"
    return CheckResult(check, passed=True, failing=0, rows=loaded.accepted, value=told, how="scan")
