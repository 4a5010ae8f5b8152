"""The door for pytest (entry point `pytest11`). Until a case or a fixture asks for a project it costs nothing and brings nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.pytest.projects import PROJECTS, Projects, is_case_file

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

pytest_plugins = ("xde.faces.pytest.fixtures",)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which project the fixtures open."""
    about = "the xde project that the fixtures open (default: the nearest above the test)"
    parser.getgroup("xde").addoption("--xde-project", metavar="DIR", help=about)
    parser.addini("xde_project", help=about + ", relative to this file", default=None)


def pytest_configure(config: pytest.Config) -> None:
    """Room for opened projects; none is opened."""
    config.stash[PROJECTS] = Projects(_named(config))
    config.addinivalue_line("markers", "xde: a case of an xde project, written in YAML")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let go of engines."""
    if (projects := config.stash.get(PROJECTS, None)) is not None:
        projects.close()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A file of cases: YAML under `tests/` of a folder with an `xde.yaml`."""
    if file_path.suffix not in {".yaml", ".yml"}:
        return None
    root = parent.config.stash[PROJECTS].above(file_path.parent)
    if root is None or not is_case_file(file_path, root):
        return None
    from xde.faces.pytest.cases import CaseFile  # deferred: it brings what draws tables

    return CaseFile.of(parent, file_path, root)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """The project, where one is named."""
    named = _named(config)
    return [f"xde: {named}"] if named is not None else []


def _named(config: pytest.Config) -> Path | None:
    option = config.getoption("--xde-project")
    if option:
        return (config.invocation_params.dir / str(option)).resolve()
    ini = config.getini("xde_project")
    if ini:
        return ((config.inipath.parent if config.inipath else config.rootpath) / str(ini)).resolve()
    return None
