"""A file of cases as pytest sees it: a collector, with an item a case, and failures in the words of `xde test`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from _pytest._code.code import TerminalRepr  # pytest has no public name for what a failure is told by

from xde.faces.pytest.projects import PROJECTS
from xde.faces.words.cases import failure
from xde.faces.words.findings import Look, findings_text
from xde.faces.words.ink import Ink
from xde.ground.errors import UserError
from xde.ground.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike
    from pathlib import Path

    from xde.app.testing import CaseResult, TestBench
    from xde.undercurrents.engineering.testing.case import Case


class CaseFailedError(Exception):
    """A case that did not pass."""

    def __init__(self, result: CaseResult, root: Path) -> None:
        super().__init__(result.case.id)
        self.result, self.root = result, root


class Told(TerminalRepr):
    """What is wrong with a case, coloured where the terminal is."""

    def __init__(self, failed: CaseFailedError) -> None:
        self._failed = failed

    def toterminal(self, tw: Any) -> None:  # noqa: ANN401 - pytest's writer has no public type
        """Write it."""
        look = Look(self._failed.root, Ink(bool(tw.hasmarkup)))
        for line in failure(self._failed.result, look, sql=True).splitlines():
            tw.line(line)


class CaseFile(pytest.File):
    """A YAML file under `tests/` of a project."""

    root: Path

    @classmethod
    def of(cls, parent: pytest.Collector, path: Path, root: Path) -> CaseFile:
        """The collector of a file in the project at `root`."""
        made = cls.from_parent(parent, path=path)
        made.root = root
        return made

    def collect(self) -> Iterable[pytest.Item]:
        """A case each, in the order of the file."""
        try:
            bench = self.config.stash[PROJECTS].open(self.root)
        except UserError as error:
            raise self.CollectError(findings_text(error.findings, Look(self.root))) from error
        inside = self.path.relative_to(self.root).as_posix()
        wrong = [f for f in bench.findings if f.severity is Severity.ERROR and f.span is not None and f.span.path == inside]
        if wrong:
            raise self.CollectError(findings_text(wrong, Look(self.root)))
        for case in bench.cases:
            if case.path == inside:
                yield CaseItem.of(self, case, bench)


class CaseItem(pytest.Item):
    """One case."""

    case: Case
    bench: TestBench

    @classmethod
    def of(cls, parent: CaseFile, case: Case, bench: TestBench) -> CaseItem:
        """The item of a case; `-k` finds it by its dataset and its tags too, `-m xde` finds all cases."""
        made = cls.from_parent(parent, name=case.name.replace("::", ":"))
        made.case, made.bench = case, bench
        made.add_marker("xde")
        made.extra_keyword_matches.update({case.dataset, *case.tags})
        return made

    def runtest(self) -> None:
        """Run it; the lake and the ledger are not touched."""
        result = self.bench.run_one(self.case)
        if not result.passed:
            raise CaseFailedError(result, self.bench.root)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str | TerminalRepr:  # noqa: ANN401 - pytest's own
        """The table of differences, and the query."""
        if isinstance(excinfo.value, CaseFailedError):
            return Told(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[PathLike[str] | str, int | None, str]:
        """Where it is written; pytest counts lines from 0."""
        return self.path, self.case.span.line - 1 if self.case.span else None, f"{self.case.dataset}: {self.case.name}"
