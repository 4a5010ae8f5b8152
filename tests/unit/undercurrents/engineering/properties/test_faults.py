"""Faults that people make, each in a small model: found, made small, and told with its place; and none where there is none."""

import re

import pytest

KEY = """\
    properties:
      - {name: id, logicalType: integer, required: true, primaryKey: true}
      - {name: worth, logicalType: number, required: true, logicalTypeOptions: {minimum: 0}}
"""
STATUS = """\
    properties:
      - {name: status, logicalType: string, required: true, primaryKey: true}
"""

CLEAN = {
    "outer join, coalesced": (
        "SELECT c.id, coalesce(sum(o.gross), 0) AS worth FROM shop.customers AS c LEFT JOIN shop.orders AS o ON o.customer = c.id GROUP BY c.id",
        KEY,
    ),
    "total order": ("SELECT * FROM shop.orders QUALIFY row_number() OVER (PARTITION BY status ORDER BY ordered_at, id) = 1", STATUS),
    "half open": (
        "/* xde\nkind: incremental\ntime: day\n*/\n"
        "SELECT CAST(ordered_at AS DATE) AS day, count(*) AS n FROM shop.orders WHERE ordered_at >= $start AND ordered_at < $end GROUP BY ALL",
        "",
    ),
    "append by row": ("/* xde\nkind: append\n*/\nSELECT id, net * 2 AS twice FROM shop.orders", ""),
    "keys that stay": ("/* xde\nkind: incremental\nkey: [status]\n*/\nSELECT status, count(*) AS n FROM shop.orders GROUP BY ALL", ""),
}
FAULTS = {
    "null of an outer join": (
        "SELECT c.id, sum(o.gross) AS worth FROM shop.customers AS c LEFT JOIN shop.orders AS o ON o.customer = c.id GROUP BY c.id",
        KEY,
        ("XDE0930", 1),
    ),
    "fan-out": ("SELECT c.id, o.gross AS worth FROM shop.customers AS c JOIN shop.orders AS o ON o.customer = c.id", KEY, ("XDE0930", 3)),
    "fan-out of a key in the head": (
        "/* xde\nkind: incremental\nkey: [id]\n*/\nSELECT c.id, o.gross FROM shop.customers AS c JOIN shop.orders AS o ON o.customer = c.id",
        "",
        ("XDE0930", 3),
    ),
    "integer division": ("SELECT id, greatest(-1, 50 // boxes) AS worth FROM shop.orders", KEY, ("XDE0930", 2)),
    "a cast that fails": ("SELECT id, CAST(code AS INTEGER) AS worth FROM shop.orders", "", ("XDE0931", 2)),
    "first": ("SELECT status, first(id) AS id FROM shop.orders GROUP BY status", "", ("XDE0932", 3)),
    "ties": ("SELECT * FROM shop.orders QUALIFY row_number() OVER (PARTITION BY status ORDER BY ordered_at) = 1", "", ("XDE0932", 3)),
    "limit without order": ("SELECT id FROM shop.orders LIMIT 1", "", ("XDE0932", 3)),
    "chance": ("SELECT id, random() AS r FROM shop.customers", "", ("XDE0933", 1)),
    "start left out": (
        "/* xde\nkind: incremental\ntime: day\n*/\n"
        "SELECT CAST(ordered_at AS DATE) AS day, count(*) AS n FROM shop.orders WHERE ordered_at > $start AND ordered_at < $end GROUP BY ALL",
        "",
        ("XDE0934", 2),
    ),
    "end taken in": (
        "/* xde\nkind: incremental\ntime: day\n*/\nSELECT CAST(ordered_at AS DATE) AS day, o.n FROM shop.orders AS a, "
        "(SELECT count(*) AS n FROM shop.orders WHERE CAST(ordered_at AS DATE) <= $end) AS o WHERE ordered_at >= $start AND ordered_at <= $end",
        "",
        ("XDE0934", 3),
    ),
    "looks back beyond its interval": (
        "/* xde\nkind: incremental\ntime: ordered_at\n*/\n"
        "SELECT ordered_at, id, lag(id) OVER (ORDER BY ordered_at, id) AS before FROM shop.orders WHERE ordered_at >= $start AND ordered_at < $end",
        "",
        ("XDE0934", 3),
    ),
    "rows without a time": (
        "/* xde\nkind: incremental\ntime: sent_at\n*/\nSELECT sent_at, id FROM shop.orders",
        "",
        ("XDE0930", 2),
    ),
    "append of sums": ("/* xde\nkind: append\n*/\nSELECT status, sum(net) AS net FROM shop.orders GROUP BY ALL", "", ("XDE0935", 3)),
    "keys that go": (
        "/* xde\nkind: incremental\nkey: [status]\n*/\nSELECT status, count(*) AS n FROM shop.orders GROUP BY ALL HAVING count(*) < 2",
        "",
        ("XDE0935", 3),
    ),
    "a status that the contract forbids": (
        "SELECT id, CASE WHEN status = 'lost' THEN -1 ELSE net END AS worth FROM shop.orders",
        KEY,
        ("XDE0930", 2),
    ),
    "a constant of the query": ("SELECT id, CASE WHEN net = 33.5 THEN NULL ELSE net END AS worth FROM shop.orders", KEY, ("XDE0930", 2)),
}


@pytest.fixture(scope="module")
def prove(big_shop):
    models = {n: f"m.x{i}" for i, n in enumerate([*CLEAN, *FAULTS])}
    for name, (sql, contract, *_) in {**CLEAN, **FAULTS}.items():
        big_shop.model(models[name], sql, contract)
    prover = big_shop.prover()

    def proved(name):
        (found,) = prover.search([models[name]], 100)
        return models[name].replace(".", "/"), found

    return proved


@pytest.mark.parametrize("name", CLEAN)
def test_what_is_right_holds(prove, name):
    _, proved = prove(name)
    assert proved.findings == ()
    assert proved.searched.passed
    assert proved.searched.guarantees >= 2


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_what_is_wrong_is_found_and_made_small(prove, codes, name):
    _, contract, (code, most) = FAULTS[name]
    path, proved = prove(name)
    assert code in codes(proved)
    failure, finding = next(f for f in proved.findings if f[1].code == code)
    assert sum(len(r.rows) for r in failure.given.values()) <= most
    assert finding.span is not None
    assert finding.span.path == f"models/{path}.{'yaml' if code == 'XDE0930' and contract else 'sql'}"
    assert failure.shrunk == "cells"
    if failure.difference is not None:
        assert not failure.difference.equal
    elif not failure.error:
        assert failure.at_fault


def test_what_one_input_breaks_together_stands_together(shop):
    contract = KEY.replace("worth", "one") + "      - {name: two, logicalType: number, required: true}\n"
    sql = "SELECT c.id, sum(o.net) AS one, sum(o.gross) AS two FROM shop.customers AS c LEFT JOIN shop.orders AS o ON o.customer = c.id GROUP BY c.id"
    (failure, _), *more = shop.model("m.x", sql, contract).prove("m.x").findings
    assert more == []
    assert {failure.guarantee.id, *(g.id for g in failure.also)} == {"m.x.one.required", "m.x.two.required"}


def test_a_warning_is_told_and_breaks_nothing(shop, codes):
    rule = "    quality:\n      - {id: few, metric: duplicateValues, arguments: {properties: [status]}, mustBe: 0, severity: warning}\n"
    proved = shop.model("m.x", "SELECT status FROM shop.orders", rule + "    properties: [{name: status, logicalType: string}]\n").prove(
        "m.x"
    )
    assert proved.searched.passed
    assert [f.severity for _, f in proved.findings] == ["warning"]
    assert codes(proved) == ["XDE0930"]


@pytest.mark.slow
def test_references_and_queries_of_the_models_contract(shop):
    contract = """\
    quality:
      - {id: none_lost, type: sql, query: "SELECT count(*) FROM {object} WHERE status = 'lost'", mustBe: 0}
      - {id: most, metric: rowCount, mustBeLessThan: 3}
      - {id: many, metric: rowCount, mustBeGreaterThan: 1000}
    properties:
      - {name: customer, logicalType: integer, relationships: [{type: foreignKey, to: shop.customers.id}]}
      - {name: status, logicalType: string}
"""
    proved = shop.model(
        "m.x", "SELECT customer + 1 AS customer, status FROM shop.orders, (SELECT count(*) FROM shop.customers)", contract
    ).prove("m.x")
    broken = {f.guarantee.id.rpartition(".")[2] for f, _ in proved.findings} | {
        g.id.rpartition(".")[2] for f, _ in proved.findings for g in f.also
    }
    assert broken == {"none_lost", "most", "reference"}
    assert list(proved.searched.left_out) == ["m.x.many"]


def test_without_hypothesis_rows_are_few_and_values_as_drawn(shop, monkeypatch):
    monkeypatch.setattr("xde.undercurrents.engineering.properties.proving.has_hypothesis", lambda: False)
    sql, contract, _ = FAULTS["fan-out"]
    ((failure, _),) = shop.model("m.x", sql, contract).prove("m.x").findings
    assert failure.shrunk == "rows"
    assert {n: len(r.rows) for n, r in failure.given.items()} == {"shop.customers": 1, "shop.orders": 2}


def test_a_view_with_a_contract_is_computed_and_kept_to_it(shop):
    view = "/* xde\nkind: view\n*/\nSELECT id, net, status FROM shop.orders"
    promise = "    properties:\n      - {name: id, logicalType: integer}\n      - {name: net, logicalType: number, logicalTypeOptions: {minimum: 100}}\n      - {name: status, logicalType: string}\n"
    shop.model("s.orders", view, promise)
    rows = shop.model("m.x", "SELECT * FROM s.orders").rows("m.x")
    assert rows["s.orders"]
    assert all(r["net"] >= 100 for r in rows["s.orders"])
    there = {(r["__example"], r["id"], float(r["net"])) for r in rows["shop.orders"]}
    assert {(r["__example"], r["id"], r["net"]) for r in rows["s.orders"]} <= there
    least = "    properties:\n      - {name: net, logicalType: number, logicalTypeOptions: {minimum: 100}}\n"
    assert shop.model("m.y", "SELECT net FROM s.orders", least).prove("m.y").searched.passed
    assert not shop.prove("s.orders").searched.passed  # the view itself promises what it does not hold


def test_a_table_without_a_contract_is_seen_through(shop):
    shop.model("s.orders", "SELECT id, net FROM shop.orders WHERE net > 5")
    proved = shop.model("m.x", "SELECT id, net AS worth FROM s.orders", KEY).prove("m.x")
    assert proved.searched.passed
    assert proved.searched.unknown == ()
    assert list(proved.searched.rows) == ["shop.orders"]


def test_of_an_increment_without_a_contract_nothing_is_known(shop):
    shop.model("s.orders", "/* xde\nkind: incremental\nkey: [id]\n*/\nSELECT id, net FROM shop.orders")
    proved = shop.model("m.x", "SELECT id, net AS worth FROM s.orders", KEY).prove("m.x")
    assert proved.searched.unknown == ("s.orders",)
    assert not proved.searched.passed


def test_a_model_that_fails_on_almost_everything_is_tried_one_by_one(shop, codes):
    sql = "SELECT id, CAST(status AS INTEGER) AS worth FROM shop.orders"
    proved = shop.model("m.x", sql).prove("m.x")
    assert codes(proved) == ["XDE0931"]
    assert re.search("Conversion Error", proved.findings[0][1].why)


@pytest.mark.slow
def test_another_query_on_the_same_input(shop):
    from xde.undercurrents.engineering.properties.yardstick import Yardstick
    from xde.undercurrents.engineering.testing.sandbox import QueryError

    sql, contract = CLEAN["outer join, coalesced"]
    prover = shop.model("m.x", sql, contract).prover()
    with prover.house.sandbox.scratch() as scratch:
        yardstick = Yardstick.of(scratch, prover.target("m.x"))
        assert yardstick.already == frozenset()
        assert yardstick.breaks(sql) is None
        assert not yardstick.differs(sql)
        assert yardstick.breaks(sql.replace("coalesce(sum(o.gross), 0)", "sum(o.gross)")).id == "m.x.worth.required"
        assert yardstick.breaks(sql.replace(" GROUP BY c.id", " GROUP BY c.id, o.id")).id == "m.x.id.unique"
        assert yardstick.differs(sql.replace("LEFT JOIN", "JOIN"))
        assert yardstick.breaks(sql.replace("LEFT JOIN", "JOIN")) is None  # no rule of the contract asks for them
        assert not yardstick.differs(sql.replace("o.customer = c.id", "c.id = o.customer"))
        with pytest.raises(QueryError):
            yardstick.breaks(sql.replace("o.gross", "o.grosss"))
