"""A row of the log as the columns that are asked for: which values are taken and as what text, by the shape that its table had."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xde.connectors.postgres.capture.pgoutput import KEPT
from xde.connectors.postgres.capture.pieces import Output
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.lifecycle.sources.rows import BLOBS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from xde.connectors.postgres.capture.latest import Key
    from xde.connectors.postgres.capture.pgoutput import Relation, Row, Value
    from xde.connectors.postgres.fidelity import PgType
    from xde.lifecycle.sources.tables import Ask, AskedColumn

_PAIRS = re.compile("(..)")


@dataclass(slots=True)
class Shaped:
    """How rows of one shape are taken apart.

    `places` are those of the columns of `output` in a row of the log, `fixes` what is done to the text at some; `key` are the places of the
    key, and `told_by_key` says whether an old row or key tells the whole of it.
    """

    number: int
    output: Output
    places: tuple[int, ...]
    fixes: Mapping[int, Callable[[str], str]]
    key: tuple[int, ...]
    whole: bool
    told_by_key: bool

    def taken(self, row: Row) -> Row:
        """The columns that are asked for."""
        if not self.fixes:
            return tuple([row[p] for p in self.places])
        return tuple([self._fixed(p, row[p]) for p in self.places])

    def _fixed(self, place: int, value: Value) -> Value:
        fix = self.fixes.get(place)
        return fix(value) if fix is not None and isinstance(value, str) else value

    def key_of(self, row: Row, old: Row | None = None) -> Key:
        """The key of a row; a part of it that is not repeated stands in the old one."""
        found: list[str | None] = []
        for place in self.key:
            value = row[place]
            if value is KEPT and old is not None:
                value = old[place]
            fixed = self._fixed(place, value) if self.fixes else value
            found.append(fixed if isinstance(fixed, str) else None)
        return tuple(found)


def shaped(ask: Ask, relation: Relation, number: int, types: Mapping[int, PgType], key: tuple[str, ...] | None) -> Shaped:
    """How rows are taken apart that have a relation's shape. `key` None: it is told apart by its replica identity.

    Raises `UserError` where a column that must be there is not.
    """
    names = [c.name for c in relation.columns]
    ask = _then(ask, names)
    flagged = tuple(c.name for c in relation.columns if c.key)
    key = flagged if key is None else key
    gone = [n for n in key if n not in names]
    if gone:
        why = "a change can no longer be brought together with the row that it changes"
        hint = f"load all of it once more by `xde run --full {ask.dataset}`, with a key that is there"
        raise UserError(Finding("XDE0428", f"`{ask.relation}` has lost a column of its key: `{gone[0]}`", ask.span, "no key", why, hint))
    fixes, nested = {}, []
    for at, column in enumerate(ask.columns):
        place = names.index(column.name)
        of = types[relation.columns[place].type]
        if (fix := _fix(column, of)) is not None:
            fixes[place] = fix
        if is_nested(column, of):
            nested.append((at, of.shown))
    places = tuple(names.index(c.name) for c in ask.columns)
    output = Output(tuple(c.name for c in ask.columns), key, tuple(nested))
    whole = relation.identity == "f"
    return Shaped(number, output, places, fixes, tuple(names.index(k) for k in key), whole, whole or set(key) <= set(flagged))


def _then(ask: Ask, names: list[str]) -> Ask:
    """With the columns that the table had when a change was made: the log tells of it by those, whatever they are called now."""
    try:
        return ask.resolved(names, str)
    except UserError as error:
        (told,) = error.findings
        asked = {n for c in ask.columns for n in (c.name, *c.also)}
        others = [n for n in names if n not in asked]
        then = others[0] if len(others) == 1 else "the name it had then"
        why = "the log tells of a change by the columns that the table had then: " + ", ".join(f"`{n}`" for n in names[:30])
        hint = f"if it had another name then, write `{{property: xdeAlsoNamed, value: [{then}]}}` into its `customProperties`"
        message = f"{told.message}, or had none when a change was made"
        raise UserError(replace(told, message=message, why=why, hint=hint)) from None


def is_nested(column: AskedColumn, of: PgType) -> bool:
    """Whether a value is written as JSON; as `catalogue.written` has it of a query."""
    kind = column.type.strip().upper()
    if of.name in {"json", "jsonb"} or (of.name == "bytea" and kind in BLOBS):
        return False
    return of.category in {"A", "C"} or kind.endswith("[]") or kind.startswith(("STRUCT(", "MAP("))


def _fix(column: AskedColumn, of: PgType) -> Callable[[str], str] | None:
    if of.name == "bytea" and column.type.strip().upper() in BLOBS:
        return lambda text: _PAIRS.sub(r"\\x\1", text[2:])
    if of.name == "bool" and not is_nested(column, of):
        return lambda text: "true" if text == "t" else "false"
    return None
