"""What an auditor must be able to do: carry out checks on files that nobody can see yet."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Protocol

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.kernel.plan.checks import Check, CheckResult
    from xde.lifecycle.storage.port import DataFile, Schema


@dataclass(frozen=True, slots=True)
class Audit:
    """What to look at: the new files (absolute folder) and, where a rule speaks of the whole table, the files that stay.

    `others` are the datasets that references and queries name: schema and absolute paths. `now` is the clock's present, ISO.
    """

    dataset: str
    schema: Schema
    folder: str
    new: Sequence[DataFile]
    kept: Sequence[DataFile]
    checks: Sequence[Check]
    now: str
    others: Mapping[str, tuple[Schema, tuple[str, ...]]] = field(default_factory=dict)
    samples: int = 20


class Auditor(Protocol):
    """Carries out checks: statistics first, then one scan by bit mask, then keys, references and queries."""

    def audit(self, audit: Audit) -> tuple[CheckResult, ...]:
        """One result a check, in their order; a check whose SQL does not run fails alone, with the engine's words in `value`."""
        ...
