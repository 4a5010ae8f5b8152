"""Which type the texts of a column have, and which of them mean that a value is missing: told only where no text contradicts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.undercurrents.management.profiling.facts import TextReading
from xde.undercurrents.management.profiling.port import Candidate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.undercurrents.management.profiling.port import Texts

NULL_WORDS = ("na", "n/a", "#n/a", "null", "none", "nil", "nan", "\\n", "-", "--", "?", ".", "(null)", "missing", "unknown")
PLAIN_NULLS = frozenset({"na", "n/a", "#n/a", "null", "\\n", "(null)"})
"""Words that mean a missing value also in a column of text."""
SHOWN = 300
_CODE = re.compile(r"[A-Z]{2}\Z")
ALMOST = 0.02
TEXT = Candidate("VARCHAR", "string")
_DAYS = ("dd.MM.yyyy", "MM/dd/yyyy", "dd/MM/yyyy", "yyyy/MM/dd", "dd-MM-yyyy", "MM-dd-yyyy", "dd-MMM-yyyy", "dd MMM yyyy")
_CLOCKS = ("HH:mm", "HH:mm:ss", "hh:mm:ss a", "hh:mm a")
CANDIDATES = (
    Candidate("BOOLEAN", "boolean"),
    Candidate("BIGINT", "integer"),
    Candidate("DOUBLE", "number"),
    Candidate("DATE", "date"),
    Candidate("TIMESTAMP", "timestamp"),
    Candidate("TIMESTAMP WITH TIME ZONE", "timestamp"),
    Candidate("TIME", "time"),
    *(Candidate("DATE", "date", d) for d in _DAYS),
    *(Candidate("TIMESTAMP", "timestamp", f"{d} {c}") for d in _DAYS for c in _CLOCKS),
    *(Candidate("TIMESTAMP WITH TIME ZONE", "timestamp", f"{d} {c} xx") for d in _DAYS for c in _CLOCKS),
)


def read_texts(texts: Texts) -> tuple[Mapping[str, TextReading], tuple[str, ...]]:
    """The reading of each column, and the words that mean missing in the whole of the file.

    A word is one of the file where it alone keeps a column from being numbers or moments; others that are plain enough are of their column.
    """
    found = texts.words(NULL_WORDS)
    nulls = tuple(dict.fromkeys(w for words in found.values() for w in words))
    present = texts.present(nulls)
    asked = _narrowed(texts, nulls, [n for n in texts.names() if present[n][0]])
    misfits = texts.misfits(asked, nulls)
    readings = {n: _reading(texts, n, nulls, asked.get(n, ()), misfits.get(n, ()), present[n]) for n in texts.names()}
    of_file = tuple(dict.fromkeys(w for n, r in readings.items() if r.logical != "string" for w in found.get(n, {})))
    codes = _codes(texts, [n for n, r in readings.items() if r.logical == "string" and found.get(n)], nulls)
    kept = {n: {w: c for w, c in found.get(n, {}).items() if w in of_file or n not in codes} for n in readings}
    return {n: _with_words(r, kept[n], of_file, present[n][0]) for n, r in readings.items()}, of_file


def _codes(texts: Texts, names: Sequence[str], nulls: Sequence[str]) -> frozenset[str]:
    """Columns of codes of two letters, where `NA` is Namibia or North America."""
    shown = texts.some(names, nulls, SHOWN)
    return frozenset(n for n, values in shown.items() if values and sum(bool(_CODE.match(v)) for v in values) >= 0.8 * len(values))


def _narrowed(texts: Texts, nulls: Sequence[str], names: Sequence[str]) -> Mapping[str, Sequence[Candidate]]:
    """The candidates whose form some texts have, so that of all rows few questions are asked."""
    shown = texts.some(names, nulls, SHOWN)
    return {n: [c for c in CANDIDATES if _alike(_FORMS[c], shown[n])] for n in names}


def _alike(form: re.Pattern[str], values: Sequence[str]) -> bool:
    return sum(form.match(v) is None for v in values) <= ALMOST * len(values)


def _form(candidate: Candidate) -> re.Pattern[str]:
    """What the texts of a candidate look like; wider than what its values are."""
    plain = _PLAIN.get(candidate.type, ".*") if candidate.format is None else _written(candidate.format)
    return re.compile(rf"\s*{plain}\s*\Z", re.IGNORECASE)


def _written(pattern: str) -> str:
    words = {"yyyy": r"\d{4}", "MMM": "[a-z]{3}", "MM": r"\d{1,2}", "a": "[ap]m", "xx": r"([+-]\d{2}:?\d{2}|z)"}
    return re.sub(r"[A-Za-z]+|[^A-Za-z]+", lambda m: words.get(m[0], r"\d{1,2}") if m[0].isalpha() else re.escape(m[0]), pattern)


_PLAIN = {
    "BOOLEAN": "(true|false|t|f|yes|no)",
    "BIGINT": r"[+-]?\d+",
    "DOUBLE": r"[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?",
    "DATE": r"\d{4}-\d{2}-\d{2}",
    "TIMESTAMP": r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}([.]\d+)?)?)?",
    "TIMESTAMP WITH TIME ZONE": r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}([.]\d+)?)? ?(z|utc|[+-]\d{2}(:?\d{2})?)",
    "TIME": r"\d{2}:\d{2}(:\d{2}([.]\d+)?)?",
}
_FORMS = {c: _form(c) for c in CANDIDATES}


def _reading(
    texts: Texts, name: str, nulls: Sequence[str], asked: Sequence[Candidate], misfits: Sequence[int], present: tuple[int, int]
) -> TextReading:
    fitting = [c for c, wrong in zip(asked, misfits, strict=True) if not wrong]
    if not fitting:
        near = min(zip(misfits, range(len(asked)), strict=True), default=None)
        if near is None or near[0] > ALMOST * present[0]:
            return TextReading()
        candidate = asked[near[1]]
        return TextReading(almost=(candidate.logical, near[0], tuple(texts.wrong(name, candidate, nulls))))
    chosen = fitting[0]
    if chosen.logical in {"integer", "number"} and present[1]:
        return TextReading(zeros=present[1])
    others = [c.format for c in fitting if c.format and c.type == chosen.type]
    if chosen.format and len(others) > 1:
        return TextReading(either=tuple(o for o in others if o))
    return TextReading(chosen.type, chosen.logical, chosen.format)


def _with_words(reading: TextReading, found: Mapping[str, int], of_file: Sequence[str], present: int) -> TextReading:
    if reading.logical == "string":
        found = {w: n for w, n in found.items() if w in of_file or w.casefold() in PLAIN_NULLS} if present else {}
    if not found:
        return reading
    return TextReading(reading.type, reading.logical, reading.format, found, reading.almost, reading.either, reading.zeros)
