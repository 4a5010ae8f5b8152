"""Results of cases as JUnit XML, within what the schema of Jenkins' xUnit plug-in (`junit-10.xsd`) allows, which every CI reads."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from xde.faces.words.cases import failure
from xde.faces.words.findings import Look, finding_text
from xde.faces.words.mutants import survivor, title
from xde.faces.words.report import DIFFERENT, differs
from xde.ground.findings import Severity
from xde.undercurrents.engineering.mutants.killing import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.app.mutating import ModelMutants
    from xde.app.testing import CaseResult
    from xde.faces.words.report import Report
    from xde.ground.findings import Finding

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2


def junit(report: Report) -> str:
    """A suite for each file of cases; a finding that belongs to no case is an error in the suite of its file, a warning is none."""
    suites: dict[str, tuple[list[CaseResult], list[Finding]]] = defaultdict(lambda: ([], []))
    for result in report.results:
        suites[result.case.path][0].append(result)
    for finding in report.findings:
        if finding.severity is Severity.ERROR:
            suites[finding.span.path if finding.span else "project"][1].append(finding)
    whole = ET.Element("testsuites", name="xde")
    for path in sorted(suites):
        whole.append(_suite(path, *suites[path], report))
    for model in report.mutants:
        whole.append(_mutants(model, report))
    for figure in ("tests", "failures", "errors"):
        whole.set(figure, str(sum(int(s.get(figure, "0")) for s in whole)))
    whole.set("time", f"{sum(r.seconds for r in report.results) + sum(m.seconds for m in report.mutants):.3f}")
    ET.indent(whole)
    return ET.tostring(whole, encoding="unicode", xml_declaration=False).join(("<?xml version='1.0' encoding='UTF-8'?>\n", "\n"))


def _suite(path: str, results: Sequence[CaseResult], findings: Sequence[Finding], report: Report) -> ET.Element:
    failed = [r for r in results if not r.passed]
    failures = sum(differs(r) for r in failed)
    suite = ET.Element(
        "testsuite",
        name=_text(path),
        tests=str(len(results) + len(findings)),
        failures=str(failures),
        errors=str(len(failed) - failures + len(findings)),
        skipped=str(sum(r.skipped for r in results)),
        time=f"{sum(r.seconds for r in results):.3f}",
        timestamp=report.at.strftime("%Y-%m-%dT%H:%M:%S"),
        file=_text(report.prefix() + path),
    )
    look = Look(report.root)
    for result in results:
        suite.append(_case(result, look))
    for finding in findings:
        case = ET.SubElement(suite, "testcase", name=_text(f"{finding.code}: {finding.message}"), classname="xde", time="0.000")
        error = ET.SubElement(case, "error", type=finding.code, message=_text(finding.message))
        error.text = _text(finding_text(finding, look))
    return suite


def _case(result: CaseResult, look: Look) -> ET.Element:
    case = ET.Element("testcase", name=_text(result.case.name), classname=result.case.dataset, time=f"{result.seconds:.3f}")
    if result.skipped:
        ET.SubElement(case, "skipped", message="it passed before, and nothing that it sees has changed")
    elif not result.passed:
        found = result.verdict.findings
        kind = found[0].code if found else DIFFERENT
        message = "; ".join(f.message for f in found) or "other rows came than were expected"
        wrong = ET.SubElement(case, "failure" if differs(result) else "error", type=kind, message=_text(message))
        wrong.text = _text(failure(result, look, sql=True))
    return case


def _mutants(found: ModelMutants, report: Report) -> ET.Element:
    """A suite for each model, a test for each of its mutants; a survivor is a failure where the score is too low, else it is skipped."""
    survived = found.killing.of(State.SURVIVED)
    suite = ET.Element(
        "testsuite",
        name=_text(f"mutants of {found.dataset}"),
        tests=str(found.killing.count),
        failures=str(len(survived) if report.below else 0),
        errors="0",
        skipped=str(0 if report.below else len(survived)),
        time=f"{found.seconds:.3f}",
        timestamp=report.at.strftime("%Y-%m-%dT%H:%M:%S"),
        file=_text(report.prefix() + found.path),
    )
    for fate in (*found.killing.of(State.KILLED), *survived):
        case = ET.SubElement(suite, "testcase", name=_text(title(found, fate)), classname=found.dataset, time="0.000")
        if fate.state is State.SURVIVED:
            finding = survivor(found, fate, Severity.ERROR)
            wrong = ET.SubElement(case, "failure" if report.below else "skipped", type=finding.code, message=_text(finding.message))
            wrong.text = _text(finding_text(finding, Look(report.root)))
    return suite


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
