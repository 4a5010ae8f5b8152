"""`xde import dbt`: another tool's project read, carried over, read again by our own reader, and put in place as a whole."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from xde.app.scaffold import making
from xde.ground.errors import UserError
from xde.ground.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xde.undercurrents.engineering.dbt.outcome import Project
    from xde.undercurrents.engineering.dbt.report import Report

REPORT = "IMPORT.md"
_READS = re.compile(r"`([^`]+)` reads a column that (?:`([^`]+)` does not (?:have|give)|none of its inputs has): `([^`]+)`")
_ROUNDS = 60
"""So often at most is the new project read: each time but the last something is added to it or taken out."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A new project: its folder, its files, and what is told of it."""

    folder: Path
    files: tuple[str, ...]
    report: Report


def import_dbt(source: Path, into: Path | None, page: Callable[[Report], str]) -> Imported:
    """Make an xde project of a dbt project; `page` makes the text of `IMPORT.md`. Raises `UserError`; then nothing was written.

    The folder must be empty or not there yet (XDE0008). A crash leaves no project: at most a hidden folder beside it.
    """
    try:
        from xde.undercurrents.engineering.dbt.carrying import carry
        from xde.undercurrents.engineering.dbt.files import read_files
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in {"jinja2", "markupsafe"}:
            raise
        why = "templates of dbt are written in Jinja, and jinja2 is not installed"
        raise UserError(Finding("XDE0171", "dbt projects cannot be read here", why=why, hint="pip install 'xde[dbt]'")) from error
    files = read_files(source)
    target = into if into is not None else Path(f"{files.name}_xde")
    project = carry(files)
    with making(target) as aside:
        _prove(project, aside)
        project.files[REPORT] = page(project.report)
        _write(project, aside)
    return Imported(target, tuple(sorted(project.files)), project.report)


def _prove(project: Project, folder: Path) -> None:
    """Read the new project as `xde plan` does, and mend it until it can be read: columns of sources are added, models taken out."""
    for _ in range(_ROUNDS):
        _write(project, folder)
        findings = _read(folder)
        if not any(f.severity is Severity.ERROR for f in findings) or not _mended(project, findings):
            project.report.unread += findings
            return


def _read(folder: Path) -> Sequence[Finding]:
    from xde.app.opening import understood

    try:
        known = understood(folder)
    except UserError as error:
        return error.findings
    else:
        from xde.app.case_files import CaseFiles

        _, told = CaseFiles(folder).cases(known)
        return [*known.warnings, *told]
    finally:
        shutil.rmtree(folder / ".xde", ignore_errors=True)


def _mended(project: Project, findings: Sequence[Finding]) -> bool:
    errors = [f for f in findings if f.severity is Severity.ERROR]
    added = [_column_added(project, f) for f in errors]  # all of them, not only the first
    held = [] if any(added) else [_held(project, f) for f in errors]
    return any(added) or any(held)


def _column_added(project: Project, finding: Finding) -> bool:
    """Whether a model reads a column of a source that nobody described, which is now added."""
    found = _READS.match(finding.message) if finding.code == "XDE0204" else None
    if found is None:
        return False
    origin = project.origins.get(found[1])
    reads = [d for d in (origin.reads if origin else ()) if d in project.open_sources]
    dataset = found[2] if found[2] in project.open_sources else reads[0] if len(reads) == 1 else ""
    return project.column_of_source(dataset, found[3], origin.place if origin else None)


def _held(project: Project, finding: Finding) -> bool:
    path = finding.span.path if finding.span is not None else ""
    reason = f"{finding.message} [{finding.code}]" + (f": {finding.why}" if finding.why else "")
    if path.startswith("models/") and path.endswith(".sql"):
        return project.hold(path.removeprefix("models/").removesuffix(".sql").replace("/", "."), reason, finding.hint)
    if path.startswith(("models/", "tests/")) and path.endswith(".yaml"):
        return project.hold_contract(path, reason)
    return False


def _write(project: Project, folder: Path) -> None:
    """The files as they are now, and no others."""
    shutil.rmtree(folder, ignore_errors=True)
    for path, text in sorted(project.files.items()):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="")
