"""Records that are good by themselves and not beside the others: keys that are there already, references to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.connectors.duckdb.transformation import relation_with_gaps
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import literal, quoted
from xde.kernel.plan.checks import Action, CheckKind
from xde.lifecycle.transformation.port import Input

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.connectors.duckdb.ingestion.stage import Stage
    from xde.kernel.plan.checks import Check
    from xde.lifecycle.ingestion.port import Merging


def refuse(stage: Stage) -> None:
    """Refuse what breaks a rule of several records; references to others first, so that no key is held by a row that goes.

    Where records are merged, those of one key give way to one of them. A table that refers to itself is looked at again until
    nothing more is lost: with a row go the rows that refer to it.
    """
    held = [c for c in stage.job.checks if c.action is Action.DEAD_LETTER]
    references = [c for c in held if c.kind is CheckKind.REFERENCE]
    lost = [_lost(stage, c) for c in references if c.to_dataset != stage.job.dataset]
    if lost:
        stage.refuse(" UNION ALL ".join(lost))
    merging = stage.job.merging
    if merging is not None:
        stage.supersede(_outdated(stage, merging))
    for check in held:
        if check.kind is CheckKind.UNIQUE and not (merging is not None and check.columns == merging.key):
            stage.refuse(_repeated(stage, check))
    own = [c for c in references if c.to_dataset == stage.job.dataset]
    while own and stage.refuse(" UNION ALL ".join(_lost(stage, c) for c in own)):
        pass


def _outdated(stage: Stage, merging: Merging) -> str:
    """The records that another record of their key supersedes, and those that a row of the table does."""
    key = ", ".join(quoted(k) for k in merging.key)
    version = [merging.version] if merging.version and merging.version not in merging.key else []
    last = ", ".join([*(f"{quoted(v)} DESC NULLS LAST" for v in version), "place DESC"])
    good = stage.good([*merging.key, *version], whole=False)
    more = f"SELECT {key} FROM ({good}) GROUP BY {key} HAVING count(*) > 1"
    same = _same(merging.key)
    nth = f"row_number() OVER (PARTITION BY {key} ORDER BY {last}) AS nth"
    found = [
        f"SELECT place FROM (SELECT place, {nth} FROM (SELECT n.* FROM ({good}) AS n SEMI JOIN ({more}) AS o ON {same})) WHERE nth > 1"
    ]
    if version and merging.table is not None:
        of = quoted(version[0])
        there = f"SELECT * FROM ({relation_with_gaps(Input(*merging.table))}) WHERE {of} IS NOT NULL"
        found.append(f"SELECT place FROM ({good}) AS n SEMI JOIN ({there}) AS o ON {same} AND (n.{of} IS NULL OR n.{of} < o.{of})")
    return " UNION ".join(found)


def _same(key: Sequence[str]) -> str:
    return " AND ".join(f"n.{quoted(k)} IS NOT DISTINCT FROM o.{quoted(k)}" for k in key)


def _repeated(stage: Stage, check: Check) -> str:
    """Later records of a key that is in the load or in the table already; the first one stays."""
    columns = ", ".join(quoted(c) for c in check.columns)
    good = stage.good(check.columns)
    more = f"SELECT {columns} FROM ({good}) GROUP BY {columns} HAVING count(*) > 1"
    nth = f"row_number() OVER (PARTITION BY {columns} ORDER BY place)"
    found = [f"SELECT place FROM (SELECT place, {nth} AS nth FROM ({good}) SEMI JOIN ({more}) USING ({columns})) WHERE nth > 1"]
    if stage.job.existing:
        files = ", ".join(literal(p) for p in stage.job.existing)
        there = f"SELECT {columns} FROM read_parquet([{files}], union_by_name = true)"
        found.append(f"SELECT place FROM ({good}) SEMI JOIN ({there}) USING ({columns})")
    return f"SELECT place, {literal(check.id)}, {literal(check.columns[0])}, NULL FROM ({' UNION '.join(found)})"


def _lost(stage: Stage, check: Check) -> str:
    """Records that refer to what is not there; one that has no whole reference refers to nothing and is left alone."""
    merging = stage.job.merging
    targets = [relation_with_gaps(Input(*stage.job.others[check.to_dataset]))] if check.to_dataset in stage.job.others else []
    if check.to_dataset == stage.job.dataset:
        if targets and merging is not None:
            good = stage.good(merging.key, whole=False)
            targets = [f"SELECT n.* FROM ({targets[0]}) AS n ANTI JOIN ({good}) AS o ON {_same(merging.key)}"]
        targets.append(stage.good(check.to_columns))
    if not targets:
        raise UserError(_never_built(check))
    columns = ", ".join(quoted(c) for c in check.to_columns)
    there = " UNION ALL ".join(f"SELECT {columns} FROM ({t})" for t in targets)
    same = " AND ".join(f"n.{quoted(a)} = o.{quoted(b)}" for a, b in zip(check.columns, check.to_columns, strict=True))
    value = _shown([f"n.{quoted(c)}" for c in check.columns])
    return (
        f"SELECT n.place, {literal(check.id)}, {literal(check.columns[0])}, {value} "
        f"FROM ({stage.good(check.columns)}) AS n ANTI JOIN ({there}) AS o ON {same}"
    )


def _shown(names: Sequence[str]) -> str:
    parts = " || ', ' || ".join(f"CAST({n} AS VARCHAR)" for n in names)
    return f"substr({parts}, 1, 200)"


def _never_built(check: Check) -> Finding:
    return Finding(
        "XDE0422",
        f"`{check.dataset}` refers to `{check.to_dataset}`, which has never been loaded here",
        check.span,
        "looked up here",
        why="every row would be a dead letter for want of it",
        hint=f"load it too: `xde run {check.dataset} {check.to_dataset}`",
    )
