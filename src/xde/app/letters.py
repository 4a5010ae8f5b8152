"""Dead letters: looked at, read again by the contract as it is now, or closed with a reason.

Letters are named by the commits that published their load, and closed by later commits of the same table: what became of
a letter and the rows that came of it can never disagree.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from xde.app.answers import LetterLine, ReplayOutcome
from xde.app.planning import known_dataset
from xde.app.recovering import recovered
from xde.app.running import personal_columns
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean
from xde.kernel.plan.facts import fold_history
from xde.kernel.run.claims import held_claim
from xde.kernel.run.owners import this_owner
from xde.lifecycle.ingestion.at_the_door import held_later
from xde.lifecycle.ingestion.from_tables import known_of
from xde.lifecycle.ingestion.hashing import hashed_with, keys_of
from xde.lifecycle.ingestion.perform import evolved, in_flight, looked_up, merging
from xde.lifecycle.ingestion.port import LetterLimit, LoadJob
from xde.lifecycle.storage.merging import Merger, Rewritten
from xde.lifecycle.storage.pins import Pins
from xde.lifecycle.storage.port import TableId
from xde.lifecycle.storage.publish import Publication, Publisher

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.kernel.plan.ledger import Claim
    from xde.lifecycle.ingestion.port import Letter, Loaded


@dataclass(frozen=True, slots=True)
class _Fate:
    """What became of a letter."""

    status: str
    note: str = ""


def letters(house: House, known: Understanding, dataset: str | None, status: str | None) -> tuple[LetterLine, ...]:
    """The letters of the tables that the environment points at, in the order of their files and lines."""
    if dataset is not None:
        known_dataset(known, dataset)
    pointers = house.ledger.pointers(house.environment)
    found: list[LetterLine] = []
    for name in [dataset] if dataset else sorted(known.project.datasets):
        if name in pointers and name in known.project.sources:
            found += _of_table(house, TableId(name, pointers[name]))
        elif name in pointers and (name in known.judgings or name in known.windowings):
            found += of_model(house, TableId(name, pointers[name]))
    return tuple(x for x in found if status is None or x.status == status)


def _of_table(house: House, table: TableId) -> list[LetterLine]:
    files: list[str] = []
    fates: dict[str, _Fate] = {}
    for record in reversed(house.lake.history(table)):
        facts = record.facts
        if facts.get("kind") == "load" and facts.get("full"):
            files, fates = [], {}
        files += cast("list[str]", facts.get("letters", []))
        for ident in cast("list[str]", facts.get("replayed", [])):
            fates[ident] = _Fate("replayed", f"by run {facts.get('run', '')}")
        for ident in cast("list[str]", facts.get("discarded", [])):
            fates[ident] = _Fate("discarded", str(facts.get("reason", "")))
    if not files:
        return []
    folder = house.lake.folder(table)
    newest = {x.id: x for x in house.loader.read_letters([f"{folder}/_letters/{f}" for f in files])}
    lines = [LetterLine(x, fates[x.id].status, fates[x.id].note) if x.id in fates else LetterLine(x, "open") for x in newest.values()]
    return sorted(lines, key=lambda x: (x.letter.file, x.letter.line))


def of_model(house: House, table: TableId) -> list[LetterLine]:
    """The letters of a model: those of its newest builds. What was discarded stays so for as long as the same row breaks the same rule."""
    facts = fold_history((r.number, r.facts) for r in reversed(house.lake.history(table)))
    files, discards = cast("list[str]", facts.get("letter_files", [])), cast("dict[str, str]", facts.get("discards", {}))
    folder = house.lake.folder(table)
    found = {x.id: x for x in house.loader.read_letters([f"{folder}/_letters/{f}" for f in files])}
    lines = [LetterLine(x, "discarded" if x.id in discards else "open", discards.get(x.id, ""), of_model=True) for x in found.values()]
    return sorted(lines, key=lambda x: (x.letter.file, x.letter.line, x.letter.raw, x.letter.id))


def _chosen(house: House, known: Understanding, ids: Sequence[str], dataset: str | None) -> dict[str, list[Letter]]:
    """The open letters that are meant, by dataset; all open ones when no id is given. An id may be cut short where it is clear."""
    lines = letters(house, known, dataset, None)
    chosen: dict[str, list[Letter]] = {}
    wanted = list(ids) or [x.letter.id for x in lines if x.status == "open"]
    for ident in wanted:
        meant = [x for x in lines if x.letter.id.startswith(ident)]
        if len(meant) != 1:
            what = "no dead letter has" if not meant else f"{len(meant)} dead letters have"
            raise UserError(
                Finding(
                    "XDE0460",
                    f"{what} the id `{ident}`",
                    hint=did_you_mean(ident, [x.letter.id for x in lines]) or "see them with `xde letters list --status all`",
                )
            )
        if meant[0].status != "open":
            raise UserError(
                Finding(
                    "XDE0461",
                    f"the dead letter `{ident}` is {meant[0].status} already",
                    why=meant[0].note,
                    hint="only open letters can be replayed or discarded",
                )
            )
        chosen.setdefault(meant[0].letter.dataset, []).append(meant[0].letter)
    return chosen


def _claimed(house: House, run: str) -> AbstractContextManager[Claim]:
    return held_claim(house.ledger, house.environment, str(this_owner()), run, house.clock, 0.0, lambda _: None)


def replay(
    house: House, known: Understanding, ids: Sequence[str], dataset: str | None, corrected: Mapping[str, bytes]
) -> tuple[ReplayOutcome, ...]:
    """Read letters again; what is accepted becomes rows in the commit that closes its letter; the others stay open."""
    run = uuid.uuid4().hex[:12]
    with _claimed(house, run) as claim:
        chosen = _chosen(house, known, ids, dataset)
        if models := [n for n in chosen if n not in known.project.sources]:
            raise UserError(*(_came_late(n) if n in known.windowings else _not_replayed(n) for n in models))
        for name in chosen:
            _refuse_captured(known, name)
            _refuse_clear(known, name, corrected)
        return tuple(_replayed(house, known, name, its, corrected, (run, claim.fence)) for name, its in chosen.items())


def _not_replayed(model: str) -> Finding:
    return Finding(
        "XDE0298",
        f"dead letters of the model `{model}` are not replayed",
        why="they are rows that it computes: each build judges them again, and those that pass by then are rows of its table",
        hint=f"mend what it reads or its rule and `xde run {model}`, or set them aside with `xde letters discard`",
    )


def _came_late(model: str) -> Finding:
    return Finding(
        "XDE0298",
        f"dead letters of the model `{model}` are not replayed",
        why="they are rows that came after their windows had closed; what has closed stays as it was told",
        hint=f"compute all windows anew with them: `xde run --full {model} --reason WHY`, or set them aside with `xde letters discard`",
    )


def _refuse_clear(known: Understanding, name: str, corrected: Mapping[str, bytes]) -> None:
    """What is pushed is treated at the door; a record that is given here would go past it."""
    if known.readings[name].clear and corrected:
        why = "its in-flight steps are taken as a record comes, and one that is given here would be written down as it is"
        hint = "have it sent again, and discard the letter"
        raise UserError(Finding("XDE0545", f"a record of `{name}` is pushed, and cannot be given in another way", why=why, hint=hint))


def _refuse_captured(known: Understanding, name: str) -> None:
    """A letter of captured changes is an older state of its row: what the row is now, or that it is gone, was told since."""
    reading = known.readings[name]
    from_log = reading.ask is not None and reading.ask.capture is not None and reading.write_mode == "merge"
    if from_log or reading.compared is not None:
        why = "it says how its row was once; a later change of the row may be here already, or its end"
        hint = f"mend the contract and run `xde run --full {name}`, or change the row in the source; then discard the letter"
        raise UserError(
            Finding("XDE0433", f"a dead letter of `{name}` cannot be read again, for its changes are captured", hint=hint, why=why)
        )


def _replayed(
    house: House, known: Understanding, name: str, its: list[Letter], corrected: Mapping[str, bytes], by: tuple[str, int]
) -> ReplayOutcome:
    from xde.undercurrents.management.quality.verdict import finding_of

    pointers = house.ledger.pointers(house.environment)
    pins = Pins(house.lake, house.ledger, {**known.versions, **pointers})
    publisher = Publisher(house.lake, house.auditor, house.ledger, house.clock, finding_of)
    before = pins.snapshot(name)
    if before is None:
        msg = f"`{name}` has letters but no table"
        raise AssertionError(msg)
    table = pins.table(name)
    reading, now = known.readings[name], house.clock.now().isoformat()
    folder = house.lake.folder(table)
    checks = known.checks[name]
    keys = keys_of(reading, house.tables, known_of(publisher, before))
    job = LoadJob(
        name,
        by[0],
        now,
        [],
        reading.dialect,
        reading.fields,
        held_later([c for c in checks if in_flight(c)], reading.clear),
        folder,
        f"{folder}/_letters",
        reading.schema_change,
        LetterLimit(),
        personal_columns(known, name),
        before.paths if reading.write_mode == "append" else (),
        looked_up(checks, pins, name, before),
        merging(reading, before),
        known.schemas[name],
        evolved(before, reading.fields),
        private=reading.private,
        keys=keys,
    )
    given = [replace(x, raw=raw, redacted=False) if (raw := _correction(x, corrected)) is not None else x for x in its]
    loaded = house.loader.replay(job, recovered(house, known, job, given))
    again = house.loader.read_letters([f"{folder}/_letters/{f}" for f in loaded.letter_files])
    closed = [x.id for x in its if x.id not in {a.id for a in again}]
    if not closed and not corrected:
        return ReplayOutcome(name, 0, tuple(again))
    rewritten = _joined(house, known, name, before, loaded)
    facts = {
        "kind": "replay",
        "run": by[0],
        "step": f"replay:{name}",
        "fence": by[1],
        "at": now,
        "letters": list(loaded.letter_files),
        "replayed": closed,
        "rows_out": loaded.accepted,
        "superseded": loaded.superseded,
        **hashed_with(reading, keys),
    }
    publication = Publication(
        table,
        loaded.schema,
        rewritten.adds,
        loaded.files,
        rewritten.removes,
        before,
        facts,
        tuple(c for c in checks if not in_flight(c)),
        (),
        job.personal,
    )
    published = publisher.publish(publication, pins, house.environment)
    return ReplayOutcome(name, loaded.accepted, tuple(again), published.snapshot.number)


def _correction(letter: Letter, corrected: Mapping[str, bytes]) -> bytes | None:
    return next((raw for ident, raw in corrected.items() if letter.id.startswith(ident)), None)


def _joined(house: House, known: Understanding, name: str, before: object, loaded: Loaded) -> Rewritten:
    from xde.lifecycle.storage.port import Snapshot

    if known.readings[name].write_mode == "merge" and isinstance(before, Snapshot):
        return Merger(house.lake, house.write).merge(before, loaded.files, loaded.schema, known.readings[name].key)
    return Rewritten(loaded.files, ())


def discard(house: House, known: Understanding, ids: Sequence[str], dataset: str | None, reason: str) -> int:
    """Close letters by a commit that keeps the reason; gives their number."""
    from xde.lifecycle.storage.port import Commit
    from xde.undercurrents.management.quality.verdict import finding_of

    if not reason.strip():
        raise UserError(Finding("XDE0462", "a dead letter is discarded for a reason, and none is given", hint="say why with `--reason`"))
    run = uuid.uuid4().hex[:12]
    with _claimed(house, run) as claim:
        chosen = _chosen(house, known, ids, dataset)
        pointers = house.ledger.pointers(house.environment)
        for name, its in chosen.items():
            table = TableId(name, pointers[name])
            snapshot = house.lake.snapshot(table)
            if snapshot is None:
                continue
            facts = {
                "kind": "discard",
                "run": run,
                "step": f"discard:{name}",
                "fence": claim.fence,
                "at": house.clock.now().isoformat(),
                "environment": house.environment,
                "discarded": [x.id for x in its],
                "reason": reason,
            }
            number = house.lake.commit(Commit(table, snapshot.schema, (), (), snapshot.number, facts))
            Publisher(house.lake, house.auditor, house.ledger, house.clock, finding_of).note(table, number, facts, house.environment)
        return sum(len(its) for its in chosen.values())
