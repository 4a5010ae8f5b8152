"""A dataset held against itself: of another environment, of an earlier commit; or against a file."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from xde.app.histories import History
from xde.app.readers import note_read
from xde.app.recovering import refuse_in_the_clear
from xde.app.references import NOW, Reference
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean
from xde.lifecycle.serving.comparing import Asked, Side
from xde.lifecycle.storage.port import TableId
from xde.lifecycle.transformation.port import Input, Query

if TYPE_CHECKING:
    from collections.abc import Callable

    from xde.app.histories import Moment
    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.connectors.duckdb.comparing import DuckdbComparer
    from xde.lifecycle.serving.comparing import Difference
    from xde.lifecycle.storage.port import Snapshot


@dataclass(slots=True)
class _Place:
    """An environment, opened: what it runs, and its parts."""

    known: Understanding
    house: House


@dataclass(slots=True)
class Comparisons:
    """Compares what references name. Environments are opened when they are first named, and closed with this.

    `root` finds the project's folder when a dataset is named; `environment` is the one to work in (None: one's own).
    """

    root: Callable[[], Path]
    environment: str | None = None
    _places: dict[str | None, _Place] = field(default_factory=dict)
    _closing: list[Callable[[], None]] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for close in self._closing:
            close()

    def compare(self, left: Reference | None, right: Reference, asked: Asked, key: tuple[str, ...] | None = None) -> Difference:
        """Compare two references, or one with its commit before. `key` None: that of the contract, else of the model's head."""
        new, old = self._sides(left, right)
        files = [Path(r.file) for r in (left, right) if r is not None and r.file]
        for place in self._places.values() if files else ():
            refuse_in_the_clear(place.house, place.known, files)
        chosen = key if key is not None else self._key(right) or (self._key(left) if left else ())
        personal = asked.personal | self._personal(right) | (self._personal(left) if left else frozenset())
        asked = replace(asked, key=chosen, personal=personal)
        if asked.tolerance and not chosen:
            raise UserError(
                Finding(
                    "XDE0927",
                    "a tolerance needs a key to pair rows by",
                    why=f"`{new.name}` has no key, so rows are compared whole, and equal is equal",
                    hint="name the columns that tell rows apart with `--key a,b`",
                )
            )
        found = self._comparer(left, right).compare(old, new, asked)
        read = {(r.environment, r.dataset) for r in (right, left or right) if not r.file}
        for environment, dataset in read:
            note_read(self._place(environment).house, dataset, "diff")
        return found

    def own(self) -> str:
        """The environment to work in, by its name."""
        return self._place(None).house.environment

    def both(self, left: str, right: str | None) -> tuple[str, ...]:
        """The datasets that two environments show, and that are not the same commit of the same version in both, by name."""
        one, other = self._place(left), self._place(right)
        olds, news = (p.house.ledger.pointers(p.house.environment) for p in (one, other))
        found = [n for n in sorted(olds.keys() & news.keys()) if n in one.known.project.datasets and n in other.known.project.datasets]
        return tuple(n for n in found if olds[n] != news[n] or one.house.lake.root != other.house.lake.root)

    def only(self, left: str, right: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The datasets that are in the one environment only, and in the other only."""
        olds, news = (set(p.house.ledger.pointers(p.house.environment)) for p in (self._place(left), self._place(right)))
        return tuple(sorted(olds - news)), tuple(sorted(news - olds))

    def _sides(self, left: Reference | None, right: Reference) -> tuple[Side, Side]:
        """The right side, then the left one: that may be known only by it."""
        if left is not None:
            return self._side(right), self._side(left)
        if right.file:
            raise UserError(
                Finding(
                    "XDE0920",
                    f"`{right.file}` is a file, and was nothing before",
                    hint=f"name another beside it: `xde diff {right.file} OTHER`",
                )
            )
        place = self._place(right.environment)
        if self._version(place, right) and place.known.is_view(right.dataset):
            hint = f"compare what two environments show: `xde diff {right.dataset} --against prod`"
            raise UserError(Finding("XDE0612", f"`{right.dataset}` is a view: it stores no rows and has no commit before", hint=hint))
        history = History(place.house, right.dataset, self._version(place, right))
        now = history.find(right.point)
        return _of_table(history, now), _of_table(history, history.before(now))

    def _side(self, reference: Reference) -> Side:
        if reference.file:
            return Side(reference.file, file=str(Path(reference.file)))
        place = self._place(reference.environment)
        version = self._version(place, reference)
        if place.known.is_view(reference.dataset):
            return _of_view(place, reference, version)
        history = History(place.house, reference.dataset, version)
        return _of_table(history, history.find(reference.point))

    def _place(self, environment: str | None) -> _Place:
        name = environment or self.environment
        if name not in self._places:
            from xde.app.opening import opened

            place = _Place(*opened(self.root().resolve(), name, working_tree=False))
            self._closing.append(place.house.close)
            self._places[name] = self._places[place.house.environment] = place
        return self._places[name]

    def _version(self, place: _Place, reference: Reference) -> str:
        """The version that the environment shows. Raises `UserError` for a dataset that is not there, with what it may have meant."""
        name, house = reference.dataset, place.house
        pointers = house.ledger.pointers(house.environment)
        if name not in place.known.project.datasets:
            hint = did_you_mean(name, place.known.project.datasets) or "see them all with `xde list`"
            raise UserError(Finding("XDE0726", f"there is no dataset `{name}`", hint=hint))
        if name in pointers:
            return pointers[name]
        others = sorted({*house.settings.environments, *house.ledger.environments(), house.settings.environment} - {house.environment})
        meant = "" if pointers else did_you_mean(house.environment, others)
        own = house.environment == house.settings.environment
        build = f"build it: `xde run +{name}`" if own else f"bring it there: `xde deploy {house.environment}`"
        raise UserError(Finding("XDE0724", f"`{name}` has not been built in `{house.environment}` yet", hint=meant or build))

    def _key(self, reference: Reference) -> tuple[str, ...]:
        if reference.file:
            return ()
        dataset = self._place(reference.environment).known.project.datasets[reference.dataset]
        if dataset.object is not None and dataset.object.key:
            return dataset.object.key
        return getattr(getattr(dataset, "head", None), "key", ())

    def _personal(self, reference: Reference) -> frozenset[str]:
        from xde.app.running import personal_columns

        return frozenset() if reference.file else frozenset(personal_columns(self._place(reference.environment).known, reference.dataset))

    def _comparer(self, left: Reference | None, right: Reference) -> DuckdbComparer:
        named = next((r for r in (right, left) if r is not None and not r.file), None)
        if named is not None:
            return self._place(named.environment).house.comparer
        import tempfile

        from xde.connectors.duckdb.comparing import DuckdbComparer
        from xde.connectors.duckdb.session import DuckdbSession
        from xde.kernel.project.settings import EngineSettings

        folder = tempfile.TemporaryDirectory(prefix="xde-diff-")
        session = DuckdbSession(EngineSettings(), Path(folder.name))
        self._closing += [session.close, folder.cleanup]
        return DuckdbComparer(session)


def _of_table(history: History, moment: Moment) -> Side:
    """The name is a reference that gives the same rows again."""
    snapshot, house = history.snapshot(moment), history.house
    version = "" if moment.version == history.version else f"{moment.version[:8]}@"
    return Side(
        f"{house.environment}:{history.dataset}@{version}{moment.number}",
        Input(snapshot.schema, snapshot.paths),
        rows=snapshot.rows,
        dataset=history.dataset,
        environment=house.environment,
        version=moment.version,
        number=moment.number,
        at=moment.at,
        checks=moment.checks,
    )


def _of_view(place: _Place, reference: Reference, version: str) -> Side:
    """A view over what the environment shows now; its text is the one that is known of the version the environment points at."""
    name, known, house = reference.dataset, place.known, place.house
    if reference.point != NOW:
        hint = "compare what it reads as it was, or what two environments show"
        raise UserError(Finding("XDE0612", f"`{name}` is a view: it stores no rows and has no snapshots", hint=hint))
    if known.versions[name] != version:
        raise UserError(
            Finding(
                "XDE0928",
                f"`{house.environment}` shows another version of the view `{name}` than its files say",
                why=f"it points at `{version}`; the text that would be read is that of `{known.versions[name]}`",
                hint=f"bring them together: `xde run {name}`",
            )
        )
    pointers = house.ledger.pointers(house.environment)
    inputs = {n: _pinned(house, n, pointers) for n in known.reads(name)}
    views = known.views(name)
    given = {**known.project.settings.parameters, "today": house.clock.now().date()}
    views = {**views, name: known.model(name).sql}
    query = Query(f"SELECT * FROM {name}", {}, views, known.view_parameters(views), given)
    return Side(f"{house.environment}:{name}", view=query, inputs=inputs, dataset=name, environment=house.environment, version=version)


def _pinned(house: House, name: str, pointers: dict[str, str]) -> Input:
    snapshot: Snapshot | None = None
    with suppress(KeyError):
        snapshot = house.lake.snapshot(TableId(name, pointers[name]))
    if snapshot is None:
        raise UserError(
            Finding("XDE0724", f"`{name}` has not been built in `{house.environment}` yet", hint=f"build it: `xde run +{name}`")
        )
    return Input(snapshot.schema, snapshot.paths)
