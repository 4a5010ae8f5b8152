"""What would be done, and why: the project held against the lake, the ledger and the files of its sources."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, cast

from xde.app.newest import newest_state
from xde.app.pushed import pushed
from xde.app.restatements import place
from xde.app.table_sources import offered
from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean
from xde.ground.records import dataclass
from xde.kernel.plan.intervals import moment_text, parse_moment
from xde.kernel.plan.plan import Plan, SourceFile
from xde.kernel.plan.planner import Present, Wanted, make_plan, priced
from xde.kernel.project.declarations import Kind, SourceDataset
from xde.lifecycle.sources.deliveries import changed_file, compare, gone_files
from xde.lifecycle.sources.port import UNLISTED, FoundFile
from xde.lifecycle.storage.mirror import read_state
from xde.lifecycle.storage.port import TableId

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.kernel.plan.ledger import TableState


@dataclass(slots=True)
class Planned:
    """A plan with what it was made from: the files of each source as they were found, and what was noticed by the way."""

    plan: Plan
    found: Mapping[str, Mapping[str, FoundFile]]
    warnings: tuple[Finding, ...] = field(default=())


def make(  # noqa: PLR0913 - what may be asked of a plan
    house: House,
    known: Understanding,
    selection: frozenset[str] | None,
    *,
    full: bool,
    changes: Mapping[str, str] | None = None,
    until: str = "",
    reason: str = "",
) -> Planned:
    """The plan for an environment as it is now. Nothing is written.

    `changes` says in words why versions are others than they were; `until` how far models by time are built (exclusive); `reason` why what
    cannot be computed again may be thrown away by `full`.
    """
    if any(m.python is not None for m in known.project.models.values()):
        from xde.app.needs import must_be_met

        must_be_met(house, known, selection)
    if house.scale_out is not None:
        from xde.app.portability import refuse

        refuse(house, known, selection)
    pointers = place(house, known)
    if full and not reason.strip():
        _keep_what_is_gathered(known, pointers, selection)
    states = _states(house, known, pointers)
    warnings: list[Finding] = list(known.warnings)
    found: dict[str, dict[str, FoundFile]] = {}
    deliveries: dict[str, list[SourceFile]] = {}
    news: dict[str, str] = {}
    for name in known.project.sources:
        if selection is not None and name not in selection:
            continue
        key = (name, known.versions[name])
        before = _table_before(states, pointers, name)
        if (ask := known.readings[name].ask) is not None:
            deliveries[name], news[name], told = offered(house, ask, states, key, reload=full, before=before)
            warnings += told
            continue
        files, told, unasked = _delivered(house, known, name, states.get(key), reload=full, before=before)
        # another ledger's environment may have worked on it
        if files and not unasked and states.get(key) is not newest_state(house, states, key):
            files, told, unasked = _delivered(house, known, name, states.get(key), reload=full, before=before)
        if unasked:
            news[name] = unasked
        warnings += told
        found[name] = {f.path: f for f, _ in files}
        deliveries[name] = [SourceFile(f.path, f.size, d) for f, d in files]
    order = [n for n in known.order if n in known.project.datasets]
    wanted = Wanted(known.project.datasets, order, known.upstream, known.versions, selection, full, until, reason.strip(), known.looked_up)
    present = Present(
        house.environment,
        house.clock.now().isoformat(),
        pointers,
        states,
        deliveries,
        known.checks_digests,
        changes or {},
        news,
    )
    plan = make_plan(wanted, present)
    if plan.steps:
        plan = priced(plan, house.ledger.last_costs([s.dataset for s in plan.steps]))
    return Planned(plan, found, tuple(dict.fromkeys(warnings)))


_WRITTEN = frozenset({"XDE0442", "XDE0494"})  # what is wrong with the contract's own words, whatever the store says


def _keep_what_is_gathered(known: Understanding, pointers: Mapping[str, str], selection: frozenset[str] | None) -> None:
    """Raise a finding for every table that a full rebuild would take away and cannot make again."""
    losing = {Kind.HISTORY: "it keeps what its query gave in the past", Kind.APPEND: "it keeps what it has made of rows that may be gone"}
    models = [m for n, m in known.project.models.items() if n in pointers and (selection is None or n in selection)]
    found = [
        Finding(
            "XDE0286",
            f"a full rebuild of `{m.name}` would lose what it has gathered",
            m.head.spans.get("kind") or m.span,
            f"kind: {m.head.kind.value}",
            f"{losing[m.head.kind]}, and begins with nothing when all of it is built",
            "say why that may be, `--reason WHY`, or leave it out: `xde run --full` takes names of datasets",
        )
        for m in models
        if m.head.kind in losing
    ]
    if found:
        raise UserError(*found)


def _states(house: House, known: Understanding, pointers: Mapping[str, str]) -> dict[tuple[str, str], TableState]:
    """What is known of tables; of those that the environment is not at yet, what the lake says: others may have made or dropped them."""
    states = house.ledger.states()
    moving = [TableId(n, v) for n, v in known.versions.items() if pointers.get(n) != v and not known.is_view(n)]
    if not moving:
        return states
    there = _there(house, moving)
    unknown = [t for t in moving if t in there and (t.dataset, t.version) not in states]
    gone = [(t.dataset, t.version) for t in moving if t not in there and (t.dataset, t.version) in states]
    found = [state for t in unknown if (state := read_state(house.lake, t)) is not None]
    if gone:
        house.ledger.forget(gone)
    if found:
        house.ledger.remember(found)
    return {k: s for k, s in states.items() if k not in set(gone)} | {(s.dataset, s.version): s for s in found}


def _there(house: House, tables: Sequence[TableId]) -> set[TableId]:
    """Those of the tables that the lake has, and perhaps others."""
    if not house.has_lake:
        return set()
    return {t for t in tables if house.lake.snapshot(t)} if "://" in house.lake_path else set(house.lake.tables())


def _table_before(states: Mapping[tuple[str, str], TableState], pointers: Mapping[str, str], name: str) -> TableState | None:
    version = pointers.get(name)
    return states.get((name, version)) if version else None


def _delivered(
    house: House, known: Understanding, name: str, state: TableState | None, *, reload: bool, before: TableState | None
) -> tuple[list[tuple[FoundFile, str]], list[Finding], str]:
    """The files to load with their digests, what is to be told, and why a store could not be asked.

    Such a store is met again by the step, which tries again where that helps and fails alone, as that of a database.
    """
    reading, dataset = known.readings[name], known.project.datasets[name]
    root = reading.root if "://" in reading.root else str((known.project.root / reading.root).resolve())
    if reading.push is not None:
        return pushed(house, (root, reading), state, before, reload=reload), [], ""
    try:
        store = house.store(reading.store)
        files = store.list(root, reading.pattern)
    except (UserError, TemporaryError) as error:
        if reading.store is None and isinstance(error, UserError):
            span = dataset.object.span if isinstance(dataset, SourceDataset) else None
            raise type(error)(*(replace(f, span=f.span or span) for f in error.findings)) from None
        if reading.store is None or (isinstance(error, UserError) and any(f.code in _WRITTEN for f in error.findings)):
            raise
        return [(FoundFile(reading.pattern, root, 0, 0), UNLISTED)], [], f"nobody could ask: {str(error)[:200]}"
    if not files and isinstance(dataset, SourceDataset) and state is None and before is None:
        raise UserError(
            Finding(
                "XDE0450",
                f"no file of `{name}` is there: `{reading.place}`",
                dataset.object.span,
                "no file matches",
                hint="put a file there, or mend `physicalName` of the schema object or `path` of the server",
            )
        )
    loaded = cast("Mapping[str, Mapping[str, object]]", state.facts.get("files", {}) if state and not reload else {})
    whole = reading.write_mode == "replace" or reading.compared is not None
    told = compare(files, loaded, store.digest, replacing=whole)
    if state is None or reload:
        earlier = state or before
        gone = sorted(set(cast("Mapping[str, object]", earlier.facts.get("files", {}))) - {f.path for f in files}) if earlier else []
        if gone:
            raise UserError(gone_files(name, gone))
    if whole:
        return sorted([*told.new, *told.changed], key=lambda f: f[0].path), [], ""
    return told.new, [changed_file(name, f, str(loaded[f.path].get("at", ""))) for f, _ in told.changed], ""


def select(known: Understanding, words: Sequence[str]) -> frozenset[str] | None:
    """The datasets that a selection names; None for all."""
    if not words:
        return None
    from xde.kernel.graph.graph import Graph
    from xde.kernel.graph.select import select as selected

    tags = {n: d.head.tags if not isinstance(d, SourceDataset) else d.object.tags for n, d in known.project.datasets.items()}
    chosen, findings = selected(Graph({n: known.upstream[n] for n in known.project.datasets}), words, tags)
    if findings.errors:
        raise UserError(*findings)
    return frozenset(chosen)


def known_dataset(known: Understanding, name: str) -> None:
    """Raise a finding with the nearest name when there is no such dataset."""
    if name not in known.project.datasets:
        raise UserError(
            Finding(
                "XDE0726",
                f"there is no dataset `{name}`",
                hint=did_you_mean(name, known.project.datasets) or "see them all with `xde list`",
            )
        )


def read_moment(option: str, text: str) -> str:
    """A day or a time in UTC that was given with an option, as ISO text; empty for none. Raises `UserError`."""
    try:
        return moment_text(parse_moment(text)) if text else ""
    except ValueError as error:
        hint = "write a day, `2013-03-01`, or a time in UTC, `2013-03-01T06:00`"
        raise UserError(Finding("XDE0760", f"`{option} {text}` is no time", why=str(error), hint=hint)) from error
