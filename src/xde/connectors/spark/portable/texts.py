"""Functions of texts."""

from __future__ import annotations

from sqlglot import exp

from xde.connectors.spark.portable.binding import bound
from xde.connectors.spark.portable.casts import shown
from xde.connectors.spark.portable.letters import LOWER, UPPER
from xde.connectors.spark.portable.lists import size
from xde.connectors.spark.portable.patterns import carried, replacement
from xde.connectors.spark.portable.refusing import ARGUMENT, FUNCTION, PATTERN, NotPortable
from xde.connectors.spark.portable.scope import Scope, Typed
from xde.connectors.spark.portable.types import is_list, is_whole, text
from xde.connectors.spark.portable.writer import Writer, named, rule, words


def _text(value: Typed, node: exp.Expr) -> str:
    if value.type not in {"VARCHAR", '"NULL"'}:
        raise NotPortable(FUNCTION, f"`{words(node)}` of {value.type} is not proven on Spark", node, "cast it to VARCHAR")
    return value.sql if value.type == "VARCHAR" else f"CAST({value.sql} AS STRING)"


def _whole(value: Typed, node: exp.Expr) -> str:
    if not is_whole(value.type):
        raise NotPortable(ARGUMENT, f"`{words(node)}` by {value.type} is not proven on Spark", node, "cast it to INTEGER")
    return f"CAST({value.sql} AS INT)"


def _written(node: exp.Expr, whole: exp.Expr, what: str) -> str:
    if not (isinstance(node, exp.Literal) and node.is_string):
        raise NotPortable(
            ARGUMENT, f"`{words(whole)}` with {what} that is not in the text is not proven on Spark", whole, "write it as a literal"
        )
    return str(node.this)


@rule(exp.Upper, exp.Lower)
def _case(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value = _text(writer.write(node.this, scope), node)
    return Typed(_upper(value) if isinstance(node, exp.Upper) else lower(value), "VARCHAR")


def _upper(value: str) -> str:
    letters, aside, then = UPPER
    return f"TRANSLATE(UPPER(TRANSLATE({value}, {text(letters)}, {text(aside)})), {text(aside)}, {text(then)})"


def lower(value: str) -> str:
    """In small letters, as DuckDB has them."""
    letters, aside, then = LOWER
    return f"TRANSLATE(LOWER(TRANSLATE({value}, {text(letters)}, {text(aside)})), {text(aside)}, {text(then)})"


@rule(exp.Length, args=("this",))
def _length(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value = writer.write(node.this, scope)
    if is_list(value.type):
        return size(value)
    return Typed(f"CAST(CHAR_LENGTH({_text(value, node)}) AS BIGINT)", "BIGINT")


@rule(exp.ArraySize)
def _array_length(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value = writer.write(node.this, scope)
    if not is_list(value.type):
        raise NotPortable(FUNCTION, f"`{words(node)}` of {value.type} is not proven on Spark", node)
    return size(value)


@rule(exp.Trim, args=("this", "expression", "position"))
def _trim(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    """Without letters named, every kind of space that Unicode has goes."""
    value = _text(writer.write(node.this, scope), node)
    side = {"LEADING": "l", "TRAILING": "r"}.get(str(node.args.get("position") or "").upper(), "b")
    given = node.args.get("expression")
    if given is not None:
        letters = _text(writer.write(given, scope), node)
        word = {"l": "LEADING", "r": "TRAILING", "b": "BOTH"}[side]
        return Typed(f"TRIM({word} {letters} FROM {value})", "VARCHAR")
    pattern = {"l": r"\A\p{Zs}+", "r": r"\p{Zs}+\z", "b": r"\A\p{Zs}+|\p{Zs}+\z"}[side]
    return Typed(f"REGEXP_REPLACE({value}, {text(pattern)}, '')", "VARCHAR")


@rule(exp.Substring, args=("this", "start", "length"))
def _substring(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value = _text(writer.write(node.this, scope), node)
    start = _whole(writer.write(node.args["start"], scope), node)
    if node.args.get("length") is None:
        return Typed(f"SUBSTR({value}, {start})", "VARCHAR")
    if isinstance(node.args["length"], exp.Neg):
        raise NotPortable(ARGUMENT, f"`{words(node)}` of a length below 0 is not proven on Spark", node, "take it from an earlier place")
    count = _whole(writer.write(node.args["length"], scope), node)
    stop = "RAISE_ERROR('xde: a substring of a length below 0 is not read alike by DuckDB and Spark')"

    def taken(text: str, first: str, many: str) -> str:
        return (
            f"CASE WHEN {many} IS NULL OR {first} IS NULL THEN NULL WHEN {many} < 0 THEN {stop}"
            f" WHEN {first} = 0 THEN SUBSTR({text}, 1, GREATEST({many} - 1, 0)) ELSE SUBSTR({text}, {first}, {many}) END"
        )

    return Typed(bound(value, lambda v: bound(start, lambda s: bound(count, lambda c: taken(v, s, c)))), "VARCHAR")


@rule(exp.Left, exp.Right, args=("this", "expression"))
def _left(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    """A count below 0 leaves out so many of the other end."""
    value = _text(writer.write(node.this, scope), node)
    count = _whole(writer.write(node.expression, scope), node)
    if isinstance(node, exp.Left):
        first = "SUBSTR({0}, 1, CASE WHEN {1} >= 0 THEN {1} ELSE GREATEST(CHAR_LENGTH({0}) + {1}, 0) END)"
    else:
        first = "SUBSTR({0}, CASE WHEN {1} >= 0 THEN GREATEST(CHAR_LENGTH({0}) - {1}, 0) ELSE - {1} END + 1)"
    return Typed(bound(value, lambda v: bound(count, lambda c: first.format(v, c))), "VARCHAR")


@rule(exp.Concat, args=("expressions",))
def _concat(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    """DuckDB's passes over nulls."""
    values = writer.kids(node.expressions, scope)
    if any(is_list(v.type) for v in values):
        raise NotPortable(FUNCTION, f"`{words(node)}` of lists is not proven on Spark", node)
    return Typed(f"CONCAT({', '.join(_or_nothing(shown(v).sql) for v in values)})", "VARCHAR")


def _or_nothing(sql: str) -> str:
    return f"COALESCE({sql}, '')"


@rule(exp.ConcatWs, args=("expressions",))
def _concat_ws(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    values = writer.kids(node.expressions, scope)
    if any(is_list(v.type) for v in values):
        raise NotPortable(FUNCTION, f"`{words(node)}` of lists is not proven on Spark", node)
    return Typed(f"CONCAT_WS({', '.join(shown(v).sql for v in values)})", "VARCHAR")


@rule(exp.Replace, args=("this", "expression", "replacement"))
def _replace(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    parts = [_text(v, node) for v in writer.kids([node.this, node.expression, node.args["replacement"]], scope)]
    return Typed(f"REPLACE({', '.join(parts)})", "VARCHAR")


@rule(exp.Translate, args=("this", "from_", "to"))
def _translate(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    parts = [_text(v, node) for v in writer.kids([node.this, node.args["from_"], node.args["to"]], scope)]
    return Typed(f"TRANSLATE({', '.join(parts)})", "VARCHAR")


@rule(exp.StrPosition, args=("this", "substr"))
def _position(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value, sought = (_text(v, node) for v in writer.kids([node.this, node.args["substr"]], scope))
    return Typed(f"CAST(INSTR({value}, {sought}) AS BIGINT)", "BIGINT")


@named("prefix", "suffix")
def _affix(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value, sought = (_text(v, node) for v in writer.kids(node.expressions, scope))
    return Typed(f"{'STARTSWITH' if str(node.this).lower() == 'prefix' else 'ENDSWITH'}({value}, {sought})", "BOOLEAN")


FOUND: dict[type[exp.Expr], str] = {exp.Contains: "CONTAINS", exp.StartsWith: "STARTSWITH", exp.EndsWith: "ENDSWITH"}


@rule(*FOUND, args=("this", "expression"))
def _found(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value, sought = (_text(v, node) for v in writer.kids([node.this, node.expression], scope))
    return Typed(f"{FOUND[type(node)]}({value}, {sought})", "BOOLEAN")


@rule(exp.Pad, args=("this", "expression", "fill_pattern", "is_left"))
def _pad(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value = _text(writer.write(node.this, scope), node)
    count = _whole(writer.write(node.expression, scope), node)
    if not _written(node.args["fill_pattern"], node, "a filling"):
        raise NotPortable(ARGUMENT, f"`{words(node)}` with an empty filling is not proven on Spark", node)
    fill = text(str(node.args["fill_pattern"].this))
    return Typed(f"{'LPAD' if node.args.get('is_left') else 'RPAD'}({value}, {count}, {fill})", "VARCHAR")


@rule(exp.Repeat, args=("this", "times"))
def _repeat(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value, times = writer.kids([node.this, node.args["times"]], scope)
    return Typed(f"REPEAT({_text(value, node)}, {_whole(times, node)})", "VARCHAR")


@rule(exp.SplitPart, args=("this", "delimiter", "part_index"))
def _split_part(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value = _text(writer.write(node.this, scope), node)
    delimiter = _written(node.args["delimiter"], node, "a delimiter")
    place = node.args["part_index"]
    number = place.this if isinstance(place, exp.Neg) else place
    if not delimiter or not isinstance(number, exp.Literal) or str(number.this) == "0":
        raise NotPortable(ARGUMENT, f"`{words(node)}` is not proven on Spark", node, "name a delimiter, and a place that is not 0")
    return Typed(f"SPLIT_PART({value}, {text(delimiter)}, {writer.write(place, scope).sql})", "VARCHAR")


@rule(exp.Split, args=("this", "expression"))
def _split(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value = _text(writer.write(node.this, scope), node)
    delimiter = _written(node.expression, node, "a delimiter")
    if not delimiter:
        raise NotPortable(ARGUMENT, f"`{words(node)}` by nothing is not proven on Spark", node, "name a delimiter")
    escaped = "".join(c if c.isalnum() or ord(c) > 127 else f"\\x{ord(c):02x}" for c in delimiter)
    return Typed(f"SPLIT({value}, {text(escaped)}, -1)", "VARCHAR[]")


@rule(exp.Like, exp.ILike, args=("this", "expression", "negate"))
def _like(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    return _likened(writer, node, scope, None)


@rule(exp.Escape, args=("this", "expression"))
def _escaped(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    inner = node.this
    if not isinstance(inner, (exp.Like, exp.ILike)):
        raise NotPortable(FUNCTION, f"`{words(node)}` is not proven on Spark", node)
    return _likened(writer, inner, scope, _written(node.expression, node, "an escape"))


def _likened(writer: Writer, node: exp.Expr, scope: Scope, escape: str | None) -> Typed:
    """DuckDB knows no escape that is not named; Spark's own is the backslash."""
    value = _text(writer.write(node.this, scope), node)
    pattern = _written(node.expression, node, "a pattern")
    made = _like_pattern(pattern, escape, node)
    word = "NOT LIKE" if node.args.get("negate") else "LIKE"
    if isinstance(node, exp.ILike):
        if not pattern.isascii():
            raise NotPortable(
                PATTERN, f"`{words(node)}` with letters beyond ASCII is not proven on Spark", node, "write `lower(x) LIKE ...`"
            )
        return Typed(f"({lower(value)} {word} {text(made.lower())})", "BOOLEAN")
    return Typed(f"({value} {word} {text(made)})", "BOOLEAN")


def _like_pattern(pattern: str, escape: str | None, node: exp.Expr) -> str:
    made, at = [], 0
    while at < len(pattern):
        letter = pattern[at]
        if escape and letter == escape:
            if at + 1 >= len(pattern) or pattern[at + 1] not in {"%", "_", escape}:
                raise NotPortable(PATTERN, f"`{words(node)}` escapes what needs no escape", node, "escape `%` and `_` alone")
            made.append("\\" + pattern[at + 1])
            at += 2
            continue
        made.append("\\\\" if letter == "\\" else letter)
        at += 1
    return "".join(made)


@rule(exp.RegexpLike, args=("this", "expression", "full_match"))
def _matches(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value = _text(writer.write(node.this, scope), node)
    pattern = carried(_written(node.expression, node, "a pattern"), node)
    if node.args.get("full_match") or node.sql("duckdb").lower().startswith("regexp_full_match"):
        pattern = rf"\A(?:{pattern})\z"
    return Typed(f"({value} RLIKE {text('(?d)' + pattern)})", "BOOLEAN")


@rule(exp.RegexpFullMatch, exp.SimilarTo, args=("this", "expression"))
def _full_match(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value = _text(writer.write(node.this, scope), node)
    pattern = carried(_written(node.expression, node, "a pattern"), node)
    whole = rf"(?d)\A(?:{pattern})\z"
    return Typed(f"({value} RLIKE {text(whole)})", "BOOLEAN")


@rule(exp.RegexpExtract, args=("this", "expression", "group", "null_if_pos_overflow"))
def _extract(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    value = _text(writer.write(node.this, scope), node)
    pattern = carried(_written(node.expression, node, "a pattern"), node)
    group = node.args.get("group")
    if group is not None and not (isinstance(group, exp.Literal) and str(group.this).isdigit()):
        raise NotPortable(ARGUMENT, f"`{words(node)}` is not proven on Spark", node, "write the number of the group")
    number = str(group.this) if group is not None else "0"
    return Typed(f"REGEXP_EXTRACT({value}, {text('(?d)' + pattern)}, {number})", "VARCHAR")


@rule(exp.RegexpReplace, args=("this", "expression", "replacement", "modifiers", "single_replace"))
def _regexp_replace(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    """Without the option `g` the first match alone is replaced."""
    value = _text(writer.write(node.this, scope), node)
    pattern = carried(_written(node.expression, node, "a pattern"), node)
    given = _written(node.args["replacement"], node, "a replacement")
    options = _written(node.args["modifiers"], node, "options") if node.args.get("modifiers") else ""
    if options not in {"", "g"}:
        raise NotPortable(PATTERN, f"`{words(node)}` with the option `{options}` is not proven on Spark", node, "use `g` or none")
    if options == "g":
        return Typed(f"REGEXP_REPLACE({value}, {text('(?d)' + pattern)}, {text(replacement(given, 0, node))})", "VARCHAR")
    first = rf"(?d)\A((?s:.*?))(?:{pattern})"
    return Typed(f"REGEXP_REPLACE({value}, {text(first)}, {text('$1' + replacement(given, 1, node))})", "VARCHAR")


@rule(exp.MD5)
def _md5(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    return Typed(f"MD5({_text(writer.write(node.this, scope), node)})", "VARCHAR")


@rule(exp.SHA2, args=("this", "length"))
def _sha(writer: Writer, node: exp.Expr, scope: Scope) -> Typed:
    if str(node.args["length"].this) != "256":
        raise NotPortable(FUNCTION, f"`{words(node)}` is not proven on Spark", node, "write `sha256(x)`")
    return Typed(f"SHA2({_text(writer.write(node.this, scope), node)}, 256)", "VARCHAR")
