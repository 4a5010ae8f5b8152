"""Properties in words: a line a model; for a broken guarantee the finding, the input that breaks it, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.words.cases import differences
from xde.faces.words.findings import Look, finding_fact, finding_text
from xde.faces.words.ink import PLAIN, Ink
from xde.faces.words.numbers import amount, count, duration
from xde.faces.words.table import Column, draw
from xde.faces.words.values import json_value, value_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.app.properties import Proved
    from xde.undercurrents.engineering.properties.found import Failure
    from xde.undercurrents.engineering.testing.sandbox import Result

_MOST_ROWS = 20
_FEW_COLUMNS = 12


def line(proved: Proved, ink: Ink = PLAIN) -> str:
    """`ok    marts.orders: 19 guarantees hold on 200 random inputs (0.2 s)`."""
    searched = proved.searched
    if searched.trouble:
        return f"{ink('error', 'FAIL ')} {searched.model}: could not be tried ({duration(searched.seconds)})"
    inputs = f"{count(searched.examples)} random {'input' if searched.examples == 1 else 'inputs'} ({duration(searched.seconds)})"
    broken = sum(1 + len(f.also) for f in searched.failures)
    if broken:
        return f"{ink('error', 'FAIL ')} {searched.model}: {broken} of {amount(searched.guarantees, 'guarantee')} broken by {inputs}"
    warned = f", {amount(len(searched.warnings), 'warning')}" if searched.warnings else ""
    held = f"{amount(searched.guarantees, 'guarantee')} {'holds' if searched.guarantees == 1 else 'hold'}"
    return f"{ink('good', 'ok   ')} {searched.model}: {held} on {inputs}{warned}{_unknown(proved, ink)}"


def _unknown(proved: Proved, ink: Ink) -> str:
    unknown = proved.searched.unknown
    return ink("dim", "; nothing is known of " + ", ".join(f"`{n}`" for n in unknown)) if unknown else ""


def failure_text(proved: Proved, look: Look, cells: int | None = None) -> str:
    """All that was found of a model."""
    searched = proved.searched
    blocks = [line(proved, look.ink)]
    if proved.trouble is not None:
        blocks.append(_indented(finding_text(proved.trouble, look).splitlines()))
    for failure, finding in proved.findings:
        blocks.append(
            _indented([*finding_text(finding, look).splitlines(), "", *_counterexample(searched.model, failure, look.ink, cells)])
        )
    if searched.unknown:
        names = ", ".join(f"`{n}`" for n in searched.unknown)
        blocks.append(_indented([f"nothing is known of {names}: any value of its types may come; a contract would tell"]))
    return "\n\n".join(blocks) + "\n"


def _indented(lines: Sequence[str]) -> str:
    return "\n".join(("    " + text).rstrip() for text in lines)


def _counterexample(model: str, failure: Failure, ink: Ink, cells: int | None) -> list[str]:
    room = cells and cells - 8
    lines: list[str] = []
    for name, rows in failure.given.items():
        lines += [ink("strong", f"given {name}") + ("" if rows.rows else ": no rows"), *_table(rows, room), ""]
    if failure.difference is not None:
        lines += [ink("strong", f"came {model}"), *("    " + t for t in differences(failure.difference, ink=ink, cells=room)), ""]
    elif failure.came is not None:
        wrong = f", {len(failure.at_fault)} of them at fault" if failure.at_fault else ""
        lines += [ink("strong", f"came {model}") + f": {amount(len(failure.came.rows), 'row')}{wrong}"]
        lines += [*_table(failure.came, room, failure.at_fault, ink), ""]
    if failure.also:
        lines += ["the same input breaks also:", *(f"    {g.message}" for g in failure.also), ""]
    return lines[:-1] if lines and not lines[-1] else lines


def _table(rows: Result, cells: int | None, marked: Sequence[int] = (), ink: Ink = PLAIN) -> list[str]:
    if not rows.rows:
        return []
    shown = list(enumerate(rows.rows))[:_MOST_ROWS]
    texts = [[None if v is None else _text(v) for v in row] for _, row in shown]
    titles = [Column(c) for c, _ in rows.columns]
    if marked:
        titles, texts = [Column(""), *titles], [["wrong" if i in marked else "", *t] for (i, _), t in zip(shown, texts, strict=True)]
    drawn = draw(titles, texts, cells=cells).lines
    lines = drawn[:2] + [ink("error", t) if i in marked else t for (i, _), t in zip(shown, drawn[2:], strict=True)]
    more = [f"and {amount(len(rows.rows) - len(shown), 'more row')}"] if len(rows.rows) > len(shown) else []
    return ["    " + text for text in (*lines, *more)]


def _text(value: object) -> str:
    """A text that would not be seen stands in quotes."""
    text = value_text(value)
    return f"'{text}'" if (isinstance(value, str) and text.strip() != text) or text == "" else text


def summary(proved: Sequence[Proved], seconds: float, ink: Ink = PLAIN) -> str:
    """`15 models: 13 hold, 2 broken (4.1 s)`."""
    broken = sum(not p.searched.passed for p in proved)
    parts = [f"{len(proved) - broken:,} hold"] + ([f"{broken:,} broken"] if broken else [])
    text = f"{amount(len(proved), 'model')}: {', '.join(parts)} ({duration(seconds)})"
    return ink("error" if broken else "good", text)


def proved_fact(proved: Proved) -> dict[str, object]:
    """A model as JSON data; `left_out` are rules that were not tried, and why."""
    searched = proved.searched
    return {
        "dataset": searched.model,
        "status": "broken" if not searched.passed else "warned" if searched.warnings else "held",
        "examples": searched.examples,
        "seed": proved.seed,
        "guarantees": searched.guarantees,
        "rows": dict(searched.rows),
        "seconds": round(searched.seconds, 4),
        "failures": [_failure_fact(f, finding_fact(finding)) for f, finding in proved.findings],
        "findings": [finding_fact(proved.trouble)] if proved.trouble else [],
        "unknown_inputs": list(searched.unknown),
        "left_out": dict(searched.left_out),
        "one_by_one": searched.fallback or None,
    }


def _failure_fact(failure: Failure, finding: dict[str, object]) -> dict[str, object]:
    return {
        "guarantee": failure.guarantee.id,
        "finding": finding,
        "given": {n: _records(r) for n, r in failure.given.items()},
        "came": _records(failure.came) if failure.came is not None else None,
        "at_fault": list(failure.at_fault),
        "also": [g.id for g in failure.also],
        "shrunk": failure.shrunk or None,
    }


def _records(rows: Result) -> list[dict[str, object]]:
    return [dict(zip((c for c, _ in rows.columns), (json_value(v) for v in r), strict=True)) for r in rows.rows]
