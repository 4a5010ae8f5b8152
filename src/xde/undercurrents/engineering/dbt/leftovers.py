"""Parts of a dbt project that have no counterpart, or one of another shape: told, so that nobody misses them later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.kernel.project.tree import Mapping
from xde.undercurrents.engineering.dbt.blocks import blocks
from xde.undercurrents.engineering.dbt.files import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping as Mapping_

    from xde.undercurrents.engineering.dbt.files import DbtFiles
    from xde.undercurrents.engineering.dbt.nodes import Nodes
    from xde.undercurrents.engineering.dbt.report import Report

_LISTS = {
    "exposures": ("exposure", "name those who read a dataset in its contract"),
    "metrics": ("metric", "write it as a model"),
    "semantic_models": ("semantic model", "write it as models"),
    "saved_queries": ("saved query", "write it as a model"),
    "groups": ("group", "name the owners under `team` of the contracts"),
    "functions": ("function", "write what it does in SQL, or as a flow"),
}


def tell_leftovers(files: DbtFiles, nodes: Nodes, target: Mapping_[str, object], report: Report) -> None:
    """Everything that is left behind, each with its place."""
    for root in files.described:
        for word, (what, hint) in _LISTS.items():
            for node in root.mappings(word):
                report.decide(f"the {what} `{node.text('name')}` is not carried over", node.place("name"), hint=hint)
    for word in ("on-run-start", "on-run-end"):
        if files.settings.value(word):
            hint = "do it where runs are started: here a run loads and builds, and nothing else"
            report.decide(f"`{word}` is not carried over", files.settings.place_of_key(word), hint=hint)
    for text in files.analyses:
        report.remark(f"the analysis `{text.stem}` is not carried over", files.span(text.path), "nothing is built of it in dbt either")
    _told_macros(files, report)
    _told_names(nodes, files, report)
    _told_dialect(files, target, report)


def _told_macros(files: DbtFiles, report: Report) -> None:
    """Macros that dbt itself calls."""
    for text in files.macros:
        for block in blocks(text.text):
            place = files.span(text.path, block.line)
            if block.kind == "materialization":
                report.decide(
                    f"the materialization `{block.name}` is not carried over", place, hint="choose a kind for the models that use it"
                )
            elif block.name.endswith(("generate_schema_name", "generate_alias_name")):
                report.remark(f"`{block.name}` is not asked for names", place, "schemas are those configured, or folders")


def _told_dialect(files: DbtFiles, target: Mapping_[str, object], report: Report) -> None:
    """SQL is kept as it is: what the engine here reads otherwise than the warehouse did, nobody can see in a text that both accept."""
    kind = str(target.get("type"))
    if files.profile is not None and kind == "duckdb":
        return
    what = (
        f"the project was written for `{kind}`" if files.profile is not None else "nobody says which warehouse the project was written for"
    )
    why = "it runs on DuckDB, where `/` of whole numbers has a fraction, and dates, texts and NULLs may be treated otherwise"
    report.decide(what, files.span(SETTINGS), why, "hold the tables against those of the warehouse: `xde diff old.parquet NAME`")


def _told_names(nodes: Nodes, files: DbtFiles, report: Report) -> None:
    if nodes.disabled:
        shown = ", ".join(f"`{n}`" for n in sorted(nodes.disabled))
        report.remark(f"what is disabled is not carried over: {shown}", None)
    known = {m.name for m in nodes.datasets()} | nodes.disabled
    for root in files.described:
        for word in ("models", "seeds", "snapshots"):
            for node in root.mappings(word):
                name = node.text("name") or ""
                if name not in known and not isinstance(node.items.get("versions"), Mapping):
                    report.decide(
                        f"`{name}` is described, but there is no such file", node.place("name"), hint="mend the name, or delete it"
                    )
