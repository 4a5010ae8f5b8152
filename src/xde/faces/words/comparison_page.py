"""What differs between two tables, as Markdown for the reviewer of a change: a comment of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.words.cells import visible
from xde.faces.words.comparison import (
    ARROW,
    cell,
    changed_positions,
    figures,
    heading,
    near_words,
    retyped_words,
    share,
    side_words,
    summary,
    title,
    whole_rows,
)
from xde.faces.words.numbers import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.lifecycle.serving.comparing import Difference

MOST_CHARACTERS = 40_000  # of all sections; the table of datasets comes on top of them
MOST_LINES = 200  # of that table


def difference_page(found: Difference) -> str:
    """A section with a heading; ends with a line end."""
    lines = [f"### {_code(title(found))}: {summary(found)}", ""]
    lines += _table(
        ["", "before", "after"], [["rows", count(found.left_rows), count(found.right_rows)], *_quality(found), ["from", *_origins(found)]]
    )
    lines += [
        f"Rows are paired by {', '.join(_code(k) for k in found.key)}." if found.key else "Rows are compared whole: there is no key.",
        "",
    ]
    for finding in found.findings:
        lines += [f"> **{finding.code}** {finding.message}", ""]
    lines += [*_schema(found), *_columns(found), *_samples(found)]
    return "\n".join(lines).rstrip("\n") + "\n"


def overview_page(found: Sequence[Difference], titles: tuple[str, str], only: tuple[Sequence[str], Sequence[str]]) -> str:
    """All datasets in which two environments differ: a table of them, then a section each."""
    before, after = titles
    lines = [f"## Data of {_code(after)} against {_code(before)}", ""]
    rows = [[_code(title(d)), summary(d), ", ".join(_code(c.name) for c in d.columns), _verdicts(d)] for d in found]
    rows += [[_code(n), f"only in {_code(side)}", "", ""] for names, side in zip(only, titles, strict=True) for n in names]
    wide = 4 if any(row[3] for row in rows) else 3  # where nothing is checked, nothing is said of checks
    heads = ["dataset", "rows", "columns changed", "checks passed"]
    lines += _table(heads[:wide], [row[:wide] for row in rows[:MOST_LINES]]) if rows else ["No dataset differs.", ""]
    lines += [f"And {len(rows) - MOST_LINES} more.", ""] if len(rows) > MOST_LINES else []
    return "\n".join(lines) + _sections([d for d in found if not d.equal])


def _sections(found: Sequence[Difference]) -> str:
    """The section of each dataset, as far as a comment takes them: GitHub refuses one of more than 65,536 characters."""
    pages: list[str] = []
    for number, one in enumerate(found):
        page = "\n" + difference_page(one)
        if sum(map(len, pages)) + len(page) > MOST_CHARACTERS:
            rest = ", ".join(_code(title(d)) for d in found[number:][:20])
            return "".join(pages) + f"\nNot shown, for a comment is no longer than this: {rest}\n"
        pages.append(page)
    return "".join(pages)


def _verdicts(found: Difference) -> str:
    """`12 of 12 → 11 of 12`: of the checks of a dataset, before and after; empty where of neither side anything is known."""
    sides = [f"{c[0]} of {sum(c)}" if (c := side.checks) and sum(c) else "unknown" for side in (found.left, found.right)]
    return "" if sides == ["unknown", "unknown"] else ARROW.join(sides)


def _quality(found: Difference) -> list[list[str]]:
    """The checks of the two commits, where both are known."""
    sides = (found.left.checks, found.right.checks)
    if any(c is None or not sum(c) for c in sides):
        return []
    return [["checks", *(f"{c[0]} passed" + (f", **{c[1]} failed**" if c[1] else "") for c in sides if c)]]


def _origins(found: Difference) -> list[str]:
    return [_escaped(side_words(side)) for side in (found.left, found.right)]


def _schema(found: Difference) -> list[str]:
    lines = [f"- column {_code(c.name)} added ({c.type})" for c in found.layout.added]
    lines += [f"- column {_code(c.name)} dropped ({c.type})" for c in found.layout.dropped]
    lines += [f"- column retyped: {_escaped(retyped_words(c))}" for c in found.layout.retyped]
    return [*lines, ""] if lines else []


def _columns(found: Difference) -> list[str]:
    if not found.columns:
        return []
    rows = [[_code(c.name), count(c.rows), share(c, found), *figures(c)] for c in found.columns]
    notes = [line for text in near_words(found) for line in (_escaped(text, code=False), "")]
    return _table(["column", "rows changed", "of those on both sides", "min", "mean", "max", "nulls"], rows) + notes


def _samples(found: Difference) -> list[str]:
    lines: list[str] = []
    if found.samples.changed:
        kept, names = changed_positions(found), found.samples.columns
        rows = [[_cell(cell(row, i), arrow=i in row.columns) for i in kept] for row in found.samples.changed]
        lines += _folded(heading(found.changed, len(rows), "changed"), [names[i] for i in kept], rows)
    for number, some, word in ((found.added, found.samples.added, "added"), (found.removed, found.samples.removed, "removed")):
        if some:
            titles, texts = whole_rows(found, some)
            shown = [[_cell(t) for t in row] for row in texts]
            lines += _folded(heading(number, sum(r.times for r in some), word), titles, shown)
    return lines


def _folded(said: str, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"<details><summary>{said}</summary>", "", *_table([_code(t) for t in titles], rows), "</details>", ""]


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [*(f"| {' | '.join(row)} |" for row in (titles, ["---"] * len(titles), *rows)), ""]


def _cell(text: str | None, *, arrow: bool = False) -> str:
    """A value as code, so that nothing in it is taken for Markdown, HTML or somebody's name."""
    if text is None:
        return "NULL"
    old, found, new = text.partition(ARROW) if arrow else (text, "", "")
    return f"{_code(old)}{ARROW}{_code(new)}" if found else _code(text)


def _code(text: str) -> str:
    """A code span (CommonMark, 6.1), with the bars that would end a cell of a table escaped (GFM, 4.10)."""
    shown = visible(text).replace("|", "\\|")
    if not shown:
        return ""
    fence = "`" * (max((len(run) for run in _runs(shown)), default=0) + 1)
    pad = " " if "`" in (shown[0], shown[-1]) else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def _runs(text: str) -> list[str]:
    import re

    return re.findall("`+", text)


def _escaped(text: str, *, code: bool = True) -> str:
    shown = visible(text).replace("|", "\\|").replace("<", "&lt;")
    return shown.replace("`", "\\`").replace("*", "\\*").replace("_", "\\_") if code else shown
