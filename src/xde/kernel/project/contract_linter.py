"""What no schema of the standard can see in a contract: names that lead nowhere, bounds that exclude each other, values of another type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.ground.names import did_you_mean
from xde.kernel.project.fields import Codes, Complaints
from xde.kernel.project.odcs import columns_below, own_words, references
from xde.kernel.project.odcs_fields import OPERATORS, QUALIFIED
from xde.kernel.project.own_words import check_own_words
from xde.kernel.project.tree import Mapping, Scalar, Sequence
from xde.kernel.project.value_linter import check_values

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping as MappingOf

    from xde.ground.findings import Finding
    from xde.kernel.project.tree import Node

CODES = Codes(unknown="XDE0301", missing="XDE0302", type="XDE0303", value="XDE0304")


def lint_contract(root: Mapping) -> list[Finding]:
    """The findings of one contract by itself; where its relationships lead to is for `reference_linter`."""
    say = Complaints(CODES)
    tables = root.mappings("schema")
    _check_twice(tables, "table", say)
    for table in tables:
        _Table(table, root).check(say)
    _check_service_levels(root, say)
    _check_servers(root, say)
    return [*say.findings.items, *check_own_words(root)]


def _check_twice(nodes: Iterable[Mapping], what: str, say: Complaints) -> None:
    for word in ("name", "id"):
        seen: dict[str, int] = {}
        for node in nodes:
            name = node.text(word)
            if name is None:
                continue
            folded = name.casefold() if word == "name" else name
            if folded in seen:
                shown = f"the {what} `{name}`" if word == "name" else f"the {what} of id `{name}`"
                why = f"it stands in line {seen[folded]} already; upper and lower case are the same here"
                say.add("XDE0310", f"{shown} is declared twice", node.items[word], "again", why, "rename or delete one of the two")
            else:
                seen[folded] = node.items[word].line


class _Table:
    """Checks one schema object."""

    def __init__(self, node: Mapping, root: Mapping) -> None:
        self.node = node
        self.root = root
        self.name = node.text("name") or ""
        self.columns = dict(columns_below(node))

    def check(self, say: Complaints) -> None:
        """Everything that concerns this table alone."""
        self._check_names(self.node.mappings("properties"), say)
        for column in self.columns.values():
            if "properties" in column.items:
                self._check_names(column.mappings("properties"), say)
            check_values(column, say)
        self._check_positions("primaryKey", "primaryKeyPosition", say)
        self._check_positions("partitioned", "partitionKeyPosition", say)
        self._check_relationships(say)
        self._check_rules(say)
        self._check_merge(say)

    @staticmethod
    def _check_names(columns: list[Mapping], say: Complaints) -> None:
        _check_twice(columns, "column", say)

    def _check_positions(self, flag: str, word: str, say: Complaints) -> None:
        keyed = [c for c in self.node.mappings("properties") if c.flag(flag)]
        for column in self.node.mappings("properties"):
            position = column.whole(word)
            if position is not None and position > 0 and not column.flag(flag):
                why = f"`{column.text('name')}` is not marked `{flag}: true`"
                say.add("XDE0313", f"`{word}` without `{flag}`", column.items[word], "of what?", why, f"add `{flag}: true`")
        placed = [(c.whole(word), c) for c in keyed]
        if all(position in {None, -1} for position, _ in placed):
            return  # nothing is said: the order of the columns
        seen: set[int] = set()
        for position, column in placed:
            at = column.items.get(word, column.items.get("name", column))
            if position is None or position < 1 or position > len(keyed) or position in seen:
                fault = "is there twice" if position in seen else "is missing" if position in {None, -1} else "leaves a gap"
                why = f"{len(keyed)} columns have `{flag}`: their positions are 1 to {len(keyed)}, each once"
                hint = f"count `{word}` from 1 without gaps"
                say.add("XDE0313", f"the `{word}` of `{column.text('name')}` {fault}", at, "position", why, hint)
            if position is not None:
                seen.add(position)

    def _check_relationships(self, say: Complaints) -> None:
        for node in (self.node, *(column for column in self.columns.values() if "relationships" in column.items)):
            for relationship in node.mappings("relationships"):
                _check_addresses(relationship.items.get("to"), say)
        for relationship in self.node.mappings("relationships"):
            here, there = relationship.items.get("from"), relationship.items.get("to")
            for part in _parts(here):
                self._check_own_column(part, say)
            if isinstance(here, Sequence) and isinstance(there, Sequence) and len(here.items) != len(there.items):
                why = f"{len(here.items)} columns refer to {len(there.items)}"
                say.add("XDE0320", "`from` and `to` are not of the same length", there, "other length", why, "pair each column with one")
            self._check_one_target(there, say)

    @staticmethod
    def _check_one_target(there: Node | None, say: Complaints) -> None:
        if isinstance(there, Sequence) and len({text.rpartition(".")[0] for text in references(there) if "/" not in text}) > 1:
            why = "a foreign key refers to one table"
            say.add("XDE0320", "`to` names columns of several tables", there, "several tables", why, "write a relationship for each")

    def _check_own_column(self, part: Scalar, say: Complaints) -> None:
        text = str(part.value)
        if "/" in text:
            return
        table, _, column = text.partition(".")
        names = {self.name, self.node.text("id") or self.name}
        if table not in names:
            why = f"the relationship stands in `{self.name}`"
            say.add("XDE0320", f"`from` names another table, `{table}`", part, "another table", why, f"write `{self.name}.{column}`")
        elif column not in self.columns:
            hint = did_you_mean(column, self.columns)
            say.add("XDE0311", f"`{self.name}` has no column `{column}`", part, "no such column", "a foreign key needs its column", hint)

    def _check_rules(self, say: Complaints) -> None:
        for rule in self.node.mappings("quality"):
            _check_between(rule, say)
            arguments = rule.mapping("arguments")
            named = arguments.items.get("properties") if arguments is not None else None
            for part in _parts(named):
                if str(part.value) not in self.columns:
                    hint = did_you_mean(str(part.value), self.columns)
                    say.add("XDE0321", f"`{self.name}` has no column `{part.value}`", part, "no such column", "a rule needs it", hint)
            if rule.text("metric") in {"nullValues", "missingValues", "invalidValues"}:
                why = f"`{rule.text('metric')}` counts values of one column"
                at = rule.items["metric"]
                say.add(
                    "XDE0321",
                    "this metric belongs to a column",
                    at,
                    "of which column?",
                    why,
                    "move the rule into the `quality` of a column",
                )
        for column in self.columns.values():
            if "quality" in column.items:
                _check_column_rules(column, say)

    def _check_merge(self, say: Complaints) -> None:
        for name, entry in own_words(self.node):
            if name == "writeMode" and entry.text("value") == "merge":
                if any(column.flag("primaryKey") for column in self.node.mappings("properties")):
                    continue
                why = "rows are merged by the columns of the primary key"
                at = entry.items["value"]
                say.add(
                    "XDE0323", f"`{self.name}` is merged but has no primary key", at, "by what?", why, "add `primaryKey: true` to its key"
                )


def _check_column_rules(column: Mapping, say: Complaints) -> None:
    for rule in column.mappings("quality"):
        _check_between(rule, say)
        arguments = rule.mapping("arguments")
        given = set(arguments.items) if arguments is not None else set()
        given |= {"validValues"} & set(rule.items)
        metric = rule.text("metric")
        if metric == "rowCount":
            why = "rows are counted for a table"
            at = rule.items["metric"]
            say.add("XDE0321", "this metric belongs to a table", at, "of a column?", why, "move the rule into the `quality` of the table")
        if metric == "invalidValues" and not given & {"validValues", "pattern"}:
            why = "without them nothing is invalid"
            at = rule.items["metric"]
            say.add(
                "XDE0321",
                "`invalidValues` needs `validValues` or a `pattern`",
                at,
                "what is valid?",
                why,
                "add `arguments: {validValues: [...]}`",
            )
        if metric == "missingValues" and "missingValues" not in given:
            why = "without them only null is missing, which is `nullValues`"
            at = rule.items["metric"]
            say.add("XDE0321", "`missingValues` needs its words", at, "which words?", why, "add `arguments: {missingValues: [...]}`")


def _check_between(rule: Mapping, say: Complaints) -> None:
    for word in ("mustBeBetween", "mustNotBeBetween"):
        if word not in OPERATORS or word not in rule.items:
            continue
        numbers = [part.value for part in _parts(rule.items[word]) if isinstance(part.value, int | float)]
        if len(numbers) == 2 and numbers[0] > numbers[1]:
            why = f"{numbers[0]} is more than {numbers[1]}"
            say.add(
                "XDE0316", f"`{word}` has its bounds the wrong way round", rule.items[word], "bounds", why, "write the smaller one first"
            )


def _check_addresses(there: Node | None, say: Complaints) -> None:
    """An address of a table (`crm.yaml#/schema/customers`) is well formed, but a key leads to a column."""
    for part in _parts(there):
        text = str(part.value)
        inside = text.rpartition("#")[2].strip("/")
        if "/" in text and re.match(QUALIFIED, text) and len(inside.split("/")) < 4:
            hint = f"write `{text}/properties/COLUMN`" if inside.startswith("schema/") else "write it as `schema.table.column`"
            why = "a foreign key must lead to a column of a table"
            say.add("XDE0311", f"`{text}` names no column", part, "which column?", why, hint)


def _parts(node: Node | None) -> list[Scalar]:
    found = node.items if isinstance(node, Sequence) else [node]
    return [part for part in found if isinstance(part, Scalar)]


def _check_service_levels(root: Mapping, say: Complaints) -> None:
    tables = {table.text("name") or "": {path for path, _ in columns_below(table)} for table in root.mappings("schema")}
    for level in [*root.mappings("slaProperties"), root]:
        at = level.items.get("slaDefaultElement" if level is root else "element")
        if not isinstance(at, Scalar) or not isinstance(at.value, str) or not tables:
            continue
        for element in at.value.split(","):
            _check_element(element.strip(), at, tables, say)


def _check_element(element: str, at: Scalar, tables: MappingOf[str, set[str]], say: Complaints) -> None:
    table, _, column = element.partition(".")
    if table not in tables:
        known = [*tables, *(f"{t}.{c}" for t, columns in tables.items() for c in columns)]
        why = "a service level is about a table or a column of this contract"
        say.add("XDE0312", f"the contract has no table `{table}`", at, "no such table", why, did_you_mean(element, known))
    elif column and column not in tables[table]:
        why = "a service level is about a table or a column of this contract"
        say.add("XDE0312", f"`{table}` has no column `{column}`", at, "no such column", why, did_you_mean(column, tables[table]))


def _check_servers(root: Mapping, say: Complaints) -> None:
    servers: dict[str, int] = {}
    for server in root.mappings("servers"):
        name = server.text("server")
        if name is not None and name in servers:
            why = f"it stands in line {servers[name]} already"
            say.add("XDE0310", f"the server `{name}` is declared twice", server.items["server"], "again", why, "rename one of the two")
        elif name is not None:
            servers[name] = server.items["server"].line
    for table in root.mappings("schema"):
        for name, entry in own_words(table):
            wanted = entry.text("value")
            if name == "server" and wanted is not None and wanted not in servers:
                hint, at = did_you_mean(wanted, servers), entry.items["value"]
                say.add("XDE0322", f"the contract has no server `{wanted}`", at, "no such server", "files come from a server", hint)
