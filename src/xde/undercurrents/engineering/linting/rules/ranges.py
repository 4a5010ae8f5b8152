"""Ranges of times that end with a day: they end when that day begins."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.linting.types import family, infer
from xde.undercurrents.engineering.linting.words import Remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.linting.facts import Scope
    from xde.undercurrents.engineering.linting.subject import Subject

RULE = "date-range-end"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


def date_range_end(subject: Subject) -> Iterator[Remark]:
    """`BETWEEN` of a time whose upper end is a date."""
    for scope in subject.scopes:
        for node in scope.nodes():
            if not isinstance(node, exp.Between):
                continue
            if family(infer(node.this, scope).type) in {"timestamp", "moment"} and _is_day(node.args["high"], scope):
                value = subject.said(node.this)
                high = subject.said(node.args["high"])
                message = f"`{value}` is a time, and BETWEEN ends at the beginning of {high}"
                why = "all of that day but its first moment is left out"
                hint = f"write `{value} >= ... AND {value} < ...` with the day after"
                yield Remark(RULE, node, message, "ends at midnight", why, hint)


def _is_day(node: exp.Expr, scope: Scope) -> bool:
    if isinstance(node, exp.Literal) and node.is_string:
        return _DAY.match(node.name) is not None
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal) and node.this.is_string:
        return _DAY.match(node.this.name) is not None
    return family(infer(node, scope).type) == "date" and isinstance(node.unnest(), (exp.Column, exp.Cast))
