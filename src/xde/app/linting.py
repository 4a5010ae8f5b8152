"""The models of a project put to the linter, each with what the contracts and the queries before it promise of its inputs."""

from __future__ import annotations

import os
import pickle
from dataclasses import field
from typing import TYPE_CHECKING, NamedTuple

from xde import __version__
from xde.ground.digests import digest
from xde.ground.findings import Finding, Severity
from xde.ground.records import dataclass
from xde.ground.spans import Span
from xde.kernel.graph.flows.arriving import END, START
from xde.kernel.graph.resolve import span_at
from xde.kernel.graph.text.reading import Place
from xde.kernel.plan.checks import CheckKind
from xde.kernel.project.declarations import Kind, ModelDataset
from xde.undercurrents.engineering.linting.facts import NO_KEYS, UNKNOWN, Field, Keys, Relation
from xde.undercurrents.engineering.linting.linting import Found, Linted, lint
from xde.undercurrents.engineering.linting.subject import Model
from xde.undercurrents.engineering.linting.words import UNUSED_ALLOWANCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from xde.app.understanding import Understanding
    from xde.kernel.project.settings import Allowance

KEPT = "lint.pickle"
FORMAT = 1
"""One more whenever a rule finds otherwise, or what is kept changes its shape."""


class LintReport(NamedTuple):
    """What was found in how many models, and how many remarks a head or `xde.yaml` allows."""

    findings: tuple[Finding, ...]
    models: int
    allowed: int


class _Kept(NamedTuple):
    key: str
    linted: Linted


def lint_project(root: Path, environment: str | None, selection: Sequence[str]) -> LintReport:
    """Lint the models that are meant, all when nothing is named. Raises `UserError` for what keeps the project from being read."""
    from xde.app.opening import understood
    from xde.app.planning import select

    root = root.resolve()
    known = understood(root, environment)
    chosen = select(known, selection)
    work = _Work(known, root / ".xde" / "cache" / KEPT)
    work.all()
    return work.report(chosen)


@dataclass(slots=True)
class _Work:
    known: Understanding
    path: Path
    before: dict[str, _Kept] = field(default_factory=dict)
    now: dict[str, _Kept] = field(default_factory=dict)
    relations: dict[str, Relation] = field(default_factory=dict)

    def all(self) -> None:
        """Lint every model in the order of the graph; what has not changed, nor its inputs, is known from before."""
        self.before = _load(self.path)
        sources = frozenset(n.lower() for n in self.known.project.sources)
        for name in self.known.order:
            dataset = self.known.project.datasets[name]
            derived = UNKNOWN
            if isinstance(dataset, ModelDataset):
                model = Model(name, dataset.sql, self._declared(name), dataset.object is not None, sources)
                derived = self._linted(model).relation
            self.relations[name.lower()] = self._promised(name, derived)
        if self.now != self.before:
            _save(self.path, self.now)

    def _linted(self, model: Model) -> Linted:
        inputs = {u.lower(): self.relations[u.lower()] for u in self.known.upstream[model.name]}
        told = [model.sql, _listed(model.keys), model.promised, [[n, _told(r), n in model.sources] for n, r in inputs.items()]]
        key = digest(__version__, FORMAT, told)
        kept = self.before.get(model.name)
        if kept is None or kept.key != key:
            kept = _Kept(key, lint(model, inputs))
        self.now[model.name] = kept
        return kept.linted

    def _declared(self, name: str) -> Keys:
        """The keys that a contract or a head declares, and that are checked before anything is published."""
        dataset = self.known.project.datasets[name]
        found = {
            frozenset(c.lower() for c in check.columns)
            for check in self.known.checks[name]
            if check.kind is CheckKind.UNIQUE and (check.operator, check.threshold) == ("mustBe", 0)
        }
        if isinstance(dataset, ModelDataset) and dataset.head.key:
            found.add(frozenset(c.lower() for c in dataset.head.key))
        return frozenset(found)

    def _promised(self, name: str, derived: Relation) -> Relation:
        """What readers of a dataset may rely on: its contract, and what follows from its query."""
        dataset = self.known.project.datasets[name]
        properties = dataset.object.properties if dataset.object is not None else ()
        required = {p.name.lower() for p in properties if p.required or p.primary_key}
        required |= {n for n, f in (derived.fields or {}).items() if f.required}
        fields = {c.name.lower(): Field(c.name, c.type, c.name.lower() in required) for c in self.known.schemas[name]}
        keys = self._declared(name) | (_lasting(dataset, derived.keys) if isinstance(dataset, ModelDataset) else NO_KEYS)
        return Relation(fields, frozenset(k for k in keys if k <= fields.keys()))

    def report(self, chosen: Iterable[str] | None) -> LintReport:
        """The findings of the chosen models, without those that are allowed, and allowances that allow nothing."""
        models = self.known.project.models
        names = [n for n in models if chosen is None or n in set(chosen)]
        general = self.known.project.settings.lint
        findings: list[Finding] = []
        allowed: set[str] = set()
        count = 0
        for name in names:
            model = models[name]
            mine = {f.rule for f in self.now[name].linted.found if _is_own(model, f)}
            for found in self.now[name].linted.found:
                if not _is_own(model, found):
                    continue
                if found.rule in model.head.lint.rules or found.rule in general.rules:
                    count += 1
                else:
                    findings.append(_finding(model, found))
            allowed |= mine
            findings += _unused(model.head.lint, mine, f"`{name}`", Span(model.path))
        if chosen is None:
            findings += _unused(general, allowed, "the project", Span("xde.yaml"))
        return LintReport(tuple(findings), len(names), count)


def _lasting(model: ModelDataset, keys: Keys) -> Keys:
    """The keys of a query that are those of the table too: what is built in parts has them only within a part."""
    match model.head.kind:
        case Kind.VIEW | Kind.TABLE | Kind.SEED | Kind.EPHEMERAL:
            return keys
        case Kind.INCREMENTAL if model.head.watermark is not None:
            return frozenset(k for k in keys if {START, END} & k)
        case Kind.INCREMENTAL if model.head.time is not None:
            return frozenset(k for k in keys if model.head.time.lower() in k)
        case _:
            return NO_KEYS


def _is_own(model: ModelDataset, found: Found) -> bool:
    """Whether the author of a model wrote what a remark is about: what a flow makes is not theirs to mend."""
    return model.expansion is None or (found.start >= 0 and model.expansion.is_free(found.start))


def _finding(model: ModelDataset, found: Found) -> Finding:
    span = span_at(model, Place(found.start, _first_line(model.sql, found)) if found.start >= 0 else None)
    return Finding(found.code, found.message, span, found.label, found.why, found.hint, found.severity)


def _first_line(sql: str, found: Found) -> int:
    """How much of what is meant stands in its first line: the caret goes no further."""
    return max(1, len(sql[found.start : found.start + found.length].partition("\n")[0].rstrip()))


def _unused(allowance: Allowance, found: set[str], whose: str, place: Span) -> list[Finding]:
    spans = dict(zip(allowance.rules, allowance.spans, strict=False))
    return [
        Finding(
            UNUSED_ALLOWANCE,
            f"{whose} allows `{rule}`, which is not found there",
            spans.get(rule, place),
            "allows nothing",
            "an allowance that nobody needs hides the next fault",
            "take it out",
            Severity.WARNING,
        )
        for rule in allowance.rules
        if rule not in found
    ]


def _listed(keys: Keys) -> list[list[str]]:
    return sorted(sorted(k) for k in keys)


def _told(relation: Relation) -> object:
    fields = None if relation.fields is None else [[n, f.name, f.type, f.required] for n, f in relation.fields.items()]
    return [fields, _listed(relation.keys)]


def _load(path: Path) -> dict[str, _Kept]:
    try:
        with path.open("rb") as stream:
            if stream.readline().decode("utf-8", "replace").strip() != _stamp():
                return {}
            found = pickle.load(stream)  # noqa: S301 - our own file, in the project's own folder
    except (OSError, pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _save(path: Path, kept: Mapping[str, _Kept]) -> None:
    """Written aside, then put in place; a cache that cannot be written costs time and nothing else."""
    aside = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(_stamp().encode() + b"\n" + pickle.dumps(dict(kept), protocol=5))
        aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)


def _stamp() -> str:
    return f"xde lint {__version__}:{FORMAT}"
