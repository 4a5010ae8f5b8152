"""What is read back of a project is what was worked out of it, whenever it is asked for."""

from __future__ import annotations

from dataclasses import fields

import pytest

from xde.app.keeping import FORMAT, KEPT, Later, kept
from xde.app.workspace import Workspace
from xde.kernel.project.files import project_digest


@pytest.fixture
def project(tmp_path):
    (tmp_path / "models" / "a").mkdir(parents=True)
    (tmp_path / "xde.yaml").write_text("name: p\n", "utf-8")
    (tmp_path / "models" / "a" / "one.sql").write_text("SELECT 1 AS id, 'x' AS word\n", "utf-8")
    (tmp_path / "models" / "a" / "two.sql").write_text("SELECT id FROM a.one WHERE word = 'x'\n", "utf-8")
    return tmp_path


def opened(project):
    with Workspace.open(project) as workspace:
        return workspace.known


def test_what_is_read_back_is_what_was_worked_out(project):
    first, again = opened(project), opened(project)
    assert not isinstance(first.analyses, Later)
    assert isinstance(again.analyses, Later)
    for field in fields(first):
        made, back = getattr(first, field.name), getattr(again, field.name)
        assert (dict(back) if isinstance(back, Later) else back) == made, field.name
    assert again.analyses["a.two"].references.keys() == {"a.one"}
    assert "a.none" not in again.schemas


def test_after_a_change_nothing_old_is_read(project):
    opened(project)
    (project / "models" / "a" / "one.sql").write_text("SELECT 1 AS id, 'x' AS word, 2 AS more\n", "utf-8")
    assert [c.name for c in opened(project).schemas["a.one"]] == ["id", "word", "more"]


@pytest.mark.parametrize(
    "damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b.partition(b"\n")[0] + b"\nnonsense", lambda b: b[1:]]
)
def test_a_broken_file_is_as_good_as_none(project, damage):
    known = opened(project)
    path = project / ".xde" / "cache" / KEPT
    path.write_bytes(damage(path.read_bytes()))
    assert kept(project, project_digest(project)) is None
    assert opened(project).versions == known.versions


def test_another_format_is_not_read(project):
    opened(project)
    path = project / ".xde" / "cache" / KEPT
    path.write_bytes(path.read_bytes().replace(f":{FORMAT}:".encode(), f":{FORMAT + 1}:".encode(), 1))
    assert kept(project, project_digest(project)) is None
