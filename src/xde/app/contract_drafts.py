"""A first contract from files: profiled, written, read again by our own reader, and put in place over nothing."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from xde.app.profiling import profile_files
from xde.ground.errors import Bug, UserError
from xde.ground.findings import Finding
from xde.kernel.project.files import SETTINGS_FILE
from xde.kernel.project.odcs import read_contract
from xde.undercurrents.management.contract_drafts.drafting import Place, contract_text
from xde.undercurrents.management.profiling.naming import identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SAMPLE = 20_000_000


@dataclass(frozen=True, slots=True)
class Draft:
    """The text of a contract, how many questions are in it, what is odd about the files, and where it was written, if it was."""

    text: str
    tables: tuple[str, ...]
    questions: int
    findings: tuple[Finding, ...]
    path: str = ""


def draft(root: Callable[[], Path], sources: Sequence[str], output: Path | None, *, force: bool, sample: int = SAMPLE) -> Draft:
    """Draft a contract of files. Raises `UserError` for files that cannot be read, and for an output that is there already."""
    if output is not None and output.exists() and not force:
        hint = "name another file with `--output`, or write over it with `--force`"
        raise UserError(Finding("XDE0379", f"`{output}` is there already", hint=hint))
    try:
        home = root().resolve()
    except UserError:
        home = Path.cwd()
    files = _files(home, sources)
    if (home / SETTINGS_FILE).is_file():
        _not_in_the_clear(home, files)
    found = profile_files(files, sample)
    formats = {t.name: str(t.dialect["format"]) for t in found.profile.tables}
    places = {g.name: Place(_folder(g.folder, home), g.pattern, formats[g.name], len(g.files)) for g in found.groups}
    only = found.groups[0].name if len(found.groups) == 1 else identifier(found.groups[0].folder.resolve().name)
    name = identifier(output.stem) if output is not None else only
    text = contract_text(name, found.profile, places)
    _proved(text, output)
    if output is not None:
        _write(output, text, force=force)
    tables = tuple(t.name for t in found.profile.tables)
    return Draft(text, tables, text.count("# question: "), found.profile.findings, str(output or ""))


def _files(home: Path, sources: Sequence[str]) -> list[str]:
    """Files and patterns as they are; for a source or dataset of the project the files that its contract names."""
    named = [s for s in sources if not Path(s).exists() and not any(c in s for c in "*?[")]
    if not named or not (home / SETTINGS_FILE).is_file():
        return list(sources)
    from xde.app.opening import opened

    known, house = opened(home, None, working_tree=True)
    house.close()
    found: list[str] = []
    for said in sources:
        inside = [n for n in known.project.datasets if said in {n, n.partition(".")[0]}] if said in named else []
        readings = [known.readings[n] for n in inside if n in known.readings]
        if inside and not readings:
            hint = f"begin with the contract of a model by `xde new model`, or profile it: `xde profile {said}`"
            raise UserError(Finding("XDE0385", f"`{said}` is computed: there are no files to draft a contract from", hint=hint))
        if any(r.ask is not None for r in readings):
            hint = f"load it, and look at what is there: `xde profile {inside[0]}`"
            raise UserError(Finding("XDE0385", f"`{said}` is in a database: there are no files to draft a contract from", hint=hint))
        found += [str(home / r.root / r.pattern) for r in readings] or [said]
    return found


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
