"""What one dataset cost in some days, and who reads it: the figures of a line of `xde cost`."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from xde.ground.findings import Finding
    from xde.kernel.plan.costs import CostRecord


@dataclass(frozen=True, slots=True)
class Readers:
    """Who reads a dataset: models with the columns that they read, and people; `columns` are all that it has.

    `reads` counts how often it was shown, exported or compared, by which of these, in the days of the report; `last` is the last time of
    all, ISO. `only_for_it` are the models that would be of no use without it.
    """

    models: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    reads: Mapping[str, int] = field(default_factory=dict)
    last: str | None = None
    only_for_it: tuple[str, ...] = ()

    @property
    def unread(self) -> tuple[str, ...]:
        """The columns that no model reads."""
        read = {c for columns in self.models.values() for c in columns}
        return tuple(c for c in self.columns if c not in read)

    @property
    def times(self) -> int:
        """How often it was read."""
        return sum(self.reads.values())


@dataclass(frozen=True, slots=True)
class Spending:
    """A dataset's steps in the days of the report, in order of time, and what it holds.

    `kind` is source or the kind of model, `days` how many the report is of. `kept` are the bytes of all its versions in the lake, with what
    only old snapshots need, `table` those of what it shows now. `share` is its part of the seconds of all datasets, `kept_share` of their
    bytes (0 to 1).
    """

    dataset: str
    kind: str
    days: int = 30
    steps: tuple[CostRecord, ...] = ()
    kept: int = 0
    table: int = 0
    share: float = 0.0
    kept_share: float = 0.0
    readers: Readers = Readers()

    @property
    def builds(self) -> tuple[CostRecord, ...]:
        """The steps that came to a good end."""
        return tuple(s for s in self.steps if s.status == "done")

    @property
    def seconds(self) -> float:
        """Of all steps, the failed ones too."""
        return sum(s.usage.seconds for s in self.steps)

    @property
    def mean_seconds(self) -> float | None:
        """Of a step."""
        return self.seconds / len(self.steps) if self.steps else None

    @property
    def written(self) -> int:
        """Bytes written by all steps."""
        return sum(s.usage.bytes for s in self.steps)

    @property
    def memory(self) -> tuple[int, bool] | None:
        """The most memory of a step; whether it is the step's own, or a bound because others worked beside it each time."""
        known = [(u.memory, u.alone) for u in (s.usage for s in self.steps) if u.memory is not None]
        own = [m for m, alone in known if alone]
        return (max(own), True) if own else (max(m for m, _ in known), False) if known else None


@dataclass(frozen=True, slots=True)
class CostReport:
    """All of it, the dearest first, with what is worth a thought; `since` is ISO."""

    environment: str
    days: int
    since: str
    spendings: tuple[Spending, ...]
    findings: tuple[Finding, ...]
    total_seconds: float
    total_kept: int


def only_for(
    dataset: str, readers: Mapping[str, Collection[str]], upstream: Mapping[str, Sequence[str]], read: Collection[str]
) -> tuple[str, ...]:
    """The datasets above a dataset that nobody else reads: neither a model outside of it and of them, nor a person (`read`)."""
    gone = {dataset}
    left = list(upstream.get(dataset, ()))
    while left:  # what still has a reader is looked at again when that one goes
        name = left.pop()
        if name not in gone and name not in read and gone.issuperset(readers.get(name, ())):
            gone.add(name)
            left += upstream.get(name, ())
    return tuple(sorted(gone - {dataset}))
