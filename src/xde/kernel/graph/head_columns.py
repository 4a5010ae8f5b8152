"""The columns that a model's head speaks of, held against those that its query gives; and those that a kind of model adds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.ground.digests import digest
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean, listed
from xde.kernel.graph.analysis import ColumnLineage
from xde.kernel.project.arranging import columns_of, times_of
from xde.kernel.project.declarations import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.kernel.project.declarations import ModelDataset, ModelHead

FROM, TO, CURRENT = "valid_from", "valid_to", "is_current"
PERIOD = (FROM, TO, CURRENT)
"""What the table of a history has beside the columns of its query."""
SEEN = "TIMESTAMP"
"""The type of `valid_from` where it is the moment of a run."""
_TIMES = ("DATE", "TIMESTAMP")
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "DECIMAL", "DOUBLE")


def key_of_rows(head: ModelHead) -> tuple[str, ...]:
    """The columns that tell a row of a model's table from all others, as far as its head says it."""
    return (*head.key, FROM) if head.kind is Kind.HISTORY else head.key


def unknown_in_head(model: ModelDataset, described: Sequence[tuple[str, str]]) -> list[Finding]:
    """Columns that the head names and the query does not give or gives as something else; columns that a history makes itself."""
    head, types = model.head, dict(described)
    given = list(types)
    named = [("key", k) for k in head.key] + [("columns", c) for c in head.columns]
    named += [(word, name) for word, name in (("updated", head.updated), ("deleted", head.deleted)) if name]
    named += [(word, column) for word, columns in columns_of(head).items() for column in columns]
    period = {FROM, TO, CURRENT} if head.kind is Kind.HISTORY else set()
    named = [(w, n) for w, n in named if w not in {"partition", "sort"} or n not in period]
    found = [_unknown(model, word, name, given) for word, name in named if name not in given]
    if head.updated in types and not types[head.updated].upper().startswith(_TIMES if head.missing == "delete" else (*_TIMES, *_NUMBERS)):
        found.append(_no_time(model, types[head.updated]))
    for column in times_of(head):
        if column in types and not types[column].upper().startswith(_TIMES):
            found.append(_not_by_time(model, column, types[column]))
    if head.deleted in types and types[head.deleted].upper() != "BOOLEAN":
        found.append(_no_flag(model, types[head.deleted]))
    taken = [c for c in given if c.lower() in PERIOD] if head.kind is Kind.HISTORY else []
    if taken:
        message = f"the query of `{model.name}` gives {listed([f'`{c}`' for c in taken])}, which a history makes itself"
        why = f"its table has {listed([f'`{c}`' for c in PERIOD])} beside the columns of its query"
        found.append(Finding("XDE0281", message, model.span, "in this query", why, "give the column another name"))
    return found


def with_periods(
    head: ModelHead, columns: Sequence[ColumnLineage], described: Sequence[tuple[str, str]]
) -> tuple[tuple[ColumnLineage, ...], tuple[tuple[str, str], ...]]:
    """The columns of a history's table: those of its query, and since when, until when and whether a row holds."""
    by = {c.name: c for c in columns}
    watched = [head.updated] if head.updated else [c for c in (head.columns or by) if c not in head.key]
    watched += [head.deleted] if head.deleted else []
    told = [by[n] for n in dict.fromkeys([*head.key, *watched])]
    reads = tuple(dict.fromkeys(r for c in told for r in c.reads))
    meant = digest("history", head.key, head.updated, head.missing, [(c.name, c.digest) for c in told])
    kind = dict(described)[head.updated] if head.updated else SEEN
    added = tuple(ColumnLineage(name, reads, digest(name, meant)) for name in PERIOD)
    return (*columns, *added), (*described, (FROM, kind), (TO, kind), (CURRENT, "BOOLEAN"))


def _no_time(model: ModelDataset, kind: str) -> Finding:
    head = model.head
    why = "with `missing: delete` a period may end at the time of a run" if head.missing == "delete" else "versions are put in order by it"
    hint = f"make it a date or a timestamp in the query, `CAST({head.updated} AS TIMESTAMP)`"
    message = f"`{head.updated}` of `{model.name}` is {kind}, and no time"
    return Finding("XDE0285", message, head.spans.get("updated") or model.span, "since when a row holds", why, hint)


def _not_by_time(model: ModelDataset, column: str, kind: str) -> Finding:
    message = f"`partition` of `{model.name}` takes the time of `{column}`, which is {kind}"
    hint = f"name a date or a timestamp, or write `bucket(16, {column})`"
    return Finding("XDE0294", message, model.head.spans.get("partition") or model.span, "no time", "", hint)


def _no_flag(model: ModelDataset, kind: str) -> Finding:
    deleted = model.head.deleted
    message = f"`{deleted}` of `{model.name}` is {kind}, and neither true nor false"
    hint = f"compare it in the query, `... = 'D' AS {deleted}`"
    place = model.head.spans.get("deleted") or model.span
    return Finding("XDE0287", message, place, "whether a key is gone", "a row for which it is true says that its key is gone", hint)


def _unknown(model: ModelDataset, word: str, name: str, given: Sequence[str]) -> Finding:
    message = f"`{word}` of `{model.name}` names a column that its query does not give: `{name}`"
    hint = did_you_mean(name, given) or f"the columns are {listed([f'`{c}`' for c in given[:8]])}"
    return Finding("XDE0280", message, model.head.spans.get(word) or model.span, "not in the query", "", hint)
