"""Which digests a change of a query changes: no fewer than it must, no more than it may."""

from __future__ import annotations

import random
import re

import pytest

from xde.kernel.graph.analyses import source_meaning
from xde.kernel.graph.meaning.lines import lines_of
from xde.kernel.graph.text.parse import read_text

BASE = """
WITH paid AS (
    SELECT id, customer_id, amount, placed, status
    FROM shop.orders
    WHERE status = 'paid'
)
SELECT
    c.name,
    p.customer_id,
    sum(p.amount * 2) AS total,
    count(*) AS n,
    max(p.placed) AS last
FROM paid AS p
JOIN shop.customers AS c ON c.id = p.customer_id
WHERE p.amount > 5
GROUP BY c.name, p.customer_id
HAVING count(*) > 1
"""
COLUMNS = ["name", "customer_id", "total", "n", "last"]
AGGREGATES = {"total", "n", "last"}
"""An aggregate means something else over other rows; the rows themselves do too, so that nobody is rebuilt for it alone."""
ALL = {"rows", *AGGREGATES}


def digests(kit, sql, names, *, ordered=False, changed=None):
    reading = read_text(sql)
    assert not reading.faults
    inputs = {n: (t, source_meaning(n, t)) for n, t in (changed or kit.shop).items() if n in {".".join(x.parts) for x in reading.tables}}
    lines = lines_of(reading, inputs, ordered=ordered)
    assert not lines.missing
    columns, rows = lines.named(names)
    return {**{c.name: c.digest for c in columns}, "rows": rows.digest}, lines.is_exact


def differences(kit, one, two, names, **options):
    first, _ = digests(kit, one, names, **options)
    second, exact = digests(kit, two, names, **options)
    assert exact
    return {n for n in first if first[n] != second[n]}


SAME = {
    "comments": lambda q: q.replace("FROM paid", "-- from here\nFROM /* the paid */ paid"),
    "layout": lambda q: " ".join(q.split()),
    "keywords in other case": lambda q: re.sub(r"\b(SELECT|FROM|WHERE|GROUP BY|AS|JOIN|ON|WITH|HAVING)\b", lambda m: m[0].lower(), q),
    "functions and names in other case": lambda q: q.replace("sum(", "SUM(").replace("p.amount", "P.Amount"),
    "aliases of tables": lambda q: re.sub(r"\bp\b", "pp", q),
    "no aliases of tables": lambda q: q.replace("c.", "customers.").replace(" AS c ON", " ON"),
    "the name of a CTE": lambda q: q.replace("paid AS (", "settled AS (").replace("FROM paid", "FROM settled"),
    "INNER": lambda q: q.replace("JOIN", "INNER JOIN"),
    "parentheses": lambda q: q.replace("p.amount > 5", "((p.amount) > (5))"),
    "no AS": lambda q: q.replace("AS total", "total"),
    "a column of a CTE that nobody reads": lambda q: q.replace("placed, status", "placed, status, tags"),
    "one column fewer that nobody reads": lambda q: q.replace("placed, status", "placed"),
    "a CTE that nobody reads": lambda q: q.replace("\nSELECT\n", ", other AS (SELECT id FROM shop.orders)\nSELECT\n", 1),
    "a subquery in the place of a CTE": lambda q: q[q.index("SELECT\n    c.name") :].replace(
        "FROM paid AS p", "FROM (SELECT * FROM shop.orders WHERE status = 'paid') AS p"
    ),
    "one more CTE in between": lambda q: q.replace("\nSELECT\n", ", again AS (SELECT * FROM paid)\nSELECT\n", 1).replace(
        "FROM paid AS", "FROM again AS"
    ),
    "groups by number": lambda q: q.replace("GROUP BY c.name, p.customer_id", "GROUP BY 1, 2"),
    "an order without a limit": lambda q: q + " ORDER BY total",
    "a semicolon": lambda q: q + ";",
    "MATERIALIZED": lambda q: q.replace("paid AS (", "paid AS MATERIALIZED ("),
    "names in quotes": lambda q: q.replace("p.amount", '"p"."amount"'),
    "another name of a function": lambda q: q.replace("sum(p.amount * 2)", "sum(p.amount * 2)").replace("!=", "<>"),
}

CHANGES = {
    "an expression": (lambda q: q.replace("* 2", "* 3"), {"total"}),
    "a function": (lambda q: q.replace("max(", "min("), {"last"}),
    "the column in it": (lambda q: q.replace("max(p.placed)", "max(p.id)"), {"last"}),
    "two columns swapped": (lambda q: q.replace("AS total", "AS x").replace("AS n,", "AS total,").replace("AS x", "AS n"), {"total", "n"}),
    "a filter of the CTE": (lambda q: q.replace("'paid'", "'open'"), ALL),
    "an operator": (lambda q: q.replace("amount > 5", "amount >= 5"), ALL),
    "a filter": (lambda q: q.replace("> 5", "> 6"), ALL),
    "no filter": (lambda q: q.replace("WHERE p.amount > 5\n", ""), ALL),
    "a kind of join": (lambda q: q.replace("JOIN", "LEFT JOIN"), ALL),
    "a condition of a join": (lambda q: q.replace("ON c.id = p.customer_id", "ON c.id = p.id"), ALL),
    "the groups": (lambda q: q.replace("GROUP BY c.name", "GROUP BY c.city, c.name"), ALL),
    "having": (lambda q: q.replace("count(*) > 1", "count(*) > 2"), {"rows"}),
    "distinct": (lambda q: q.replace("SELECT\n    c.name", "SELECT DISTINCT\n    c.name"), {"rows"}),
    "a limit": (lambda q: q + " LIMIT 3", {"rows"}),
    "a limit and an order": (lambda q: q + " ORDER BY n LIMIT 3", {"rows"}),
    "qualify": (lambda q: q + " QUALIFY row_number() OVER (ORDER BY c.name) < 3", {"rows"}),
    "a sample": (lambda q: q + " USING SAMPLE 3 ROWS", {"rows"}),
    "another table": (lambda q: q.replace("FROM shop.orders", "FROM (SELECT *, 1 AS one FROM shop.orders LIMIT 9)"), ALL),
}


@pytest.mark.parametrize("change", SAME)
def test_what_means_the_same_changes_nothing(kit, change):
    assert differences(kit, BASE, SAME[change](BASE), COLUMNS) == set()


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_changes_exactly_what_it_means(kit, change):
    made, expected = CHANGES[change]
    assert made(BASE) != BASE
    names = ["name", "customer_id", "n", "total", "last"] if change == "two columns swapped" else COLUMNS
    first, _ = digests(kit, BASE, COLUMNS)
    second, exact = digests(kit, made(BASE), names)
    assert exact
    assert {n for n in first if first[n] != second[n]} == expected


def test_a_new_column_changes_no_other(kit):
    more = BASE.replace("count(*) AS n,", "count(*) AS n, max(p.id) AS top, row_number() OVER (ORDER BY c.name) AS r,")
    first, _ = digests(kit, BASE, COLUMNS)
    second, exact = digests(kit, more, ["name", "customer_id", "total", "n", "top", "r", "last"])
    assert exact
    assert {n: second[n] for n in first} == first


def test_the_order_of_a_view_is_part_of_it(kit):
    query = "SELECT id FROM shop.orders"
    assert differences(kit, query, query + " ORDER BY amount", ["id"]) == set()
    assert differences(kit, query, query + " ORDER BY amount", ["id"], ordered=True) == {"rows"}


def test_a_changed_input_column_changes_who_reads_it(kit):
    changed = {**kit.shop, "shop.orders": {**kit.shop["shop.orders"], "placed": "TIMESTAMP", "tags": "VARCHAR"}}
    before, _ = digests(kit, BASE, COLUMNS)
    after, _ = digests(kit, BASE, COLUMNS, changed=changed)
    assert {n for n in before if before[n] != after[n]} == {"last"}


def test_a_new_input_column_changes_nothing(kit):
    changed = {**kit.shop, "shop.orders": {"colour": "VARCHAR", **kit.shop["shop.orders"]}}
    for query in (BASE, "SELECT * EXCLUDE (colour) FROM shop.orders".replace("* EXCLUDE (colour)", "id, amount")):
        names = COLUMNS if query is BASE else ["id", "amount"]
        assert digests(kit, query, names) == digests(kit, query, names, changed=changed)


ALIKE = {
    "the sides of a join with itself": (
        "SELECT a.amount AS x FROM shop.orders a JOIN shop.orders b ON a.id = b.customer_id",
        "SELECT b.amount AS x FROM shop.orders a JOIN shop.orders b ON a.id = b.customer_id",
    ),
    "a join with itself within another": (
        "SELECT r.y AS x FROM (SELECT b.amount AS y, a.id FROM shop.orders a JOIN shop.orders b ON a.id = b.id) r JOIN shop.orders s ON s.id = r.id",
        "SELECT s.amount AS x FROM (SELECT b.amount AS y, a.id FROM shop.orders a JOIN shop.orders b ON a.id = b.id) r JOIN shop.orders s ON s.id = r.id",
    ),
    "a window before or after a filter": (
        "SELECT n AS x FROM (SELECT row_number() OVER (ORDER BY id) AS n, amount FROM shop.orders) WHERE amount > 5",
        "SELECT row_number() OVER (ORDER BY id) AS x FROM shop.orders WHERE amount > 5",
    ),
    "an aggregate of one group or of the other": (
        "SELECT s AS x FROM (SELECT amount, sum(amount) AS s FROM shop.orders GROUP BY amount) GROUP BY amount, s",
        "SELECT sum(amount) AS x FROM (SELECT amount, sum(amount) AS s FROM shop.orders GROUP BY amount) GROUP BY amount, s",
    ),
    "a column within or from without": (
        "SELECT (SELECT count(*) FROM shop.orders b WHERE b.id = a.id) AS x FROM shop.orders a",
        "SELECT (SELECT count(*) FROM shop.orders b WHERE b.id = b.id) AS x FROM shop.orders a",
    ),
    "two levels without or one": (
        "SELECT (SELECT (SELECT max(c.id) FROM shop.orders c WHERE c.id < a.id) FROM shop.orders b LIMIT 1) AS x FROM shop.orders a",
        "SELECT (SELECT (SELECT max(c.id) FROM shop.orders c WHERE c.id < b.id) FROM shop.orders b LIMIT 1) AS x FROM shop.orders a",
    ),
    "the sides of a union by name": (
        "SELECT id AS x, amount AS y FROM shop.orders UNION ALL BY NAME SELECT id AS x, amount AS y FROM shop.orders",
        "SELECT id AS x, amount AS y FROM shop.orders UNION ALL BY NAME SELECT id AS y, amount AS x FROM shop.orders",
    ),
    "the sides of USING": (
        "SELECT id AS x FROM shop.customers LEFT JOIN shop.notes USING (id)",
        "SELECT id AS x FROM shop.customers FULL JOIN shop.notes USING (id)",
    ),
    "the names of a struct": (
        "SELECT struct_pack(id) AS x FROM shop.orders",
        "SELECT struct_pack(i) AS x FROM (SELECT id AS i FROM shop.orders)",
    ),
    "the fields of a row": ("SELECT o AS x FROM shop.notes o", "SELECT o AS x FROM (SELECT id AS i, body FROM shop.notes) o"),
    "a constant that the parser drops": (
        "SELECT CAST(decode(encode(status), 'utf8') AS VARCHAR) AS x FROM shop.orders",
        "SELECT CAST(decode(encode(status), 'latin1') AS VARCHAR) AS x FROM shop.orders",
    ),
    "an index": ("SELECT tags[1] AS x FROM shop.orders", "SELECT tags[2] AS x FROM shop.orders"),
    "a unit": ("SELECT date_trunc('day', placed) AS x FROM shop.orders", "SELECT date_trunc('month', placed) AS x FROM shop.orders"),
    "a path": ("SELECT note ->> '$.k' AS x FROM shop.orders", "SELECT note ->> '$.l' AS x FROM shop.orders"),
    "the frame of a window": (
        "SELECT sum(id) OVER (ORDER BY id ROWS 1 PRECEDING) AS x FROM shop.orders",
        "SELECT sum(id) OVER (ORDER BY id ROWS 2 PRECEDING) AS x FROM shop.orders",
    ),
    "a named window": (
        "SELECT sum(id) OVER w AS x FROM shop.orders WINDOW w AS (ORDER BY id)",
        "SELECT sum(id) OVER w AS x FROM shop.orders WINDOW w AS (ORDER BY id DESC)",
    ),
    "a type": ("SELECT amount::DECIMAL(9, 2) AS x FROM shop.orders", "SELECT amount::DECIMAL(9, 3) AS x FROM shop.orders"),
    "the order in which values are collected": (
        "SELECT list(id) AS x FROM (SELECT id FROM shop.orders ORDER BY id)",
        "SELECT list(id) AS x FROM (SELECT id FROM shop.orders ORDER BY id DESC)",
    ),
    "where a value of a lambda comes from": (
        "SELECT list_transform(tags, lambda a, b: a || b::VARCHAR) AS x FROM shop.orders",
        "SELECT list_transform(tags, lambda a, b: b::VARCHAR || a) AS x FROM shop.orders",
    ),
    "the value that a pivot's column is for": (
        "SELECT card AS x FROM (PIVOT shop.payments ON method IN ('card', 'cash') USING sum(amount) GROUP BY order_id)",
        "SELECT cash AS x FROM (PIVOT shop.payments ON method IN ('card', 'cash') USING sum(amount) GROUP BY order_id)",
    ),
    "the depth of a recursion": (
        "WITH RECURSIVE r AS (SELECT id FROM shop.notes UNION ALL SELECT id + 1 FROM r WHERE id < 9) SELECT id AS x FROM r",
        "WITH RECURSIVE r AS (SELECT id FROM shop.notes UNION ALL SELECT id + 2 FROM r WHERE id < 9) SELECT id AS x FROM r",
    ),
}


@pytest.mark.parametrize("pair", ALIKE)
def test_what_looks_alike_is_told_apart(kit, pair):
    one, two = ALIKE[pair]
    first, _ = digests(kit, one, ["x"])
    second, _ = digests(kit, two, ["x"])
    assert first != second


def test_lambdas_do_not_depend_on_the_names_of_their_parameters(kit):
    query = "SELECT list_transform(tags, lambda t: t || status) AS x FROM shop.orders"
    assert differences(kit, query, query.replace("t:", "u:").replace("t ||", "u ||"), ["x"]) == set()


WORD = re.compile(r"'[^']*'|\w+|[^\w\s]")


def mutants(sql, dice, count):
    """Texts with one word taken out, put twice, or put in the place of another."""
    words = list(WORD.finditer(sql))
    for _ in range(count):
        place, other = dice.choice(words), dice.choice(words)
        change = dice.choice(["", f"{place[0]} {place[0]}", other[0], other[0], "1", "2", "'x'"])
        yield sql[: place.start()] + change + sql[place.end() :]


def test_no_change_of_values_goes_unnoticed(case, engine, kit):
    """Whatever is done to a text: where the digests stay, the values stay."""
    import duckdb

    names = [n for n, _ in engine.describe(case.sql)]
    if len(set(names)) < len(names):
        return
    before, _ = digests(kit, case.sql, names)
    engine.fill(7)
    rows = engine.rows(case.sql)
    for text in mutants(case.sql, random.Random(case.title), 60):
        reading = read_text(text)
        if reading.faults or not {".".join(t.parts).lower() for t in reading.tables} <= set(kit.shop):
            continue
        try:
            described = [n for n, _ in engine.describe(text)]
            if described != names:
                continue
            after = dict(zip([*names, "rows"], [*all_digests(kit, reading, described)], strict=True))
            if after["rows"] != before["rows"]:
                continue
            changed = engine.rows(text)
        except duckdb.Error:
            continue
        same = [i for i, n in enumerate(names) if after[n] == before[n]]
        assert sorted([r[i] for i in same] for r in rows) == sorted([r[i] for i in same] for r in changed), text


def all_digests(kit, reading, names):
    inputs = {n: (t, source_meaning(n, t)) for n, t in kit.shop.items() if n in {".".join(x.parts).lower() for x in reading.tables}}
    columns, rows = lines_of(reading, inputs, ordered=False).named(names)
    return [*(c.digest for c in columns), rows.digest]
