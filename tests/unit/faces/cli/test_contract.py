"""`xde contract` as a process: streams, exit codes, documents."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import xde

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: c
version: {version}
status: active
servers: [{{server: s, type: local, path: data, format: csv}}]
schema:
  - name: t
    properties: [{columns}]
"""


@pytest.fixture
def call(tmp_path):
    (tmp_path / "then/sources").mkdir(parents=True)
    (tmp_path / "now/sources").mkdir(parents=True)
    for side in ("then", "now"):
        (tmp_path / side / "xde.yaml").write_text("name: p\n")
    (tmp_path / "then/sources/s.yaml").write_text(CONTRACT.format(version="1.0.0", columns="{name: a}, {name: b}"))

    def run(*words, version="1.0.0", columns="{name: a}", where="now"):
        (tmp_path / "now/sources/s.yaml").write_text(CONTRACT.format(version=version, columns=columns))
        variables = {k: v for k, v in os.environ.items() if not k.startswith(("XDE_", "GIT_"))}
        variables |= {"PYTHONPATH": str(Path(xde.__file__).parents[1]), "GIT_CEILING_DIRECTORIES": str(tmp_path)}
        command = [sys.executable, "-m", "xde.faces.cli.main", "contract", *words]
        return subprocess.run(command, cwd=tmp_path / where, env=variables, capture_output=True, text=True, check=False, timeout=60)

    return run


def test_check_ends_with_1_on_a_broken_promise(call):
    done = call("check", "--against", "../then")
    assert done.returncode == 1
    assert "breaking  s.t.b: column dropped" in done.stdout
    assert "error[XDE0360]" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_check_ends_with_0_when_the_version_says_so_or_a_reason_allows_it(call):
    assert call("check", "--against", "../then", version="2.0.0").returncode == 0
    allowed = call("check", "--against", "../then", "--allow-breaking", "agreed")
    assert (allowed.returncode, "allowed: agreed" in allowed.stderr) == (0, True)
    assert call("check", "--against", "../then", columns="{name: a}, {name: b}").stdout == "no contract differs from ../then\n"


@pytest.mark.slow
def test_documents(call):
    done = call("check", "--against", "../then", "--json")
    fact = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (1, "")
    assert fact["findings"][0]["code"] == "XDE0360"
    assert call("check", "--against", "../then", "--markdown").stdout.startswith("### Contracts: 1 contract changed: 1 breaking")


def test_diff_shows_and_does_not_judge(call):
    done = call("diff", "../then/sources/s.yaml", "sources/s.yaml")
    assert (done.returncode, "column dropped" in done.stdout) == (0, True)
    outside = call("diff", "then/sources/s.yaml", "now/sources/s.yaml", where=".")
    assert (outside.returncode, "column dropped" in outside.stdout) == (0, True)


def test_where_there_is_no_git_it_says_so(call):
    done = call("check")
    assert (done.returncode, "error[XDE0367]" in done.stderr) == (1, True)
