"""Where a call stands as a source, and where the same words are something else."""

import pytest

from xde.kernel.graph.flows.calls import calls
from xde.kernel.graph.text.scanning import scan


def found(sql):
    words = scan(sql)
    return [words[c.name].text for c in calls(words, 0, len(words))]


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT * FROM dedupe(a.b, key := x)", ["dedupe"]),
        ("FROM dedupe(a.b) SELECT x", ["dedupe"]),
        ("SELECT * FROM a.b JOIN latest(a.c) AS c USING (x), spine(start := 1)", ["latest", "spine"]),
        ("SELECT * FROM a.b, pivot(a.c), unpivot(a.d)", ["pivot", "unpivot"]),
        ("SELECT * FROM (dedupe(a.b) AS x JOIN fill(a.c) AS y ON x.a = y.a)", ["dedupe", "fill"]),
        ("WITH c AS (SELECT * FROM dedupe(a.b)) SELECT * FROM c WHERE x IN (SELECT y FROM latest(a.d))", ["dedupe", "latest"]),
        ("SELECT 1 FROM a.b UNION ALL BY NAME SELECT 2 FROM fill(a.c)", ["fill"]),
        ("SELECT (SELECT max(x) FROM latest(c)) FROM a.b", ["latest"]),
        ("SELECT * FROM a.b LEFT JOIN as_of(a.b, a.c) ON true", ["as_of"]),
        ("SELECT * FROM dedupe(fill(a.b))", ["dedupe"]),
        ("SELECT extract(year FROM latest(x)) FROM a.b", []),
        ("SELECT x, latest(y), fill(z) FROM a.b", []),
        ("SELECT trim(BOTH FROM fill(x)), substring(x FROM fill(y)) FROM a.b", []),
        ("SELECT * FROM a.b WHERE x IS DISTINCT FROM flatten(y)", []),
        ("SELECT * FROM a.b ORDER BY x, flatten(y)", []),
        ("SELECT * FROM a.b GROUP BY x, flatten(y)", []),
        ("SELECT * FROM a.b JOIN a.c ON fill(x) = 1", []),
        ("SELECT * FROM a.b, (VALUES (1), (2)) AS v(x)", []),
        ("SELECT * FROM a.fill(x)", []),
        ("SELECT count(*) FILTER (WHERE fill(x)) FROM a.b", []),
        ("SELECT * FROM a.b PIVOT (sum(x) FOR y IN (1, 2))", []),
        ("WITH c(fill) AS (SELECT 1) SELECT * FROM c", []),
    ],
)
def test_a_call_is_found_where_a_table_can_stand(sql, names):
    assert found(sql) == names
