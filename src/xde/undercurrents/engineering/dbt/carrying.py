"""A dbt project carried over: from its files to the files of an xde project and a report; nothing is written here."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.ground.findings import Finding, Findings
from xde.undercurrents.engineering.dbt.blocks import blocks
from xde.undercurrents.engineering.dbt.configs import flag, texts
from xde.undercurrents.engineering.dbt.kinds import Unkindly, head_of_model, head_of_snapshot
from xde.undercurrents.engineering.dbt.leftovers import tell_leftovers
from xde.undercurrents.engineering.dbt.nodes import Node, Nodes, identifier, place_of, read_nodes
from xde.undercurrents.engineering.dbt.outcome import Origin, Project
from xde.undercurrents.engineering.dbt.promised import Promised, Watch
from xde.undercurrents.engineering.dbt.promises import Built, Promising
from xde.undercurrents.engineering.dbt.rendering import Rendered, circles, hold_back, render_all, tell
from xde.undercurrents.engineering.dbt.report import Carried, Report, Waiting
from xde.undercurrents.engineering.dbt.seeds import Seed
from xde.undercurrents.engineering.dbt.sources import AS_A_WHOLE, Loaded, SourceTable, add_columns, load_sources, source_tables
from xde.undercurrents.engineering.dbt.templates import Templates
from xde.undercurrents.engineering.dbt.unit_tests import cases_of
from xde.undercurrents.engineering.dbt.world import World
from xde.undercurrents.engineering.dbt.writing import (
    IGNORED,
    as_dbt_text,
    cases_text,
    contract_text,
    model_text,
    settings_text,
    waiting_text,
    watch_texts,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.kernel.project.tree import Mapping as Tree
    from xde.undercurrents.engineering.dbt.files import DbtFiles

MOST_SEED = 2_000_000
_CHECKS = "checks"


def carry(files: DbtFiles) -> Project:
    """Carry a project over. Raises `UserError` with everything that dbt would not accept either."""
    return _Carrying(files).carry()


class _Carrying:
    def __init__(self, files: DbtFiles) -> None:
        self.files = files
        self.findings = Findings()
        self.project = Project(report=Report(files.name, files.shown))
        self.report = self.project.report
        self.templates = self._templates()
        self.tables = list(source_tables(files))
        self._sources_once()
        self.snapshots: dict[str, str] = {}
        self.watches: list[Watch] = []
        self.read: set[str] = set()
        plain = World(files.name, self.templates, {}, {}, _variables(files), _target(files), packages=_has_packages(files))
        self.nodes: Nodes = read_nodes(files, plain, {t.dataset for t in self.tables}, self.findings)
        names = {(t.source, t.name): t.dataset for t in self.tables}
        self.world = replace(plain, refs=self.nodes.refs, sources=names, disabled=frozenset(self.nodes.disabled), docs=_docs(files))

    def carry(self) -> Project:
        """In the order of need: texts, heads, what waits, contracts, files."""
        snapshots = self.snapshots = self._aliased_snapshots()
        models = render_all(self.nodes.models, self.world, self.files, self.findings)
        histories = render_all(self.nodes.snapshots, self.world, self.files, self.findings)
        tests = render_all(self.nodes.tests, self.world, self.files, self.findings)
        everything = [*models, *histories]
        circles(everything, self.findings)
        self._stop()
        self._heads(models, histories)
        everything += [Rendered(n, reason="it is written in Python", hint="write it as a model of xde") for n in self.nodes.python]
        for one in (*everything, *tests):
            one.seen.reads.update({d: 0 for d, view in snapshots.items() if view in one.seen.reads})
        self.read = {d for one in (*everything, *tests) for d in one.seen.reads}
        hold_back([*everything, *tests])
        built = Built(self._kinds(everything), {r.node.dataset: list(r.seen.reads) for r in everything})
        promising = Promising(self.files, self.world, built, self.report, self.findings)
        for one in everything:
            self._model(one, promising)
        self._seeds(promising)
        for name, loaded in load_sources(self.tables, promising, {n.name: _seed(n) for n in (*self.nodes.off, *self.nodes.seeds)}).items():
            self._source(name, loaded)
        self._stop()
        self._watches()
        for test in tests:
            self._singular(test)
        self._cases(everything)
        tell_leftovers(self.files, self.nodes, self.world.target, self.report)
        self._frame()
        return self.project

    def _stop(self) -> None:
        if self.findings.errors:
            raise UserError(*self.findings)

    def _templates(self) -> Templates:
        made = Templates()
        for package, found in self.files.packages.items():
            made.add(package, found)
        made.findings.clear()  # a package's own faults matter only where it is called
        made.add(self.files.name, (*self.files.macros, *self.files.generic))
        for path, line, message in made.findings:
            self.findings.add(Finding("XDE0173", message, self.files.span(path, line), hint="mend it: dbt cannot read it either"))
        return made

    def _sources_once(self) -> None:
        seen: dict[str, SourceTable] = {}
        for table in self.tables:
            before = seen.setdefault(table.dataset.casefold(), table)
            if before is not table:
                why = f"it is declared at {before.node.span} already"
                message = f"the source `{table.source}.{table.name}` is declared twice"
                self.findings.add(Finding("XDE0177", message, table.node.span, "again", why, "keep one of the two"))

    def _aliased_snapshots(self) -> dict[str, str]:
        """The views that stand for snapshots with dbt's own columns, by the history's dataset, where models read them."""
        found: dict[str, str] = {}
        for snapshot in self.nodes.snapshots:
            named = re.compile(rf"ref\(\s*['\"]{re.escape(snapshot.name)}['\"]")
            where = [n.text for n in (*self.nodes.models, *self.nodes.tests)] + [m.text for m in self.files.macros]
            if any(named.search(t) for t in where):
                found[snapshot.dataset] = f"{snapshot.dataset}_as_dbt"
                self.nodes.refs[snapshot.name] = found[snapshot.dataset]
        return found

    def _heads(self, models: Sequence[Rendered], histories: Sequence[Rendered]) -> None:
        for one in (*models, *histories):
            make = head_of_snapshot if one.node.what == "snapshot" else head_of_model
            if one.reason:
                continue
            if not flag(one.config.get("enabled"), default=True):
                one.reason, one.hint = "its own config disables it", "delete it, if nobody wants it"
                continue
            try:
                one.head = make(one.config, place_of(one.node, self.files), one.node.name, self.report)
            except Unkindly as unkind:
                one.reason, one.hint = str(unkind), "choose a kind"
            else:
                tell(one, self.world, self.files, self.report)

    def _kinds(self, rendered: Sequence[Rendered]) -> dict[str, str]:
        found = {r.node.dataset: r.kind for r in rendered if not r.reason}
        found |= {view: "view" for d, view in self.snapshots.items() if d in found}
        found |= {n.dataset: "seed" for n in self.nodes.seeds}
        return found | {t.dataset: "source" for t in self.tables}

    def _model(self, one: Rendered, promising: Promising) -> None:
        node = one.node
        if one.reason:
            self._wait(one, node.text)
            return
        enforced = one.config.get("contract")
        types = isinstance(enforced, dict) and flag(enforced.get("enforced"))
        promised = promising.of(node.dataset, node.described, one.config, types=types)
        key = texts(one.head.get("key")) if one.kind == "incremental" else []
        if key and not promised.is_unique(key):
            why = "where a build of dbt gives several rows of a key it keeps all of them; here the last one is taken"
            hint = f"see that no two rows have the same {', '.join(key)}, and promise it in the contract"
            self.report.decide(f"nobody says that the key of `{node.name}` is unique", one.place, why, hint)
        if one.kind == "ephemeral" and (promised.rules or any(set(c) - {"name", "description"} for c in promised.columns.values())):
            one.head = {"kind": "view"}
            self.report.remark(f"`{node.name}` is ephemeral and has tests: it was made a view, so that they are held", one.place)
        head = dict(one.head)
        if promised.tags:
            head["tags"], promised.tags = promised.tags, []
        elif one.config.get("tags"):
            head["tags"] = one.config["tags"]
        if not promised.empty and one.kind != "ephemeral":
            self._put(f"{node.place}.yaml", contract_text(node.dataset, promised, one.kind, self.files.name))
        elif promised.description:
            head["description"] = promised.description
        self._put(f"{node.place}.sql", model_text(head, one.sql))
        self._carried(node, f"{node.place}.sql", one.kind)
        self.project.origins[node.dataset] = Origin(node.what, node.name, node.path, one.place, tuple(one.seen.reads))
        view = self.snapshots.get(node.dataset)
        if view is not None:
            self._put(f"{node.place}_as_dbt.sql", as_dbt_text(node.dataset, head))
            self.project.origins[view] = Origin("snapshot", f"{node.name}_as_dbt", node.path, one.place, (node.dataset,))
            why = "its columns are `valid_from`, `valid_to` and `is_current`; the view has those that dbt gives"
            self.report.remark(f"models read the snapshot `{node.name}` by the view `{view}`", one.place, why)
        self.watches += promised.watches

    def _watches(self) -> None:
        """When all models are there, so that none of these takes the place of one."""
        for watch in self.watches:
            self._watch(watch, watch.place.path.removeprefix(f"{self.files.shown}/"))

    def _watch(self, watch: Watch, path: str) -> None:
        stem = identifier(watch.name)
        place = f"models/{_CHECKS}/{stem}"
        number = 2
        while f"{place}.sql" in self.project.files:
            place, number = f"models/{_CHECKS}/{stem}_{number}", number + 1
        sql, contract = watch_texts(watch, f"{_CHECKS}.{place.rpartition('/')[2]}", self.files.name)
        self._put(f"{place}.sql", sql)
        self._put(f"{place}.yaml", contract)
        dataset = f"{_CHECKS}.{place.rpartition('/')[2]}"
        self.project.origins[dataset] = Origin("test", watch.name, path, watch.place, watch.reads)
        self.report.carried.append(Carried("test", watch.name, path, f"{place}.sql", "a view that must be empty"))

    def _seeds(self, promising: Promising) -> None:
        loaded: dict[str, Loaded] = {}
        stand_ins = {i for t in self.tables for i in t.identifiers}
        for node in self.nodes.seeds:
            if node.name in stand_ins and node.dataset not in self.read and node.described is None:
                self._carried(node, "", "the rows of a source")
                continue
            seed = _seed(node)
            promised = promising.of(node.dataset, node.described, node.config, types=False)
            if not add_columns(promised, seed, self.report, self.files):
                continue
            if len(seed.text.encode()) <= MOST_SEED:
                self._put(f"{node.place}.csv", seed.csv)
                self._put(f"{node.place}.yaml", contract_text(node.dataset, promised, "seed", self.files.name))
                self._carried(node, f"{node.place}.csv", "seed")
            else:
                self._loaded_seed(loaded, node, seed, promised)
            self.watches += promised.watches
        for name, one in loaded.items():
            self._source_text(name, one)

    def _loaded_seed(self, loaded: dict[str, Loaded], node: Node, seed: Seed, promised: Promised) -> None:
        """A seed that is too large to be one here, as a source."""
        schema, _, name = node.dataset.partition(".")
        into = loaded.setdefault(schema, Loaded(schema, "Seeds of the dbt project"))
        path = f"data/{schema}/{name}.csv"
        into.files[path] = seed.csv
        customs: list[dict[str, object]] = [*AS_A_WHOLE, {"property": "xdeServer", "value": into.server(f"data/{schema}", "csv")}]
        into.tables.append({**promised.table(name, "file", customs), "physicalName": f"{name}.csv"})
        self._carried(node, path, "a file that is loaded")

    def _source(self, name: str, loaded: Loaded) -> None:
        self._source_text(name, loaded)
        self.project.open_sources |= loaded.open
        self.watches += loaded.watches
        for table in self.tables:
            if table.dataset.partition(".")[0] == name:
                path = table.node.path.removeprefix(f"{self.files.shown}/")
                self.report.carried.append(Carried("source", f"{table.source}.{table.name}", path, f"sources/{name}.yaml", "contract"))

    def _source_text(self, name: str, loaded: Loaded) -> None:
        path = f"sources/{name}.yaml"
        while path in self.project.files:
            path = path.replace(".yaml", "_seeds.yaml")
        self.project.files |= loaded.files
        self.project.put_source(path, loaded)

    def _singular(self, test: Rendered) -> None:
        if test.reason:
            self._wait(test, test.node.text)
            return
        tell(test, self.world, self.files, self.report)
        warns = str(test.config.get("severity") or "error").casefold() == "warn"
        rule: dict[str, object] = {"id": "no_rows", "metric": "rowCount", "severity": "warning" if warns else None, "mustBe": 0}
        for word in ("error_if", "warn_if", "fail_calc", "limit"):
            if test.config.get(word):
                self.report.decide(f"the test `{test.node.name}`: `{word}` is not carried over", test.place, "no row may be there")
        place = test.place or self.files.span(test.node.path)
        described = test.node.described
        told = described.text("description") if described is not None else None
        self._watch(Watch(test.node.name, test.sql.strip().rstrip(";"), [rule], tuple(test.seen.reads), place, told or ""), test.node.path)

    def _cases(self, rendered: Sequence[Rendered]) -> None:
        built = {r.node.name: r.node.dataset for r in rendered if not r.reason}
        for dataset, cases in cases_of(self.files, self.world, built, self.report).items():
            path = f"tests/{dataset.replace('.', '_')}.yaml"
            self._put(path, cases_text(dataset, cases))
            for case in cases:
                self.report.carried.append(Carried("unit test", str(case["name"]), "", path, "case"))

    def _wait(self, one: Rendered, template: str) -> None:
        node = one.node
        place = f"undecided/{node.path}"
        while place in self.project.files:
            place += ".again"
        self._put(place, template if node.what == "python model" else waiting_text(one, template, node.path))
        self.report.waiting.append(Waiting(node.what, node.name, node.path, place, one.reason))
        self.report.decide(f"the {node.what} `{node.name}` is not built", one.place or self.files.span(node.path), one.reason, one.hint)

    def _carried(self, node: Node, became: str, how: str) -> None:
        self.report.carried.append(Carried(node.what, node.name, node.path, became, how))

    def _put(self, path: str, text: str) -> None:
        self.project.files[path] = text

    def _frame(self) -> None:
        self._put("xde.yaml", settings_text(identifier(self.files.name)))
        self._put(".gitignore", IGNORED)


def _seed(node: Node) -> Seed:
    told = node.config.get("column_types")
    types = {str(k): str(v).upper() for k, v in told.items()} if isinstance(told, dict) else {}
    return Seed(node.path, node.text, types, str(node.config.get("delimiter") or ","))


def _has_packages(files: DbtFiles) -> bool:
    return any((files.root / name).is_file() for name in ("packages.yml", "dependencies.yml"))


def _variables(files: DbtFiles) -> dict[str, object]:
    told = files.settings.value("vars")
    everything = told if isinstance(told, dict) else {}
    own = everything.get(files.name)
    plain = {k: v for k, v in everything.items() if not isinstance(v, dict) or k not in {files.name, *files.packages}}
    return {**plain, **(own if isinstance(own, dict) else {})}


def _target(files: DbtFiles) -> dict[str, object]:
    """What a profile beside the project says of its default target; else production, on DuckDB."""
    found: dict[str, object] = {"name": "prod", "target_name": "prod", "type": "duckdb"}
    profile = files.profile.mapping(files.settings.text("profile") or files.name) if files.profile is not None else None
    outputs: Tree | None = profile.mapping("outputs") if profile is not None else None
    if profile is None or outputs is None:
        return found
    chosen = profile.text("target") or "default"
    output = outputs.mapping(chosen)
    if output is None:
        return found
    plain = {k: output.value(k) for k in ("type", "schema") if output.text(k) and "{{" not in (output.text(k) or "")}
    return {**found, "name": chosen, "target_name": chosen, **plain}


def _docs(files: DbtFiles) -> dict[str, str]:
    return {b.name: b.body.strip() for text in files.docs for b in blocks(text.text) if b.kind == "docs"}
