"""What the use cases answer, as data that a terminal, a page or a machine can show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xde.kernel.graph.analysis import ColumnRef
    from xde.lifecycle.ingestion.port import Letter
    from xde.lifecycle.storage.port import CommitRecord


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that `doctor` looked at; `status` is ok, missing, denied, slow or unsafe. `parts` are those of a detail of several."""

    subject: str
    status: str
    detail: str
    hint: str = ""
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DatasetLine:
    """A dataset in a listing; None where it has not been built in this environment."""

    name: str
    kind: str
    version: str | None
    rows: int | None
    bytes: int | None
    updated_at: str | None
    letters: int = 0
    description: str = ""


@dataclass(frozen=True, slots=True)
class LineageNode:
    """A column or a dataset and what it is made from; `how` is copied, computed or filters."""

    name: str
    kind: str
    how: str = ""
    type: str = ""
    expression: str = ""
    parents: tuple[LineageNode, ...] = ()
    readers: tuple[ColumnRef, ...] = ()


@dataclass(frozen=True, slots=True)
class LetterLine:
    """A dead letter and what became of it: open, replayed or discarded. One of a model is not replayed: the next build looks again."""

    letter: Letter
    status: str
    note: str = ""
    of_model: bool = False


@dataclass(frozen=True, slots=True)
class ReplayOutcome:
    """What a replay gave: letters that became rows, and those that failed again, with their new reasons."""

    dataset: str
    accepted: int
    again: tuple[Letter, ...]
    snapshot: int | None = None


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """A commit of a dataset's version."""

    dataset: str
    version: str
    record: CommitRecord
