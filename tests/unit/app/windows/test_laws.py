"""Clicks in any order, in any deliveries, as late as can be: every model of windows holds what a plain list of its rules says."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from projects.clicks import CALLS, POLICIES, Stream, place, project, rows


@st.composite
def arriving(draw):
    """Loads of clicks (the first is never empty), and after which of them models are built."""
    minutes = draw(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 70)), min_size=3, max_size=40))
    clicks = [(n, v, t) for n, (v, t) in enumerate(minutes)]
    late = draw(st.lists(st.integers(0, 25), min_size=len(clicks), max_size=len(clicks)))
    ordered = [c for _, c in sorted(zip(late, clicks, strict=True), key=lambda p: (p[0] + p[1][2], p[1]))]
    cuts = sorted(draw(st.sets(st.integers(1, len(ordered) - 1), max_size=5)))
    loads = [ordered[a:b] for a, b in zip([0, *cuts], [*cuts, len(ordered)], strict=True)]
    builds = draw(st.lists(st.booleans(), min_size=len(loads), max_size=len(loads)))
    return loads, [True, *builds[1:-1], True] if len(loads) > 1 else [True]


def holds(loads, builds, root, *models):
    web = project(root, *models)
    streams = {f"marts.{k}_{p}": Stream(k, on_close="on_close" in w) for k in CALLS for p, w in POLICIES.items()}
    streams = {n: s for n, s in streams.items() if not models or n in models}
    for load, build in zip(loads, builds, strict=True):
        web.deliver(load)
        web.run(*(() if build else ("web.clicks",)))
        for stream in streams.values():
            stream.take(load)
    tables = web.tables(*streams)
    everything = [c for load in loads for c in load]
    for name, stream in streams.items():
        kind = stream.kind
        if name.endswith("_update"):
            assert tables[name] == rows(place(kind, everything)), name
            continue
        assert tables[name] == rows(stream.table), name
        said = [f["windows"] for f in web.facts(name) if "windows" in f]
        assert sum(f["read"] for f in said) == len(everything)
        assert sum(f["late"] for f in said) == len(stream.late), name
        if kind != "session" and not stream.on_close:  # every place of every row is in the table, or was late
            assert sum(r[3] for r in tables[name]) + len(stream.late) == len(place(kind, everything))
        if "separate" in POLICIES[name.split("_")[1]]:
            late = [(n, v) for (n, v, _), _, _ in stream.late]
            assert sorted((r["id"], r["visitor"]) for r, _ in web.letters(name)) == sorted(late), name
    sessions = tables["marts.session_separate"]
    assert sum(r[3] for r in sessions) + len(web.letters("marts.session_separate")) == len(everything)


@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(arriving())
@pytest.mark.slow
def test_every_model_is_what_its_rules_say(case):
    with tempfile.TemporaryDirectory() as folder:
        holds(*case, Path(folder) / "web")


QUICK = ("marts.session_update", "marts.session_separate", "marts.slide_gone")


@pytest.mark.parametrize("models", [QUICK, pytest.param((), marks=pytest.mark.slow, id="all")])
def test_one_that_has_everything(models, tmp_path):
    """Late rows, a session that a late row joins, one that it would join if it were open, loads that are read together."""
    loads = [
        [(0, "a", 0), (1, "a", 3), (2, "b", 12), (3, "c", 1)],
        [(4, "a", 21), (5, "b", 16), (6, "c", 9), (7, "a", 14)],
        [(8, "a", 8), (9, "b", 22), (10, "c", 5), (11, "a", 17), (12, "c", 40)],
        [(13, "a", 26), (14, "b", 30), (15, "c", 33), (16, "c", 37)],
    ]
    holds(loads, [True, False, True, True], tmp_path / "web", *models)
