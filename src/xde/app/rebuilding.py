"""A ledger that is lost or broken, made again from the lake."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from xde.app.opening import house_at
from xde.app.reconciling import rebuild

if TYPE_CHECKING:
    from pathlib import Path


def rebuild_at(root: Path, environment: str | None) -> tuple[int, Path | None]:
    """How many tables were found, and where the ledger lies now that was broken.

    Goes by the settings alone: models that cannot be read keep nobody from it. Raises `UserError` for a ledger that is not ours to move.
    """
    with closing(house_at(root.resolve(), environment)) as house:
        aside = house.set_broken_ledger_aside()
        return rebuild(house), aside
