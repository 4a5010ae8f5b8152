"""Killed while records of a source with in-flight steps are read: no clear value is left on any disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from projects.apis import serving
from projects.folder import Folder
from projects.people import BAD, FORMS, GOOD, KEY, clear_values, of_api, of_duckdb, of_form, of_sqlite, written

if TYPE_CHECKING:
    from pathlib import Path

POINTS = ("load.staged", "files.written", "commit.before", "commit.after")


def killed(folder: Folder, point: str) -> tuple[int, str]:
    scratch = folder.root.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"XDE_CRASH_AT": point, "TMPDIR": str(scratch), "PII_KEY": KEY}
    command = [sys.executable, "-m", "xde.faces.cli.main", "--project", str(folder.root), "run"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout + done.stderr


def clean(folder: Folder, said: str) -> bool:
    assert clear_values({"said": said}) == []
    assert clear_values(written(folder.root, folder.root.parent / "scratch")) == []
    return True


@pytest.mark.crash
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("form", [*FORMS, "sqlite", "duckdb", "api"])
def test_a_kill_leaves_no_clear_value(form: str, point: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path / "p")
    with serving() as api:
        if form == "api":
            of_api(folder, api, [*GOOD, *BAD])
        elif form in {"sqlite", "duckdb"}:
            {"sqlite": of_sqlite, "duckdb": of_duckdb}[form](folder, [*GOOD, *BAD])
        else:
            of_form(folder, form, [*GOOD, *BAD])
        code, said = killed(folder, point)
        assert code == -signal.SIGKILL, said
        assert clean(folder, said)
        code, said = killed(folder, "")
        assert code == 0, said
        assert clean(folder, said)
