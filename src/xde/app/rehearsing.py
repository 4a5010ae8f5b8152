"""A case carried out as in earnest: the real planner, loader and performers on a lake and a ledger of its own, gone afterwards.

What depends on runs that follow each other (incremental models, deliveries, dead letters, findings that stop) is not imitated.
"""

from __future__ import annotations

import gzip
import re
import tempfile
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from xde.app.subjects import at, inputs_of, keeps_other_rows, moment, subject_of
from xde.app.throwaway import Throwaway
from xde.ground.clock import SetClock
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import quoted
from xde.kernel.graph.head_columns import key_of_rows
from xde.kernel.project.declarations import Kind, ModelDataset
from xde.lifecycle.storage.pins import Pins
from xde.lifecycle.transformation.port import Input, Query
from xde.undercurrents.engineering.testing.comparing import How, compare
from xde.undercurrents.engineering.testing.exercising import Verdict, against, asked_of, fill
from xde.undercurrents.engineering.testing.sandbox import QueryError, Result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.app.answers import LetterLine
    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.kernel.project.declarations import Dataset
    from xde.lifecycle.ingestion.declare import Reading
    from xde.undercurrents.engineering.testing.case import Case, Expectation, ExpectedLetter, RawFile, Round, Table
    from xde.undercurrents.engineering.testing.comparing import Comparison
    from xde.undercurrents.engineering.testing.sandbox import Scratch


def rehearse(known: Understanding, house: House, case: Case, files: Mapping[str, str]) -> Verdict:
    """Carry out every round of a case; the first that is not as expected ends it.

    Of `house` only the engine and the clock are used. `files` maps each Parquet fixture to where it lies.
    """
    if case.cte is not None:
        return Verdict(findings=(_no_cte(case),))
    with tempfile.TemporaryDirectory(prefix="xde-test-") as folder, house.sandbox.scratch() as scratch:
        verdict = Verdict()
        stage = _Stage.set_up(known, house, case, Path(folder), scratch)
        stage.files.update(files)
        try:
            for number, part in enumerate(case.rounds, 1):
                verdict = stage.play(part, number)
                if not verdict.passed:
                    return verdict
        except UserError as error:
            return Verdict(findings=tuple(error.findings))
        finally:
            stage.house.ledger.close()
    return verdict


def _on_cassette(known: Understanding, case: Case) -> Reading:
    """How the source of a case is read from the answers that it names."""
    reading = known.readings.get(case.dataset)
    if reading is None or reading.ask is None or reading.ask.request is None:
        hint = "give its lines as `raw:`" if reading is not None else "give its inputs under `given:`"
        raise UserError(Finding("XDE0905", f"`{case.dataset}` is no API", case.span, "cassette", "a cassette has the answers of one", hint))
    return replace(reading, ask=reading.ask.on_cassette(known.project.root / str(case.cassette)))


def _no_cte(case: Case) -> Finding:
    why = "a part of a model has no runs and no findings of its own"
    return Finding(
        "XDE0909", f"`{case.cte}` can only be looked at in a case of one plain run", case.span, "this case", why, "leave `cte` out"
    )


@dataclass(slots=True)
class _Stage:
    """A lake and a ledger that hold nothing yet but what a case gives them."""

    case: Case
    known: Understanding
    house: House
    clock: SetClock
    folder: Path
    scratch: Scratch
    own: Throwaway
    files: dict[str, str] = field(default_factory=dict)

    @classmethod
    def set_up(cls, known: Understanding, house: House, case: Case, folder: Path, scratch: Scratch) -> _Stage:
        """Only rules about what the case gives are held: a reference to a dataset that nobody gave is none."""
        clock = SetClock(moment(case, case.now) or house.clock.now())
        given = {n for r in case.rounds for n in (*r.given, *r.add)}
        datasets = {n: _as_table(d) if n in given else d for n, d in known.project.datasets.items()}
        inputs = known.upstream[case.dataset] if case.dataset in known.project.models else ()
        there = {"", case.dataset, *given, *inputs}
        checks = {n: tuple(c for c in cs if c.to_dataset in there) for n, cs in known.checks.items()}
        readings = {n: r.on_disk() for n, r in known.readings.items()}
        seen = replace(known, project=replace(known.project, datasets=datasets), checks=checks, readings=readings)
        own = Throwaway.make(seen, house, folder, clock, case.parameters)
        if case.cassette is not None:
            own.play(_on_cassette(known, case))
        return cls(case, own.known, own.house, clock, folder, scratch, own)

    def play(self, part: Round, number: int) -> Verdict:
        """One round: change what is given, run, look."""
        self.clock.at = moment(self.case, part.now) or self.clock.at
        self._give(part, first=number == 1)
        for position, raw in enumerate(part.raw, 1):
            self._deliver(raw, f"{number}-{position}" if len(part.raw) > 1 else str(number))
        told = self._run(full=part.full)
        errors = [f for f in told if f.severity == "error"]
        expect = part.expect
        if expect.finding is not None:
            if all(f.code != expect.finding for f in told):
                return Verdict(findings=(_not_told(self.case, expect, told), *errors))
            errors = [f for f in errors if f.code != expect.finding]
        if errors:
            return Verdict(findings=tuple(errors))
        wrong = self._letters(expect)
        comparison = self._rows(expect) if expect.rows is not None else None
        if expect.as_full and (comparison is None or comparison.equal):
            comparison = self._as_full()
        if comparison is not None and len(self.case.rounds) > 1:
            comparison = replace(comparison, notes=(*comparison.notes, f"in run {number} of {len(self.case.rounds)}"))
        return Verdict(comparison, tuple(wrong), f"SELECT * FROM {self.case.dataset}")

    def _give(self, part: Round, *, first: bool) -> None:
        given: dict[str, Table | None] = {}
        if first and self.case.dataset in self.known.project.models:
            views, inputs = self.known.views(self.case.dataset), inputs_of(self.known, self.case.dataset)
            seeds = [n for n in inputs if self.known.is_seed(n)]
            given = {n: None for n in inputs if n not in views and n not in seeds}
            for name in (n for n in seeds if n not in part.given):
                self.own.publish(name, self.known.model(name).sql, {})
        for name, table in {**given, **part.given}.items():
            self._publish(name, table, replacing=True)
        for name, table in part.add.items():
            self._publish(name, table, replacing=False)

    def _publish(self, name: str, table: Table | None, *, replacing: bool) -> None:
        schema = self.known.schemas[name]
        types = {c.name: c.type for c in schema}
        findings = fill(self.scratch, name, types, table, (self.known.project.datasets[name].object, self.files))
        if findings:
            raise UserError(*findings)
        aside = self.folder / "given.parquet"
        self.scratch.save(name, str(aside))
        self.own.publish(name, f"SELECT * FROM {name}", {name: Input(schema, (str(aside),))}, replacing=replacing)

    def _deliver(self, raw: RawFile, number: str) -> None:
        reading = self.known.readings.get(self.case.dataset)
        if reading is None:
            why = "raw lines are what a source delivers"
            raise UserError(
                Finding("XDE0905", f"`{self.case.dataset}` is no source", raw.span, "raw", why, "give its inputs under `given:`")
            )
        name = raw.name or named_like(reading.pattern, number)
        content = gzip.compress(raw.content, mtime=0) if name.endswith(".gz") and not raw.content.startswith(b"\x1f\x8b") else raw.content
        path = self.folder / reading.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def _run(self, *, full: bool) -> list[Finding]:
        from xde.app import planning
        from xde.app.running import Manner, carry_out

        def replan() -> planning.Planned:
            return planning.make(self.house, self.known, frozenset([self.case.dataset]), full=full, reason="a case asks for it")

        try:
            finished = carry_out(self.house, self.known, replan, Manner())
        except UserError as error:
            return list(error.findings)
        return [*finished.findings, *(f for o in finished.outcomes for f in o.findings)]

    def _letters(self, expect: Expectation) -> list[Finding]:
        from xde.app.letters import letters

        if expect.letters is None and expect.letter_count is None:
            return []
        there = letters(self.house, self.known, self.case.dataset, "open")
        found = [_missing_letter(e, there) for e in expect.letters or () if not any(_fits(e, line) for line in there)]
        if expect.letter_count is not None and len(there) != expect.letter_count:
            why = "; ".join(f"line {x.letter.line}: {x.letter.reasons[0].message}" for x in there[:5] if x.letter.reasons)
            found.append(
                Finding("XDE0914", f"{len(there)} dead letters, and {expect.letter_count} were expected", expect.span, "expected", why)
            )
        return found

    def _rows(self, expect: Expectation) -> Comparison:
        return against(self.scratch, self.case.dataset, self._result(), expect, self._key())

    def _as_full(self) -> Comparison:
        """How the rows differ from those of the model over all that is there and all of time, as a full refresh should give them.

        A Python model does one in earnest, and so does one that keeps other rows than its query gives. Raises `UserError`.
        """
        name = self.case.dataset
        came = self._result()
        if name in self.known.analyses and not keeps_other_rows(self.known.model(name)):
            full = self._over_all_of_time()
        else:
            wrong = [f for f in self._run(full=True) if f.severity == "error"]
            if wrong:
                raise UserError(*wrong)
            full = self._result()
        found = compare([c for c, _ in came.columns], full.rows, came.rows, How(key=self._key()))
        return replace(found, notes=(*found.notes, "what is expected is what a full refresh gives"))

    def _over_all_of_time(self) -> Result:
        subject = at(subject_of(self.known, self.case.dataset), self.clock.now(), self.known)
        given = {n for r in self.case.rounds for n in (*r.given, *r.add)}
        for name in subject.needed(given):
            self.scratch.parquet(name, subject.inputs[name], self._paths(name))
        try:
            return self.scratch.ask(asked_of(subject, self.case, subject.query, given))
        except QueryError as error:
            why = str(error)
            hint = "look at the value that it names"
            message = f"the query of `{subject.name}` fails on the rows of this case"
            raise UserError(Finding("XDE0910", message, self.case.span, "this case", why, hint)) from error

    def _paths(self, name: str) -> tuple[str, ...]:
        snapshot = Pins(self.house.lake, self.house.ledger, self.known.versions).snapshot(name)
        return tuple(snapshot.paths) if snapshot else ()

    def _result(self) -> Result:
        """The rows that are in the table."""
        name = self.case.dataset
        schema = self.known.schemas[name]
        zoned = {n: quoted(c.name) for n, c in enumerate(schema) if c.type == "TIMESTAMP WITH TIME ZONE"}
        moments = ", ".join(f"timezone('UTC', {c}) AS {c}" for c in zoned.values())
        query = f"SELECT * REPLACE ({moments}) FROM {name}" if zoned else f"SELECT * FROM {name}"
        rows = self.house.local.rows(Query(query), {name: Input(schema, self._paths(name))})
        whole = (tuple(v.replace(tzinfo=UTC) if n in zoned and isinstance(v, datetime) else v for n, v in enumerate(r)) for r in rows)
        return Result(tuple((c.name, c.type) for c in schema), tuple(whole))

    def _key(self) -> tuple[str, ...]:
        dataset = self.known.project.datasets[self.case.dataset]
        if dataset.object and dataset.object.key:
            return dataset.object.key
        return key_of_rows(dataset.head) if isinstance(dataset, ModelDataset) else ()


def _as_table(dataset: Dataset) -> Dataset:
    """A view whose rows are given is a table for the time being."""
    if isinstance(dataset, ModelDataset) and not dataset.head.stored:
        return replace(dataset, head=replace(dataset.head, kind=Kind.TABLE))
    return dataset


def named_like(pattern: str, number: str) -> str:
    """A file name that a glob matches."""
    name = re.sub(r"\*\*/", "", pattern)
    name = re.sub(r"\[!?(.)[^\]]*\]", r"\1", name)
    return name.replace("*", number).replace("?", number[-1])


def _not_told(case: Case, expect: Expectation, told: list[Finding]) -> Finding:
    why = "what was told: " + "; ".join(f"{f.code} {f.message}" for f in told[:5]) if told else "nothing was told, and the run was done"
    return Finding("XDE0913", f"`{expect.finding}` was expected, and nobody told it", expect.span or case.span, "expected", why)


def _fits(expected: ExpectedLetter, line: LetterLine) -> bool:
    letter = line.letter
    raw = letter.raw.decode("utf-8", "replace")
    if (expected.line is not None and letter.line != expected.line) or (expected.raw is not None and expected.raw not in raw):
        return False
    return any(
        (expected.column is None or r.column == expected.column)
        and (expected.rule is None or r.rule == expected.rule)
        and (expected.reason is None or expected.reason in r.message)
        for r in letter.reasons
    )


def _missing_letter(expected: ExpectedLetter, there: tuple[LetterLine, ...]) -> Finding:
    shown = "; ".join(
        f"line {x.letter.line}: {', '.join(f'{r.rule} ({r.column}): {r.message}' for r in x.letter.reasons)}" for x in there[:5]
    )
    why = f"what there is: {shown}" if there else "there is no dead letter at all"
    return Finding("XDE0914", "a dead letter that was expected is not there", expected.span, "expected", why)
