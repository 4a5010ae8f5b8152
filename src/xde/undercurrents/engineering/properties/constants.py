"""The constants that stand in the SQL of a model: the values at which it decides, and so those worth trying."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlglot import exp

MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?\Z")
MOST = 24


@dataclass(frozen=True, slots=True)
class Constants:
    """Texts, numbers (also those one beside) and moments, each once; `zones` when a zone of time is read from a column."""

    texts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    moments: tuple[str, ...] = ()
    zones: bool = False


def constants_of(queries: Iterable[str], parameters: Iterable[object] = ()) -> Constants:
    """What stands in the queries and in the values of their parameters."""
    from sqlglot import exp, parse_one
    from sqlglot.errors import SqlglotError

    texts: dict[str, None] = {}
    numbers: dict[str, None] = {}
    zones = False
    for query in queries:
        try:
            tree = parse_one(query, dialect="duckdb")
        except SqlglotError:
            continue
        for node in tree.find_all(exp.Literal, exp.AtTimeZone):
            if isinstance(node, exp.AtTimeZone):
                zones |= not isinstance(node.args.get("zone"), exp.Literal)
            elif not _beside_the_point(node):
                (texts if node.is_string else numbers)[str(node.this)] = None
    for value in parameters:
        if isinstance(value, str):
            texts[value] = None
        elif isinstance(value, int | float) and not isinstance(value, bool):
            numbers[str(value)] = None
    moments = [t.replace("T", " ") for t in texts if MOMENT.match(t)]
    words = [w for t in texts for w in (t, t.strip("%_")) if w and not MOMENT.match(t)]
    return Constants(tuple(dict.fromkeys(words))[:MOST], _around(numbers), tuple(moments[:MOST]), zones)


def _beside_the_point(node: exp.Expr) -> bool:
    """Zones, formats and lengths of time are no values of columns."""
    from sqlglot import exp

    parent = node.parent
    return isinstance(parent, (exp.AtTimeZone, exp.Interval, exp.DataTypeParam, exp.TimeToStr, exp.StrToTime))


def _around(numbers: Iterable[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for text in list(numbers)[: MOST // 2]:
        found[text] = None
        try:
            value = int(text)
        except ValueError:
            continue
        found |= dict.fromkeys((str(value + 1), str(value - 1)))
    return tuple(found)
