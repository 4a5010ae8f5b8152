"""The programs and projects of others, for tests that hold ours beside them; where a package index does not give them, the test is skipped."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

SQLMESH = "0.236.4"
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")} | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}


def interpreter(folder: Path, *packages: str) -> Path:
    """The Python of a new virtual environment with these packages; whoever asks for it takes the folder away again, for they are large.

    By uv, which takes seconds where pip takes minutes; where it sees no index (pip's settings are not its own), by pip.
    """
    python = folder / "bin/python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    quick = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python, *packages]
    if subprocess.run(quick, capture_output=True, check=False, timeout=600).returncode:
        pip("--python", python, "install", "--quiet", "--no-compile", *packages)
    return python


def sqlmesh_sources(folder: Path) -> Path:
    """SQLMesh's source distribution, unpacked: its examples, and among its tests dbt's jaffle shop, are in no wheel."""
    pip("download", "--quiet", "--no-deps", "--no-binary", "sqlmesh", "--dest", folder, f"sqlmesh=={SQLMESH}")
    with tarfile.open(folder / f"sqlmesh-{SQLMESH}.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return folder / f"sqlmesh-{SQLMESH}"


def pip(*words: object) -> None:
    """What pip cannot fetch is no fault of ours."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        pytest.skip(f"not to be had: {(done.stderr.strip() or done.stdout.strip()).splitlines()[-1]}")
