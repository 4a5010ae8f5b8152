"""A backfill: rows computed anew although nothing has changed, in tables of their own, audited, and then shown all at once."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from xde.app import planning
from xde.app.restatements import place
from xde.app.switching import switch_own
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.kernel.plan.intervals import parse_moment
from xde.kernel.plan.ledger import NEXT
from xde.kernel.plan.plan import Interval
from xde.kernel.plan.planner import Present, Wanted, priced
from xde.kernel.plan.restating import Restated, built, grain_of, is_shown, restate, whole
from xde.kernel.plan.versions import restatement, shown_restatements
from xde.kernel.project.declarations import Kind, ModelDataset

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xde.app.planning import Planned
    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.kernel.plan.ledger import Claim
    from xde.kernel.plan.restating import Restatement
    from xde.kernel.run.events import Observer, RunFinished

_WORDS = re.compile(r"[*+:]")


@dataclass(frozen=True, slots=True)
class Backfill:
    """What somebody asks for, in his words: `start` and `end` bound a half-open stretch of time in UTC; None where he gave none."""

    dataset: str
    start: str | None = None
    end: str | None = None
    upstream: bool = False
    downstream: bool = False
    reason: str = ""

    @property
    def note(self) -> str:
        """What is kept of it: `backfill marts.x 2013-03-01 .. 2013-04-01: reason`."""
        stretch = f" {self.start} .. {self.end}" if self.start and self.end else ""
        return f"backfill {self.dataset}{stretch}" + (f": {self.reason}" if self.reason else "")


@dataclass(frozen=True, slots=True)
class Demand:
    """How it is to be done: `shown` is the digest of the plan that somebody saw (None: whatever there is to do)."""

    shown: str | None = None
    wait: float = 0.0
    waiting: Callable[[Claim], None] = lambda _: None
    observers: Sequence[Observer] = ()


@dataclass(frozen=True, slots=True)
class Backfilled:
    """What came of it: `moved` names the datasets that the environment shows anew, if it was switched; `deployment` its number, if any."""

    finished: RunFinished
    moved: tuple[str, ...] = ()
    deployment: int | None = None


def plan_backfill(house: House, known: Understanding, asked: Backfill) -> Restatement:
    """What a backfill would do; writes nothing. Raises `UserError` for what cannot be asked."""
    pointers = place(house, known)
    if _WORDS.search(asked.dataset):
        hint = "name one dataset; `--upstream` and `--downstream` take its neighbours along"
        raise UserError(Finding("XDE0766", f"a backfill is of one dataset, and `{asked.dataset}` is none", hint=hint))
    planning.known_dataset(known, asked.dataset)
    order = [n for n in known.order if n in known.project.datasets]
    wanted = Wanted(known.project.datasets, order, known.upstream, known.versions, looked_up=known.looked_up)
    keys = list(pointers.items())
    now = house.clock.now().isoformat()
    present = Present(house.environment, now, pointers, house.ledger.states(keys), checks=known.checks_digests)
    wish = Restated(asked.dataset, _interval(asked), asked.upstream, asked.downstream)
    _can_be_asked(wanted, present, wish)
    found = restate(wanted, present, wish, _next_numbers(house, known), shown_restatements(known.versions, pointers))
    costs = house.ledger.last_costs([s.dataset for s in found.plan.steps])
    return replace(found, plan=priced(found.plan, costs))


def backfill(house: House, known: Understanding, asked: Backfill, demand: Demand) -> Backfilled:
    """Compute in tables of their own, audit, switch. A step that fails leaves the environment as it was.

    Raises `UserError` when what there is to do is no longer what was shown.
    """
    from xde.app.planning import Planned
    from xde.app.running import Manner, carry_out

    planned: list[Restatement] = []
    done: list[int | None] = []

    def replan() -> Planned:
        found = plan_backfill(house, known, asked)
        if demand.shown is not None and found.digest != demand.shown:
            raise UserError(_not_as_shown(house.environment, demand.shown, found.digest))
        planned.append(found)
        known.versions = dict(found.versions)
        return Planned(replace(found.plan, environment=house.environment + NEXT), {})

    def then(claim: Claim, finished: RunFinished) -> None:
        if finished.status == "done":
            done.append(_switch(house, claim, planned[0], asked, finished))
        else:
            house.ledger.move(house.environment + NEXT, dict.fromkeys(planned[0].moved), house.clock.now().isoformat())

    finished = carry_out(house, known, replan, Manner(demand.observers, demand.wait, demand.waiting, then))
    return Backfilled(finished, tuple(planned[0].moved) if done else (), done[0] if done else None)


def _switch(house: House, claim: Claim, found: Restatement, asked: Backfill, finished: RunFinished) -> int | None:
    """All datasets at once: a deployment of its own where something is deployed."""
    from xde.app.deploying import switch

    latest = house.ledger.deployments(house.environment, 1)
    if not latest or house.environment == house.settings.environment:
        switch_own(house, claim, found.moved, asked.note)
        return None
    pointers = {**house.ledger.pointers(house.environment), **found.moved}
    facts = {"backfill": asked.dataset, "steps": len(finished.outcomes), "seconds": round(finished.seconds, 3), "run": finished.run}
    facts |= {k: v for k, v in latest[0].facts.items() if k in {"revision", "views"}}
    return switch(house, claim, (found.digest, latest[0].definitions, pointers, asked.note), facts).number


def _next_numbers(house: House, known: Understanding) -> dict[str, int]:
    """A number for the next restatement of each dataset that no table of the lake has, begun or done."""
    taken: Counter[str] = Counter()
    there = (*house.lake.tables(), *house.lake.ruins()) if house.has_lake else ()
    for dataset, version in [*((t.dataset, t.version) for t in there), *house.ledger.pointers(house.environment).items()]:
        taken[dataset] = max(taken[dataset], restatement(version))
    return {n: max(1, taken[n]) + 1 for n in known.versions}


def _interval(asked: Backfill) -> Interval | None:
    given = (asked.start, asked.end)
    if given == (None, None):
        return None
    if asked.start is None or asked.end is None:
        missing = "--to" if asked.end is None else "--from"
        hint = "give both ends of the interval: `--from 2013-03-01 --to 2013-04-01`"
        raise UserError(Finding("XDE0761", f"`{missing}` is not given", hint=hint))
    start, end = planning.read_moment("--from", asked.start), planning.read_moment("--to", asked.end)
    if start >= end:
        why = "the interval begins with `--from` and ends before `--to`"
        turned = f"--from {asked.end} --to {asked.start}" if start > end else f"--from {asked.start} --to {_next_day(end)}"
        raise UserError(Finding("XDE0761", f"nothing lies from {asked.start} to before {asked.end}", why=why, hint=f"write `{turned}`"))
    return Interval(start, end)


def _next_day(moment: str) -> str:
    return (parse_moment(moment) + timedelta(days=1)).date().isoformat()


_ARTICLE = {Kind.VIEW: "a view", Kind.EPHEMERAL: "ephemeral"}


def _can_be_asked(wanted: Wanted, present: Present, asked: Restated) -> None:
    name, environment = asked.dataset, present.environment
    model = wanted.datasets[name]
    if not isinstance(model, ModelDataset):
        hint = f"`xde run --full {name}` loads all of its files again, `xde letters replay` the records that were refused"
        raise UserError(Finding("XDE0763", f"`{name}` is loaded from files, not computed", hint=hint))
    place = model.head.spans.get("kind") or model.span
    match model.head.kind:
        case Kind.VIEW | Kind.EPHEMERAL:
            why, hint = "a view is computed when it is read", "backfill what it reads, or what is made from it"
            raise UserError(
                Finding("XDE0767", f"`{name}` is {_ARTICLE[model.head.kind]}, and has no rows of its own", place, why=why, hint=hint)
            )
        case Kind.SEED:
            why = "its rows are part of the project"
            raise UserError(Finding("XDE0767", f"`{name}` is a seed", place, why=why, hint=f"change `{model.path}`"))
        case Kind.APPEND:
            why = "an `append` model reads each row of its first input once, and cannot take back what it has made of a row"
            hint = f"build all of it: `xde run --full {name} --reason WHY`"
            raise UserError(Finding("XDE0767", f"`{name}` only appends", place, why=why, hint=hint))
        case Kind.HISTORY:
            why = "it keeps what its query gave in the past, which nothing can compute again"
            hint = f"a late row is put in its place by `xde run {name}`"
            raise UserError(Finding("XDE0767", f"`{name}` is a history", place, why=why, hint=hint))
        case Kind.TABLE | Kind.INCREMENTAL:
            pass
    if not is_shown(wanted, present, name):
        never = name not in present.pointers
        message = f"`{name}` has not been built in `{environment}` yet" if never else f"`{environment}` shows another version of `{name}`"
        why = "" if never else "what it means has changed, and the next run builds all of it"
        raise UserError(Finding("XDE0764", message, why=why, hint=f"`xde --env {environment} run {name}`"))
    if model.head.time:
        _within_what_is_there(model, present, asked)
    elif asked.interval is not None and not (asked.upstream or asked.downstream):
        kind = f"kind: {model.head.kind.value}" + (" with a key" if model.head.key else "")
        hint = "leave `--from` and `--to` out to compute all of it"
        raise UserError(Finding("XDE0762", f"`{name}` is not computed by time", place, why=f"it is `{kind}`", hint=hint))


def _within_what_is_there(model: ModelDataset, present: Present, asked: Restated) -> None:
    name = model.name
    state = present.states.get((name, present.pointers[name]))
    extent = built(state)
    if asked.interval is None:
        told = f"--from {_day(extent.start)} --to {_day(extent.end)}" if extent else "--from 2013-03-01 --to 2013-04-01"
        why = f"its rows belong to times, by `{model.head.time}`"
        raise UserError(Finding("XDE0762", f"say which interval of `{name}` to compute anew", why=why, hint=f"all of it is `{told}`"))
    wanted = whole(asked.interval.start, asked.interval.end, grain_of(model))
    if extent is None:
        raise UserError(Finding("XDE0765", f"`{name}` holds nothing yet", hint=f"`xde --env {present.environment} run {name}`"))
    low, high = max(wanted.start, extent.start), min(wanted.end, extent.end)
    if (low, high) != (wanted.start, wanted.end):
        why = f"it was built from {_day(extent.start)} to before {_day(extent.end)}"
        inside = f"`--from {_day(low)} --to {_day(high)}`" if low < high else "choose an interval within that"
        raise UserError(Finding("XDE0765", f"`{name}` was never built for all of that time", why=why, hint=inside))


def _day(moment: str) -> str:
    return moment.removesuffix("T00:00:00")


def _not_as_shown(environment: str, shown: str, now: str) -> Finding:
    why = f"the plan that was shown is `{shown}`, what there is to do now is `{now}`: something has changed meanwhile"
    return Finding("XDE0768", f"`{environment}` is not what it was when the plan was shown", why=why, hint="look again with `--dry-run`")
