"""What stands in the reports for other machines: results of cases, findings of no case, and where the project lies."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from xde.app.mutating import ModelMutants
    from xde.app.testing import CaseResult
    from xde.ground.findings import Finding

DIFFERENT = "XDE0950"  # the rows of a case differ from those expected: it has no finding of its own
_EXPECTED = frozenset({"XDE0913", "XDE0914"})  # findings that say that something else came than was expected


@dataclass(slots=True)
class Report:
    """Filled while the command works.

    `root` is the project's folder; `at` the moment when it began. `below`: the score of the mutants is below the one that is asked for.
    """

    at: datetime
    root: Path = field(default_factory=Path)
    results: list[CaseResult] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    mutants: list[ModelMutants] = field(default_factory=list)
    below: bool = False

    def prefix(self) -> str:
        """What leads from the top of the repository to the project, with a `/` at its end; empty where nothing does."""
        root = self.root.resolve()
        top = next((f for f in (root, *root.parents) if (f / ".git").exists()), root)
        return "" if top == root else root.relative_to(top).as_posix() + "/"


def differs(result: CaseResult) -> bool:
    """Whether a failed case ran and gave something else, as against one that could not be run."""
    return all(f.code in _EXPECTED for f in result.verdict.findings)


def put(path: Path, text: str) -> None:
    """Write a file as a whole: aside, then in its place. Raises `OSError`."""
    path.absolute().parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
