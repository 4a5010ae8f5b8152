"""Counts of joins, on real rows: each pair is a query and what the rows of two tables do in it."""

from __future__ import annotations

import random

import pytest

from xde.undercurrents.engineering.coverage.probing import survey

T = ("k INTEGER, v INTEGER, s VARCHAR, xs INTEGER[]", [(1, 10, "a", [1, 2]), (2, None, "b", []), (3, 30, None, None), (None, 5, "a", [7])])
U = ("k INTEGER, w INTEGER", [(1, 100), (1, 101), (9, 109), (3, None)])

PAIRS = {
    "an inner join": (
        "SELECT * FROM t JOIN u USING (k)",
        {
            "JOIN u USING (k): matched": 2,
            "JOIN u USING (k): left row without match": 2,
            "JOIN u USING (k): right row without match": 1,
            "JOIN u USING (k): several matches": 1,
        },
    ),
    "two joins, the second on what the first gives": (
        "SELECT * FROM t LEFT JOIN u ON u.k = t.k AND u.w > 100 INNER JOIN u AS x ON x.k = coalesce(u.k, 9)",
        {
            "LEFT JOIN u ON u.k = t.k AND u.w > 100: matched": 1,
            "LEFT JOIN u ON u.k = t.k AND u.w > 100: left row without match": 3,
            "LEFT JOIN u ON u.k = t.k AND u.w > 100: right row without match": 3,
            "LEFT JOIN u ON u.k = t.k AND u.w > 100: several matches": 0,
            "INNER JOIN u AS x ON x.k = coalesce(u.k, 9): matched": 4,
            "INNER JOIN u AS x ON x.k = coalesce(u.k, 9): left row without match": 0,
            "INNER JOIN u AS x ON x.k = coalesce(u.k, 9): right row without match": 1,
            "INNER JOIN u AS x ON x.k = coalesce(u.k, 9): several matches": 1,
        },
    ),
    "natural, semi and anti joins": (
        "SELECT t.v FROM t SEMI JOIN u USING (k) ANTI JOIN u AS x ON x.k = t.k + 8 NATURAL LEFT JOIN u AS y",
        {
            "SEMI JOIN u USING (k): matched": 2,
            "SEMI JOIN u USING (k): left row without match": 2,
            "ANTI JOIN u AS x ON x.k = t.k + 8: matched": 1,
            "ANTI JOIN u AS x ON x.k = t.k + 8: left row without match": 1,
            "NATURAL LEFT JOIN u AS y: matched": 1,
            "NATURAL LEFT JOIN u AS y: left row without match": 0,
            "NATURAL LEFT JOIN u AS y: right row without match": 3,
            "NATURAL LEFT JOIN u AS y: several matches": 0,
        },
    ),
    "an as-of join": (
        "SELECT * FROM t ASOF JOIN u ON t.v >= u.w - 95",
        {"ASOF JOIN u ON t.v >= u.w - 95: matched": 3, "ASOF JOIN u ON t.v >= u.w - 95: left row without match": 1},
    ),
    "a comma has no branch of its own; a join after it begins anew": (
        "SELECT 1 FROM t AS a, t AS b LEFT JOIN u ON u.k = b.k WHERE a.k = b.k",
        {
            "LEFT JOIN u ON u.k = b.k: matched": 2,
            "LEFT JOIN u ON u.k = b.k: left row without match": 2,
            "LEFT JOIN u ON u.k = b.k: right row without match": 1,
            "LEFT JOIN u ON u.k = b.k: several matches": 1,
            "a.k = b.k: kept": 4,
            "a.k = b.k: left out": 8,
            "a.k = b.k: unknown (NULL)": 8,
        },
    ),
    "a cross join has none": ("SELECT 1 FROM t CROSS JOIN u", {}),
    "lists spread over rows": (
        "SELECT t.k, l.x FROM t, unnest(t.xs) AS l(x) WHERE l.x > 1",
        {
            "unnest(t.xs) AS l(x): matched": 2,
            "unnest(t.xs) AS l(x): left row without match": 2,
            "unnest(t.xs) AS l(x): several matches": 1,
            "l.x > 1: kept": 2,
            "l.x > 1: left out": 1,
            "l.x > 1: unknown (NULL)": 0,
        },
    ),
    "a lateral query, and a join after it": (
        "SELECT * FROM t LEFT JOIN LATERAL (SELECT t.v * 2 AS d) AS l ON TRUE JOIN u ON u.k = t.k",
        {
            "LEFT JOIN LATERAL (SELECT t.v * 2 AS d) AS l ON TRUE: matched": 4,
            "LEFT JOIN LATERAL (SELECT t.v * 2 AS d) AS l ON TRUE: left row without match": 0,
            "LEFT JOIN LATERAL (SELECT t.v * 2 AS d) AS l ON TRUE: several matches": 0,
            "JOIN u ON u.k = t.k: matched": 2,
            "JOIN u ON u.k = t.k: left row without match": 2,
            "JOIN u ON u.k = t.k: right row without match": 1,
            "JOIN u ON u.k = t.k: several matches": 1,
        },
    ),
    "queries in FROM, with no alias and with columns renamed": (
        "SELECT * FROM (SELECT k FROM t WHERE v > 7) JOIN (SELECT k, w FROM u) AS x(p, q) ON k = p",
        {
            "v > 7: kept": 2,
            "v > 7: left out": 1,
            "v > 7: unknown (NULL)": 1,
            "JOIN (SELECT k, w FROM u) AS x(p, q) ON k = p: matched": 2,
            "JOIN (SELECT k, w FROM u) AS x(p, q) ON k = p: left row without match": 0,
            "JOIN (SELECT k, w FROM u) AS x(p, q) ON k = p: right row without match": 1,
            "JOIN (SELECT k, w FROM u) AS x(p, q) ON k = p: several matches": 1,
        },
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_pairs(bench, name):
    sql, expected = PAIRS[name]
    assert bench.tables(t=T, u=U).count(sql) == expected


@pytest.mark.parametrize("words", ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
def test_counts_equal_nested_loops(bench, words):
    found = survey(f"SELECT 1 FROM t {words} u ON u.k = t.k AND u.w > t.v")
    for seed in range(25):
        chance = random.Random(seed)
        left = [(chance.choice([None, 0, 1, 2]), chance.choice([None, 1, 2]), None, None) for _ in range(chance.randrange(9))]
        right = [(chance.choice([None, 0, 1, 2]), chance.choice([None, 1, 2, 3])) for _ in range(chance.randrange(9))]
        pairs = [
            (i, j) for i, (k, v, *_) in enumerate(left) for j, (x, w) in enumerate(right) if None not in (k, v, x, w) and k == x and w > v
        ]
        partners = [sum(i == n for i, _ in pairs) for n in range(len(left))]
        hits = bench.tables(t=(T[0], left), u=(U[0], right)).ask(found)
        assert {name.split(": ")[1]: count for name, count in hits.items()} == {
            "matched": sum(n > 0 for n in partners),
            "left row without match": partners.count(0),
            "right row without match": len(right) - len({j for _, j in pairs}),
            "several matches": sum(n > 1 for n in partners),
        }, seed


def test_columns_may_be_named_with_their_schema(bench):
    bench.database.execute("CREATE SCHEMA shop")
    bench.tables(**{"shop.t": T, "shop.u": U})
    hits = bench.count("SELECT shop.t.v FROM shop.t JOIN shop.u ON shop.t.k = shop.u.k WHERE shop.u.w > 100")
    assert hits["JOIN shop.u ON shop.t.k = shop.u.k: matched"] == 2
    assert hits["shop.u.w > 100: kept"] == 1
