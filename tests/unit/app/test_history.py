"""`kind: history` on a real project: versions by time and by comparison, late rows, deletions, changes of what it means."""

from __future__ import annotations

import random
import tempfile
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projects.folder import Folder
from projects.contracts import source
from xde.app.workspace import Workspace
from xde.ground.clock import SetClock
from xde.ground.errors import UserError
from xde.kernel.plan.plan import StepKind

CONTRACT = source("""\
  - name: customers
    physicalName: customers*.csv
    customProperties:
      - {property: xdeWriteMode, value: MODE}
    properties:
      - {name: id, logicalType: integer}
      - {name: city, logicalType: string}
      - {name: gone, logicalType: boolean}
      - {name: seen, logicalType: date}
""")
HEAD = "/* xde\nkind: history\nkey: id\n{}\n*/\nSELECT id, city, gone, seen FROM shop.customers\n"


class Shop(Folder):
    def __init__(self, root, head="updated: seen", mode="append"):
        self.root, self.deliveries = Path(root), 0
        self.clock = SetClock(datetime(2026, 5, 1, tzinfo=UTC))
        self.write("xde.yaml", "name: shop\n")
        self.write("sources/shop.yaml", CONTRACT.replace("MODE", mode))
        self.write("models/marts/customers.sql", HEAD.format(head))

    def open(self):
        workspace = Workspace.open(self.root)
        workspace.house.clock = self.clock
        return workspace

    def deliver(self, rows):
        self.deliveries += 1
        lines = [f"{i},{c},{str(g).lower()},{s}" for i, c, g, s in rows]
        self.write(f"data/customers-{self.deliveries:03}.csv", "\n".join(["id,city,gone,seen", *lines]) + "\n")

    def run(self, **how):
        self.clock.at += timedelta(days=1)
        with self.open() as workspace:
            finished = workspace.run(**how)
        assert finished.status == "done", [f.message for o in finished.outcomes for f in o.findings]
        return {o.step.dataset: o for o in finished.outcomes}

    def findings(self, **how):
        with self.open() as workspace:
            return [f.code for o in workspace.run(**how).outcomes for f in o.findings]

    def rows(self, columns=("id", "city", "valid_from", "valid_to", "is_current"), dataset="marts.customers", environment=None):
        with Workspace.open(self.root, environment=environment) as workspace:
            found = workspace.show(dataset, limit=None, columns=columns).read_all().to_pylist()
        return sorted((tuple(_short(r[c]) for c in columns) for r in found), key=lambda r: tuple(map(str, r)))


def _short(value):
    return value.strftime("%m-%d") if hasattr(value, "strftime") else value


def test_versions_by_time_and_a_late_row_in_its_place(tmp_path):
    shop = Shop(tmp_path)
    shop.deliver([(1, "Delft", False, "2026-01-01"), (1, "Ghent", False, "2026-03-01"), (2, "Paris", False, "2026-01-01")])
    shop.run()
    assert shop.rows() == [
        (1, "Delft", "01-01", "03-01", False),
        (1, "Ghent", "03-01", None, True),
        (2, "Paris", "01-01", None, True),
    ]
    shop.deliver([(1, "Lyon", False, "2026-02-01")])
    assert shop.run()["marts.customers"].rows == 1, "one row was learnt"
    assert [r for r in shop.rows() if r[0] == 1] == [
        (1, "Delft", "01-01", "02-01", False),
        (1, "Ghent", "03-01", None, True),
        (1, "Lyon", "02-01", "03-01", False),
    ]
    shop.deliver([(1, "Lyon", False, "2026-02-01")])
    with shop.open() as workspace:
        before = workspace.house.ledger.states()
    shop.run()
    with shop.open() as workspace:
        after = workspace.house.ledger.states()
    key = next(k for k in after if k[0] == "marts.customers")
    assert (after[key].facts["data"], after[key].rows) == (before[key].facts["data"], 4), "what is known already changes no row"


def test_a_deletion_by_flag_ends_a_period_whenever_it_comes(tmp_path):
    shop = Shop(tmp_path, "updated: seen\ndeleted: gone")
    shop.deliver([(1, "x", True, "2026-02-01")])
    shop.run()
    assert shop.rows() == [(1, "x", "02-01", "02-01", False)], "kept as an empty period: the row that it ends may come later"
    shop.deliver([(1, "Delft", False, "2026-01-01")])
    shop.run()
    shop.deliver([(1, "Ghent", False, "2026-03-01")])
    shop.run()
    assert shop.rows() == [
        (1, "Delft", "01-01", "02-01", False),
        (1, "Ghent", "03-01", None, True),
        (1, "x", "02-01", "02-01", False),
    ]


def test_versions_by_comparison_of_snapshots(tmp_path):
    shop = Shop(tmp_path, "columns: city\nmissing: delete", mode="replace")
    shop.deliver([(1, "Delft", False, "2026-01-01"), (2, "Paris", False, "2026-01-01")])
    shop.run()  # 05-02
    shop.deliver([(1, "Delft", False, "2026-02-01")])
    shop.run()  # 05-03: 1 is as it was in what is looked at, 2 is missing
    assert shop.rows() == [(1, "Delft", "05-02", None, True), (2, "Paris", "05-02", "05-03", False)]
    shop.deliver([(1, "Ghent", False, "2026-02-01"), (2, "Paris", False, "2026-01-01")])
    shop.run()  # 05-04
    assert shop.rows() == [
        (1, "Delft", "05-02", "05-04", False),
        (1, "Ghent", "05-04", None, True),
        (2, "Paris", "05-02", "05-03", False),
        (2, "Paris", "05-04", None, True),
    ]


@pytest.mark.slow
def test_snapshots_with_a_time_close_what_is_missing_and_take_it_back(tmp_path):
    shop = Shop(tmp_path, "updated: seen\nmissing: delete", mode="replace")
    shop.deliver([(1, "Delft", False, "2026-01-01"), (2, "Paris", False, "2026-01-01")])
    shop.run()  # 05-02
    shop.deliver([(1, "Delft", False, "2026-01-01")])
    shop.run()  # 05-03
    shop.deliver([(1, "Delft", False, "2026-01-01"), (2, "Lille", False, "2026-02-01")])
    shop.run()  # 05-04
    expected = [
        (1, "Delft", "01-01", None, True),
        (2, "Lille", "05-04", None, True),
        (2, "Paris", "01-01", "05-03", False),
    ]
    assert shop.rows() == expected
    shop.deliver([(2, "Lille", False, "2026-02-01"), (1, "Delft", False, "2026-01-01")])
    shop.run()
    assert shop.rows() == expected, "the same picture again changes nothing"


def test_what_has_no_place_stops(tmp_path):
    shop = Shop(tmp_path)
    shop.deliver([(1, "Delft", False, ""), (2, "Paris", False, "2026-01-01")])
    assert shop.findings() == ["XDE0282"]
    shop.write("models/marts/customers.sql", HEAD.format("columns: all"))
    shop.deliver([(2, "Paris", False, "2026-02-01")])
    assert shop.findings() == ["XDE0283"]
    assert not list((tmp_path / ".xde/lake").rglob("marts/customers/*/*.parquet"))


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("/* xde\nkind: history\nkey: idd\nupdated: seen\n*/\nSELECT id, seen FROM shop.customers", ["XDE0280"]),
        ("/* xde\nkind: history\nkey: id\nupdated: seen\n*/\nSELECT id, seen, 1 AS valid_to FROM shop.customers", ["XDE0281"]),
        ("/* xde\nkind: history\nupdated: seen\n*/\nSELECT id, seen FROM shop.customers", ["XDE0135"]),
        ("/* xde\nkind: history\nkey: id\n*/\nSELECT id, seen FROM shop.customers", ["XDE0135"]),
        ("/* xde\nkind: history\nkey: id\nupdated: seen\ncolumns: all\n*/\nSELECT id, seen FROM shop.customers", ["XDE0135"]),
        ("/* xde\nkind: table\nmissing: delete\n*/\nSELECT id, seen FROM shop.customers", ["XDE0135"]),
        ("/* xde\nkind: history\nkey: id\nupdated: city\n*/\nSELECT id, city FROM shop.customers", ["XDE0285"]),
    ],
)
def test_heads_that_say_too_little_or_too_much(tmp_path, text, codes):
    shop = Shop(tmp_path)
    shop.write("models/marts/customers.sql", text)
    with pytest.raises(UserError) as raised:
        shop.open()
    assert [f.code for f in raised.value.findings] == codes


@pytest.mark.slow
def test_a_new_version_begins_with_what_the_one_before_has_gathered(tmp_path):
    shop = Shop(tmp_path, "columns: city\nmissing: delete", mode="replace")
    shop.deliver([(1, "Delft", False, "2026-01-01"), (2, "Paris", False, "2026-01-01")])
    shop.run()  # 05-02
    shop.deliver([(1, "Ghent", False, "2026-02-01")])
    shop.run()  # 05-03
    text = HEAD.format("columns: city\nmissing: delete")
    shop.write("models/marts/customers.sql", text.replace("gone, seen", "gone, seen, upper(city) AS loud"))
    outcome = shop.run()["marts.customers"]
    assert outcome.step.carries and "carried over" in outcome.step.reasons[-1].text
    columns = ("id", "city", "loud", "valid_from", "valid_to", "is_current")
    assert shop.rows(columns) == [
        (1, "Delft", None, "05-02", "05-03", False),
        (1, "Ghent", None, "05-03", None, True),
        (2, "Paris", None, "05-02", "05-03", False),
    ]
    shop.deliver([(1, "Lille", False, "2026-02-01")])
    shop.run()  # 05-05
    shop.write("models/marts/customers.sql", text)
    assert shop.run()["marts.customers"].step.kind is StepKind.BUILD, "it takes back what was gathered meanwhile"
    assert shop.rows() == [
        (1, "Delft", "05-02", "05-03", False),
        (1, "Ghent", "05-03", "05-05", False),
        (1, "Lille", "05-05", None, True),
        (2, "Paris", "05-02", "05-03", False),
    ]
    with shop.open() as workspace:
        assert workspace.plan().steps == ()


def test_what_is_told_anew_is_told_by_the_newer_text(tmp_path):
    shop = Shop(tmp_path)
    shop.deliver([(1, "Delft", False, "2026-01-01"), (2, "Paris", False, "2026-01-01")])
    shop.run()
    shop.write("models/marts/customers.sql", HEAD.format("updated: seen").replace("id, city,", "id, lower(city) AS city,"))
    shop.run()
    assert shop.rows() == [(1, "delft", "01-01", None, True), (2, "paris", "01-01", None, True)]
    shop.write("models/marts/customers.sql", HEAD.format("updated: seen"))
    shop.run()
    assert shop.rows() == [(1, "Delft", "01-01", None, True), (2, "Paris", "01-01", None, True)]


def test_another_key_is_no_version_of_it(tmp_path):
    shop = Shop(tmp_path)
    shop.deliver([(1, "Delft", False, "2026-01-01")])
    shop.run()
    shop.write(
        "models/marts/customers.sql", HEAD.format("updated: seen").replace("key: id", "key: code").replace("SELECT id", "SELECT id AS code")
    )
    assert shop.findings() == ["XDE0284"]
    shop.write("models/marts/customers.sql", HEAD.format("updated: seen"))
    assert shop.run() == {}, "it is still shown as it was"


@pytest.mark.slow
def test_it_is_deployed_rolled_back_and_deployed_again_without_a_loss(tmp_path):
    from xde.app.deploying import Order
    from xde.app.rolling_back import rollback

    shop = Shop(tmp_path, "columns: city\nmissing: delete", mode="replace")
    shop.write("xde.yaml", "name: shop\nenvironments: {prod: {}}\n")

    def deploy():
        shop.clock.at += timedelta(days=1)
        with Workspace.open(shop.root, environment="prod", working_tree=True) as workspace:
            workspace.house.clock = shop.clock
            assert workspace.deploy(Order()).deployment

    def run():
        shop.clock.at += timedelta(days=1)
        with Workspace.open(shop.root, environment="prod") as workspace:
            workspace.house.clock = shop.clock
            assert workspace.run().status == "done"

    shop.deliver([(1, "Delft", False, "2026-01-01")])
    deploy()  # 05-02
    text = HEAD.format("columns: city\nmissing: delete")
    shop.write("models/marts/customers.sql", text.replace("gone, seen", "gone, seen, upper(city) AS loud"))
    shop.deliver([(1, "Ghent", False, "2026-01-01")])
    deploy()  # 05-03, without the new file: loading is the next run's work
    run()  # 05-04
    with Workspace.open(shop.root, environment="prod", working_tree=True) as workspace:
        rollback(workspace.house, None, Order())
    shop.deliver([(1, "Lille", False, "2026-01-01")])
    run()  # 05-05, of the older version, which did not see Ghent
    assert shop.rows(environment="prod") == [(1, "Delft", "05-02", "05-05", False), (1, "Lille", "05-05", None, True)]
    deploy()  # 05-06
    assert shop.rows(environment="prod") == [
        (1, "Delft", "05-02", "05-04", False),
        (1, "Ghent", "05-04", "05-05", False),
        (1, "Lille", "05-05", None, True),
    ]


def test_a_case_of_a_history_is_carried_out_in_earnest(tmp_path):
    from xde.app.testing import TestBench

    shop = Shop(tmp_path, "columns: city")
    shop.write(
        "tests/customers.yaml",
        """\
model: marts.customers
cases:
  - name: one run
    now: 2026-05-01
    given: {shop.customers: [{id: 1, city: Delft}]}
    expect: [{id: 1, valid_from: 2026-05-01, is_current: true}]
  - name: a move
    runs:
      - now: 2026-05-01
        given: {shop.customers: [{id: 1, city: Delft}]}
        expect: [{id: 1, city: Delft, valid_to: null}]
      - now: 2026-05-02
        given: {shop.customers: [{id: 1, city: Ghent}]}
        expect:
          - {id: 1, city: Delft, valid_from: 2026-05-01, valid_to: 2026-05-02, is_current: false}
          - {id: 1, city: Ghent, valid_from: 2026-05-02, is_current: true}
""",
    )
    bench = TestBench.open(shop.root)
    try:
        results = [(r.case.name, r.passed, [f.message for f in r.verdict.findings], r.verdict.comparison) for r in bench.run(bench.cases)]
        assert [r[:3] for r in results] == [("one run", True, []), ("a move", True, [])], results
    finally:
        bench.close()


FLOW = """
SELECT id, city, gone, seen, seen AS valid_from, valid_to, is_current FROM (
    WITH told AS (SELECT *, row_number() OVER (PARTITION BY id, seen ORDER BY id, city, gone, seen) AS rank FROM changes),
    placed AS (SELECT *, lead(seen) OVER (PARTITION BY id ORDER BY seen) AS valid_to FROM told WHERE rank = 1)
    SELECT *, valid_to IS NULL AS is_current FROM placed WHERE NOT gone
)
"""
changes = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from("AB"), st.booleans(), st.integers(1, 6).map(lambda d: f"2026-01-0{d}")),
    min_size=1,
    max_size=9,
)


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(changes, st.randoms(use_true_random=False), st.integers(1, 3))
def test_the_table_does_not_depend_on_the_order_of_arrival(rows, shuffled: random.Random, runs):
    plain = duckdb.connect()
    plain.execute("CREATE TABLE changes (id BIGINT, city VARCHAR, gone BOOLEAN, seen DATE)")
    plain.executemany("INSERT INTO changes VALUES (?, ?, ?, ?)", rows)
    expected = sorted(
        (tuple(_short(v) for v in r) for r in plain.execute(f"SELECT id, city, valid_from, valid_to, is_current FROM ({FLOW})").fetchall()),
        key=lambda r: tuple(map(str, r)),
    )
    arriving = [*rows, *rows[:2]]
    shuffled.shuffle(arriving)
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(folder, "updated: seen\ndeleted: gone")
        for part in range(runs):
            shop.deliver(arriving[part::runs])
            shop.run()
        found = [r[:5] for r in shop.rows(("id", "city", "valid_from", "valid_to", "is_current", "gone")) if not r[5]]
    assert found == expected


snapshots = st.lists(st.dictionaries(st.integers(1, 3), st.sampled_from("ABC"), min_size=1), min_size=1, max_size=4)


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(snapshots, st.booleans())
def test_snapshots_give_what_a_list_of_states_gives(pictures, delete):
    expected = []
    for key in {k for p in pictures for k in p}:
        states = []
        for picture in pictures:
            states.append(picture.get(key, None if delete or not states else states[-1]))
        day = [f"05-{n + 2:02}" for n in range(len(pictures))]
        periods = [(value, [n for n, _ in group]) for value, group in groupby(enumerate(states), key=lambda s: s[1])]
        for value, numbers in periods:
            if value is not None:
                ends = numbers[-1] + 1 < len(pictures)
                expected.append((key, value, day[numbers[0]], day[numbers[-1] + 1] if ends else None, not ends))
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(folder, "columns: city" + ("\nmissing: delete" if delete else ""), mode="replace")
        for number, picture in enumerate(pictures):
            shop.deliver([(k, v, False, f"2026-01-{number + 1:02}") for k, v in picture.items()])
            shop.run()
        assert shop.rows() == sorted(expected, key=lambda r: tuple(map(str, r)))


def test_a_full_rebuild_needs_a_reason_which_is_kept(tmp_path):
    shop = Shop(tmp_path, "columns: all", mode="replace")
    shop.deliver([(1, "Delft", False, "2026-01-01")])
    shop.run(full=True)
    shop.deliver([(1, "Ghent", False, "2026-01-01")])
    shop.run()
    with shop.open() as workspace, pytest.raises(UserError) as raised:
        workspace.plan(full=True)
    assert [f.code for f in raised.value.findings] == ["XDE0286"]
    with shop.open() as workspace:
        assert workspace.plan(["shop.customers"], full=True).steps, "what is not selected is not lost"
    shop.run(selection=["marts.customers"], full=True, reason="moved house")  # 05-04
    assert shop.rows() == [(1, "Ghent", "05-04", None, True)]
    with shop.open() as workspace:
        assert workspace.history("marts.customers")[0].record.facts["asked"] == "a full rebuild was asked for: moved house"
    assert shop.run() == {}
