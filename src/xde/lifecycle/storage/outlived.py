"""Versions that nobody uses any more: what each environment left, and when, by the commits themselves."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, cast

from xde.kernel.plan.facts import fold_history
from xde.kernel.plan.ledger import NEXT
from xde.lifecycle.storage.port import TableId

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from xde.lifecycle.storage.port import CommitRecord

    Histories = Mapping[TableId, Sequence[CommitRecord]]


def outlived(histories: Histories, held: Collection[TableId], since: str, ended: Mapping[str, str]) -> tuple[TableId, ...]:
    """Of all tables of a lake those that nobody has used since a moment (ISO, UTC), in order of name.

    In use is what is held (an environment points at it, the project means it), what some environment used last, and what a table
    in use was made from: by its snapshots a model finds what is new. A commit is a use, also one that only takes a
    version over; a version is used until its environment makes a commit on another one, or is dropped itself (`ended`: when). What
    was built for a deployment is used by the deployment, not by its building.
    """
    last = _last_uses(histories, ended)
    kept = {t for t in histories if t in held or last[t] is None or cast("str", last[t]) >= since}
    left = list(kept)
    while left:
        for made_from in _inputs(histories[left.pop()]):
            if made_from in histories and made_from not in kept:
                kept.add(made_from)
                left.append(made_from)
    return tuple(sorted((t for t in histories if t not in kept), key=lambda t: (t.dataset, t.version)))


def _last_uses(histories: Histories, ended: Mapping[str, str]) -> dict[TableId, str | None]:
    """When each table was used last; None for now: an environment that used it has not gone on to another version."""
    uses: dict[tuple[str, str], list[tuple[str, TableId]]] = defaultdict(list)
    last: dict[TableId, str | None] = {}
    for table, commits in histories.items():
        by = [(c.facts.get("environment"), c.at) for c in commits]
        ours = [(environment, at) for environment, at in by if isinstance(environment, str)]
        last[table] = max(at for _, at in by) if ours else None  # what no environment of ours made is not ours to take away
        for environment, at in ours:
            if not environment.endswith(NEXT):
                uses[environment, table.dataset].append((at, table))
    for (environment, _), told in uses.items():
        told.sort(key=lambda use: use[0])
        for (_, used), (until, after) in pairwise(told):
            if after != used:
                last[used] = _later(last[used], until)
        at, used = told[-1]
        end = ended.get(environment)
        last[used] = _later(last[used], end if end is not None and end > at else None)
    return last


def _later(one: str | None, other: str | None) -> str | None:
    """The later of two moments, where None is after all of them."""
    return None if one is None or other is None else max(one, other)


def _inputs(commits: Sequence[CommitRecord]) -> Iterable[TableId]:
    facts = fold_history((c.number, c.facts) for c in reversed(commits))
    inputs = cast("Mapping[str, Sequence[object]]", facts.get("inputs") or {})
    return [TableId(dataset, str(read[0])) for dataset, read in inputs.items() if read]
