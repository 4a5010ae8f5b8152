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
            findings.add(_nothing(word, bare, graph, tags))
        chosen |= found
        if word.startswith("+"):
            chosen |= {a for name in found for a in graph.ancestors(name)}
        if word.endswith("+"):
            chosen |= {d for name in found for d in graph.descendants(name)}
    return chosen, findings


def _named(graph: Graph, word: str, tags: Mapping[str, Sequence[str]]) -> set[str]:
    if word.startswith("tag:"):
        return {name for name, its in tags.items() if any(fnmatchcase(t, word[4:]) for t in its)}
    return {name for name in graph.nodes if fnmatchcase(name.lower(), word.lower())}


def _nothing(word: str, bare: str, graph: Graph, tags: Mapping[str, Sequence[str]]) -> Finding:
    all_tags = sorted({f"tag:{t}" for its in tags.values() for t in its})
    if bare.startswith("tag:"):
        hint = did_you_mean(bare, all_tags) or (
            f"the tags are {', '.join(f'`{t}`' for t in all_tags[:5])}" if all_tags else "no dataset has a tag"
        )
    elif "." not in bare and any(name.split(".")[0] == bare for name in graph.nodes):
        hint = f"for all of a schema write `{bare}.*`"
    else:
        by_last = {name.split(".")[-1]: name for name in graph.nodes}
        hint = f"did you mean `{by_last[bare]}`?" if bare in by_last else did_you_mean(bare, graph.nodes)
    return Finding("XDE0214", f"`{word}` selects nothing", hint=hint or "see the datasets with `xde list`")
