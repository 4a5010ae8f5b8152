"""The files of a dbt project by what they are for: settings, models, seeds, snapshots, tests, macros, descriptions, packages."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.ground.findings import Finding, Findings
from xde.ground.spans import Span
from xde.kernel.project.yaml_reader import decoded, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from xde.kernel.project.tree import Mapping

SETTINGS = "dbt_project.yml"
_YAML = (".yml", ".yaml")
_PLACES = {
    "model-paths": "models",
    "seed-paths": "seeds",
    "snapshot-paths": "snapshots",
    "test-paths": "tests",
    "macro-paths": "macros",
    "analysis-paths": "analyses",
}
_OLD_WORDS = {"model-paths": "source-paths", "seed-paths": "data-paths"}


@dataclass(frozen=True, slots=True)
class Text:
    """A file with its text; `path` is relative to the dbt project, `below` to the folder that its kind is looked for in."""

    path: str
    below: str
    text: str

    @property
    def stem(self) -> str:
        """The file's name without ending."""
        return self.path.rpartition("/")[2].rpartition(".")[0]


@dataclass(slots=True)
class DbtFiles:
    """Everything that was read; `shown` is the project's folder as the user wrote it, and begins every place that is told.

    `catalog` are the columns of sources with their types, where dbt has asked the warehouse.
    """

    root: Path
    shown: str
    settings: Mapping
    findings: Findings = field(default_factory=Findings)
    models: list[Text] = field(default_factory=list)
    seeds: list[Text] = field(default_factory=list)
    snapshots: list[Text] = field(default_factory=list)
    tests: list[Text] = field(default_factory=list)
    generic: list[Text] = field(default_factory=list)
    macros: list[Text] = field(default_factory=list)
    analyses: list[Text] = field(default_factory=list)
    described: list[Mapping] = field(default_factory=list)
    docs: list[Text] = field(default_factory=list)
    fixtures: dict[str, Text] = field(default_factory=dict)
    packages: dict[str, list[Text]] = field(default_factory=dict)
    profile: Mapping | None = None
    catalog: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The project's name."""
        return self.settings.text("name") or self.root.name

    def span(self, path: str, line: int = 1) -> Span:
        """A place in a file of the dbt project."""
        return Span(f"{self.shown}/{path}", max(line, 1))


def read_files(folder: Path) -> DbtFiles:
    """Read a dbt project. Raises `UserError` with all that cannot be read: XDE0170, XDE0179, and what YAML says."""
    shown = folder.as_posix()
    path = folder / SETTINGS
    if not path.is_file():
        inside = sorted(p.parent.name for p in folder.glob(f"*/{SETTINGS}")) if folder.is_dir() else []
        hint = f"name the folder with it: `xde import dbt {shown}/{inside[0]}`" if inside else f"name the folder that has a `{SETTINGS}`"
        raise UserError(Finding("XDE0170", f"`{shown}` is no dbt project", why=f"there is no `{SETTINGS}` in it", hint=hint))
    settings, findings = read_yaml(_bytes(path), f"{shown}/{SETTINGS}")
    if settings is None or [f for f in findings if f.severity == "error"]:
        raise UserError(*findings)
    files = DbtFiles(folder, shown, settings)
    for word, usual in _PLACES.items():
        for below in _folders(settings, word, usual):
            _gather(files, word, below)
    _packages(files)
    profiles = folder / "profiles.yml"
    if profiles.is_file():
        files.profile, told = read_yaml(_bytes(profiles), f"{shown}/profiles.yml")
        files.findings.extend(told)
    if files.findings.errors:
        raise UserError(*files.findings)
    files.catalog = _catalog(folder / (settings.text("target-path") or "target") / "catalog.json")
    return files


def _catalog(path: Path) -> dict[str, dict[str, str]]:
    """The types of the columns of sources, by `source.table`, as `dbt docs generate` found them in the warehouse, if it was run."""
    try:
        told = json.loads(_bytes(path)) if path.is_file() else {}
        columns = {key: sorted(node["columns"].values(), key=_index) for key, node in told.get("sources", {}).items()}
        return {".".join(key.split(".")[2:]): {str(c["name"]): str(c["type"]) for c in found} for key, found in columns.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _index(column: dict[str, int]) -> int:
    return column["index"]


def _folders(settings: Mapping, word: str, usual: str) -> tuple[str, ...]:
    for key in (word, _OLD_WORDS.get(word, word)):
        if key in settings.items:
            return tuple(t.rstrip("/").removeprefix("./") for t in settings.texts(key))
    return (usual,)


def _gather(files: DbtFiles, word: str, below: str) -> None:
    for path in _walk(files.root / below):
        name = path.name
        if name.endswith(_YAML):
            _describe(files, path)
        elif name.endswith(".md"):
            _keep(files, path, below, files.docs)
        elif word == "seed-paths" and name.endswith(".csv"):
            _keep(files, path, below, files.seeds)
        elif name.endswith((".sql", ".py", ".csv")):
            _of_code(files, word, path, below)


def _of_code(files: DbtFiles, word: str, path: Path, below: str) -> None:
    inside = path.relative_to(files.root / below).parts[:-1]
    if word == "test-paths" and inside[:1] == ("fixtures",):
        text = _text(files, path, below)
        if text is not None:
            files.fixtures[path.stem] = text
        return
    if path.suffix == ".csv" or (path.suffix == ".py" and word != "model-paths"):
        return
    rooms = {
        "model-paths": files.models,
        "snapshot-paths": files.snapshots,
        "test-paths": files.generic if inside[:1] == ("generic",) else files.tests,
        "macro-paths": files.macros,
        "analysis-paths": files.analyses,
    }
    if word in rooms:
        _keep(files, path, below, rooms[word])


def _describe(files: DbtFiles, path: Path) -> None:
    root, findings = read_yaml(_bytes(path), f"{files.shown}/{path.relative_to(files.root).as_posix()}")
    empty = root is None and not path.read_bytes().strip()
    files.findings.extend([] if empty else findings)
    if root is not None:
        files.described.append(root)


def _packages(files: DbtFiles) -> None:
    """The macros of packages that `dbt deps` has put beside the project."""
    folder = files.root / (files.settings.text("packages-install-path") or "dbt_packages")
    for own in sorted(folder.glob(f"*/{SETTINGS}")):
        settings, _ = read_yaml(_bytes(own), str(own))
        name = (settings.text("name") if settings else None) or own.parent.name
        texts: list[Text] = []
        for path in _walk(own.parent / "macros"):
            if path.suffix == ".sql":
                _keep(files, path, "dbt_packages", texts)
        files.packages[name] = texts


def _walk(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(p.startswith((".", "__")) for p in path.relative_to(folder).parts):
            yield path


def _keep(files: DbtFiles, path: Path, below: str, into: list[Text]) -> None:
    text = _text(files, path, below)
    if text is not None:
        into.append(text)


def _text(files: DbtFiles, path: Path, below: str) -> Text | None:
    shown = path.relative_to(files.root).as_posix()
    text, finding = decoded(_bytes(path), f"{files.shown}/{shown}")
    if finding is not None:
        files.findings.add(finding)
        return None
    return Text(shown, shown.removeprefix(below.rstrip("/") + "/"), text)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"`{path}` cannot be read: {(error.strerror or str(error)).lower()}"
        raise UserError(Finding("XDE0179", message, hint="give yourself the right to read it")) from error
