"""Mutants in words: the score of each model, and each survivor with its line, the change, and a row that would catch it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.words.cells import cut, visible
from xde.faces.words.ink import PLAIN, Ink
from xde.faces.words.numbers import amount, duration
from xde.ground.findings import Finding, Severity
from xde.ground.spans import Span
from xde.undercurrents.engineering.mutants.killing import Killer, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.app.mutating import ModelMutants
    from xde.undercurrents.engineering.mutants.killing import Fate, Killing

GOOD = 0.9  # a score from which on it is shown as good
SURVIVES = "XDE0916"
_MOST = 20  # survivors of a model, unless all are asked for


def model_text(found: ModelMutants, ink: Ink = PLAIN, *, whole: bool = False, cells: int | None = None) -> str:
    """`marts.orders  96 %  49 of 51 mutants killed by 3 cases`, and below it survivors and what no case noticed; ends with a line end."""
    killing = found.killing
    if not killing.count:
        return f"{ink('strong', found.dataset)}  no mutants: there is nothing in it to be changed\n"
    score = killing.score or 0.0
    head = f"{ink('strong', found.dataset)}  {ink('good' if score >= GOOD else 'warning', percent(score))}  {_killed(killing)}"
    lines = [f"{head} ({duration(found.seconds)})"]
    lines += [ink("warning", f"  a test that the model itself does not pass says nothing: {name}") for name in killing.failing]
    if killing.untried:
        why = f"there is no random input: {visible(killing.trouble)}" if killing.trouble else "there was no time left"
        lines.append(ink("warning", f"  {amount(killing.untried, 'mutant')} not put to properties: {why}"))
    for title, fates in (("survivor", killing.of(State.SURVIVED)), ("killed by a property", killing.by(Killer.PROPERTY))):
        shown = fates if whole else fates[:_MOST]
        for fate in shown:
            lines += _one(found, fate, ink, cells)
        if len(fates) > len(shown):
            lines.append(f"  and {len(fates) - len(shown):,} more ({title}); `xde -v test --mutants` shows all")
    return "\n".join(lines) + "\n"


def _killed(killing: Killing) -> str:
    """With the figure of the cases alone where properties have a part in it."""
    text = f"{len(killing.of(State.KILLED)):,} of {amount(killing.count, 'mutant')} killed"
    by_cases, by_properties = len(killing.by(Killer.CASE)), len(killing.by(Killer.PROPERTY))
    tests = f"by {amount(len(killing.trials), 'test')}"
    if not by_properties:
        return f"{text} {tests}"
    return f"{text}: {by_cases:,} {tests} ({percent(killing.score_by_cases or 0.0)}), {by_properties:,} by properties"


def _one(found: ModelMutants, fate: Fate, ink: Ink, cells: int | None) -> list[str]:
    mutant = fate.mutant
    before, after = _change(fate)
    change = f"{ink('error', before)} → {ink('good', after)}" if ink.on else f"{before} → {after}"
    lines = [f"  {found.path}:{_line(found, fate)}:{mutant.column}  {mutant.operator}", f"      {change}"]
    if fate.killer is Killer.PROPERTY:
        lines.append(f"      {ink('good', 'killed by a property, and by no case')}: {visible(fate.by or '')}")
    else:
        lines.append(f"      {ink('info', 'a row that would catch it')}: {visible(mutant.hint)}")
    return [line if cells is None or ink.on else cut(line, cells) for line in lines]


def _change(fate: Fate) -> tuple[str, str]:
    before, after = (visible(" ".join(t.split())) or "nothing" for t in (fate.mutant.before, fate.mutant.after))
    return before, after


def _line(found: ModelMutants, fate: Fate) -> int:
    """The line of the model's file."""
    return fate.mutant.line + found.first_line - 1


def percent(share: float) -> str:
    """Rounded down, so that what is not whole is never called so."""
    return f"{int(share * 100)} %"


def summary(models: Sequence[ModelMutants], ink: Ink = PLAIN) -> str:
    """The score of all models together, and that of their cases alone where it is another."""
    all_of_them = sum(m.killing.count for m in models)
    if not all_of_them:
        return "no mutants"
    killed, by_cases = (sum(len(f) for f in many) for many in _by_both(models))
    alone = f" ({percent(by_cases / all_of_them)} by cases)" if by_cases < killed else ""
    share = killed / all_of_them
    return ink("good" if share >= GOOD else "warning", f"{percent(share)} of {amount(all_of_them, 'mutant')} killed{alone}")


def _by_both(models: Sequence[ModelMutants]) -> tuple[list[tuple[Fate, ...]], list[tuple[Fate, ...]]]:
    return [m.killing.of(State.KILLED) for m in models], [m.killing.by(Killer.CASE) for m in models]


def title(found: ModelMutants, fate: Fate) -> str:
    """A mutant in one line: `20:5 join kind: JOIN → LEFT JOIN`."""
    before, after = _change(fate)
    return f"{_line(found, fate)}:{fate.mutant.column} {fate.mutant.operator}: {before} → {after}"


def survivor(found: ModelMutants, fate: Fate, severity: Severity) -> Finding:
    """A survivor as a finding, at the text that was changed."""
    before, after = _change(fate)
    place = Span(found.path, _line(found, fate), fate.mutant.column)
    message = f"`{found.dataset}`: {fate.mutant.operator}: `{before}` may become `{after}`, and no test notices"
    return Finding(SURVIVES, message, place, "changed here", "", f"a row that would catch it: {visible(fate.mutant.hint)}", severity)


def model_fact(found: ModelMutants) -> dict[str, object]:
    """The same as JSON data; `line` is that of the model's file."""
    killing = found.killing
    return {
        "dataset": found.dataset,
        "score": killing.score,
        "score_by_cases": killing.score_by_cases,
        "killed": {"by_cases": len(killing.by(Killer.CASE)), "by_properties": len(killing.by(Killer.PROPERTY))},
        "tests": list(killing.trials),
        "failing": list(killing.failing),
        "untried": killing.untried,
        "trouble": killing.trouble or None,
        "mutants": [
            {
                "id": f.mutant.id,
                "state": f.state.value,
                "killed_by": f.killer.value if f.killer else None,
                "by": f.by,
                "path": found.path,
                "line": _line(found, f),
                "column": f.mutant.column,
                "operator": f.mutant.operator,
                "before": f.mutant.before,
                "after": f.mutant.after,
                "hint": f.mutant.hint,
            }
            for f in killing.fates
        ],
    }
