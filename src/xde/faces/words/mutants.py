"""Mutants in words: the score of each model, and each survivor with its line, the change, and a row that would catch it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.words.cells import cut, visible
from xde.faces.words.ink import PLAIN, Ink
from xde.faces.words.numbers import amount, duration
from xde.undercurrents.engineering.mutants.killing import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.app.mutating import ModelMutants
    from xde.undercurrents.engineering.mutants.killing import Fate

GOOD = 0.9  # a score from which on it is shown as good
_MOST = 20  # survivors of a model, unless all are asked for


def model_text(found: ModelMutants, ink: Ink = PLAIN, *, whole: bool = False, cells: int | None = None) -> str:
    """`marts.orders  96 %  49 of 51 mutants killed by 3 cases`, and the survivors below; ends with a line end."""
    killing = found.killing
    survived, killed = killing.of(State.SURVIVED), killing.of(State.KILLED)
    if not killed and not survived:
        return f"{ink('strong', found.dataset)}  no mutants: there is nothing in it to be changed\n"
    score = killing.score or 0.0
    text = f"{len(killed):,} of {amount(len(killed) + len(survived), 'mutant')} killed by {amount(len(killing.trials), 'test')}"
    head = f"{ink('strong', found.dataset)}  {ink('good' if score >= GOOD else 'warning', percent(score))}  {text}"
    lines = [f"{head} ({duration(found.seconds)})"]
    lines += [ink("warning", f"  a test that the model itself does not pass says nothing: {name}") for name in killing.failing]
    shown = survived if whole else survived[:_MOST]
    for fate in shown:
        lines += _survivor(found, fate, ink, cells)
    if len(survived) > len(shown):
        lines.append(f"  and {amount(len(survived) - len(shown), 'more survivor')}; `xde -v test --mutants` shows all")
    return "\n".join(lines) + "\n"


def _survivor(found: ModelMutants, fate: Fate, ink: Ink, cells: int | None) -> list[str]:
    mutant = fate.mutant
    before, after = (visible(" ".join(t.split())) or "nothing" for t in (mutant.before, mutant.after))
    change = f"{ink('error', before)} → {ink('good', after)}" if ink.on else f"{before} → {after}"
    lines = [f"  {found.path}:{mutant.line + found.first_line - 1}:{mutant.column}  {mutant.operator}", f"      {change}"]
    lines.append(f"      {ink('info', 'a row that would catch it')}: {visible(mutant.hint)}")
    return [line if cells is None or ink.on else cut(line, cells) for line in lines]


def percent(share: float) -> str:
    """Rounded down, so that what is not whole is never called so."""
    return f"{int(share * 100)} %"


def summary(models: Sequence[ModelMutants], ink: Ink = PLAIN) -> str:
    """The score of all models together."""
    killed = sum(len(m.killing.of(State.KILLED)) for m in models)
    survived = sum(len(m.killing.of(State.SURVIVED)) for m in models)
    if not killed + survived:
        return "no mutants"
    share = killed / (killed + survived)
    return ink("good" if share >= GOOD else "warning", f"{percent(share)} of {amount(killed + survived, 'mutant')} killed")


def model_fact(found: ModelMutants) -> dict[str, object]:
    """The same as JSON data; `line` is that of the model's file."""
    killing = found.killing
    return {
        "dataset": found.dataset,
        "score": killing.score,
        "tests": list(killing.trials),
        "failing": list(killing.failing),
        "mutants": [
            {
                "id": f.mutant.id,
                "state": f.state.value,
                "by": f.by,
                "path": found.path,
                "line": f.mutant.line + found.first_line - 1,
                "column": f.mutant.column,
                "operator": f.mutant.operator,
                "before": f.mutant.before,
                "after": f.mutant.after,
                "hint": f.mutant.hint,
            }
            for f in killing.fates
        ],
    }
