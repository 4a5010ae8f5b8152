"""Parts of a dbt project that have no counterpart, or one of another shape: told, so that nobody misses them later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.kernel.project.tree import Mapping
from xde.undercurrents.engineering.dbt.blocks import blocks

if TYPE_CHECKING:
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


def tell_leftovers(files: DbtFiles, nodes: Nodes, report: Report) -> None:
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
    for text in files.macros:
        for block in blocks(text.text):
            if block.kind == "materialization":
                place = files.span(text.path, block.line)
                report.decide(
                    f"the materialization `{block.name}` is not carried over", place, hint="choose a kind for the models that use it"
                )
    _told_names(nodes, files, report)


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
