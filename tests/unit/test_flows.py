"""Flows from Python: the same as in SQL, on relations of DuckDB."""

import datetime as dt

import duckdb
import pytest

from xde import flows
from xde.ground.errors import UserError
from xde.lifecycle.transformation.flows import NAMES


@pytest.fixture
def con():
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE t AS SELECT * FROM (VALUES (1, 'a', DATE '2024-01-01'), (1, 'b', DATE '2024-02-01'), (2, 'c', NULL)) v(id, x, d)"
        )
        connection.execute("CREATE TABLE r AS SELECT * FROM (VALUES ('a', 'Alpha'), ('b', 'Beta')) v(x, name)")
        yield connection


def rows(relation):
    return sorted(relation.fetchall(), key=str)


def test_a_flow_takes_and_gives_a_relation(con):
    newest = flows.dedupe(con.table("t"), key="id", newest="d")
    assert rows(newest) == [(1, "b", dt.date(2024, 2, 1)), (2, "c", None)]
    assert rows(flows.dedupe(newest.filter("id = 1"), key=["id", "x"])) == [(1, "b", dt.date(2024, 2, 1))]


def test_two_relations_and_a_policy(con):
    found = flows.lookup(con.table("t"), con.table("r"), key="x", columns="name", missing="unknown", unknown="it's new")
    assert [r[3] for r in rows(found)] == ["Alpha", "Beta", "it's new"]
    assert rows(flows.union_all(con.table("r"), con.table("r"), source="came_from", names=["one", "two"]))[0] == ("a", "Alpha", "one")


def test_constants_intervals_and_expressions(con):
    assert len(rows(flows.latest(con.table("t"), key="id", at="d", until=dt.date(2024, 1, 15)))) == 1
    assert len(rows(flows.latest(con.table("t"), key="id", at="d", deleted="x = 'b'"))) == 1
    assert [r[3] for r in rows(flows.sessionize(con.table("t"), key="id", at="d", gap="INTERVAL 10 DAYS"))] == [1, 2, None]
    spread = flows.pivot(con.table("t"), by="id", spread="x", into=["a", "b"], function="count")
    assert rows(spread) == [(1, 1, 1), (2, 0, 0)]
    spine = flows.spine(start=dt.date(2024, 1, 1), stop=dt.datetime.fromisoformat("2024-01-02 12:00"), per=con.table("r"))
    assert len(rows(spine)) == 4
    assert len(rows(flows.rank_within(con.table("t"), by="id", most=2, places="single"))) == 2


def test_it_is_worked_out_when_it_is_read(con):
    lazy = flows.dedupe(con.table("t"), key="id", newest="d")
    con.execute("INSERT INTO t VALUES (3, 'z', NULL)")
    assert len(rows(lazy)) == 3


def test_what_is_wrong_is_told(con):
    with pytest.raises(UserError) as caught:
        flows.dedupe(con.table("t"), kee="id")
    assert [(f.code, f.hint) for f in caught.value.findings] == [("XDE0241", "did you mean `key`?")]
    with pytest.raises(UserError) as caught:
        flows.fill(con.table("t"), columns="x", by="d", direction="forwards", most=0)
    assert [f.code for f in caught.value.findings] == ["XDE0243"]
    with pytest.raises(UserError, match="without a relation"):
        flows.spine(start=1, stop=2)
    with pytest.raises(AttributeError, match="did you mean `dedupe`"):
        flows.dedup  # noqa: B018
    assert dir(flows) == sorted(NAMES)


def test_from_python_there_is_no_model_that_could_keep_letters(con):
    with pytest.raises(UserError) as caught:
        flows.validate(con.sql("SELECT 1 AS a"), holds="a > 1", rule="large", keep="letters")
    assert [f.code for f in caught.value.findings] == ["XDE0299"]
