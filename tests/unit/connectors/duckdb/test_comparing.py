"""Comparisons in DuckDB held against a naive model of a few lines of Python, over types and values that trip others."""

from __future__ import annotations

import math
import uuid
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from xde.connectors.duckdb.comparing import DuckdbComparer
from xde.connectors.duckdb.session import DuckdbSession
from xde.ground.errors import UserError
from xde.kernel.project.settings import EngineSettings
from xde.lifecycle.serving.comparing import Asked, Side
from xde.lifecycle.storage.port import Column
from xde.lifecycle.transformation.port import Input, Query

TYPES = {
    "id": "INTEGER",
    "part": "VARCHAR",
    "score": "DOUBLE",
    "price": "DECIMAL(10,2)",
    "seen": "TIMESTAMP",
    "day": "DATE",
    "tags": "VARCHAR[]",
    "place": "STRUCT(x DOUBLE, y INTEGER)",
    "facts": "MAP(VARCHAR, INTEGER)",
}
SCHEMA = tuple(Column(n, t) for n, t in TYPES.items())
NAN, INF = math.nan, math.inf
WRITER = duckdb.connect()


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    session = DuckdbSession(EngineSettings(threads=2), tmp_path_factory.mktemp("spill"))
    yield session
    session.close()


def stored(folder: Path, rows, types=TYPES) -> str:
    """Rows of Python values as a Parquet file."""
    path = str(folder / f"{uuid.uuid4().hex}.parquet")
    WRITER.execute(f"CREATE OR REPLACE TEMP TABLE t ({', '.join(f'{n} {t}' for n, t in types.items())})")
    if rows:
        values = ", ".join(f"({', '.join(f'CAST(? AS {t})' for t in types.values())})" for _ in rows)
        WRITER.execute(f"INSERT INTO t VALUES {values}", [v for r in rows for v in r])
    WRITER.execute(f"COPY t TO '{path}' (FORMAT parquet)")
    return path


def side(name: str, paths, schema=SCHEMA, rows=None) -> Side:
    return Side(name, Input(tuple(schema), tuple(paths)), rows=rows)


# -- the model


def same(one, other) -> bool:
    """As SQL's IS NOT DISTINCT FROM, with maps in any order."""
    if isinstance(one, float) and isinstance(other, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return one == other


def canonical(value):
    """Equal values, by SQL, become equal and hashable."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else 0.0 if value == 0 else value
    if isinstance(value, dict):
        return tuple(sorted((k, canonical(v)) for k, v in value.items()))
    return tuple(canonical(v) for v in value) if isinstance(value, list) else value


def naive(left, right, key: int):
    """Added, removed, changed, and the changes by column; the key is the first `key` columns."""
    by_key = [{}, {}]
    for rows, found in zip((left, right), by_key, strict=True):
        for row in rows:
            found.setdefault(tuple(canonical(v) for v in row[:key]), []).append(row)
    added = removed = changed = 0
    columns = Counter()
    for k in by_key[0].keys() | by_key[1].keys():
        olds, news = by_key[0].get(k, []), by_key[1].get(k, [])
        if key and len(olds) == len(news) == 1:
            differing = [i for i, (a, b) in enumerate(zip(olds[0], news[0], strict=True)) if i >= key and not same(a, b)]
            changed += bool(differing)
            columns.update(list(TYPES)[i] for i in differing)
        else:
            o, n = (Counter(tuple(canonical(v) for v in r) for r in rows) for rows in (olds, news))
            removed += (o - n).total()
            added += (n - o).total()
    return added, removed, changed, dict(columns)


floats = st.sampled_from([None, 0.0, -0.0, 1.5, 1.5000000000001, NAN, INF, -INF])
row = st.tuples(
    st.sampled_from([None, 1, 2, 3, 4, 5]),
    st.sampled_from([None, "", "a", "b'c"]),
    floats,
    st.sampled_from([None, Decimal("0.10"), Decimal("-3.00")]),
    st.sampled_from([None, datetime.fromisoformat("2020-02-29T23:59:59.999999"), datetime.fromisoformat("0001-01-01")]),
    st.sampled_from([None, date(2020, 2, 29), date(9999, 12, 31)]),
    st.sampled_from([None, [], ["a"], ["a", None]]),
    st.one_of(st.none(), st.fixed_dictionaries({"x": floats, "y": st.sampled_from([None, 1])})),
    st.sampled_from([None, {}, {"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": None}]),
)
table = st.lists(row, max_size=8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("files")


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(only_left=table, only_right=table, both=st.lists(table, max_size=2), key=st.sampled_from([0, 1, 2]))
def test_counts_are_those_of_a_naive_model(session, folder, only_left, only_right, both, key):
    shared = [stored(folder, rows) for rows in both]
    kept = [r for rows in both for r in rows]
    left, right = only_left + kept, only_right + kept
    sides = (side("l", [stored(folder, only_left), *shared]), side("r", [*shared, stored(folder, only_right)]))
    found = DuckdbComparer(session).compare(*sides, Asked(key=tuple(TYPES)[:key], limit=3))
    added, removed, changed, columns = naive(left, right, key)
    assert (found.left_rows, found.right_rows) == (len(left), len(right))
    assert (found.added, found.removed, found.changed) == (added, removed, changed)
    assert {c.name: c.rows for c in found.columns} == columns
    assert found.right_rows == found.added + found.changed + found.unchanged
    assert found.equal == (not (added or removed or changed))
    assert sum(r.times for r in found.samples.added) == added or len(found.samples.added) == 3
    assert sum(r.times for r in found.samples.removed) == removed or len(found.samples.removed) == 3
    assert len(found.samples.changed) == min(changed, 3)
    for sample in found.samples.changed:
        assert sample.columns, "a row that changed says where"
        assert all(repr(sample.left[i]) != repr(sample.right[i]) for i in sample.columns)
        assert sample.left[:key] == sample.right[:key]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=table, again=table, key=st.sampled_from([0, 1, 2]))
@pytest.mark.slow
def test_leaving_out_shared_files_changes_nothing(session, folder, rows, again, key):
    shared, copy, new = stored(folder, rows), stored(folder, rows), stored(folder, again)
    asked = Asked(key=tuple(TYPES)[:key], limit=3)
    one = DuckdbComparer(session).compare(side("l", [shared]), side("r", [shared, new]), asked)
    other = DuckdbComparer(session).compare(side("l", [shared]), side("r", [copy, new]), asked)
    assert (one.shared, other.shared) == (len(rows), 0)
    seen = [repr([f.added, f.removed, f.changed, f.columns, f.samples]).replace("-0.0", "0.0") for f in (one, other)]
    assert seen[0] == seen[1]


# -- one by one

SMALL = {"id": "INTEGER", "name": "VARCHAR", "score": "DOUBLE"}
BY_ID = Asked(key=("id",))


@pytest.fixture
def compare(session, folder):
    def compare(left, right, asked=BY_ID, types=SMALL, right_types=None):
        new = right_types or types
        sides = (
            side("l", [stored(folder, left, types)], [Column(*c) for c in types.items()]),
            side("r", [stored(folder, right, new)], [Column(*c) for c in new.items()]),
        )
        return DuckdbComparer(session).compare(*sides, asked)

    return compare


def counts(found):
    return found.added, found.removed, found.changed, found.unchanged


def test_a_change_is_told_cell_by_cell(compare):
    found = compare([(1, "a", 1.0), (2, "b", 2.0), (3, "c", None)], [(1, "a", 1.5), (2, "b", 2.0), (4, "d", 0.0)])
    assert counts(found) == (1, 1, 1, 1)
    [change] = found.columns
    assert (change.name, change.rows, change.left.mean, change.right.mean, change.left.nulls, change.right.nulls) == (
        "score",
        1,
        1.5,
        3.5 / 3,
        1,
        0,
    )
    assert (change.left.least, change.left.most, change.right.least, change.right.most) == (1.0, 2.0, 0.0, 2.0)
    [row] = found.samples.changed
    assert (row.left, row.right, row.columns) == ((1, "a", 1.0), (1, "a", 1.5), (2,))
    assert [r.values for r in found.samples.added] == [(4, "d", 0.0)]
    assert [r.values for r in found.samples.removed] == [(3, "c", None)]


def test_keys_that_are_null_pair_with_each_other(compare):
    assert counts(compare([(None, "a", 1.0)], [(None, "b", 1.0)])) == (0, 0, 1, 0)


def test_a_key_that_stands_twice_is_a_finding_and_its_rows_are_held_against_each_other_whole(compare):
    found = compare([(1, "a", 1.0), (1, "b", 1.0), (2, "c", 1.0)], [(1, "a", 1.0), (1, "x", 1.0), (2, "y", 1.0)])
    assert counts(found) == (1, 1, 1, 1)
    assert (found.left_duplicates.keys, found.left_duplicates.rows) == (1, 2)
    assert [f.code for f in found.findings] == ["XDE0924", "XDE0924"]


def test_a_million_rows_of_one_key_do_not_multiply(session, folder):
    paths = []
    for name, text in (("one", "'a'"), ("two", "CASE WHEN i = 7 THEN 'b' ELSE 'a' END")):
        paths.append(str(folder / f"{name}.parquet"))
        duckdb.connect().sql(f"COPY (SELECT NULL::INTEGER AS id, {text} AS name FROM range(300000) t(i)) TO '{paths[-1]}' (FORMAT parquet)")
    schema = [Column("id", "INTEGER"), Column("name", "VARCHAR")]
    found = DuckdbComparer(session).compare(side("l", paths[:1], schema), side("r", paths[1:], schema), BY_ID)
    assert counts(found) == (1, 1, 0, 299_999)


def test_a_row_that_moved_to_another_file_has_not_changed(session, folder):
    parts = [stored(folder, rows, SMALL) for rows in ([(1, "a", 1.0)], [(2, "b", 2.0), (3, "c", 3.0)], [(3, "c", 3.0)], [(2, "B", 2.0)])]
    schema = [Column(*c) for c in SMALL.items()]
    found = DuckdbComparer(session).compare(side("l", parts[:2], schema), side("r", [parts[0], *parts[2:]], schema), BY_ID)
    assert counts(found) == (0, 0, 1, 2)
    assert found.shared == 1


def test_tables_of_the_same_files_are_equal_and_are_not_read(session, folder):
    path = stored(folder, [(1, "a", 1.0)], SMALL)
    schema = [Column(*c) for c in SMALL.items()]
    sides = side("l", [path], schema, rows=1), side("r", [path], schema, rows=1)
    found = DuckdbComparer(session).compare(*sides, BY_ID)
    assert found.equal
    assert counts(found) == (0, 0, 0, 1)


def test_tolerance(compare):
    left, right = (
        [(1, "a", 1.0), (2, "b", 1e300), (3, "c", INF), (4, "d", NAN)],
        [(1, "a", 1.0 + 1e-12), (2, "b", 1e300 * (1 + 1e-12)), (3, "c", 1.0), (4, "d", 1.0)],
    )
    exact = compare(left, right)
    assert (exact.changed, exact.columns[0].near) == (4, 2)
    assert compare(left, right, Asked(key=("id",), tolerance=1e-9)).changed == 2
    assert compare([(1, "a", None)], [(1, "a", 0.0)], Asked(key=("id",), tolerance=1e-9)).changed == 1


def test_columns_ignored_and_chosen(compare):
    left, right = [(1, "a", 1.0)], [(1, "b", 2.0)]
    assert [c.name for c in compare(left, right, Asked(key=("id",), ignore=("NAME",))).columns] == ["score"]
    assert [c.name for c in compare(left, right, Asked(key=("id",), columns=("name",))).columns] == ["name"]
    with pytest.raises(UserError) as told:
        compare(left, right, Asked(key=("id",), ignore=("nam",)))
    assert [(f.code, f.hint) for f in told.value.findings] == [("XDE0922", "did you mean `name`?")]
    with pytest.raises(UserError) as told:
        compare(left, right, Asked(key=("idd",)))
    assert [f.code for f in told.value.findings] == ["XDE0922", "XDE0922"]


def test_a_condition_holds_for_both_sides(compare):
    left, right = [(1, "a", 1.0), (2, "b", 2.0)], [(1, "x", 1.0), (2, "y", 2.0)]
    found = compare(left, right, Asked(key=("id",), where="id > 1 -- the second"))
    assert (found.left_rows, counts(found)) == (1, (0, 0, 1, 0))
    with pytest.raises(UserError) as told:
        compare(left, right, Asked(key=("id",), where="di > 1"))
    assert told.value.findings[0].code == "XDE0926"


def test_columns_that_came_went_and_changed_their_type(compare):
    new = {"ID": "BIGINT", "name": "VARCHAR", "score": "DECIMAL(5,2)", "more": "BOOLEAN"}
    found = compare(
        [(1, "a", 1.5, 7), (2, "b", 0.1, 7)],
        [(1, "a", Decimal("1.50"), True), (2, "b", Decimal("0.11"), True)],
        types={**SMALL, "old": "INTEGER"},
        right_types=new,
    )
    assert counts(found) == (0, 0, 1, 1)
    assert ([c.name for c in found.layout.added], [c.name for c in found.layout.dropped]) == (["more"], ["old"])
    assert [(c.name, c.left, c.right, c.compared) for c in found.layout.retyped] == [
        ("ID", "INTEGER", "BIGINT", "BIGINT"),
        ("score", "DOUBLE", "DECIMAL(5,2)", "DOUBLE"),
    ]
    assert not found.equal


@pytest.mark.parametrize(
    ("left", "right", "one", "other", "compared", "differs"),
    [
        ("INTEGER", "VARCHAR", 1, "1", "VARCHAR", False),
        ("INTEGER", "VARCHAR", 1, "01", "VARCHAR", True),
        ("DATE", "TIMESTAMP", date(2020, 1, 1), datetime.fromisoformat("2020-01-01"), "TIMESTAMP", False),
        ("BIGINT", "UBIGINT", -1, 1, "HUGEINT", True),
        ("UINTEGER", "INTEGER", 4_000_000_000, 1, "BIGINT", True),
        ("DECIMAL(38,0)", "DECIMAL(4,2)", Decimal(2), Decimal("2.00"), "DOUBLE", False),
        ("DECIMAL(10,2)", "DECIMAL(12,4)", Decimal("1.10"), Decimal("1.1001"), "DECIMAL(12,4)", True),
        ("FLOAT", "BIGINT", 16777216.0, 16777217, "DOUBLE", True),
        ("INTEGER[]", "BIGINT[]", [1, None], [1, None], "BIGINT[]", False),
        ("STRUCT(a INTEGER)", "STRUCT(a INTEGER, b INTEGER)", {"a": 1}, {"a": 1, "b": None}, "STRUCT(a INTEGER, b INTEGER)", False),
        ("BLOB", "VARCHAR", b"a", "a", "VARCHAR", False),
        ("MAP(VARCHAR, INTEGER)", "MAP(VARCHAR, BIGINT)", {"a": 1, "b": 2}, {"b": 2, "a": 1}, "MAP(VARCHAR, BIGINT)", False),
    ],
)
def test_values_of_two_types_are_compared_in_one_that_holds_both(compare, left, right, one, other, compared, differs):
    found = compare([(1, one)], [(1, other)], types={"id": "INTEGER", "v": left}, right_types={"id": "INTEGER", "v": right})
    assert found.layout.columns[0].compared == compared
    assert found.changed == differs


def test_personal_values_are_compared_and_never_shown(compare):
    asked = Asked(key=("id",), personal=frozenset({"Name", "score"}))
    found = compare([(1, "ada", 7036.25), (2, None, 1.0), (3, "eve", 1.0)], [(1, "bob", 7036.5), (2, "cyd", 1.0), (4, "dan", 1.0)], asked)
    assert {c.name: c.rows for c in found.columns} == {"name": 2, "score": 1}
    assert [c.left for c in found.columns] == [None, None]
    assert found.samples.changed[0].left == (1, "***", "***")
    assert found.samples.changed[1].left == (2, None, "***")
    assert not any(secret in repr(found) for secret in ("'ada'", "'bob'", "'cyd'", "'dan'", "'eve'", "7036."))


def test_samples_show_each_way_of_changing(compare):
    left = [(i, "a", 1.0) for i in range(50)]
    right = [(i, "b" if i == 49 else "a", 2.0 if i < 40 else 1.0) for i in range(50)]
    found = compare(left, right, Asked(key=("id",), limit=3))
    assert [r.left[0] for r in found.samples.changed] == [0, 1, 49]
    assert compare(left, right, Asked(key=("id",), limit=0)).samples.changed == ()


def test_more_than_sixty_columns(compare):
    types = {"id": "INTEGER", **{f"c{i}": "DOUBLE" if i % 2 else "INTEGER" for i in range(130)}}
    new = [1, *range(130)]
    new[64], new[130] = 99, 77.0
    found = compare([(1, *range(130))], [new], types=types)
    assert [c.name for c in found.columns] == ["c63", "c129"]
    assert found.samples.changed[0].columns == (64, 130)


def test_dates_that_python_does_not_know(compare):
    types = {"id": "INTEGER", "day": "DATE", "seen": "TIMESTAMP WITH TIME ZONE"}
    found = compare([(1, "infinity", "2020-01-01 00:00:00+00")], [(1, "20000-01-01", None)], types=types)
    assert found.samples.changed[0].left[1:] == ("infinity", "2020-01-01 00:00:00+00")
    assert found.samples.changed[0].right[1:] == ("20000-01-01", None)


def test_a_column_that_came_later_is_null_in_the_files_before(session, folder):
    old, new = stored(folder, [(1, "a")], {"id": "INTEGER", "name": "VARCHAR"}), stored(folder, [(2, "b", 1.0)], SMALL)
    other = stored(folder, [(1, "a", None)], SMALL)
    schema = [Column(*c) for c in SMALL.items()]
    found = DuckdbComparer(session).compare(side("l", [old, new], schema), side("r", [other, new], schema), BY_ID)
    assert counts(found) == (0, 0, 0, 2)


def test_no_rows_on_either_side(session, folder):
    schema = [Column(*c) for c in SMALL.items()]
    path = stored(folder, [(1, "a", 1.0)], SMALL)
    assert counts(DuckdbComparer(session).compare(side("l", [], schema), side("r", [path], schema), BY_ID)) == (1, 0, 0, 0)
    assert DuckdbComparer(session).compare(side("l", [], schema), side("r", [], schema), Asked()).equal


def test_views_with_parameters_over_different_inputs(session, folder):
    paths = [stored(folder, rows, SMALL) for rows in ([(1, "a", 1.0)], [(1, "a", 2.0), (2, "b", 0.5)])]
    query = Query(
        "SELECT id, score FROM s.mid", {}, {"s.mid": "SELECT * FROM s.t WHERE score >= $least"}, {"s.mid": ("least",)}, {"least": 1}
    )
    schema = tuple(Column(*c) for c in SMALL.items())
    left, right = (Side(n, view=query, inputs={"s.t": Input(schema, (p,))}) for n, p in zip("lr", paths, strict=True))
    found = DuckdbComparer(session).compare(left, right, BY_ID)
    assert counts(found) == (0, 0, 1, 0)
    assert counts(DuckdbComparer(session).compare(left, right, Asked(key=("id",), where="score > 1.5"))) == (1, 0, 0, 0)


def test_files_of_the_users_own(session, folder):
    parquet = stored(folder, [(1, "a", 1.0), (2, "b", None)], SMALL)
    csv, ndjson = folder / "b.csv", folder / "c.ndjson"
    csv.write_text("id,name,score\n1,a,1.0\n2,b,\n")
    ndjson.write_text('{"id": 1, "name": "a", "score": 1.0}\n{"id": 2, "name": "c", "score": null}\n')
    comparer = DuckdbComparer(session)
    assert counts(comparer.compare(Side("a", file=parquet), Side("b", file=str(csv)), BY_ID)) == (0, 0, 0, 2)
    assert counts(comparer.compare(Side("b", file=str(csv)), Side("c", file=str(ndjson)), BY_ID)) == (0, 0, 1, 1)
    with pytest.raises(UserError) as told:
        comparer.compare(Side("a", file=parquet), Side("no", file=str(folder / "no.csv")), BY_ID)
    assert told.value.findings[0].code == "XDE0925"


def test_nothing_in_common(compare):
    with pytest.raises(UserError) as told:
        compare([(1,)], [("a",)], Asked(), types={"a": "INTEGER"}, right_types={"b": "VARCHAR"})
    assert told.value.findings[0].code == "XDE0923"
