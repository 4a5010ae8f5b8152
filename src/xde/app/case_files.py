"""Where the cases of a project stand; what was read of a file is kept until it, or a fixture that it names, is another."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xde.ground.findings import Finding
from xde.ground.names import did_you_mean
from xde.undercurrents.engineering.testing.case import FLOW
from xde.undercurrents.engineering.testing.case_reader import read_cases

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from xde.app.understanding import Understanding
    from xde.undercurrents.engineering.testing.case import Case

FOLDER = "tests"
Stamp = tuple[int, int, int] | None


def stamp_of(path: str | Path) -> Stamp:
    """What tells that a file was written again: time, size and number; None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - asked of every file many times a second
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


@dataclass(frozen=True, slots=True)
class _Read:
    content: bytes
    fixtures: Mapping[str, Stamp]
    cases: tuple[Case, ...]
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class CaseFiles:
    """The files of cases of one project."""

    root: Path
    _read: dict[str, _Read] = field(default_factory=dict)

    @property
    def fixtures(self) -> set[str]:
        """Every file that some case names, by its path relative to the project; also those that are not there."""
        return {name for read in self._read.values() for name in read.fixtures}

    def cases(self, known: Understanding) -> tuple[tuple[Case, ...], list[Finding]]:
        """Every case, and what is wrong with them."""
        self._read = {path: read for path in case_files(self.root) if (read := self._file(path)) is not None}
        findings = [f for read in self._read.values() for f in read.findings]
        good: list[Case] = []
        for case in (c for read in self._read.values() for c in read.cases):
            wrong = _wrong_dataset(case, known)
            if wrong is None:
                good.append(case)
            else:
                findings.append(wrong)
        return tuple(good), findings

    def _file(self, path: str) -> _Read | None:
        try:
            content = (self.root / path).read_bytes()
        except OSError:
            return None  # gone since it was listed
        before = self._read.get(path)
        if before is not None and before.content == content and all(stamp_of(self.root / n) == s for n, s in before.fixtures.items()):
            return before
        used: dict[str, Stamp] = {}

        def fixture(name: str) -> bytes | None:
            place = (self.root / name).resolve()
            if not place.is_relative_to(self.root):
                return None
            used[name] = stamp_of(place)
            try:
                return place.read_bytes()
            except OSError:
                return None

        cases, findings = read_cases(content, path, fixture)
        return _Read(content, used, cases, tuple(findings))


def case_files(root: Path) -> list[str]:
    """The files of cases of a project, by path relative to it; what lies under `fixtures` or begins with a dot or `_` is none."""
    found: list[str] = []
    for folder, folders, files in os.walk(root / FOLDER):
        folders[:] = sorted(f for f in folders if f != "fixtures" and not f.startswith((".", "_")))
        inside = os.path.relpath(folder, root).replace(os.sep, "/")
        found += [f"{inside}/{f}" for f in sorted(files) if f.endswith((".yaml", ".yml")) and not f.startswith((".", "_"))]
    return found


def _wrong_dataset(case: Case, known: Understanding) -> Finding | None:
    if case.dataset in known.project.datasets or case.dataset.startswith(FLOW):
        return None  # of a flow it is told when it is run
    schema, _, name = case.dataset.partition(".")
    near = did_you_mean(case.dataset, known.project.datasets)
    hint = f"write `models/{schema}/{name}.sql`; or {near}" if near else f"write `models/{schema}/{name}.sql`, or mend the name"
    return Finding("XDE0912", f"there is no dataset `{case.dataset}`", case.dataset_span, "not in this project", hint=hint)
