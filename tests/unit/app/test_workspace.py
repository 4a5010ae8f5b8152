"""A small real project through every use case: what the spine owes, from files to checked tables."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from pathlib import Path

import pytest

from projects.contracts import source
from xde.app.workspace import Workspace
from xde.connectors.files.sources import DiskFiles
from xde.ground.digests import SHA256, file_digest
from xde.ground.errors import UserError
from xde.kernel.plan.plan import StepKind

CONTRACT = source("""\
  - name: orders
    physicalName: orders-*.csv
    physicalType: file
    customProperties:
      - {property: xdeDeadLetter, value: {mode: quarantine, maxRejectedPercent: 60}}
    properties:
      - {name: order_id, logicalType: integer, primaryKey: true, required: true}
      - {name: customer, logicalType: string, required: true}
      - {name: day, logicalType: date, required: true}
      - {name: amount, logicalType: number, physicalType: "DECIMAL(10,2)", required: true, logicalTypeOptions: {minimum: 0, maximum: 1000}}
  - name: customers
    physicalName: customers.csv
    physicalType: file
    customProperties:
      - {property: xdeWriteMode, value: merge}
    properties:
      - {name: customer, logicalType: string, primaryKey: true, required: true}
      - {name: country, logicalType: string, enum: [{value: "NO"}, {value: DE}]}
""")
DAILY = """\
/* xde
kind: incremental
time: day
*/
SELECT o.day, count(*) AS orders, sum(o.amount) AS amount
FROM shop.orders AS o
GROUP BY o.day
"""
BY_COUNTRY = """\
-- a plain table
SELECT c.country, sum(o.amount) AS amount
FROM shop.orders AS o
LEFT JOIN shop.customers AS c USING (customer)
GROUP BY c.country
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    for folder in ("sources", "data", "models/marts"):
        (root / folder).mkdir(parents=True)
    (root / "xde.yaml").write_text("name: shop\n")
    (root / "sources/shop.yaml").write_text(CONTRACT)
    (root / "models/marts/daily.sql").write_text(DAILY)
    (root / "models/marts/by_country.sql").write_text(BY_COUNTRY)
    (root / "data/orders-1.csv").write_text(
        "order_id,customer,day,amount\n1,ada,2026-01-01,10.50\n2,bob,2026-01-01,20\n3,ada,2026-01-02,5000\n4,bob,2026-01-03,x\n"
    )
    (root / "data/customers.csv").write_text("customer,country\nada,NO\nbob,DE\n")
    return root


def run(root: Path, **how):
    with Workspace.open(root) as workspace:
        finished = workspace.run(**how)
        return {o.step.dataset: o for o in finished.outcomes}


def rows(root: Path, dataset: str, **how) -> list[tuple]:
    with Workspace.open(root) as workspace:
        table = workspace.show(dataset, limit=None, **how).read_all()
    return sorted((tuple(str(v) for v in r.values()) for r in table.to_pylist()), key=str)


def test_loads_builds_and_then_has_nothing_to_do(project):
    outcomes = run(project)
    assert {n: o.status for n, o in outcomes.items()} == dict.fromkeys(
        ("shop.orders", "shop.customers", "marts.daily", "marts.by_country"), "done"
    )
    assert (outcomes["shop.orders"].rows, outcomes["shop.orders"].letters) == (2, 2)
    assert rows(project, "marts.daily") == [("2026-01-01", "2", "30.50")]
    assert rows(project, "marts.by_country") == [("DE", "20.00"), ("NO", "10.50")]
    with Workspace.open(project) as workspace:
        plan = workspace.plan()
    assert (plan.steps, plan.unchanged) == ((), 4)


def test_a_later_file_is_picked_up_and_reaches_only_its_days(project):
    run(project)
    (project / "data/orders-2.csv").write_text("order_id,customer,day,amount\n5,ada,2026-02-01,7.00\n")
    outcomes = run(project)
    assert outcomes["shop.orders"].rows == 1
    assert outcomes["marts.daily"].rows == 1, "only the new day is computed"
    assert rows(project, "marts.daily") == [("2026-01-01", "2", "30.50"), ("2026-02-01", "1", "7.00")]
    incremental = rows(project, "marts.daily")
    run(project, selection=["marts.daily"], full=True)
    assert rows(project, "marts.daily") == incremental


def test_late_rows_of_an_old_day_recompute_that_day(project):
    run(project)
    (project / "data/orders-2.csv").write_text("order_id,customer,day,amount\n5,ada,2026-01-01,1.00\n")
    run(project)
    assert rows(project, "marts.daily") == [("2026-01-01", "3", "31.50")]


@pytest.fixture
def by_blake(project, monkeypatch):
    """The project, loaded when files were known by their BLAKE2b."""
    with monkeypatch.context() as earlier:
        earlier.setattr(DiskFiles, "digest", lambda _, file, like="": file_digest(Path(file.location)))
        run(project)
    return project


def known_digests(project):
    with Workspace.open(project) as workspace:
        states = [s for s in workspace.house.ledger.states().values() if s.dataset == "shop.orders"]
    return {path: entry["digest"] for path, entry in states[0].facts["files"].items()}


def test_what_was_loaded_by_an_earlier_version_is_not_loaded_twice(by_blake):
    """Not when it is touched, nor as a copy under another name; what is new is known in the form that the others are."""
    first, copy = by_blake / "data/orders-1.csv", by_blake / "data/orders-0.csv"
    assert known_digests(by_blake) == {"orders-1.csv": file_digest(first)}
    os.utime(first, ns=(1, 1))
    shutil.copy(first, copy)
    with Workspace.open(by_blake) as workspace:
        plan = workspace.plan()
        assert not workspace.warnings
    assert "shop.orders" not in {s.dataset for s in plan.steps}
    new = by_blake / "data/orders-2.csv"
    new.write_text("order_id,customer,day,amount\n5,ada,2026-02-01,7.00\n")
    shutil.copy(new, by_blake / "data/orders-3.csv")
    assert run(by_blake)["shop.orders"].rows == 1
    assert known_digests(by_blake) == {"orders-1.csv": file_digest(first), "orders-2.csv": file_digest(new)}
    shutil.copy(new, by_blake / "data/orders-4.csv")
    assert "shop.orders" not in run(by_blake)


def test_what_an_earlier_version_loaded_and_has_changed_is_told(by_blake):
    (by_blake / "data/orders-1.csv").write_text("order_id,customer,day,amount\n1,ada,2026-01-01,99\n")
    with Workspace.open(by_blake) as workspace:
        plan = workspace.plan()
        assert [f.code for f in workspace.warnings] == ["XDE0451"]
    assert "shop.orders" not in {s.dataset for s in plan.steps}


def test_a_table_loaded_anew_knows_its_files_by_their_sha256(by_blake):
    run(by_blake, selection=["shop.orders"], full=True)
    content = (by_blake / "data/orders-1.csv").read_bytes()
    assert known_digests(by_blake) == {"orders-1.csv": SHA256 + hashlib.sha256(content).hexdigest()}
    shutil.copy(by_blake / "data/orders-1.csv", by_blake / "data/orders-0.csv")
    assert "shop.orders" not in run(by_blake)


def test_a_changed_file_is_told_and_not_loaded_twice(project):
    run(project)
    (project / "data/orders-1.csv").write_text("order_id,customer,day,amount\n1,ada,2026-01-01,99\n")
    with Workspace.open(project) as workspace:
        plan = workspace.plan()
        assert [f.code for f in workspace.warnings] == ["XDE0451"]
    assert plan.steps == ()


def test_a_key_that_is_there_already_becomes_a_dead_letter(project):
    run(project)
    (project / "data/orders-2.csv").write_text("order_id,customer,day,amount\n1,ada,2026-01-01,10.50\n6,bob,2026-01-05,1\n")
    outcome = run(project)["shop.orders"]
    assert (outcome.rows, outcome.letters) == (1, 1)


def test_letters_are_replayed_by_a_mended_contract_and_corrected_or_discarded(project):
    run(project)
    with Workspace.open(project) as workspace:
        lines = workspace.letters()
        assert [(x.letter.line, x.letter.raw) for x in lines] == [(4, b"3,ada,2026-01-02,5000"), (5, b"4,bob,2026-01-03,x")]
    (project / "sources/shop.yaml").write_text(CONTRACT.replace("maximum: 1000", "maximum: 9000"))
    with Workspace.open(project) as workspace:
        (outcome,) = workspace.replay([lines[0].letter.id])
        assert (outcome.accepted, outcome.again) == (1, ())
        (outcome,) = workspace.replay([lines[1].letter.id], corrected={lines[1].letter.id: b"4,bob,2026-01-03,3.25"})
        assert outcome.accepted == 1
        assert workspace.letters() == ()
    run(project)
    assert rows(project, "marts.daily") == [("2026-01-01", "2", "30.50"), ("2026-01-02", "1", "5000.00"), ("2026-01-03", "1", "3.25")]


def test_a_discarded_letter_keeps_its_reason(project):
    run(project)
    with Workspace.open(project) as workspace:
        ids = [x.letter.id for x in workspace.letters()]
        assert workspace.discard(ids[:1], reason="a test order") == 1
        assert [(x.status, x.note) for x in workspace.letters(status="discarded")] == [("discarded", "a test order")]
        with pytest.raises(UserError, match="discarded already"):
            workspace.replay(ids[:1])


def test_merge_replaces_rows_by_key(project):
    run(project)
    (project / "data/customers.csv").unlink()
    (project / "sources/shop.yaml").write_text(CONTRACT.replace("physicalName: customers.csv", 'physicalName: "customers*.csv"'))
    (project / "data/customers-2.csv").write_text("customer,country\nada,DE\ncyd,NO\n")
    run(project)
    assert rows(project, "shop.customers") == [("ada", "DE"), ("bob", "DE"), ("cyd", "NO")]


def test_a_comment_rebuilds_nothing_and_a_taken_back_change_is_adopted(project):
    run(project)
    model = project / "models/marts/by_country.sql"
    model.write_text(BY_COUNTRY.replace("-- a plain table", "-- another word"))
    with Workspace.open(project) as workspace:
        assert workspace.plan().steps == ()
    model.write_text(BY_COUNTRY.replace("sum(o.amount)", "max(o.amount)"))
    assert run(project)["marts.by_country"].step.kind is StepKind.BUILD
    model.write_text(BY_COUNTRY)
    outcomes = run(project)
    assert {n: o.step.kind for n, o in outcomes.items()} == {"marts.by_country": StepKind.ADOPT}
    assert rows(project, "marts.by_country") == [("DE", "20.00"), ("NO", "10.50")]


def test_an_older_snapshot_can_be_read(project):
    run(project)
    (project / "data/orders-2.csv").write_text("order_id,customer,day,amount\n5,ada,2026-02-01,7.00\n")
    run(project)
    assert len(rows(project, "shop.orders", at=0)) == 2
    assert len(rows(project, "shop.orders")) == 3
    with pytest.raises(UserError, match="no snapshot"):
        rows(project, "shop.orders", at=9)


def test_a_check_that_stops_publishes_nothing_and_skips_what_is_downstream(project):
    contract = "apiVersion: v3.1.0\nkind: DataContract\nid: d\nversion: 1.0.0\nstatus: active\nschema:\n  - name: daily\n    properties:\n      - {name: orders, logicalType: integer, logicalTypeOptions: {maximum: 1}}\n"
    (project / "models/marts/daily.yaml").write_text(contract)
    (project / "models/marts/after.sql").write_text("SELECT orders FROM marts.daily\n")
    outcomes = run(project)
    assert (outcomes["marts.daily"].status, outcomes["marts.after"].status, outcomes["marts.by_country"].status) == (
        "failed",
        "skipped",
        "done",
    )
    assert [f.code for f in outcomes["marts.daily"].findings] == ["XDE0501"]
    with Workspace.open(project) as workspace, pytest.raises(UserError):
        workspace.show("marts.daily")


def test_the_ledger_is_rebuilt_from_the_lake(project):
    run(project)
    for path in (project / ".xde").glob("ledger.sqlite*"):
        path.unlink()
    with Workspace.open(project) as workspace:
        assert workspace.plan().steps == ()
        assert workspace.rebuild_ledger() == 4


def test_two_runs_at_once_load_everything_once(project):
    errors: list[BaseException] = []

    def go() -> None:
        try:
            run(project, wait=30.0)
        except BaseException as error:  # noqa: BLE001 - told to the test
            errors.append(error)

    with Workspace.open(project):
        pass
    threads = [threading.Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(rows(project, "shop.orders")) == 2


def test_doctor_and_lineage(project):
    run(project)
    with Workspace.open(project) as workspace:
        assert {d.status for d in workspace.doctor()} == {"ok"}
        node = workspace.lineage("marts.by_country.amount")
        assert [(p.name, p.how) for p in node.parents] == [("shop.orders.amount", "computed")]
        assert workspace.lineage("shop.orders.amount", downstream=True).parents != ()


def test_a_view_may_use_parameters_and_is_seen_through(project):
    (project / "xde.yaml").write_text("name: shop\nparameters:\n  least: 15\n  least_of_all: 1\n")
    (project / "models/staging").mkdir()
    (project / "models/staging/large.sql").write_text(
        "/* xde\nkind: view\n*/\nSELECT *, '$least' AS word FROM shop.orders WHERE amount >= $least -- not $least_of_all\n"
    )
    (project / "models/marts/count.sql").write_text(
        "SELECT count(*) AS n, any_value(word) AS word FROM staging.large WHERE amount > $least_of_all\n"
    )
    run(project)
    assert rows(project, "marts.count") == [("1", "$least")]
    assert len(rows(project, "staging.large", where="amount > 0")) == 1


def test_a_full_reload_makes_rows_and_letters_once(project):
    run(project)
    outcome = run(project, selection=["shop.orders"], full=True)["shop.orders"]
    assert (outcome.rows, outcome.letters) == (2, 2)
    with Workspace.open(project) as workspace:
        assert [(d.rows, d.letters) for d in workspace.datasets() if d.name == "shop.orders"] == [(2, 2)]
        assert len(workspace.letters()) == 2


def test_another_environment_points_at_what_is_there(project):
    run(project)
    with Workspace.open(project, environment="mine") as workspace:
        plan = workspace.plan()
        assert {s.kind for s in plan.steps} == {StepKind.ADOPT}
        assert workspace.run().status == "done"
        assert workspace.show("marts.daily", limit=None).read_all().num_rows == 1
        assert workspace.plan().steps == ()


def test_files_that_are_gone_are_not_lost_by_a_change_of_types(project):
    run(project)
    (project / "data/orders-1.csv").unlink()
    (project / "sources/shop.yaml").write_text(CONTRACT.replace("DECIMAL(10,2)", "DECIMAL(12,2)"))
    with Workspace.open(project) as workspace, pytest.raises(UserError) as caught:
        workspace.plan()
    assert caught.value.findings[0].code == "XDE0452"
    assert len(rows(project, "shop.orders")) == 2


def test_a_model_that_appends_reads_each_row_once(project):
    (project / "models/marts/log.sql").write_text("/* xde\nkind: append\n*/\nSELECT order_id FROM shop.orders\n")
    run(project)
    (project / "data/orders-2.csv").write_text("order_id,customer,day,amount\n5,ada,2026-02-01,7.00\n")
    assert run(project)["marts.log"].rows == 1
    assert rows(project, "marts.log") == [("1",), ("2",), ("5",)]


def test_another_value_of_a_parameter_is_another_version_also_through_a_view(project):
    (project / "xde.yaml").write_text("name: shop\nparameters:\n  least: 15\n")
    (project / "models/staging").mkdir()
    (project / "models/staging/large.sql").write_text("/* xde\nkind: view\n*/\nSELECT * FROM shop.orders WHERE amount >= $least\n")
    (project / "models/marts/count.sql").write_text("SELECT count(*) AS n FROM staging.large\n")
    run(project)
    (project / "xde.yaml").write_text("name: shop\nparameters:\n  least: 1\n")
    run(project)
    assert rows(project, "marts.count") == [("2",)]


def test_of_two_deliveries_of_a_key_the_later_one_holds(project):
    (project / "sources/shop.yaml").write_text(CONTRACT.replace("physicalName: customers.csv", 'physicalName: "customers*.csv"'))
    (project / "data/customers-2.csv").write_text("customer,country\nada,DE\n")
    (project / "data/customers-3.csv").write_text("customer,country\nada,NO\nbob,NO\n")
    (project / "data/customers.csv").rename(project / "data/customers-1.csv")
    outcome = run(project)["shop.customers"]
    assert (outcome.rows, outcome.letters) == (5, 0)
    assert rows(project, "shop.customers") == [("ada", "NO"), ("bob", "NO")]
