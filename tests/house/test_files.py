"""The walls that no linter holds: the length of files, a first line that says what lives in them, names of rooms, one clock."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
OURS = sorted(p for top in ("src", "tests", "bench") for p in (ROOT / top).rglob("*.py"))
DOCSTRING = re.compile(r'(?:#[^\n]*\n|\s)*r?"""(.*?)"""', re.DOTALL)
LIKE_THE_CLOCK = re.compile(r"\.(now|utcnow|today|time|time_ns|localtime|gmtime)\(")
JUNK_DRAWERS = {"core", "common", "utils", "util", "helpers", "helper", "base", "manager", "managers", "misc", "shared", "lib"}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_a_file_is_under_400_lines():
    long = [name(p) for p in OURS if len(text(p).splitlines()) >= 400]
    assert not long, "look for the second thing that lives there, and give it a room"


def docstring(path: Path) -> str:
    """What the module says first: to parse a thousand whole files takes seconds."""
    found = DOCSTRING.match(text(path))
    return found[1] if found else ""


def faults_of_the_first_line(said: str) -> list[str]:
    """What keeps a module's docstring from beginning with a line, a whole sentence, that says what lives there."""
    if not said.strip():
        return ["begin with one line: what lives here, and why"]
    first, *rest = said.splitlines()
    faults = {
        "it is too long": len(first) <= 160,
        "it says nothing": first.strip(),
        "it goes on": not rest or not rest[0].strip(),
        "it is no whole sentence": re.search(r"[.:;!?]$", first),
    }
    return [fault for fault, well in faults.items() if not well]


def test_a_module_says_first_what_lives_in_it():
    assert {name(p): f for p in OURS if (f := faults_of_the_first_line(docstring(p)))} == {}


def test_a_first_line_that_says_nothing_is_seen():
    assert faults_of_the_first_line("") and faults_of_the_first_line("What\ngoes on.") and faults_of_the_first_line("No sentence")
    assert not faults_of_the_first_line("What lives here.\n\nMore.")


def test_a_room_is_named_after_what_it_holds():
    rooms = {name(p): {*p.relative_to(ROOT / "src").parts[:-1], p.stem} & JUNK_DRAWERS for p in SOURCES}
    assert not {n for n, junk in rooms.items() if junk}


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


def test_time_is_asked_of_the_clock_alone():
    others = [p for p in SOURCES if name(p) != "src/xde/ground/clock.py" and LIKE_THE_CLOCK.search(text(p))]
    assert {name(p): calls for p in others if (calls := calls_of_the_clock(ast.parse(text(p))))} == {}


def test_the_clock_is_seen_when_it_is_asked():
    assert calls_of_the_clock(ast.parse("import datetime, time\ndatetime.datetime.now()\ntime.time()\ntime.monotonic()")) == [
        "line 2: datetime.now()",
        "line 3: time.time()",
    ]
