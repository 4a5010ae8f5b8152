"""From what the project says and what is there to the steps between; pure: it reads nothing and writes nothing."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, cast

from xde.ground.records import dataclass
from xde.kernel.plan.intervals import moment_text, parse_moment, within
from xde.kernel.plan.plan import Cost, Interval, Plan, Reason, SourceFile, Step, StepKind
from xde.kernel.plan.versions import meaning
from xde.kernel.project.arranging import layout_digest
from xde.kernel.project.declarations import Kind, ModelDataset, SourceDataset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.kernel.plan.ledger import StepRecord, TableState
    from xde.kernel.project.declarations import Dataset


@dataclass(frozen=True, slots=True)
class Present:
    """What there is: pointers of the environment, mirrors of tables, source files not loaded yet.

    `checks` is the digest of each dataset's checks as the contract now has them. `changes` explains a new version of a
    model in words: the text or the columns that made it; `news` says of a database what there is to load.
    """

    environment: str
    at: str
    pointers: Mapping[str, str]
    states: Mapping[tuple[str, str], TableState]
    deliveries: Mapping[str, Sequence[SourceFile]] = field(default_factory=dict)
    checks: Mapping[str, str] = field(default_factory=dict)
    changes: Mapping[str, str] = field(default_factory=dict)
    news: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What there should be: datasets in an order in which they can be built, their versions, who reads whom.

    `upstream` names the direct inputs; `selection` the datasets to plan for (None: all); `full` rebuilds whatever is there; `until` (ISO,
    exclusive; empty for no end) is how far models by time are built; `reason` why `full` was asked for; `looked_up` names what the
    checks of a model look up besides.
    """

    datasets: Mapping[str, Dataset]
    order: Sequence[str]
    upstream: Mapping[str, Sequence[str]]
    versions: Mapping[str, str]
    selection: frozenset[str] | None = None
    full: bool = False
    until: str = ""
    reason: str = ""
    looked_up: Mapping[str, Sequence[str]] = field(default_factory=dict)


def make_plan(wanted: Wanted, present: Present) -> Plan:
    """The steps that are needed, each with its reasons; an unchanged dataset has none."""
    steps: dict[str, Step] = {}
    unchanged = 0
    for name in wanted.order:
        if wanted.selection is not None and name not in wanted.selection:
            continue
        step = _step(wanted, present, name, steps)
        if step is None:
            unchanged += not _is_ephemeral(wanted.datasets[name])
        else:
            steps[name] = step
    return Plan(present.environment, tuple(steps.values()), unchanged, present.at)


def _is_ephemeral(dataset: Dataset) -> bool:
    """Whether a dataset has nothing of its own that could change or stay."""
    return isinstance(dataset, ModelDataset) and dataset.head.kind is Kind.EPHEMERAL


def priced(plan: Plan, costs: Mapping[str, StepRecord]) -> Plan:
    """The plan with what each dataset's last step took."""
    known = {n: Cost(c.seconds, c.rows, c.bytes) for n, c in costs.items()}
    return replace(plan, steps=tuple(replace(s, cost=known[s.dataset]) if s.dataset in known else s for s in plan.steps))


def _step(wanted: Wanted, present: Present, name: str, steps: Mapping[str, Step]) -> Step | None:
    dataset = wanted.datasets[name]
    if isinstance(dataset, SourceDataset):
        return _load(wanted, present, name, steps)
    return _build(wanted, present, dataset, steps)


def _load(wanted: Wanted, present: Present, name: str, steps: Mapping[str, Step]) -> Step | None:
    version = wanted.versions[name]
    after = tuple(u for u in wanted.upstream[name] if u in steps)
    files = tuple(present.deliveries.get(name, ()))
    state = present.states.get((name, version))
    reasons = _version_reasons(present, name, version)
    if wanted.full:
        reasons.append(Reason("full", "a full reload was asked for"))
    if state is None:
        reasons = reasons or [Reason("new", "its table is not there")]
    if files:
        told = f"{len(files)} {'file is' if len(files) == 1 else 'files are'} not loaded yet"
        reasons.append(Reason("files", present.news.get(name, told)))
    if not reasons:
        return None
    if state is not None and not files and not wanted.full:
        return _as_step(StepKind.ADOPT, name, version, reasons)
    return _as_step(StepKind.LOAD, name, version, reasons, after=after, files=files, full=wanted.full)


def _build(wanted: Wanted, present: Present, model: ModelDataset, steps: Mapping[str, Step]) -> Step | None:
    if _is_ephemeral(model):
        return None
    name, version = model.name, wanted.versions[model.name]
    before = (*wanted.upstream[name], *tables_read(wanted, name), *wanted.looked_up.get(name, ()))
    after = tuple(dict.fromkeys(u for u in before if u in steps))
    state = present.states.get((name, version))
    reasons = _version_reasons(present, name, version)
    moved = bool(reasons)
    stale = [] if state is None else _stale(wanted, present, name, state)
    reasons += [Reason("upstream", f"`{u}` has new rows") for u in stale]
    moving = [u for u in tables_read(wanted, name) if u in steps and _moves_rows(steps[u])]
    doing = {StepKind.LOAD: "loaded", StepKind.BUILD: "rebuilt"}
    reasons += [Reason("upstream", f"`{u}` is {doing[steps[u].kind]} by this plan") for u in moving if u not in stale]
    checks_changed = state is not None and state.facts.get("checks_digest", "") != present.checks.get(name, "")
    if checks_changed:
        reasons.append(Reason("contract", "the checks of its contract have changed"))
    missing = missing_intervals(state, wanted.until)
    if missing:
        reasons.append(Reason("intervals", f"{missing_text(missing)} missing"))
    holes_only = bool(missing) and len(reasons) == 1
    if wanted.full:
        reasons.append(Reason("full", f"a full rebuild was asked for{f': {wanted.reason}' if wanted.reason else ''}"))
    if reasons and model.head.kind is Kind.VIEW:
        return _as_step(StepKind.VIEW, name, version, reasons, after=after)
    arranges = model.head.stored and state is not None and state.facts.get("layout", "") != layout_digest(model.head)
    if arranges:
        reasons.append(Reason("layout", "its rows are to lie otherwise in files: they are written anew, and mean what they meant"))
    if not reasons:
        return None
    only_moved = moved and state is not None and len(reasons) == 1
    carries = _carried(present, model, version) if not wanted.full else ""
    if carries:
        reasons.append(Reason("history", "what it has gathered is carried over"))
    kind = StepKind.ADOPT if only_moved and not carries else StepKind.BUILD
    # the rows that a history has gathered pass a new rule or stay as they are: nothing can compute them again
    full = wanted.full or (state is None and not carries) or (checks_changed and model.head.kind is not Kind.HISTORY)
    step = replace(_as_step(kind, name, version, reasons, after=after, full=full), carries=carries, arranges=arranges and not full)
    if kind is not StepKind.BUILD or not model.head.time:
        return step
    return replace(step, until=wanted.until, intervals=missing if holes_only else ())


def _carried(present: Present, model: ModelDataset, version: str) -> str:
    """The version whose rows a history takes over: the one that the environment shows, unless they are in it already."""
    before = present.pointers.get(model.name, "")
    old, new = present.states.get((model.name, before)), present.states.get((model.name, version))
    if model.head.kind is not Kind.HISTORY or before == version or old is None or not old.facts.get("history"):
        return ""
    known = cast("Mapping[str, int]", new.facts.get("carried", {})) if new else {}
    return "" if known.get(before) == old.facts.get("data", old.number) else before


def _moves_rows(step: Step) -> bool:
    return step.kind in {StepKind.LOAD, StepKind.BUILD} and not step.only_arranges


def missing_intervals(state: TableState | None, until: str = "") -> tuple[Interval, ...]:
    """What a build left undone: it failed, was stopped, or was asked to go so far and no further."""
    if state is None:
        return ()
    pending = (Interval(*i) for i in cast("Sequence[Sequence[str]]", state.facts.get("pending") or ()))
    return within(pending, None, until or None)


def missing_text(intervals: Sequence[Interval]) -> str:
    """`2013-03-01 .. 2013-04-01 is`, the end exclusive."""
    shown = [" .. ".join(_short(t) for t in (i.start, i.end)) for i in intervals[:3]]
    more = f" and {len(intervals) - 3} more intervals" if len(intervals) > 3 else ""
    return f"{', '.join(shown)}{more} {'is' if len(intervals) == 1 else 'are'}"


def _short(moment: str) -> str:
    text = moment_text(parse_moment(moment))
    return text.removesuffix("T00:00:00").replace("T", " ")


def _version_reasons(present: Present, name: str, version: str) -> list[Reason]:
    before = present.pointers.get(name)
    if before is None:
        return [Reason("new", "not in this environment yet")]
    if before != version and meaning(before) == meaning(version):
        return [Reason("restated", "it is made from other restatements now")]
    if before != version:
        return [Reason("text", present.changes.get(name, "what it means has changed"))]
    return []


def _stale(wanted: Wanted, present: Present, name: str, state: TableState) -> list[str]:
    """The inputs that have other rows than those the model was built from."""
    known = cast("Mapping[str, Sequence[object]]", state.facts.get("inputs", {}))
    return [u for u in tables_read(wanted, name) if list(known.get(u, ())) != _input(wanted, present, u)]


def _input(wanted: Wanted, present: Present, name: str) -> list[object]:
    version = wanted.versions[name]
    state = present.states.get((name, version))
    return [version, state.facts.get("data", state.number) if state else None]


def tables_read(wanted: Wanted, name: str) -> list[str]:
    """The datasets with rows of their own that a model reads, seen through views, in a stable order."""
    found: dict[str, None] = {}
    for upstream in wanted.upstream[name]:
        dataset = wanted.datasets[upstream]
        if isinstance(dataset, ModelDataset) and not dataset.head.stored:
            found.update(dict.fromkeys(tables_read(wanted, upstream)))
        else:
            found[upstream] = None
    return list(found)


def _as_step(  # noqa: PLR0913 - a step is these parts together
    kind: StepKind,
    name: str,
    version: str,
    reasons: Sequence[Reason],
    *,
    after: tuple[str, ...] = (),
    files: tuple[SourceFile, ...] = (),
    full: bool = False,
) -> Step:
    return Step(f"{kind}:{name}", kind, name, version, tuple(reasons), after, (), files, full)
