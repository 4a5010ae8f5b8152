"""`xde diff` as a process of its own, over files: what it prints, where, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import xde


@pytest.fixture
def diff(tmp_path: Path):
    (tmp_path / "old.csv").write_text("id,name,score\n1,a,1.0\n2,b,2.0\n2,c,2.0\n")
    (tmp_path / "new.csv").write_text("id,name,score\n1,a,1.0000000000001\n2,b,2.0\n3,d,\n")

    def run(*words: str):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("XDE_")} | {"PYTHONPATH": str(Path(xde.__file__).parents[1])}
        command = [sys.executable, "-m", "xde.faces.cli.main", "diff", *words]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", check=False, timeout=60)

    return run


def test_two_files_need_no_project(diff):
    done = diff("old.csv", "new.csv", "--key", "id")
    assert done.returncode == 0
    assert done.stdout.startswith("old.csv and new.csv: 1 row changed, 1 added, 1 removed; 1 unchanged\n")
    assert "warning[XDE0924]: 1 key stands more than once in `old.csv` (2 rows, by `id`)" in done.stderr
    assert "3 rows against 3 rows in " in done.stderr


@pytest.mark.slow
def test_the_exit_code_says_it_only_when_asked(diff):
    assert diff("old.csv", "new.csv").returncode == 0
    assert diff("old.csv", "new.csv", "--exit-code").returncode == 1
    assert diff("old.csv", "old.csv", "--exit-code").returncode == 0
    near = ("--key", "id", "--where", "id = 1", "--exit-code")
    assert diff("old.csv", "new.csv", *near).returncode == 1
    assert diff("old.csv", "new.csv", *near, "--tolerance", "1e-9").returncode == 0


@pytest.mark.slow
def test_for_a_machine_and_for_a_reviewer(diff):
    told = json.loads(diff("old.csv", "new.csv", "--key", "id", "--json", "--limit", "1").stdout)
    assert (told["rows"]["added"], told["findings"][0]["code"], len(told["samples"]["added"])) == (1, "XDE0924", 1)
    page = diff("old.csv", "new.csv", "--key", "id", "--markdown").stdout
    assert "> **XDE0924** 1 key stands more than once" in page


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "name a dataset"),
        (("old.csv",), 1, "XDE0920"),
        (("old.csv", "no.csv"), 1, "XDE0925"),
        (("old.csv", "new.csv", "--key", "idd"), 1, "did you mean `id`?"),
        (("old.csv", "new.csv", "--where", "x = 1"), 1, "XDE0926"),
        (("old.csv", "new.csv", "--tolerance", "0.1"), 1, "XDE0927"),
        (("old.csv", "new.csv", "--at", "3"), 1, "XDE0920"),
        (("marts.x",), 1, "XDE0001"),
    ],
)
def test_what_is_asked_wrongly_ends_with_words(diff, words, code, said):
    done = diff(*words)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
