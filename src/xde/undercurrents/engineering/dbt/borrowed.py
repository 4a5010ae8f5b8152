"""Macros that come with dbt and with dbt_utils, said in DuckDB's SQL: those whose result is the same for the same input, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.ground.names import literal, quoted
from xde.undercurrents.engineering.dbt.templates import Undecided

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_NO_VALUE = "_dbt_utils_surrogate_key_null_"


def dbt(name: str) -> Callable[..., object] | None:
    """A macro of dbt itself, by name."""
    return DBT.get(name)


def dbt_utils(name: str) -> Callable[..., object] | None:
    """A macro of dbt_utils, by name."""
    return _UTILS.get(name)


_LONGER = {"quarter": (3, "month"), "week": (7, "day")}


def _dateadd(datepart: str, interval: object, from_date_or_timestamp: object) -> str:
    times, unit = _LONGER.get(datepart.lower(), (1, datepart.lower()))
    number = f"(cast({interval} as bigint) * {times})" if times > 1 else f"cast({interval} as bigint)"
    return f"({from_date_or_timestamp} + {number} * interval 1 {unit})"


def _concat(fields: Sequence[object]) -> str:
    return " || ".join(str(f) for f in _several(fields))


def _last_day(date: object, datepart: str) -> str:
    if datepart != "month":
        raise Undecided(f"`last_day` of a {datepart} has no short form here", "write it in SQL")
    return f"last_day({date})"


def _listagg(measure: object, delimiter_text: object = "','", order_by_clause: object = None, limit_num: object = None) -> str:
    if limit_num:
        raise Undecided("`listagg` with a limit has no short form here", "write it in SQL")
    order = f" {order_by_clause}" if order_by_clause else ""
    return f"string_agg({measure}, {delimiter_text}{order})"


def _datediff(first_date: object, second_date: object, datepart: str) -> str:
    if datepart == "week":
        raise Undecided("`datediff` in weeks counts otherwise in each warehouse", "write it in SQL, by `date_diff`")
    return f"date_diff('{datepart}', {first_date}::timestamp, {second_date}::timestamp)"


DBT: Mapping[str, Callable[..., object]] = {
    "dateadd": _dateadd,
    "datediff": _datediff,
    "date_trunc": lambda datepart, date: f"date_trunc('{datepart}', {date})",
    "last_day": _last_day,
    "concat": _concat,
    "hash": lambda field: f"md5(cast({field} as TEXT))",
    "length": lambda expression: f"length({expression})",
    "position": lambda substring_text, string_text: f"position({substring_text} in {string_text})",
    "replace": lambda field, old_chars, new_chars: f"replace({field}, {old_chars}, {new_chars})",
    "right": lambda string_text, length_expression: f"right({string_text}, {length_expression})",
    "split_part": lambda string_text, delimiter_text, part_number: f"string_split({string_text}, {delimiter_text})[{part_number}]",
    "safe_cast": lambda field, type: f"cast({field} as {type})",  # noqa: A006 - dbt's own word
    "cast": lambda field, type: f"cast({field} as {type})",  # noqa: A006 - dbt's own word
    "cast_bool_to_text": lambda field: f"cast({field} as TEXT)",
    "any_value": lambda expression: f"any_value({expression})",
    "bool_or": lambda expression: f"bool_or({expression})",
    "listagg": _listagg,
    "except": lambda: "except",
    "intersect": lambda: "intersect",
    "escape_single_quotes": lambda expression: str(expression).replace("'", "''"),
    "string_literal": lambda value: literal(str(value)),
    "type_string": lambda: "TEXT",
    "type_timestamp": lambda: "timestamp",
    "type_float": lambda: "float",
    "type_numeric": lambda: "numeric(28,6)",
    "type_bigint": lambda: "bigint",
    "type_int": lambda: "INT",
    "type_boolean": lambda: "boolean",
    "current_timestamp": lambda: "now()",
}


def _star(
    from_: object = None,
    relation_alias: object = False,  # noqa: FBT002 - dbt_utils' own arguments
    except_: Sequence[str] = (),
    prefix: str = "",
    suffix: str = "",
    quote_identifiers: object = True,  # noqa: FBT002 - dbt_utils' own arguments
    **named: object,
) -> str:
    del from_, quote_identifiers  # what is read stands in FROM; names are the same however they are quoted
    left_out = named.get("except", except_)
    if prefix or suffix:
        raise Undecided("`dbt_utils.star` with a prefix or suffix needs the names of the columns", "write the columns")
    names = [str(c) for c in left_out] if isinstance(left_out, (list, tuple)) else [str(left_out)]
    star = f"{relation_alias}.*" if relation_alias else "*"
    return f"{star} EXCLUDE ({', '.join(quoted(n) for n in names)})" if names else star


def surrogate_key(field_list: Sequence[object], missing: str = _NO_VALUE) -> str:
    """The key that dbt_utils makes of some expressions: the same text of them, and so the same value."""
    parts = [f"coalesce(cast({f} as TEXT), {literal(missing)})" for f in _several(field_list)]
    return "md5(cast(" + " || '-' || ".join(parts) + " as TEXT))"


def _several(fields: object) -> list[object]:
    return list(fields) if isinstance(fields, (list, tuple)) else [fields]


def _date_spine(datepart: str, start_date: object, end_date: object) -> str:
    """As many rows as boundaries lie between start and end: of months, one less than there may be days of that number."""
    number = _datediff(start_date, end_date, datepart)
    return f"select {_dateadd(datepart, 'i', start_date)} as date_{datepart} from (select unnest(range({number})) as i) as spine"


def _pivot(column: object, values: Sequence[object], **named: object) -> str:
    told = {
        "alias": True,
        "agg": "sum",
        "cmp": "=",
        "prefix": "",
        "suffix": "",
        "then_value": 1,
        "else_value": 0,
        "quote_identifiers": True,
    }
    wanted = {**told, **named}
    if wanted.pop("distinct", False):
        raise Undecided("`dbt_utils.pivot` with `distinct` has no short form here", "write it in SQL")
    parts = []
    for value in values:
        test = f"{column} {wanted['cmp']} {literal(str(value))}"
        part = f"{wanted['agg']}(case when {test} then {wanted['then_value']} else {wanted['else_value']} end)"
        name = f"{wanted['prefix']}{value}{wanted['suffix']}"
        parts.append(part + ((f" as {quoted(name)}" if wanted["quote_identifiers"] else f" as {name}") if wanted["alias"] else ""))
    return ",\n".join(parts)


def _deduplicate(*_: object, **__: object) -> str:
    reason = "`dbt_utils.deduplicate` leaves rows out that have a NULL somewhere, in some of its versions"
    raise Undecided(reason, "choose what you want, such as `FROM dedupe(NAME, key := COLUMN, newest := COLUMN)`")


_UTILS: Mapping[str, Callable[..., object]] = {
    "star": _star,
    "generate_surrogate_key": surrogate_key,
    "surrogate_key": lambda field_list: surrogate_key(field_list, ""),
    "date_spine": _date_spine,
    "pivot": _pivot,
    "deduplicate": _deduplicate,
    "group_by": lambda n: "group by " + ",".join(str(i) for i in range(1, int(n) + 1)),
    "safe_add": lambda fields: " + ".join(f"coalesce({f}, 0)" for f in _several(fields)),
    "safe_subtract": lambda fields: " - ".join(f"coalesce({f}, 0)" for f in _several(fields)),
    "safe_divide": lambda numerator, denominator: f"( {numerator} ) / nullif( ( {denominator} ), 0)",
    "slugify": lambda string: _slug(str(string)),
}


def _slug(text: str) -> str:
    import re

    text = re.sub(r"[ -]+", "_", text.lower())
    text = re.sub(r"[^a-z0-9_]+", "", text)
    return re.sub(r"^([0-9])", r"_\1", text)
