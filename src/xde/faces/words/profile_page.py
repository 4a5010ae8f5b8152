"""A profile as one HTML page that needs nothing but itself: no script, no font, no picture from elsewhere."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from xde.faces.words.cells import visible
from xde.faces.words.numbers import amount, count
from xde.faces.words.profile import HIDDEN, ends, examples, lost_words, missing_words, named, percent, remarks, summary, type_words, why

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.undercurrents.management.profiling.facts import ColumnFacts, Profile, Reference, TableProfile

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2733; --soft: #5d6b7a; --line: #d9dfe6; --paper: #fff; --bar: #7aa5c9; --warn: #a4510b; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #dfe6ee; --soft: #94a3b3; --line: #36424f; --paper: #151b22; --bar: #3f6f97; --warn: #e0954f; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
body { margin: 0 auto; max-width: 76rem; padding: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .25rem; padding-top: .75rem; border-top: 1px solid var(--line); }
p, dl { margin: .25rem 0 1rem; }
.soft { color: var(--soft); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: .85rem; white-space: nowrap; }
th, td { padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
.bar { display: block; height: .35rem; border-radius: .2rem; background: var(--bar); min-width: 1px; }
.gap { color: var(--warn); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; }
dt { color: var(--soft); }
dd { margin: 0; }
details { margin: .1rem 0; }
summary { cursor: pointer; }
nav a { margin-right: 1rem; }
a { color: inherit; }
details table { max-width: 32rem; margin: .25rem 0 .5rem; }
"""


def profile_page(found: Profile, title: str) -> str:
    """The whole page."""
    links = "".join(f'<a href="#t{i}">{_text(t.name)}</a>' for i, t in enumerate(found.tables))
    nav = f"<nav>{links}</nav>" if len(found.tables) > 1 else ""
    warnings = "".join(f'<p class="gap">{_text(f.message)}{": " + _text(f.why) if f.why else ""}</p>' for f in found.findings)
    body = "".join(_table(t, i) for i, t in enumerate(found.tables))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_text(title)}</title><style>{_STYLE}</style></head><body>"
        f'<h1>{_text(title)}</h1><p class="soft">{amount(len(found.tables), "table")}, {amount(len(found.references), "join")}</p>'
        f"{nav}{warnings}{_references(found.references)}{body}</body></html>\n"
    )


def _references(references: Sequence[Reference]) -> str:
    if not references:
        return ""
    rows = "".join(
        f"<tr><td><code>{_text(named(r.table, r.columns))}</code></td><td><code>{_text(named(r.to_table, r.to_columns))}</code></td>"
        f'<td class="n">{_matches(r)}<span class="bar" style="width:{100 * r.share:.0f}%"></span></td>'
        f'<td class="n gap">{lost_words(r)}</td><td><code>{_text("; ".join(r.examples[:3]))}</code></td>'
        f'<td class="soft">{_text(why(r))}</td></tr>'
        for r in references
    )
    heads = _heads(("reference", "to", "#matches", "#without partner", "such as", "because"))
    return f'<h2>Joins that work</h2><div class="scroll"><table>{heads}{rows}</table></div>'


def _matches(reference: Reference) -> str:
    return percent(reference.rows - reference.lost, reference.rows) if reference.rows else ""


def _table(table: TableProfile, number: int) -> str:
    rows = "".join(_row(table, c) for c in table.columns)
    heads = _heads(("column", "type", "#missing", "#distinct", "from", "to", "values"))
    said = "".join(f"<dt>{_text(k)}</dt><dd>{_text(v)}</dd>" for k, v in remarks(table))
    return (
        f'<h2 id="t{number}">{_text(table.name)}</h2><p class="soft">{_text(summary(table))}</p><dl>{said}</dl>'
        f'<div class="scroll"><table>{heads}{rows}</table></div>'
    )


def _row(table: TableProfile, column: ColumnFacts) -> str:
    low, high = ends(column)
    person = table.personal.get(column.name)
    shown = _text(examples(column, person))
    more = "" if person else _more(column)
    cell = f"<details><summary>{shown or 'values'}</summary>{more}</details>" if more else shown
    missing = (
        f'{missing_words(column)}<span class="bar" style="width:{100 * column.missing / max(column.rows, 1):.0f}%"></span>'
        if column.missing
        else ""
    )
    return (
        f"<tr><td><code>{_text(column.name)}</code></td><td>{_text(type_words(table, column))}</td>"
        f'<td class="n">{missing}</td><td class="n">{count(column.distinct)}</td><td>{_text(low)}</td><td>{_text(high)}</td>'
        f"<td>{cell}</td></tr>"
    )


def _more(column: ColumnFacts) -> str:
    """The commonest values with bars, the forms, the quantiles."""
    parts = []
    if column.top and column.once < column.distinct:
        most = column.top[0][1]
        rows = "".join(
            f'<tr><td><code>{_text(v[:60])}</code></td><td class="n">{count(n)}</td>'
            f'<td style="width:40%"><span class="bar" style="width:{100 * n / most:.0f}%"></span></td></tr>'
            for v, n in column.top
        )
        parts.append(f"<table>{rows}</table>")
    if column.patterns:
        parts.append(
            "<p>"
            + ", ".join(f"<code>{_text(p)}</code> {percent(n, sum(m for _, m in column.patterns))}" for p, n in column.patterns)
            + "</p>"
        )
    if len(column.quantiles) == 5:
        names = ("5 %", "25 %", "half", "75 %", "95 %")
        said = ", ".join(f"{n} below {q:.6g}" for n, q in zip(names, column.quantiles, strict=True))
        parts.append(f"<p>{said}; mean {column.mean:.6g}</p>" if column.mean is not None else f"<p>{said}</p>")
    return "".join(parts)


def _heads(names: Sequence[str]) -> str:
    cells = "".join(f'<th class="n">{n[1:]}</th>' if n.startswith("#") else f"<th>{n}</th>" for n in names)
    return f"<tr>{cells}</tr>"


def _text(text: str) -> str:
    return escape(visible(text)).replace(HIDDEN, f'<span class="soft">{HIDDEN}</span>')
