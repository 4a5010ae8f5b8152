"""What data shows of itself: datasets of a project, or files that no contract knows yet, opened and profiled."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from xde.app.addresses import address_of
from xde.app.file_sources import Source, chosen_files
from xde.app.recovering import refuse_in_the_clear
from xde.app.table_profiles import NO_CATALOGUE, Doors, TableToLookAt, open_table, tables_at
from xde.ground.errors import UserError
from xde.ground.findings import Finding, Severity
from xde.ground.names import listed
from xde.lifecycle.ingestion.port import Dialect
from xde.lifecycle.storage.port import TableId
from xde.lifecycle.transformation.port import Input, Query
from xde.undercurrents.management.profiling.facts import Personal, Profile
from xde.undercurrents.management.profiling.profiling import Opened
from xde.undercurrents.management.profiling.profiling import profile as profile_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.connectors.duckdb.profiled import Delivered, DuckdbProfiler
    from xde.lifecycle.ingestion.declare import Reading
    from xde.lifecycle.sources.tables import Place
    from xde.undercurrents.management.profiling.naming import Group

SAMPLE = 1_000_000


@dataclass(frozen=True, slots=True)
class Wish:
    """What to profile: datasets, sources of the project, files and patterns of files, databases; or all datasets. `sample` rows at most.

    `at_source`: datasets of sources as they are where they come from now, and not as they were loaded.
    """

    sources: tuple[str, ...] = ()
    everything: bool = False
    sample: int = SAMPLE
    at_source: bool = False


@dataclass(slots=True)
class _Work:
    """What was opened so far."""

    profiler: DuckdbProfiler
    tables: list[Opened] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SourceProfile:
    """A profile of files and of tables of databases, with the groups of files, and where each table is (by its name here)."""

    profile: Profile
    groups: tuple[Group, ...]
    places: Mapping[str, Place]


@dataclass(frozen=True, slots=True)
class _Meant:
    """What somebody named: datasets of the lake, tables of databases, and files."""

    names: tuple[str, ...] = ()
    tables: tuple[TableToLookAt, ...] = ()
    files: tuple[Source, ...] = ()
    findings: tuple[Finding, ...] = ()


def profile(root: Callable[[], Path], environment: str | None, wish: Wish) -> Profile:
    """The profile of what a wish names. Raises `UserError` for what is not there or cannot be read."""
    with ExitStack() as stack:
        place = _project(stack, root, environment, needed=wish.everything)
        doors = doors_of(place[1] if place is not None else None)
        meant = _meant(place, doors, wish)
        groups = chosen_files(meant.files, _known_names(place)) if meant.files else ()
        if place is not None:
            refuse_in_the_clear(place[1], place[0], [f for g in groups for f in g.files])
        work = stack.enter_context(_working(place[1] if place else None, wish.sample))
        work.findings += meant.findings
        for name in meant.names:
            assert place is not None  # noqa: S101 - names of datasets come from a project
            _open_dataset(work, *place, name)
        _open_all(work, doors, meant.tables, groups)
        return profile_tables(work.profiler.database, work.tables, work.findings)


def profile_sources(doors: Doors, tables: Sequence[TableToLookAt], files: Sequence[str], samples: tuple[int, int]) -> SourceProfile:
    """The profile of files and of tables of databases; `samples`: the most rows to look at of files, of a table. Raises `UserError`."""
    groups = chosen_files(tuple(Source(s) for s in files), ()) if files else ()
    with _working(None, samples[0]) as work:
        work.profiler.from_tables = samples[1]
        _open_all(work, doors, tables, groups)
        found = profile_tables(work.profiler.database, work.tables, work.findings)
        return SourceProfile(found, groups, {t.name: t.ask.place for t in tables})


def _open_all(work: _Work, doors: Doors, tables: Sequence[TableToLookAt], groups: Sequence[Group]) -> None:
    for table in tables:
        opened = open_table(work.profiler, doors, table)
        work.findings += opened.findings
        work.tables.append(opened.table)
    for group in groups:
        _open_files(work, group)


def doors_of(house: House | None, root: Path | None = None) -> Doors:
    """How databases are opened in a project, or where there is none."""
    from xde.app.connecting import Apis
    from xde.app.revealing import Revealing
    from xde.ground.clock import SystemClock

    if house is not None:
        return Doors(house.revealed, house.root, house.clock, house.apis())
    here = root or Path.cwd()
    return Doors(Revealing(here), here, SystemClock(), Apis(here))


def _project(stack: ExitStack, root: Callable[[], Path], environment: str | None, *, needed: bool) -> tuple[Understanding, House] | None:
    """The project around, if there is one."""
    try:
        folder = root()
    except UserError:
        if needed:
            raise
        return None
    from xde.app.opening import opened

    known, house = opened(folder.resolve(), environment, working_tree=False)
    stack.callback(house.close)
    return known, house


def _known_names(place: tuple[Understanding, House] | None) -> tuple[str, ...]:
    datasets = place[0].project.datasets if place else ()
    return tuple(dict.fromkeys([*datasets, *(n.partition(".")[0] for n in datasets)]))


def _meant(place: tuple[Understanding, House] | None, doors: Doors, wish: Wish) -> _Meant:
    """What of the project, of databases and of files somebody named. Raises `UserError` for what is neither."""
    if place is not None and wish.everything:
        pointers = place[1].ledger.pointers(place[1].environment)
        return _Meant(tuple(n for n in place[0].project.datasets if n in pointers))
    names: dict[str, None] = {}
    tables: list[TableToLookAt] = []
    files: list[Source] = []
    findings: list[Finding] = []
    for said in wish.sources:
        inside = [n for n in place[0].project.datasets if n == said or n.startswith(f"{said}.")] if place is not None else []
        if place is not None and inside:
            built, there = _of_project(*place, said, inside, at_source=wish.at_source)
            names.update(dict.fromkeys(built))
            tables += [t for t in there if isinstance(t, TableToLookAt)]
            files += [f for f in there if isinstance(f, Source)]
        elif (address := address_of(said, doors.root)) is not None:
            found, told = tables_at(doors, address, [t.name for t in tables])
            tables += found
            findings += told
        else:
            files.append(Source(said))
    return _Meant(tuple(names), tuple(tables), tuple(files), tuple(findings))


def _of_project(
    known: Understanding, house: House, said: str, inside: Sequence[str], *, at_source: bool
) -> tuple[list[str], list[TableToLookAt | Source]]:
    """Datasets as they were loaded; a table of a database that was not, and whatever is asked for at its source, as it is there."""
    pointers = house.ledger.pointers(house.environment)
    built = [] if at_source else [n for n in inside if n in pointers]
    there: list[TableToLookAt | Source] = []
    for name in inside:
        reading = known.readings.get(name)
        if reading is None or name in built:
            continue
        if reading.ask is not None and reading.ask.place.kind not in NO_CATALOGUE:
            there.append(table_of(known, name, reading))
        elif at_source and reading.ask is None and reading.push is None and reading.store is None:
            there.append(Source(str(known.project.root / reading.root / reading.pattern)))
    if not built and not there and at_source:
        why = "only files of the project, and tables of databases, are looked at where they are"
        hint = f"look at it as it was loaded: `xde profile {said}`" + (
            f", after `xde run {inside[0]}`" if inside[0] not in pointers else ""
        )
        raise UserError(Finding("XDE0385", f"`{said}` is not looked at where it comes from", why=why, hint=hint))
    if not built and not there:
        hint = f"load it: `xde run {inside[0]}`; or profile the files themselves"
        raise UserError(Finding("XDE0724", f"`{said}` has not been built in `{house.environment}` yet", hint=hint))
    return built, there


def table_of(known: Understanding, name: str, reading: Reading) -> TableToLookAt:
    """A dataset where it comes from. Raises a finding where clear values would be shown of what has in-flight steps."""
    if reading.ask is None or reading.private:
        why = f"`{name}` has in-flight steps: clear values would be shown, and put on a disk meanwhile"
        hint = f"look at what is kept: `xde run {name}`, then `xde profile {name}`"
        raise UserError(Finding("XDE0342", "this source is not looked into", why=why, hint=hint))
    return TableToLookAt(name, reading.ask, reading.fields, _personal(known, name))


def _personal(known: Understanding, name: str) -> dict[str, Personal]:
    promised = known.project.datasets[name].object
    return {p.name: Personal("personal", "high", "the contract says so") for p in (promised.properties if promised else ()) if p.personal}


@contextmanager
def _working(house: House | None, sample: int) -> Iterator[_Work]:
    """An engine, and a folder for what is read of files; both are let go of at the end."""
    from xde.connectors.duckdb.ingestion.loader import DuckdbLoader
    from xde.connectors.duckdb.profiled import DuckdbProfiler
    from xde.connectors.duckdb.session import DuckdbSession
    from xde.kernel.project.settings import EngineSettings

    folder = Path(tempfile.mkdtemp(prefix="xde-profile-"))
    session = house.session if house else DuckdbSession(EngineSettings(), folder)
    try:
        with session.scope() as scope:
            yield _Work(DuckdbProfiler(scope, DuckdbLoader(session.cursor), folder, sample))
    finally:
        if house is None:
            session.close()
        shutil.rmtree(folder, ignore_errors=True)


def _open_dataset(work: _Work, known: Understanding, house: House, name: str) -> None:
    said = _personal(known, name)
    pointers = house.ledger.pointers(house.environment)
    if known.is_view(name):
        inputs = {n: _input(house, n, pointers) for n in known.reads(name)}
        views = {**known.views(name), name: known.model(name).sql}
        given = {**known.project.settings.parameters, "today": house.clock.now().date()}
        rows = work.profiler.view(name, Query("", {}, views, known.view_parameters(views), given), inputs)
    else:
        rows = work.profiler.dataset(name, _input(house, name, pointers))
    if not rows.count:
        work.findings.append(_no_rows(name))
    work.tables.append(Opened(name, f"{house.environment}:{name}", rows, personal=said))


def _input(house: House, name: str, pointers: dict[str, str]) -> Input:
    snapshot = house.lake.snapshot(TableId(name, pointers[name])) if name in pointers else None
    if snapshot is None:
        raise UserError(
            Finding("XDE0724", f"`{name}` has not been built in `{house.environment}` yet", hint=f"build it: `xde run +{name}`")
        )
    return Input(snapshot.schema, snapshot.paths)


def _open_files(work: _Work, group: Group) -> None:
    """Files by their own dialect, which is guessed here and nowhere else."""
    from xde.app.file_sources import dialect_of, found_files

    found = found_files(group)
    if group.format == "parquet":
        delivered, dialect = work.profiler.parquet(group.name, found), Dialect("parquet")
    else:
        dialect, names, findings = dialect_of(group)
        work.findings += findings
        profiler = replace(work.profiler, folder=work.profiler.folder / group.name, tables=work.profiler.tables)
        delivered = profiler.texts(group.name, found, dialect, names)
    work.findings += _said_of(group, delivered)
    source = str(group.folder / group.pattern)
    work.tables.append(
        Opened(group.name, source, delivered.rows, delivered.readings, _words(dialect, delivered), len(group.files), delivered.refused)
    )


def _words(dialect: Dialect, delivered: Delivered) -> dict[str, object]:
    """The dialect in the words of a contract."""
    told: dict[str, object] = {"format": dialect.format}
    if dialect.format == "csv":
        told |= {"delimiter": "\\t" if dialect.delimiter == "\t" else dialect.delimiter, "quote": dialect.quote}
        told |= {"escape": dialect.escape} if dialect.escape != dialect.quote else {}
        told |= {"header": dialect.header, "encoding": dialect.encoding}
        told |= {"skip": dialect.skip} if dialect.skip else {}
        told |= {"comment": dialect.comment} if dialect.comment else {}
        told |= {"decimal": dialect.decimal} if dialect.decimal != "." else {}
    if dialect.records_at:
        told["recordsAt"] = dialect.records_at
    if delivered.nulls:
        told["nullWords"] = list(delivered.nulls)
    if delivered.missing:
        told["missingColumns"] = list(delivered.missing)
    return told


def _said_of(group: Group, delivered: Delivered) -> list[Finding]:
    path = str(group.folder / group.pattern)
    found = []
    if not delivered.rows.count:
        found.append(_no_rows(path))
    if delivered.refused:
        found.append(
            Finding(
                "XDE0381",
                f"records of `{path}` do not fit the dialect that its beginning shows: {delivered.refused:,}",
                why="they have more or fewer fields than the header, or bytes that are no text; they are not in the figures",
                hint="look at them: load the file by a contract, then `xde letters list`",
                severity=Severity.WARNING,
            )
        )
    if delivered.missing:
        columns = listed([f"`{n}`" for n in delivered.missing])
        message = f"not every file of `{path}` has {columns}"
        found.append(Finding("XDE0382", message, hint="profile the files apart if they are not of one kind", severity=Severity.WARNING))
    return found


def _no_rows(name: str) -> Finding:
    hint = "figures need rows: have it delivered again, or load what is new with `xde run`"
    return Finding("XDE0377", f"`{name}` has no rows", hint=hint, severity=Severity.WARNING)
