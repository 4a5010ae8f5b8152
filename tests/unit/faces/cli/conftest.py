"""Runs `xde` as its own process over canned answers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import xde

FAKED = Path(__file__).with_name("faked.py")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "flights").mkdir()
    (tmp_path / "flights/xde.yaml").write_text("name: flights\n")
    return tmp_path / "flights"


@pytest.fixture
def call(project: Path):
    """`call("plan", "--json", case="idle")` in a project; gives the finished process."""

    def run(*arguments: str, case: str = "", cwd: Path | None = None, text: bool = True, **environment: str):
        variables = {k: v for k, v in os.environ.items() if not k.startswith("XDE_") and k not in {"NO_COLOR", "TERM"}}
        variables |= {"PYTHONPATH": str(Path(xde.__file__).parents[1]), "XDE_TEST_CASE": case, "PYTHONWARNINGS": "error", **environment}
        return subprocess.run(
            [sys.executable, str(FAKED), *arguments],
            cwd=cwd or project,
            env=variables,
            capture_output=True,
            text=text,
            encoding="utf-8" if text else None,
            check=False,
            timeout=60,
        )

    return run
