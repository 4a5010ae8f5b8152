"""Counts of branches, on real rows: each pair is a query and what rows of the tables below do in it."""

from __future__ import annotations

import random
import time
from pathlib import Path

import duckdb
import pytest

from xde.undercurrents.engineering.coverage.probing import probes_of, survey

T = ("k INTEGER, v INTEGER, s VARCHAR, xs INTEGER[]", [(1, 10, "a", [1, 2]), (2, None, "b", []), (3, 30, None, None), (None, 5, "a", [7])])
U = ("k INTEGER, w INTEGER", [(1, 100), (1, 101), (9, 109), (3, None)])

PAIRS = {
    "where by conjunct and as a whole": (
        "SELECT v FROM t WHERE v > 7 AND (s = 'a' OR k = 3)",
        {
            "WHERE v > 7 AND (s = 'a' OR k = 3): kept": 2,
            "WHERE v > 7 AND (s = 'a' OR k = 3): left out": 2,
            "WHERE v > 7 AND (s = 'a' OR k = 3): unknown (NULL)": 0,
            "v > 7: kept": 2,
            "v > 7: left out": 1,
            "v > 7: unknown (NULL)": 1,
            "(s = 'a' OR k = 3): kept": 3,
            "(s = 'a' OR k = 3): left out": 1,
            "(s = 'a' OR k = 3): unknown (NULL)": 0,
        },
    ),
    "a test for NULL is never unknown": ("SELECT 1 FROM t WHERE v IS NOT NULL", {"v IS NOT NULL: kept": 3, "v IS NOT NULL: left out": 1}),
    "no branch where nothing parts": ("SELECT k, v + 1 AS w FROM t WHERE TRUE", {}),
    "between is one conjunct": (
        "SELECT 1 FROM t WHERE v BETWEEN 5 AND 10 AND k IN (1, 2)",
        {
            "WHERE v BETWEEN 5 AND 10 AND k IN (1, 2): kept": 1,
            "WHERE v BETWEEN 5 AND 10 AND k IN (1, 2): left out": 1,
            "WHERE v BETWEEN 5 AND 10 AND k IN (1, 2): unknown (NULL)": 2,
            "v BETWEEN 5 AND 10: kept": 2,
            "v BETWEEN 5 AND 10: left out": 1,
            "v BETWEEN 5 AND 10: unknown (NULL)": 1,
            "k IN (1, 2): kept": 2,
            "k IN (1, 2): left out": 1,
            "k IN (1, 2): unknown (NULL)": 1,
        },
    ),
    "case by arm, among rows that pass the where": (
        "SELECT CASE WHEN v > 20 THEN 'big' WHEN v > 7 THEN 'mid' ELSE 'none' END FROM t WHERE k IS NOT NULL",
        {
            "k IS NOT NULL: kept": 3,
            "k IS NOT NULL: left out": 1,
            "WHEN v > 20: WHEN 1 taken": 1,
            "WHEN v > 7: WHEN 2 taken": 1,
            "ELSE: ELSE taken": 1,
        },
    ),
    "case with an operand and without ELSE": (
        "SELECT CASE s WHEN 'a' THEN 1 WHEN 'b' THEN 2 END FROM t",
        {"WHEN 'a': WHEN 1 taken": 2, "WHEN 'b': WHEN 2 taken": 1, "END: ELSE taken": 1},
    ),
    "an inner case counts only where the outer leads to it": (
        "SELECT CASE WHEN v > 7 THEN CASE WHEN s = 'a' THEN '1' ELSE '2' END ELSE coalesce(s, 'x') END FROM t",
        {
            "WHEN v > 7: WHEN 1 taken": 2,
            "ELSE: ELSE taken": 2,
            "WHEN s = 'a': WHEN 1 taken": 1,
            "ELSE: ELSE taken @1:56": 1,
            "coalesce(s, 'x'): fallback used": 0,
            "coalesce(s, 'x'): fallback not needed": 2,
        },
    ),
    "case inside an aggregate, with a filter": (
        "SELECT k, sum(CASE WHEN v > 7 THEN 1 ELSE 0 END) FILTER (WHERE s = 'a') AS n FROM t GROUP BY k",
        {
            "GROUP BY k: group of one row": 4,
            "GROUP BY k: group of several rows": 0,
            "s = 'a': kept": 2,
            "s = 'a': left out": 1,
            "s = 'a': unknown (NULL)": 1,
            "sum(CASE WHEN v > 7 THEN 1 ELSE 0 END) FILTER (WHERE s = 'a'): no row at all": 2,
            "WHEN v > 7: WHEN 1 taken": 1,
            "ELSE: ELSE taken": 1,
        },
    ),
    "case over groups": (
        "SELECT s, CASE WHEN count(*) > 1 THEN 'many' ELSE 'one' END AS m FROM t GROUP BY ALL HAVING s IS NOT NULL",
        {
            "GROUP BY ALL: group of one row": 2,
            "GROUP BY ALL: group of several rows": 1,
            "s IS NOT NULL: kept": 2,
            "s IS NOT NULL: left out": 1,
            "WHEN count(*) > 1: WHEN 1 taken": 1,
            "ELSE: ELSE taken": 1,
        },
    ),
    "case over groups by an alias": (
        "SELECT s, count(*) AS n, CASE WHEN n > 1 THEN 'many' ELSE 'one' END AS m FROM t GROUP BY 1",
        {
            "GROUP BY 1: group of one row": 2,
            "GROUP BY 1: group of several rows": 1,
            "WHEN n > 1: WHEN 1 taken": 1,
            "ELSE: ELSE taken": 2,
        },
    ),
    "an alias in where, case and group by": (
        "SELECT v // 10 AS tens, count(*) AS n, sum(CASE WHEN tens > 1 THEN 1 END) AS high FROM t WHERE tens >= 0 GROUP BY tens",
        {
            "tens >= 0: kept": 3,
            "tens >= 0: left out": 0,
            "tens >= 0: unknown (NULL)": 1,
            "GROUP BY tens: group of one row": 3,
            "GROUP BY tens: group of several rows": 0,
            "WHEN tens > 1: WHEN 1 taken": 1,
            "END: ELSE taken": 2,
        },
    ),
    "having by conjunct": (
        "SELECT s FROM t GROUP BY s HAVING count(*) > 1 AND max(v) > 5",
        {
            "GROUP BY s: group of one row": 2,
            "GROUP BY s: group of several rows": 1,
            "HAVING count(*) > 1 AND max(v) > 5: kept": 1,
            "HAVING count(*) > 1 AND max(v) > 5: left out": 2,
            "HAVING count(*) > 1 AND max(v) > 5: unknown (NULL)": 0,
            "count(*) > 1: kept": 1,
            "count(*) > 1: left out": 2,
            "max(v) > 5: kept": 2,
            "max(v) > 5: left out": 0,
            "max(v) > 5: unknown (NULL)": 1,
        },
    ),
    "an aggregate without groups": (
        "SELECT max(v) AS top FROM t WHERE v > 100",
        {
            "v > 100: kept": 0,
            "v > 100: left out": 3,
            "v > 100: unknown (NULL)": 1,
            "SELECT: no row at all": 1,
            "SELECT: group of one row": 0,
            "SELECT: group of several rows": 0,
        },
    ),
    "qualify over windows, by an alias": (
        "SELECT k, row_number() OVER w AS n, lag(v) OVER w AS before FROM t WINDOW w AS (PARTITION BY s ORDER BY v) QUALIFY n = 1 AND coalesce(before, 0) = 0",
        {
            "QUALIFY n = 1 AND coalesce(before, 0) = 0: kept": 3,
            "QUALIFY n = 1 AND coalesce(before, 0) = 0: left out": 1,
            "QUALIFY n = 1 AND coalesce(before, 0) = 0: unknown (NULL)": 0,
            "n = 1: kept": 3,
            "n = 1: left out": 1,
            "n = 1: unknown (NULL)": 0,
            "coalesce(before, 0) = 0: kept": 3,
            "coalesce(before, 0) = 0: left out": 1,
            "coalesce(before, 0): fallback used": 3,
            "coalesce(before, 0): fallback not needed": 1,
        },
    ),
    "qualify over groups": (
        "SELECT s, sum(v) AS total FROM t GROUP BY s QUALIFY row_number() OVER (ORDER BY total DESC) = 1",
        {
            "GROUP BY s: group of one row": 2,
            "GROUP BY s: group of several rows": 1,
            "row_number() OVER (ORDER BY total DESC) = 1: kept": 1,
            "row_number() OVER (ORDER BY total DESC) = 1: left out": 2,
        },
    ),
    "fallbacks for NULL": (
        "SELECT ifnull(v, 0), nullif(s, 'a'), v IS NULL OR k > 2, coalesce(v, k, 0) FROM t",
        {
            "ifnull(v, 0): fallback used": 1,
            "ifnull(v, 0): fallback not needed": 3,
            "nullif(s, 'a'): made NULL": 2,
            "nullif(s, 'a'): left as it is": 2,
            "v IS NULL: NULL": 1,
            "v IS NULL: not NULL": 3,
            "coalesce(v, k, 0): fallback used": 1,
            "coalesce(v, k, 0): fallback not needed": 3,
        },
    ),
    "if()": ("SELECT if(v > 7, 1, 2) FROM t", {"if(v > 7, 1, 2): WHEN 1 taken": 2, "if(v > 7, 1, 2): ELSE taken": 2}),
    "CTEs, one used twice, one unused, one that hides another": (
        "WITH a AS (SELECT k, v FROM t WHERE v > 7), unused AS (SELECT 1 / 0 AS x) "
        "SELECT * FROM a JOIN a AS b ON a.k < b.k, (WITH a AS (SELECT w FROM u) SELECT w FROM a WHERE w > 100) AS c",
        {
            "v > 7: kept": 2,
            "v > 7: left out": 1,
            "v > 7: unknown (NULL)": 1,
            "JOIN a AS b ON a.k < b.k: matched": 1,
            "JOIN a AS b ON a.k < b.k: left row without match": 1,
            "JOIN a AS b ON a.k < b.k: right row without match": 1,
            "JOIN a AS b ON a.k < b.k: several matches": 0,
            "w > 100: kept": 2,
            "w > 100: left out": 1,
            "w > 100: unknown (NULL)": 1,
        },
    ),
    "set operations, with a WITH over them": (
        "WITH a AS (SELECT k FROM t) SELECT k FROM a WHERE k > 1 UNION ALL SELECT k FROM u WHERE k > 5 EXCEPT SELECT 4",
        {
            "k > 1: kept": 2,
            "k > 1: left out": 1,
            "k > 1: unknown (NULL)": 1,
            "k > 5: kept": 1,
            "k > 5: left out": 3,
            "k > 5: unknown (NULL)": 0,
        },
    ),
    "a recursive CTE: its beginning, and what reads it": (
        "WITH RECURSIVE r AS (SELECT k AS n FROM t WHERE k = 1 UNION ALL SELECT n + 1 FROM r WHERE n < 4) SELECT n FROM r WHERE n > 2",
        {
            "k = 1: kept": 1,
            "k = 1: left out": 2,
            "k = 1: unknown (NULL)": 1,
            "n > 2: kept": 2,
            "n > 2: left out": 2,
            "n > 2: unknown (NULL)": 0,
        },
    ),
    "queries in conditions": (
        "SELECT 1 FROM t WHERE k IN (SELECT k FROM u WHERE w > 100) AND NOT EXISTS (SELECT 1 FROM u WHERE u.k = t.k + 8)",
        {
            "WHERE k IN (SELECT k FROM u WHERE w > 100) AND NOT EXISTS (SELECT 1 FROM u WHERE u.k = t.k + 8): kept": 0,
            "WHERE k IN (SELECT k FROM u WHERE w > 100) AND NOT EXISTS (SELECT 1 FROM u WHERE u.k = t.k + 8): left out": 3,
            "WHERE k IN (SELECT k FROM u WHERE w > 100) AND NOT EXISTS (SELECT 1 FROM u WHERE u.k = t.k + 8): unknown (NULL)": 1,
            "k IN (SELECT k FROM u WHERE w > 100): kept": 1,
            "k IN (SELECT k FROM u WHERE w > 100): left out": 2,
            "k IN (SELECT k FROM u WHERE w > 100): unknown (NULL)": 1,
            "NOT EXISTS (SELECT 1 FROM u WHERE u.k = t.k + 8): kept": 3,
            "NOT EXISTS (SELECT 1 FROM u WHERE u.k = t.k + 8): left out": 1,
            "w > 100: kept": 2,
            "w > 100: left out": 1,
            "w > 100: unknown (NULL)": 1,
        },
    ),
    "distinct": ("SELECT DISTINCT s FROM t", {"DISTINCT: group of one row": 2, "DISTINCT: group of several rows": 1}),
    "distinct on": (
        "SELECT DISTINCT ON (s, 2) s, k > 0 AS p FROM t ORDER BY v",
        {"DISTINCT ON (s, 2): group of one row": 4, "DISTINCT ON (s, 2): group of several rows": 0},
    ),
    "rollup": (
        "SELECT s, count(*) AS n FROM t GROUP BY ROLLUP (s)",
        {"GROUP BY ROLLUP (s): group of one row": 2, "GROUP BY ROLLUP (s): group of several rows": 2},
    ),
    "a constant among the keys": (
        "SELECT 'x' AS kind, 7 AS seven, s, count(*) AS n FROM t GROUP BY 1, 2, 3",
        {"GROUP BY 1, 2, 3: group of one row": 2, "GROUP BY 1, 2, 3: group of several rows": 1},
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_pairs(bench, name):
    sql, expected = PAIRS[name]
    assert bench.tables(t=T, u=U).count(sql) == expected


def test_parameters_stay_parameters_and_each_probe_names_its_own(bench):
    bench.tables(t=T, u=U)
    sql = "SELECT count(*) FILTER (WHERE v > $least) AS n, '$no' AS text FROM t WHERE k > $low"
    hits = bench.count(sql, least=7, low=1)
    assert hits["k > $low: kept"] == 2
    assert hits["v > $least: kept"] == 1
    assert {p for probe in probes_of(sql) for p in probe.parameters} == {"least", "low"}


UNPROBED = {
    "it reads columns of the query around it": ("SELECT (SELECT max(w) FROM u WHERE u.k = t.k) FROM t", ["SELECT", "u.k = t.k"]),
    "it runs again and again on its own rows (`WITH RECURSIVE`)": (
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 4) SELECT n FROM r",
        ["n < 4"],
    ),
    "it runs for each element of a list": ("SELECT [CASE WHEN x > 1 THEN 1 END FOR x IN xs] FROM t", ["WHEN x > 1", "END"]),
    "it stands in the condition of a join, which sees pairs of rows": (
        "SELECT 1 FROM t JOIN u ON coalesce(t.k, 0) = u.k",
        ["coalesce(t.k, 0)"],
    ),
    "joins in brackets cannot be taken apart": (
        "SELECT 1 FROM t JOIN (u JOIN u AS x ON u.k = x.k) ON t.k = u.k",
        ["JOIN (u JOIN u AS x ON u.k = x.k) ON t.k = u.k"],
    ),
    "rows are joined by their position, not by a condition": ("SELECT 1 FROM t POSITIONAL JOIN u", ["POSITIONAL JOIN u"]),
    "it takes a sample, so that its rows are others each time": ("SELECT 1 FROM t WHERE k > 1 USING SAMPLE 2 ROWS", ["k > 1"]),
}


@pytest.mark.parametrize("reason", UNPROBED)
def test_what_cannot_be_probed_is_told(bench, reason):
    sql, texts = UNPROBED[reason]
    bench.tables(t=T, u=U)
    bench.count(sql)
    assert [(u.text, u.reason) for u in survey(sql).unprobed] == [(text, reason) for text in texts]


def test_places_are_those_of_the_text():
    sql = """SELECT
    CASE -- of what is there
        WHEN v /* here */ > 1
            THEN 'x'
    END AS m
FROM t
LEFT  JOIN u
    ON u.k = t.k
WHERE (t.k > 1)
  AND t.s
      = 'a'
"""
    assert [
        (b.line, b.column, b.text)
        for b in dict.fromkeys(survey(sql).branches)
        if b.outcome in {"kept", "matched", "WHEN 1 taken", "ELSE taken"}
    ] == [
        (3, 9, "WHEN v > 1"),
        (5, 5, "END"),
        (7, 1, "LEFT JOIN u ON u.k = t.k"),
        (9, 1, "WHERE (t.k > 1) AND t.s = 'a'"),
        (9, 7, "(t.k > 1)"),
        (10, 7, "t.s = 'a'"),
    ]


def test_ids_are_unique_and_stable():
    sql = "SELECT coalesce(coalesce(a, b), c), CASE WHEN a THEN 1 END FROM t WHERE a IS NULL OR a IS NULL"
    ids = [b.id for b in survey(sql).branches]
    assert len(ids) == len(set(ids))
    assert ids == [b.id for b in survey(sql).branches]


def test_where_counts_equal_a_naive_count(bench):
    sql = "SELECT k FROM t WHERE k > $n AND (v < 3 OR s = 'a') AND NOT v = 2"
    found = survey(sql)
    for seed in range(100):
        chance = random.Random(seed)
        rows = [
            (chance.choice([None, 0, 1, 2, 3]), chance.choice([None, 1, 2, 3, 4]), chance.choice([None, "a", "b"]), None)
            for _ in range(chance.randrange(12))
        ]
        hits = bench.tables(t=(T[0], rows)).ask(found, n=1)
        parts = [
            (_and(_over(k, lambda x: x > 1)), _or(_over(v, lambda x: x < 3), _over(s, lambda x: x == "a")), _over(v, lambda x: x != 2))
            for k, v, s, _ in rows
        ]
        for text, of in (
            ("k > $n", [p[0] for p in parts]),
            ("(v < 3 OR s = 'a')", [p[1] for p in parts]),
            ("NOT v = 2", [p[2] for p in parts]),
            ("WHERE k > $n AND (v < 3 OR s = 'a') AND NOT v = 2", [_and(*p) for p in parts]),
        ):
            for outcome, value in (("kept", True), ("left out", False), ("unknown (NULL)", None)):
                assert hits[f"{text}: {outcome}"] == sum(o is value for o in of), (seed, text, outcome)


def _over(value, test):
    return None if value is None else test(value)


def _and(*values):
    return False if False in values else None if None in values else True


def _or(*values):
    return True if True in values else None if None in values else False


def test_a_model_of_sixty_lines_is_surveyed_fast():
    path = Path(__file__).parents[5] / "examples/flights/models/marts/delay_by_weather.sql"
    sql = path.read_text()
    taken = []
    for _ in range(5):
        begun = time.process_time()
        survey(sql)
        taken.append(time.process_time() - begun)
    assert min(taken) < 0.2, taken


def test_a_text_that_no_engine_would_run_is_the_callers_fault():
    from sqlglot.errors import ParseError

    with pytest.raises(ParseError):
        survey("SELECT FROM WHERE")


def test_the_parts_of_a_probe_survive_what_the_whole_does_not(bench):
    bench.tables(t=("x VARCHAR", [("1",), ("one",)]))
    sql = "SELECT x FROM t WHERE x SIMILAR TO '[0-9]+' AND CAST(x AS INTEGER) > 0"
    (probe,) = probes_of(sql)
    with pytest.raises(duckdb.ConversionException):
        bench.database.execute(probe.sql).fetchall()
    answered = {}
    for part in probe.parts:
        try:
            answered[part.branches[0].text] = bench.database.execute(part.sql).fetchone()
        except duckdb.ConversionException:
            continue
    assert answered["x SIMILAR TO '[0-9]+'"] == (1, 1, 0)
