"""What a delivery has other columns than those before it: what is told of that, and what its commit says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.ground.findings import Finding, Severity
from xde.ground.names import listed
from xde.ground.records import dataclass
from xde.kernel.run.events import ColumnsChange

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xde.lifecycle.ingestion.declare import Reading
    from xde.lifecycle.ingestion.port import Loaded
    from xde.lifecycle.storage.port import Column

FACT = "missing_columns"


@dataclass(frozen=True, slots=True)
class Changed:
    """The columns of a load beside what the commits before it say: what came, what went, what came back. `at` is where each is lacking."""

    dataset: str
    new: Mapping[Column, str]
    missing: tuple[str, ...]
    back: tuple[str, ...]
    at: Mapping[str, str]
    first: bool

    @property
    def changes(self) -> tuple[ColumnsChange, ...]:
        """What an outcome says of it; nothing where nothing has changed."""
        if not (self.new or self.missing or self.back):
            return ()
        return (ColumnsChange({c.name: c.type for c in self.new}, self.missing, self.back),)

    def findings(self, reading: Reading) -> Iterator[Finding]:
        """What is told."""
        if self.missing:
            yield self._gone([next(f.source_name for f in reading.fields if f.name == name) for name in self.missing])
        yield from (_new_column(self.dataset, column, path) for column, path in self.new.items())

    def _gone(self, names: list[str]) -> Finding:
        more = "" if self.first else " any more"
        message = f"`{self.at[self.missing[0]]}` has no {listed([f'`{n}`' for n in names])} of `{self.dataset}`{more}"
        hint = "ask who delivers it: these rows have nothing there. To refuse such a delivery, take `missingColumn: evolve` away"
        return Finding("XDE0417", message, hint=hint, severity=Severity.WARNING)


def changed(reading: Reading, known: Mapping[str, object], loaded: Loaded) -> Changed:
    """What has changed since the load that `known` facts tell of."""
    told = known.get(FACT)
    before = {str(n) for n in told} if isinstance(told, list) else set()
    now = set(loaded.absent)
    gone = tuple(n for n in loaded.absent if n not in before)
    back = tuple(sorted(before - now)) if loaded.accounts else ()
    return Changed(reading.dataset, loaded.new_columns, gone, back, loaded.absent, first=not known)


def missing(reading: Reading, loaded: Loaded) -> dict[str, object]:
    """What a commit says of the columns that its delivery lacks; nothing where none may be lacking, and where nothing was delivered."""
    may = reading.schema_change.missing_column == "evolve" and loaded.accounts
    return {FACT: sorted(loaded.absent)} if may else {}


def _new_column(dataset: str, column: Column, path: str) -> Finding:
    return Finding(
        "XDE0424",
        f"`{dataset}` has a new column: `{column.name}` {column.type}",
        why=f"`{path}` has it, and its contract does not; rows from before have nothing in it",
        hint="add it to the contract under `properties`, with the type and the rules it should have",
        severity=Severity.INFO,
    )
