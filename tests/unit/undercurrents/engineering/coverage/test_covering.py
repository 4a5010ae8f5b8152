"""Counts of several cases added up, by branch, by line and in all."""

from __future__ import annotations

import duckdb

from xde.undercurrents.engineering.coverage.covering import Mark, Refused, Tally, annotated
from xde.undercurrents.engineering.coverage.probing import survey

SQL = """SELECT
    CASE WHEN v > 1 THEN 'many'
         ELSE 'few' END AS m
FROM t
WHERE CAST(k AS INTEGER) > 0
"""


def asking(database, **parameters):
    def ask(probe):
        try:
            return database.execute(probe.sql, {p: parameters[p] for p in probe.parameters}).fetchone()
        except duckdb.Error as error:
            return Refused(str(error))

    return ask


def test_cases_add_up(bench):
    tally = Tally(survey(SQL))
    assert tally.coverage().percent == 0
    tally.take(asking(bench.tables(t=("k VARCHAR, v INTEGER", [("1", 5), ("2", 5)])).database))
    first = tally.coverage()
    assert (first.reached, len(first.branches), first.percent) == (2, 5, 40.0)
    tally.take(asking(bench.tables(t=("k VARCHAR, v INTEGER", [("1", 1), (None, 5)])).database))
    both = tally.coverage()
    assert {b.outcome: both.hits[b.id] for b in both.branches} == {
        "WHEN 1 taken": 2,
        "ELSE taken": 1,
        "kept": 3,
        "left out": 0,
        "unknown (NULL)": 1,
    }
    lines = annotated(SQL, both)
    assert [line.text for line in lines] == SQL.splitlines()
    assert [line.mark for line in lines] == [Mark.PLAIN, Mark.COVERED, Mark.COVERED, Mark.PLAIN, Mark.PARTLY]
    assert annotated(SQL, first)[2].mark is Mark.MISSED


def test_what_one_case_cannot_count_others_do(bench):
    tally = Tally(survey(SQL))
    tally.take(asking(bench.tables(t=("k VARCHAR, v INTEGER", [("one", 5)])).database))
    refused = tally.coverage()
    assert refused.branches == ()
    assert refused.percent == 100
    assert any("'one'" in u.reason for u in refused.unprobed)
    tally.take(asking(bench.tables(t=("k VARCHAR, v INTEGER", [("1", 5)])).database))
    assert len(tally.coverage().branches) == 5
    assert tally.coverage().unprobed == ()


def test_a_probe_that_fails_as_a_whole_is_asked_in_parts(bench):
    sql = "SELECT x FROM t WHERE x SIMILAR TO '[0-9]+' AND CAST(x AS INTEGER) > 0"
    tally = Tally(survey(sql))
    tally.take(asking(bench.tables(t=("x VARCHAR", [("1",), ("one",)])).database))
    found = tally.coverage()
    assert {b.text for b in found.branches} >= {"x SIMILAR TO '[0-9]+'"}
    assert "CAST(x AS INTEGER) > 0" in {u.text for u in found.unprobed}


def test_a_case_of_a_cte_reaches_what_it_is_made_from(bench):
    sql = "WITH a AS (SELECT v FROM t WHERE v > 1), b AS (SELECT v FROM A WHERE v > 2), c AS (SELECT v FROM t WHERE v > 3) SELECT v FROM b WHERE v > 4"
    tally = Tally(survey(sql))
    tally.take(asking(bench.tables(t=("v INTEGER", [(9,)])).database), part="B")
    found = tally.coverage()
    assert {b.text: found.hits[b.id] for b in found.branches if b.outcome == "kept"} == {"v > 1": 1, "v > 2": 1, "v > 3": 0, "v > 4": 0}


def test_a_query_without_branches_is_covered():
    found = Tally(survey("SELECT 1 AS x")).coverage()
    assert (found.percent, found.branches, found.unprobed) == (100.0, (), ())
