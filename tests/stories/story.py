"""A story: Markdown whose `console` blocks are run in a copy of a project, and whose output must come out exactly so.

`<!-- story: examples/flights -->` names the folder to copy (none: an empty one); what stands before it is not run. Then:

- ```console      `$ command` lines, each followed by its output; `[3]` as the last line is an exit code other than 0;
                  a line `...` stands for any lines.
- ```sql file=models/marts/x.sql    writes the file (any language).

Durations, sizes, ids, moments of today and the project's path are made alike before the comparison.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MARKER = re.compile(r"<!-- story:\s*(\S*)\s*-->")
FENCE = re.compile(r"^```(\w+)(?:[ \t]+file=(\S+))?[ \t]*$")
ALIKE = (
    (re.compile(r"\b\d+(?:\.\d+)?\s?(?:ms|s|min)\b"), "<time>"),
    (re.compile(r"\b\d+(?:\.\d+)?\s?(?:bytes|B|kB|KB|KiB|MB|MiB|GB|GiB)\b"), "<size>"),
    (re.compile(r"\b20[2-9]\d-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|\+00:00)?"), "<moment>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9]*[a-f])[0-9a-f]{6,64}\b"), "<id>"),
    (re.compile(r"[ \t]{2,}"), "  "),
    (re.compile(r"[─━═-]{3,}"), "---"),
    (re.compile(r"[ \t]+$"), ""),
)


@dataclass
class Command:
    """A command, where it stands in the text, and what it must print."""

    text: str
    line: int
    expected: list[str] = field(default_factory=list)
    last_line: int = 0


@dataclass
class Write:
    """A file that the reader is told to write."""

    path: str
    content: str


@dataclass
class Story:
    """What a document tells the reader to do, in order."""

    path: Path
    project: str
    acts: list[Command | Write]


def read_story(path: Path) -> Story | None:
    """The story in a document, if it tells one."""
    lines = path.read_text(encoding="utf-8").splitlines()
    start = next((n for n, line in enumerate(lines) if MARKER.search(line)), None)
    if start is None:
        return None
    acts: list[Command | Write] = []
    number = start + 1
    while number < len(lines):
        fence = FENCE.match(lines[number])
        number += 1
        if fence is None:
            continue
        end = lines.index("```", number)
        if fence[2]:
            acts.append(Write(fence[2], "\n".join(lines[number:end]) + "\n"))
        elif fence[1] == "console":
            acts += _commands(lines, number, end)
        number = end + 1
    found = MARKER.search(lines[start])
    return Story(path, found[1] if found else "", acts)


def _commands(lines: list[str], start: int, end: int) -> list[Command]:
    commands: list[Command] = []
    for number in range(start, end):
        line = lines[number]
        if line.startswith("$ "):
            commands.append(Command(line[2:], number, last_line=number))
        elif commands:
            commands[-1].expected.append(line)
            commands[-1].last_line = number
    for command in commands:
        while command.expected and not command.expected[-1].strip():
            command.expected.pop()
            command.last_line -= 1
    return commands


def alike(line: str, project: Path) -> str:
    """A line with everything taken out that differs from run to run."""
    line = line.replace(str(project), "<project>")
    for pattern, word in ALIKE:
        line = pattern.sub(word, line)
    return line


def matches(expected: list[str], actual: list[str]) -> bool:
    """Whether the lines are those expected; `...` stands for any number of lines."""
    if not expected:
        return not actual
    if expected[0].strip() == "...":
        return any(matches(expected[1:], actual[n:]) for n in range(len(actual) + 1))
    return bool(actual) and expected[0] == actual[0] and matches(expected[1:], actual[1:])


def prepare(story: Story, folder: Path) -> Path:
    """A copy of the story's project, without what earlier runs left; its steps run one at a time, so that their lines come in order."""
    project = folder / "project"
    if story.project:
        shutil.copytree(ROOT / story.project, project, ignore=shutil.ignore_patterns(".xde"))
        settings = project / "xde.yaml"
        settings.write_text(settings.read_text(encoding="utf-8") + "parallel: 1\n", encoding="utf-8")
    else:
        project.mkdir()
    return project


def run(command: str, project: Path) -> list[str]:
    """What a command prints, both streams together, with its exit code as a last line if it is not 0."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("XDE_")}
    environment |= {
        "NO_COLOR": "1",
        "TERM": "dumb",
        "COLUMNS": "120",
        "LC_ALL": "C.UTF-8",
        "PYTHONUTF8": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=project,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
        check=False,
    )
    lines = [line.rstrip() for line in done.stdout.decode("utf-8", "replace").splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return [*lines, f"[{done.returncode}]"] if done.returncode else lines


def rewrite(story: Story, outputs: dict[int, list[str]]) -> None:
    """Put what the commands printed into the document, where it is not told so already; for writing stories, never in CI."""
    lines = story.path.read_text(encoding="utf-8").splitlines()
    for act in reversed(story.acts):
        if isinstance(act, Command) and act.line in outputs:
            lines[act.line + 1 : act.last_line + 1] = outputs[act.line]
    story.path.write_text("\n".join(lines) + "\n", encoding="utf-8")
