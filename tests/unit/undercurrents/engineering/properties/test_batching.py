"""Many examples by one query: the same rows as one at a time, for every shape of SQL that can be asked so."""

import pytest

from xde.undercurrents.engineering.properties.batching import Batch, over
from xde.undercurrents.engineering.properties.generating import EXAMPLE, held
from xde.undercurrents.engineering.properties.searching import OUT, Search
from xde.undercurrents.engineering.testing.sandbox import Asked

SHAPES = {
    "join": "SELECT o.id, c.mail FROM shop.orders AS o LEFT JOIN shop.customers c ON c.id = o.customer",
    "no alias": "SELECT orders.id, customers.mail FROM shop.orders JOIN shop.customers ON customers.id = orders.customer",
    "group": "SELECT status, count(*) AS n, sum(net) AS net FROM shop.orders GROUP BY ALL",
    "whole": "SELECT count(*) AS n, max(gross) AS g FROM shop.orders",
    "window": "SELECT id, row_number() OVER (PARTITION BY status ORDER BY ordered_at, id) AS n FROM shop.orders",
    "qualify": "SELECT * FROM shop.orders QUALIFY row_number() OVER (PARTITION BY status ORDER BY ordered_at DESC, id) = 1",
    "limit": "SELECT id FROM shop.orders ORDER BY id LIMIT 2",
    "distinct on": "SELECT DISTINCT ON (status) status, id FROM shop.orders ORDER BY status, id",
    "union": "SELECT id FROM shop.orders UNION SELECT id FROM shop.customers",
    "except": "SELECT id FROM shop.customers EXCEPT SELECT customer FROM shop.orders",
    "cte twice": "WITH a AS (SELECT * FROM shop.orders WHERE net > 1) SELECT a.id, (SELECT count(*) FROM a) AS n FROM a",
    "correlated": "SELECT c.id, (SELECT count(*) FROM shop.orders o WHERE o.customer = c.id) AS n FROM shop.customers c",
    "exists": "SELECT id FROM shop.customers c WHERE NOT EXISTS (SELECT 1 FROM shop.orders AS o WHERE o.customer = c.id)",
    "recursive": (
        "WITH RECURSIVE up AS (SELECT id, guide, 1 AS depth FROM shop.customers UNION ALL "
        "SELECT c.id, c.guide, up.depth + 1 FROM up JOIN shop.customers AS c ON c.id = up.guide WHERE up.depth < 4) "
        "SELECT id, max(depth) AS depth FROM up GROUP BY id"
    ),
    "asof": "SELECT a.id, b.id AS before FROM shop.orders a ASOF LEFT JOIN (SELECT * FROM shop.orders QUALIFY count(*) OVER (PARTITION BY ordered_at) = 1) b ON a.ordered_at > b.ordered_at",
    "pivot": "PIVOT (SELECT status, net FROM shop.orders) ON status IN ('open', 'sent') USING sum(net)",
    "from first": "FROM shop.orders SELECT id, status",
    "name in a text": "SELECT id, 'shop.orders' AS t -- shop.orders\nFROM shop.orders",
    "case": "SELECT o.id FROM Shop.ORDERS AS o",
    "qualified": "SELECT shop.orders.id FROM shop.orders",
    "constant": "SELECT 1 AS one",
}


@pytest.fixture(scope="module")
def prover(big_shop):
    for number, sql in enumerate(SHAPES.values()):
        big_shop.model(f"m.x{number}", sql)
    return big_shop.prover()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_batch_gives_what_single_runs_give(prover, shape):
    target = prover.target(f"m.x{list(SHAPES).index(shape)}")
    with prover.house.sandbox.scratch() as scratch:
        search = Search(scratch, target, 40)
        search.suspects()
        assert (search.fallback == "") is (shape != "qualified")
        rows = scratch.ask(Asked(f"SELECT * FROM {OUT}")).rows
        batched = {n: sorted(repr(r[1:]) for r in rows if r[0] == n) for n in range(40)}
        trial = search.trial()
        for number in range(40):
            trial.example(number)
            assert batched[number] == sorted(repr(r) for r in trial.result().rows), number
        assert shape == "constant" or sum(bool(r) for r in batched.values()) > 10


def test_views_are_put_in_their_places_and_parameters_are_known():
    batch = Batch({"a.t": "(T)"}, {"a.v": "SELECT x FROM a.t WHERE x > $least"}, {"start": "e.s"})
    text = batch.text("SELECT * FROM a.v AS w, a.t WHERE w.x >= $start AND y = '$least' AND z < $most")
    assert text == (
        'SELECT * FROM (SELECT x FROM (T) AS "t" WHERE x > $least\n) AS w, (T) AS "t" WHERE w.x >= e.s AND y = \'$least\' AND z < $most'
    )
    assert batch.used == {"least", "most"}
    with pytest.raises(ValueError, match=r"nothing is known of `a\.z`"):
        batch.text("SELECT * FROM a.z")
    with pytest.raises(ValueError, match=r"."):
        batch.text("SELECT FROM WHERE (")


def test_examples_stand_before_the_rows():
    assert (
        over("SELECT 1 AS n", "SELECT 2 AS m")
        == "SELECT xde_e.*, xde_r.* FROM (SELECT 1 AS n) AS xde_e, LATERAL (SELECT 2 AS m\n) AS xde_r"
    )
    assert held("a.b") == 'xde_given."a.b"'
    assert EXAMPLE == "__example"
