"""What DuckDB says of the type of an expression whose parts have given types; asked once and remembered."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.lifecycle.transformation.port import Query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xde.lifecycle.storage.port import Schema
    from xde.lifecycle.transformation.port import Input

    Describe = Callable[[Query, Mapping[str, Input]], Schema]

MANY = 100_000  # answers kept


class Oracle:
    """DuckDB's `DESCRIBE` over columns that hold nothing but their types."""

    def __init__(self, describe: Describe) -> None:
        self._describe = describe
        self._known: dict[tuple[str, tuple[str, ...]], str | None] = {}
        self._lock = threading.Lock()

    def type_of(self, template: str, given: Sequence[str]) -> str | None:
        """The type of an expression over `a0`, `a1` ... of given types; None when DuckDB does not accept it."""
        key = (template, tuple(given))
        with self._lock:
            if key in self._known:
                return self._known[key]
        found = self._asked(template, given)
        with self._lock:
            if len(self._known) > MANY:
                self._known.clear()
            self._known[key] = found
        return found

    def _asked(self, template: str, given: Sequence[str]) -> str | None:
        columns = ", ".join(f"{'NULL' if t == NULL else f'CAST(NULL AS {t})'} AS a{i}" for i, t in enumerate(given))
        try:
            schema = self._describe(Query(f"SELECT {template} AS it FROM (SELECT {columns or '1 AS a'})"), {})
        except UserError:
            return None
        return schema[0].type

    def schema(self, query: Query, inputs: Mapping[str, Input]) -> Schema:
        """The columns of a whole query."""
        return self._describe(query, inputs)


NULL = '"NULL"'
