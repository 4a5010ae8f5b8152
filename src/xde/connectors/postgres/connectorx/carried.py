"""How each column is asked for so that ConnectorX brings exactly what `COPY` would: as a value where that is safe, else as its text.

ConnectorX cuts a `numeric` to ten digits, ends where one is `NaN`, and panics at a type that it does not know and at dates that its own
type cannot hold. So it is given none of these. A column comes as a value only where the catalogue says that its type is one of a short
list and the contract wants the very same type; all others come as the text that `COPY` writes, and so does a `numeric`, of which a number
of the contract's digits is made afterwards.

Of the types of the list, too, some values are no ordinary ones: `infinity`, `NaN`, a year before 1 or after 9999. The server counts such
rows first. Where there are any, each comes as a whole as texts, a list of JSON in the last column, and takes the way of CSV.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.connectors.postgres.catalogue import written
from xde.ground.names import quoted
from xde.ground.records import dataclass

if TYPE_CHECKING:
    from xde.connectors.postgres.catalogue import Described
    from xde.connectors.postgres.fidelity import PgType
    from xde.lifecycle.sources.tables import Ask, AskedColumn

ODD = "$odd"  # the name of the column of rows that come as texts
TEXT = "text"  # what a column that comes as its text is in a job
_SAME = {"INT": "INTEGER", "BOOL": "BOOLEAN", "REAL": "FLOAT", "TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE", "DATETIME": "TIMESTAMP"}
_WHOLE = {"int2": ("SMALLINT", "INTEGER", "BIGINT"), "int4": ("INTEGER", "BIGINT"), "int8": ("BIGINT",)}
_NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)\Z")
_DECIMAL = re.compile(r"(?:DECIMAL|NUMERIC)\((\d+), *(\d+)\)\Z")
_MOST_DIGITS = 38
_FINITE = "{0} > '-Infinity' AND {0} < 'Infinity'"
_ERA = "{0} >= '0001-01-01' AND {0} < '10000-01-01'"
_PLAIN = {  # by the database's type and the wanted one: the cast, what an ordinary value is, and what the column is in a job
    ("bool", "BOOLEAN"): ("bool", "", "bool"),
    ("float4", "FLOAT"): ("float4", _FINITE, "float"),
    ("float8", "DOUBLE"): ("float8", _FINITE, "double"),
    ("date", "DATE"): ("date", _ERA, "date"),
    ("timestamp", "TIMESTAMP"): ("timestamp", _ERA, "timestamp"),
    ("timestamptz", "TIMESTAMP WITH TIME ZONE"): ("timestamptz", "{0} >= '0001-01-01 00:00+00' AND {0} < '10000-01-01 00:00+00'", "moment"),
}


@dataclass(frozen=True, slots=True)
class Carried:
    """A column in the query: its name, its SQL, what it is in a job, and the condition that a value is an ordinary one (empty: all are)."""

    name: str
    sql: str
    kind: str
    ordinary: str = ""

    @property
    def guarded(self) -> str:
        """Its SQL where there are others than ordinary values: they are missing."""
        return f"CASE WHEN {self.ordinary} THEN {self.sql} END" if self.ordinary else self.sql


def carried(column: AskedColumn, of: PgType) -> Carried:
    """How a column is asked for."""
    kind = column.type.strip().upper()
    kind, name = _SAME.get(kind, kind), quoted(column.name)
    if kind in _WHOLE.get(of.name, ()):
        return Carried(column.name, f"{name}::int8", kind.lower())
    if of.name == "numeric" and (found := _decimal(of, kind)) is not None:
        return Carried(column.name, f"{name}::text", f"decimal({found[0]},{found[1]})", f"{name} <> 'NaN'")
    cast, form, told = _PLAIN.get((of.name, kind), ("", "", TEXT))
    return Carried(column.name, f"{name}::{cast}", told, form.format(name)) if cast else Carried(column.name, as_text(column, of), told)


def as_text(column: AskedColumn, of: PgType) -> str:
    """The text that `COPY` writes, as a value of type text: by the type's own output, which a cast to text is not always."""
    sql, name = written(column, of), quoted(column.name)
    if sql != name:
        return sql
    return f"{name}::text" if of.name in {"text", "varchar"} else f"CASE WHEN {name} IS NOT NULL THEN concat({name}) END"


@dataclass(frozen=True, slots=True)
class Asked:
    """The columns of a table, and what is asked of the server for them."""

    columns: tuple[Carried, ...]
    texts: tuple[str, ...]

    @classmethod
    def of(cls, ask: Ask, described: Described) -> Asked:
        """Those of an ask."""
        types = described.columns
        return cls(tuple(carried(c, types[c.name]) for c in ask.columns), tuple(as_text(c, types[c.name]) for c in ask.columns))

    @property
    def odd(self) -> str:
        """The condition of rows with a value that is no ordinary one."""
        ordinary = " AND ".join(f"({c.ordinary})" for c in self.columns if c.ordinary)
        return f"({ordinary}) IS FALSE" if ordinary else "false"

    def expressions(self, *, guarded: bool) -> str:
        """What is selected; the last column is that of odd rows. Not `guarded` where there are none."""
        columns = [f"{c.guarded if guarded else c.sql} AS {quoted(c.name)}" for c in self.columns]
        odd = f"CASE WHEN {self.odd} THEN array_to_json(ARRAY[{', '.join(self.texts)}])::text END" if guarded else "NULL::text"
        return ", ".join([*columns, f"{odd} AS {quoted(ODD)}"])


def _decimal(of: PgType, kind: str) -> tuple[int, int] | None:
    """Digits and scale of the wanted type, where each value of the column is one of it."""
    has, wanted = _NUMERIC.match(of.base), _DECIMAL.match(kind)
    if has is None or wanted is None:
        return None
    (precision, scale), (digits, places) = (map(int, m.groups()) for m in (has, wanted))
    fits = scale <= precision and digits <= _MOST_DIGITS and places >= scale and digits - places >= precision - scale
    return (digits, places) if fits else None
