"""The nodes of a project rendered one by one: SQL, what it reads, and what each of them waits for; then all that reads what waits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xde.ground.findings import Finding, Findings
from xde.undercurrents.engineering.dbt.configs import merged
from xde.undercurrents.engineering.dbt.nodes import place_of
from xde.undercurrents.engineering.dbt.sight import names_for
from xde.undercurrents.engineering.dbt.templates import Undecided, Wrong, finding_of
from xde.undercurrents.engineering.dbt.world import Relation, Seen, World

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from xde.ground.spans import Span
    from xde.undercurrents.engineering.dbt.files import DbtFiles
    from xde.undercurrents.engineering.dbt.nodes import Node
    from xde.undercurrents.engineering.dbt.report import Report


@dataclass(slots=True)
class Rendered:
    """A node with its SQL; `reason` says what it waits for, with its place; empty when nothing."""

    node: Node
    sql: str = ""
    seen: Seen = field(default_factory=Seen)
    config: dict[str, object] = field(default_factory=dict)
    reason: str = ""
    hint: str = ""
    place: Span | None = None
    head: dict[str, object] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The kind of its head."""
        return str(self.head.get("kind", ""))


def render_all(nodes: Iterable[Node], world: World, files: DbtFiles, findings: Findings) -> list[Rendered]:
    """Every node rendered; what dbt would refuse too is a finding."""
    return [_render(node, world, files, findings) for node in nodes]


def _render(node: Node, world: World, files: DbtFiles, findings: Findings) -> Rendered:
    found = Rendered(node, config=dict(node.config), place=place_of(node, files))
    this = Relation(node.dataset, node.name, own=True)
    try:
        found.sql = world.templates.render(node.text, node.path, names_for(world, this, node.config, found.seen))
    except Undecided as undecided:
        found.reason, found.hint, found.place = undecided.reason, undecided.hint, files.span(node.path, undecided.line or node.line)
    except Wrong as wrong:
        findings.add(finding_of(wrong, files.span))
    found.config = merged(node.config, {k: v for k, v in found.seen.config.items() if k != "tags"})
    return found


def tell(rendered: Rendered, world: World, files: DbtFiles, report: Report) -> None:
    """What a person should know of a node that was rendered: filters left out, variables written in, guesses about the target."""
    node, seen = rendered.node, rendered.seen
    for question in seen.questions:
        report.decide(f"`{node.name}`: {question}", rendered.place, hint="see that the text is the one that you want")
    for name, value in seen.variables.items():
        report.remark(f"`{node.name}`: the value of the variable `{name}` is written in: `{value}`", rendered.place)
    if seen.incremental:
        lines = [line for name, line, _ in world.templates.calls(node.text, node.path) if name == "is_incremental"]
        place = files.span(node.path, lines[0]) if lines else rendered.place
        why = "xde finds by itself which rows are new; the query is the one that dbt builds the whole by"
        hint = "see that rows which the filter left out on purpose may come in"
        report.decide(f"`{node.name}`: what stands within `is_incremental()` is left out", place, why, hint)


def circles(rendered: Sequence[Rendered], findings: Findings) -> None:
    """XDE0176 for nodes that read each other in a circle, each circle once."""
    reads = {r.node.dataset: list(r.seen.reads) for r in rendered}
    places = {r.node.dataset: r for r in rendered}
    done: set[str] = set()
    for root in reads:
        way = _circle(root, reads, done)
        if way:
            first = places[way[0]]
            shown = " reads ".join(f"`{places[d].node.name}`" for d in (*way, way[0]))
            hint = "take one of the references out: a model that reads its own result is `kind: incremental`"
            findings.add(Finding("XDE0176", f"models read each other in a circle: {shown}", first.place, "", "", hint))


def _circle(root: str, reads: Mapping[str, Sequence[str]], done: set[str]) -> list[str]:
    way: list[str] = []
    stack = [(root, iter(reads.get(root, ())))] if root not in done else []
    if stack:
        way.append(root)
    while stack:
        name, rest = stack[-1]
        following = next(rest, None)
        if following is None:
            done.add(name)
            stack.pop()
            way.pop()
        elif following in way:
            done.update(way)
            return way[way.index(following) :]
        elif following not in done and following in reads:
            way.append(following)
            stack.append((following, iter(reads[following])))
    return []


def hold_back(rendered: Sequence[Rendered]) -> None:
    """Let everything wait that reads what waits."""
    waiting = {r.node.dataset: r for r in rendered if r.reason}
    grown = True
    while grown:
        grown = False
        for one in rendered:
            held = next((waiting[d] for d in one.seen.reads if d in waiting), None)
            if held is not None and not one.reason:
                one.reason = f"it reads `{held.node.name}`, which waits"
                one.hint = f"move it to `models/` when `{held.node.name}` is there"
                waiting[one.node.dataset] = one
                grown = True
