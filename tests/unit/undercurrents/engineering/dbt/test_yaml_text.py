"""What is written as YAML is read back by our own reader as it was, whatever stands in a text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xde.kernel.project.yaml_reader import read_yaml
from xde.undercurrents.engineering.dbt.yaml_text import yaml_text

NASTY = [
    *(
        "",
        " ",
        "null",
        "~",
        "true",
        "No",
        "1",
        "1e3",
        "0x1f",
        ".5",
        "2026-01-01",
        "a: b",
        "a #b",
        "- a",
        "a:",
        "{a}",
        "[a]",
        "*a",
        "&a",
        "!a",
    ),
    *(
        "a, b",
        "it's",
        '"q"',
        "a\nb",
        "a\n b\n",
        "\na",
        "a\n\nb",
        " a\nb",
        "a \nb",
        "tab\there",
        "a\rb",
        "\\n",
        "%a",
        "@a",
        "`a`",
        "a | b",
        "> a",
    ),
    *(
        "é",
        "\x85",
        "\u2028",
        "\x7f",
        "🍵",
        "a?",
        "? a",
        "=",
        "1.0.0",
        "1.0",
        "a  ",
        "y",
        "on",
        "a\t\nb",
        "# a",
        "---",
        "...",
        "a\n---\nb",
    ),
]
_texts = st.text(  # `<<` as a key merges, whatever stands around it
    st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t\x85"), max_size=12
).filter(lambda t: t != "<<")
_plain = st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False, width=32) | _texts
_values = st.recursive(_plain, lambda v: st.lists(v, max_size=3) | st.dictionaries(_texts, v, max_size=3), max_leaves=8)


def back(data):
    root, findings = read_yaml(yaml_text(data).encode(), "a.yaml")
    assert findings == []
    return root.data()


@pytest.mark.parametrize("text", NASTY)
def test_a_text_comes_back_in_every_place(text):
    data = {"a": text, "b": [text, 1], "c": [{"d": text, "e": [text]}], text or "f": {"g": text, "h": [{"i": text}]}, "j": [[text]]}
    assert back(data) == data


def without_nothing(value):
    """Mappings leave out what is None."""
    if isinstance(value, dict):
        return {k: without_nothing(v) for k, v in value.items() if v is not None}
    return [without_nothing(v) for v in value] if isinstance(value, list) else value


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(_texts, st.lists(_values, max_size=3) | _texts | st.integers() | st.booleans(), min_size=1, max_size=4))
def test_any_data_comes_back(data):
    assert back(data) == without_nothing(data)
