"""A backfill in words: what would be computed anew, what is made from it, what came of it; or the same as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.words.ink import PLAIN, Ink
from xde.faces.words.numbers import amount
from xde.faces.words.plan import plan_fact, plan_text

if TYPE_CHECKING:
    from xde.app.backfilling import Backfill, Backfilled
    from xde.kernel.plan.restating import Restatement


def backfill_text(found: Restatement, command: str, *, ink: Ink = PLAIN) -> str:
    """What a backfill would do; ends with a line end."""
    lines = [plan_text(found.plan, ink=ink, command=command).rstrip("\n")]
    if found.stale:
        lines += ["", ink("warning", f"{amount(len(found.stale), 'dataset')} stale afterwards, until the next run (or `--downstream`):")]
        lines += [f"  {name}" for name in found.stale]
    if found.left_out:
        lines += ["", f"{amount(len(found.left_out), 'dataset')} left out:"]
        lines += [f"  {name}: {why}" for name, why in sorted(found.left_out.items())]
    return "\n".join([*lines, "", f"plan {found.digest}"]) + "\n"


def backfill_fact(found: Restatement) -> dict[str, object]:
    """The same as JSON data."""
    return {
        **plan_fact(found.plan),
        "digest": found.digest,
        "moved": dict(found.moved),
        "stale": list(found.stale),
        "left_out": dict(found.left_out),
    }


def backfilled_text(done: Backfilled, asked: Backfill, environment: str, ink: Ink = PLAIN) -> str:
    """`prod` shows 3 datasets anew, as deployment 4 (backfill ...)."""
    number = f", as deployment {done.deployment}" if done.deployment is not None else ""
    return ink("good", f"`{environment}` shows {amount(len(done.moved), 'dataset')} anew{number} ({asked.note})")


def backfilled_fact(done: Backfilled) -> dict[str, object]:
    """What came of a backfill as JSON data."""
    from xde.faces.words.run import run_fact

    return {"moved": list(done.moved), "deployment": done.deployment, "run": run_fact(done.finished)}
