"""Words of ours, and of other tools, at a place where they mean nothing: the hint is the line that mends it."""

from __future__ import annotations

import pytest

from xde.kernel.project.reader import read_project

HEAD = "apiVersion: v3.1.0\nkind: DataContract\nid: a\nversion: 1.0.0\n"
SOURCE = HEAD + "schema:\n  - name: t\n    properties:\n      - {name: id, logicalType: integer}\n"
S = "sources/s.yaml"


def test_a_word_of_ours_at_the_wrong_place_is_told_as_it_has_to_be_written(tmp_path):
    (tmp_path / "sources").mkdir()
    (tmp_path / "xde.yaml").write_text("name: x\n")
    words = "    xdeIncrementalCursor: {property: id, lag: 5}\n    customProperties: {xdeWriteMode: merge}\n"
    (tmp_path / S).write_text(SOURCE + words)
    hints = [f.hint for f in read_project(tmp_path)[1]]
    assert "write into `customProperties`: `{property: xdeIncrementalCursor, value: {property: id, lag: 5}}`" in hints
    assert "write `[{property: xdeWriteMode, value: merge}]`" in hints


@pytest.mark.parametrize(
    ("kind", "hint"), [("redis", "{property: xdeType, value: redis}"), ("mariadb", "type: mysql"), ("postgrs", "did you mean `postgres`")]
)
def test_a_type_that_the_standard_does_not_have_is_told_as_it_is_written(tmp_path, kind, hint):
    (tmp_path / "sources").mkdir()
    (tmp_path / "xde.yaml").write_text("name: x\n")
    (tmp_path / S).write_text(SOURCE + f"servers:\n  - {{server: a, type: {kind}, host: b}}\n")
    (finding,) = [f for f in read_project(tmp_path)[1] if f.code == "XDE0304"]
    assert hint in finding.hint
