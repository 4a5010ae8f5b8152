"""A column's own rules as predicates: NULL passes all of them but `required`, as in SQL's CHECK."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.ground.names import literal, quoted
from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.kernel.project.contract import Property

FORMATS = {
    "email": r"[^@\s]+@[^@\s]+\.[^@\s]+",
    "uuid": r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
    "uri": r"[a-zA-Z][a-zA-Z0-9+.-]*:\S+",
    "ipv4": r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)",
}
# what of a pattern stands for itself (an escape, a class of characters), and the beginning of a named group
PIECES = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?<(?=[A-Za-z_])", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Predicate:
    """A rule of a column: its name, its SQL, its sentence, and how file statistics may prove it."""

    name: str
    sql: str
    message: str
    proof: tuple[object, ...] = ()
    dimension: str = "conformity"


def predicates(of: Property) -> Iterator[Predicate]:
    """Every rule that the column's own fields make."""
    column, shown = quoted(of.name), f"`{of.name}`"
    if of.required or of.primary_key:
        yield Predicate("required", f"{column} IS NOT NULL", f"{shown} must not be missing", ("not_null",), "completeness")
    if of.enum is not None:
        values = ", ".join(constant(v) for v in of.enum)
        said = ", ".join(str(v) for v in of.enum[:8]) + (" ..." if len(of.enum) > 8 else "")
        yield Predicate("enum", f"{column} IN ({values})", f"{shown} must be one of {said}")
    yield from _range(of, column, shown)
    yield from _length(of, column, shown)
    pattern = of.options.get("pattern")
    if pattern is not None:
        sql = f"regexp_matches({column}, {literal(engine_pattern(str(pattern)))})"
        yield Predicate("pattern", sql, f"{shown} must match `{pattern}`")
    form = of.options.get("format")
    if of.logical_type == "string" and form in FORMATS:
        yield Predicate("format", f"regexp_full_match({column}, {literal(FORMATS[str(form)])})", f"{shown} must be an {form}")
    step = of.options.get("multipleOf")
    if step is not None:
        yield Predicate("multipleOf", f"{column} % {step} = 0", f"{shown} must be a multiple of {step}")


def constant(value: object) -> str:
    """A YAML value as a literal of SQL."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else literal(str(value))


def _range(of: Property, column: str, shown: str) -> Iterator[Predicate]:
    for name, operator, words in (
        ("minimum", ">=", "at least"),
        ("maximum", "<=", "at most"),
        ("exclusiveMinimum", ">", "more than"),
        ("exclusiveMaximum", "<", "less than"),
    ):
        bound = of.options.get(name)
        if bound is None or isinstance(bound, bool):
            continue
        low = "inimum" in name
        proof = ("range", str(bound) if low else None, None if low else str(bound), name == "exclusiveMinimum", name == "exclusiveMaximum")
        yield Predicate(name, f"{column} {operator} {constant(bound)}", f"{shown} must be {words} {bound}", proof, "accuracy")


def _length(of: Property, column: str, shown: str) -> Iterator[Predicate]:
    for name, operator, words, unit, measure in (
        ("minLength", ">=", "at least", "characters", "length"),
        ("maxLength", "<=", "at most", "characters", "length"),
        ("minItems", ">=", "at least", "items", "len"),
        ("maxItems", "<=", "at most", "items", "len"),
    ):
        bound = of.options.get(name)
        if bound is not None:
            yield Predicate(name, f"{measure}({column}) {operator} {int(str(bound))}", f"{shown} must have {words} {bound} {unit}")
    if of.options.get("uniqueItems") is True:
        yield Predicate("uniqueItems", f"len({column}) = len(list_distinct({column}))", f"{shown} must not hold an item twice")


def engine_pattern(pattern: str) -> str:
    """An ECMA-262 pattern as RE2 reads it: a group is named `(?P<name>`; what RE2 has no word for was refused with the contract."""
    return PIECES.sub(lambda found: "(?P<" if found.group() == "(?<" else found.group(), pattern)
