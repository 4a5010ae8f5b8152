"""Coverage in words: the model's own lines with a mark, and below a line what no case has yet; only what is missed, unless all is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.words.cells import cut, visible, width
from xde.faces.words.excerpt import TAB
from xde.faces.words.ink import PLAIN, Ink
from xde.faces.words.numbers import amount
from xde.undercurrents.engineering.coverage import branch as words
from xde.undercurrents.engineering.coverage.covering import Mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from xde.app.covering import ModelCoverage
    from xde.faces.words.ink import Role
    from xde.undercurrents.engineering.coverage.branch import Branch
    from xde.undercurrents.engineering.coverage.covering import Coverage, Line

_MARKS: dict[Mark, tuple[Role, str]] = {
    Mark.PLAIN: ("dim", " "),
    Mark.COVERED: ("good", "+"),
    Mark.PARTLY: ("warning", "~"),
    Mark.MISSED: ("error", "-"),
}
_MISSED = {
    words.KEPT: "no row passes",
    words.LEFT_OUT: "no row is left out",
    words.UNKNOWN: "never unknown (NULL)",
    words.MATCHED: "no row finds a match",
    words.LEFT_ALONE: "no left row without match",
    words.RIGHT_ALONE: "no right row without match",
    words.SEVERAL: "no row with several matches",
    words.ELSE_TAKEN: "never taken",
    words.FALLBACK_USED: "the fallback is never used",
    words.FALLBACK_NOT_NEEDED: "the fallback is always used",
    words.IS_NULL: "never NULL",
    words.IS_NOT_NULL: "always NULL",
    words.MADE_NULL: "never made NULL",
    words.NOT_MADE_NULL: "always made NULL",
    words.NO_ROW: "no group without such a row",
    words.ONE_ROW: "no group of one row",
    words.SEVERAL_ROWS: "no group of several rows",
}
_WIDEST = 120
_FULL = 100.0


def model_text(found: ModelCoverage, ink: Ink = PLAIN, *, whole: bool = False, cells: int | None = None) -> str:
    """A model's lines, and below them what no case has; with `whole` also the lines where nothing is missing."""
    coverage, digits = found.coverage, len(str(found.first + len(found.lines)))
    text = [f"{ink('strong', found.dataset)}  {percent(coverage, ink)}  {reached(coverage, found.cases)}  {ink('dim', found.path)}"]
    if not whole and (coverage.reached == len(coverage.branches) or not found.cases):
        return text[0] + "\n"
    room = max(min(cells or _WIDEST, _WIDEST) - digits - 5, 40)
    before = None
    for line in found.lines:
        missed = [b for b, count in line.hits if not count]
        if not whole and not missed:
            continue
        if not whole and before is not None and line.number > before + 1:
            text.append(ink("dim", f"{'':>{digits}} ..."))
        before = line.number
        text += _line(line, found.first, (digits, room, ink))
    text += [ink("dim", said) for said in _beside(found)] if whole else []
    return "\n".join(text) + "\n"


def _beside(found: ModelCoverage) -> Iterator[str]:
    """What is no branch, and why."""
    for u in found.coverage.unprobed:
        yield f"not counted: line {found.first + u.line - 1}, `{visible(u.text)}`: {visible(u.reason)}"
    for r in found.coverage.ruled_out:
        yield f"cannot be: line {found.first + r.line - 1}, `{visible(r.text)}`, {r.outcome}: {r.reason}"


def percent(coverage: Coverage, ink: Ink = PLAIN) -> str:
    """`81 %`; 100 only where nothing is missed."""
    return ink("good" if coverage.percent == _FULL else "warning" if coverage.reached else "error", f"{int(coverage.percent)} %")


def reached(coverage: Coverage, cases: int) -> str:
    """`26 of 32 branches, 3 cases`."""
    branches = f"{coverage.reached:,} of {amount(len(coverage.branches), 'branch', 'branches')}"
    return f"{branches if coverage.branches else 'no branches'}, {amount(cases, 'case') if cases else 'no case'}"


def _line(line: Line, first: int, look: tuple[int, int, Ink]) -> list[str]:
    digits, room, ink = look
    role, sign = _MARKS[line.mark]
    text = [
        f"{ink('mark', f'{first + line.number - 1:>{digits}}')} {ink(role, sign)} {ink('mark', '|')} {cut(_flat(line.text), room)}".rstrip()
    ]
    margin = f"{'':>{digits}}   {ink('mark', '|')} "
    for here, label in _by_fragment(line):
        start = min(width(_flat(line.text[: here.column - 1])), room - 1)
        length = min(width(_flat(line.text[here.column - 1 : _end(line.text, here)])), room - start)
        text.append(f"{margin}{' ' * start}{ink('warning', '^' * max(length, 1) + ' ' + label)}")
    return text


def _flat(text: str) -> str:
    return visible(text.replace("\t", TAB))


def _end(text: str, branch: Branch) -> int:
    """Where a fragment ends in its first line, as an offset from 0; its text has single blanks where the line may have more."""
    rest = text[branch.column - 1 :]
    position = 0
    for char in branch.text:
        while position < len(rest) and rest[position].isspace() and not char.isspace():
            position += 1
        if position >= len(rest) or (rest[position] != char and not (char.isspace() and rest[position].isspace())):
            break
        position += 1
    return branch.column - 1 + max(len(rest[:position].rstrip()), 1)


def _by_fragment(line: Line) -> list[tuple[Branch, str]]:
    """For each place of a line where something is missed, one branch of it and all that is missed, in words."""
    places: dict[tuple[int, str], list[tuple[Branch, int]]] = {}
    for branch, count in line.hits:
        places.setdefault((branch.column, branch.text), []).append((branch, count))
    found = []
    for hits in places.values():
        missed = [b for b, count in hits if not count]
        if missed:
            found.append((missed[0], "no row comes by" if len(missed) == len(hits) > 1 else ", ".join(_said(missed))))
    return found


def _said(missed: Iterable[Branch]) -> Iterable[str]:
    for branch in missed:
        if branch.outcome == words.NO_ROW and branch.text == "SELECT":
            yield "never over no rows at all"
            continue
        yield _MISSED.get(branch.outcome, "never taken")


def summary(models: Sequence[ModelCoverage], ink: Ink = PLAIN) -> str:
    """All models in one line: `64 % of 120 branches reached; 3 models without a case`."""
    total = sum(len(m.coverage.branches) for m in models)
    hit = sum(m.coverage.reached for m in models)
    if not total:
        return "no branches in what is looked at"
    idle = sum(not m.cases and bool(m.coverage.branches) for m in models)
    text = f"{100 * hit // total} % of {amount(total, 'branch', 'branches')} reached"
    return ink("good" if hit == total else "warning", text) + (f"; {amount(idle, 'model')} without a case" if idle else "")


def model_fact(found: ModelCoverage) -> dict[str, object]:
    """The coverage of a model as JSON data; lines are those of its file."""
    coverage = found.coverage
    return {
        "dataset": found.dataset,
        "path": found.path,
        "cases": found.cases,
        "branches": len(coverage.branches),
        "reached": coverage.reached,
        "percent": round(coverage.percent, 1),
        "lines": [
            {
                "line": found.first + line.number - 1,
                "status": line.mark.value,
                "branches": [
                    {"id": b.id, "kind": b.kind.value, "column": b.column, "text": b.text, "outcome": b.outcome, "hits": count}
                    for b, count in line.hits
                ],
            }
            for line in found.lines
            if line.hits
        ],
        "unprobed": [
            {"kind": u.kind.value, "line": found.first + u.line - 1, "column": u.column, "text": u.text, "reason": u.reason}
            for u in coverage.unprobed
        ],
        "ruled_out": [
            {
                "kind": r.kind.value,
                "line": found.first + r.line - 1,
                "column": r.column,
                "text": r.text,
                "outcome": r.outcome,
                "reason": r.reason,
            }
            for r in coverage.ruled_out
        ],
    }
