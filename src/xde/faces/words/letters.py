"""Dead letters in words: a list, and one of them as it came, with a caret where the reason names the value."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from xde.faces.words.cells import cut, visible, width
from xde.faces.words.excerpt import gutter, pointed
from xde.faces.words.ink import PLAIN, Ink
from xde.faces.words.table import Column, draw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.app.answers import LetterLine, ReplayOutcome
    from xde.lifecycle.ingestion.port import Letter, LetterReason

_QUOTED = re.compile(r"`([^`]+)`")
_LINES = 40  # of one record


def letters_text(lines: Sequence[LetterLine], *, ink: Ink = PLAIN, cells: int | None = None) -> str:
    """Letters as a table; ends with a line end."""
    columns = [Column("id"), Column("dataset"), Column("status"), Column("place"), Column("reason")]
    rows = [[x.letter.id, x.letter.dataset, x.status, f"{x.letter.file}:{x.letter.line}", _reasons(x.letter)] for x in lines]
    return "\n".join(draw(columns, rows, ink=ink, cells=cells).lines) + "\n"


def _reasons(letter: Letter) -> str:
    return "; ".join(reason_text(r) for r in letter.reasons)


def reason_text(reason: LetterReason) -> str:
    """`wind_speed [range]: 1048.36 is above 300`."""
    return f"{reason.column} [{reason.rule}]: {reason.message}" if reason.column else f"[{reason.rule}] {reason.message}"


def letter_text(line: LetterLine, *, ink: Ink = PLAIN, cells: int = 100) -> str:
    """One letter: what became of it, where it came from, its record and why it was not accepted; ends with a line end."""
    letter = line.letter
    head = f"dead letter {letter.id} of `{letter.dataset}`: {line.status}" + (f" ({visible(line.note)})" if line.note else "")
    text = letter.raw.decode("utf-8", errors="backslashreplace").removesuffix("\n").removesuffix("\r")
    records = text.split("\n")
    digits = len(str(letter.line + min(len(records), _LINES) - 1))
    shown = [
        ink("strong", head),
        f"{' ' * (digits + 1)}{ink('mark', '-->')} {visible(letter.file)}:{letter.line}",
        gutter(None, digits, ink),
    ]
    for index, record in enumerate(records[:_LINES] if text or not letter.redacted else ()):
        shown += _record(record, letter.line + index, letter.reasons, (digits, cells, ink))
    if len(records) > _LINES:
        shown.append(f"{gutter(None, digits, ink)} ... {len(records) - _LINES:,} more lines; `--raw` shows all")
    shown.append(gutter(None, digits, ink))
    shown += [f"{' ' * (digits + 2)}{ink('mark', '=')} {visible(reason_text(r))}" for r in letter.reasons]
    if letter.redacted:
        shown.append(f"{' ' * (digits + 2)}{ink('mark', '=')} the record is not kept, for its source has in-flight steps")
    shown.append(f"{' ' * (digits + 2)}{ink('mark', '=')} run {letter.run} at {letter.at}")
    return "\n".join(shown) + "\n"


def _record(record: str, number: int, reasons: Sequence[LetterReason], look: tuple[int, int, Ink]) -> list[str]:
    digits, cells, ink = look
    found = _place(record, reasons)
    if found is None:
        return [f"{gutter(number, digits, ink)} {cut(visible(record[: 4 * cells]), cells)}"]
    start, end, label = found
    text, first, length = pointed(record, start, end, cells)
    return [
        f"{gutter(number, digits, ink)} {text}",
        f"{gutter(None, digits, ink)} {' ' * first}{ink('error', '^' * length + ' ' + visible(label))}",
    ]


def _place(record: str, reasons: Sequence[LetterReason]) -> tuple[int, int, str] | None:
    """Where the value that a reason quotes stands, if it stands there once as a whole; a wrong caret is worse than none."""
    for reason in reasons:
        for value in _QUOTED.findall(reason.message):
            places = [m.start() for m in re.finditer(rf"(?<!\w){re.escape(value)}(?!\w)", record)]
            if len(places) == 1 and width(value):
                return places[0], places[0] + len(value), reason.column or reason.rule
    return None


def replay_text(outcome: ReplayOutcome) -> str:
    """What a replay gave, in one line and one for each letter that failed again; ends with a line end."""
    lines = [f"{outcome.dataset}: {outcome.accepted:,} accepted, {len(outcome.again):,} dead again"]
    lines += [f"  {x.id}  {visible(x.file)}:{x.line}  {visible(_reasons(x))}" for x in outcome.again]
    return "\n".join(lines) + "\n"


def letter_fact(line: LetterLine) -> dict[str, object]:
    """A letter as JSON data; a record that is not UTF-8 stands in `raw_base64`, and `raw` is null."""
    return {**_letter(line.letter), "status": line.status, "note": line.note}


def _letter(letter: Letter) -> dict[str, object]:
    try:
        raw, encoded = letter.raw.decode("utf-8"), None
    except UnicodeDecodeError:
        raw, encoded = None, base64.b64encode(letter.raw).decode("ascii")
    return {
        "id": letter.id,
        "dataset": letter.dataset,
        "file": letter.file,
        "file_digest": letter.file_digest,
        "line": letter.line,
        "offset": letter.offset,
        "raw": raw,
        "raw_base64": encoded,
        **({"redacted": True} if letter.redacted else {}),
        "reasons": [{"rule": r.rule, "column": r.column, "message": r.message} for r in letter.reasons],
        "run": letter.run,
        "at": letter.at,
    }


def replay_fact(outcome: ReplayOutcome) -> dict[str, object]:
    """A replay as JSON data."""
    return {
        "dataset": outcome.dataset,
        "accepted": outcome.accepted,
        "snapshot": outcome.snapshot,
        "again": [_letter(x) for x in outcome.again],
    }
