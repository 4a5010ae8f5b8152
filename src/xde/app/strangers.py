"""Connectors of other people: whatever they raise is told as a finding that names them, and never as a fault of ours."""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from xde.ground.errors import Bug, TemporaryError, UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean
from xde.ground.secrets import scrubbed
from xde.lifecycle.ingestion.declare_tables import OURS
from xde.plugin.sources import connector, kinds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from xde.lifecycle.sources.tables import Ask, Looked, News, Portion, Position, TableSource
    from xde.plugin.sources import Connector


def unknown(asks: Iterable[Ask]) -> list[Finding]:
    """What is told of sources that neither we nor an installed package can read. Looks through what is installed once for all."""
    theirs = [a for a in asks if a.place.kind not in OURS]
    installed = kinds() if theirs else ()
    return [_unknown(a, installed) for a in theirs if a.place.kind not in installed]


def _unknown(ask: Ask, installed: tuple[str, ...]) -> Finding:
    kind = ask.place.kind
    why = "connectors that are installed: " + (", ".join(f"`{k}`" for k in installed) or "none but ours")
    hint = did_you_mean(kind, (*OURS, *installed)) or "install the package that brings it (entry point group `xde.sources`)"
    message = f"`{ask.dataset}` is on a server of type `{kind}`, which nobody here can read"
    return Finding("XDE0435", message, ask.place.span, "no connector", why, hint)


class Stranger:
    """See `lifecycle.sources.tables.TableSource`."""

    def __init__(self, ask: Ask, settings: Mapping[str, str], root: Path) -> None:
        told = unknown([ask])  # it was asked when the contract was read, and may be gone since
        if told:
            raise UserError(*told)
        with _told(ask):
            self._source: TableSource = _connector(ask.place.kind)(settings, root)

    def news(self, ask: Ask, position: Position | None) -> News | None:
        with _told(ask):
            return self._source.news(ask, position)

    def read(self, ask: Ask, position: Position | None, folder: Path) -> Portion:
        with _told(ask):
            return self._source.read(ask, position, folder)

    def look(self, ask: Ask) -> list[Looked]:
        with _told(ask):
            return self._source.look(ask)

    def close(self) -> None:
        self._source.close()


def _connector(kind: str) -> Connector:
    found = connector(kind)
    if found is None:
        raise Bug(f"no connector of `{kind}`")
    return found


@contextmanager
def _told(ask: Ask) -> Iterator[None]:
    try:
        yield
    except (UserError, TemporaryError):
        raise
    except Exception as error:
        scrubbed(error)
        last = traceback.extract_tb(error.__traceback__)[-1]
        why = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        hint = "tell who wrote it; `xde.testing` holds what a connector must do"
        message = f"the connector of `{ask.place.kind}` broke down at {Path(last.filename).name}:{last.lineno}"
        raise UserError(Finding("XDE0495", message, ask.place.span, "its server", why, hint)) from error
