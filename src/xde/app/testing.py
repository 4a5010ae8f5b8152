"""Cases of a project: found, picked, run, and remembered, so that only what a change reaches is run again."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xde.app.subjects import at, moment, subject_of
from xde.app.understanding import understand
from xde.app.wiring import House, house_of
from xde.ground.clock import SystemClock
from xde.ground.digests import digest
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean
from xde.undercurrents.engineering.testing.case_reader import read_cases
from xde.undercurrents.engineering.testing.exercising import Verdict, exercise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from xde.app.understanding import Understanding
    from xde.kernel.project.declarations import Project
    from xde.undercurrents.engineering.testing.case import Case
    from xde.undercurrents.engineering.testing.exercising import Subject

KEPT = "passed-cases.json"
FOLDER = "tests"


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
    findings: list[Finding] = field(default_factory=list)
    cases: tuple[Case, ...] = ()
    _subjects: dict[str, Subject] = field(default_factory=dict)

    @classmethod
    def open(cls, root: Path, environment: str | None = None) -> TestBench:
        """Read a project and its cases. Raises `UserError` for the project's own faults; those of cases are in `findings`."""
        from xde.kernel.project.files import project_digest

        root = root.resolve()
        made: list[House] = []

        def house_for(project: Project) -> House:
            made.append(house_of(root, project.settings, environment))
            return made[0]

        known = understand(root, project_digest(root), house_for)
        bench = cls(root, known, made[0] if made else house_of(root, known.project.settings, environment))
        bench.read()
        return bench

    def read(self) -> None:
        """Read the cases (again)."""
        self.cases, self.findings = all_cases(self.root, self.known)

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

    def run(self, cases: Sequence[Case], *, changed: bool = False) -> Iterator[CaseResult]:
        """Run cases one after the other; with `changed`, those that passed before and see nothing new are skipped."""
        kept = _Passed.load(self.root)
        for case in cases:
            key = self._key(case)
            if changed and kept.has(case, key):
                yield CaseResult(case, Verdict(), 0.0, skipped=True)
                continue
            result = self._run(case)
            kept.note(case, key, passed=result.passed)
            yield result
        kept.save()

    def _run(self, case: Case) -> CaseResult:
        clock = SystemClock()
        begun = clock.monotonic()
        if case.plain:
            with self.house.sandbox.scratch() as scratch:
                verdict = exercise(scratch, self.subject(case), case, self.file_of(case))
        else:
            from xde.app.rehearsing import rehearse

            verdict = rehearse(self.known, self.house, case, self.file_of(case))
        return CaseResult(case, verdict, clock.monotonic() - begun)

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

    def _key(self, case: Case) -> str:
        """All that decides what a case gives."""
        subject = self.subject(case) if case.plain else None
        if subject is None:
            return digest(case.digest, case.dataset, self.known.project.digest)
        used = {*subject.used, *(p for _, ps in subject.views.values() for p in ps)}
        values = {n: v for n, v in subject.parameters.items() if n in used}
        return digest(case.digest, case.dataset, subject.query, dict(subject.inputs), dict(subject.views), values, self._promises(subject))

    def _promises(self, subject: Subject) -> list[str]:
        return [repr(o.properties) for n in subject.inputs if (o := subject.objects.get(n))]


def _meant(word: str, case: Case) -> bool:
    path, _, name = word.partition("::")
    if name:
        return case.name == name and case.path.endswith(path)
    return (
        word in {case.dataset, case.path, case.path.removeprefix(f"{FOLDER}/")}
        or word.casefold() in case.name.casefold()
        or (word.endswith(".*") and case.dataset.startswith(word[:-1]))
    )


def all_cases(root: Path, known: Understanding) -> tuple[tuple[Case, ...], list[Finding]]:
    """Every case under `tests/` of a project, and what is wrong with them."""
    cases: list[Case] = []
    findings: list[Finding] = []
    for path in case_files(root):
        found, told = read_cases((root / path).read_bytes(), path, _fixtures(root))
        findings += told
        for case in found:
            wrong = _wrong_dataset(case, known)
            if wrong:
                findings.append(wrong)
            else:
                cases.append(case)
    return tuple(cases), findings


def case_files(root: Path) -> list[str]:
    """The files of cases of a project, by path relative to it; what lies under `fixtures` or begins with a dot or `_` is none."""
    found: list[str] = []
    for folder, folders, files in os.walk(root / FOLDER):
        folders[:] = sorted(f for f in folders if f != "fixtures" and not f.startswith((".", "_")))
        inside = os.path.relpath(folder, root).replace(os.sep, "/")
        found += [f"{inside}/{f}" for f in sorted(files) if f.endswith((".yaml", ".yml")) and not f.startswith((".", "_"))]
    return found


def _fixtures(root: Path) -> Callable[[str], bytes | None]:
    def fixture(name: str) -> bytes | None:
        path = (root / name).resolve()
        if not path.is_relative_to(root):
            return None
        try:
            return path.read_bytes()
        except OSError:
            return None

    return fixture


def _wrong_dataset(case: Case, known: Understanding) -> Finding | None:
    if case.dataset in known.project.datasets:
        return None
    schema, _, name = case.dataset.partition(".")
    near = did_you_mean(case.dataset, known.project.datasets)
    hint = f"write `models/{schema}/{name}.sql`; or {near}" if near else f"write `models/{schema}/{name}.sql`, or mend the name"
    return Finding("XDE0912", f"there is no dataset `{case.dataset}`", case.dataset_span, "not in this project", hint=hint)


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
