"""Letters as files again: each by the header of the file it came from, and one that leaves a quote open by itself."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from xde.connectors.duckdb.ingestion.delivered import encoding_of
from xde.connectors.duckdb.ingestion.splitting import Splitting
from xde.lifecycle.ingestion.port import FileToLoad, Letter
from xde.lifecycle.sources.messages import line_of
from xde.lifecycle.sources.port import FoundFile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from xde.lifecycle.ingestion.port import Dialect, LoadJob


@dataclass(slots=True)
class Replayed:
    """The letters of a file made of letters, and the line on which each begins in it (from 1)."""

    header: tuple[str, ...]
    letters: list[Letter] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    content: list[bytes] = field(default_factory=list)
    lines: int = 0

    def add(self, letter: Letter, raw: bytes) -> None:
        """Put a letter at the end."""
        self.letters.append(letter)
        self.starts.append(self.lines + 1)
        self.content.append(raw)
        self.lines += raw.count(b"\n") + 1


@dataclass(frozen=True, slots=True)
class LetterFiles:
    """Files made of letters, by their paths, and how they are read."""

    dialect: Dialect
    files: tuple[FileToLoad, ...]
    replayed: dict[str, Replayed]

    def of(self, job: LoadJob) -> LoadJob:
        """The job of reading them."""
        return replace(job, dialect=self.dialect, files=self.files)


def letters_as_files(letters: Sequence[Letter], dialect: Dialect, scratch: Path) -> LetterFiles:
    """Write letters as files in UTF-8; documents become a record a line."""
    encoding = encoding_of(dialect)
    text = dialect.format in {"csv", "ndjson", "fixed_width"}
    plain = replace(dialect, compression="none", encoding="utf-8", skip=0, header=False, comment=None)
    if not text:
        plain = replace(plain, format="ndjson", records_at=None)
    groups: dict[tuple[object, ...], Replayed] = {}
    for nth, letter in enumerate(letters):
        raw = _in_utf8(letter.raw, encoding if text else "utf-8")
        if dialect.format == "json":
            raw = b" ".join(raw.splitlines())
        if dialect.packed:
            raw = line_of(raw)
        splitting = Splitting.of_csv(plain, len(letter.header)) if plain.format == "csv" else Splitting()
        alone = (nth,) if _leaves_open(raw, splitting) else ()
        groups.setdefault((letter.header, *alone), Replayed(letter.header)).add(letter, raw)
    files = []
    for nth, group in enumerate(groups.values()):
        target = scratch / f"letters-{nth}"
        size = target.write_bytes(b"".join(raw + b"\n" for raw in group.content))
        files.append(FileToLoad(FoundFile(target.name, str(target), size, 0), ""))
    return LetterFiles(plain, tuple(files), dict(zip((f.found.path for f in files), groups.values(), strict=True)))


def still_dead(of: Replayed, failed: Sequence[Letter]) -> list[Letter]:
    """The letters that failed again, as they were first told, with the reasons of now.

    Of a letter that was corrected into several records only those that failed stay.
    """
    by_letter: dict[int, list[Letter]] = {}
    for letter in failed:
        at = bisect_right(of.starts, letter.line) - 1
        by_letter.setdefault(at, []).append(letter)
    result = []
    for at, records in by_letter.items():
        reasons = tuple(dict.fromkeys(r for x in records for r in x.reasons))
        raw = of.letters[at].raw if _is_whole(of, at, records) else b"\n".join(x.raw for x in records)
        result.append(replace(of.letters[at], raw=raw, reasons=reasons, run=records[0].run, at=records[0].at))
    return result


def _is_whole(of: Replayed, at: int, records: Sequence[Letter]) -> bool:
    """Whether all of a letter failed; then its own bytes stand, in the encoding in which they came."""
    return len(records) == 1 and records[0].raw.strip(b"\r\n") == of.content[at].strip(b"\r\n")


def _in_utf8(raw: bytes, encoding: str) -> bytes:
    try:
        return raw if encoding == "utf-8" else raw.decode(encoding).encode()
    except UnicodeError:
        return raw


def _leaves_open(raw: bytes, splitting: Splitting) -> bool:
    within = False
    for line in raw.splitlines(keepends=True):
        within = splitting.still_open(line, within=within)
    return within
