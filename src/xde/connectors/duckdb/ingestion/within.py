"""Values within a value that is read from JSON: each is held against what is written there, for the engine's casts are lax here too."""

from __future__ import annotations

from collections.abc import Callable

import duckdb
from duckdb.sqltypes import DuckDBPyType

from xde.connectors.duckdb.ingestion.searching import MANY_DIGITS
from xde.ground.names import literal, quoted

TEXT_OR_NUMBER = r'("(?:[^"\\]|\\.)*")|(-?[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?)'

Rule = Callable[[str, str, str], str | None]
"""The SQL that is true when a text is not exactly a value, from a type's name, the text and the value; nothing where any text is one."""


def in_quotes(line: str) -> str:
    """The SQL of a record with its numbers that have a point as texts, so that no reader makes a DOUBLE of them.

    Texts are found together with numbers, so that what stands in one is none; the mark between cannot stand in valid JSON (RFC 8259, 7).
    """
    marked = f"regexp_replace({line}, {literal(TEXT_OR_NUMBER)}, '\\1\x01\\2\x01', 'g')"
    return f"replace(replace({marked}, '\x01\x01', ''), '\x01', '\"')"


def parts_wrong(kind: str, text: str, value: str, rule: Rule) -> str:
    """The SQL that is true when any part of a nested value is not exactly what stands in its JSON; false where there is none."""
    whole = duckdb.sqltype(kind)
    texts = f"TRY(CAST(TRY_CAST({in_quotes(text)} AS JSON) AS {_with(whole, lambda _: 'VARCHAR')}))"
    found = _Parts(rule).wrong(whole, texts, value, 0)
    if found is None:
        return "false"
    # most values are as they are written: to see that of the whole at once costs a tenth of a look at each part
    seen = _with(whole, _SEEN.get)
    alike = f"CAST({value} AS {seen}) IS NOT DISTINCT FROM TRY(CAST(TRY_CAST({text} AS JSON) AS {seen}))"
    return f"(CASE WHEN {alike} AND NOT regexp_matches({text}, {literal(_DOUBTFUL)}) THEN false ELSE coalesce({found}, false) END)"


def has_numbers(kind: str) -> bool:
    """Whether a part of a type is a number that a DOUBLE might not hold with all of its digits."""
    return _has_numbers(duckdb.sqltype(kind))


def _has_numbers(of: DuckDBPyType) -> bool:
    return any(map(_has_numbers, _inner(of))) if of.id in _HOLDERS else of.id in {"decimal", "integer", *_WHOLE}


_HOLDERS = {"list", "array", "struct", "map"}
_WRITTEN = ("boolean", "integer", "float", "double", "date", "time", "timestamp", "timestamp with time zone")
_WHOLE = tuple(f"{sign}{size}int" for sign in ("", "u") for size in ("tiny", "small", "big", "huge"))
_SEEN = {**dict.fromkeys((*_WRITTEN, *_WHOLE, "uinteger"), "VARCHAR"), "decimal": "DOUBLE"}
_DOUBTFUL = rf"(?i){MANY_DIGITS}|true|false|inf|nan|bc|[0-9]{{5}}-"
"""Where two that are seen alike may not be: a DOUBLE keeps 15 digits, and `true` is 1 to it; a day may be of no year that a table has."""


def _inner(of: DuckDBPyType) -> list[DuckDBPyType]:
    return [inner for _, inner in of.children if isinstance(inner, DuckDBPyType)]


def _with(of: DuckDBPyType, part: Callable[[str], str | None]) -> str:
    """The same type with other parts: what is given for the kind of each, or the part as it is."""
    match of.id:
        case "list" | "array":
            return f"{_with(_inner(of)[0], part)}[]"
        case "map":
            key, value = _inner(of)
            return f"MAP({_with(key, part)}, {_with(value, part)})"
        case "struct":
            named = zip((n for n, _ in of.children), _inner(of), strict=True)
            return f"STRUCT({', '.join(f'{quoted(n)} {_with(inner, part)}' for n, inner in named)})"
        case _:
            return part(of.id) or str(of)


class _Parts:
    """Each part beside its text; a variable of a lambda is named after its depth, for one within another sees both."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule

    def wrong(self, of: DuckDBPyType, text: str, value: str, depth: int) -> str | None:
        match of.id:
            case "list" | "array":
                (inner,) = _inner(of)
                return self._any(inner, text, f"CAST({value} AS {inner}[])" if of.id == "array" else value, depth)
            case "map":
                key, held = _inner(of)
                sides = [self._any(key, f"map_keys({text})", f"map_keys({value})", depth)]
                sides.append(self._any(held, f"map_values({text})", f"map_values({value})", depth))
                return _either(sides)
            case "struct":
                named = zip((quoted(n) for n, _ in of.children), _inner(of), strict=True)
                return _either([self.wrong(inner, f"({text}).{name}", f"({value}).{name}", depth) for name, inner in named])
            case _:
                return self._rule(str(of), text, value)

    def _any(self, inner: DuckDBPyType, texts: str, values: str, depth: int) -> str | None:
        pair = f"pair{depth}"
        wrong = self.wrong(inner, f"{pair}[1]", f"{pair}[2]", depth + 1)
        return wrong and f"len(list_filter(list_zip({texts}, {values}), lambda {pair}: {wrong})) > 0"


def _either(conditions: list[str | None]) -> str | None:
    known = [f"coalesce({c}, false)" for c in conditions if c is not None]
    return f"({' OR '.join(known)})" if known else None
