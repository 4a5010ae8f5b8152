"""What must hold of each flow on any rows, against models of a few lines in plain Python."""

import datetime as dt
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from flow_bench import (
    CON,
    START,
    asked,
    groups,
    keys,
    known_moments,
    moments,
    nulls_first,
    nulls_last,
    put,
    rows,
    some,
    sort,
    table,
    values,
)


@some
@given(rows)
def test_dedupe_keeps_one_newest_row_of_every_key(data):
    con = table(data)
    found = asked(con, "SELECT * FROM dedupe(s.t, key := k, newest := t)")
    assert sorted(map(str, (r[0] for r in found))) == sorted(map(str, groups(data)))
    for k, t, v in found:
        assert (k, t, v) in data
        assert nulls_first(t) == max(nulls_first(r[1]) for r in groups(data)[k])


@some
@given(rows, st.randoms())
def test_dedupe_is_idempotent_and_asks_nothing_of_the_order(data, chance):
    found = sort(asked(table(data), "SELECT * FROM dedupe(s.t, key := k, newest := t)"))
    assert found == sort(asked(table(data), "SELECT * FROM dedupe(dedupe(s.t, key := k, newest := t), key := k, newest := t)"))
    mixed = list(data)
    chance.shuffle(mixed)
    assert found == sort(asked(table(mixed), "SELECT * FROM dedupe(s.t, key := k, newest := t)"))


@some
@given(rows)
def test_oldest_is_newest_the_other_way_round(data):
    found = asked(table(data), "SELECT * FROM dedupe(s.t, key := k, oldest := t)")
    for k, t, _ in found:
        assert nulls_last(t) == min(nulls_last(r[1]) for r in groups(data)[k])


@some
@given(rows, st.integers(0, 40))
def test_latest_is_the_state_at_a_moment(data, minute):
    until = START + dt.timedelta(minutes=minute)
    found = asked(table(data), f"SELECT * FROM latest(s.t, key := k, at := t, until := TIMESTAMP '{until}', deleted := v = 0)")
    expected = set()
    for its in groups(data).values():
        seen = [r for r in its if r[1] is not None and r[1] <= until]
        if seen:
            newest = [r for r in seen if r[1] == max(x[1] for x in seen)]
            first = min(newest, key=lambda r: tuple(nulls_last(c) for c in r))
            if first[2] != 0:
                expected.add(first)
    assert set(found) == expected
    assert len(found) == len(expected)


@some
@given(rows)
def test_sessions_are_runs_without_a_long_pause(data):
    found = asked(table(data), "SELECT * FROM sessionize(s.t, key := k, at := t, gap := INTERVAL 5 MINUTES)")
    assert sort([r[:3] for r in found]) == sort(data)
    for k, its in groups(found).items():
        timed = sorted([r for r in its if r[1] is not None], key=lambda r: r[1])
        number, before = 0, None
        for row in timed:
            if before is None or row[1] - before > dt.timedelta(minutes=5):
                number += 1
            before = row[1]
            assert row[3] == number, (k, row)
        for row in timed:
            same = [r[1] for r in timed if r[3] == row[3]]
            assert row[4:] == (min(same), max(same))
        assert all(r[3:] == (None, None, None) for r in its if r[1] is None)


@some
@given(rows)
def test_history_covers_time_without_gap_or_overlap(data):
    found = asked(
        table(data), "SELECT k, v, valid_from, valid_to, is_current FROM history(s.t, key := k, at := t, deleted := v = 0, track := v)"
    )
    for k, its in groups(data).items():
        periods = sorted([r for r in found if r[0] == k], key=lambda r: r[2])
        assert all(a[3] is not None and a[3] <= b[2] for a, b in pairwise(periods))
        assert sum(r[4] for r in periods) <= 1
        assert all(r[4] == (r[3] is None) for r in periods)
        for minute in range(-1, 42):
            now = START + dt.timedelta(minutes=minute)
            seen = [r for r in its if r[1] is not None and r[1] <= now]
            state = None
            if seen:
                last = max(r[1] for r in seen)
                state = min((r for r in seen if r[1] == last), key=lambda r: tuple(nulls_last(c) for c in r))
            holding = [r for r in periods if r[2] <= now and (r[3] is None or now < r[3])]
            expected = [] if state is None or state[2] == 0 else [state[2]]
            assert [r[1] for r in holding] == expected, (k, now)
        assert all(a[3] < b[2] or a[1] != b[1] for a, b in pairwise(periods)), "a change that changes nothing"


@some
@given(
    st.lists(st.tuples(keys, known_moments, values), max_size=12, unique_by=lambda r: r[:2]), st.sampled_from([None, 1, 2]), st.booleans()
)
def test_fill_carries_the_last_value_and_changes_none(data, most, backward):
    limit = f", most := {most}" if most else ""
    way = "backward" if backward else "forward"
    found = asked(table(data), f"SELECT * FROM fill(s.t, columns := v, key := k, by := t, direction := {way}{limit})")
    expected = []
    for its in groups(data).values():
        ordered = sorted(its, key=lambda r: r[1], reverse=backward)
        for i, (k, t, v) in enumerate(ordered):
            before = [r[2] for r in ordered[max(0, i - most) if most else 0 : i + 1] if r[2] is not None]
            expected.append((k, t, before[-1] if before else v))
    assert sort(found) == sort(expected)


@some
@given(rows)
def test_fill_treats_rows_of_one_moment_alike(data):
    found = asked(table(data), "SELECT * FROM fill(s.t, columns := v, key := k, by := t)")
    filled = defaultdict(set)
    for k, t, v in found:
        filled[(k, t)].add(v)
    for (k, t), seen in filled.items():
        there = {r[2] for r in data if (r[0], r[1]) == (k, t)} - {None}
        assert seen >= there
        assert len(seen - there) <= 1


@some
@given(st.integers(0, 800), st.integers(0, 800), st.sampled_from(["hour", "day", "week", "month", "quarter", "year"]))
def test_a_spine_is_complete(begin, length, grain):
    start, stop = dt.date(2023, 11, 5) + dt.timedelta(days=begin), dt.date(2023, 11, 5) + dt.timedelta(days=begin + min(length, 90))
    found = [r[0] for r in asked(CON, f"SELECT * FROM spine(start := DATE '{start}', stop := DATE '{stop}', grain := {grain}) ORDER BY 1")]
    wanted = set()
    day = start
    while day < stop:
        match grain:
            case "hour":
                wanted |= {dt.datetime.combine(day, dt.time(h)) for h in range(24)}
            case "day":
                wanted.add(day)
            case "week":
                wanted.add(day - dt.timedelta(days=day.weekday()))
            case "month":
                wanted.add(day.replace(day=1))
            case "quarter":
                wanted.add(day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1))
            case "year":
                wanted.add(day.replace(month=1, day=1))
        day += dt.timedelta(days=1)
    assert found == sorted(wanted)


prices = st.lists(st.tuples(keys, moments, values), max_size=8)


@some
@given(rows, prices, st.sampled_from([None, 5]))
def test_as_of_finds_the_newest_that_is_not_later(data, other, within):
    con = table(data)
    put(con, "s.o", "k VARCHAR, since TIMESTAMP, price INTEGER", other)
    old = f", within := INTERVAL {within} MINUTES" if within else ""
    found = asked(con, f"SELECT * FROM as_of(s.t, s.o, key := k, at := t, other_at := since, columns := (price, since){old})")
    expected = []
    for k, t, v in data:
        earlier = [] if k is None or t is None else [o for o in other if o[0] == k and o[1] is not None and o[1] <= t]
        last = max((o[1] for o in earlier), default=None)
        best = min(((nulls_last(o[2]), o) for o in earlier if o[1] == last), default=(None, None), key=lambda p: p[0])[1]
        if best is None or (within and t - best[1] > dt.timedelta(minutes=within)):
            expected.append((k, t, v, None, None))
        else:
            expected.append((k, t, v, best[2], best[1]))
    assert sort(found) == sort(expected)


@some
@given(rows, st.lists(st.tuples(keys, values), max_size=6))
def test_a_lookup_never_doubles_a_row(data, reference):
    con = table(data)
    put(con, "s.r", "code VARCHAR, x INTEGER", reference)
    first = {}
    for k, x in sorted(((r[0], r[1]) for r in reference if r[0] is not None), key=lambda r: nulls_last(r[1])):
        first.setdefault(k, x)
    call = "lookup(s.t, s.r, key := k, reference_key := code, columns := x"
    assert sort(asked(con, f"SELECT * FROM {call})")) == sort([(*r, first.get(r[0])) for r in data])
    assert sort(asked(con, f"SELECT * FROM {call}, missing := drop)")) == sort([(*r, first[r[0]]) for r in data if r[0] in first])
    known = [(*r, first.get(r[0], -1)) for r in data]
    assert sort(asked(con, f"SELECT * FROM {call}, missing := unknown, unknown := -1)")) == sort(known)


@some
@given(rows, st.lists(st.tuples(keys, values), max_size=6))
def test_validate_parts_the_rows(data, reference):
    con = table(data)
    put(con, "s.r", "k VARCHAR, v INTEGER", reference)
    call = "validate(s.t, against := s.r, key := (k, v), rule := fits"
    failing = [r for r in data if r[0] is not None and r[2] is not None and (r[0], r[2]) not in reference]
    passing = list(data)
    for row in failing:
        passing.remove(row)
    assert sort(asked(con, f"SELECT * FROM {call}, keep := failing)")) == sort(failing)
    assert sort(asked(con, f"SELECT * FROM {call}, keep := passing)")) == sort(passing)
    told = [(*r, "fits" if r in failing else None) for r in data]
    assert sort(asked(con, f"SELECT * FROM {call})")) == sort(told)
    strict = [r for r in data if (r[0], r[2]) not in [x for x in reference if None not in x]]
    assert sort(asked(con, f"SELECT * FROM {call}, keep := failing, nulls := fail)")) == sort(strict)


@some
@given(rows)
def test_a_condition_is_a_rule_too(data):
    con = table(data)
    failing = [r for r in data if r[2] is not None and not r[2] > 1]
    assert sort(asked(con, "SELECT * FROM validate(s.t, holds := v > 1, rule := big, keep := failing)")) == sort(failing)


@some
@given(st.lists(st.tuples(st.integers(0, 30), values, values, values), max_size=8, unique_by=lambda r: r[0]))
def test_pivot_takes_back_what_unpivot_did(data):
    con = table(data, "id INTEGER, a INTEGER, b INTEGER, c INTEGER")
    call = "pivot(unpivot(s.t, columns := (a, b, c), nulls := keep), by := id, spread := name, into := ['a', 'b', 'c'], value := value)"
    assert sort(asked(con, f"SELECT * FROM {call}")) == sort(data)


@some
@given(rows)
def test_pivot_counts_each_row_once(data):
    found = asked(table(data), "SELECT * FROM pivot(s.t, by := k, spread := v, into := [0, 1, 2, 3])")
    assert {r[0]: r[1:] for r in found} == {k: tuple(sum(r[2] == v for r in its) for v in range(4)) for k, its in groups(data).items()}


@some
@given(rows, st.sampled_from(["sum", "count", "smallest", "largest"]))
def test_rolling_looks_back_and_never_beyond(data, function):
    found = asked(
        table(data),
        f"SELECT * FROM rolling(s.t, key := k, at := t, value := v, over := INTERVAL 5 MINUTES, function := {function}, name := x)",
    )
    doing = {"sum": sum, "count": len, "smallest": min, "largest": max}[function]
    expected = []
    for k, t, v in data:
        near = (
            []
            if t is None
            else [r[2] for r in groups(data)[k] if r[1] is not None and r[2] is not None and t - dt.timedelta(minutes=5) < r[1] <= t]
        )
        nothing = 0 if function == "count" and t is not None else None
        expected.append((k, t, v, doing(near) if near else nothing))
    assert sort(found) == sort(expected)


@some
@given(rows, st.sampled_from(["single", "shared", "dense"]), st.sampled_from(["largest", "smallest"]))
def test_places_count_from_the_first(data, places, first):
    found = asked(table(data), f"SELECT * FROM rank_within(s.t, key := k, by := v, places := {places}, first := {first})")
    assert sort([r[:3] for r in found]) == sort(data)
    for k, its in groups(found).items():
        known = sorted((r[2] for r in its if r[2] is not None), reverse=first == "largest") + [None] * sum(r[2] is None for r in its)
        match places:
            case "single":
                assert [r[2] for r in sorted(its, key=lambda r: r[3])] == known
                assert sorted(r[3] for r in its) == list(range(1, len(its) + 1))
            case "shared":
                assert all(r[3] == known.index(r[2]) + 1 for r in its), k
            case "dense":
                assert all(r[3] == list(dict.fromkeys(known)).index(r[2]) + 1 for r in its), k


lists = st.one_of(st.none(), st.lists(values, max_size=3))


@some
@given(st.lists(st.tuples(st.integers(0, 5), lists), max_size=6))
def test_flatten_gives_every_element_its_place(data):
    con = table(data, "id INTEGER, l INTEGER[]")
    expected = [(i, n, v) for i, of in data for n, v in enumerate(of or (), 1)]
    assert sort(asked(con, "SELECT * FROM flatten(s.t, column := l, position := n)")) == sort(expected)
    empty = [(i, None, None) for i, of in data if not of]
    assert sort(asked(con, "SELECT * FROM flatten(s.t, column := l, position := n, empty := keep)")) == sort(expected + empty)


@some
@given(rows, rows)
def test_union_all_loses_and_makes_nothing(one, other):
    con = table(one)
    put(con, "s.u", "v INTEGER, k VARCHAR, t TIMESTAMP", [(v, k, t) for k, t, v in other])
    found = asked(con, "SELECT k, t, v, src FROM union_all(s.t, (SELECT * FROM s.u), source := src, names := ['one', 'other'])")
    assert sort(found) == sort([(*r, "one") for r in one] + [(*r, "other") for r in other])


texts = st.one_of(st.none(), st.text(alphabet="1:-a", max_size=4))


@some
@given(st.lists(st.tuples(texts, texts), max_size=12))
def test_two_lists_of_values_have_one_key_only_if_they_are_the_same(data):
    found = asked(table(data, "a VARCHAR, b VARCHAR"), "SELECT * FROM surrogate_key(s.t, key := (a, b))")
    assert sort([r[:2] for r in found]) == sort(data)
    assert len({r[2] for r in found}) == len(set(data))
    assert all(len(r[2]) == 32 for r in found)


events = st.lists(st.tuples(keys, moments, st.sampled_from(["x", "y", "z"])), max_size=14)


@some
@given(events, st.sampled_from([None, 10]))
def test_a_funnel_counts_who_came_that_far(data, within):
    limit = f", within := INTERVAL {within} MINUTES" if within else ""
    con = table(data, "k VARCHAR, t TIMESTAMP, e VARCHAR")
    found = asked(
        con, f"SELECT step, event, reached FROM funnel(s.t, key := k, at := t, event := e, steps := ['x', 'y', 'z']{limit}) ORDER BY 1"
    )
    reached = [0, 0, 0]
    for k, its in groups(data).items():
        known = [r for r in its if r[1] is not None] if k is not None else []
        begun = at = min((r[1] for r in known if r[2] == "x"), default=None)
        for number, step in enumerate("xyz"):
            if number:
                late = begun + dt.timedelta(minutes=within) if begun and within else START + dt.timedelta(days=1)
                at = min((r[1] for r in known if r[2] == step and at is not None and at <= r[1] <= late), default=None)
            if at is None:
                break
            reached[number] += 1
    assert found == [(1, "x", reached[0]), (2, "y", reached[1]), (3, "z", reached[2])]


@some
@given(
    st.lists(
        st.tuples(keys, st.one_of(st.none(), st.integers(0, 200).map(lambda n: dt.date(2024, 1, 1) + dt.timedelta(days=n)))), max_size=14
    )
)
def test_a_cohort_is_counted_when_it_comes_back(data):
    found = asked(table(data, "k VARCHAR, d DATE"), "SELECT * FROM cohort(s.t, key := k, at := d)")
    seen = {(k, d.replace(day=1)) for k, d in data if k is not None and d is not None}
    begun = {k: min(m for x, m in seen if x == k) for k, _ in seen}
    counted = defaultdict(int)
    for k, month in seen:
        counted[(begun[k], (month.year - begun[k].year) * 12 + month.month - begun[k].month)] += 1
    sizes = {c: n for (c, period), n in counted.items() if period == 0}
    assert sort(found) == sort([(c, p, n, sizes[c], n / sizes[c]) for (c, p), n in counted.items()])
