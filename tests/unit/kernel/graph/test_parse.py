"""What is wrong with a text, where it is, and what a text names."""

from __future__ import annotations

import pytest

from xde.kernel.graph.text.parse import read_text
from xde.kernel.graph.text.parsing import read_texts


def fault(sql):
    found = read_text(sql).faults
    assert len(found) == 1
    place = found[0].place
    return found[0].code, sql[place.start : place.start + place.length] if place else None


@pytest.mark.parametrize(
    ("sql", "code", "marked"),
    [
        ("SELECT a b c FROM shop.orders", "XDE0203", "c"),
        ("SELECT (a\n FROM shop.orders", "XDE0203", "FROM"),
        ("SELECT 'open FROM shop.orders", "XDE0203", None),
        ("SELECT 1; SELECT 2", "XDE0211", "SELECT"),
        ("", "XDE0212", None),
        ("-- nothing\n;", "XDE0212", ";"),
        ("CREATE TABLE x AS SELECT 1", "XDE0212", "CREATE"),
        ("SELECT 1; DROP TABLE shop.orders", "XDE0212", "DROP"),
        ("INSERT INTO shop.orders SELECT 1", "XDE0212", "INSERT"),
        ("COPY shop.orders TO 'x.csv'", "XDE0212", "COPY"),
        ("CALL something()", "XDE0212", "CALL"),
        ("SET threads = 1", "XDE0212", "SET"),
        ("SELEC a", "XDE0212", "SELEC"),
        ("SHOW TABLES", "XDE0212", "SHOW"),
        ("SELECT * FROM read_csv('x.csv')", "XDE0213", None),
        ("SELECT * FROM read_parquet(['a', 'b'])", "XDE0213", None),
        ("SELECT * FROM shop.orders JOIN 'x.csv' AS x ON true", "XDE0213", "'x.csv'"),
        ('SELECT * FROM "data/x.parquet"', "XDE0213", '"data/x.parquet"'),
        ("SELECT * FROM query('SELECT 1')", "XDE0218", None),
        ("SELECT * FROM query_table('shop.orders')", "XDE0218", None),
        ("PIVOT shop.orders ON status USING sum(amount)", "XDE0217", "status"),
        ("SELECT * FROM (PIVOT shop.orders ON status)", "XDE0217", "status"),
        ("SELECT ? FROM shop.orders", "XDE0220", "?"),
        ("SELECT $1 FROM shop.orders", "XDE0220", "$"),
    ],
)
def test_what_is_wrong_with_a_text_is_told_with_its_place(sql, code, marked):
    assert fault(sql) == (code, marked)


@pytest.mark.parametrize(
    "sql", ["SELECT 1", "SELECT 1;", "(SELECT 1)", "VALUES (1)", "FROM shop.orders", "PIVOT shop.orders ON status IN ('a')"]
)
def test_one_query_is_a_model(sql):
    assert read_text(sql).faults == ()


def tables(sql):
    return [".".join(t.parts) for t in read_text(sql).tables]


def test_tables_are_told_from_ctes():
    assert tables("WITH a AS (SELECT 1), b AS (SELECT * FROM a) SELECT * FROM b JOIN c ON true JOIN shop.a ON true") == ["c", "shop.a"]
    assert tables("WITH a AS (SELECT * FROM a) SELECT * FROM a") == ["a"]
    assert tables("WITH RECURSIVE a AS (SELECT 1 UNION ALL SELECT * FROM a) SELECT * FROM a") == []
    assert tables("WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM b") == ["b"]
    assert tables("SELECT (WITH a AS (SELECT 1) SELECT * FROM a), x FROM a") == ["a"]
    assert tables("WITH a AS (SELECT 1) SELECT (SELECT max(x) FROM (SELECT * FROM A)) FROM shop.orders o, LATERAL (SELECT * FROM a) l") == [
        "shop.orders"
    ]
    assert tables("SELECT * FROM x.y.z PIVOT (sum(a) FOR b IN (1)) UNION SELECT * FROM (shop.orders JOIN shop.notes USING (id))") == [
        "x.y.z",
        "shop.orders",
        "shop.notes",
    ]


def test_parameters_are_found_with_their_places():
    sql = "SELECT $a, '$b', $c::INT -- $d\nFROM shop.orders WHERE x = $a"
    assert [(n, sql[p.start : p.start + p.length]) for n, p in read_text(sql).parameters] == [("a", "$a"), ("c", "$c")]


@pytest.mark.parametrize(
    ("sql", "lost"),
    [
        ("SELECT date_trunc(grain, t), date_trunc('day', t) FROM s.x", {"grain"}),
        ("SELECT time_bucket(INTERVAL 1 DAY, t, origin) FROM s.x", {"origin"}),
        (
            "SELECT t + INTERVAL 1 day, extract(year FROM t), DATE '2026-01-01', t::date, CAST(t AS date), first(a ORDER BY t NULLS LAST) FROM s.x",
            set(),
        ),
        ("SELECT name FROM s.x UNION ALL BY NAME SELECT name FROM s.y", set()),
        ("SELECT a AS day, b month, count(*) AS first FROM s.x GROUP BY ALL ORDER BY ALL", set()),
        ("SELECT uuid(a)", {"a"}),
    ],
)
def test_words_that_the_tree_lacks_are_known(sql, lost):
    assert set(read_text(sql).lost) == lost


def test_long_chains_are_no_deep_trees():
    chain = " OR ".join(f"a = {i}" for i in range(2_000))
    assert read_text(f"SELECT a FROM s.x WHERE {chain}").query is not None


def test_deep_nesting_is_a_finding_or_a_whole_but_no_traceback():
    for depth in (50, 400, 3_000):
        reading = read_text(f"SELECT {'(' * depth}a{')' * depth} FROM s.x")
        assert reading.faults or reading.canonical


def test_many_texts_are_read_by_several_processes_to_the_same_end():
    texts = [f"WITH c AS (SELECT a + {i} AS b FROM s.x) SELECT b, sum(b) OVER () AS s FROM c -- {i}" for i in range(80)]
    texts[7] = "SELECT (("
    texts[8] = f"SELECT {'[' * 200}1{']' * 200}"
    assert read_texts(texts, workers=2) == read_texts(texts, workers=1) == [read_text(t) for t in texts]
