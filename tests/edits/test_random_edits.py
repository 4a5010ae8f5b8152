"""Random edits, one on another, each deployed: all is as rebuilt from nothing, and nothing was built that could not have changed."""

from __future__ import annotations

import re

import duckdb
import pytest
from edits.bare import Bare, changed_columns, columns, deploy_meaning, shown, small, texts, with_column, write
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from xde.ground.errors import UserError
from xde.undercurrents.engineering.mutants.mutating import mutants_of

EDITS = 10
SEQUENCES = {"jaffle_shop": 8, "flights": 6}  # of ten edits each; the flights take twice the time
KINDS = ("fault", "fault", "fault", "column", "column", "comment", "layout", "more", "back")
PERTURBED = ("NULL", "md5(CAST({} AS VARCHAR))", "'cancelled'", "'credit_card'", "CAST(hash({}) % 7 AS VARCHAR)")


def edited(kind: str, at: int, text: str, first: str) -> str:
    """A model's SQL after an edit of some kind; `at` picks its place."""
    if kind == "fault":
        mutants = mutants_of(text)
        return mutants[at % len(mutants)].sql if mutants else text
    if kind == "column":
        written = columns(text)
        return with_column(text, written[at % len(written)], "CASE WHEN {} IS NOT NULL AND hash({}) % 3 > 0 THEN {} END")
    if kind == "comment":
        return f"-- {at}\n{text}"
    if kind == "layout":
        return re.sub(r"\n\s*", "\n  " if at % 2 else "\n        ", text)
    if kind == "more":
        return re.sub(r"(?s)^(.*)\nFROM ", rf"\1,\n    {at} AS more_{at}\nFROM ", text, count=1)
    return first


@pytest.fixture(scope="module", params=["jaffle_shop", "flights"])
def project(request, tmp_path_factory):
    root = small(request.param, tmp_path_factory.mktemp("edits") / request.param)
    bare = Bare(root)
    return root, bare, texts(root, bare.order), SEQUENCES[request.param]


def reads(bare, now, model, column, reader):
    """Whether, as far as trying tells, a dataset comes out otherwise when a column holds other values."""
    before = bare.rows(now)
    for way in PERTURBED:
        other = f"SELECT * REPLACE (TRY_CAST({way.replace('{}', column)} AS {bare.types[model][column]}) AS {column}) FROM ({now[model]})"
        if bare.rows(now | {model: other})[reader] != before[reader]:
            return True
    return False


def deployed(root):
    """What came of it, and what everything means now; None where the project or a step was refused."""
    try:
        done, meanings = deploy_meaning(root)
    except UserError as refused:
        assert refused.findings
        return None
    if done.deployment is None:
        assert done.finished.status == "failed"
        return None
    return done, meanings


@pytest.mark.slow
def test_whatever_is_edited(project):
    root, bare, first, sequences = project
    seen = {"deployed": 0, "refused": 0, "judged": 0}
    meanings = {}

    @settings(
        max_examples=sequences,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(st.lists(st.tuples(st.integers(0, 99), st.sampled_from(KINDS), st.integers(0, 999)), min_size=EDITS, max_size=EDITS))
    def sequence(edits):
        for name, sql in first.items():
            write(root, name, sql)
        now = dict(first)
        meanings.update(deploy_meaning(root)[1])
        for which, kind, at in edits:
            name = bare.order[which % len(bare.order)]
            text = edited(kind, at, now[name], first[name])
            carried_out(name, kind, now, text)

    def carried_out(name, kind, now, text):
        old, before = now[name], dict(meanings)
        try:
            wanted = bare.rows(now | {name: text})
        except duckdb.Error:
            return
        write(root, name, text)
        made = deployed(root)
        if made is None:
            write(root, name, old)
            assert shown(root) == bare.rows(now), "what is refused changes nothing"
            seen["refused"] += 1
            return
        done, after = made
        meanings.update(after)
        now[name] = text
        assert shown(root) == wanted, (name, kind, text)
        changed = {n for n, v in done.deployment.pointers.items() if before[n] != v}
        seen["deployed"] += 1
        if kind in ("comment", "layout"):
            assert not changed, (name, text)
        confined = changed_columns(old, text)
        if confined is not None:
            for reader in changed - {name}:
                seen["judged"] += 1
                states = (now, now | {name: old})  # by an edit a column may come to hold what joins with nothing
                assert any(reads(bare, s, name, c, reader) for s in states for c in confined), f"{name}.{confined} does not reach {reader}"

    sequence()
    assert seen["deployed"] >= 0.6 * EDITS * sequences, seen
    assert seen["judged"] > 0, seen
