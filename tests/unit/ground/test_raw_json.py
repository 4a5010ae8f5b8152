"""Parts of JSON documents, held against the standard library on documents made at random."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xde.ground.raw_json import elements, on_one_line, parsed, place, raw_at, steps, value_at

TEXTS = st.text(alphabet='ab"\\\u2028é\n\t{}[],: 0', max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
FORMS = st.sampled_from([{"indent": 2}, {"separators": (",", ":")}, {"ensure_ascii": False}])


@settings(max_examples=50)
@given(st.lists(VALUES, max_size=5), FORMS)
def test_elements_are_cut_as_they_are_written(found, form):
    text = json.dumps({"a": {"b c": found}}, **form)
    cut = list(elements(text, place(text, ("a", "b c"))))
    assert [value for _, value in cut] == found
    assert [json.loads(raw) for raw, _ in cut] == found
    assert all(raw in text for raw, _ in cut)
    assert [json.loads(on_one_line(raw)) for raw, _ in cut] == found


@settings(max_examples=50)
@given(st.dictionaries(TEXTS, VALUES, max_size=4), FORMS)
def test_members_are_found(found, form):
    text = json.dumps(found, **form)
    for name, value in found.items():
        raw = raw_at(text, (name,))
        assert raw is not None
        assert json.loads(raw) == value
        assert value_at(found, (name,)) == value
    assert raw_at(text, ("none of them",)) is None


def test_numbers_keep_their_digits():
    text = '{"a": 1.10, "b": [12345678901234567890, 1E400, -0.0]}'
    assert parsed(text) == {"a": "1.10", "b": [12345678901234567890, "1E400", "-0.0"]}
    assert raw_at(text, ("b",)) == "[12345678901234567890, 1E400, -0.0]"


@pytest.mark.parametrize("text", ["", "{", '{"a": 1} x', "[1,]", '{"a" 1}', "[" * 100_000])
def test_what_is_no_document(text):
    with pytest.raises((ValueError, RecursionError)):
        parsed(text)


@pytest.mark.parametrize(
    ("path", "names"), [("", ()), (".", ()), ("a", ("a",)), ("a.b", ("a", "b")), ('a."b.c".d', ("a", "b.c", "d")), ('"a"', ("a",))]
)
def test_paths(path, names):
    assert steps(path) == names
