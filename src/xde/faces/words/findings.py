"""Findings in words: what, where with the line and a caret, why, and how to mend it; or the same as data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from xde.faces.words.cells import visible
from xde.faces.words.excerpt import excerpt, gutter
from xde.faces.words.ink import PLAIN, Ink
from xde.faces.words.numbers import amount
from xde.ground.findings import Severity
from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xde.ground.findings import Finding
    from xde.ground.spans import Span

_WORST_FIRST = tuple(Severity)


@dataclass(frozen=True, slots=True)
class Look:
    """Where the spans' paths start, in which ink, and how many cells a quoted line may take."""

    root: Path = Path()
    ink: Ink = PLAIN
    cells: int = 100


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """In order of severity, then of place."""
    return sorted(findings, key=lambda f: (_WORST_FIRST.index(f.severity), _place(f.span)))


def _place(span: Span | None) -> tuple[str, int, int]:
    return (span.path, span.line, span.column) if span else ("", 0, 0)


def findings_text(findings: Sequence[Finding], look: Look | None = None) -> str:
    """Every finding, worst first, and a last line that counts them when there are several; ends with a line end."""
    look = look or Look()
    blocks = [finding_text(f, look) for f in worst_first(findings)]
    if len(blocks) > 1:
        blocks.append(count_text(findings) + "\n")
    return "\n".join(blocks)


def finding_text(finding: Finding, look: Look) -> str:
    """One finding, as in the style: code and message, place, line and caret, why, hint."""
    ink = look.ink
    head = ink(finding.severity.value, f"{finding.severity.value}[{finding.code}]")
    lines = [f"{head}{ink('strong', ': ' + visible(finding.message))}"]
    digits, quoted = 1, False
    if finding.span is not None:
        shown, digits = excerpt(look.root, finding.span, finding.label, ink=ink, cells=look.cells)
        lines.append(f"{' ' * (digits + 1)}{ink('mark', '-->')} {visible(str(finding.span))}")
        if shown:
            quoted = True
            lines += [gutter(None, digits, ink), *shown, gutter(None, digits, ink)]
    if finding.why:
        lines += _indented(f"{' ' * (digits + 2)}{ink('mark', '=')} why: ", finding.why, digits + 9)
    if finding.hint:
        if finding.why or not quoted:
            lines.append("")
        lines += _indented(ink("info", "hint") + ": ", finding.hint, 6)
    return "\n".join(lines) + "\n"


def _indented(head: str, text: str, blanks: int) -> list[str]:
    first, *more = [visible(line) for line in text.split("\n")]
    return [head + first, *(" " * blanks + line for line in more)]


def count_text(findings: Iterable[Finding]) -> str:
    """`2 errors, 1 warning`."""
    severities = [f.severity for f in findings]
    nouns = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "remark"}
    return ", ".join(amount(severities.count(s), nouns[s]) for s in _WORST_FIRST if s in severities)


def finding_fact(finding: Finding) -> dict[str, object]:
    """A finding as JSON data; `place` is null where there is none, lines and columns count from 1."""
    span = finding.span
    place = span and {
        "path": span.path,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line or span.line,
        "end_column": span.end_column or span.column + 1,
    }
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "place": place,
        "label": finding.label,
        "why": finding.why,
        "hint": finding.hint,
    }


def findings_fact(findings: Iterable[Finding]) -> dict[str, object]:
    """The document that a failed `--json` command prints."""
    return {"findings": [finding_fact(f) for f in worst_first(findings)]}
