"""Cases as text: rows written so that the reader gets back what was there, and added to a file without touching what stands in it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal

_PLAIN = re.compile(r"[A-Za-z0-9_+./-](?:[A-Za-z0-9_+./ :-]*[A-Za-z0-9_+./-])?\Z")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_INDENTED = re.compile(r"^( *)- ", re.MULTILINE)


def row_text(row: Mapping[str, object]) -> str:
    """A row in one line: `{order_id: 1, status: placed}`."""
    return "{" + ", ".join(f"{_word(name)}: {value_text(value)}" for name, value in row.items()) + "}"


def value_text(value: object) -> str:
    """A value in YAML, as the reader of cases takes it."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return str(value)
        case float():
            return repr(value)
        case datetime():
            return _word(value.astimezone(UTC).isoformat().replace("+00:00", "Z") if value.tzinfo else value.isoformat(sep=" "))
        case date() | time():
            return _word(value.isoformat())
        case list() | tuple():
            return "[" + ", ".join(_within(v) for v in value) + "]"
        case dict():
            return "{" + ", ".join(f"{json.dumps(n)}: {_within(v)}" for n, v in value.items()) + "}"
        case _:
            return _word(str(value))


def _within(value: object) -> str:
    """A value within another: there a text that looks like a number would be one."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else value_text(value)


def _word(text: str) -> str:
    """A text by itself if YAML reads it as it stands, else in double quotes (whose escapes are those of JSON)."""
    if text in _NULLS or not _PLAIN.match(text) or ": " in text or text.endswith(":") or text.startswith("- "):
        return json.dumps(text, ensure_ascii=False)
    return text


def case_text(name: str, given: Mapping[str, Sequence[Mapping[str, object]]], expect: Sequence[str], note: str = "") -> list[str]:
    """The lines of a case; `expect` are the lines below `expect:`, or one of them that follows it."""
    lines = [f"- name: {_word(name)}"]
    lines += [f"  description: {_word(note)}"] if note else []
    lines += [f"  {line}" for line in _tables("given", given)]
    if len(expect) == 1 and not expect[0].startswith("- "):
        return [*lines, f"  expect: {expect[0]}"]
    return [*lines, "  expect:", *(f"    {line}" for line in expect)] if expect else [*lines, "  expect: []"]


Tables = Mapping[str, Sequence[Mapping[str, object]]]


def case_of_runs(name: str, runs: Sequence[tuple[str, Tables]], expect: str) -> list[str]:
    """The lines of a case of several runs: each with what comes before it (`given` or `add`), and what the last must give."""
    lines = [f"- name: {_word(name)}", "  runs:"]
    for number, (word, tables) in enumerate(runs, 1):
        own = [*_tables(word, tables), *([f"expect: {expect}"] if number == len(runs) else [])]
        lines += [f"    {'  ' if place else '- '}{line}" for place, line in enumerate(own)]
    return lines


def _tables(word: str, tables: Tables) -> list[str]:
    lines = [f"{word}:"] if tables else []
    for dataset, rows in tables.items():
        lines += [f"  {dataset}: []"] if not rows else [f"  {dataset}:", *(f"    - {row_text(r)}" for r in rows)]
    return lines


def appended(text: str | None, dataset: str, word: str, lines: Sequence[str]) -> str:
    """A file of cases with one more at its end, indented as the others; without a file, a new one for the dataset."""
    if text is None or not text.strip():
        return "\n".join([f"{word}: {dataset}", "cases:", *(f"  {line}" for line in lines)]) + "\n"
    _, _, below = text.partition("\ncases:")
    found = _INDENTED.search(below)
    indent = found.group(1) if found else "  "
    own = [] if re.search(rf"^{word}: *{re.escape(dataset)} *(#.*)?$", text, re.MULTILINE) else [f"  {word}: {dataset}"]
    block = [lines[0], *own, *lines[1:]]
    return text.rstrip("\n") + "\n" + "\n".join(indent + line for line in block) + "\n"
