"""A query put again in the same scratch database: planned once, and never told otherwise than by a fresh one."""

from datetime import UTC, datetime

import pytest

from xde.connectors.duckdb.sandbox import DuckdbSandbox
from xde.connectors.duckdb.session import DuckdbSession
from xde.kernel.project.settings import EngineSettings
from xde.undercurrents.engineering.testing.sandbox import Asked, QueryError

QUERIES = [
    "SELECT id, moment FROM raw.t",
    "SELECT id + 1 AS id, moment + INTERVAL 1 DAY AS moment FROM raw.t",
    "SELECT id, moment FROM raw.t WHERE false",
    "SELECT id, moment AT TIME ZONE 'Europe/Madrid' AS moment FROM raw.t",  # no zone any more
    "SELECT CAST(id AS DECIMAL(9, 2)) AS id, moment FROM raw.t",
    "SELECT moment AS id, id AS moment FROM raw.t",
    "SELECT id, moment, moment AS again FROM raw.t",
    "SELECT id, [moment] AS moment FROM raw.t",
    "SELECT id, moment FROM raw.t ORDER BY id DESC LIMIT 1",
    "SELECT id AS x FROM raw.t",
    "SELECT $n + id AS x FROM raw.t",
]


@pytest.fixture
def sandbox(tmp_path):
    session = DuckdbSession(EngineSettings(), tmp_path)
    yield DuckdbSandbox(session)
    session.close()


def filled(scratch):
    scratch.table("raw.t", {"id": "INTEGER", "moment": "TIMESTAMP WITH TIME ZONE"}, [("1", "2026-03-29 01:30:00+00"), ("2", None)])
    return scratch


def asked(sql):
    return Asked(sql, {"n": 5} if "$n" in sql else {})


def test_one_after_the_other_is_as_each_by_itself(sandbox):
    with sandbox.scratch() as shared:
        filled(shared)
        for sql in [*QUERIES, *reversed(QUERIES)]:
            with sandbox.scratch() as alone:
                assert shared.ask(asked(sql)) == filled(alone).ask(asked(sql)), sql


def test_the_engine_tells_of_a_second_query_that_fails_as_of_a_first(sandbox):
    with sandbox.scratch() as scratch:
        filled(scratch).ask(Asked(QUERIES[0]))
        with pytest.raises(QueryError, match="nothing"):
            scratch.ask(Asked("SELECT nothing, moment FROM raw.t"))
        assert scratch.ask(Asked(QUERIES[0])).rows[0] == (1, datetime(2026, 3, 29, 1, 30, tzinfo=UTC))
