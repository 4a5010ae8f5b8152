"""A list of values gone through is false where `IN` is."""

from __future__ import annotations

import duckdb
import pytest

from xde.connectors.duckdb.ingestion.predicates import predicate
from xde.kernel.plan.checks import Action, Check, CheckKind
from xde.lifecycle.ingestion.port import Field

FIELDS = (Field("n", "n", "INTEGER"), Field('a "b"', "a", "VARCHAR"), Field("d", "d", "DATE"))


def rule(sql: str) -> Check:
    return Check("s.t.r", "s.t", CheckKind.ROW, Action.DEAD_LETTER, "is wrong", (), sql)


@pytest.mark.parametrize("sql", ["\"a \"\"b\"\"\" IN ('x', 'it''s, ) WHEN', '', '1', 'y', 'z')", '"n" IN (1, -2, 3, 40, 5)', '"n" IN (7)'])
def test_it_is_false_of_the_same_values(sql: str) -> None:
    mended = predicate(rule(sql), FIELDS)
    assert mended.startswith("CASE")
    values = "(VALUES (1, 'x'), (-2, 'it''s, ) WHEN'), (7, ''), (NULL, NULL), (6, 'X'), (40, '1')) AS t(\"n\", \"a \"\"b\"\"\")"
    with duckdb.connect() as connection:
        told = connection.execute(f"SELECT ({sql}) IS FALSE, ({mended}) IS FALSE FROM {values}").fetchall()
        plan = connection.execute(f"EXPLAIN SELECT CASE WHEN {mended} THEN 1 END FROM {values}").fetchall()
    assert {a == b for a, b in told} == {True}
    assert {a for a, _ in told} == {True, False}
    assert "Join" not in str(plan)


@pytest.mark.parametrize(
    "sql",
    [
        "\"d\" IN ('2026-01-01', '2026-01-02')",
        "\"n\" IN ('1', '2')",
        "\"n\" IN (1, '2')",
        '"n" IN (1.5, 2)',
        '"n" NOT IN (1, 2)',
        '"n" IN (1, 2) OR "n" > 5',
        '"n" > 5',
        '"n" IN (' + ", ".join(map(str, range(100))) + ")",
    ],
)
def test_another_predicate_stays_as_it_is(sql: str) -> None:
    assert predicate(rule(sql), FIELDS) == sql
