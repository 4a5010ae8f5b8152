"""Window functions and their frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.connectors.spark.portable.casts import coerced
from xde.connectors.spark.portable.ordering import ordered
from xde.connectors.spark.portable.refusing import ARGUMENT, CLAUSE, FUNCTION, NotPortable
from xde.connectors.spark.portable.scope import Scope, Typed
from xde.connectors.spark.portable.types import NULL, is_whole
from xde.connectors.spark.portable.writer import Tail, Writer, rule, words

if TYPE_CHECKING:
    from collections.abc import Sequence

RANKS: dict[type[exp.Expr], str] = {exp.RowNumber: "ROW_NUMBER", exp.Rank: "RANK", exp.DenseRank: "DENSE_RANK"}
SHARES: dict[type[exp.Expr], str] = {exp.PercentRank: "PERCENT_RANK", exp.CumeDist: "CUME_DIST"}
VALUES: dict[type[exp.Expr], str] = {exp.FirstValue: "FIRST_VALUE", exp.LastValue: "LAST_VALUE"}
KNOWN = {"this", "partition_by", "order", "spec", "over", "alias"}


@rule(exp.Window, args=KNOWN)
def _window(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    spec = _specified(writer, node, scope)
    held = (writer.tail or Tail()).where
    writer.tail = Tail(held, f" OVER ({spec})")
    return writer.write(node.this, scope)


def _specified(writer: Writer, node: exp.Expr, scope: Scope) -> str:
    """What stands in the brackets of OVER; a named window is put in its place."""
    given = [node]
    alias = node.args.get("alias")
    if alias is not None:
        named = _found(scope, alias.name)
        if named is None:
            raise NotPortable(CLAUSE, f"there is no window `{alias.name}`", node)
        given.append(named)
    partition: Sequence[exp.Expr] = next((g.args["partition_by"] for g in given if g.args.get("partition_by")), ())
    order = next((g.args["order"] for g in given if g.args.get("order")), None)
    frame = next((g.args["spec"] for g in given if g.args.get("spec")), None)
    held, writer.tail = writer.tail, None
    pieces = []
    if partition:
        pieces.append(f"PARTITION BY {', '.join(k.sql for k in writer.kids(partition, scope))}")
    terms = order.expressions if order else ()
    if terms:
        pieces.append(f"ORDER BY {', '.join(o for t in terms for o in _ordered(writer, t, scope))}")
    elif isinstance(node.this, exp.RowNumber) or (frame and str(frame.args.get("kind")).upper() == "ROWS"):
        raise NotPortable(CLAUSE, f"`{words(node)}` without ORDER BY numbers the rows in another way on Spark", node, "add an ORDER BY")
    if frame is not None:
        pieces.append(_frame(writer, frame, scope))
    writer.tail = held
    return " ".join(pieces)


def _ordered(writer: Writer, term: exp.Expr, scope: Scope) -> list[str]:
    """A term of the order; a source's own name stands for all its columns, compared one after the other with nulls as the greatest."""
    subject = term.this
    name = subject.name if isinstance(subject, exp.Column) and not subject.table else ""
    source = scope.source(name) if name and scope.resolve([name]) is None and name.lower() not in scope.aliases else None
    if source is None:
        return [ordered(term, writer.write(subject, scope).sql)]
    if any(c.type.endswith(("]", ")")) and not c.type.startswith("DECIMAL") for c in source.columns) or term.args.get("desc"):
        raise NotPortable(
            CLAUSE, f"to order by whole rows of `{name}` is not proven on Spark", term, "order by columns that no two rows share"
        )
    return [f"{source.written(c).sql} ASC NULLS LAST" for c in source.columns]


def _found(scope: Scope, name: str) -> exp.Expr | None:
    return scope.windows.get(name.lower())


def _frame(writer: Writer, frame: exp.Expr, scope: Scope) -> str:
    extra = [k for k, v in frame.args.items() if v and k not in {"kind", "start", "start_side", "end", "end_side"}]
    kind = str(frame.args.get("kind")).upper()
    if extra or kind not in {"ROWS", "RANGE"}:
        raise NotPortable(CLAUSE, f"a frame of {extra[0].upper() if extra else kind} is not proven on Spark", frame, "write ROWS or RANGE")
    start = _bound(writer, frame.args.get("start"), frame.args.get("start_side"), scope)
    end = _bound(writer, frame.args.get("end") or "CURRENT ROW", frame.args.get("end_side"), scope)
    return f"{kind} BETWEEN {start} AND {end}"


def _bound(writer: Writer, given: object, side: object, scope: Scope) -> str:
    if isinstance(given, exp.Expr):
        return f"{_distance(writer, given, scope)} {side}"
    return f"{given}{f' {side}' if side else ''}"


def _distance(writer: Writer, given: exp.Expr, scope: Scope) -> str:
    if isinstance(given, exp.Interval) and isinstance(given.this, exp.Literal) and given.args.get("unit"):
        unit = given.args["unit"].name.upper().removesuffix("S")
        if unit in {"DAY", "HOUR", "MINUTE", "SECOND", "MONTH", "YEAR"} and str(given.this.this).isdigit():
            return f"INTERVAL '{given.this.this}' {unit}"
    elif isinstance(given, exp.Literal) and not given.is_string:
        return writer.write(given, scope).sql
    elif (micros := _micros(given)) is not None and micros >= 0:
        seconds, rest = divmod(micros, 1_000_000)
        days, seconds = divmod(seconds, 86_400)
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:06}"
        return f"INTERVAL '{days} {clock}' DAY TO SECOND"
    raise NotPortable(CLAUSE, f"a frame of `{words(given)}` is not proven on Spark", given, "write a number or an interval of one unit")


SIZES = {"DAY": 86_400_000_000, "HOUR": 3_600_000_000, "MINUTE": 60_000_000, "SECOND": 1_000_000, "MILLISECOND": 1000, "MICROSECOND": 1}


def _micros(node: exp.Expr) -> int | None:
    """The length of a sum or difference of intervals of fixed units."""
    plain = node.unnest()
    if isinstance(plain, (exp.Add, exp.Sub)):
        left, right = _micros(plain.this), _micros(plain.expression)
        if left is None or right is None:
            return None
        return left + right if isinstance(plain, exp.Add) else left - right
    if not (isinstance(plain, exp.Interval) and isinstance(plain.this, exp.Literal) and plain.args.get("unit")):
        return None
    size = SIZES.get(plain.args["unit"].name.upper().removesuffix("S"))
    return int(str(plain.this.this)) * size if size and str(plain.this.this).isdigit() else None


def _over(writer: Writer, node: exp.Expr) -> str:
    tail = writer.take_tail()
    if not tail.over or tail.where:
        raise NotPortable(FUNCTION, f"`{words(node)}` is not proven on Spark without a window, or with FILTER", node)
    return tail.over


@rule(*RANKS, args=())
def _rank(writer: Writer, node: exp.Expr, _: Scope) -> Typed:
    return Typed(f"CAST({RANKS[type(node)]}(){_over(writer, node)} AS BIGINT)", "BIGINT")


@rule(*SHARES, args=())
def _share(writer: Writer, node: exp.Expr, _: Scope) -> Typed:
    return Typed(f"{SHARES[type(node)]}(){_over(writer, node)}", "DOUBLE")


@rule(exp.Ntile)
def _ntile(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    over = _over(writer, node)
    return Typed(f"CAST(NTILE({_count(writer, node.this, scope)}){over} AS BIGINT)", "BIGINT")


def _count(writer: Writer, node: exp.Expr | None, scope: Scope) -> str:
    if node is None:
        return "1"
    if not isinstance(node, exp.Literal) or node.is_string:
        raise NotPortable(ARGUMENT, "a count of rows that is not a number in the text is not proven on Spark", node, "write the number")
    return writer.write(node, scope).sql


@rule(exp.Lag, exp.Lead, args=("this", "offset", "default"))
def _lag(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    return _shifted(writer, node, scope, "")


def _shifted(writer: Writer, node: exp.Expr, scope: Scope, nulls: str) -> Typed:
    over = _over(writer, node)
    value = writer.write(node.this, scope)
    offset = _count(writer, node.args.get("offset"), scope)
    default = writer.write(node.args["default"], scope) if node.args.get("default") else Typed("NULL", NULL)
    if default.type not in {NULL, value.type} and not (default.constant and is_whole(default.type) and is_whole(value.type)):
        raise NotPortable(
            ARGUMENT, f"`{words(node)}` with a default of {default.type} is not proven on Spark", node, f"cast the default to {value.type}"
        )
    name = "LAG" if isinstance(node, exp.Lag) else "LEAD"
    last = f", {coerced(default, value.type).sql}" if default.type != NULL else ""
    return Typed(f"{name}({value.sql}, {offset}{last}){nulls}{over}", value.type)


@rule(*VALUES)
def _first_value(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    over = _over(writer, node)
    value = writer.write(node.this, scope)
    return Typed(f"{VALUES[type(node)]}({value.sql}){over}", value.type)


@rule(exp.NthValue, args=("this", "offset"))
def _nth_value(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    over = _over(writer, node)
    value = writer.write(node.this, scope)
    return Typed(f"NTH_VALUE({value.sql}, {_count(writer, node.args.get('offset'), scope)}){over}", value.type)


@rule(exp.IgnoreNulls)
def _ignore_nulls(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    inner = node.this
    if isinstance(inner, (exp.Lag, exp.Lead)):
        return _shifted(writer, inner, scope, " IGNORE NULLS")
    if isinstance(inner, (exp.FirstValue, exp.LastValue)):
        over = _over(writer, node)
        value = writer.write(inner.this, scope)
        return Typed(f"{VALUES[type(inner)]}({value.sql}) IGNORE NULLS{over}", value.type)
    hint = "write `min(x)` or `max(x)`" if isinstance(inner, exp.AnyValue) else ""
    raise NotPortable(FUNCTION, f"`{words(inner)}` takes another value on Spark", node, hint)
