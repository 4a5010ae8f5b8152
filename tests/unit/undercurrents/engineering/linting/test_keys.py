"""Which keys follow for what a query gives: through joins, groups, CTEs and windows, and where none does."""

from __future__ import annotations

import random

import duckdb
import pytest

KEYS = [
    ("SELECT id, amount FROM shop.orders", ["id"]),
    ("SELECT id AS order_id FROM shop.orders WHERE amount > 3", ["order_id"]),
    ("SELECT amount FROM shop.orders", []),
    ("SELECT * FROM shop.orders", ["id"]),
    ("SELECT code, count(*) AS n FROM shop.orders GROUP BY code", ["code"]),
    ("SELECT code, day, count(*) AS n FROM shop.orders GROUP BY ALL", ["code day"]),
    ("SELECT date_trunc('month', day) AS month, count(*) AS n FROM shop.orders GROUP BY month", ["month"]),
    ("SELECT count(*) AS n FROM shop.orders GROUP BY code", []),
    ("SELECT count(*) AS n FROM shop.orders", [""]),
    ("SELECT DISTINCT code, day FROM shop.orders", ["code day"]),
    ("SELECT DISTINCT ON (code) code, day FROM shop.orders ORDER BY day", ["code"]),
    ("SELECT o.id, c.name FROM shop.orders AS o JOIN shop.customers AS c ON c.id = o.customer_id", ["id"]),
    ("SELECT o.id, c.name FROM shop.orders AS o LEFT JOIN shop.customers AS c ON c.id = o.customer_id", ["id"]),
    ("SELECT o.id, c.name FROM shop.orders AS o RIGHT JOIN shop.customers AS c ON c.id = o.customer_id", []),
    ("SELECT o.id, c.name FROM shop.orders AS o FULL JOIN shop.customers AS c ON c.id = o.customer_id", []),
    ("SELECT o.id FROM shop.orders AS o JOIN shop.payments AS p ON p.order_id = o.id", []),
    ("SELECT l.order_id, l.line, o.code FROM shop.lines AS l JOIN shop.orders AS o ON o.id = l.order_id", ["line order_id"]),
    ("SELECT o.id, l.line FROM shop.lines AS l JOIN shop.orders AS o ON o.id = l.order_id", ["id line"]),
    ("SELECT l.order_id, l.item FROM shop.lines AS l WHERE l.line = 1", ["order_id"]),
    ("SELECT o.id AS a, c.id AS b FROM shop.orders AS o CROSS JOIN shop.customers AS c", ["a b"]),
    ("SELECT order_id, amount FROM shop.payments QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY paid_at) = 1", ["order_id"]),
    ("SELECT order_id, row_number() OVER (PARTITION BY order_id ORDER BY paid_at) AS n FROM shop.payments", ["n order_id"]),
    ("WITH a AS (SELECT id AS x FROM shop.orders), b AS (SELECT x AS y FROM a) SELECT y FROM b", ["y"]),
    ("SELECT id FROM shop.orders UNION ALL SELECT id FROM staging.orders", []),
    ("SELECT id FROM shop.orders UNION SELECT id FROM staging.orders", ["id"]),
    ("SELECT id FROM shop.orders ORDER BY id LIMIT 1", ["", "id"]),
    ("SELECT id, unnest([1, 2]) AS n FROM shop.orders", []),
    ("SELECT code, day, count(*) AS n FROM shop.orders GROUP BY ROLLUP (code, day)", []),
    ("SELECT id FROM shop.orders AS o, unnest([1, 2]) AS u(x)", []),
    ("SELECT md5(CAST(id AS VARCHAR)) AS k, amount FROM shop.orders", ["k"]),
    ("SELECT md5(order_id || '-' || line) AS k, md5(item) AS i FROM shop.lines", ["k"]),
]


@pytest.mark.parametrize(("sql", "keys"), KEYS)
def test_the_keys_of_what_a_query_gives(linted, sql, keys):
    assert sorted(" ".join(sorted(k)) for k in linted(sql).relation.keys) == keys


def test_what_is_never_null(linted):
    given = linted(
        "SELECT o.id, o.code, count(*) AS n, coalesce(o.code, 'x') AS c, l.line FROM shop.orders AS o "
        "LEFT JOIN shop.lines AS l ON l.order_id = o.id GROUP BY ALL"
    ).relation.fields
    assert {n for n, f in given.items() if f.required} == {"id", "n", "c"}


def rows(relation, random):
    """Rows of few values, with NULLs where they may be, that keep the keys."""

    def value(field):
        if not field.required and random.random() < 0.2:
            return "NULL"
        number = random.randrange(4)
        day = f"2024-01-0{number + 1}"
        return {"VARCHAR": f"'{number}'", "DATE": f"DATE '{day}'", "BOOLEAN": str(number > 1)}.get(
            field.type, f"CAST('{day} 00:00:00' AS {field.type})" if field.type.startswith("TIMESTAMP") else str(number)
        )

    found = {}
    for _ in range(12):
        row = {n: value(f) for n, f in relation.fields.items()}
        marks = [tuple(row[c] for c in sorted(k)) for k in relation.keys] or [len(found)]
        found.setdefault(tuple(marks), row)
    return list(found.values())


@pytest.mark.parametrize("seed", range(6))
def test_real_rows_keep_what_is_said_of_them(linted, inputs, seed):
    """The engine is the oracle: no two rows with the values of a key, no NULL where there is said to be none."""
    chance = random.Random(seed)
    engine = duckdb.connect()
    engine.execute("CREATE SCHEMA shop; CREATE SCHEMA staging")
    for name, relation in inputs.items():
        columns = ", ".join(f'"{f.name}" {f.type}' for f in relation.fields.values())
        engine.execute(f"CREATE TABLE {name} ({columns})")
        for row in rows(relation, chance):
            engine.execute(f"INSERT INTO {name} VALUES ({', '.join(row.values())})")
    for sql in [s for s, _ in KEYS]:
        relation = linted(sql).relation
        given = engine.execute(f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ({sql})").fetchall()
        names = [d[0].lower() for d in engine.description]
        for key in relation.keys:
            values = [tuple(row[names.index(c)] for c in sorted(key)) for row in given]
            assert len(values) == len(set(values)), (sql, key)
        for name, field in relation.fields.items():
            assert not field.required or all(row[names.index(name)] is not None for row in given), (sql, name)
