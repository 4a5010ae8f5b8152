"""The documents hold together: every link leads somewhere, every concept is in the glossary, every command of make is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests/stories").glob("*.md")])


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_every_concept_is_in_the_glossary_and_the_list_of_pages():
    pages = {p.name for p in (ROOT / "docs/concepts").glob("*.md")}
    for index in ("docs/glossary.md", "docs/README.md"):
        assert set(re.findall(r"concepts/([\w-]+\.md)", (ROOT / index).read_text(encoding="utf-8"))) == pages


def test_what_the_readme_tells_to_make_is_made():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    told = set(re.findall(r"\bmake ([a-z]+)\b", (ROOT / "README.md").read_text(encoding="utf-8"))) - {"and"}
    assert {"demo", "test"} <= told
    assert told <= targets
