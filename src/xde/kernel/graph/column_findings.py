"""Complaints about columns: those that are not there, those that are there twice, and what the engine says beyond that."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.ground.findings import Finding
from xde.ground.names import did_you_mean
from xde.kernel.graph.flows.kinds import OURS
from xde.kernel.graph.resolve import span_at
from xde.kernel.graph.text.reading import Place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.kernel.graph.meaning.naming import Missing
    from xde.kernel.project.declarations import ModelDataset

WHERE_FROM = re.compile(r"\s*LINE (\d+):.*$", re.DOTALL)
KIND = re.compile(r"^(?:Binder|Catalog|Parser|Conversion|Invalid Input|Not implemented) Error: ")
QUOTED = re.compile(r"\"([^\"]+)\"|with name (\w+)|function '?(\w+)'?\(|near \"([^\"]+)\"")


def missing_column(model: ModelDataset, missing: Missing) -> Finding:
    """A column that is named and found nowhere."""
    if missing.dataset:
        message = f"`{model.name}` reads a column that `{missing.dataset}` does not have: `{missing.name}`"
    elif missing.table and not missing.table.startswith(OURS):
        message = f"`{model.name}` reads a column that `{missing.table}` does not give: `{missing.name}`"
    else:
        message = f"`{model.name}` reads a column that none of its inputs has: `{missing.name}`"
    known = [c for c in missing.known if not c.startswith(OURS)]
    hint = did_you_mean(missing.name, known) or _columns(known)
    return Finding("XDE0204", message, span_at(model, place_of(model.sql, missing.name, missing.start)), "no such column", hint=hint)


def in_flows(model: ModelDataset, missing: Sequence[Missing], inputs: Mapping[str, Mapping[str, str]]) -> list[Finding]:
    """What the engine lets pass and a flow does not: a column of a source beside it for an argument, and an input with names of its own."""
    expansion = model.expansion
    if expansion is None:
        return []
    found = missing_columns(model, [m for m in missing if expansion.in_call(m.start)])
    for dataset, columns in inputs.items():
        taken = next((c for c in columns if c.lower().startswith(OURS)), None)
        if taken is not None:
            why = f"names that begin with `{OURS}` are those that flows make for themselves"
            message = f"`{model.name}` calls flows and reads `{dataset}`, which has a column `{taken}`"
            found.append(Finding("XDE0252", message, span_at(model, None), "", why, f"give the column another name in `{dataset}`"))
    return found


def missing_columns(model: ModelDataset, missing: Sequence[Missing]) -> list[Finding]:
    """What is found nowhere, each place once: a flow may put an argument in several, and the input is where it is looked for."""
    found: dict[tuple[int, int], Missing] = {}
    for one in sorted(missing, key=lambda m: not m.dataset):
        place = place_of(model.sql, one.name, one.start)
        if place is not None:
            found.setdefault(place if model.expansion is None else model.expansion.origin(*place), one)
        else:
            found.setdefault((-1, len(found)), one)
    return [missing_column(model, m) for m in missing if m in found.values()]


def _columns(known: Sequence[str]) -> str:
    shown = ", ".join(f"`{c}`" for c in known[:8])
    return f"the columns are {shown}{' ...' if len(known) > 8 else ''}" if known else ""


def place_of(sql: str, name: str, start: int) -> Place | None:
    """The stretch of a name that begins at a place, its quotes included; the first word of that name where the place is not known."""
    if start < 0:
        found = re.search(rf"\b{re.escape(name)}\b", sql, re.IGNORECASE)
        return Place(found.start(), len(name)) if found else None
    quotes = sql[start : start + 1] == '"'
    return Place(start, len(name.replace('"', '""')) + 2 if quotes else len(name))


def twice(model: ModelDataset, name: str) -> Finding:
    """Two output columns of one name."""
    why = "a dataset's columns are told apart by name"
    hint = f"give one of them another name with `AS`, or leave it out with `* EXCLUDE ({name})`"
    place = place_of(model.sql, name, -1)
    return Finding("XDE0216", f"`{model.name}` gives two columns the name `{name}`", span_at(model, place), "twice", why, hint)


def refused(model: ModelDataset, finding: Finding) -> Finding:
    """What the engine says against a query, in its own words and at its own place."""
    words = " ".join((finding.why or finding.message).split())
    line = WHERE_FROM.search(words)
    said = KIND.sub("", WHERE_FROM.sub("", words)).strip()
    place = _place(model.sql, said, int(line.group(1)) if line else 0)
    first, _, rest = said.partition(" Candidate ")
    if rest.startswith('functions: "'):  # of an operator: a list that nobody can use
        first = first.replace("You might need to add explicit type casts.", "").strip()
        hint = "a column has another type than is wanted here: take another, or write `CAST(column AS TYPE)`"
    else:
        hint = f"candidate {rest}" if rest else finding.hint if finding.code != "XDE0804" else "run the query in the engine's own shell"
    return Finding(
        "XDE0219",
        f"the engine does not accept the query of `{model.name}`",
        span_at(model, place),
        "here" if place else "",
        first[:300],
        hint[:200],
    )


def _place(sql: str, said: str, line: int) -> Place | None:
    """The word that the engine complains about, in the line that it names."""
    begin = sum(len(part) + 1 for part in sql.split("\n")[: line - 1]) if line else 0
    end = sql.find("\n", begin) if line else len(sql)
    text = sql[begin : end if end >= 0 else len(sql)]
    for groups in QUOTED.findall(said):
        word = next(g for g in groups if g)
        found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)
        if found:
            return Place(begin + found.start(), len(word))
    stripped = text.lstrip()
    return Place(begin + len(text) - len(stripped), max(1, len(stripped))) if line and stripped else None
