"""Queries of every kind: the engine agrees on the names, the lineage is as written, and no column moves another silently."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from xde.kernel.graph.analyses import source_meaning
from xde.kernel.graph.meaning.lines import lines_of
from xde.kernel.graph.text.parse import read_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.kernel.graph.analysis import ColumnLineage, ColumnRef
    from xde.kernel.graph.meaning.values import Meaning


def told(kit, sql: str, names: Sequence[str]) -> tuple[tuple[ColumnLineage, ...], Meaning, bool]:
    reading = read_text(sql)
    assert not reading.faults
    used = {".".join(t.parts).lower() for t in reading.tables}
    lines = lines_of(reading, {n: (t, source_meaning(n, t)) for n, t in kit.shop.items() if n in used}, ordered=False)
    assert not lines.missing or lines.exact is None
    columns, rows = lines.named(names)
    exact = lines.exact is not None and len(lines.exact.columns) == len(names)
    return columns, rows, exact


def text(refs: Sequence[ColumnRef]) -> str:
    return ", ".join(str(r).removeprefix("shop.") for r in sorted(refs)) or "nothing"


def lineage(columns: tuple[ColumnLineage, ...], rows: Meaning) -> tuple[str, ...]:
    lines = [f"{c.name} <{'=' if c.identity else '-'} {text(c.reads)}" for c in columns]
    return (*lines, f"rows <- {text(tuple(rows.reads))}")


def test_lineage_is_as_written(case, engine, kit):
    names = [n for n, _ in engine.describe(case.sql)]
    columns, rows, _ = told(kit, case.sql, names)
    assert lineage(columns, rows) == tuple(f" {line}".strip() for line in case.lineage)


@pytest.mark.slow
def test_a_column_that_is_not_read_changes_nothing(case, engine, kit):
    """By value: an input column made anew leaves every output column alone that does not read it."""
    names = [n for n, _ in engine.describe(case.sql)]
    columns, rows, _ = told(kit, case.sql, names)
    for seed in range(2):
        engine.fill(seed)
        before = engine.rows(case.sql)
        for dataset, types in kit.shop.items():
            for column in types:
                if (dataset, column) in {(r.dataset, r.column) for r in rows.reads} or dataset not in case.sql.lower():
                    continue
                alone = [i for i, c in enumerate(columns) if (dataset, column) not in {(r.dataset, r.column) for r in c.reads}]
                engine.refill(seed, dataset, column)
                after = engine.rows(case.sql)
                engine.refill(seed, dataset)
                assert Counter(tuple(r[i] for i in alone) for r in before) == Counter(tuple(r[i] for i in alone) for r in after), (
                    f"{dataset}.{column} moves what does not read it"
                )
