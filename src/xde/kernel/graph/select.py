"""Words for sets of datasets: `name`, `+name`, `name+`, `tag:word`, `schema.*`."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from xde.ground.findings import Finding, Findings
from xde.ground.names import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.kernel.graph.graph import Graph


def select(graph: Graph, words: Sequence[str], tags: Mapping[str, Sequence[str]]) -> tuple[set[str], Findings]:
    """The union of what the words name; `+` before a word adds all that it is made from, after it all that is made from it."""
    chosen: set[str] = set()
    findings = Findings()
    for word in words:
        bare = word.removeprefix("+").removesuffix("+")
        found = _named(graph, bare, tags)
        if not found:
            known = {f"tag:{t}" for ts in tags.values() for t in ts} | set(graph.upstream)
            findings.add(
                Finding("XDE0214", f"`{word}` selects nothing", hint=did_you_mean(bare, known) or "see the datasets with `xde list`")
            )
        chosen |= found
        if word.startswith("+"):
            chosen |= {a for name in found for a in graph.ancestors(name)}
        if word.endswith("+"):
            chosen |= {d for name in found for d in graph.descendants(name)}
    return chosen, findings


def _named(graph: Graph, word: str, tags: Mapping[str, Sequence[str]]) -> set[str]:
    if word.startswith("tag:"):
        return {name for name, its in tags.items() if word[4:] in its}
    return {name for name in graph.upstream if fnmatchcase(name, word)}
