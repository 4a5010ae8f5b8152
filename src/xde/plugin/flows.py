"""What an author of a flow function needs: the decorator, the kinds of arguments, and the picture of rows in and rows out."""

from __future__ import annotations

from xde.kernel.graph.flows.kinds import ArgumentError, Column, Columns, Expression, Interval, Name, Relation, Value, Values
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow

__all__ = [
    "ArgumentError",
    "Column",
    "Columns",
    "Expression",
    "Interval",
    "Name",
    "Picture",
    "Relation",
    "Value",
    "Values",
    "flow",
    "table",
]
