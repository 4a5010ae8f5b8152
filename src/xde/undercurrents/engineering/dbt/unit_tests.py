"""Unit tests of dbt as cases: rows that are given, rows that are expected."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.undercurrents.engineering.dbt.sight import names_for
from xde.undercurrents.engineering.dbt.templates import Undecided, Wrong
from xde.undercurrents.engineering.dbt.world import Relation, Seen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.kernel.project.tree import Mapping as Tree
    from xde.undercurrents.engineering.dbt.files import DbtFiles
    from xde.undercurrents.engineering.dbt.report import Report
    from xde.undercurrents.engineering.dbt.world import World

_EMPTY_MACROS = frozenset({"is_incremental"})


class _Unsuitable(Exception):
    """A unit test that has no case here."""


def cases_of(files: DbtFiles, world: World, built: Mapping[str, str], report: Report) -> dict[str, list[dict[str, object]]]:
    """The cases by the dataset that they test; `built` leads from models' names to those that are built."""
    found: dict[str, list[dict[str, object]]] = {}
    for root in files.described:
        for node in root.mappings("unit_tests"):
            name, model = node.text("name") or "", node.text("model") or ""
            dataset = built.get(model)
            try:
                if dataset is None:
                    raise _Unsuitable(f"the model `{model}` is not built" if model in world.refs else f"there is no model `{model}`")
                case = _case(node, files, world)
            except _Unsuitable as error:
                report.decide(
                    f"the unit test `{name}` is not carried over", node.span, str(error), f"write a case for `{model}` under `tests/`"
                )
                continue
            cases = found.setdefault(dataset, [])
            if all(c["name"] != case["name"] for c in cases):
                cases.append(case)
    return found


def _case(node: Tree, files: DbtFiles, world: World) -> dict[str, object]:
    _check_overrides(node, world)
    given: dict[str, object] = {}
    for entry in node.mappings("given"):
        given[_dataset(entry, world)] = _rows(entry, files)
    expect = node.mapping("expect")
    if expect is None:
        raise _Unsuitable("it expects nothing")
    rows = _rows(expect, files)
    case: dict[str, object] = {"name": (node.text("description") or "").strip() or node.text("name") or "unnamed"}
    if case["name"] != node.text("name"):
        case["tags"] = [re.sub(r"\W+", "_", node.text("name") or "unnamed")]
    return {**case, "given": given or None, "expect": rows if isinstance(rows, list) else {"rows": rows}}


def _check_overrides(node: Tree, world: World) -> None:
    overrides = node.mapping("overrides")
    if overrides is None:
        return
    macros = overrides.value("macros")
    for name, value in (macros if isinstance(macros, dict) else {}).items():
        if name not in _EMPTY_MACROS or value is not False:
            why = (
                "the filter of its incremental part is not carried over"
                if name == "is_incremental"
                else "macros are carried out by the import"
            )
            raise _Unsuitable(f"it puts something in the place of the macro `{name}`: {why}")
    variables = overrides.value("vars")
    for name, value in (variables if isinstance(variables, dict) else {}).items():
        if world.variables.get(name) != value:
            raise _Unsuitable(f"it gives the variable `{name}` another value, and that of the project is written into the model")
    if overrides.value("env_vars"):
        raise _Unsuitable("it gives values to variables of the environment")


def _dataset(entry: Tree, world: World) -> str:
    text = (entry.text("input") or "").strip()
    if text in {"this", "{{ this }}"}:
        raise _Unsuitable("it gives rows of the model itself")
    inside = text if "{{" in text else f"{{{{ {text} }}}}"
    try:
        return world.templates.render(inside, entry.path, names_for(world, Relation("", ""), {}, Seen())).strip()
    except (Wrong, Undecided) as error:
        raise _Unsuitable(f"`{text}` names nothing that is here") from error


def _rows(entry: Tree, files: DbtFiles) -> list[object] | dict[str, str]:
    form = entry.text("format") or "dict"
    fixture = entry.text("fixture")
    rows = entry.value("rows")
    if form == "sql":
        raise _Unsuitable("its rows are a query: write them as rows")
    if form == "csv":
        if fixture is not None:
            if fixture not in files.fixtures:
                raise _Unsuitable(f"there is no fixture `{fixture}`")
            rows = files.fixtures[fixture].text
        if not isinstance(rows, str):
            raise _Unsuitable("its CSV is no text")
        return {"csv": "\n".join(line.strip() for line in rows.strip().splitlines()) + "\n"}
    if rows is None:
        return []
    if not isinstance(rows, list) or not all(isinstance(r, dict) for r in rows):
        raise _Unsuitable("its rows are no list")
    return list(rows)
