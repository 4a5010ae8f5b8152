"""Something wrong that we tell the user: code, what, where, why, how to mend it."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING

from xde.ground.records import dataclass
from xde.ground.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from xde.ground.spans import Span


class Severity(StrEnum):
    """How much a finding matters: an error stops what it concerns, a warning is told."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One complaint; `message` stands alone, in lower case and without a full stop.

    `code` has a page that `xde explain` shows; `label` is what stands beside the caret (six words at most);
    `why` is the fact that makes it wrong; `hint` is one way to mend it, a command or an edit. What must not be seen is taken out of
    its texts when it is made: whoever shows or keeps a finding need not think of it.
    """

    code: str
    message: str
    span: Span | None = None
    label: str = ""
    why: str = ""
    hint: str = ""
    severity: Severity = Severity.ERROR

    def __post_init__(self) -> None:
        for name in ("message", "label", "why", "hint"):
            text = getattr(self, name)
            if text and (shown := redact(text)) is not text and shown != text:
                object.__setattr__(self, name, shown)


@dataclass(slots=True)
class Findings:
    """Collects every finding of a piece of work, so that a user sees all of them at once."""

    items: list[Finding] = field(default_factory=list)

    def add(self, finding: Finding) -> None:
        """Keep a finding; the same one said twice is kept once."""
        if finding not in self.items:
            self.items.append(finding)

    def extend(self, findings: Iterable[Finding]) -> None:
        """Keep several findings."""
        for finding in findings:
            self.add(finding)

    @property
    def errors(self) -> list[Finding]:
        """The findings that stop the work."""
        return [f for f in self.items if f.severity is Severity.ERROR]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)
