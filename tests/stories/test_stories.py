"""Every story, and the README, comes out as it is told. `XDE_STORIES=write` writes what came out into the documents."""

from __future__ import annotations

import difflib
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from story import ROOT, Command, Write, alike, matches, prepare, read_story, rewrite, run

DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests/stories").glob("*.md")])
STORIES = [story for story in map(read_story, DOCUMENTS) if story is not None]


LONG = {
    *("flights.md", "deployment.md", "austin_traffic.md", "backfill.md", "what_changed.md", "flows.md", "sushi.md", "from_dbt.md"),
    *("first_contract.md", "python-models.md", "mutant.md", "coverage.md", "compatibility.md", "databases.md", "rest.md", "dimension.md"),
    *("moving_house.md", "jaffle_shop.md", "linting.md", "cost.md", "formatting.md", "dead-letter.md", "windows.md"),
    *("connectors.md", "in-flight.md", "brokers.md", "dlt.md", "profile.md", "doctor.md"),
}


@pytest.mark.parametrize(
    "story", [pytest.param(s, id=str(s.path.relative_to(ROOT)), marks=[pytest.mark.slow] if s.path.name in LONG else []) for s in STORIES]
)
def test_comes_out_as_told(story, tmp_path):
    project = prepare(story, tmp_path)
    writing = os.environ.get("XDE_STORIES") == "write"
    outputs = {}
    for act in story.acts:
        if isinstance(act, Write):
            path = project / act.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(act.content, encoding="utf-8")
            continue
        # a step that takes long says that it is still at work: on a busy machine more of them do
        actual = [line.replace(str(project), ".") for line in run(act.text, project) if not line.startswith("running  ")]
        expected_alike, actual_alike = [[alike(line, project) for line in lines] for lines in (act.expected, actual)]
        if matches(expected_alike, actual_alike):
            continue
        outputs[act.line] = actual
        if not writing:
            difference = "\n".join(difflib.unified_diff(expected_alike, actual_alike, "told", "came out", lineterm="", n=2))
            told = f"{story.path.relative_to(ROOT)}:{act.line + 1}: $ {act.text}"
            pytest.fail(f"{told}\n{difference}\n\nin full:\n" + "\n".join(actual), pytrace=False)
    if writing:
        rewrite(story, outputs)


def test_there_are_stories():
    assert {s.path.name for s in STORIES} >= {"README.md", "flights.md", "jaffle_shop.md"}


def test_a_story_that_does_not_come_out_is_seen(tmp_path):
    document = tmp_path / "wrong.md"
    document.write_text(
        "<!-- story: -->\n```text file=a/b.txt\nhello\n```\n```console\n$ cat a/b.txt\nhello\n$ false\n[1]\n$ echo one; echo two; echo three\none\n...\n$ echo 2 s\n3 s\n```\n"
    )
    story = read_story(document)
    assert story is not None
    project = prepare(story, tmp_path)
    write, *commands = story.acts
    assert isinstance(write, Write)
    (project / "a").mkdir()
    (project / write.path).write_text(write.content)
    for command in commands:
        assert isinstance(command, Command)
        printed = [alike(line, project) for line in run(command.text, project)]
        assert matches([alike(line, project) for line in command.expected], printed)
        assert not matches(["something else"], printed)


@pytest.mark.parametrize(
    ("line", "other", "same"),
    [
        ("done in 1.23 s", "done in 0.4 s", True),
        ("run 3f2a9c0d1b7e4a55 done", "run 77aa00bb11cc22dd done", True),
        ("336,776 rows", "336,775 rows", False),
        ("carrier 9E", "carrier AA", False),
        ("2026-11-21T08:00:00Z", "2027-01-02T03:04:05Z", True),
        ("2013-11-03 06:00:00", "2013-11-03 05:00:00", False),
        ("wind 1048.36058", "wind 1048.36059", False),
    ],
)
def test_only_what_differs_from_run_to_run_is_made_alike(line, other, same, tmp_path):
    assert (alike(line, tmp_path) == alike(other, tmp_path)) is same
