"""From an interval that is to be computed anew to the steps: the dataset, what it is made from, what is made from it; pure."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, cast

from xde.ground.digests import digest
from xde.ground.records import dataclass
from xde.kernel.plan.intervals import floor, following, moment_text, parse_moment, within
from xde.kernel.plan.plan import Interval, Plan, Reason, Step, StepKind
from xde.kernel.plan.planner import tables_read
from xde.kernel.plan.versions import meaning, placed
from xde.kernel.project.declarations import Kind, ModelDataset

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from xde.kernel.plan.intervals import Grain
    from xde.kernel.plan.ledger import TableState
    from xde.kernel.plan.planner import Present, Wanted


@dataclass(frozen=True, slots=True)
class Restated:
    """What is to be computed anew: a model, over an interval if it is computed by time, with its neighbours if they are to come along."""

    dataset: str
    interval: Interval | None = None
    upstream: bool = False
    downstream: bool = False


@dataclass(frozen=True, slots=True)
class Restatement:
    """The steps, and the versions that the environment would show after them.

    `stale` are models whose inputs would have other rows: the next run computes them as far as these reach. `left_out` were asked for by
    their place in the graph and cannot be restated, each with the reason.
    """

    plan: Plan
    versions: Mapping[str, str]
    moved: Mapping[str, str]
    stale: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Names what would be done; the numbers of the new tables are no part of it."""
        steps = [(s.id, meaning(s.version), s.intervals, s.full, s.restates) for s in self.plan.steps]
        return digest("backfill", self.plan.environment, steps, sorted(self.moved))


def is_shown(wanted: Wanted, present: Present, name: str) -> bool:
    """Whether the environment shows a dataset as the project means it."""
    return meaning(present.pointers.get(name, "")) == meaning(wanted.versions[name])


def whole(start: str, end: str, grain: Grain) -> Interval:
    """The shortest run of whole intervals of a grain that holds a stretch of time, its end exclusive."""
    low, high = parse_moment(start), parse_moment(end)
    last = floor(high, grain)
    return Interval(moment_text(floor(low, grain)), moment_text(last if last == high else following(last, grain)))


def built(state: TableState | None) -> Interval | None:
    """From when to when a model by time was built; None where it holds nothing."""
    pairs = (state.facts.get("intervals") if state else None) or ()
    found = [Interval(*map(str, pair)) for pair in pairs if isinstance(pair, list | tuple)] if isinstance(pairs, list | tuple) else []
    return Interval(min(i.start for i in found), max(i.end for i in found)) if found else None


def restate(wanted: Wanted, present: Present, asked: Restated, numbers: Mapping[str, int], shown: Mapping[str, int]) -> Restatement:
    """The plan of a backfill.

    `numbers` gives the number of the next restatement of every dataset, `shown` those that the environment shows now. Every dataset that
    has rows and is made from a restated one gets a table of its own by reference: other environments may share the one that it has.
    """
    readers = _readers(wanted)
    chosen, left_out = _chosen(wanted, present, asked, readers)
    after = {*chosen, *(n for c in chosen for n in _reached(c, readers))}
    restated = {**shown, **{n: numbers[n] for n in chosen}}
    versions = placed(wanted.versions, wanted.order, wanted.upstream, restated)
    steps: dict[str, Step] = {}
    for name in wanted.order:
        model = wanted.datasets[name]
        if name in after and isinstance(model, ModelDataset) and model.head.kind is not Kind.EPHEMERAL and is_shown(wanted, present, name):
            steps[name] = _step(wanted, present, asked, model, (versions, chosen, steps))
    versions |= {n: v for n, v in present.pointers.items() if n in versions and n not in steps}
    stale = tuple(n for n, s in steps.items() if s.kind is StepKind.COPY)
    plan = Plan(present.environment, tuple(steps.values()), len(wanted.versions) - len(steps), present.at)
    return Restatement(plan, versions, {n: s.version for n, s in steps.items()}, stale, left_out)


def _step(
    wanted: Wanted,
    present: Present,
    asked: Restated,
    model: ModelDataset,
    so_far: tuple[Mapping[str, str], Collection[str], Mapping[str, Step]],
) -> Step:
    versions, chosen, steps = so_far
    name, version = model.name, versions[model.name]
    before = present.pointers[name]
    inputs = [u for u in tables_read(wanted, name) if u in steps]
    after = tuple(dict.fromkeys([*inputs, *(u for u in wanted.upstream[name] if u in steps)]))
    because = [Reason("upstream", f"`{u}` {'' if u in chosen else 'is made from what '}is computed anew") for u in inputs]
    if model.head.kind is Kind.VIEW:
        return Step(f"view:{name}", StepKind.VIEW, name, version, tuple(because), after)
    if name not in chosen:
        because.append(Reason("stale", "the next run computes what has changed for it"))
        return Step(f"copy:{name}", StepKind.COPY, name, version, tuple(because), restates=before)
    asked_for = Reason("backfill", "asked for" if name == asked.dataset else f"asked for with `{asked.dataset}`")
    state = present.states.get((name, before))
    if not model.head.time:
        how = Reason("whole", f"it is not computed by time (`kind: {model.head.kind.value}`): all of it is computed")
        return Step(f"build:{name}", StepKind.BUILD, name, version, (asked_for, how, *because), after, full=True, restates=before)
    told = [asked_for, *because]
    if state is not None and state.facts.get("checks_digest", "") != present.checks.get(name, ""):
        told.append(Reason("contract", "the checks of its contract have changed"))
    full = asked.interval is None or told[-1].code == "contract"
    intervals = within([whole(asked.interval.start, asked.interval.end, grain_of(model))], *_ends(state)) if asked.interval else ()
    return Step(f"build:{name}", StepKind.BUILD, name, version, tuple(told), after, intervals, full=full, restates=before)


def grain_of(model: ModelDataset) -> Grain:
    """The intervals by which a model by time is kept."""
    return cast("Grain", model.head.grain)


def _ends(state: TableState | None) -> tuple[str | None, str | None]:
    extent = built(state)
    return (extent.start, extent.end) if extent else (None, None)


def _readers(wanted: Wanted) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {n: [] for n in wanted.order}
    for name in wanted.order:
        for upstream in wanted.upstream.get(name, ()):
            if upstream in found and isinstance(wanted.datasets[name], ModelDataset):
                found[upstream].append(name)
    return found


def _reached(name: str, neighbours: Mapping[str, Sequence[str]]) -> dict[str, None]:
    """All that can be come to from a dataset, without itself."""
    found: dict[str, None] = {}
    left = list(neighbours.get(name, ()))
    while left:
        one = left.pop()
        if one not in found:
            found[one] = None
            left += neighbours.get(one, ())
    return found


_NEVER = {
    Kind.APPEND: "it appends, and cannot take back what it has made of a row",
    Kind.HISTORY: "it is a history, and keeps what its query gave in the past",
    Kind.SEED: "it is a seed, and its rows are part of the project",
}


def _chosen(
    wanted: Wanted, present: Present, asked: Restated, readers: Mapping[str, Sequence[str]]
) -> tuple[dict[str, None], dict[str, str]]:
    """The datasets to compute, and those that would belong to them but cannot be."""
    near: dict[str, None] = {}
    if asked.upstream:
        near |= _reached(asked.dataset, wanted.upstream)
    if asked.downstream:
        near |= _reached(asked.dataset, readers)
    chosen, left_out = {asked.dataset: None}, {}
    for name in near:
        model = wanted.datasets.get(name)
        if not isinstance(model, ModelDataset):
            left_out[name] = "it is loaded, not computed"
        elif model.head.kind in _NEVER:
            left_out[name] = _NEVER[model.head.kind]
        elif model.head.kind is not Kind.EPHEMERAL and not is_shown(wanted, present, name):
            left_out[name] = f"`{present.environment}` does not show it as it is meant now"
        elif model.head.stored:
            chosen[name] = None
    return chosen, left_out
