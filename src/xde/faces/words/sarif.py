"""Findings and failed cases as SARIF 2.1.0 (OASIS), which code hosts show at the very lines; a rule is a code with its page."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import quote

from xde import __version__
from xde.faces.words.cases import differences
from xde.faces.words.mutants import survivor
from xde.faces.words.pages import pages
from xde.faces.words.report import DIFFERENT
from xde.ground.digests import digest
from xde.ground.findings import Severity
from xde.undercurrents.engineering.mutants.killing import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xde.app.testing import CaseResult
    from xde.faces.words.report import Report
    from xde.ground.findings import Finding
    from xde.ground.spans import Span

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_TOP = "%SRCROOT%"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_NOWHERE = "xde.yaml"


def sarif(report: Report) -> str:
    """The whole log. Paths are relative to the top of the repository that holds the project, columns count characters."""
    results = [
        *_findings(report.findings, report.prefix()),
        *(r for c in report.results if not c.passed for r in _case(c, report.prefix())),
        *_findings(_survivors(report), report.prefix()),
    ]
    codes = sorted({str(r["ruleId"]) for r in results})
    marks = Counter[str]()
    for result in results:
        mark = str(result.pop("same"))
        marks[mark] += 1
        result |= {"ruleIndex": codes.index(str(result["ruleId"])), "partialFingerprints": {"xde/v1": f"{mark}:{marks[mark]}"}}
    driver = {"name": "xde", "version": __version__, "semanticVersion": __version__, "rules": _rules(codes)}
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": True, "startTimeUtc": report.at.strftime("%Y-%m-%dT%H:%M:%SZ")}],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rules(codes: list[str]) -> list[dict[str, object]]:
    known = {p.code: p for p in pages()}
    return [
        {
            "id": code,
            "shortDescription": {"text": known[code].title},
            "fullDescription": {"text": known[code].title},
            "help": {"text": known[code].text, "markdown": known[code].text},
        }
        if code in known
        else {"id": code}
        for code in codes
    ]


def _survivors(report: Report) -> list[Finding]:
    """Mutants that nothing noticed: errors where the score is too low."""
    severity = Severity.ERROR if report.below else Severity.WARNING
    return [survivor(m, f, severity) for m in report.mutants for f in m.killing.of(State.SURVIVED)]


def _findings(findings: Iterable[Finding], prefix: str) -> list[dict[str, object]]:
    return [_result(f.code, _LEVELS[f.severity], _words(f), f.span, (prefix, f.message)) for f in findings]


def _case(result: CaseResult, prefix: str) -> list[dict[str, object]]:
    """A result for each finding of a case, and one for rows that differ."""
    case, verdict = result.case, result.verdict
    title = f"{case.dataset}: {case.name}"
    found = [
        _result(f.code, _LEVELS[f.severity], f"{title}: {_words(f)}", f.span or case.span, (prefix, title + f.message))
        for f in verdict.findings
    ]
    if verdict.comparison is not None and not verdict.comparison.equal:
        text = "\n".join([f"{title}: other rows came than were expected", "", *differences(verdict.comparison)])
        found.append(_result(DIFFERENT, "error", text, case.span, (prefix, title)))
    return found


def _result(code: str, level: str, text: str, span: Span | None, told: tuple[str, str]) -> dict[str, object]:
    """`told`: what leads to the project, and what makes the result the same one in a later run, wherever its line is then.

    That is kept as `same` until the whole is put together, for two results may say the same of two places.
    """
    prefix, same = told
    path = prefix + (span.path if span else _NOWHERE)
    place = {"artifactLocation": {"uri": quote(path), "uriBaseId": _TOP}, "region": _region(span)}
    return {
        "ruleId": code,
        "level": level,
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
        "same": digest(code, path, same),
    }


def _region(span: Span | None) -> dict[str, int]:
    if span is None:
        return {"startLine": 1}
    region = {"startLine": max(span.line, 1), "startColumn": max(span.column, 1)}
    if span.end_line >= span.line and span.end_column and (span.end_line > span.line or span.end_column > span.column):
        region |= {"endLine": span.end_line, "endColumn": span.end_column}
    return region


def _words(finding: Finding) -> str:
    return "\n".join(t for t in (finding.message, finding.why and f"why: {finding.why}", finding.hint and f"hint: {finding.hint}") if t)
