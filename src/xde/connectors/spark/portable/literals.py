"""Constants: literals, values of parameters, and values of Python as both engines read them."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlglot import exp

from xde.connectors.spark.portable.refusing import TYPE, NotPortable
from xde.connectors.spark.portable.scope import Scope, Typed
from xde.connectors.spark.portable.types import NULL, ZONED, spark_type, text
from xde.connectors.spark.portable.writer import Writer, rule


@rule(exp.Literal, args=("this", "is_string"))
def _literal(writer: Writer, node: exp.Expr, _: Scope) -> Typed:
    if node.is_string:
        return Typed(text(str(node.this)), "VARCHAR", constant=True)
    kind = writer.asked(str(node.this), (), node)
    written = str(node.this).replace("_", "")
    if kind == "DOUBLE":
        return Typed(f"{written}D", kind, constant=True)
    if kind == "HUGEINT" or kind.startswith("DECIMAL"):
        return Typed(f"CAST('{written}' AS {spark_type(kind)})", kind, constant=True)
    return Typed(written if kind == "INTEGER" else f"{written}L", kind, constant=True)


@rule(exp.Boolean)
def _boolean(_: Writer, node: exp.Expr, __: Scope) -> Typed:
    return Typed("true" if node.this else "false", "BOOLEAN", constant=True)


@rule(exp.Null, args=())
def _null(_: Writer, __: exp.Expr, ___: Scope) -> Typed:
    return Typed("NULL", NULL, constant=True)


def typed_value(value: object) -> Typed:
    """A value of Python as DuckDB takes it for a parameter."""
    match value:
        case None:
            return Typed("NULL", NULL)
        case bool():
            return Typed(str(value).lower(), "BOOLEAN")
        case int():
            kind = "INTEGER" if -(2**31) <= value < 2**31 else "BIGINT" if -(2**63) <= value < 2**63 else "HUGEINT"
            return Typed(f"CAST('{value}' AS {spark_type(kind)})", kind)
        case float():
            shown = repr(value) if math.isfinite(value) else {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[repr(value)]
            return Typed(f"CAST('{shown}' AS DOUBLE)", "DOUBLE")
        case Decimal():
            return _decimal(value)
        case str():
            return Typed(text(value), "VARCHAR")
        case datetime():
            return _moment(value)
        case date():
            return Typed(f"DATE '{value.isoformat()}'", "DATE")
        case _:
            raise NotPortable(
                TYPE, f"a parameter of {type(value).__name__} is not carried to Spark", hint="give a text, a number or a date"
            )


def _decimal(value: Decimal) -> Typed:
    _, figures, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise NotPortable(TYPE, f"`{value}` is no number of fixed digits")
    scale = max(0, -exponent)
    kind = f"DECIMAL({max(len(figures) + max(0, exponent), scale, 1)},{scale})"
    return Typed(f"CAST('{value:f}' AS {kind})", kind)


def _moment(value: datetime) -> Typed:
    if value.tzinfo is None:
        return Typed(f"TIMESTAMP_NTZ '{value.isoformat(sep=' ')}'", "TIMESTAMP")
    return Typed(f"TIMESTAMP '{value.astimezone(UTC).replace(tzinfo=None).isoformat(sep=' ')}+00:00'", ZONED)
