"""The nodes of a dbt project (models, seeds, snapshots, singular tests), each with what is configured and described, and its name here."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xde.ground.findings import Finding, Findings
from xde.ground.names import is_identifier
from xde.undercurrents.engineering.dbt.blocks import blocks
from xde.undercurrents.engineering.dbt.configs import flag, merged, of_project, of_text, of_yaml
from xde.undercurrents.engineering.dbt.sight import names_for
from xde.undercurrents.engineering.dbt.templates import Undecided, Wrong, finding_of
from xde.undercurrents.engineering.dbt.world import Relation, Seen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.ground.spans import Span
    from xde.kernel.project.tree import Mapping as Tree
    from xde.undercurrents.engineering.dbt.blocks import Block
    from xde.undercurrents.engineering.dbt.files import DbtFiles, Text
    from xde.undercurrents.engineering.dbt.world import World

WORDS = {"model": "models", "seed": "seeds", "snapshot": "snapshots", "test": "data_tests"}


@dataclass(slots=True)
class Node:
    """A model, seed, snapshot or singular test; `text` is its template with its lines where they are in its file."""

    what: str
    name: str
    path: str
    text: str
    config: dict[str, object]
    described: Tree | None = None
    line: int = 1
    version: str = ""
    dataset: str = ""
    folders: tuple[str, ...] = ()

    @property
    def full(self) -> str:
        """The name with its version."""
        return f"{self.name}.v{self.version}" if self.version else self.name

    @property
    def place(self) -> str:
        """The path of its files here, without ending."""
        schema, _, name = self.dataset.partition(".")
        return f"models/{schema}/{name}"


@dataclass(slots=True)
class Nodes:
    """All of them that are enabled, by kind, and the seeds that are `off`; `refs` leads from what `ref` may say to datasets."""

    models: list[Node] = field(default_factory=list)
    seeds: list[Node] = field(default_factory=list)
    snapshots: list[Node] = field(default_factory=list)
    tests: list[Node] = field(default_factory=list)
    python: list[Node] = field(default_factory=list)
    disabled: set[str] = field(default_factory=set)
    off: list[Node] = field(default_factory=list)
    refs: dict[str, str] = field(default_factory=dict)

    def datasets(self) -> Iterator[Node]:
        """Those that become datasets."""
        yield from (*self.seeds, *self.models, *self.snapshots, *self.python)


def read_nodes(files: DbtFiles, world: World, sources: set[str], findings: Findings) -> Nodes:
    """The nodes of a project with their names here; `world` knows no names yet, `sources` are the datasets that sources have taken."""
    reading = _Reading(files, world, findings)
    nodes = Nodes()
    for text in files.models:
        if text.path.endswith(".py"):
            folders = tuple(text.below.split("/")[:-1])
            nodes.python.append(Node("python model", text.stem, text.path, text.text, {}, folders=folders))
        else:
            reading.into(nodes.models, nodes, "model", text)
    for text in files.seeds:
        reading.into(nodes.seeds, nodes, "seed", text)
    for text in (*files.snapshots, *[m for m in files.models if "snapshot" in m.text]):
        for block in blocks(text.text):
            if block.kind == "snapshot":
                reading.into(nodes.snapshots, nodes, "snapshot", text, block)
    nodes.models = [m for m in nodes.models if not any(b.kind == "snapshot" for b in blocks(m.text))]
    reading.of_yaml(nodes)
    for text in files.tests:
        reading.into(nodes.tests, nodes, "test", text)
    _name(nodes, sources, files, findings)
    return nodes


class _Reading:
    def __init__(self, files: DbtFiles, world: World, findings: Findings) -> None:
        self.files = files
        self.world = world
        self.findings = findings
        self.described: dict[tuple[str, str], Tree] = {}
        for root in files.described:
            for what, word in WORDS.items():
                for node in root.mappings(word):
                    self._describe(what, node)

    def _describe(self, what: str, node: Tree) -> None:
        name = node.text("name") or ""
        before = self.described.setdefault((what, name), node)
        if before is not node and what != "test":
            why = f"it is described at {before.span} already"
            self.findings.add(Finding("XDE0177", f"`{name}` is described twice", node.place("name"), "again", why, "keep one of the two"))

    def into(self, room: list[Node], nodes: Nodes, what: str, text: Text, block: Block | None = None) -> None:
        """Make a node of a text, or of a snapshot's block in it, unless it is disabled."""
        name, version, described = self._versioned(what, block.name if block is not None else text.stem)
        template, line = ("\n" * (block.body_line - 1) + block.body, block.line) if block is not None else (text.text, 1)
        folders = tuple(text.below.split("/")[:-1])
        word = "tests" if what == "test" and "tests" in self.files.settings.items else WORDS[what]
        try:
            own = of_text(self.world.templates, template, text.path) if what != "seed" else {}
            settings = self._rendered(of_project(self.files.settings.mapping(word), (self.files.name, *folders, name)), text.path)
            config = merged(settings, self._rendered(of_yaml(described), text.path), own)
        except Wrong as wrong:
            self.findings.add(finding_of(wrong, self.files.span))
            return
        made = Node(what, name, text.path, template, config, described, line, version, folders=folders)
        if flag(config.get("enabled"), default=True):
            room.append(made)
        else:
            nodes.disabled.add(name)
            nodes.off += [made] if what == "seed" else []

    def _rendered(self, config: dict[str, object], path: str) -> dict[str, object]:
        """Settings may be templates: `+enabled: "{{ var('all') }}"`; one that asks for more than that stays as it is written."""
        found = dict(config)
        for key, value in config.items():
            if isinstance(value, str) and "{{" in value:
                with suppress(Undecided):
                    found[key] = self.world.templates.value(value, path, names_for(self.world, Relation("", ""), {}, Seen()))
        return found

    def _versioned(self, what: str, stem: str) -> tuple[str, str, Tree | None]:
        """The name, version and description of a file: `customers_v2.sql` is version 2 of `customers` where its YAML says so."""
        described = self.described.get((what, stem))
        if described is not None:
            return stem, "", described
        for (kind, name), node in self.described.items():
            for version in node.mappings("versions") if kind == what else ():
                number = str(version.value("v"))
                if stem in {version.text("defined_in"), f"{name}_v{number}"}:
                    return name, number, node
        return stem, "", None

    def of_yaml(self, nodes: Nodes) -> None:
        """Snapshots that are YAML alone: `relation` is what they read."""
        for (what, name), node in self.described.items():
            relation = node.text("relation")
            if what == "snapshot" and relation is not None and all(s.name != name for s in nodes.snapshots):
                path = node.path.removeprefix(self.files.shown + "/")
                settings = of_project(self.files.settings.mapping("snapshots"), (self.files.name, name))
                config = merged(settings, of_yaml(node))
                template = "\n" * (node.line - 1) + f"select * from {{{{ {relation} }}}}\n"
                nodes.snapshots.append(Node("snapshot", name, path, template, config, node, node.line))


def _name(nodes: Nodes, sources: set[str], files: DbtFiles, findings: Findings) -> None:
    taken = {s.casefold() for s in sources}
    seen: dict[str, Node] = {}
    for node in nodes.datasets():
        place = files.span(node.path, node.line)
        if node.full in seen:
            why = f"it is the name of {seen[node.full].path} already"
            findings.add(Finding("XDE0177", f"two nodes are called `{node.full}`", place, "", why, "rename one of the two"))
            continue
        seen[node.full] = node
        node.dataset = _dataset(node, files.name, taken)
        taken.add(node.dataset.casefold())
        nodes.refs[node.full] = node.dataset
        if node.version:
            _latest(nodes, node)


def _latest(nodes: Nodes, node: Node) -> None:
    wanted = node.config.get("latest_version")
    others = [n for n in nodes.datasets() if n.name == node.name and n.version]
    newest = max(others, key=lambda n: (len(n.version), n.version)).version
    if node.version == str(wanted if wanted is not None else newest):
        nodes.refs[node.name] = node.dataset


def _dataset(node: Node, project: str, taken: set[str]) -> str:
    usual = {"seed": "seeds", "snapshot": "snapshots"}.get(node.what) or (node.folders[0] if node.folders else project)
    chosen = node.config.get("schema") or node.config.get("target_schema")
    schema = identifier(str(chosen if isinstance(chosen, str) and "{{" not in chosen else usual))
    alias = node.config.get("alias")
    name = identifier(alias if isinstance(alias, str) else f"{node.name}_v{node.version}" if node.version else node.name)
    for suffix in ("", f"_{node.what}s", "_dbt", "_again"):
        if f"{schema}{suffix}.{name}".casefold() not in taken:
            return f"{schema}{suffix}.{name}"
    return f"{schema}_{len(taken)}.{name}"


def identifier(text: str) -> str:
    """A name that can stand in SQL without quotes."""
    if is_identifier(text):
        return text
    made = re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_") or "unnamed"
    return made if is_identifier(made) else f"_{made}"


def place_of(node: Node, files: DbtFiles) -> Span:
    """Where a node begins."""
    return files.span(node.path, node.line)
