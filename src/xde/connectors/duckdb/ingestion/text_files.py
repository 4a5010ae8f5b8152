"""What CSV files and files of one record a line have in common: the reader's refusals, and each letter's own bytes and place."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import duckdb

from xde.connectors.duckdb.ingestion.splitting import Record, Splitting, lines_as_records, records
from xde.connectors.duckdb.ingestion.words import no_balance, structural
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from xde.connectors.duckdb.ingestion.delivered import Content
    from xde.lifecycle.ingestion.port import Dialect, LetterReason


@dataclass(slots=True)
class Refused:
    """A record that the reader refused: its length in bytes, its reasons."""

    length: int
    reasons: list[LetterReason]


@dataclass(slots=True)
class TextFile:
    """A text file under way: `above` physical lines, `rows_above` rows to the reader, stand before its first record.

    What the reader refused is known by its offset. `plain` says that there are as many lines as records, and so that each is one.
    """

    content: Content
    splitting: Splitting
    above: int = 0
    rows_above: int = 0
    plain: bool = False
    refused: dict[int, Refused] = field(default_factory=dict)

    def reader(self, cursor: duckdb.DuckDBPyConnection, dialect: Dialect, columns: Sequence[str], stage: Callable[[str], None]) -> None:
        """Hand the relation of the file's records to `stage`, then keep what the reader refused.

        Everything that the reader could guess is written down: a dialect is never sniffed.
        """
        table = f"rejects_{uuid.uuid4().hex[:12]}"
        try:
            stage(self._relation(dialect, columns, table))
            self._keep_refused(cursor, table)
        except duckdb.InvalidInputException as error:
            raise UserError(
                Finding(
                    "XDE0414",
                    f"`{self.content.file.path}` cannot be read as `{dialect.format}`",
                    why=" ".join(str(error).split())[:160],
                    hint="look at its first lines, and write its delimiter, quote and encoding in `xdeDialect`",
                )
            ) from error

    def _relation(self, dialect: Dialect, columns: Sequence[str], table: str) -> str:
        listed = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in columns)
        csv = dialect.format == "csv"
        nulls = ", ".join(literal(n) for n in dialect.nulls) if csv and dialect.nulls and not dialect.trim else "''"
        options = [
            f"columns = {{{listed}}}",
            "auto_detect = false",
            "header = false",
            f"skip = {self.rows_above:d}",
            f"delim = {literal(dialect.delimiter if csv else chr(1))}",
            f"quote = {literal(dialect.quote if csv else '')}",
            f"escape = {literal(dialect.escape if csv and dialect.quote else '')}",
            f"nullstr = [{nulls}]",
            f"compression = {literal(self.content.packed)}",
            "strict_mode = true",
            "store_rejects = true",
            "rejects_limit = 0",
            f"rejects_line_size_limit = {dialect.max_record_bytes:d}",
            f"rejects_table = {literal(table)}",
            f"rejects_scan = {literal(table + '_scan')}",
            f"max_line_size = {dialect.max_record_bytes:d}",
        ]
        if csv and not dialect.quoted_nulls:
            options.append("allow_quoted_nulls = false")
        if self.content.line_end:
            options.append(f"new_line = {literal(self.content.line_end)}")
        if csv and dialect.comment:
            options.append(f"comment = {literal(dialect.comment)}")
        return f"read_csv({literal(self.content.path)}, {', '.join(options)})"

    def _keep_refused(self, cursor: duckdb.DuckDBPyConnection, table: str) -> None:
        """The reader counts the line ends before a record as its own; here a record begins where its text does."""
        rows = cursor.execute(
            f"SELECT line_byte_position, csv_line, error_type, column_name, error_message FROM {quoted(table)} ORDER BY line, column_idx"
        ).fetchall()
        cursor.execute(f"DROP TABLE IF EXISTS {quoted(table)}")
        cursor.execute(f"DROP TABLE IF EXISTS {quoted(table + '_scan')}")
        for offset, text, kind, _, message in rows:
            taken = str(text or "")
            begins = taken.lstrip("\r\n")
            length = len(begins.rstrip("\r\n").encode("utf-8", "replace"))
            record = self.refused.setdefault(int(offset) - 1 + len(taken) - len(begins), Refused(length, []))
            reason = structural(str(kind), None, str(message))
            if reason not in record.reasons:
                record.reasons.append(reason)

    def count(self) -> int:
        """The records, counted one by one, apart from the reader."""
        return sum(1 for _ in self.every())

    def letters(self, dataset: str, bad: Mapping[int, Sequence[LetterReason]]) -> list[tuple[Record, Sequence[LetterReason]]]:
        """What could not be accepted, in the order of the file; `bad` goes by a record's position among those not refused (from 0)."""
        found: list[tuple[Record, Sequence[LetterReason]]] = []
        wanted = len(bad) + len(self.refused)
        position = 0
        positions = sorted(bad)
        for record in self._plainly(positions) if self.plain else self.every():
            if record.refused:
                found.append((self.as_delivered(record), self.refused[record.offset].reasons))
            elif self.plain:
                found.append((self.as_delivered(record), bad[positions[position]]))
                position += 1
            else:
                if position in bad:
                    found.append((self.as_delivered(record), bad[position]))
                position += 1
            if len(found) == wanted:
                break
        if len(found) != wanted:
            raise no_balance(dataset, self.content.file.path, position + len(self.refused), position - len(bad), len(found))
        return found

    def as_delivered(self, record: Record) -> Record:
        """A record by the bytes and the place that it had in what was delivered."""
        own = self.content.own
        if own and self.content.encoding == "utf-8":
            return record
        return Record(record.line, record.offset if own else -1, self.content.verbatim(record.raw), record.refused)

    def _plainly(self, positions: Sequence[int]) -> Iterator[Record]:
        with self.content.open() as stream:
            yield from lines_as_records(stream, self._lengths(), positions, self.above)

    def _lengths(self) -> dict[int, int]:
        return {offset: refused.length for offset, refused in self.refused.items()}

    def every(self) -> Iterator[Record]:
        """All records, one by one, apart from the reader."""
        with self.content.open() as stream:
            yield from records(stream, self.splitting, self._lengths(), self.above)
