"""Whether the values that a column's declaration holds fit its type and one another: bounds, enums, patterns."""

from __future__ import annotations

import re
import warnings
from datetime import date, datetime, time
from typing import TYPE_CHECKING

from xde.kernel.project.tree import Mapping, Node, Scalar, Sequence

if TYPE_CHECKING:
    from xde.kernel.project.fields import Complaints

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "date": (str,),
    "timestamp": (str,),
    "time": (str,),
}
_NAMED_GROUP = re.compile(r"\(\?<(?=[A-Za-z_])")
_CLASS_OF_LETTERS = re.compile(r"\\[pP](\{[A-Za-z_=]+\}|[A-Z])")
# RE2, by which the engine matches, has none of these (its documentation, "Syntax", says so of each)
_NOT_IN_RE2 = re.compile(r"(?<!\\)(?:\\\\)*(?:\(\?=|\(\?!|\(\?<=|\(\?<!|\\[1-9])")
_PAIRS = (("minLength", "maxLength"), ("minItems", "maxItems"), ("minProperties", "maxProperties"))


def check_values(column: Mapping, say: Complaints) -> None:
    """Complain about values of another type, bounds without anything between them and patterns that do not compile."""
    logical = column.text("logicalType") or ""
    if "enum" in column.items:
        _check_enum(column, logical, say)
    options = column.mapping("logicalTypeOptions")
    if options is not None:
        _check_pattern(options.items.get("pattern"), say)
        _check_bounds(options, logical, say)
    if "quality" in column.items:
        for rule in column.mappings("quality"):
            arguments = rule.mapping("arguments")
            if arguments is not None:
                _check_pattern(arguments.items.get("pattern"), say)
                _check_list(arguments.items.get("validValues"), logical, say)


def _check_enum(column: Mapping, logical: str, say: Complaints) -> None:
    seen: dict[object, int] = {}
    for entry in column.mappings("enum"):
        value = entry.items.get("value")
        if isinstance(value, Scalar):
            _check_type(value, logical, say)
            key = (type(value.value).__name__, value.value)
            if key in seen:
                why = f"it stands in line {seen[key]} already"
                say.add("XDE0314", f"the value `{value.text}` is there twice", value, "again", why, "keep one of the two")
            seen[key] = value.line


def _check_list(node: Node | None, logical: str, say: Complaints) -> None:
    for item in node.items if isinstance(node, Sequence) else []:
        if isinstance(item, Scalar) and item.value is not None:
            _check_type(item, logical, say)


def _check_type(value: Scalar, logical: str, say: Complaints) -> None:
    wanted = _PYTHON_TYPES.get(logical)
    if wanted is None:
        return
    fits = isinstance(value.value, wanted) and (logical == "boolean" or not isinstance(value.value, bool))
    if not fits:
        hint = f'put it into quotes: "{value.text}"' if wanted == (str,) else "take the quotes off" if isinstance(value.value, str) else ""
        why = f"here it is {value.kind}; the column is a `{logical}`"
        say.add("XDE0314", f"`{value.text}` is no `{logical}`", value, "another type", why, hint)


def _check_pattern(node: Node | None, say: Complaints) -> None:
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        return
    pattern = node.value
    if found := _NOT_IN_RE2.search(pattern):
        why = f"`{found.group()}` looks around or back, which the matcher of the engine (RE2) cannot do"
        say.add("XDE0315", f"the pattern `{pattern}` cannot be checked", node, "looks around", why, "write a rule of type `sql` instead")
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns of what ECMAScript and RE2 read otherwise
            re.compile(_CLASS_OF_LETTERS.sub(r"\\w", _NAMED_GROUP.sub("(?P<", pattern)))
    except (re.error, RecursionError, OverflowError) as error:
        hint = "escape the special characters, or quote the pattern in single quotes"
        say.add("XDE0315", f"the pattern `{pattern}` does not compile", node, "no pattern", str(error), hint)


def _check_bounds(options: Mapping, logical: str, say: Complaints) -> None:
    for low, high in _PAIRS:
        least, most = options.whole(low), options.whole(high)
        if least is not None and most is not None and least > most:
            _say_apart(options, low, high, say)
    values: dict[str, float | None] = {
        word: _comparable(options, word, logical, say)
        for word in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
        if word in options.items
    }
    for low in ("minimum", "exclusiveMinimum"):
        for high in ("maximum", "exclusiveMaximum"):
            lower, upper = values.get(low), values.get(high)
            if lower is None or upper is None:
                continue
            if lower > upper or (lower == upper and (low, high) != ("minimum", "maximum")):
                _say_apart(options, low, high, say)


def _say_apart(options: Mapping, low: str, high: str, say: Complaints) -> None:
    why = f"`{low}` is {options.value(low)}, `{high}` is {options.value(high)}"
    say.add("XDE0316", f"no value is between `{low}` and `{high}`", options.items[low], "above the upper bound", why, "swap the two bounds")


def _comparable(options: Mapping, word: str, logical: str, say: Complaints) -> float | None:
    """A bound as a number; days and moments too. None where it cannot be told."""
    node = options.items[word]
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value) if abs(value) < 1e300 else None
    if logical not in {"date", "timestamp", "time"} or "format" in options.items:
        return None
    moment = _moment(value, logical)
    if moment is None:
        why = f"without a `format`, a `{logical}` is written by ISO 8601"
        say.add("XDE0314", f"`{value}` is no `{logical}`", node, "another type", why, "write it like `2013-01-31`")
    return moment


def _moment(text: str, logical: str) -> float | None:
    try:
        if logical == "time":
            clock = time.fromisoformat(text)
            return clock.hour * 3600.0 + clock.minute * 60.0 + clock.second
        if logical == "date" and len(text) <= 10:
            return date.fromisoformat(text).toordinal() * 86400.0
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.toordinal() * 86400.0 + moment.hour * 3600.0 + moment.minute * 60.0 + moment.second
