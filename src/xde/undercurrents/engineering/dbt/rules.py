"""One generic test of dbt as what a contract says: a word of a column, a rule of quality, a reference, or a query of failing rows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xde.ground.names import literal, quoted
from xde.kernel.project.tree import Mapping as Tree
from xde.kernel.project.tree import Scalar
from xde.undercurrents.engineering.dbt.configs import flag, merged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.ground.spans import Span
    from xde.kernel.project.tree import Node

CONFIG = frozenset(
    {"severity", "where", "error_if", "warn_if", "enabled", "limit", "store_failures", "store_failures_as", "fail_calc", "tags", "meta"}
)
_BOUND = re.compile(r"\s*(>=|>|!=|=)\s*([0-9]+)\s*\Z")
_OPERATORS = {">": "mustBeLessOrEqualTo", ">=": "mustBeLessThan", "!=": "mustBe", "=": "mustNotBe"}
"""The test fails when the number of rows is so: the rule says how it must be."""


@dataclass(frozen=True, slots=True)
class DataTest:
    """A generic test as it is written: `name` with its package, the column it stands at or None."""

    name: str
    arguments: Mapping[str, object]
    config: Mapping[str, object]
    column: str | None
    span: Span
    given_name: str = ""

    @property
    def where(self) -> str:
        """Only these rows are looked at; empty for all."""
        return str(self.config.get("where") or "").strip()

    @property
    def label(self) -> str:
        """A name for the rule."""
        return self.given_name or "_".join(p for p in (self.column or "", self.name.rpartition(".")[2]) if p)

    def severities(self) -> list[tuple[str, str, int]]:
        """What must hold of the number of failing rows, each as (severity, operator, threshold); raises `ValueError` for no bound."""
        warns = str(self.config.get("severity") or "error").casefold() == "warn"
        error, warn = self.config.get("error_if"), self.config.get("warn_if")
        found = [] if warns else [("error", *_bound(error))]
        if warns or warn is not None or (error is not None and not warns):
            found.append(("warning", *_bound(warn)))
        return found

    @property
    def plain(self) -> bool:
        """Whether every row counts and none may fail."""
        return not self.where and self.severities() == [("error", "mustBe", 0)]


@dataclass(slots=True)
class Ruled:
    """What a test becomes: words of its column, rules (of the column or the table), or rows that must not be there."""

    words: dict[str, object] = field(default_factory=dict)
    rules: list[dict[str, object]] = field(default_factory=list)
    of_table: bool = False


def _bound(text: object) -> tuple[str, int]:
    if text is None:
        return "mustBe", 0
    found = _BOUND.match(str(text))
    if found is None:
        msg = f"`{text}` is no bound"
        raise ValueError(msg)
    return _OPERATORS[found[1]], int(found[2])


def data_test_of(node: Node, column: str | None, usual: Mapping[str, object]) -> DataTest | None:
    """A test as written under `data_tests`; None for what is none."""
    if isinstance(node, Scalar):
        return DataTest(str(node.text), {}, dict(usual), column, node.span)
    if not isinstance(node, Tree) or not node.items:
        return None
    name = node.text("test_name")
    own: dict[str, object] = {}
    if name is None:
        name = next(iter(node.items))
        inside = node.mapping(name)
        own = inside.data() if inside is not None else {}
        beside = {k: v for k, v in node.data().items() if k != name}
    else:
        beside = {k: v for k, v in node.data().items() if k not in {"test_name", "name"}}
        own = {"name": node.text("name")} if "name" in node.items else {}
    everything = {**own, **beside}
    nested = everything.pop("config", None)
    arguments = everything.pop("arguments", None)
    config = merged(usual, {k: v for k, v in everything.items() if k in CONFIG}, nested if isinstance(nested, dict) else {})
    given = {k: v for k, v in everything.items() if k not in CONFIG and k not in {"name", "description"}}
    given |= arguments if isinstance(arguments, dict) else {}
    column = column or (str(given.pop("column_name")) if "column_name" in given else None)
    return DataTest(name, given, config, column, node.keys.get(name, node).span, str(own.get("name") or ""))


_ARGUMENTS: Mapping[str, frozenset[str]] = {
    "not_null": frozenset(),
    "unique": frozenset(),
    "accepted_values": frozenset({"values", "quote"}),
    "relationships": frozenset({"to", "field"}),
    "dbt_utils.expression_is_true": frozenset({"expression"}),
    "dbt_utils.accepted_range": frozenset({"min_value", "max_value", "inclusive"}),
    "dbt_utils.not_empty_string": frozenset({"trim_whitespace"}),
    "dbt_utils.unique_combination_of_columns": frozenset({"combination_of_columns"}),
}


def check_arguments(test: DataTest) -> None:
    """Raises `ValueError` for an argument that would say something which the rule here does not."""
    known = _ARGUMENTS.get(test.name.removeprefix("dbt."))
    unknown = sorted(set(test.arguments) - known) if known is not None else []
    if unknown:
        msg = f"its argument `{unknown[0]}` is not known here"
        raise ValueError(msg)


def ruled(test: DataTest) -> Ruled | None:
    """What one of the tests that everybody has becomes; None when it is none of them. Raises `ValueError` with why it cannot be."""
    column = quoted(test.column) if test.column else ""
    match test.name.removeprefix("dbt."):
        case "not_null" if column:
            if test.plain:
                return Ruled({"required": True})
            return _rows(test, f"{column} IS NOT NULL", "completeness", metric={"metric": "nullValues"})
        case "unique" if column:
            if test.plain:
                return Ruled({"unique": True})
            return _duplicates(test)
        case "accepted_values" if column:
            return _accepted(test, column)
        case _:
            return _of_utils(test, column)


def _of_utils(test: DataTest, column: str) -> Ruled | None:
    given = test.arguments
    match test.name:
        case "dbt_utils.expression_is_true":
            predicate = f"{column} {given.get('expression', '')}".strip()
            return _rows(test, predicate, "conformity")
        case "dbt_utils.accepted_range" if column:
            return _rows(test, _range(given, column), "conformity")
        case "dbt_utils.not_empty_string" if column:
            trims = flag(given.get("trim_whitespace"), default=True)
            return _rows(test, f"{f'trim({column})' if trims else column} <> ''", "completeness")
        case "dbt_utils.unique_combination_of_columns":
            return _combination(test)
        case _:
            return None


def _accepted(test: DataTest, column: str) -> Ruled:
    values = test.arguments.get("values")
    if not isinstance(values, list) or not values:
        msg = "it names no values"
        raise ValueError(msg)
    if not flag(test.arguments.get("quote"), default=True):
        return _rows(test, f"{column} IN ({', '.join(str(v) for v in values)})", "conformity")
    texts = ["True" if v is True else "False" if v is False else str(v) for v in values]
    metric: dict[str, object] = {"metric": "invalidValues", "arguments": {"validValues": texts}}
    return _rows(test, f"{column} IN ({', '.join(literal(t) for t in texts)})", "conformity", metric=metric)


def _range(given: Mapping[str, object], column: str) -> str:
    equal = "=" if flag(given.get("inclusive"), default=True) else ""
    parts = [
        f"{column} {sign}{equal} {given[word]}" for word, sign in (("min_value", ">"), ("max_value", "<")) if given.get(word) is not None
    ]
    if not parts:
        msg = "it names neither `min_value` nor `max_value`"
        raise ValueError(msg)
    return " AND ".join(parts)


def _combination(test: DataTest) -> Ruled:
    columns = test.arguments.get("combination_of_columns")
    if not isinstance(columns, list) or not columns:
        msg = "it names no columns"
        raise ValueError(msg)
    names = ", ".join(quoted(str(c)) for c in columns)
    told = f"no two rows may have the same {', '.join(str(c) for c in columns)}"
    return counted(test, f"SELECT {names} FROM {{object}}{_where(test)} GROUP BY {names} HAVING count(*) > 1", "uniqueness", told)


def _duplicates(test: DataTest) -> Ruled:
    column = quoted(test.column or "")
    where = f"{_where(test)} AND" if test.where else " WHERE"
    query = f"SELECT {column} FROM {{object}}{where} {column} IS NOT NULL GROUP BY {column} HAVING count(*) > 1"
    return counted(test, query, "uniqueness", f"no two rows may have the same {test.column}")


def _where(test: DataTest) -> str:
    return f" WHERE ({test.where})" if test.where else ""


def _rows(test: DataTest, predicate: str, dimension: str, metric: dict[str, object] | None = None) -> Ruled:
    """Rules that hold row by row; one of the standard's metrics where no rows are left out."""
    told = _told(test)
    if metric is not None and not test.where:
        rules = [{**_head(test, s, told), **metric, operator: bound, "dimension": dimension} for s, operator, bound in test.severities()]
        return Ruled(rules=rules)
    whole = f"NOT ({test.where}) OR ({predicate})" if test.where else predicate
    rules = []
    for severity, operator, bound in test.severities():
        query = f"SELECT count(*) FROM {{object}} WHERE NOT ({whole})"
        own = [{"property": "xdeRowPredicate", "value": whole}]
        head = {**_head(test, severity, told), "type": "sql", "query": query}
        rules.append({**head, operator: bound, "dimension": dimension, "customProperties": own})
    return Ruled(rules=rules, of_table=True)


def counted(test: DataTest, query: str, dimension: str | None, told: str = "") -> Ruled:
    """A rule by the number of rows that a query of failing rows gives; `{object}` is the dataset."""
    rules = []
    for severity, operator, bound in test.severities():
        head = {
            **_head(test, severity, told or _told(test)),
            "type": "sql",
            "query": f"SELECT count(*) FROM (\n{query.strip()}\n) AS failing",
        }
        rules.append({**head, operator: bound, "dimension": dimension})
    return Ruled(rules=rules, of_table=True)


def _head(test: DataTest, severity: str, told: str) -> dict[str, object]:
    ident = test.label if severity == "error" or len(test.severities()) == 1 else f"{test.label}_warns"
    return {"id": ident, "description": told, "severity": severity if severity != "error" else None}


def _told(test: DataTest) -> str:
    of = f" of {test.column}" if test.column else ""
    only = f", where {test.where}" if test.where else ""
    return f"the dbt test {test.name}{of}{only}"
