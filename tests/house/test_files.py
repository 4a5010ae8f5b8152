"""The walls that no linter holds: the length of files, a first line that says what lives in them, names of rooms, one clock."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
OURS = sorted(p for top in ("src", "tests", "bench") for p in (ROOT / top).rglob("*.py"))
JUNK_DRAWERS = {"core", "common", "utils", "util", "helpers", "helper", "base", "manager", "managers", "misc", "shared", "lib"}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", OURS, ids=name)
def test_a_file_is_under_400_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) < 400, "look for the second thing that lives here, and give it a room"


@pytest.mark.parametrize("path", OURS, ids=name)
def test_a_module_says_first_what_lives_in_it(path):
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert said, "begin with one line: what lives here, and why"
    first, *rest = said.splitlines()
    assert len(first) <= 160
    assert first.strip()
    assert not rest or not rest[0].strip(), "the first line is one line"
    assert re.search(r"[.:;!?]$", first), "the first line is a whole sentence"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_room_is_named_after_what_it_holds(path):
    rooms = {*path.relative_to(ROOT / "src").parts[:-1], path.stem}
    assert not rooms & JUNK_DRAWERS


def calls_of_the_clock(tree: ast.AST) -> list[str]:
    """Calls that ask the machine what time it is."""
    asks = {
        ("datetime", "now"),
        ("datetime", "utcnow"),
        ("datetime", "today"),
        ("date", "today"),
        ("time", "time"),
        ("time", "time_ns"),
        ("time", "localtime"),
        ("time", "gmtime"),
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            owner_name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
            if (owner_name, node.func.attr) in asks:
                found.append(f"line {node.lineno}: {owner_name}.{node.func.attr}()")
    return found


@pytest.mark.parametrize("path", [p for p in SOURCES if name(p) != "src/xde/ground/clock.py"], ids=name)
def test_time_is_asked_of_the_clock_alone(path):
    assert calls_of_the_clock(ast.parse(path.read_text(encoding="utf-8"))) == []


def test_the_clock_is_seen_when_it_is_asked():
    assert calls_of_the_clock(ast.parse("import datetime, time\ndatetime.datetime.now()\ntime.time()\ntime.monotonic()")) == [
        "line 2: datetime.now()",
        "line 3: time.time()",
    ]
