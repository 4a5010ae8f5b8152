"""Each rule on queries in which it must find something, at the very words, and on queries that look alike and are right."""

from __future__ import annotations

import pytest

FOUND = {
    "fan-out": [
        ("SELECT sum(o.amount) AS total FROM shop.orders AS o JOIN shop.payments AS p ON p.order_id = o.id", "shop.payments AS p"),
        ("SELECT sum(o.amount) AS total FROM shop.orders AS o JOIN shop.lines AS l ON l.order_id = o.id", "shop.lines AS l"),
        ("SELECT sum(o.amount) AS total FROM shop.orders AS o LEFT JOIN shop.lines AS l ON o.id = l.order_id", "shop.lines AS l"),
        (
            "SELECT o.code, sum(o.amount) AS s FROM shop.orders AS o, shop.lines AS l WHERE l.order_id = o.id GROUP BY o.code",
            "shop.lines AS l",
        ),
        ("SELECT count(*) AS pairs FROM shop.payments AS p JOIN shop.lines AS l USING (order_id)", "shop.lines AS l"),
        ("SELECT sum(l.amount) AS s FROM shop.lines AS l JOIN shop.payments AS p USING (order_id)", "shop.payments AS p"),
        ("SELECT sum(c.budget) AS s FROM shop.orders AS o JOIN shop.customers AS c ON c.id = o.customer_id", "shop.orders AS o"),
        ("SELECT sum(o.amount) AS s FROM shop.orders AS o CROSS JOIN shop.customers AS c", "shop.customers AS c"),
        (
            "WITH p AS (SELECT order_id, method FROM shop.payments) SELECT sum(o.amount) AS s FROM shop.orders AS o JOIN p ON p.order_id = o.id",
            "p",
        ),
        (
            "WITH both_ AS (SELECT o.amount, p.method FROM shop.orders AS o JOIN shop.payments AS p ON p.order_id = o.id)\n"
            "SELECT method, sum(amount) AS total FROM both_ GROUP BY method",
            "shop.payments AS p",
        ),
        (
            "WITH one AS (SELECT order_id, method, sum(amount) AS paid FROM shop.payments GROUP BY order_id, method)\n"
            "SELECT sum(o.amount) AS total FROM shop.orders AS o JOIN one AS i ON i.order_id = o.id",
            "one AS i",
        ),
        (
            "SELECT sum(o.amount) AS s FROM shop.orders AS o JOIN shop.lines AS l ON l.order_id = o.id WHERE l.item = 'tea'",
            "shop.lines AS l",
        ),
    ],
    "star-at-edge": [
        ("SELECT * FROM shop.orders", "*"),
        ("SELECT o.* FROM shop.orders AS o", "o.*"),
        ("SELECT * EXCLUDE (code) FROM shop.orders", "*"),
        ("WITH o AS (SELECT * FROM shop.orders) SELECT *, amount * 2 AS twice FROM o", "*"),
        ("SELECT * FROM (SELECT * FROM shop.orders WHERE paid) AS o", "*"),
    ],
    "unqualified-column": [
        ("SELECT o.id, name FROM shop.orders AS o JOIN shop.customers AS c ON c.id = o.customer_id", "name"),
        ("SELECT o.id, c.name FROM shop.orders AS o JOIN shop.customers AS c ON c.id = customer_id", "customer_id"),
        (
            "SELECT c.name, sum(o.amount) AS s FROM shop.orders AS o, shop.customers AS c WHERE c.id = o.customer_id GROUP BY country, c.name",
            "country",
        ),
        ("SELECT c.name FROM shop.customers AS c WHERE c.country IN (SELECT country FROM shop.orders)", "country"),
    ],
    "implicit-cast": [
        ("SELECT o.id FROM shop.orders AS o WHERE o.code = 7", "o.code = 7"),
        ("SELECT o.id FROM shop.orders AS o JOIN shop.customers AS c ON c.id = o.code", "c.id = o.code"),
        ("SELECT o.id FROM shop.orders AS o WHERE o.day = o.placed_at", "o.day = o.placed_at"),
        ("SELECT o.id FROM shop.orders AS o WHERE o.code IN (1, 2)", "o.code IN (1, 2)"),
        (
            "WITH x AS (SELECT code AS customer FROM shop.orders) SELECT x.customer FROM x JOIN shop.customers AS c ON c.id = x.customer",
            "c.id = x.customer",
        ),
        ("SELECT o.id FROM shop.orders AS o WHERE o.paid = 1", "o.paid = 1"),
        ("WITH x AS (SELECT code AS id FROM shop.orders) SELECT c.name FROM x JOIN shop.customers AS c USING (id)", "id"),
        ("SELECT o.id FROM shop.orders AS o WHERE CAST(o.id AS VARCHAR) = o.customer_id", "CAST(o.id AS VARCHAR) = o.customer_id"),
    ],
    "non-deterministic": [
        ("SELECT id, now() AS moment FROM shop.orders", "now()"),
        ("SELECT id FROM shop.orders WHERE day = current_date", "current_date"),
        ("SELECT id FROM shop.orders WHERE day = today()", "today"),
        ("SELECT id, random() AS r FROM shop.orders", "random"),
        ("SELECT id, uuid() AS key FROM shop.orders", "uuid"),
        ("SELECT id, age(since) AS a FROM shop.customers", "age(since)"),
        ("SELECT id FROM shop.orders USING SAMPLE 10%", None),
    ],
    "time-zone": [
        ("SELECT CAST(placed_at AS DATE) AS day FROM shop.orders", "CAST(placed_at AS DATE)"),
        ("SELECT placed_at::DATE AS day FROM shop.orders", "placed_at::DATE"),
        ("SELECT date_trunc('month', placed_at) AS month FROM shop.orders", "date_trunc('month', placed_at)"),
        ("SELECT year(placed_at) AS y FROM shop.orders", "year(placed_at)"),
        ("SELECT extract(hour FROM placed_at) AS h FROM shop.orders", None),
        ("SELECT date_part('day', placed_at) AS d FROM shop.orders", "date_part('day', placed_at)"),
        ("SELECT o.id FROM shop.orders AS o JOIN shop.payments AS p ON p.paid_at = o.placed_at", "p.paid_at = o.placed_at"),
        ("SELECT CAST(since AS TIMESTAMPTZ) AS moment FROM shop.customers", "CAST(since AS TIMESTAMPTZ)"),
        ("SELECT CAST(strptime(code, '%Y-%m-%d %H:%M') AS TIMESTAMPTZ) AS moment FROM shop.orders", None),
        ("SELECT placed_at AT TIME ZONE 'UTC' AT TIME ZONE 'Asia/Tokyo' AS moment FROM shop.orders", None),
        ("WITH x AS (SELECT placed_at AS moment FROM shop.orders) SELECT month(x.moment) AS m FROM x", "month(x.moment)"),
    ],
    "not-in-nullable": [
        ("SELECT id FROM shop.customers WHERE id NOT IN (SELECT customer_id FROM shop.orders)", None),
        ("SELECT id FROM shop.customers WHERE NOT (id IN (SELECT customer_id FROM shop.orders))", None),
        ("SELECT id FROM shop.orders WHERE id NOT IN (SELECT order_id FROM shop.payments WHERE amount > 0)", None),
        ("SELECT id FROM shop.orders WHERE id NOT IN (SELECT max(order_id) FROM shop.lines GROUP BY item)", None),
    ],
    "outer-join-undone": [
        (
            "SELECT o.id FROM shop.orders AS o LEFT JOIN shop.customers AS c ON c.id = o.customer_id WHERE c.country = 'NL'",
            "c.country = 'NL'",
        ),
        (
            "SELECT o.id FROM shop.orders AS o LEFT JOIN shop.customers AS c ON c.id = o.customer_id WHERE c.country <> 'NL'",
            "c.country <> 'NL'",
        ),
        ("SELECT o.id FROM shop.orders AS o LEFT JOIN shop.customers AS c ON c.id = o.customer_id WHERE o.paid AND c.id IS NOT NULL", None),
        ("SELECT c.id FROM shop.orders AS o RIGHT JOIN shop.customers AS c ON c.id = o.customer_id WHERE o.amount > 0", "o.amount > 0"),
        (
            "SELECT o.id FROM shop.orders AS o LEFT JOIN shop.customers AS c ON c.id = o.customer_id\n"
            "JOIN shop.rates AS r ON r.currency = c.country",
            "r.currency = c.country",
        ),
        ("SELECT o.id FROM shop.orders AS o LEFT JOIN shop.customers AS c ON c.id = o.customer_id WHERE lower(c.country) LIKE 'n%'", None),
    ],
    "unused-cte": [
        ("WITH a AS (SELECT 1 AS x) SELECT 2 AS y", "a"),
        ("WITH a AS (SELECT 1 AS x), b AS (SELECT x FROM a), c AS (SELECT 3 AS z) SELECT x FROM b", "c"),
        ("WITH RECURSIVE a AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM a WHERE x < 3) SELECT 1 AS y", "a"),
    ],
    "compare-null": [
        ("SELECT id FROM shop.orders WHERE customer_id = NULL", "customer_id = NULL"),
        ("SELECT id FROM shop.orders WHERE customer_id <> NULL", "customer_id <> NULL"),
        ("SELECT CASE WHEN code != NULL THEN 1 END AS x FROM shop.orders", "code != NULL"),
        ("SELECT id FROM shop.orders WHERE customer_id NOT IN (1, NULL)", None),
    ],
    "unordered": [
        ("SELECT id FROM shop.orders LIMIT 10", "LIMIT"),
        ("SELECT id FROM (SELECT id FROM shop.orders LIMIT 1) AS o", "LIMIT"),
        ("SELECT code, first(amount) AS a FROM shop.orders GROUP BY code", "first(amount)"),
        ("SELECT code, string_agg(item, ', ') AS items FROM shop.lines, shop.orders GROUP BY code", "string_agg(item, ', ')"),
        ("SELECT code, list(amount) AS all_ FROM shop.orders GROUP BY code", "list(amount)"),
        ("SELECT DISTINCT ON (code) code, id FROM shop.orders", None),
        ("SELECT row_number() OVER () AS n FROM shop.orders", "row_number() OVER ()"),
        ("SELECT lag(amount) OVER (PARTITION BY code) AS before FROM shop.orders", "lag(amount) OVER (PARTITION BY code)"),
        ("SELECT id FROM shop.orders QUALIFY row_number() OVER (PARTITION BY code ORDER BY day DESC) = 1", None),
    ],
    "union-out-of-order": [
        ("SELECT id, amount FROM shop.orders UNION ALL SELECT amount, id FROM staging.orders", "amount"),
        ("SELECT id, amount, code FROM shop.orders UNION SELECT id, 'x' AS code, 0 AS amount FROM staging.orders", "'x' AS code"),
    ],
    "date-range-end": [
        ("SELECT id FROM shop.orders WHERE placed_at BETWEEN DATE '2024-01-01' AND DATE '2024-01-31'", None),
        ("SELECT id FROM shop.orders WHERE placed_at BETWEEN '2024-01-01' AND '2024-01-31'", None),
        ("SELECT o.id FROM shop.customers AS o JOIN shop.rates AS r ON o.since BETWEEN r.valid_from AND r.valid_to", None),
    ],
    "group-by-position": [
        ("SELECT code, count(*) AS n FROM shop.orders GROUP BY 1", "1"),
    ],
}
RIGHT = {
    "fan-out": [
        "SELECT sum(p.amount) AS total FROM shop.orders AS o JOIN shop.payments AS p ON p.order_id = o.id",
        "SELECT sum(o.amount) AS total FROM shop.orders AS o JOIN shop.customers AS c ON c.id = o.customer_id",
        "SELECT c.name, sum(o.amount) AS total, count(*) AS n FROM shop.customers AS c LEFT JOIN shop.orders AS o ON o.customer_id = c.id GROUP BY c.name",
        "SELECT count(DISTINCT o.id) AS n, max(o.amount) AS most FROM shop.orders AS o JOIN shop.lines AS l ON l.order_id = o.id",
        "SELECT count(*) AS n, avg(c.budget) AS mean FROM shop.orders AS o JOIN shop.customers AS c ON c.id = o.customer_id",
        "SELECT sum(l.amount * o.amount) AS s FROM shop.orders AS o JOIN shop.lines AS l ON l.order_id = o.id",
        "SELECT sum(o.amount) FILTER (WHERE l.line = 1) AS s FROM shop.orders AS o JOIN shop.lines AS l ON l.order_id = o.id",
        "SELECT sum(o.amount) AS s FROM shop.orders AS o JOIN shop.lines AS l ON l.order_id = o.id WHERE l.line = 1",
        "SELECT sum(o.amount) AS s FROM shop.orders AS o JOIN shop.lines AS l ON l.order_id = o.id AND 1 = l.line",
        "SELECT sum(o.amount) AS s FROM shop.orders AS o SEMI JOIN shop.lines AS l ON l.order_id = o.id",
        "SELECT sum(o.amount) AS s FROM shop.orders AS o WHERE EXISTS (SELECT 1 FROM shop.lines AS l WHERE l.order_id = o.id)",
        "SELECT sum(o.amount) AS s FROM shop.orders AS o ASOF JOIN shop.payments AS p ON p.order_id = o.id AND p.paid_at <= o.placed_at",
        "WITH p AS (SELECT order_id, sum(amount) AS paid FROM shop.payments GROUP BY order_id)\n"
        "SELECT sum(o.amount) AS s, sum(p.paid) AS t FROM shop.orders AS o LEFT JOIN p ON p.order_id = o.id",
        "WITH p AS (SELECT DISTINCT order_id FROM shop.payments) SELECT sum(o.amount) AS s FROM shop.orders AS o JOIN p ON p.order_id = o.id",
        "WITH p AS (SELECT order_id, amount FROM shop.payments QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY paid_at) = 1)\n"
        "SELECT sum(o.amount) AS s FROM shop.orders AS o JOIN p ON p.order_id = o.id",
        "WITH p AS (SELECT *, row_number() OVER (PARTITION BY order_id ORDER BY paid_at) AS n FROM shop.payments)\n"
        "SELECT sum(o.amount) AS s FROM shop.orders AS o JOIN p ON p.order_id = o.id AND p.n = 1",
        "SELECT sum(o.amount) AS s FROM shop.orders AS o JOIN (SELECT *, row_number() OVER (PARTITION BY order_id ORDER BY paid_at) AS n FROM shop.payments) AS p\n"
        "ON p.order_id = o.id WHERE p.n = 1",
        "SELECT sum(o.amount * r.rate) AS s FROM shop.orders AS o JOIN shop.rates AS r ON r.currency = o.code AND o.day BETWEEN r.valid_from AND r.valid_to",
        "SELECT sum(o.amount) AS s FROM shop.orders AS o JOIN shop.rates AS r ON r.currency = o.code AND r.is_current",
        "SELECT sum(o.amount) AS s FROM shop.orders AS o JOIN shop.rates AS r ON r.currency = o.code AND r.valid_to IS NULL",
        "SELECT sum(o.amount) AS s FROM shop.orders AS o JOIN shop.payments AS p ON p.order_id = o.id AND p.paid_at = (SELECT max(q.paid_at) FROM shop.payments AS q WHERE q.order_id = p.order_id)",
        "SELECT sum(o.amount) AS s FROM shop.orders AS o, (SELECT max(amount) AS most FROM shop.payments) AS p",
        "SELECT sum(o.amount) AS s FROM shop.orders AS o JOIN shop.rates AS r ON r.currency = o.code AND r.valid_from = o.day",
        "SELECT sum(o.amount) AS s FROM shop.orders AS o, unnest([1, 2]) AS u(x)",
        "SELECT sum(o.amount) AS s FROM shop.orders AS o JOIN unknown.thing AS t ON t.id = o.id",
        "WITH both_ AS (SELECT o.amount, c.name FROM shop.orders AS o JOIN shop.customers AS c ON c.id = o.customer_id) SELECT name, sum(amount) AS s FROM both_ GROUP BY name",
        "WITH both_ AS (SELECT DISTINCT o.id, o.amount FROM shop.orders AS o JOIN shop.lines AS l ON l.order_id = o.id) SELECT sum(amount) AS s FROM both_",
        "SELECT sum(o.amount) OVER (PARTITION BY o.code) AS s FROM shop.orders AS o JOIN shop.customers AS c ON c.id = o.customer_id",
        "SELECT sum(o.amount) AS s FROM shop.orders AS o JOIN shop.customers AS c ON CAST(c.id AS VARCHAR) = o.code",
        "SELECT sum(o.amount) AS s FROM shop.orders AS o JOIN shop.orders AS p ON p.id = o.id",
        "SELECT sum(o.amount) AS s FROM shop.orders AS o JOIN shop.customers AS c ON c.id = o.customer_id JOIN shop.rates AS r ON r.currency = c.country AND r.valid_from = o.day",
    ],
    "star-at-edge": [
        "WITH o AS (SELECT id, amount FROM shop.orders) SELECT * FROM o",
        "WITH o AS (SELECT * FROM shop.orders) SELECT id FROM o",
        "SELECT * FROM staging.orders",
        "SELECT * FROM shop.orders PIVOT (sum(amount) FOR code IN ('a', 'b'))",
        "SELECT count(*) AS n FROM shop.orders",
        "SELECT id FROM shop.orders WHERE EXISTS (SELECT * FROM shop.customers)",
    ],
    "unqualified-column": [
        "SELECT id, amount FROM shop.orders",
        "SELECT o.* EXCLUDE (id), l.line FROM shop.orders AS o JOIN shop.lines AS l ON l.order_id = o.id",
        "SELECT order_id, o.code FROM shop.lines AS l JOIN shop.payments AS p USING (order_id) JOIN shop.orders AS o ON o.id = order_id",
        "SELECT o.amount * 2 AS twice, twice + 1 AS more FROM shop.orders AS o JOIN shop.customers AS c ON c.id = o.customer_id ORDER BY twice",
        "SELECT o.code, c.name FROM shop.orders AS o JOIN shop.customers AS c ON c.id = o.customer_id ORDER BY code, name",
        "SELECT c.name FROM shop.customers AS c WHERE EXISTS (SELECT 1 FROM shop.orders AS o WHERE o.customer_id = c.id)",
        "SELECT list_transform([1], lambda name: name + 1) AS l FROM shop.orders AS o JOIN shop.customers AS c ON c.id = o.customer_id",
    ],
    "implicit-cast": [
        "SELECT o.id FROM shop.orders AS o WHERE o.day >= '2024-01-01' AND o.code = '7' AND o.id = '7'",
        "SELECT o.id FROM shop.orders AS o WHERE o.placed_at >= DATE '2024-01-01'",
        "SELECT o.id FROM shop.orders AS o WHERE o.amount > 5 AND o.id = 5.0",
        "SELECT o.id FROM shop.orders AS o WHERE CAST(o.placed_at AS DATE) = o.day",
        "SELECT o.id FROM shop.orders AS o WHERE o.day = $today AND o.code = $code",
        "SELECT o.id FROM shop.orders AS o JOIN shop.customers AS c ON CAST(c.id AS VARCHAR) = o.code",
        "SELECT o.id FROM shop.orders AS o WHERE date_trunc('month', o.day) = o.day",
        "SELECT o.id FROM shop.orders AS o WHERE coalesce(o.code, 'x') = o.code",
    ],
    "non-deterministic": [
        "SELECT id FROM shop.orders WHERE day = $today",
        "SELECT o.id, age(o.placed_at, c.since) AS a FROM shop.orders AS o, shop.customers AS c",
        "SELECT id, hash(id) AS r FROM shop.orders",
        "SELECT id FROM shop.orders TABLESAMPLE RESERVOIR (10) REPEATABLE (7)",
        "SELECT id FROM shop.orders USING SAMPLE 10 PERCENT (bernoulli, 7)",
    ],
    "time-zone": [
        "SELECT CAST(placed_at AT TIME ZONE 'UTC' AS DATE) AS day FROM shop.orders",
        "SELECT date_trunc('hour', placed_at) AS hour FROM shop.orders",
        "SELECT date_trunc('day', day) AS d, year(day) AS y FROM shop.orders",
        "SELECT since AT TIME ZONE 'UTC' AT TIME ZONE 'Asia/Tokyo' AS there FROM shop.customers",
        "SELECT CAST(strptime(code, '%Y-%m-%d %z') AS TIMESTAMPTZ) AS moment FROM shop.orders",
        "SELECT CAST(code AS TIMESTAMPTZ) AS moment FROM shop.orders",
        "SELECT id FROM shop.customers WHERE since > TIMESTAMP '2024-01-01'",
        "SELECT o.id FROM shop.orders AS o JOIN shop.payments AS p ON p.paid_at AT TIME ZONE 'UTC' = o.placed_at",
    ],
    "not-in-nullable": [
        "SELECT order_id FROM shop.payments WHERE order_id NOT IN (SELECT id FROM shop.orders)",
        "SELECT id FROM shop.customers WHERE id NOT IN (SELECT customer_id FROM shop.orders WHERE customer_id IS NOT NULL)",
        "SELECT id FROM shop.customers WHERE id NOT IN (SELECT customer_id FROM shop.orders WHERE customer_id > 0)",
        "SELECT id FROM shop.customers WHERE id IN (SELECT customer_id FROM shop.orders)",
        "SELECT id FROM shop.customers WHERE id NOT IN (1, 2)",
        "SELECT id FROM shop.customers WHERE id NOT IN (SELECT coalesce(customer_id, 0) FROM shop.orders)",
        "SELECT id FROM shop.customers AS c WHERE NOT EXISTS (SELECT 1 FROM shop.orders AS o WHERE o.customer_id = c.id)",
    ],
    "outer-join-undone": [
        "SELECT o.id FROM shop.orders AS o LEFT JOIN shop.customers AS c ON c.id = o.customer_id AND c.country = 'NL'",
        "SELECT o.id FROM shop.orders AS o LEFT JOIN shop.customers AS c ON c.id = o.customer_id WHERE c.id IS NULL",
        "SELECT o.id FROM shop.orders AS o LEFT JOIN shop.customers AS c ON c.id = o.customer_id WHERE c.country = 'NL' OR c.id IS NULL",
        "SELECT o.id FROM shop.orders AS o LEFT JOIN shop.customers AS c ON c.id = o.customer_id WHERE coalesce(c.country, 'NL') = 'NL'",
        "SELECT o.id FROM shop.orders AS o LEFT JOIN shop.customers AS c ON c.id = o.customer_id WHERE o.amount > 0",
        "SELECT o.id FROM shop.orders AS o LEFT JOIN shop.customers AS c ON c.id = o.customer_id WHERE c.country IS DISTINCT FROM 'NL'",
        "SELECT o.id FROM shop.orders AS o JOIN shop.customers AS c ON c.id = o.customer_id LEFT JOIN shop.rates AS r ON r.currency = c.country",
    ],
    "unused-cte": [
        "WITH a AS (SELECT 1 AS x), b AS (SELECT x FROM a) SELECT x FROM b",
        "WITH a AS (SELECT 1 AS x) SELECT (SELECT max(x) FROM a) AS y",
        "WITH RECURSIVE a AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM a WHERE x < 3) SELECT x FROM a",
        'WITH "A" AS (SELECT 1 AS x) SELECT x FROM a',
    ],
    "compare-null": [
        "SELECT id FROM shop.orders WHERE customer_id IS NULL OR customer_id IS DISTINCT FROM NULL",
        "SELECT id, coalesce(code, NULL) AS c, NULL AS n FROM shop.orders WHERE code = 'NULL'",
    ],
    "unordered": [
        "SELECT id FROM shop.orders ORDER BY id LIMIT 10",
        "SELECT max(id) AS m FROM shop.orders LIMIT 1",
        "SELECT DISTINCT ON (code) code, id FROM shop.orders ORDER BY day, id",
        "SELECT id FROM shop.orders WHERE EXISTS (SELECT 1 FROM shop.customers LIMIT 1)",
        "SELECT id FROM shop.orders LIMIT 0",
        "SELECT code, first(amount ORDER BY id) AS a, list(id ORDER BY id) AS l, string_agg(code, ',' ORDER BY id) AS s FROM shop.orders GROUP BY code",
        "SELECT code, list_sort(list(id)) AS l, len(list(id)) AS n FROM shop.orders GROUP BY code",
        "SELECT id FROM shop.orders QUALIFY row_number() OVER (PARTITION BY code ORDER BY day DESC, id) = 1",
        "SELECT id FROM staging.loose QUALIFY row_number() OVER (PARTITION BY id ORDER BY amount) = 1",
        "SELECT rank() OVER (ORDER BY day) AS r, sum(amount) OVER (PARTITION BY code) AS s FROM shop.orders",
        "SELECT any_value(code) AS c, arg_max(code, day) AS d FROM shop.orders",
    ],
    "union-out-of-order": [
        "SELECT id, amount FROM shop.orders UNION ALL SELECT id, amount FROM staging.orders",
        "SELECT 'a' AS measure, amount AS band FROM shop.orders UNION ALL SELECT 'b' AS measure, id AS band FROM shop.orders",
        "SELECT id, amount FROM shop.orders UNION ALL BY NAME SELECT amount, id FROM staging.orders",
        "SELECT id, code FROM shop.orders UNION ALL SELECT id, name FROM shop.customers",
    ],
    "date-range-end": [
        "SELECT id FROM shop.orders WHERE day BETWEEN DATE '2024-01-01' AND DATE '2024-01-31'",
        "SELECT id FROM shop.orders WHERE placed_at BETWEEN '2024-01-01' AND '2024-01-31 23:59:59'",
        "SELECT id FROM shop.orders WHERE placed_at >= '2024-01-01' AND placed_at < '2024-02-01'",
    ],
    "group-by-position": [
        "SELECT code, count(*) AS n FROM shop.orders GROUP BY code ORDER BY 1",
        "SELECT code, count(*) AS n FROM shop.orders GROUP BY ALL",
    ],
}


def of_rule(linted, rule):
    return [f for f in linted.found if f.rule == rule]


@pytest.mark.parametrize(("rule", "sql", "words"), [(r, s, w) for r, cases in FOUND.items() for s, w in cases])
def test_it_is_found_at_its_place(linted, rule, sql, words):
    found = of_rule(linted(sql), rule)
    assert found, "nothing found"
    assert all(f.start >= 0 for f in found), "no place"
    if words is not None:
        assert words in [sql[f.start : f.start + f.length] for f in found]
    assert all(f.hint and f.why and not f.message.endswith(".") for f in found)


@pytest.mark.parametrize(("rule", "sql"), [(r, s) for r, cases in RIGHT.items() for s in cases])
def test_nothing_is_found_where_it_is_right(linted, rule, sql):
    assert of_rule(linted(sql), rule) == []


def test_a_star_over_a_model_is_told_of_where_a_contract_is_kept(linted):
    assert of_rule(linted("SELECT * FROM staging.orders", promised=True), "star-at-edge")


def test_a_declared_key_is_broken_by_a_join(linted):
    sql = "SELECT o.id, p.method FROM shop.orders AS o JOIN shop.payments AS p ON p.order_id = o.id"
    (found,) = of_rule(linted(sql, keys=["id"]), "fan-out")
    assert "so `id` is no key" in found.message
    assert of_rule(linted(sql), "fan-out") == []
    assert of_rule(linted(sql, keys=["id method"]), "fan-out") == []
    one = "SELECT o.id, c.name FROM shop.orders AS o LEFT JOIN shop.customers AS c ON c.id = o.customer_id"
    assert of_rule(linted(one, keys=["id"]), "fan-out") == []


def test_a_fan_out_is_certain_where_the_keys_are_known(linted):
    sql = "SELECT sum(o.amount) AS s FROM shop.orders AS o JOIN shop.{} AS x ON x.order_id = o.id"
    (known,), (unknown,) = (of_rule(linted(sql.format(t)), "fan-out") for t in ("lines", "payments"))
    assert (known.severity, unknown.severity) == ("error", "warning")
    assert "declare `order_id` the key of `shop.payments`" in unknown.hint


def test_each_rule_has_examples_of_both_kinds():
    from xde.undercurrents.engineering.linting.words import CODES

    assert set(FOUND) == set(RIGHT) == set(CODES)


@pytest.mark.parametrize("sql", [s for cases in FOUND.values() for s, _ in cases] + [s for cases in RIGHT.values() for s in cases])
def test_the_engine_takes_each_of_the_examples(tables, sql):
    if "unknown.thing" not in sql:
        tables.execute(sql.replace("$today", "DATE '2024-01-01'").replace("$code", "'7'"))
