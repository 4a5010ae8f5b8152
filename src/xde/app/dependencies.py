"""What a project says it needs of Python, and whether it can be imported: in a process of its own, for an import may do anything."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.records import dataclass
from xde.ground.spans import Span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

TEXT = "requirements.txt"
TOML = "pyproject.toml"
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_PATIENCE = 300  # seconds that all imports together may take


@dataclass(frozen=True, slots=True)
class Dependency:
    """A package that the project names; `text` is all that it says of it."""

    name: str
    text: str
    span: Span

    @property
    def conditional(self) -> bool:
        """Whether it is wanted in some surroundings only."""
        return ";" in self.text


def declared(root: Path) -> tuple[Dependency, ...]:
    """The packages that `requirements.txt` of a project names, else the dependencies in its `pyproject.toml`."""
    if (root / TEXT).is_file():
        lines = (root / TEXT).read_text(encoding="utf-8", errors="replace").splitlines()
        numbered = [(n, line.partition(" #")[0].strip()) for n, line in enumerate(lines, 1)]
        return tuple(
            _dependency(text, Span(TEXT, n)) for n, text in numbered if text and text[0] not in "#-" and "://" not in text.split("@")[0]
        )
    if not (root / TOML).is_file():
        return ()
    content = (root / TOML).read_text(encoding="utf-8", errors="replace")
    try:
        project = tomllib.loads(content).get("project", {})
    except tomllib.TOMLDecodeError as error:
        raise UserError(Finding("XDE0972", f"`{TOML}` cannot be read", Span(TOML), why=str(error).lower(), hint="mend it")) from error
    texts = project.get("dependencies", []) if isinstance(project, dict) else []
    return tuple(_dependency(str(text), Span(TOML)) for text in texts)


def of_models(root: Path) -> tuple[Dependency, ...]:
    """The packages that the Python models of a project name, and those of the types of their inputs and outputs; a name once."""
    from xde.app.needs import OURS
    from xde.kernel.project.reader import read_project

    project, _ = read_project(root)
    found: dict[str, Dependency] = {}
    for model in project.models.values() if project is not None else ():
        code = model.python
        if code is None:
            continue
        for text, span in code.requires:
            found.setdefault(text, _dependency(text, span))
        named = {d.name.lower() for d in found.values()} | OURS
        for package in sorted({f.value.partition(".")[0] for f in (code.gives, *(g.form for g in code.given))} - named):
            found.setdefault(package, _dependency(package, model.span or Span(model.path)))
    return tuple(found.values())


def needed(root: Path) -> tuple[Dependency, ...]:
    """What the project names, and what its Python models name besides."""
    return (*(own := declared(root)), *(d for d in of_models(root) if d.text not in {o.text for o in own}))


def _dependency(text: str, span: Span) -> Dependency:
    found = _NAME.match(text)
    if found is None:
        why = "a requirement begins with the name of a package"
        raise UserError(Finding("XDE0972", f"`{text}` is no requirement", span, why=why, hint="write `name>=version`"))
    return Dependency(found.group(), text, span)


def not_imported(python: str, wanted: Sequence[Dependency], surroundings: Mapping[str, str] | None = None) -> list[tuple[Dependency, str]]:
    """Those that a Python does not have or cannot import, each with the last words that it said."""
    if not wanted:
        return []
    command = [python, "-c", _TRY, *(d.name for d in wanted)]
    told: dict[str, str] = {}
    try:
        done = subprocess.run(  # noqa: S603 - our own words; names are checked
            command, capture_output=True, text=True, errors="replace", timeout=_PATIENCE, env=surroundings, check=False
        )
        said, last = done.stdout, done.stderr.strip() or f"the process ended with {done.returncode}"
    except subprocess.TimeoutExpired as error:
        said = error.stdout.decode(errors="replace") if isinstance(error.stdout, bytes) else ""
        last = f"it was not done after {_PATIENCE} s"
    for line in said.splitlines():
        if line.startswith(_MARK):
            told.update(json.loads(line.removeprefix(_MARK)))
    found = []
    for dependency in wanted:
        words = told.get(dependency.name, last)
        if words and not (words == _ABSENT and dependency.conditional):
            found.append((dependency, words))
        if dependency.name not in told:
            break  # that is the one on which the process ended: the others were not tried
    return found


_ABSENT = "it is not installed"
_MARK = "xde-import "
_TRY = f"""
import importlib, json, sys, traceback
from importlib.metadata import PackageNotFoundError, distribution

def modules(found):
    told = (found.read_text("top_level.txt") or "").split()
    files = [f for f in found.files or () if not f.parts[0].endswith((".dist-info", ".data")) and f.parts[0] not in ("..", "__pycache__")]
    seen = told or sorted({{f.parts[0].split(".")[0] for f in files if len(f.parts) > 1 or f.suffix in (".py", ".so", ".pyd")}})
    return [m for m in seen if m.isidentifier() and not m.startswith("_")]

for name in sys.argv[1:]:
    words = ""
    try:
        for module in modules(distribution(name)):
            importlib.import_module(module)
    except PackageNotFoundError as error:
        words = {_ABSENT!r} if error.name == name else traceback.format_exc()
    except BaseException:
        words = traceback.format_exc()
    print({_MARK!r} + json.dumps({{name: words}}), flush=True)
"""
