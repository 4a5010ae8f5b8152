"""The type of an expression as far as it is certain, and the families between which a comparison needs a cast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.linting.facts import Field

if TYPE_CHECKING:
    from xde.undercurrents.engineering.linting.facts import Scope

DATE, STAMP, MOMENT = "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"

_NUMBERS = [
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "INT",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "UHUGEINT",
    "DOUBLE",
    "FLOAT",
    "REAL",
    "DECIMAL",
    "NUMERIC",
]
_FAMILIES = {
    **dict.fromkeys(_NUMBERS, "number"),
    **dict.fromkeys(["VARCHAR", "TEXT", "STRING", "CHAR"], "text"),
    "BOOLEAN": "truth",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "DATETIME": "timestamp",
    "TIMESTAMP_S": "timestamp",
    "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP_NS": "timestamp",
    "TIMESTAMPTZ": "moment",
    "TIMESTAMP WITH TIME ZONE": "moment",
    "TIME": "time",
    "UUID": "uuid",
}
_CONSTANT: dict[type[exp.Expr], str] = {
    exp.CurrentDate: DATE,
    exp.CurrentTimestamp: MOMENT,
    exp.Localtimestamp: STAMP,
    exp.DateFromParts: DATE,
    exp.Date: DATE,
    exp.TimestampFromParts: STAMP,
    exp.UnixToTime: MOMENT,
    exp.Count: "BIGINT",
    exp.RowNumber: "BIGINT",
    exp.Rank: "BIGINT",
    exp.DenseRank: "BIGINT",
    exp.DateDiff: "BIGINT",
    exp.Year: "BIGINT",
    exp.Month: "BIGINT",
    exp.Day: "BIGINT",
    exp.Length: "BIGINT",
    exp.Lower: "VARCHAR",
    exp.Upper: "VARCHAR",
    exp.Trim: "VARCHAR",
    exp.TimeToStr: "VARCHAR",
    exp.DPipe: "",
}
_TRUTHS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.And, exp.Or, exp.Not, exp.Is, exp.In, exp.Between, exp.Like, exp.ILike)
_SAME = (exp.Max, exp.Min, exp.First, exp.Last, exp.FirstValue, exp.LastValue, exp.Lag, exp.Lead, exp.AnyValue, exp.Abs, exp.Neg)
_KEEPS = (exp.Paren, exp.Alias, exp.Window, exp.Filter, exp.IgnoreNulls, exp.RespectNulls)
_NEVER_NULL = (exp.Count, exp.RowNumber, exp.Rank, exp.DenseRank, exp.CurrentDate, exp.CurrentTimestamp, exp.Exists)
_TOTAL = (exp.Add, exp.Sub, exp.Mul, exp.DPipe, exp.Lower, exp.Upper, exp.Trim, exp.TimestampTrunc, exp.AtTimeZone, exp.Year, exp.Month)
_NAMED = {"now": MOMENT, "get_current_timestamp": MOMENT, "transaction_timestamp": MOMENT, "make_timestamptz": MOMENT}


def family(type_: str) -> str:
    """The kind of a type: number, text, date, timestamp, moment (with a zone), time, truth, uuid; nothing when it is not known."""
    if not type_ or "[" in type_:
        return ""
    return _FAMILIES.get(type_.partition("(")[0].strip().upper(), "")


def is_fractional(type_: str) -> bool:
    """Whether a number is binary and floating."""
    return type_.upper() in {"DOUBLE", "FLOAT", "REAL"}


def infer(node: exp.Expr, scope: Scope) -> Field:
    """What is known of the value of an expression."""
    match node:
        case exp.Column():
            return scope.field_of(node) or Field(node.name)
        case exp.Cast():
            inner = infer(node.this, scope)
            return Field("", type_text(node.to), inner.required and not isinstance(node, exp.TryCast))
        case exp.Literal():
            return Field("", "" if node.is_string else "INTEGER" if node.is_int else "DECIMAL", required=True)
        case exp.Boolean():
            return Field("", "BOOLEAN", required=True)
        case exp.Coalesce():
            values = [infer(n, scope) for n in (node.this, *node.expressions)]
            types = {v.type for v in values if v.type}
            return Field("", types.pop() if len(types) == 1 else "", required=any(v.required for v in values))
        case exp.Case():
            return _case(node, scope)
        case exp.AtTimeZone():
            inner = infer(node.this, scope)
            there = {"moment": STAMP, "timestamp": MOMENT, "date": MOMENT}.get(family(inner.type), "")
            return Field("", there, inner.required)
        case _:
            return _by_kind(node, scope)


def _case(node: exp.Case, scope: Scope) -> Field:
    arms = [arm.args.get("true") for arm in node.args.get("ifs") or ()]
    default = node.args.get("default")
    values = [infer(a, scope) for a in (*arms, default) if isinstance(a, exp.Expr)]
    types = {v.type for v in values}
    return Field("", types.pop() if len(types) == 1 else "", required=default is not None and all(v.required for v in values))


def _by_kind(node: exp.Expr, scope: Scope) -> Field:
    required = isinstance(node, _NEVER_NULL) or (isinstance(node, _TOTAL) and _all_required(node, scope))
    if isinstance(node, exp.Anonymous):
        return Field("", _NAMED.get(node.name.lower(), ""))
    if isinstance(node, exp.StrToTime):
        return Field("", _parsed(node))
    if isinstance(node, exp.TimestampTrunc):
        type_ = infer(node.this, scope).type
        return Field("", type_, required)  # of a date the engine gives a timestamp, which is a whole day all the same
    if isinstance(node, _TRUTHS):
        return Field("", "BOOLEAN")
    if isinstance(node, (exp.Add, exp.Sub)):
        return Field("", _sum(node, scope), required)
    if type(node) in _CONSTANT:
        return Field("", _CONSTANT[type(node)], required)
    if isinstance(node, (*_KEEPS, *_SAME)) and isinstance(node.this, exp.Expr):
        inner = infer(node.this, scope)
        return Field("", inner.type, inner.required and isinstance(node, _KEEPS))
    return Field("", "", required)


def _all_required(node: exp.Expr, scope: Scope) -> bool:
    parts = [p for p in node.iter_expressions() if not isinstance(p, (exp.Var, exp.DataType))]
    return all(infer(p, scope).required for p in parts)


def _parsed(node: exp.StrToTime) -> str:
    """`strptime` gives a moment where its format reads a zone."""
    form = node.args.get("format")
    if not isinstance(form, exp.Literal):
        return ""
    return MOMENT if "%z" in form.name or "%Z" in form.name else STAMP


def _sum(node: exp.Expr, scope: Scope) -> str:
    """The type of a sum or a difference where one side is a time."""
    left, right = infer(node.this, scope).type, infer(node.args["expression"], scope).type
    kinds = family(left), family(right)
    if kinds[0] in {"timestamp", "moment"} and isinstance(node.args["expression"].unnest(), exp.Interval):
        return left
    if kinds == ("number", "number"):
        return "DOUBLE" if is_fractional(left) or is_fractional(right) else "DECIMAL"
    return DATE if kinds == ("date", "number") else ""


def type_text(type_: exp.Expr) -> str:
    """A type in the engine's words."""
    return str(type_.sql(dialect="duckdb")).upper()
