"""What differs between two tables, in words: how many rows, which columns, and a few rows cell by cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.words.ink import PLAIN, Ink
from xde.faces.words.numbers import amount, count, moment
from xde.faces.words.table import Column, draw
from xde.faces.words.values import json_value, value_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.faces.words.ink import Role
    from xde.lifecycle.serving.comparing import ChangedRow, ColumnChange, Difference, Figures, Retyped, Side, WholeRow

ARROW = " → "
_LONG = 40  # characters of a text of which only the part that differs is shown


def difference_text(found: Difference, *, ink: Ink = PLAIN, cells: int | None = None) -> str:
    """The whole of it, for a terminal; ends with a line end."""
    lines = [ink("strong", headline(found)), *_sides(found, ink)]
    for part in (_schema(found, ink), _columns(found, ink, cells), _changed(found, ink, cells), *_lone(found, ink, cells)):
        lines += ["", *part] if part else []
    return "\n".join(lines) + "\n"


def title(found: Difference) -> str:
    """What was compared: the dataset if both sides are of one, else both names."""
    same = found.left.dataset == found.right.dataset and found.left.dataset
    return found.right.dataset if same else f"{found.left.name} and {found.right.name}"


def headline(found: Difference) -> str:
    """`marts.x: 2 rows changed, 15 added; 167 unchanged`."""
    return f"{title(found)}: {summary(found)}"


def summary(found: Difference) -> str:
    """`2 rows changed, 15 added; 167 unchanged`."""
    if found.equal:
        return f"no difference in {amount(found.right_rows, 'row')}"
    parts = [(found.changed, "changed"), (found.added, "added"), (found.removed, "removed")]
    told = [f"{count(n)} {word}" for n, word in parts if n]
    if not told:
        return f"other columns; the values of the others are the same in {amount(found.right_rows, 'row')}"
    first = next(n for n, _ in parts if n)
    told[0] = told[0].replace(" ", " row " if first == 1 else " rows ", 1)
    return ", ".join(told) + f"; {count(found.unchanged)} unchanged"


def side_words(side: Side) -> str:
    """Where the rows of a side come from: `prod, commit 3 of 2026-01-31 12:00:00, version 1a2b`."""
    if side.file:
        return side.file
    parts = [side.environment if side.number is None else f"{side.environment}, commit {side.number} of {moment(side.at)}"]
    return ", ".join([*parts, f"version {side.version}"]) if side.version else parts[0]


def _sides(found: Difference, ink: Ink) -> list[str]:
    both = ((found.left, found.left_rows, "-", "error"), (found.right, found.right_rows, "+", "good"))
    rows = [[sign, side.name, amount(number, "row"), _origin(side)] for side, number, sign, _ in both]
    lines = draw([Column(""), Column(""), Column("", right=True), Column("")], rows).lines[2:]
    how = f"rows are paired by {', '.join(found.key)}" if found.key else "rows are compared whole: there is no key"
    roles: tuple[Role, Role] = ("error", "good")
    return [*(ink(role, f"  {line}") for role, line in zip(roles, lines, strict=True)), ink("dim", f"  {how}")]


def _origin(side: Side) -> str:
    return ", ".join(part for part in (moment(side.at), f"version {side.version}" if side.version else "") if part)


def _schema(found: Difference, ink: Ink) -> list[str]:
    lines = [ink("good", f"+ column {c.name} {c.type}") for c in found.layout.added]
    lines += [ink("error", f"- column {c.name} {c.type}") for c in found.layout.dropped]
    return lines + [ink("warning", f"~ column {retyped_words(c)}") for c in found.layout.retyped]


def retyped_words(column: Retyped) -> str:
    """`amount DOUBLE → DECIMAL(10,2), compared as DOUBLE`."""
    how = "" if column.compared in (column.left, column.right) and column.compared != "VARCHAR" else f", compared as {column.compared}"
    return f"{column.name} {column.left}{ARROW}{column.right}{how}"


def _columns(found: Difference, ink: Ink, cells: int | None) -> list[str]:
    if not found.columns:
        return []
    titles = [Column("column"), Column("rows changed", right=True), Column("", right=True), *map(Column, ("min", "mean", "max", "nulls"))]
    rows = [[c.name, count(c.rows), share(c, found), *figures(c)] for c in found.columns]
    kept = [i for i in range(len(titles)) if i < 3 or any(row[i] for row in rows)]
    table = draw([titles[i] for i in kept], [[row[i] for i in kept] for row in rows], ink=ink, cells=cells)
    return [*table.lines, *(ink("dim", text) for text in near_words(found))]


def share(change: ColumnChange, found: Difference) -> str:
    """Of the rows that are on both sides."""
    part = 100 * change.rows / (found.changed + found.unchanged)
    return f"{part:.1f} %" if part >= 0.05 else "< 0.1 %"


def figures(change: ColumnChange) -> list[str]:
    """Minimum, mean, maximum and nulls, each as `old → new`, or once where it is the same; empty where there are none."""
    if change.left is None or change.right is None:
        return ["", "", "", ""]
    return [_moved(a, b) for a, b in zip(_figures(change.left), _figures(change.right), strict=True)]


def _figures(of: Figures) -> list[str]:
    return [_number(of.least), _number(of.mean), _number(of.most), count(of.nulls) if of.nulls else "0"]


def _number(value: object) -> str:
    return "NULL" if value is None else f"{value:.6g}" if isinstance(value, float) else value_text(value)


def _moved(old: str, new: str) -> str:
    return old if old == new else old + ARROW + new


def near_words(found: Difference) -> list[str]:
    """A hint where numbers differ by no more than the order of an addition makes."""
    told = [(c.name, "all" if c.near == c.rows else f"{count(c.near)} of {count(c.rows)}") for c in found.columns if c.near]
    return [f"{name}: {number} differ by less than 1e-9 (`--tolerance 1e-9` takes them for the same)" for name, number in told]


def _changed(found: Difference, ink: Ink, cells: int | None) -> list[str]:
    rows, names = found.samples.changed, found.samples.columns
    if not rows:
        return []
    kept = changed_positions(found)
    texts = [[cell(row, i) for i in kept] for row in rows]
    table = draw([Column(names[i]) for i in kept], texts, ink=ink, cells=cells)
    return [ink("warning", heading(found.changed, len(rows), "changed") + f", old{ARROW}new"), *table.lines, *_hidden(table.hidden, ink)]


def changed_positions(found: Difference) -> list[int]:
    """The columns worth showing of changed rows: the key, and those in which at least one of the rows shown has changed."""
    samples = found.samples
    moved = {i for row in samples.changed for i in row.columns}
    return [i for i in range(len(samples.columns)) if i < samples.key or i in moved]


def cell(row: ChangedRow, position: int) -> str | None:
    """`old → new` of a cell that changed, its value of one that did not."""
    old, new = exact(row.left[position]), exact(row.right[position])
    if position not in row.columns:
        return new
    short = _apart(old, new) if old is not None and new is not None else (_null(old), _null(new))
    return short[0] + ARROW + short[1]


def _null(text: str | None) -> str:
    return "NULL" if text is None else text or "''"


def _apart(old: str, new: str) -> tuple[str, str]:
    """Long texts from a little before the place where they part."""
    if max(len(old), len(new)) <= _LONG:
        return _null(old), _null(new)
    same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    start = max(0, same - 10)
    return _cut(old, start), _cut(new, start)


def _cut(text: str, start: int) -> str:
    return ("…" if start else "") + text[start : start + _LONG] + ("…" if len(text) > start + _LONG else "")


def exact(value: object) -> str | None:
    """A value with all its digits: two that differ must not look the same."""
    return None if value is None else repr(value) if isinstance(value, float) else value if isinstance(value, str) else value_text(value)


def heading(number: int, shown: int, word: str) -> str:
    """`15 rows added, 10 of them here`."""
    return f"{amount(number, 'row')} {word}" + (f", {count(shown)} of them here" if shown < number else "")


def _lone(found: Difference, ink: Ink, cells: int | None) -> list[list[str]]:
    kinds: list[tuple[int, tuple[WholeRow, ...], str, Role]] = [
        (found.added, found.samples.added, "added", "good"),
        (found.removed, found.samples.removed, "removed", "error"),
    ]
    parts = []
    for number, rows, word, role in kinds:
        if rows:
            titles, texts = whole_rows(found, rows)
            numbers = [not any(isinstance(r.values[i], str) for r in rows) for i in range(len(found.samples.columns))]
            right = [True] * (len(titles) - len(numbers)) + numbers
            table = draw([Column(t, right=r) for t, r in zip(titles, right, strict=True)], texts, ink=ink, cells=cells)
            parts.append([ink(role, heading(number, sum(r.times for r in rows), word)), *table.lines, *_hidden(table.hidden, ink)])
    return parts


def whole_rows(found: Difference, rows: Sequence[WholeRow]) -> tuple[list[str], list[list[str | None]]]:
    """Titles and cells of rows that are on one side only; how often they are, where that is more than once."""
    many = any(r.times > 1 for r in rows)
    titles = [*(["times"] if many else []), *found.samples.columns]
    return titles, [[*([count(r.times)] if many else []), *(_short(exact(v)) for v in r.values)] for r in rows]


def _short(text: str | None) -> str | None:
    return text if text is None or len(text) <= 2 * _LONG else text[: 2 * _LONG] + "…"


def _hidden(names: Sequence[str], ink: Ink) -> list[str]:
    return [ink("dim", f"no room for {amount(len(names), 'column')}: {', '.join(names)} (`--columns` chooses)")] if names else []


def overview_text(found: Sequence[Difference], titles: tuple[str, str], only: tuple[Sequence[str], Sequence[str]]) -> str:
    """A line for each dataset in which two environments differ or could have; ends with a line end."""
    before, after = titles
    lines = [headline(d) for d in found]
    lines += [f"{name}: only in `{before}`" for name in only[0]] + [f"{name}: only in `{after}`" for name in only[1]]
    return "\n".join(lines or [f"`{after}` shows the same versions of all datasets as `{before}`"]) + "\n"


def difference_fact(found: Difference) -> dict[str, object]:
    """The same as JSON data."""
    return {
        "equal": found.equal,
        "left": {**_side_fact(found.left), "rows": found.left_rows, "duplicate_keys": found.left_duplicates.keys},
        "right": {**_side_fact(found.right), "rows": found.right_rows, "duplicate_keys": found.right_duplicates.keys},
        "key": list(found.key),
        "rows": {
            "added": found.added,
            "removed": found.removed,
            "changed": found.changed,
            "unchanged": found.unchanged,
            "shared": found.shared,
        },
        "schema": {
            "added": [{"name": c.name, "type": c.type} for c in found.layout.added],
            "dropped": [{"name": c.name, "type": c.type} for c in found.layout.dropped],
            "retyped": [{"name": c.name, "left": c.left, "right": c.right, "compared_as": c.compared} for c in found.layout.retyped],
        },
        "columns": [
            {
                "name": c.name,
                "type": c.type,
                "changed": c.rows,
                "near": c.near,
                "left": _figures_fact(c.left),
                "right": _figures_fact(c.right),
            }
            for c in found.columns
        ],
        "samples": _samples_fact(found),
    }


def _side_fact(side: Side) -> dict[str, object]:
    return {
        "name": side.name,
        "dataset": side.dataset or None,
        "file": side.file or None,
        "environment": side.environment or None,
        "version": side.version or None,
        "commit": side.number,
        "at": side.at or None,
        "checks": None if side.checks is None else {"passed": side.checks[0], "failed": side.checks[1]},
    }


def _figures_fact(of: Figures | None) -> dict[str, object] | None:
    if of is None:
        return None
    return {"min": json_value(of.least), "mean": json_value(of.mean), "max": json_value(of.most), "nulls": of.nulls}


def _samples_fact(found: Difference) -> dict[str, object]:
    samples = found.samples
    names = samples.columns

    def row(values: Sequence[object]) -> dict[str, object]:
        return dict(zip(names, (json_value(v) for v in values), strict=True))

    return {
        "added": [{"times": r.times, "row": row(r.values)} for r in samples.added],
        "removed": [{"times": r.times, "row": row(r.values)} for r in samples.removed],
        "changed": [{"left": row(r.left), "right": row(r.right), "columns": [names[i] for i in r.columns]} for r in samples.changed],
    }
