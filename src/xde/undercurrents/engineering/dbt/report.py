"""What an import tells: what was carried over and where it stands now, what a person must decide, what is otherwise than it was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xde.ground.findings import Finding, Severity

if TYPE_CHECKING:
    from xde.ground.spans import Span

DECIDE, REMARK = "XDE0181", "XDE0182"


@dataclass(frozen=True, slots=True)
class Carried:
    """A part of the dbt project that has its place in the new one: a model, seed, source, snapshot, test or unit test."""

    what: str
    name: str
    path: str
    became: str
    how: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A part that is left out of the build until somebody decides; its text stands under `undecided/`."""

    what: str
    name: str
    path: str
    kept: str
    reason: str


@dataclass(slots=True)
class Report:
    """Collected on the way: `decisions` are warnings, `remarks` tell what is otherwise but needs nobody; `folder` begins their places."""

    project: str = ""
    folder: str = ""
    carried: list[Carried] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    decisions: list[Finding] = field(default_factory=list)
    remarks: list[Finding] = field(default_factory=list)
    unread: list[Finding] = field(default_factory=list)

    def decide(self, message: str, place: Span | None, why: str = "", hint: str = "") -> None:
        """Something that only a person can decide."""
        finding = Finding(DECIDE, message, place, "", why, hint, Severity.WARNING)
        if finding not in self.decisions:
            self.decisions.append(finding)

    def remark(self, message: str, place: Span | None, why: str = "") -> None:
        """Something that is otherwise than it was, and is well so."""
        finding = Finding(REMARK, message, place, "", why, "", Severity.INFO)
        if finding not in self.remarks:
            self.remarks.append(finding)

    def counts(self) -> list[tuple[str, int, int]]:
        """Kinds of parts, with how many are carried over and how many wait."""
        kinds = dict.fromkeys([c.what for c in self.carried] + [w.what for w in self.waiting])
        return [(k, sum(c.what == k for c in self.carried), sum(w.what == k for w in self.waiting)) for k in kinds]
