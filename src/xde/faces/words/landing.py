"""What became of records that were taken in, in words: a line for each dataset that they landed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.words.numbers import amount, duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.app.landing import Landing


def landing_lines(landing: Landing) -> Iterator[str]:
    """`landed  shop.events  1,204 rows  2 dead letters  0.4 s`."""
    for outcome in landing.finished.outcomes if landing.finished is not None else ():
        word = "landed" if outcome.status == "done" and outcome.step.files else outcome.status
        letters = f"  {amount(outcome.letters, 'dead letter')}" if outcome.letters else ""
        why = f"  {outcome.reason}" if outcome.status != "done" and outcome.reason else ""
        yield f"{word}  {outcome.step.dataset}  {amount(outcome.rows, 'row')}{letters}  {duration(outcome.seconds)}{why}"
