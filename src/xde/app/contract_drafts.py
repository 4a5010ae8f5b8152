"""A first contract from files and databases: profiled, written, read again by our own reader, and put in place over nothing."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from xde.app.addresses import address_of
from xde.app.profiling import doors_of, profile_sources, table_of
from xde.app.table_profiles import NO_CATALOGUE, tables_at
from xde.ground.errors import Bug, UserError
from xde.ground.findings import Finding
from xde.kernel.project.files import SETTINGS_FILE
from xde.kernel.project.odcs import read_contract
from xde.undercurrents.management.contract_drafts.databases import Server, TablePlace
from xde.undercurrents.management.contract_drafts.drafting import Place, contract_text
from xde.undercurrents.management.profiling.naming import identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from xde.app.table_profiles import Doors, TableToLookAt
    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.undercurrents.management.profiling.naming import Group

SAMPLE = 20_000_000
TABLE_SAMPLE = 1_000_000
"""So many rows of a table of a database: what must be exact is declared there, and others wait for the server too."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The text of a contract, how many questions are in it, what is odd about the files, and where it was written, if it was."""

    text: str
    tables: tuple[str, ...]
    questions: int
    findings: tuple[Finding, ...]
    path: str = ""


def draft(root: Callable[[], Path], sources: Sequence[str], output: Path | None, *, force: bool, sample: int = SAMPLE) -> Draft:
    """Draft a contract of files and databases. Raises `UserError` for what cannot be read, and for an output that is there already."""
    if output is not None and output.exists() and not force:
        hint = "name another file with `--output`, or write over it with `--force`"
        raise UserError(Finding("XDE0379", f"`{output}` is there already", hint=hint))
    try:
        home = root().resolve()
    except UserError:
        home = Path.cwd()
    with _meant(home, sources) as meant:
        if (home / SETTINGS_FILE).is_file():
            _not_in_the_clear(home, meant.files)
        found = profile_sources(meant.doors, meant.tables, meant.files, (sample, TABLE_SAMPLE))
    formats = {t.name: str(t.dialect["format"]) for t in found.profile.tables if t.origin is None}
    places: dict[str, Place | TablePlace] = {
        g.name: Place(_folder(g.folder, home), g.pattern, formats[g.name], len(g.files)) for g in found.groups
    }
    for table in meant.tables:
        place = table.ask.place
        places[table.name] = TablePlace(Server(place.kind, tuple(place.settings.items())), table.ask.relation)
    name = identifier(output.stem) if output is not None else meant.name or _only(found.groups)
    text = contract_text(name, found.profile, places)
    _proved(text, output)
    if output is not None:
        _write(output, text, force=force)
    tables = tuple(t.name for t in found.profile.tables)
    findings = (*meant.findings, *found.profile.findings)
    return Draft(text, tables, text.count("# question: "), findings, str(output or ""))


def _only(groups: Sequence[Group]) -> str:
    return groups[0].name if len(groups) == 1 else identifier(groups[0].folder.resolve().name)


@dataclass(slots=True)
class _Meant:
    """What a draft is to be made of: files, and tables of databases with the doors to them; `name` is that of the first database."""

    doors: Doors
    files: list[str] = field(default_factory=list)
    tables: list[TableToLookAt] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    name: str = ""


@contextmanager
def _meant(home: Path, sources: Sequence[str]) -> Iterator[_Meant]:
    """Files, patterns and addresses as they are; for a source or dataset of the project what its contract names."""
    named = [s for s in sources if not Path(s).exists() and not any(c in s for c in "*?[") and "://" not in s]
    with ExitStack() as stack:
        known: Understanding | None = None
        house: House | None = None
        if named and (home / SETTINGS_FILE).is_file():
            from xde.app.opening import opened

            known, house = opened(home, None, working_tree=True)
            stack.callback(house.close)
        meant = _Meant(doors_of(house, home))
        for said in sources:
            inside = [n for n in known.project.datasets if said in {n, n.partition(".")[0]}] if known is not None and said in named else []
            if known is not None and inside:
                _of_contract(meant, known, said, inside, home)
            elif (address := address_of(said, home)) is not None:
                tables, findings = tables_at(meant.doors, address, [t.name for t in meant.tables])
                meant.tables += tables
                meant.findings += findings
                meant.name = meant.name or identifier(address.name)
            else:
                meant.files.append(said)
        yield meant


def _of_contract(meant: _Meant, known: Understanding, said: str, inside: Sequence[str], home: Path) -> None:
    """The files and tables that a contract names. Raises a finding for what has none."""
    readings = [known.readings[n] for n in inside if n in known.readings]
    if not readings:
        hint = f"begin with the contract of a model by `xde new model`, or profile it: `xde profile {said}`"
        raise UserError(Finding("XDE0385", f"`{said}` is computed: there are no files to draft a contract from", hint=hint))
    for reading in readings:
        if reading.store is not None:
            told = f"the files of `{reading.dataset}` are in a store: a draft is made from files that are here"
            hint = f"bring some of them here and name them, or load it and look at what is there: `xde profile {reading.dataset}`"
            raise UserError(Finding("XDE0385", told, hint=hint))
        if reading.ask is None:
            meant.files.append(str(home / reading.root / reading.pattern))
            continue
        if reading.ask.place.kind in NO_CATALOGUE or reading.ask.query is not None:
            hint = f"load it, and look at what is there: `xde profile {reading.dataset}`"
            told = f"`{reading.dataset}` is no table and no files: there is no catalogue to draft a contract from"
            raise UserError(Finding("XDE0385", told, hint=hint))
        table = table_of(known, reading.dataset, reading)
        meant.tables.append(replace(table, name=reading.dataset.partition(".")[2], fields=()))
        meant.name = meant.name or reading.dataset.partition(".")[0]


def _not_in_the_clear(home: Path, sources: Sequence[str]) -> None:
    """Refuse files of a source with in-flight steps; a project that cannot be read is no hindrance, unless it may have such."""
    from xde.app.file_sources import Source, chosen_files
    from xde.app.opening import opened
    from xde.app.recovering import refuse_in_the_clear

    try:
        known, house = opened(home, None, working_tree=True)
    except UserError:
        if any("nFlight" in p.read_text(encoding="utf-8", errors="replace") for p in (home / "sources").rglob("*.y*ml")):
            raise
        return
    with closing(house):
        refuse_in_the_clear(house, known, [f for g in chosen_files(tuple(Source(s) for s in sources), ()) for f in g.files])


def _folder(folder: Path, home: Path) -> str:
    """As the project writes it: relative to its root where it is below it."""
    whole = folder.resolve()
    return whole.relative_to(home).as_posix() if whole.is_relative_to(home) else whole.as_posix()


def _proved(text: str, output: Path | None) -> None:
    """What we write we must be able to read."""
    _, _, findings = read_contract(text.encode(), str(output or "draft.yaml"))
    if findings:
        told = "; ".join(f.message for f in findings)
        msg = f"the draft is no contract that can be read: {told}"
        raise Bug(msg)


def _write(output: Path, text: str, *, force: bool) -> None:
    """Write beside the file, then put it in its place at once; over nothing unless told so."""
    aside = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(text, encoding="utf-8")
        if force:
            aside.replace(output)
        else:
            os.link(aside, output)
    except FileExistsError as error:
        raise UserError(Finding("XDE0379", f"`{output}` is there already", hint="name another file with `--output`")) from error
    except OSError as error:
        said = f"`{output}` cannot be written: {(error.strerror or str(error)).lower()}"
        raise UserError(Finding("XDE0007", said, hint="name another file with `--output`")) from error
    finally:
        aside.unlink(missing_ok=True)
