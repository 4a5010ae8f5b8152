"""Casts as DuckDB makes them: how a fraction is rounded, what a text may look like, how a value looks as a text.

A text that the two engines may read differently stops the run with an error; it never becomes another value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from xde.connectors.spark.portable.binding import bound
from xde.connectors.spark.portable.refusing import CAST, TYPE, NotPortable
from xde.connectors.spark.portable.scope import Scope, Typed
from xde.connectors.spark.portable.types import (
    NULL,
    WHOLE,
    ZONED,
    digits,
    element,
    is_decimal,
    is_float,
    is_list,
    is_number,
    is_whole,
    parts,
    spark_type,
    text,
    ticked,
)
from xde.connectors.spark.portable.writer import Writer, rule

if TYPE_CHECKING:
    from collections.abc import Sequence

BLANK = r"[ \t\n\r\f\x0B]*"
LOOKS = {  # texts that both engines read, and as the same
    "whole": rf"^{BLANK}[+-]?[0-9]+{BLANK}$",
    "fraction": rf"^{BLANK}[+-]?([0-9]+\.?[0-9]*|\.[0-9]+){BLANK}$",
    "float": rf"^{BLANK}[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{{1,3}})?{BLANK}$",
    "DATE": rf"^{BLANK}[0-9]{{4}}-[0-9]{{1,2}}-[0-9]{{1,2}}{BLANK}$",
    "TIMESTAMP": rf"^{BLANK}[0-9]{{4}}-[0-9]{{1,2}}-[0-9]{{1,2}}([ T][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(\.[0-9]{{1,6}})?)?{BLANK}$",
    ZONED: rf"^{BLANK}[0-9]{{4}}-[0-9]{{1,2}}-[0-9]{{1,2}}"
    rf"([ T][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(\.[0-9]{{1,6}})?(Z|[+-][0-9]{{2}}(:[0-9]{{2}})?)?)?{BLANK}$",
    "BOOLEAN": "^(?i)(true|false|t|f|yes|no|y|n|1|0)$",
}
NOTHING = r"^[^0-9]*$"  # no engine finds a number, a date or a time in a text without figures
NO_NUMBER = rf"^{BLANK}$|^[^0-9iIn]*$"  # nor may it be `inf` or `nan`


def cast(value: Typed, wanted: str, *, trying: bool = False) -> Typed:
    """A value as another type; with `trying` what cannot be is NULL."""
    if value.type == wanted:
        return value
    kind = spark_type(wanted)
    if kind is None:
        raise NotPortable(TYPE, f"{wanted} is no type of Spark", hint="see the types in `docs/concepts/engine.md`")
    if value.type == NULL:
        return Typed(f"CAST({value.sql} AS {kind})", wanted)
    plain = _literal(value.sql, wanted) if value.constant and value.type == "VARCHAR" else None
    if plain is not None:
        return Typed(plain, wanted)
    word = "TRY_CAST" if trying else "CAST"
    made = _made(value, wanted, kind, word)
    if made is None:
        what = f"a cast from {value.type} to {wanted} is not proven to give the same on Spark"
        raise NotPortable(CAST, what, hint=_way(value.type, wanted))
    return Typed(made, wanted)


DAY = re.compile(r"'(\d{4}-\d\d-\d\d)'\Z")
MOMENT = re.compile(r"'(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,6})?)'\Z")
FIGURES = re.compile(r"'([+-]?\d+(?:\.\d+)?)'\Z")


def _literal(sql: str, wanted: str) -> str | None:
    """A literal that both engines read alike, as one of the type."""
    day, moment, figures = DAY.match(sql), MOMENT.match(sql), FIGURES.match(sql)
    if wanted == "DATE" and day:
        return f"DATE {sql}"
    if wanted == "TIMESTAMP" and (day or moment):
        return f"TIMESTAMP_NTZ {sql}"
    if wanted == "DOUBLE" and sql.lower() in {"'nan'", "'inf'", "'infinity'", "'-inf'", "'-infinity'"}:
        return f"CAST({sql} AS DOUBLE)"
    if figures and (is_decimal(wanted) or is_float(wanted) or (is_whole(wanted) and "." not in figures[1])):
        return f"CAST({sql} AS {spark_type(wanted)})"
    return None


def _way(given: str, wanted: str) -> str:
    if is_float(given) and wanted == "VARCHAR":
        return "cast it to a DECIMAL first: the engines write floating-point numbers differently"
    return "take it in two steps over a type that is proven, or run this model on DuckDB"


def _made(value: Typed, wanted: str, kind: str, word: str) -> str | None:
    given, sql = value.type, value.sql
    if given == "VARCHAR":
        return _from_text(sql, wanted, kind, word)
    if wanted == "VARCHAR":
        return _to_text(sql, given)
    if is_number(given) and is_number(wanted):
        return _number(sql, given, wanted, word)
    if given == "BOOLEAN" and (is_whole(wanted) or is_float(wanted)):
        return f"CAST(CAST({sql} AS INT) AS {kind})"
    if is_whole(given) and wanted == "BOOLEAN":
        return f"({sql} <> 0)"
    if given in {"DATE", "TIMESTAMP", ZONED} and wanted in {"DATE", "TIMESTAMP", ZONED}:
        return f"CAST({sql} AS {kind})"
    return _nested(sql, given, wanted, word)


def _nested(sql: str, given: str, wanted: str, word: str) -> str | None:
    trying = word == "TRY_CAST"
    if is_list(given) and is_list(wanted):
        name = f"e{sql.count('->')}"
        inner = cast(Typed(name, element(given)), element(wanted), trying=trying)
        return f"TRANSFORM({sql}, {name} -> {inner.sql})"
    old, new = parts(given), parts(wanted)
    if old and [p.name for p in old] == [p.name for p in new]:
        inners = [
            f"{text(n.name)}, {cast(Typed(f'{sql}.{ticked(o.name)}', o.type), n.type, trying=trying).sql}"
            for o, n in zip(old, new, strict=True)
        ]
        return f"CASE WHEN {sql} IS NULL THEN NULL ELSE NAMED_STRUCT({', '.join(inners)}) END"
    return None


def _number(sql: str, given: str, wanted: str, word: str) -> str | None:
    kind = spark_type(wanted)
    if is_float(given) and is_whole(wanted):
        return f"{word}(RINT(CAST({sql} AS DOUBLE)) AS {kind})"
    if is_decimal(given) and is_whole(wanted):
        return f"{word}(ROUND({sql}) AS {kind})"
    if is_float(given) and is_decimal(wanted):
        return _float_to_decimal(sql, given, wanted, word)
    return f"{word}({sql} AS {kind})"


def _float_to_decimal(sql: str, given: str, wanted: str, word: str) -> str | None:
    """As DuckDB: times a power of ten, rounded half away from zero, in floating point; to 18 digits, what a BIGINT holds."""
    width, scale = digits(wanted)
    if given != "DOUBLE" or width > 18:
        return None
    rounded = f"ROUND({sql} * 1e{scale}D)" if scale else f"ROUND({sql})"
    step = f"CAST('1e-{scale}' AS DECIMAL({scale + 1},{scale}))" if scale else "CAST(1 AS DECIMAL(1,0))"
    return f"{word}(CAST({word}({rounded} AS BIGINT) AS DECIMAL(19,0)) * {step} AS {spark_type(wanted)})"


def _from_text(sql: str, wanted: str, kind: str, word: str) -> str | None:
    return bound(sql, lambda name: _read(name, wanted, kind, word)) if is_number(wanted) or wanted in LOOKS else None


def _read(sql: str, wanted: str, kind: str, word: str) -> str:
    if is_whole(wanted):
        rounded = f"{word}(ROUND({word}({sql} AS DECIMAL(38,9))) AS {kind})"
        return _looking(sql, [("whole", f"{word}(TRIM(BOTH ' \\t\\n\\r\\f' FROM {sql}) AS {kind})"), ("fraction", rounded)], word)
    if is_decimal(wanted):
        return _looking(sql, [("float", f"{word}({sql} AS {kind})")], word)
    if is_float(wanted):
        return _looking(sql, [("float", f"{word}({sql} AS {kind})")], word)
    return _looking(sql, [(wanted, f"{word}({sql} AS {kind})")], word)


def _looking(sql: str, forms: Sequence[tuple[str, str]], word: str) -> str:
    """By what the text looks like; one that looks like nothing is NULL for TRY_CAST, and one that may be read either way stops the run."""
    whens = " ".join(f"WHEN {sql} RLIKE {text(LOOKS[look])} THEN {made}" for look, made in forms)
    none = NO_NUMBER if forms[0][0] in {"whole", "fraction", "float"} else NOTHING
    nothing = f"WHEN {sql} RLIKE {text(none)} THEN NULL" if word == "TRY_CAST" else ""
    if forms[0][0] == "BOOLEAN" and word == "TRY_CAST":
        nothing = f"WHEN NOT {sql} RLIKE '[0-9]' AND NOT {sql} RLIKE '^ | $' THEN NULL"
    stop = f"RAISE_ERROR(CONCAT('xde: this text is not read alike by DuckDB and Spark: ', {sql}))"
    return f"CASE WHEN {sql} IS NULL THEN NULL {whens} {nothing} ELSE {stop} END"


def _to_text(sql: str, given: str) -> str | None:
    if is_whole(given) or is_decimal(given) or given == "BOOLEAN":
        return f"CAST({sql} AS STRING)"
    return bound(sql, lambda name: _moment_text(name, given)) if given in {"DATE", "TIMESTAMP", ZONED} else None


def _moment_text(sql: str, given: str) -> str:
    plain = f"CAST({sql} AS STRING)"
    shown = f"CONCAT({plain}, '+00')" if given == ZONED else plain
    stop = "RAISE_ERROR('xde: DuckDB and Spark write a year before 1 or after 9999 differently')"
    return f"CASE WHEN {sql} IS NULL THEN NULL WHEN YEAR({sql}) BETWEEN 1 AND 9999 THEN {shown} ELSE {stop} END"


def coerced(value: Typed, wanted: str) -> Typed:
    """A value as another takes it without being told: a literal becomes what it stands beside, a column only a wider type."""
    if value.type == wanted:
        return value
    if value.type == "VARCHAR" and not value.constant:
        raise NotPortable(
            CAST, f"a VARCHAR beside a {wanted} is not proven to give the same on Spark", hint=f"write `CAST(... AS {wanted})`"
        )
    if wanted == "VARCHAR" and value.type != NULL:
        raise NotPortable(
            CAST, f"a {value.type} beside a VARCHAR is not proven to give the same on Spark", hint="write `CAST(... AS VARCHAR)`"
        )
    made = cast(value, wanted)
    return Typed(made.sql, wanted, value.constant)


def shown(value: Typed) -> Typed:
    """A value as a text, as functions of texts take it."""
    return cast(value, "VARCHAR")


@rule(exp.Cast, exp.TryCast, args=("this", "to"))
def _cast(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value = writer.write(node.this, scope)
    wanted = writer.asked(f"CAST(NULL AS {node.args['to'].sql('duckdb')})", (), node)
    return cast(value, wanted, trying=isinstance(node, exp.TryCast))


def wider(kinds: Sequence[str]) -> str | None:
    """The widest of whole numbers."""
    return max(kinds, key=WHOLE.index) if all(is_whole(k) for k in kinds) else None
