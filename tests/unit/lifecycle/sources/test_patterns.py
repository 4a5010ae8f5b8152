"""Patterns of objects mean what they mean on a disk."""

from __future__ import annotations

from contextlib import suppress
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xde.lifecycle.sources.patterns import matcher, plain_start, whole

PATHS = ["a.csv", "b.csv", "a-1.csv", "x/a.csv", "x/y/a.csv", "x/y/b.json", "a+(1).csv", "[a].csv", "ä.csv", "x/a", "a/b/c/d.csv"]
PATTERNS = [
    "*.csv",
    "a*.csv",
    "?.csv",
    "**/*.csv",
    "x/*.csv",
    "x/**/*.csv",
    "[ab].csv",
    "[!a].csv",
    "[[]a].csv",
    "[?--].csv",
    "[--b].csv",
    "[b-a].csv",
    "[!--z].csv",
    "[]-a].csv",
    "[a&&b].csv",
    "a+(1).csv",
    "x/**",
    "*/*",
    "**/a*",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_means_what_a_disk_says(pattern, tmp_path):
    for path in PATHS:
        target = tmp_path / path
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text("")
    expected = {
        p.relative_to(tmp_path).as_posix() for p in tmp_path.glob(pattern if not pattern.endswith("**") else pattern + "/*") if p.is_file()
    }
    assert {p for p in PATHS if matcher(pattern).match(p)} == expected


@pytest.mark.parametrize("pattern", ["../a.csv", "/a.csv", "x/../a.csv", ""])
def test_a_pattern_stays_in_its_folder(pattern):
    with pytest.raises(ValueError, match="out of the folder"):
        matcher(pattern)


@given(st.text("ab.[]!^-\\*?", min_size=1, max_size=8))
def test_any_text_is_a_pattern_or_is_refused(text):
    with suppress(ValueError):
        matcher(text)


def test_what_begins_plainly_is_all_that_has_to_be_listed():
    assert [plain_start(p) for p in ("a/b-*.csv", "a.csv", "*", "x[12]")] == ["a/b-", "a.csv", "", "x"]


def test_hidden_and_half_delivered_files_are_left_out():
    assert [whole(PurePosixPath(p)) for p in ("a.csv", ".a.csv", "x/.y/a.csv", "a.csv.part", "~$a.xlsx")] == [
        True,
        False,
        False,
        False,
        False,
    ]


def test_in_a_store_a_folder_may_have_an_empty_name():
    assert matcher("**/a*.csv").match("/a.csv")
    assert matcher("x/**/a*.csv").match("x//y//a.csv")
