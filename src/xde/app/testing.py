"""Cases of a project: found, picked, run, and remembered, so that only what a change reaches is run again."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xde import __version__
from xde.app.case_files import FOLDER, CaseFiles
from xde.app.interrupting import interruptible
from xde.app.subjects import at, keeps_other_rows, moment, subject_of
from xde.app.understanding import understand, work_out
from xde.app.wiring import House, house_of
from xde.ground.clock import SystemClock
from xde.ground.digests import digest
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean
from xde.undercurrents.engineering.testing.case import FLOW
from xde.undercurrents.engineering.testing.exercising import Verdict, exercise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from xde.app.understanding import Understanding
    from xde.kernel.project.declarations import Project
    from xde.kernel.project.files import ProjectFiles
    from xde.kernel.project.memory import Memory
    from xde.undercurrents.engineering.testing.case import Case
    from xde.undercurrents.engineering.testing.exercising import Subject

KEPT = "passed-cases.json"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A case, done: `seconds` of wall time; `verdict` says what came of it. `skipped`: it passed before and nothing it sees has changed."""

    case: Case
    verdict: Verdict
    seconds: float
    skipped: bool = False

    @property
    def passed(self) -> bool:
        """Whether all is as expected."""
        return self.verdict.passed


@dataclass(slots=True)
class TestBench:
    """A project opened for its tests: neither lake nor ledger is touched."""

    __test__ = False  # not a class of tests, whatever pytest may think of its name

    root: Path
    known: Understanding
    house: House
    files: CaseFiles
    findings: list[Finding] = field(default_factory=list)
    cases: tuple[Case, ...] = ()
    memory: Memory | None = None
    _subjects: dict[str, Subject] = field(default_factory=dict)

    @classmethod
    def open(cls, root: Path, environment: str | None = None, *, before: TestBench | None = None) -> TestBench:
        """Read a project and its cases. Raises `UserError` for the project's own faults; those of cases are in `findings`.

        `before` is the same project opened earlier: what has not changed since is taken from it, and so is the engine.
        """
        from xde.kernel.project.files import digest_of, project_files

        root = root.resolve()
        made: list[House] = []

        def house_for(project: Project) -> House:
            same = before is not None and before.house.settings == project.settings
            made.append(before.house if before is not None and same else house_of(root, project.settings, environment))
            return made[0]

        files = project_files(root)
        if before is None:
            known = understand(root, files, house_for)
            bench = cls(root, known, made[0] if made else house_for(known.project), CaseFiles(root))
        else:
            same = before.known.project.digest == digest_of(files.all)
            known = before.known if same else before.understood(house_for, files)
            bench = cls(root, known, made[0] if made else before.house, before.files, memory=before.memory)
        bench.read()
        return bench

    def understood(self, house_for: Callable[[Project], House], files: ProjectFiles | None = None) -> Understanding:
        """The project as it is now; a file that has not changed is not read again. Raises `UserError`."""
        from xde.kernel.project.memory import Memory
        from xde.kernel.project.reader import read_project

        self.memory = self.memory or Memory()
        project, findings = read_project(self.root, self.memory, files)
        if project is None or findings.errors:
            raise UserError(*findings)
        return work_out(project, findings, house_for(project))

    def warm(self) -> None:
        """Bring what the first change will need: the parser, the readers, the contracts."""
        from xde.kernel.graph.text.parsing import read_texts

        read_texts(["SELECT 1 AS one"], 1)
        with suppress(UserError):
            self.understood(lambda _: self.house)

    def read(self) -> None:
        """Read the cases (again)."""
        self.cases, self.findings = self.files.cases(self.known)

    def close(self) -> None:
        """Let go of the engine."""
        self.house.close()

    def pick(self, selection: Sequence[str]) -> tuple[Case, ...]:
        """The cases that are asked for: by dataset, by file, by `file::name`, or by a word of their names; all when nothing is asked."""
        if not selection:
            return self.cases
        picked: dict[str, Case] = {}
        for word in selection:
            found = [c for c in self.cases if _meant(word, c)]
            if not found:
                raise UserError(self._untested(word))
            picked.update({c.id: c for c in found})
        return tuple(picked.values())

    def _untested(self, word: str) -> Finding:
        tested = sorted({c.dataset for c in self.cases})
        why = f"the cases under `{FOLDER}/` test " + (", ".join(f"`{d}`" for d in tested) or "nothing yet")
        if word in self.known.project.datasets:
            return Finding(
                "XDE0911", f"no case tests `{word}`", why=why, hint=f"write one: make a file under `{FOLDER}/` with `model: {word}`"
            )
        near = did_you_mean(word, {*tested, *(c.path for c in self.cases), *self.known.project.datasets})
        return Finding(
            "XDE0911", f"no case is meant by `{word}`", why=why, hint=near or "name a dataset, a file, or a word of a case's name"
        )

    def run(self, cases: Iterable[Case], *, changed: bool = False) -> Iterator[CaseResult]:
        """Run cases one after the other; with `changed`, those that passed before and see nothing new are skipped."""
        kept = _Passed.load(self.root)
        for case in cases:
            key = self.key(case)
            if changed and kept.has(case, key):
                yield CaseResult(case, Verdict(), 0.0, skipped=True)
                continue
            result = self.run_one(case)
            kept.note(case, key, passed=result.passed)
            yield result
        kept.save()

    def run_one(self, case: Case) -> CaseResult:
        """Run one case, whatever became of it before."""
        clock = SystemClock()
        begun = clock.monotonic()
        try:
            with interruptible(self.house.session.cancel):
                verdict = self._verdict(case)
        except UserError as error:
            verdict = Verdict(findings=tuple(error.findings))
        return CaseResult(case, verdict, clock.monotonic() - begun)

    def _verdict(self, case: Case) -> Verdict:
        if case.dataset.startswith(FLOW):
            from xde.app.flow_cases import FlowBench

            return FlowBench(self.known, self.house.sandbox, self.house.clock.now()).verdict(case, self.file_of(case))
        if self.in_earnest(case):
            from xde.app.rehearsing import rehearse

            return rehearse(self.known, self.house, case, self.file_of(case))
        subject = self.subject(case)
        with self.house.sandbox.scratch() as scratch:
            return exercise(scratch, subject, case, self.file_of(case))

    def in_earnest(self, case: Case) -> bool:
        """Whether a case needs a lake: several runs, raw lines, and a table that is not what its query gives."""
        name = case.dataset
        return not case.plain or name not in self.known.analyses or keeps_other_rows(self.known.model(name))

    def subject(self, case: Case) -> Subject:
        """The model of a case, with the clock and the parameters that the case sets."""
        found = self._subjects.get(case.dataset)
        if found is None:
            found = self._subjects[case.dataset] = subject_of(self.known, case.dataset)
        return at(found, moment(case, case.rounds[0].now or case.now) or self.house.clock.now(), self.known)

    def file_of(self, case: Case) -> dict[str, str]:
        """Where the Parquet fixtures of a case lie."""
        paths = [t.parquet for r in case.rounds for t in r.given.values() if t.parquet]
        return {p: str(self.root / p) for p in paths}

    def key(self, case: Case) -> str:
        """All that decides what a case gives."""
        if case.dataset.startswith(FLOW):
            schemas = {n: repr(self.known.schemas[n]) for n in case.rounds[0].given if n in self.known.schemas}
            project = self.known.project
            return digest(
                case.digest, case.dataset, [(f.path, f.text) for f in project.flows], repr(project.settings), schemas, __version__
            )
        if self.in_earnest(case):
            return digest(case.digest, case.dataset, self._seen_by_runs(case))
        try:
            subject = self.subject(case)
        except UserError:
            return digest(case.digest, case.dataset)  # a moment that is none: told when it is run
        seen = _seen(subject, case)
        views = {n: v for n, v in subject.views.items() if n in seen and n not in case.rounds[0].given}
        used = {*subject.used, *(p for _, ps in views.values() for p in ps)}
        values = {n: v for n, v in subject.parameters.items() if n in used}
        inputs = {n: subject.inputs[n] for n in seen}
        promises = [repr(o.properties) for n in seen if (o := subject.objects.get(n))]
        promises += [self.known.checks_digests[case.dataset]] if case.rounds[0].expect.contract else []
        return digest(case.digest, case.dataset, subject.query, inputs, views, values, promises)

    def _seen_by_runs(self, case: Case) -> list[str]:
        """The settings, and every dataset that has a part in runs of this one: what it reads, and what its checks look up."""
        found: dict[str, None] = {}
        todo = [case.dataset, *(n for r in case.rounds for n in (*r.given, *r.add))]
        while todo:
            name = todo.pop()
            if name not in found and name in self.known.project.datasets:
                found[name] = None
                todo += [*self.known.upstream[name], *(c.to_dataset for c in self.known.checks[name] if c.to_dataset)]
        return [repr(self.known.project.settings), *(repr(self.known.project.datasets[n]) for n in sorted(found))]


def _seen(subject: Subject, case: Case) -> list[str]:
    """The datasets that a plain case looks at: a view that it gives hides what that view reads."""
    found: dict[str, None] = {}
    todo = list(subject.reads[subject.name])
    while todo:
        name = todo.pop()
        if name not in found:
            found[name] = None
            todo += subject.reads[name] if name in subject.views and name not in case.rounds[0].given else ()
    return sorted(found)


def _meant(word: str, case: Case) -> bool:
    path, _, name = word.partition("::")
    if name:
        return case.name == name and case.path.endswith(path)
    return (
        word in {case.dataset, case.dataset.removeprefix(FLOW), case.path, case.path.removeprefix(f"{FOLDER}/")}
        or word.casefold() in case.name.casefold()
        or (word.endswith(".*") and case.dataset.startswith(word[:-1]))
    )


@dataclass(slots=True)
class _Passed:
    """Which cases passed, with the digest of all that they saw; a cache that is lost costs time and nothing else."""

    path: Path
    keys: dict[str, str]
    changed: bool = False

    @classmethod
    def load(cls, root: Path) -> _Passed:
        path = root / ".xde" / "cache" / KEPT
        try:
            found = json.loads(path.read_bytes())
        except (OSError, ValueError):
            found = {}
        return cls(path, found if isinstance(found, dict) else {})

    def has(self, case: Case, key: str) -> bool:
        return self.keys.get(case.id) == key

    def note(self, case: Case, key: str, *, passed: bool) -> None:
        before = self.keys.get(case.id)
        if passed:
            self.keys[case.id] = key
        else:
            self.keys.pop(case.id, None)
        self.changed |= self.keys.get(case.id) != before

    def save(self) -> None:
        if not self.changed:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            aside = self.path.with_suffix(f".{os.getpid()}.tmp")
            aside.write_text(json.dumps(self.keys))
            aside.replace(self.path)
        except OSError:
            return
