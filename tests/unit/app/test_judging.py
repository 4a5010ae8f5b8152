"""Rows of a model that a `validate` refuses: dead letters that the commit of its rows names."""

from __future__ import annotations

import json

import pytest

from xde.app.backfilling import Backfill, Demand
from xde.app.workspace import Workspace
from xde.ground.errors import UserError

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: shop
version: 1.0.0
servers: [{server: local, type: local, path: data, format: csv}]
schema:
  - name: addresses
    physicalName: addresses-*.csv
    properties:
      - {name: id, logicalType: integer}
      - {name: day, logicalType: date}
      - {name: city, logicalType: string}
      - {name: state, logicalType: string}
      - {name: zip, logicalType: string}
  - name: places
    physicalName: places-*.csv
    properties:
      - {name: city, logicalType: string}
      - {name: state, logicalType: string}
      - {name: zip, logicalType: string}
"""
RULE = "against := shop.places, key := (city, state, zip), rule := place_is_known, keep := letters"
PLACES = "city,state,zip\nAustin,TX,78701\nAlbany,NY,12201\n"
ADDRESSES = "id,day,city,state,zip\n1,2026-01-01,Austin,TX,78701\n2,2026-01-01,Austin,NY,78701\n3,2026-01-02,Albany,NY,\n"


def head(more):
    return f"/* xde\n{more}\n*/\n"


@pytest.fixture
def shop(sales):
    sales.write("sources/shop.yaml", CONTRACT)
    for path in ("models/marts/by_country.sql", "models/marts/countries.sql", "models/staging/norway.sql", "data/sales-1.csv"):
        (sales.root / path).unlink()
    sales.write("data/places-1.csv", PLACES)
    sales.write("data/addresses-1.csv", ADDRESSES)
    return sales


def letters(shop, status="open"):
    with Workspace.open(shop.root) as workspace:
        return workspace.letters(status=status)


def told(shop, status="open"):
    return [(json.loads(x.letter.raw)["id"], x.letter.reasons[0].rule) for x in letters(shop, status)]


def codes(shop):
    with pytest.raises(UserError) as caught, Workspace.open(shop.root) as workspace:
        assert workspace.known
    return [f.code for f in caught.value.findings]


def history(shop, dataset="marts.addresses"):
    with Workspace.open(shop.root) as workspace:
        return [x.record.facts for x in workspace.history(dataset)]


def test_rows_that_fail_are_letters_of_the_commit_that_has_the_others(shop):
    shop.write("models/marts/addresses.sql", f"SELECT id, city\nFROM validate(shop.addresses, {RULE})\n")
    done = shop.run()["marts.addresses"]
    assert (done.rows, done.letters) == (2, 1)
    assert shop.rows("marts.addresses") == [(1, "Austin"), (3, "Albany")]
    (line,) = letters(shop)
    assert json.loads(line.letter.raw) == {"id": 2, "day": "2026-01-01", "city": "Austin", "state": "NY", "zip": "78701"}
    assert (line.letter.dataset, line.letter.file, line.letter.line) == ("marts.addresses", "models/marts/addresses.sql", 2)
    assert line.letter.reasons[0].rule == "place_is_known"
    assert line.letter.reasons[0].message == "`city`, `state` and `zip` of this row do not stand together in `shop.places`"
    facts = history(shop)[0]
    assert facts["validated"] == [{"line": 2, "rows": 3, "passed": 2, "letters": 1}]
    assert len(facts["letters"]) == 1
    with Workspace.open(shop.root) as workspace:
        assert {x.name: x.letters for x in workspace.datasets()}["marts.addresses"] == 1


def test_a_letter_is_judged_again_when_its_reference_is_mended(shop):
    shop.write("models/marts/addresses.sql", f"SELECT id, city FROM validate(shop.addresses, {RULE})\n")
    shop.run()
    shop.write("data/places-2.csv", "city,state,zip\nAustin,NY,78701\n")
    assert shop.run()["marts.addresses"].letters == 0
    assert letters(shop) == ()
    assert len(shop.rows("marts.addresses")) == 3


@pytest.mark.slow
def test_what_was_discarded_stays_so_while_the_same_row_fails_and_equal_rows_are_each_a_letter(shop):
    shop.write("data/addresses-2.csv", "id,day,city,state,zip\n9,2026-01-03,X,Y,Z\n9,2026-01-03,X,Y,Z\n")
    shop.write("models/marts/addresses.sql", f"SELECT id, city FROM validate(shop.addresses, {RULE})\n")
    shop.run()
    assert sorted(told(shop)) == [(2, "place_is_known"), (9, "place_is_known"), (9, "place_is_known")]
    with Workspace.open(shop.root) as workspace:
        first = next(x.letter.id for x in workspace.letters() if b'"id":9' in x.letter.raw)
        assert workspace.discard([first], dataset=None, reason="a test") == 1
        assert {x.name: x.letters for x in workspace.datasets()}["marts.addresses"] == 2
    shop.write("data/addresses-3.csv", "id,day,city,state,zip\n4,2026-01-04,Albany,NY,12201\n")
    assert shop.run()["marts.addresses"].letters == 3
    assert sorted(told(shop)) == [(2, "place_is_known"), (9, "place_is_known")]
    assert told(shop, "discarded") == [(9, "place_is_known")]


def test_letters_of_a_model_are_not_replayed(shop):
    shop.write("models/marts/addresses.sql", f"SELECT id, city FROM validate(shop.addresses, {RULE})\n")
    shop.run()
    with Workspace.open(shop.root) as workspace, pytest.raises(UserError) as caught:
        workspace.replay([x.letter.id for x in workspace.letters()])
    assert [f.code for f in caught.value.findings] == ["XDE0298"]


def test_two_rules_one_after_the_other_in_ctes(shop):
    shop.write(
        "models/marts/addresses.sql",
        "WITH known AS (SELECT * FROM shop.addresses WHERE id > 0), -- the real ones\n"
        f"placed AS (SELECT * FROM validate(known, {RULE}))\n"
        "SELECT id, count(*) OVER () AS n\n"
        "FROM validate(placed, holds := id < 3, rule := small, keep := letters)\n",
    )
    done = shop.run()["marts.addresses"]
    assert (done.rows, done.letters) == (1, 2)
    assert sorted(told(shop)) == [(2, "place_is_known"), (3, "small")]
    assert [x.letter.line for x in letters(shop)] == [2, 4]
    assert shop.rows("marts.addresses") == [(1, 1)]


def test_types_that_no_table_has_come_back_as_they_were(shop):
    shop.write(
        "models/marts/addresses.sql",
        "SELECT city, total // 2 AS half, typeof(total) AS kind, wait + INTERVAL 1 HOUR > INTERVAL 1 DAY AS long FROM validate((SELECT city,"
        " sum(id) AS total, INTERVAL 1 DAY AS wait FROM shop.addresses GROUP BY city), holds := total > 1, rule := enough, keep := letters)\n",
    )
    shop.run()
    assert shop.rows("marts.addresses") == [("Albany", 1, "HUGEINT", True), ("Austin", 1, "HUGEINT", True)]


@pytest.mark.parametrize("kind", ["view", "ephemeral"])
def test_a_model_without_a_table_has_no_letters(shop, kind):
    shop.write("models/marts/addresses.sql", f"{head(f'kind: {kind}')}SELECT id, city FROM validate(shop.addresses, {RULE})\n")
    shop.write("models/marts/cities.sql", "SELECT city FROM marts.addresses\n")
    assert codes(shop) == ["XDE0296"]


def test_what_cannot_be_judged_by_itself_is_told_before_anything_runs(shop):
    shop.write(
        "models/marts/addresses.sql",
        "WITH RECURSIVE up AS (SELECT 1 AS n UNION ALL SELECT n + 1 AS n FROM validate(up, holds := n < 5, rule := r, keep := letters))\n"
        "SELECT n FROM up\n",
    )
    assert codes(shop) == ["XDE0297"]
    by_day = head("kind: incremental\ntime: since")
    shop.write("models/marts/addresses.sql", f"{by_day}SELECT id, day AS since FROM validate(shop.addresses, {RULE})\n")
    assert codes(shop) == ["XDE0297"]
    by_day = head("kind: incremental\ntime: day")
    shop.write(
        "models/marts/addresses.sql",
        f"{by_day}SELECT id, day FROM validate(shop.addresses, holds := random() > 0.5, rule := r, keep := letters)\n",
    )
    assert codes(shop) == ["XDE0297"]


BY_DAY = head("kind: incremental\ntime: day") + f"SELECT id, day, city FROM validate(shop.addresses, {RULE})\n"


def test_by_time_letters_are_those_of_the_intervals(shop):
    shop.write("models/marts/addresses.sql", BY_DAY)
    shop.write("data/addresses-2.csv", "id,day,city,state,zip\n7,2025-12-30,X,Y,Z\n8,2026-01-05,X,Y,Z\n")
    done = shop.run()["marts.addresses"]
    assert (done.rows, done.letters) == (2, 3)
    assert sorted(i for i, _ in told(shop)) == [2, 7, 8]
    shop.write("data/addresses-3.csv", "id,day,city,state,zip\n9,2026-01-05,Nowhere,Y,Z\n10,2026-01-05,Austin,TX,78701\n")
    done = shop.run()["marts.addresses"]
    assert done.letters == 2
    assert sorted(i for i, _ in told(shop)) == [2, 7, 8, 9]
    runs = {json.loads(x.letter.raw)["id"]: x.letter.run for x in letters(shop)}
    assert runs[8] == runs[9] != runs[2]
    assert history(shop)[0]["validated"] == [{"line": 5, "rows": 3, "passed": 1, "letters": 2}]
    assert shop.rows("marts.addresses") == sorted(shop.rows("marts.addresses"))


@pytest.mark.slow
def test_an_interval_without_a_row_that_passes_has_its_letters_too(shop):
    shop.write("models/marts/addresses.sql", head("kind: incremental\ntime: day\nbatch: 1") + BY_DAY.split("*/\n")[1])
    shop.write("data/addresses-2.csv", "id,day,city,state,zip\n7,2025-12-30,X,Y,Z\n8,2026-01-05,X,Y,Z\n")
    shop.run()
    assert sorted(i for i, _ in told(shop)) == [2, 7, 8]


@pytest.mark.slow
def test_a_model_that_appends_adds_its_letters(shop):
    shop.write("models/marts/addresses.sql", head("kind: append") + f"SELECT id, day, city FROM validate(shop.addresses, {RULE})\n")
    shop.run()
    shop.write("data/addresses-2.csv", "id,day,city,state,zip\n8,2026-01-05,X,Y,Z\n")
    assert shop.run()["marts.addresses"].letters == 1
    assert sorted(i for i, _ in told(shop)) == [2, 8]
    shop.run(selection=["marts.addresses"], full=True, reason="again")
    assert sorted(i for i, _ in told(shop)) == [2, 8]


@pytest.mark.slow
@pytest.mark.parametrize("more", ["kind: incremental\nkey: [id]", "kind: history\nkey: [id]\nupdated: day"])
def test_by_key_and_of_a_history_the_letters_are_those_of_all_that_was_read(shop, more):
    shop.write("models/marts/addresses.sql", head(more) + f"SELECT id, day, city FROM validate(shop.addresses, {RULE})\n")
    shop.run()
    shop.write("data/addresses-2.csv", "id,day,city,state,zip\n8,2026-01-05,X,Y,Z\n")
    shop.write("data/places-2.csv", "city,state,zip\nAustin,NY,78701\n")
    shop.run()
    assert told(shop) == [(8, "place_is_known")]


def test_above_the_limit_of_its_contract_nothing_is_published(shop):
    shop.write("models/marts/addresses.sql", f"SELECT id, city FROM validate(shop.addresses, {RULE})\n")
    shop.write(
        "models/marts/addresses.yaml",
        "apiVersion: v3.1.0\nkind: DataContract\nid: addresses\nversion: 1.0.0\nschema:\n  - name: addresses\n    customProperties:\n"
        "      - {property: xdeDeadLetter, value: {maxRejectedPercent: 20}}\n    properties:\n      - {name: id, logicalType: integer}\n",
    )
    with Workspace.open(shop.root) as workspace:
        finished = workspace.run()
    assert finished.status == "failed"
    failed = next(o for o in finished.outcomes if o.step.dataset == "marts.addresses")
    assert [f.code for f in failed.findings] == ["XDE0507"]
    assert "1 of 3 rows" in failed.findings[0].message
    assert letters(shop) == ()
    assert not list((shop.root / ".xde/lake/marts").rglob("*.parquet"))


@pytest.mark.slow
def test_a_clean_takes_letters_that_were_replaced_and_no_others(shop):
    shop.write("models/marts/addresses.sql", f"SELECT id, city FROM validate(shop.addresses, {RULE})\n")
    shop.run()
    shop.write("data/addresses-2.csv", "id,day,city,state,zip\n8,2026-01-05,X,Y,Z\n")
    shop.run()
    kept = list((shop.root / ".xde/lake/marts/addresses").rglob("_letters/*.parquet"))
    assert len(kept) == 2
    shop.clean(keep_hours=0.0)
    assert len(list((shop.root / ".xde/lake/marts/addresses").rglob("_letters/*.parquet"))) == 1
    assert sorted(i for i, _ in told(shop)) == [2, 8]


def test_a_backfill_begins_with_the_letters_that_there_are_and_judges_its_interval_anew(shop):
    shop.write("models/marts/addresses.sql", BY_DAY)
    shop.write("data/addresses-2.csv", "id,day,city,state,zip\n8,2026-01-05,X,Y,Z\n")
    shop.run()
    with Workspace.open(shop.root) as workspace:
        first = next(x.letter.id for x in workspace.letters() if b'"id":2' in x.letter.raw)
        workspace.discard([first], dataset=None, reason="a test")
        finished = workspace.backfill(Backfill("marts.addresses", "2026-01-01", "2026-01-02"), Demand()).finished
    assert finished.status == "done"
    assert told(shop) == [(8, "place_is_known")]
    assert told(shop, "discarded") == [(2, "place_is_known")]
    assert next(x.letter.run for x in letters(shop, "discarded")) == finished.run != letters(shop)[0].letter.run


def test_through_a_view_with_a_parameter_and_beside_other_flows(shop):
    shop.write("xde.yaml", "name: sales\nparameters: {least: 2}\n")
    shop.write("models/staging/large.sql", "/* xde\nkind: view\n*/\nSELECT * FROM shop.addresses WHERE id >= $least\n")
    shop.write(
        "models/marts/addresses.sql",
        f"SELECT id, $least AS least FROM dedupe(validate(staging.large, {RULE}), key := id)\n"
        "UNION ALL SELECT 0, 0 FROM validate(staging.large, holds := id > $least, rule := larger, keep := letters)\n",
    )
    shop.run()
    assert shop.rows("marts.addresses") == [(0, 0), (3, 2)]
    assert sorted(told(shop)) == [(2, "larger"), (2, "place_is_known")]


def test_a_check_of_the_contract_that_fails_leaves_no_letters_behind(shop):
    shop.write("models/marts/addresses.sql", f"SELECT id, city FROM validate(shop.addresses, {RULE})\n")
    shop.write(
        "models/marts/addresses.yaml",
        "apiVersion: v3.1.0\nkind: DataContract\nid: addresses\nversion: 1.0.0\nschema:\n  - name: addresses\n"
        "    properties:\n      - {name: id, logicalType: integer, logicalTypeOptions: {minimum: 2}}\n",
    )
    with Workspace.open(shop.root) as workspace:
        assert workspace.run().status == "failed"
    assert not list((shop.root / ".xde/lake/marts").rglob("*.parquet"))
    assert letters(shop) == ()


def test_an_environment_of_its_own_sees_the_letters_of_the_version_that_it_points_at(shop):
    shop.write("models/marts/addresses.sql", f"SELECT id, city FROM validate(shop.addresses, {RULE})\n")
    shop.run()
    shop.write("models/marts/addresses.sql", f"SELECT id, city FROM validate(shop.addresses, {RULE.replace('place_is', 'place_was')})\n")
    shop.run("other")
    assert told(shop) == [(2, "place_is_known")]
    with Workspace.open(shop.root, environment="other") as workspace:
        assert [x.letter.reasons[0].rule for x in workspace.letters()] == ["place_was_known"]


def test_a_letter_has_every_digit_of_its_row(shop):
    values = "12345678901234567890.10::DECIMAL(38,2) AS exact, 'nan'::DOUBLE AS none, 0.1::DOUBLE AS tenth, NULL::DECIMAL(5,2) AS nothing"
    shop.write(
        "models/marts/values.sql", f"SELECT * FROM validate((SELECT {values}), holds := tenth > 1, rule := large, keep := letters)\n"
    )
    shop.run()
    assert [x.letter.raw for x in letters(shop)] == [b'{"exact":12345678901234567890.10,"none":"nan","tenth":0.1,"nothing":null}']
