"""What data shows of itself: datasets of a project, or files that no contract knows yet, opened and profiled."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from xde.app.file_sources import Source, chosen_files
from xde.app.recovering import refuse_in_the_clear
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
    from collections.abc import Callable, Iterator, Sequence

    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.connectors.duckdb.profiled import Delivered, DuckdbProfiler
    from xde.undercurrents.management.profiling.naming import Group

SAMPLE = 1_000_000


@dataclass(frozen=True, slots=True)
class Wish:
    """What to profile: datasets, sources of the project, files and patterns of files; or all datasets. `sample` rows at most."""

    sources: tuple[str, ...] = ()
    everything: bool = False
    sample: int = SAMPLE


@dataclass(slots=True)
class _Work:
    """What was opened so far."""

    profiler: DuckdbProfiler
    tables: list[Opened] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FileProfile:
    """A profile of files, with the groups of files that its tables are."""

    profile: Profile
    groups: tuple[Group, ...]


def profile(root: Callable[[], Path], environment: str | None, wish: Wish) -> Profile:
    """The profile of what a wish names. Raises `UserError` for what is not there or cannot be read."""
    with ExitStack() as stack:
        place = _project(stack, root, environment, needed=wish.everything)
        names, others = _datasets(place, wish)
        groups = chosen_files(others, _known_names(place)) if others else ()
        if place is not None:
            refuse_in_the_clear(place[1], place[0], [f for g in groups for f in g.files])
        work = stack.enter_context(_working(place[1] if place else None, wish.sample))
        for name in names:
            assert place is not None  # noqa: S101 - names of datasets come from a project
            _open_dataset(work, *place, name)
        for group in groups:
            _open_files(work, group)
        return profile_tables(work.profiler.database, work.tables, work.findings)


def profile_files(sources: Sequence[str], sample: int) -> FileProfile:
    """The profile of files alone. Raises `UserError`."""
    groups = chosen_files(tuple(Source(s) for s in sources), ())
    with _working(None, sample) as work:
        for group in groups:
            _open_files(work, group)
        return FileProfile(profile_tables(work.profiler.database, work.tables, work.findings), groups)


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


def _datasets(place: tuple[Understanding, House] | None, wish: Wish) -> tuple[list[str], tuple[Source, ...]]:
    """The datasets that are meant, and what is left: files."""
    if place is None:
        return [], tuple(Source(s) for s in wish.sources)
    known, house = place
    pointers = house.ledger.pointers(house.environment)
    everything = list(known.project.datasets)
    if wish.everything:
        return [n for n in everything if n in pointers], ()
    names: dict[str, None] = {}
    others: list[Source] = []
    for said in wish.sources:
        inside = [n for n in everything if n == said or n.startswith(f"{said}.")]
        built = [n for n in inside if n in pointers]
        if inside and not built:
            raise UserError(
                Finding(
                    "XDE0724",
                    f"`{said}` has not been built in `{house.environment}` yet",
                    hint=f"load it: `xde run {inside[0]}`; or profile the files themselves",
                )
            )
        names.update(dict.fromkeys(built))
        if not inside:
            others.append(Source(said))
    return list(names), tuple(others)


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
    promised = known.project.datasets[name].object
    said = {p.name: Personal("personal", "high", "the contract says so") for p in (promised.properties if promised else ()) if p.personal}
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
