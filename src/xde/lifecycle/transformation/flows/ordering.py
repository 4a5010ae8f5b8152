"""How flows put rows in an order that never depends on chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xde.kernel.graph.flows.kinds import Column, Columns

ROW = "__flow_row"
"""What a flow calls its input where the whole row decides: the name of a table stands for its row."""


def newest_first(columns: Iterable[Column] | None) -> list[str]:
    """Items of ORDER BY; what is NULL comes last."""
    return [f"{c} DESC NULLS LAST" for c in columns or ()]


def oldest_first(columns: Iterable[Column] | None) -> list[str]:
    """Items of ORDER BY; what is NULL comes last."""
    return [f"{c} ASC NULLS LAST" for c in columns or ()]


def decided(items: list[str], ties: Columns | None) -> str:
    """An ORDER BY list that leaves nothing open: between equal rows the columns of `ties` decide, or else the whole row."""
    return ", ".join([*items, *(newest_first(ties) if ties is not None else [ROW])])


def once(*columns: Column) -> str:
    """Columns with commas between, each name once."""
    return ", ".join(str(c) for c in {c.text.lower(): c for c in columns}.values())


def partition(*keys: Columns | Column | None) -> str:
    """A PARTITION BY clause, or nothing."""
    given = [str(k) for k in keys if k is not None]
    return f"PARTITION BY {', '.join(given)}" if given else ""
