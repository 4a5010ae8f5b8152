"""A file that was staged, and what is known of its records."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import TYPE_CHECKING

from xde.connectors.duckdb.ingestion.sieving import Sieved
from xde.connectors.duckdb.ingestion.splitting import Record
from xde.connectors.duckdb.ingestion.words import looked_at
from xde.ground.digests import digest, numbered_digests
from xde.lifecycle.ingestion.port import Letter
from xde.lifecycle.sources.messages import unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xde.connectors.duckdb.ingestion.stage import Bad
    from xde.connectors.duckdb.ingestion.text_files import TextFile
    from xde.connectors.duckdb.ingestion.typed_rows import Typed
    from xde.lifecycle.ingestion.port import FileToLoad, LetterReason, LoadJob


@dataclass(slots=True)
class Delivery:
    """A file that was staged: the number of its records, what the reader refused of it, where its letters' own bytes are.

    `numbered` are the records of a document, by their number in it and in their order; a Parquet file has neither.
    """

    file: FileToLoad
    records: int
    text: TextFile | Sieved | None = None
    numbered: Sequence[tuple[int, str]] = ()
    header: tuple[str, ...] = ()
    typed: Typed | None = None
    written: int = 0  # rows of it that no stage has seen

    @property
    def refused(self) -> int:
        return len(self.text.refused) if self.text else 0

    @property
    def through(self) -> int:
        """The rows that are written already."""
        return self.text.through.rows if isinstance(self.text, Sieved) else self.written


def of_document(given: Delivery, bad: Bad) -> Record:
    """A record of a document, or of a Parquet file."""
    below = 2 if given.typed is not None else 1  # a header would stand above them
    number, text = given.numbered[bad.position] if given.numbered else (bad.position + below, bad.raw or "")
    return Record(number, -1, text.encode())


def in_its_part(letter: Letter, file: FileToLoad) -> Letter:
    """A letter by the file of several that its record stood in."""
    begins, name = file.parts[bisect_right(file.parts, letter.line, key=itemgetter(0)) - 1]
    return replace(letter, file=name, line=letter.line - begins + 1, offset=None)


def letters_of(
    job: LoadJob, given: Delivery, found: Sequence[tuple[Record, Sequence[LetterReason]]], instead: Iterator[str] | None = None
) -> list[Letter]:
    """Letters of records; `instead` is what may be shown of those that could be read, of the others nothing may."""
    file, header = given.file, given.header
    common = (job.dataset, file.found.path, file.digest)
    seen: Counter[bytes] = Counter()
    by_line = numbered_digests(*common)
    letters = []
    for record, reasons in found:
        why = tuple([looked_at(r, record.raw, header, job.dialect) for r in reasons] if record.refused else reasons)
        raw = unpacked(record.raw) if job.dialect.packed else record.raw
        if instead is not None:
            raw = b"" if record.refused else next(instead).encode()
        if file.unordered:
            seen[raw] += 1
            ident = digest(*common, raw.hex(), seen[raw])
        else:
            ident = by_line(record.line)
        offset = record.offset if record.offset >= 0 else None
        letters.append(Letter(ident, *common, record.line, raw, why, job.run, job.at, offset, header, instead is not None))
    return [in_its_part(x, file) for x in letters] if file.parts else letters
