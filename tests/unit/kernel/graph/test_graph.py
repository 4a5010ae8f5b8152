"""The graph, circles in it, words that choose from it, and the views that a model needs."""

from __future__ import annotations

import pytest

from xde.kernel.graph.graph import Graph
from xde.kernel.graph.select import select

EDGES = {
    "raw.a": (),
    "raw.b": (),
    "staging.a": ("raw.a",),
    "staging.b": ("raw.b", "raw.a"),
    "marts.both": ("staging.a", "staging.b"),
    "marts.last": ("marts.both", "raw.b"),
}
TAGS = {"staging.a": ("nightly",), "marts.last": ("nightly", "money")}


def test_inputs_come_first():
    order, circles = Graph(EDGES).order()
    assert circles == []
    assert sorted(order) == sorted(EDGES)
    assert all(order.index(parent) < order.index(name) for name, parents in EDGES.items() for parent in parents)


def test_what_is_reached():
    graph = Graph(EDGES)
    assert graph.ancestors("marts.both") == {"staging.a", "staging.b", "raw.a", "raw.b"}
    assert graph.descendants("raw.a") == {"staging.a", "staging.b", "marts.both", "marts.last"}
    assert set(Graph({"a": ("b",)}).nodes) == {"a", "b"}


@pytest.mark.parametrize(
    ("edges", "circle"),
    [
        ({"a": ("a",)}, ["a", "a"]),
        ({"a": ("b",), "b": ("a",)}, ["a", "b", "a"]),
        ({"a": ("b",), "b": ("c",), "c": ("d", "b"), "d": ()}, ["b", "c", "b"]),
    ],
)
def test_a_circle_is_shown_as_a_path(edges, circle):
    assert Graph(edges).order()[1] == [circle]


def test_all_circles_are_shown_and_the_rest_is_ordered():
    order, circles = Graph({"a": ("a",), "b": ("c",), "c": ("b",), "d": ("e",), "e": ()}).order()
    assert circles == [["a", "a"], ["b", "c", "b"]]
    assert order.index("e") < order.index("d")


def test_a_long_chain_is_no_deep_recursion():
    edges = {f"m.{i:05}": ((f"m.{i - 1:05}",) if i else ()) for i in range(20_000)}
    assert Graph(edges).order()[0] == sorted(edges)


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        (["marts.both"], {"marts.both"}),
        (["+staging.b"], {"staging.b", "raw.a", "raw.b"}),
        (["staging.a+"], {"staging.a", "marts.both", "marts.last"}),
        (["+marts.both+"], {"marts.both", "marts.last", "staging.a", "staging.b", "raw.a", "raw.b"}),
        (["tag:nightly"], {"staging.a", "marts.last"}),
        (["tag:money", "raw.*"], {"marts.last", "raw.a", "raw.b"}),
        (["*.a"], {"raw.a", "staging.a"}),
        (["Staging.?"], {"staging.a", "staging.b"}),
        (["+tag:m*"], set(EDGES)),
    ],
)
def test_words_choose_datasets(words, chosen):
    found, findings = select(Graph(EDGES), words, TAGS)
    assert not findings.items
    assert found == chosen


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("marts.bth", "did you mean `marts.both`?"),
        ("+stagin.a", "did you mean `staging.a`?"),
        ("tag:nightli", "did you mean `tag:nightly`?"),
        ("tag:zzz", "the tags are `tag:money`, `tag:nightly`"),
        ("staging", "for all of a schema write `staging.*`"),
        ("last", "did you mean `marts.last`?"),
        ("qqqqqqq", "see the datasets with `xde list`"),
    ],
)
def test_a_word_that_chooses_nothing_is_a_finding(word, hint):
    found, findings = select(Graph(EDGES), [word, "raw.a"], TAGS)
    assert found == {"raw.a"}
    assert [(f.code, f.hint) for f in findings] == [("XDE0214", hint)]
