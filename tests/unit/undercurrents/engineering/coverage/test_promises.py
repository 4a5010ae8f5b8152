"""What contracts promise rules outcomes out; each rule is held by an engine that is given every row the promise allows."""

from __future__ import annotations

import itertools

import pytest

from xde.undercurrents.engineering.coverage.probing import survey
from xde.undercurrents.engineering.coverage.promises import NOTHING, Promise, promise_of

PROMISES = {
    "s.t": Promise(frozenset({"k", "a"}), (frozenset({"k"}),)),
    "s.u": Promise(frozenset({"k", "n", "w"}), (frozenset({"k", "n"}),)),
}

RULED_OUT = {
    "a required column": ("SELECT 1 FROM s.t WHERE a > 1", ["a > 1: unknown (NULL)"]),
    "one that may be NULL": ("SELECT 1 FROM s.t WHERE b > 1", []),
    "in a list, between, and by both": (
        "SELECT 1 FROM s.t AS t WHERE t.a IN (1, 2) AND t.k BETWEEN 1 AND 2",
        [
            "WHERE t.a IN (1, 2) AND t.k BETWEEN 1 AND 2: unknown (NULL)",
            "t.a IN (1, 2): unknown (NULL)",
            "t.k BETWEEN 1 AND 2: unknown (NULL)",
        ],
    ),
    "a list with a NULL": ("SELECT 1 FROM s.t WHERE a IN (1, NULL)", []),
    "a parameter may be NULL": ("SELECT 1 FROM s.t WHERE a > $p", []),
    "division makes NULL": ("SELECT 1 FROM s.t WHERE a / 0 > 1", []),
    "a failed TRY_CAST makes NULL": ("SELECT 1 FROM s.t WHERE TRY_CAST(a AS INTEGER) > 1", []),
    "a cast does not": ("SELECT 1 FROM s.t WHERE a::INTEGER > 1", ["a::INTEGER > 1: unknown (NULL)"]),
    "no fallback for what is there": (
        "SELECT coalesce(a, 0), a IS NULL OR b = 1 FROM s.t",
        ["coalesce(a, 0): fallback used", "a IS NULL: NULL"],
    ),
    "a left join puts NULL there": (
        "SELECT 1 FROM s.u LEFT JOIN s.t ON t.k = u.w WHERE t.a > 1",
        ["LEFT JOIN s.t ON t.k = u.w: several matches"],
    ),
    "a right join to the other side": (
        "SELECT 1 FROM s.t AS x RIGHT JOIN s.t ON t.b = x.b WHERE x.a > 1 AND t.a > 1",
        ["t.a > 1: unknown (NULL)"],
    ),
    "of several sources a name alone says nothing": ("SELECT 1 FROM s.t CROSS JOIN s.u WHERE a > 1", []),
    "a key by USING": ("SELECT 1 FROM s.u JOIN s.t USING (k)", ["JOIN s.t USING (k): several matches"]),
    "part of a key": ("SELECT 1 FROM s.t JOIN s.u USING (k)", []),
    "a whole key with a constant": (
        "SELECT 1 FROM s.t JOIN s.u AS u ON u.k = t.k AND u.n = 1",
        ["JOIN s.u AS u ON u.k = t.k AND u.n = 1: several matches"],
    ),
    "a key compared with itself": ("SELECT 1 FROM s.u JOIN s.t AS t ON t.k = t.b", []),
    "a key compared by less than": ("SELECT 1 FROM s.u JOIN s.t AS t ON t.k < u.k", []),
    "a key or something else": ("SELECT 1 FROM s.u JOIN s.t AS t ON t.k = u.k OR t.b = u.n", []),
    "a CTE grouped by what is joined": (
        "WITH g AS (SELECT n, max(w) AS m, count(*) AS c FROM s.u GROUP BY n) SELECT coalesce(g.m, 0) FROM s.t JOIN g ON g.n = t.b WHERE g.c > 1",
        ["JOIN g ON g.n = t.b: several matches", "g.c > 1: unknown (NULL)"],
    ),
    "a CTE grouped by more": ("WITH g AS (SELECT n, w FROM s.u GROUP BY n, w) SELECT 1 FROM s.t JOIN g ON g.n = t.b", []),
    "a rollup": ("WITH g AS (SELECT n, max(w) AS m FROM s.u GROUP BY ROLLUP (n)) SELECT 1 FROM s.t JOIN g ON g.n = t.b WHERE g.n > 1", []),
    "the newest of each": (
        "WITH g AS (SELECT * FROM s.u QUALIFY row_number() OVER (PARTITION BY n ORDER BY w) = 1) SELECT 1 FROM s.t JOIN g ON g.n = t.b",
        ["JOIN g ON g.n = t.b: several matches"],
    ),
    "the two newest of each": (
        "WITH g AS (SELECT * FROM s.u QUALIFY row_number() OVER (PARTITION BY n ORDER BY w) = 2 OR TRUE) SELECT 1 FROM s.t JOIN g ON g.n = t.b",
        [],
    ),
    "a list spread over rows": ("WITH g AS (SELECT k, unnest([a, 2]) AS x FROM s.t) SELECT 1 FROM s.u JOIN g ON g.k = u.w", []),
    "a query in FROM that renames": (
        "SELECT 1 FROM s.u JOIN (SELECT k AS id, a FROM s.t) AS x ON x.id = u.w WHERE x.a > 1",
        ["JOIN (SELECT k AS id, a FROM s.t) AS x ON x.id = u.w: several matches", "x.a > 1: unknown (NULL)"],
    ),
    "a query with its columns renamed from outside": (
        "SELECT 1 FROM s.u JOIN (SELECT k, a FROM s.t) AS x(a, k) ON x.k = u.w WHERE x.a > 1",
        [],
    ),
    "a set operation, whose columns go by their place": (
        "SELECT 1 FROM (SELECT k, b AS c FROM s.t UNION ALL SELECT n, w FROM s.u) AS x WHERE x.k > 1 AND x.c > 1",
        ["x.k > 1: unknown (NULL)"],
    ),
    "a set operation by name": ("SELECT 1 FROM (SELECT k FROM s.t UNION ALL BY NAME SELECT n FROM s.u) AS x WHERE x.k > 1", []),
    "a set operation has no key": ("SELECT 1 FROM s.u JOIN (SELECT k FROM s.t UNION ALL SELECT k FROM s.t) AS x ON x.k = u.w", []),
    "a CTE that hides a dataset by its alias": ("WITH t AS (SELECT NULL AS a) SELECT 1 FROM t WHERE a > 1", []),
}


@pytest.mark.parametrize("name", RULED_OUT)
def test_what_is_ruled_out(bench, name):
    sql, expected = RULED_OUT[name]
    found = survey(sql, PROMISES)
    assert [f"{r.text}: {r.outcome}" for r in found.ruled_out] == expected
    ids = {f"{b.text}: {b.outcome}" for b in found.branches}
    assert not ids & set(expected)


@pytest.mark.parametrize("name", RULED_OUT)
def test_what_is_ruled_out_never_happens(bench, name):
    sql, expected = RULED_OUT[name]
    if "$p" in sql or not expected:
        return
    bench.database.execute("CREATE SCHEMA s")
    some = (None, 0, 1, 2)
    keyed = [(k, a, b) for k, (a, b) in enumerate(itertools.product((0, 1, 2), some))]
    pairs = [(k, n, w) for (k, n), w in zip(itertools.product((0, 1, 2), (0, 1, 2)), itertools.cycle((0, 1, 2)), strict=False)]
    for rows_t, rows_u in ((keyed, pairs), (keyed[:1], pairs), (keyed, pairs[:1]), ([], pairs), (keyed, [])):
        bench.tables(**{"s.t": ("k INTEGER, a INTEGER, b INTEGER", rows_t), "s.u": ("k INTEGER, n INTEGER, w INTEGER", rows_u)})
        hits = bench.count(sql)
        assert [hits.get(e, 0) for e in expected] == [0] * len(expected)


def test_a_view_carries_promises_on():
    assert promise_of("SELECT k AS id, a, b FROM s.t", PROMISES) == Promise(frozenset({"id", "a"}), (frozenset({"id"}),))
    assert promise_of("SELECT * FROM s.t WHERE b > 1", PROMISES) == PROMISES["s.t"]
    assert promise_of("SELECT a FROM s.t", PROMISES) == Promise(frozenset({"a"}))
    assert promise_of("FROM s.t UNION ALL FROM s.t", PROMISES) == NOTHING
    assert promise_of("SELECT * EXCLUDE (a) FROM s.t", PROMISES) == NOTHING
    assert promise_of("SELECT k, count(*) AS n FROM s.u GROUP BY ALL", PROMISES).required == {"k", "n"}
