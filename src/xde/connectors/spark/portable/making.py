"""What the parts of a query need of the one that writes it whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlglot import exp

    from xde.connectors.spark.portable.scope import Scope, Table
    from xde.connectors.spark.portable.types import Part
    from xde.connectors.spark.portable.writer import Writer


class QueryMaker(Protocol):
    """Writes queries; `tables` are the inputs by their lower names."""

    tables: Mapping[str, Table]
    writer: Writer

    def write(self, node: exp.Expr, outer: Scope | None) -> tuple[str, list[Part]]:
        """A query within the one that is being written, and its columns."""
        ...

    def only(self, node: exp.Expr, known: set[str]) -> None:
        """Refuse every clause of a node that is not among the known ones."""
        ...

    def fresh(self) -> str:
        """A name that nobody else has."""
        ...
