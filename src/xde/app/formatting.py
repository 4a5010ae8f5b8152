"""Files of SQL put into lines anew: heads stay as they are written, what cannot be read is told of and left alone."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from xde.app.flows import book_of
from xde.ground.errors import UserError
from xde.ground.findings import Finding, Findings
from xde.ground.names import did_you_mean
from xde.ground.spans import Span
from xde.kernel.graph.flows.expanding import expand
from xde.kernel.graph.resolve import faults_of
from xde.kernel.graph.text.parse import read_text
from xde.kernel.project.declarations import FlowFile
from xde.kernel.project.files import project_files
from xde.kernel.project.model_reader import read_model, sql_begins
from xde.kernel.project.yaml_reader import decoded
from xde.undercurrents.engineering.formatting.formatting import format_sql
from xde.undercurrents.engineering.formatting.pieces import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xde.kernel.graph.flows.book import FlowBook

MODELS = "models"


class Formatted(NamedTuple):
    """A file: its path as it is shown, its text before and after; the two are one where nothing is to change, or `findings` say why not."""

    path: str
    place: Path
    before: str
    after: str
    findings: tuple[Finding, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether the file is not in the form."""
        return self.before != self.after


def formatted(root: Path | None, paths: Sequence[Path]) -> Iterator[Formatted]:
    """Every SQL file that is named or lies in a folder that is; all models of the project when nothing is named. Writes nothing."""
    places = list(_places(root, paths))
    book = _book(root)
    for place in places:
        yield _formatted(place, _shown(place, root), book)


def put(file: Formatted) -> None:
    """Write a file aside, then in its place. Raises `UserError` where that is not possible."""
    aside = file.place.with_name(f".{file.place.name}.{os.getpid()}.part")
    try:
        aside.write_bytes(file.after.encode("utf-8"))
        aside.chmod(file.place.stat().st_mode & 0o7777)
        aside.replace(file.place)
    except OSError as error:
        said = f"`{file.path}` cannot be written: {(error.strerror or str(error)).lower()}"
        raise UserError(Finding("XDE0007", said, Span(file.path), hint="look at the rights of the file and its folder")) from error
    finally:
        aside.unlink(missing_ok=True)


def unformatted(file: Formatted) -> Finding:
    """That a file is not in the form, at the first line that would be another."""
    lines = zip(file.before.splitlines(), file.after.splitlines(), strict=False)
    line = next((n for n, (one, other) in enumerate(lines, 1) if one != other), 1)
    return Finding("XDE0238", f"`{file.path}` is not formatted", Span(file.path, line), "here", hint="run `xde format`")


def _places(root: Path | None, paths: Sequence[Path]) -> Iterator[Path]:
    if not paths and root is not None:
        yield from (root / f.path for f in project_files(root).models if f.path.endswith(".sql"))
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*.sql") if not any(part.startswith(".") for part in p.relative_to(path).parts))
        elif path.is_file():
            yield path
        else:
            siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
            hint = did_you_mean(path.name, siblings) or "name a file of SQL, or a folder of them"
            raise UserError(Finding("XDE0239", f"there is no `{path}`", hint=hint))


def _book(root: Path | None) -> FlowBook:
    """The flows that may be called; what is wrong with the project's own is for others to tell."""
    files = []
    for file in project_files(root).flows if root is not None else ():
        text, finding = decoded(file.content or b"", file.path)
        files += [FlowFile(file.path, text)] if finding is None else []
    return book_of(files, root or Path(), Findings())


def _shown(place: Path, root: Path | None) -> str:
    """The path as findings write it: relative to the project where it lies in it."""
    if root is not None and place.resolve().is_relative_to(root.resolve()):
        return place.resolve().relative_to(root.resolve()).as_posix()
    return place.as_posix()


def _formatted(place: Path, shown: str, book: FlowBook) -> Formatted:
    try:
        content = place.read_bytes()
    except OSError as error:
        said = f"`{shown}` cannot be read: {(error.strerror or str(error)).lower()}"
        return Formatted(shown, place, "", "", (Finding("XDE0239", said, Span(shown), hint="look at its rights"),))
    text, finding = decoded(content, shown)
    if finding is not None:
        return Formatted(shown, place, "", "", (finding,))
    wrong = _wrong(content, shown, book)
    if wrong:
        return Formatted(shown, place, text, text, tuple(wrong))
    plain = text.replace("\r\n", "\n")
    at = sql_begins(plain)
    try:
        after = plain[:at] + _after_head(plain, at)
    except UnreadableError as error:
        why = str(error)
        hint = "leave the file as it is, and tell us of it"
        return Formatted(shown, place, text, text, (Finding("XDE0237", f"`{shown}` cannot be formatted", Span(shown), why=why, hint=hint),))
    if content.startswith(b"\xef\xbb\xbf"):
        text, after = "\ufeff" + text, "\ufeff" + after
    return Formatted(shown, place, text, after.replace("\n", "\r\n") if "\r\n" in text else after)


def _after_head(text: str, at: int) -> str:
    """The SQL in its form; behind a head that ends in the middle of a line it begins a line of its own."""
    sql = format_sql(text[at:])
    return sql if at == 0 or text[at - 1] == "\n" else "\n" + sql


def _wrong(content: bytes, shown: str, book: FlowBook) -> list[Finding]:
    """What keeps the text from being SQL; a wrong call of a flow does not."""
    model, told = read_model("it", shown, content)
    if model is None:
        return told
    made = expand(model.sql, book)
    if made.faults or (made.expansion is not None and made.expansion.broken):
        return []
    model = replace(model, sql=made.sql, expansion=made.expansion)
    findings = Findings()
    reading = read_text(model.sql)
    faults_of(model, reading._replace(faults=tuple(f for f in reading.faults if f.code in {"XDE0203", "XDE0211", "XDE0212"})), findings)
    return list(findings)
