"""A dataset's history in an environment, through all versions that it had there, and the snapshot at a point of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean, listed, ranges
from xde.kernel.plan.ledger import NEXT
from xde.lifecycle.storage.port import TableId

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.app.references import Point
    from xde.app.wiring import House
    from xde.lifecycle.storage.port import CommitRecord, Snapshot


@dataclass(frozen=True, slots=True)
class Moment:
    """One commit of one version; `at` is ISO in UTC, `checks` how many it passed and failed."""

    version: str
    number: int
    at: str
    checks: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class History:
    """The commits of a dataset as an environment has seen them, newest first: of its version now, then of those it had before."""

    house: House
    dataset: str
    version: str

    def find(self, point: Point) -> Moment:
        """The commit that a point means. Raises `UserError` when there is none."""
        if point.version is not None:
            of_version = History(self.house, self.dataset, self._version(point.version))
            return of_version._numbered(point.number, alone=True)
        if point.moment is not None:
            return self._at(point.moment)
        return self._numbered(point.number, alone=False)

    def before(self, moment: Moment) -> Moment:
        """The commit before one of them. Raises `UserError` when it is the first."""
        if moment.number > 0:
            return self._in(moment.version, moment.number - 1)
        other = next((m for m in self._earlier(moment.version) if m.version != moment.version), None)
        if other is None:
            raise UserError(
                Finding(
                    "XDE0921",
                    f"`{self.dataset}` has no commit before the first one in `{self.house.environment}`",
                    why=f"it was built once, {moment.at[:19].replace('T', ' ')} (UTC), and there is nothing to compare it with",
                    hint=self._elsewhere(),
                )
            )
        return other

    def _elsewhere(self) -> str:
        others = sorted(n for n in self.house.ledger.environments() if n != self.house.environment and not n.endswith(NEXT))
        if others:
            return f"compare it with another environment: `xde diff {self.dataset} --against {others[0]}`"
        return "change the model or bring new data, `xde run`, and ask again"

    def snapshot(self, moment: Moment) -> Snapshot:
        """The table at a commit. Raises `UserError` when its files were cleaned away."""
        table = TableId(self.dataset, moment.version)
        newest = self.house.lake.snapshot(table)
        if newest is not None and newest.number != moment.number:
            whole = self.house.lake.whole(table)
            if moment.number not in whole:
                there = f"still there: {ranges(sorted(whole))}" if whole else ""
                message = f"the files of snapshot {moment.number} of `{self.dataset}` were cleaned away"
                raise UserError(Finding("XDE0610", message, why=there, hint=f"see what there is with `xde history {self.dataset}`"))
        found = self.house.lake.snapshot(table, moment.number)
        if found is None:
            raise UserError(self._nothing(f"version `{moment.version}`"))
        return found

    def _numbered(self, number: int | None, *, alone: bool) -> Moment:
        """By its number, or so many before the newest; beyond the first commit of a version go those of the versions before."""
        newest = self.house.lake.snapshot(TableId(self.dataset, self.version))
        if newest is None:
            raise UserError(self._nothing(f"version `{self.version}`"))
        wanted = newest.number if number is None else newest.number + number if number < 0 else number
        if wanted >= 0:
            return self._in(self.version, wanted, newest.number)
        earlier = [] if alone else [m for m in self._earlier(self.version) if m.version != self.version]
        if -wanted > len(earlier):
            raise UserError(self._nothing(f"{-(number or 0)} commits before the newest", newest.number + 1 + len(earlier)))
        return earlier[-wanted - 1]

    def _in(self, version: str, number: int, newest: int | None = None) -> Moment:
        table = TableId(self.dataset, version)
        if newest is not None and number > newest:
            self.house.lake.snapshot(table, number)  # says that there is none, and which there are
        record = next((r for r in reversed(self.house.lake.history(table, since=number - 1)) if r.number == number), None)
        return _moment(version, record) if record else Moment(version, number, "")

    def _at(self, when: datetime) -> Moment:
        own = (_moment(self.version, r) for r in self.house.lake.history(TableId(self.dataset, self.version)))
        every = sorted([*own, *self._earlier(self.version)], key=lambda m: m.at, reverse=True)
        found = next((m for m in every if m.at and datetime.fromisoformat(m.at) <= when), None)
        if found is None:
            first = every[-1].at[:19].replace("T", " ") if every else "never"
            raise UserError(self._nothing(f"{when:%Y-%m-%d %H:%M:%S} (UTC); its first commit there is of {first}"))
        return found

    def _version(self, start: str) -> str:
        there = sorted(t.version for t in self.house.lake.tables() if t.dataset == self.dataset)
        found = [v for v in there if v.startswith(start)]
        if len(found) == 1:
            return found[0]
        message = (
            f"several versions of `{self.dataset}` begin with `{start}`"
            if found
            else f"the lake has no version `{start}` of `{self.dataset}`"
        )
        why = f"it has {listed([f'`{v}`' for v in found or there])}" if there else "it has none of them"
        hint = did_you_mean(start, there) or f"see the one in use with `xde history {self.dataset}`"
        raise UserError(Finding("XDE0611", message, why=why, hint=hint))

    def _earlier(self, version: str) -> list[Moment]:
        """Commits of other versions that this environment made or showed, newest first."""
        name = self.house.environment
        deployed = {d.pointers.get(self.dataset) for d in self.house.ledger.deployments(name, 1_000)}
        found = [m for other in self._others(version) for m in self._of(other, shown=other in deployed)]
        return sorted(found, key=lambda m: m.at, reverse=True)

    def _others(self, version: str) -> Iterator[str]:
        return (t.version for t in self.house.lake.tables() if t.dataset == self.dataset and t.version != version)

    def _of(self, version: str, *, shown: bool) -> Iterator[Moment]:
        makers = {self.house.environment, self.house.environment + NEXT}
        records = self.house.lake.history(TableId(self.dataset, version))
        return (_moment(version, r) for r in records if shown or r.facts.get("environment") in makers)

    def _nothing(self, what: str, commits: int | None = None) -> Finding:
        why = "" if commits is None else "it has only one commit" if commits == 1 else f"it has {commits} commits"
        return Finding(
            "XDE0921",
            f"`{self.dataset}` has nothing in `{self.house.environment}` at {what}",
            why=why,
            hint=f"see its commits with `xde history {self.dataset}`",
        )


def _moment(version: str, record: CommitRecord) -> Moment:
    results = record.facts.get("checks")
    told = [bool(r["passed"]) for r in results if isinstance(r, dict) and "passed" in r] if isinstance(results, list) else None
    return Moment(version, record.number, record.at, None if told is None else (sum(told), len(told) - sum(told)))
