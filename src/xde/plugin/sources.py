"""Connectors of sources (port): who writes one needs this file, and proves it by `xde.testing`.

A connector is a callable behind an entry point of the group `xde.sources`, whose name is the kind that a contract names as `xdeType` of a
server of `type: custom`. It gives a `TableSource`: what is asked of it is an `Ask`, what it writes are CSV files (`write_rows`).
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol

from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding
from xde.lifecycle.sources.pace import Pace
from xde.lifecycle.sources.reaching import reach
from xde.lifecycle.sources.rows import write_rows
from xde.lifecycle.sources.tables import Ask, AskedColumn, Cursor, Limits, Looked, News, Piece, Portion, Position, TableSource

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "Ask",
    "AskedColumn",
    "Connector",
    "Cursor",
    "Finding",
    "Limits",
    "Looked",
    "News",
    "Pace",
    "Piece",
    "Portion",
    "Position",
    "TableSource",
    "TemporaryError",
    "UserError",
    "connector",
    "kinds",
    "reach",
    "write_rows",
]
GROUP = "xde.sources"


class Connector(Protocol):
    """Opens a source: `settings` are those of the contract's server, its own (`xdeHost` as `host`) among them, with references looked up.

    It should ask nothing yet. Raises `UserError` where a setting cannot be.
    """

    def __call__(self, settings: Mapping[str, str], project: Path, /) -> TableSource:
        """The source; `project` is the project's folder, from which paths count."""
        ...


def kinds() -> tuple[str, ...]:
    """The kinds that are installed, in order."""
    return tuple(sorted({e.name for e in entry_points(group=GROUP)}))


def connector(kind: str) -> Connector | None:
    """The connector of a kind; None where none is installed. Raises what its module raises when it is imported."""
    found = [e for e in entry_points(group=GROUP) if e.name == kind]
    loaded: Connector | None = found[0].load() if found else None
    return loaded
