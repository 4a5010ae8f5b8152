"""Which queries over windows can be computed window by window, and which rows come one by one."""

import pytest

from xde.app.flows import book_of
from xde.ground.findings import Findings
from xde.kernel.graph.flows.arriving import NotByRow, Source, source_of, windowed
from xde.kernel.graph.flows.expanding import expand
from xde.kernel.graph.flows.whole_windows import across, read_beside

CALL = "tumble(web.clicks, at := at, size := INTERVAL 1 DAY)"
W = f"WITH w AS (SELECT * FROM {CALL}) "


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    return book_of([], tmp_path_factory.mktemp("flows"), Findings())


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT * FROM {CALL}",
        f"SELECT window_start, window_end, count(*) FROM {CALL} GROUP BY ALL",
        f"FROM {CALL} SELECT window_start, window_end, count(*) GROUP BY 1, 2",
        f"SELECT window_start AS s, window_end, n FROM (SELECT window_start, window_end, count(*) AS n FROM {CALL} GROUP BY window_start, 2) WHERE n > 1",
        f"SELECT * FROM {CALL} AS t LEFT JOIN crm.people USING (visitor)",
        f"SELECT *, rank() OVER (PARTITION BY visitor, window_end ORDER BY id) FROM {CALL}",
        f"SELECT DISTINCT ON (window_end) * FROM {CALL}",
        f"SELECT * FROM dedupe({CALL}, key := (visitor, window_start))",
        f"{W}SELECT w.*, (SELECT max(day) FROM crm.days) AS last FROM w",
        f"{W}SELECT window_start, window_end FROM w UNION ALL SELECT day, day FROM crm.days",
    ],
)
def test_a_window_by_itself(book, sql):
    text = expand(sql, book).sql
    (one,) = windowed(text)
    assert across(text, one) == ""


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT visitor, count(*) FROM {CALL} GROUP BY visitor",
        f"SELECT max(window_start) AS window_start, max(window_end) AS window_end FROM {CALL}",
        f"SELECT window_start, window_end, count(*) FROM {CALL} GROUP BY ROLLUP (window_start, window_end)",
        f"SELECT * FROM {CALL} ORDER BY id LIMIT 10",
        f"SELECT date_trunc('month', window_start) AS window_start, window_end, count(*) FROM {CALL} GROUP BY ALL",
        f"SELECT * FROM {CALL} USING SAMPLE 5",
        f"SELECT *, rank() OVER (PARTITION BY visitor ORDER BY id) FROM {CALL}",
        f"SELECT * FROM {CALL} QUALIFY row_number() OVER (ORDER BY id) = 1",
        f"SELECT DISTINCT ON (visitor) * FROM {CALL}",
        f"SELECT * FROM dedupe({CALL}, key := visitor)",
        f"SELECT * FROM {CALL} AS t FULL JOIN crm.people USING (visitor)",
        f"{W}SELECT d.day, w.* FROM crm.days AS d LEFT JOIN w ON d.day = w.window_start",
        f"{W}SELECT d.day, w.* FROM w RIGHT JOIN crm.days AS d ON d.day = w.window_start",
        f"{W}SELECT * FROM w AS a JOIN w AS b ON a.window_start = b.window_end",
        f"{W}SELECT * FROM crm.days AS d ASOF JOIN w ON d.day >= w.window_start",
        f"{W}SELECT * FROM w PIVOT (count(*) FOR visitor IN ('a', 'b'))",
    ],
)
def test_several_windows_at_once(book, sql):
    text = expand(sql, book).sql
    (one,) = windowed(text)
    assert across(text, one)


def test_what_is_read_beside(book):
    text = expand(f"{W}, unused AS (SELECT * FROM crm.old) SELECT * FROM w JOIN web.clicks USING (id)", book).sql
    (one,) = windowed(text)
    assert read_beside(one) == {"web.clicks"}
    inner = expand("SELECT * FROM tumble((SELECT * FROM web.clicks WHERE id > 1), at := at, size := INTERVAL 1 DAY)", book).sql
    (one,) = windowed(inner)
    assert read_beside(one) == frozenset()


@pytest.mark.parametrize(
    ("sql", "source"),
    [
        ('SELECT *, "at" AS __flow_at FROM web.clicks', Source("web.clicks", "at")),
        ("SELECT *, t AS __flow_at FROM (SELECT id, at AS t FROM web.clicks WHERE id > 1)", Source("web.clicks", "at")),
        (
            "WITH c AS (SELECT * REPLACE (at + INTERVAL 1 DAY AS at) FROM web.clicks) SELECT *, at AS __flow_at FROM c",
            Source("web.clicks", ""),
        ),
        ("SELECT *, moment AS __flow_at FROM staging.moments", Source("web.clicks", "")),
        ("SELECT *, t AS __flow_at FROM staging.renamed", Source("web.clicks", "at")),
    ],
)
def test_where_rows_come_from(sql, source):
    views = {"staging.moments": "SELECT at::DATE AS moment FROM web.clicks", "staging.renamed": 'SELECT "at" AS t FROM web.clicks'}
    assert source_of(sql, views) == source


@pytest.mark.parametrize(
    "query",
    [
        "SELECT DISTINCT * FROM web.clicks",
        "SELECT * FROM web.clicks JOIN crm.people USING (visitor)",
        "SELECT max(at) AS at FROM web.clicks GROUP BY visitor",
        "SELECT at, row_number() OVER () AS n FROM web.clicks",
        "SELECT * FROM web.clicks WHERE id IN (SELECT id FROM crm.people)",
        "SELECT * FROM web.clicks UNION ALL SELECT * FROM web.taps",
        "SELECT at, unnest(pages) AS page FROM web.clicks",
        "SELECT * FROM web.clicks LIMIT 5",
        "SELECT * FROM web.clicks TABLESAMPLE 5%",
        "SELECT * FROM web.clicks PIVOT (max(at) FOR visitor IN ('a'))",
        "SELECT * FROM range(5)",
    ],
)
def test_rows_that_do_not_come_one_by_one(query):
    with pytest.raises(NotByRow):
        source_of(f"SELECT *, at AS __flow_at FROM ({query})", {})
