"""Each column and each clause of the examples' models is changed in turn: what is rebuilt is what reads it, and nothing else.

Bare DuckDB says what must come out and, by trying several changes of the same place on the data, what could come out otherwise.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import duckdb
import pytest
from edits.bare import Bare, changed_columns, columns, deploy, shown, small, texts, with_column, write

from xde.app.workspace import Workspace
from xde.undercurrents.engineering.mutants.mutating import mutants_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NUMBERS = ("{} + 1", "{} * -3 + 7", "NULLIF({}, {}) + 0")
NUMERIC = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DOUBLE", "DECIMAL"}
CHANGES = {
    "VARCHAR": ("{} || 'x'", "reverse({})", "left({}, 1)"),
    "DATE": ("{} + 1", "{} - 40", "CAST(date_trunc('year', {}) AS DATE)"),
    "BOOLEAN": ("NOT {}", "{} IS NULL", "coalesce({}, TRUE)"),
    "TIMESTAMP": ("{} + INTERVAL 1 HOUR", "{} - INTERVAL 40 DAY", "date_trunc('year', {})"),
}


@pytest.fixture(scope="module", params=["jaffle_shop", "flights"])
def project(request, tmp_path_factory):
    root = small(request.param, tmp_path_factory.mktemp("edits") / request.param)
    return root, Bare(root)


def differs(one: Mapping[str, object], other: Mapping[str, object]) -> set[str]:
    return {n for n in one if one[n] != other[n]}


def pointers(root: Path) -> dict[str, str]:
    with Workspace.open(root, environment="prod") as workspace:
        return workspace.house.ledger.pointers("prod")


def deployed(root: Path, base: dict[str, str]) -> tuple[set[str], dict[str, Counter[str]]]:
    """What means something else than at first, and all that there is now; nothing else was built."""
    before = pointers(root)
    done = deploy(root)
    assert done.deployment is not None, done.finished
    assert {o.step.dataset for o in done.finished.outcomes} <= differs(before, done.deployment.pointers)
    return differs(base, done.deployment.pointers), shown(root)


def constants(sql: dict[str, str], kind: str) -> list[str]:
    """What models compare with: a value may matter although the data happen not to hold it."""
    found = {c for text in sql.values() for c in re.findall(r"'[^']*'" if kind == "VARCHAR" else r"\b\d+\b", text)}
    return sorted(found) if kind == "VARCHAR" or kind in NUMERIC else []


def some(every: list[tuple[str, str]]) -> set[tuple[str, str]]:
    """All columns of a small project, and a fifth of those of a larger one: each takes a deployment and many builds."""
    return set(every if len(every) < 50 else every[::5])


@pytest.mark.slow
def test_what_is_rebuilt_is_what_reads_the_column(project):
    root, bare = project
    base = texts(root, bare.order)
    before, at_first = bare.build(base), pointers(root)
    assert shown(root) == before
    tried = 0
    every = [(m, c) for m in bare.order for c in columns(base[m])]
    for model in bare.order:
        for column in columns(base[model]):
            if (model, column) not in some(every):
                continue
            kind = bare.types[model][column].partition(" ")[0].partition("(")[0]
            ways = CHANGES.get(kind, NUMBERS)
            sql = with_column(base[model], column, ways[0])
            write(root, model, sql)
            rebuilt, now = deployed(root, at_first)
            assert now == bare.build(base | {model: sql}), f"{model}.{column}"
            assert differs(before, now) <= rebuilt
            unproven = rebuilt - differs(before, now) - {model}
            for way in (*ways[1:], *(f"CAST({c} AS {kind})" for c in constants(base, kind))):
                if unproven:
                    unproven -= differs(before, bare.build(base | {model: with_column(base[model], column, way)}))
            assert not unproven, f"{model}.{column} does not reach {sorted(unproven)}"
            write(root, model, base[model])
            tried += 1
    assert tried > 15
    built = {o.step.dataset for o in deploy(root).finished.outcomes}
    assert built <= bare.views, "what was there is pointed at, not built again"


@pytest.mark.slow
def test_whatever_clause_is_changed_all_is_as_rebuilt_from_nothing(project):
    """One change of each kind in each model (of a larger project in every other), outside of the columns that it writes out: joins, filters, groups, orders, sets, parts."""
    root, bare = project
    base = texts(root, bare.order)
    at_first = pointers(root)
    tried = Counter[str]()
    for model in bare.order[::2] if len(bare.order) > 8 else bare.order:
        seen: set[str] = set()
        for mutant in mutants_of(base[model]):
            if mutant.operator in seen or changed_columns(base[model], mutant.sql) is not None:
                continue
            try:
                wanted = bare.build(base | {model: mutant.sql})
            except duckdb.Error:
                continue
            seen.add(mutant.operator)
            write(root, model, mutant.sql)
            rebuilt, now = deployed(root, at_first)
            assert now == wanted, f"{model}: {mutant}"
            assert rebuilt <= {model, *bare.reach(model)}
            tried[mutant.operator] += 1
        write(root, model, base[model])
    assert len(tried) >= 5, tried
