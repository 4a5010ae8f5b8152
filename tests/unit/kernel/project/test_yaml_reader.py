"""YAML by the rules of 1.2, with places."""

from __future__ import annotations

import json
import math

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from xde.kernel.project import yaml_reader
from xde.kernel.project.scalars import resolved
from xde.kernel.project.tree import Mapping, Scalar, Sequence
from xde.kernel.project.yaml_reader import read_yaml, read_yaml_text


def data(text: str) -> dict[str, object]:
    root, findings = read_yaml(text.encode(), "a.yaml")
    assert root is not None and not findings
    return root.data()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("NO", "NO"), ("yes", "yes"), ("on", "on"), ("Off", "Off"), ("y", "y"),
        ("true", True), ("True", True), ("FALSE", False), ("tRue", "tRue"),
        ("12:30", "12:30"), ("1:30:00", "1:30:00"), ("2013-01-01", "2013-01-01"), ("2013-01-01 10:00:00", "2013-01-01 10:00:00"),
        ("~", None), ("null", None), ("", None), ("Null", None), ("nil", "nil"),
        ("017", 17), ("0o17", 15), ("0x1F", 31), ("0b1", "0b1"), ("1_000", "1_000"), ("+12", 12), ("-3", -3),
        ("1.5", 1.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0), ("-1.5E-2", -0.015), (".inf", math.inf), ("-.INF", -math.inf),
        ("1.2.3", "1.2.3"), (".", "."), ("-", "-"), ("+", "+"), ("e3", "e3"), ("=", "="), ("9" * 5000, "9" * 5000),
    ],
)  # fmt: skip
def test_words_mean_what_the_core_schema_of_1_2_says(written, meant):
    value = resolved(written)
    assert value == meant and type(value) is type(meant)


def test_not_a_number():
    assert math.isnan(resolved(".nan"))


def test_quotes_make_text():
    assert data("a: 'true'\nb: \"1\"\nc: |\n  3\nd: NO\n") == {"a": "true", "b": "1", "c": "3\n", "d": "NO"}


def test_explicit_tags_of_the_core_are_read():
    assert data("a: !!str 1\nb: !!int '1'\nc: ! x\n") == {"a": "1", "b": 1, "c": "x"}


def test_places_of_keys_and_values():
    root, _ = read_yaml("a: één\nbé: {c: [1, 'two']}\nd:\n  - e: x\n    f: |\n      g\n".encode(), "a.yaml")
    assert root is not None
    assert str(root.place("a")) == "a.yaml:1:4" and root.place("a").end_column == 7
    inner = root.mapping("bé")
    assert inner is not None and (inner.span.column, inner.span.end_column) == (5, 20)
    listed = inner.items["c"]
    assert isinstance(listed, Sequence)
    assert (listed.items[1].span.column, listed.items[1].span.end_column) == (13, 18)
    item = root.mappings("d")[0]
    assert str(item.span) == "a.yaml:4:5"
    assert str(item.place_of_key("f")) == "a.yaml:5:5"
    assert (item.place("f").line, item.place("f").column, item.place("f").end_line) == (5, 8, 5)


def test_a_text_further_down_in_its_file():
    root, _ = read_yaml_text("      a: 1\n      b: x\n", "m.sql", 10)
    assert root is not None and str(root.place("b")) == "m.sql:12:10"


def test_windows_line_ends():
    root, findings = read_yaml(b"a: 1\r\nb: x\r\n", "a.yaml")
    assert root is not None and not findings and root.data() == {"a": 1, "b": "x"} and str(root.place("b")) == "a.yaml:2:4"


def test_merges_keep_what_is_said_here():
    found = data("base: &b {x: 1, y: 2}\nmore: &m {z: 3, x: 9}\nuse: {y: 5, <<: [*b, *m]}\n")
    assert found["use"] == {"y": 5, "x": 1, "z": 3}


def test_an_alias_shares_its_node():
    root, _ = read_yaml(b"a: &a [1, 2]\nb: *a\n", "a.yaml")
    assert root is not None and root.items["a"] is root.items["b"]


def test_a_bomb_is_cheap():
    text = "a0: &a0 [" + "1, " * 9 + "1]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 90))
    root, findings = read_yaml(text.encode(), "a.yaml")
    assert root is None and [f.code for f in findings] == ["XDE0106"]


def test_aliases_cannot_dig_a_hole():
    text = "a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i} {{x: *a{i - 1}}}\n" for i in range(1, 600))
    root, findings = read_yaml(text.encode(), "a.yaml")
    assert root is None and [(f.code, str(f.span)) for f in findings] == [("XDE0107", "a.yaml:100:15")]
    fine = "".join(text.splitlines(keepends=True)[:99])
    assert read_yaml(fine.encode(), "a.yaml")[1] == []


@pytest.mark.parametrize("open_it", ["[", "{a: ", "- ", "? "])
def test_depth_has_an_end(open_it):
    root, findings = read_yaml((open_it * 50_000).encode(), "a.yaml")
    assert root is None and len(findings) <= 101 and findings[-1].code in {"XDE0104", "XDE0107"}


def test_the_slow_parser_reads_the_same(monkeypatch):
    text = "a: [1, {b: 'x'}]\nc:\n- d: &e |\n    long\n  f: *e\n"
    fast = data(text)
    monkeypatch.setattr(yaml_reader, "_LOADER", yaml.BaseLoader)
    assert data(text) == fast


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_no_bytes_raise_anything(content):
    root, findings = read_yaml(content, "a.yaml")
    assert (root is None) <= bool(findings)


@given(st.text(alphabet="ab:- \n\t[]{}&*!|>'\"%@`#?,<1.", max_size=60))
@settings(max_examples=600, deadline=None)
def test_no_text_raises_anything(text):
    root, findings = read_yaml(text.encode(), "a.yaml")
    assert root is not None or findings
    for finding in findings:
        assert finding.span is not None and finding.span.line >= 1 and finding.span.column >= 1


# what a line end is differs between JSON and YAML 1.1, whose parser we use
_texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co", "Zl", "Zp"], exclude_characters="\ufeff"), max_size=8
)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from("abcd"), _values, min_size=1, max_size=4))
@settings(max_examples=100, deadline=None)
def test_json_is_read_as_it_is(document):
    text = json.dumps(document, ensure_ascii=False)
    root, findings = read_yaml(text.encode(), "a.yaml")
    assert root is not None and not findings
    assert root.data() == document


def test_kinds_of_value_in_words():
    root, _ = read_yaml(b"a: 1\nb: x\nc: true\nd:\ne: []\nf: {}\n", "a.yaml")
    assert isinstance(root, Mapping)
    assert [node.kind for node in root.items.values()] == ["a number", "text", "true or false", "empty", "a list", "a mapping"]
    assert isinstance(root.items["a"], Scalar)
