"""Contracts from what dbt's YAML says of a dataset: descriptions, types that are enforced, constraints, tests, tags and meta."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xde.ground.names import quoted
from xde.kernel.project.logical_types import logical_type
from xde.kernel.project.tree import Mapping as Tree
from xde.kernel.project.tree import Sequence as Items
from xde.undercurrents.engineering.dbt.configs import flag, of_project, of_yaml, texts
from xde.undercurrents.engineering.dbt.promised import Promised, Watch
from xde.undercurrents.engineering.dbt.rules import DataTest, Ruled, check_arguments, counted, data_test_of, ruled
from xde.undercurrents.engineering.dbt.sight import names_for
from xde.undercurrents.engineering.dbt.templates import Undecided, Wrong, finding_of
from xde.undercurrents.engineering.dbt.types import duckdb_type
from xde.undercurrents.engineering.dbt.world import Relation, Seen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xde.ground.findings import Findings
    from xde.undercurrents.engineering.dbt.files import DbtFiles
    from xde.undercurrents.engineering.dbt.report import Report
    from xde.undercurrents.engineering.dbt.world import World

OBJECT = "{object}"
_TESTS = ("data_tests", "tests")


@dataclass(frozen=True, slots=True)
class Built:
    """How each dataset is built, and what it reads: a reference can be looked up where there are rows, and they are there before."""

    kinds: Mapping[str, str]
    reads: Mapping[str, Sequence[str]]

    def before(self, dataset: str, other: str) -> bool:
        """Whether another dataset has rows, and has them when this one is held against its contract."""
        if self.kinds.get(other) in {"view", "ephemeral"}:
            return False
        if self.kinds.get(dataset) == "source":
            return self.kinds.get(other) == "source"
        seen: set[str] = set()
        todo = [dataset]
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += self.reads.get(name, ())
        return other in seen


class Promising:
    """Reads descriptions."""

    def __init__(self, files: DbtFiles, world: World, built: Built, report: Report, findings: Findings) -> None:
        self.files = files
        self.world = world
        self.built = built
        self.report = report
        self.findings = findings
        word = "data_tests" if "data_tests" in files.settings.items else "tests"
        self.usual = of_project(files.settings.mapping(word), (files.name,))

    def of(self, dataset: str, described: Tree | None, config: Mapping[str, object], *, types: bool) -> Promised:
        """What a dataset promises; with `types` those that are written hold, as of a source or an enforced contract."""
        found = Promised()
        if described is None:
            return found
        found.description = self.text(described.text("description"), described)
        found.tags = texts(config.get("tags"))
        found.customs = [*_meta(config.get("meta"))]
        for column in described.mappings("columns"):
            self._column(found, dataset, column, types=types)
        for test in self._tests(described, None):
            self._take(found, dataset, test)
        if types:
            self._constraints(found, described)
        _tell_apart(found)
        return found

    def text(self, text: str | None, node: Tree) -> str:
        """A description, with the docs that it names."""
        if not text or "{{" not in text:
            return (text or "").strip()
        try:
            return str(
                self.world.templates.value(text, node.path, {"doc": lambda *w: self.world.docs.get(str(w[-1]), "") if w else ""})
            ).strip()
        except (Wrong, Undecided) as error:
            self.report.decide("a description asks for more than docs", node.place("description"), str(error))
            return text.strip()

    def _column(self, found: Promised, dataset: str, node: Tree, *, types: bool) -> None:
        name = node.text("name")
        if not name:
            return
        column = found.column(name)
        kind = node.text("data_type")
        if kind is not None and types:
            self._type(column, kind, node)
        description = self.text(node.text("description"), node)
        if description:
            column["description"] = description
        config = of_yaml(node)
        if texts(config.get("tags")):
            column["tags"] = texts(config.get("tags"))
        if customs := _meta(config.get("meta")):
            column["customProperties"] = customs
        for test in self._tests(node, name):
            self._take(found, dataset, test)
        if types:
            self._constraints_of_column(found, name, node)

    def _type(self, column: dict[str, object], kind: str, node: Tree) -> None:
        made = duckdb_type(kind, str(self.world.target.get("type", "duckdb")))
        if made is None:
            hint = "name one in the contract as `physicalType`"
            self.report.decide(f"the type `{kind}` of `{column['name']}` is none of DuckDB's", node.place("data_type"), hint=hint)
            return
        column["logicalType"], column["physicalType"] = logical_type(made) or "string", made

    def _tests(self, node: Tree, column: str | None) -> Iterator[DataTest]:
        for word in _TESTS:
            items = node.items.get(word)
            for item in items.items if isinstance(items, Items) else []:
                test = data_test_of(item, column, self.usual)
                if test is not None and flag(test.config.get("enabled"), default=True):
                    yield test

    def _take(self, found: Promised, dataset: str, test: DataTest) -> None:
        try:
            self._taken(found, dataset, self._rendered(test, dataset))
        except ValueError as error:
            self.report.decide(
                f"the test `{test.name}` of `{dataset}` is not carried over", test.span, str(error), "write the rule in the contract"
            )
        except Undecided as error:
            self.report.decide(f"the test `{test.name}` of `{dataset}` is not carried over", test.span, error.reason, error.hint)
        except Wrong as wrong:
            if wrong.code in {"XDE0174", "XDE0175"} or wrong.path:
                told = finding_of(wrong, lambda path, line: test.span if path in {"", test.span.path} else self.files.span(path, line))
                self.findings.add(told)
            else:
                self.report.decide(f"the test `{test.name}` of `{dataset}` is not carried over", test.span, wrong.message, wrong.hint)

    def _taken(self, found: Promised, dataset: str, test: DataTest) -> None:
        if not flag(test.config.get("enabled"), default=True):
            return
        if test.config.get("fail_calc"):
            msg = "`fail_calc` counts otherwise than by rows"
            raise ValueError(msg)
        overridden = (self.world.project, f"test_{test.name}") in self.world.templates.macros
        if not overridden:
            check_arguments(test)
        if test.name.removeprefix("dbt.") == "relationships" and test.column and not overridden:
            self._relationship(found, dataset, test)
            return
        made = None if overridden else ruled(test)
        made = made if made is not None else self._own(found, dataset, test)
        if made is None:
            return
        if made.of_table or not test.column:
            found.rules += made.rules
            return
        column = found.column(test.column)
        column |= made.words
        if made.rules:
            column["quality"] = [*_list(column.get("quality")), *made.rules]

    def _rendered(self, test: DataTest, dataset: str) -> DataTest:
        """The test with what templates its arguments hold."""
        names = names_for(self.world, Relation(dataset, dataset), {}, Seen())

        def value(given: object) -> object:
            return self.world.templates.value(given, test.span.path, names) if isinstance(given, str) else given

        return DataTest(
            test.name,
            {k: value(v) for k, v in test.arguments.items()},
            {k: value(v) for k, v in test.config.items()},
            test.column,
            test.span,
            test.given_name,
        )

    def _relationship(self, found: Promised, dataset: str, test: DataTest) -> None:
        to = self._target(str(test.arguments.get("to", "")), test)
        there = str(test.arguments.get("field", ""))
        if to not in self.built.kinds:
            msg = f"`{to}` waits for a decision itself"
            raise ValueError(msg)
        severities = test.severities()
        simple = not test.where and len(severities) == 1 and severities[0][1:] == ("mustBe", 0)
        if simple and self.built.before(dataset, to):
            entry: dict[str, object] = {"type": "foreignKey", "to": f"{to}.{there}"}
            if severities[0][0] == "warning":
                entry["customProperties"] = [{"property": "xdeSeverity", "value": "warning"}]
            column = found.column(test.column or "")
            column["relationships"] = [*_list(column.get("relationships")), entry]
            return
        own, only = quoted(test.column or ""), f" AND ({test.where})" if test.where else ""
        sql = (
            f"SELECT child.from_field\nFROM (SELECT {own} AS from_field FROM {dataset} WHERE {own} IS NOT NULL{only}) AS child\n"
            f"LEFT JOIN (SELECT {quoted(there)} AS to_field FROM {to}) AS parent ON child.from_field = parent.to_field\n"
            "WHERE parent.to_field IS NULL"
        )
        told = f"every {test.column} of {dataset} is a {there} of {to}"
        self._watch(found, test, sql, (dataset, to), f"{dataset.partition('.')[2]}_{test.column}_in_{to.partition('.')[2]}", told)

    def _target(self, text: str, test: DataTest) -> str:
        """The dataset that `ref(...)` or `source(...)` names, written with or without braces."""
        if "(" not in text:
            return text
        seen = Seen()
        inside = text if "{{" in text else f"{{{{ {text} }}}}"
        return self.world.templates.render(inside, test.span.path, names_for(self.world, Relation("", ""), {}, seen)).strip()

    def _own(self, found: Promised, dataset: str, test: DataTest) -> Ruled | None:
        """A generic test of the project's own, or of a package that lies beside it: its query of failing rows."""
        package, _, short = test.name.rpartition(".")
        macro = (package or self.world.project, f"test_{short}")
        if macro not in self.world.templates.macros:
            known = f"the macro of `{test.name}` is not here" if package else f"there is no generic test `{test.name}`"
            raise ValueError(known)
        seen = Seen()
        sql = self._failing(test, macro, OBJECT, seen)
        if not seen.reads:
            return counted(test, sql, None)
        name = f"{dataset.partition('.')[2]}_{test.label}"
        self._watch(found, test, self._failing(test, macro, dataset, Seen()), (dataset, *seen.reads), name, f"the dbt test {test.name}")
        return None

    def _failing(self, test: DataTest, macro: tuple[str, str], model: str, seen: Seen) -> str:
        names = names_for(self.world, Relation(model, model), {}, seen)
        of = f"(SELECT * FROM {model} WHERE {test.where}) AS dbt_subquery" if test.where else model
        given = {"model": of, **({"column_name": test.column} if test.column else {})}
        for key, value in test.arguments.items():
            given[key] = self._target(value, test) if isinstance(value, str) and value.startswith(("ref(", "source(")) else value  # type: ignore[assignment]
            if given[key] is not value:
                seen.reads[str(given[key])] = 0
        of_all = self.world.templates.macros[macro]
        text = f"{{{{ xde_test(**xde_given) }}}}"  # noqa: F541 - braces of Jinja
        names |= {"xde_given": given, "xde_test": lambda **named: self.world.templates.call(of_all, names, (), named)}
        return self.world.templates.render(text, of_all.path, names).strip()

    def _watch(self, found: Promised, test: DataTest, sql: str, reads: tuple[str, ...], name: str, told: str) -> None:
        rules = [
            {
                "id": f"no_rows{'' if s == 'error' else '_warns'}",
                "metric": "rowCount",
                "severity": None if s == "error" else s,
                operator: bound,
            }
            for s, operator, bound in test.severities()
        ]
        found.watches.append(Watch(test.given_name or name, sql, rules, tuple(dict.fromkeys(reads)), test.span, told))

    def _constraints(self, found: Promised, described: Tree) -> None:
        for node in described.mappings("constraints"):
            columns = list(node.texts("columns"))
            kind = node.text("type") or ""
            if kind == "primary_key":
                for place, name in enumerate(columns, 1):
                    found.column(name).update(primaryKey=True, primaryKeyPosition=place, required=True)
            elif kind in {"not_null", "unique"} and len(columns) == 1:
                found.column(columns[0])["required" if kind == "not_null" else "unique"] = True
            elif kind == "check":
                found.rules.append(_check(node, "check"))
            else:
                self.report.decide(f"the constraint `{kind}` is not carried over", node.span, hint="write it in the contract")

    def _constraints_of_column(self, found: Promised, name: str, column: Tree) -> None:
        for node in column.mappings("constraints"):
            match node.text("type"):
                case "not_null":
                    found.column(name)["required"] = True
                case "unique":
                    found.column(name)["unique"] = True
                case "primary_key":
                    found.column(name).update(primaryKey=True, primaryKeyPosition=1, required=True)
                case "check":
                    found.rules.append(_check(node, name))
                case other:
                    self.report.decide(
                        f"the constraint `{other}` of `{name}` is not carried over", node.span, hint="write it in the contract"
                    )


def _check(node: Tree, name: str) -> dict[str, object]:
    expression = node.text("expression") or "true"
    return {
        "id": f"{name}_check",
        "type": "sql",
        "query": f"SELECT count(*) FROM {OBJECT} WHERE NOT ({expression})",
        "mustBe": 0,
        "customProperties": [{"property": "xdeRowPredicate", "value": expression}],
    }


def _tell_apart(found: Promised) -> None:
    """Rules of one dataset have names of their own."""
    seen: dict[str, int] = {}
    every = [*found.rules, *(r for c in found.columns.values() for r in _list(c.get("quality")))]
    for rule in every:
        if isinstance(rule, dict):
            name = str(rule["id"])
            seen[name] = seen.get(name, 0) + 1
            if seen[name] > 1:
                rule["id"] = f"{name}_{seen[name]}"


def _meta(meta: object) -> list[dict[str, object]]:
    if not isinstance(meta, dict):
        return []
    return [{"property": str(k), "value": v, "vendor": "dbt"} for k, v in meta.items() if v is not None]


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []
