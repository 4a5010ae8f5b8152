"""Moments as texts and back: patterns of strftime in the words of Java's DateTimeFormatter."""

from __future__ import annotations

import re

from sqlglot import exp

from xde.connectors.spark.portable.binding import bound
from xde.connectors.spark.portable.casts import cast
from xde.connectors.spark.portable.refusing import ARGUMENT, FUNCTION, NotPortable
from xde.connectors.spark.portable.scope import Scope, Typed
from xde.connectors.spark.portable.types import ZONED, is_moment, text
from xde.connectors.spark.portable.writer import Writer, rule, words

WRITTEN = {
    "%Y": "yyyy", "%m": "MM", "%d": "dd", "%H": "HH", "%M": "mm", "%S": "ss", "%j": "DDD", "%y": "yy", "%b": "MMM", "%B": "MMMM",
    "%a": "EEE", "%A": "EEEE", "%p": "a", "%I": "hh", "%f": "SSSSSS", "%-d": "d", "%-m": "M", "%-H": "H", "%-I": "h", "%-M": "m",
    "%-S": "s", "%%": "'%'",
}  # fmt: skip
READ = {
    "%Y": "yyyy", "%m": "M", "%d": "d", "%H": "H", "%M": "m", "%S": "s", "%p": "a", "%I": "h", "%z": "xx", "%-d": "d", "%-m": "M",
    "%-H": "H", "%-M": "m", "%-S": "s", "%b": "MMM", "%B": "MMMM",
}  # fmt: skip
PIECE = re.compile(r"%-?[A-Za-z%]|[^%]+|%")


def _pattern(node: exp.Expr, given: exp.Expr | None, known: dict[str, str]) -> str:
    if not (isinstance(given, exp.Literal) and given.is_string):
        raise NotPortable(
            ARGUMENT, f"`{words(node)}` with a format that is not in the text is not proven on Spark", node, "write the format"
        )
    made = []
    for piece in PIECE.findall(str(given.this)):
        if piece.startswith("%"):
            if piece not in known:
                hint = f"use {', '.join(sorted(known)[:12])} ..."
                raise NotPortable(ARGUMENT, f"`{piece}` in `{words(node)}` is not proven on Spark", node, hint)
            made.append(known[piece])
        else:
            made.append("'" + piece.replace("'", "''") + "'" if re.search("[A-Za-z'\\[\\]{}#]", piece) else piece)
    return "".join(made)


@rule(exp.TimeToStr, args=("this", "format"))
def _strftime(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value = writer.write(node.this, scope)
    if not is_moment(value.type):
        raise NotPortable(FUNCTION, f"`{words(node)}` of {value.type} is not proven on Spark", node, "cast it to TIMESTAMP")
    pattern = text(_pattern(node, node.args.get("format"), WRITTEN))
    stop = "RAISE_ERROR('xde: DuckDB and Spark write a year before 1000 or after 9999 differently')"

    def made(x: str) -> str:
        return f"CASE WHEN {x} IS NULL THEN NULL WHEN YEAR({x}) BETWEEN 1000 AND 9999 THEN DATE_FORMAT({x}, {pattern}) ELSE {stop} END"

    return Typed(bound(value.sql, made), "VARCHAR")


@rule(exp.StrToTime, args=("this", "format"))
def _strptime(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value = writer.write(node.this, scope)
    if value.type != "VARCHAR":
        raise NotPortable(FUNCTION, f"`{words(node)}` of {value.type} is not proven on Spark", node)
    kind = writer.type_of(node, {id(node.this): value})
    pattern = text(_pattern(node, node.args.get("format"), READ))
    if kind == ZONED:
        return Typed(f"TO_TIMESTAMP({value.sql}, {pattern})", kind)
    if kind != "TIMESTAMP":
        raise NotPortable(FUNCTION, f"`{words(node)}` is not proven on Spark", node)
    return cast(Typed(f"TO_TIMESTAMP_NTZ({value.sql}, {pattern})", kind), kind)
