"""What must hold of the flows for dimensions on any rows: nothing lost, nothing doubled, and the way back."""

import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from flow_bench import asked, groups, keys, nulls_last, put, rows, some, sort, table, values


@some
@given(rows)
def test_normalise_gives_each_key_once_and_loses_no_row(data):
    con = table(data)
    call = "normalise(s.t, key := k, columns := v, name := n"
    members = asked(con, f"SELECT k, v, n FROM {call})")
    least = {k: min((r[2] for r in of), key=nulls_last) for k, of in groups(data).items()}
    assert sort([(k, v) for k, v, _ in members]) == sort(list(least.items()))
    assert len({n for *_, n in members}) == len(members)
    keys_of_rows = asked(con, f"SELECT n, t FROM {call}, part := rows)")
    number = {k: n for k, _, n in members}
    assert sort(keys_of_rows) == sort([(number[k], t) for k, t, _ in data])


@some
@given(rows)
def test_denormalise_takes_back_what_normalise_did(data):
    con = table(data)
    both = "denormalise(normalise({}, part := rows), normalise({}), key := n)".replace("{}", "s.t, key := (k, v), columns := v, name := n")
    assert sort(asked(con, f"SELECT k, t, v FROM {both}")) == sort(data)


@some
@given(rows, st.lists(st.tuples(keys, values), max_size=6))
def test_denormalise_never_doubles_a_row(data, dimension):
    con = table(data)
    put(con, "s.d", "k VARCHAR, x INTEGER", dimension)
    first = {}
    for k, x in sorted(((r[0], r[1]) for r in dimension if r[0] is not None), key=lambda r: nulls_last(r[1])):
        first.setdefault(k, x)
    found = asked(con, "SELECT t, v, x FROM denormalise(s.t, s.d, key := k)")
    assert sort(found) == sort([(t, v, first.get(k)) for k, t, v in data])


@some
@given(st.lists(st.tuples(st.one_of(st.none(), st.integers(-2, 3)), values), max_size=6))
def test_the_unknown_is_there_once_and_nothing_else_is_new(data):
    con = table(data, "k INTEGER, v INTEGER")
    once = asked(con, "SELECT k, v FROM unknown_member(s.t, key := k)")
    assert sort(once) == sort(data if any(k == -1 for k, _ in data) else [*data, (-1, None)])
    twice = asked(con, "SELECT k, v FROM unknown_member(unknown_member(s.t, key := k), key := k)")
    assert sort(twice) == sort(once)
