"""A plan and its steps, as data: `explain` and `run` walk the same one, and making it writes nothing."""

from __future__ import annotations

from enum import StrEnum

from xde.ground.digests import digest
from xde.ground.records import dataclass


class StepKind(StrEnum):
    """What a step does to its dataset."""

    LOAD = "load"  # files of a source into its table
    BUILD = "build"  # a model's query into its table
    ADOPT = "adopt"  # point the environment at a version that is there already
    COPY = "copy"  # the files of a table into a restatement of it, by reference; nothing is computed
    VIEW = "view"  # a view has no table: only its checks and its pointer


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a step is in the plan: a code for machines, a sentence for people."""

    code: str  # new, text, column, upstream, files, intervals, pointer, contract, failed
    text: str


@dataclass(frozen=True, slots=True)
class Interval:
    """A half-open stretch of time, ISO texts in UTC."""

    start: str
    end: str


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that a source delivered; the path is as the contract's server sees it, the digest that of its bytes.

    A table of a database is one too, with 0 bytes: what there is of it is seen when it is read.
    """

    path: str
    size: int
    digest: str
    what: str = "file"


@dataclass(frozen=True, slots=True)
class Cost:
    """What the last such step took."""

    seconds: float
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Step:
    """One action on one dataset; `after` are the datasets whose steps come first.

    `intervals` are computed whatever else has to be. `until` (ISO, empty for no end) bounds what a model by time is computed for: the rest
    stays missing. `restates` is the version whose table this one begins with, where it is not there yet. `carries` is the version of a
    history whose rows are put in their place in this one first: nothing can compute them again.
    """

    id: str
    kind: StepKind
    dataset: str
    version: str
    reasons: tuple[Reason, ...]
    after: tuple[str, ...] = ()
    intervals: tuple[Interval, ...] = ()
    files: tuple[SourceFile, ...] = ()
    full: bool = False  # replace all of the table, whatever its kind
    cost: Cost | None = None
    until: str = ""
    restates: str = ""
    carries: str = ""
    arranges: bool = False  # write all of the table's files anew first, as its rows are to lie now

    @property
    def only_arranges(self) -> bool:
        """Whether the rows stay as they are, in other files."""
        return self.arranges and all(r.code == "layout" for r in self.reasons)

    @property
    def identity(self) -> tuple[object, ...]:
        """What the step would do, without its reasons."""
        more = (self.until, self.restates) if self.until or self.restates else ()
        carried = (*((self.carries,) if self.carries else ()), *(("arrange",) if self.arranges else ()))
        return (self.id, self.kind, self.version, self.intervals, self.files, self.full, *more, *carried)


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps in an order in which they can be done; `unchanged` counts the datasets that need nothing."""

    environment: str
    steps: tuple[Step, ...]
    unchanged: int
    created_at: str

    @property
    def digest(self) -> str:
        """Names what this plan would do: the same plan has the same digest, whenever it is made."""
        return digest(self.environment, [s.identity for s in self.steps])
