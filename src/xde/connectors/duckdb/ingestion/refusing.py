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


def refuse(stage: Stage) -> None:
    """Refuse what breaks a rule of several records; references to others first, so that no key is held by a row that goes.

    A table that refers to itself is looked at again until nothing more is lost: with a row go the rows that refer to it.
    """
    held = [c for c in stage.job.checks if c.action is Action.DEAD_LETTER]
    references = [c for c in held if c.kind is CheckKind.REFERENCE]
    lost = [_lost(stage, c) for c in references if c.to_dataset != stage.job.dataset]
    if lost:
        stage.refuse(" UNION ALL ".join(lost))
    for check in held:
        if check.kind is CheckKind.UNIQUE:
            stage.refuse(_repeated(stage, check))
    own = [_lost(stage, c) for c in references if c.to_dataset == stage.job.dataset]
    while own and stage.refuse(" UNION ALL ".join(own)):
        pass


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
    targets = [relation_with_gaps(Input(*stage.job.others[check.to_dataset]))] if check.to_dataset in stage.job.others else []
    if check.to_dataset == stage.job.dataset:
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
