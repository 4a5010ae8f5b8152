"""What we stand on: every dependency is locked exactly, and every core one is accounted for in ARCHITECTURE.md."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CORE = [Requirement(r) for r in PROJECT["project"]["dependencies"]]
EXTRAS = [Requirement(r) for rs in PROJECT["project"]["optional-dependencies"].values() for r in rs]
GROUPS = [Requirement(r) for rs in PROJECT["dependency-groups"].values() for r in rs]
BUILD = [Requirement(r) for r in PROJECT["build-system"]["requires"]]
LOCKS = ("requirements.lock", "requirements-spark.lock")
LOCK_LINES = [
    line for name in LOCKS for line in (ROOT / name).read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")
]
LOCK = {canonicalize_name(n): v for n, v in (line.split("==") for line in LOCK_LINES if "==" in line)}


@pytest.mark.parametrize("line", LOCK_LINES)
def test_a_line_of_the_lock_is_a_name_and_an_exact_version(line):
    assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line), "the lock names no host, no path and no range"


@pytest.mark.parametrize("wanted", [r for r in [*CORE, *EXTRAS, *GROUPS, *BUILD] if r.name != "xde"], ids=str)
def test_what_the_project_wants_is_locked(wanted):
    assert canonicalize_name(wanted.name) in LOCK, "run `make lock`"
    assert wanted.specifier.contains(LOCK[canonicalize_name(wanted.name)]), "run `make lock`"


def accounted() -> dict[str, tuple[str, str]]:
    """The rows of the table of core dependencies in ARCHITECTURE.md: name to reason and licence."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    text = text[text.index("## What we stand on") : text.index("Extras, for who needs them")]
    rows = re.findall(r"^\| `([\w\[\]-]+)` \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    return {canonicalize_name(n.partition("[")[0]): (reason, licence) for n, reason, licence in rows}


def test_core_dependencies_are_accounted_for_and_no_others():
    assert set(accounted()) == {canonicalize_name(r.name) for r in CORE}


@pytest.mark.parametrize("wanted", CORE, ids=lambda r: r.name)
def test_a_core_dependency_has_a_reason_and_its_own_licence(wanted):
    reason, licence = accounted()[canonicalize_name(wanted.name)]
    about = metadata(wanted.name)
    told = " ".join([about.get("License-Expression") or "", about.get("License") or "", *(about.get_all("Classifier") or [])]).lower()
    assert len(reason) > 20
    words = {"Apache-2.0": "apache", "MIT": "mit", "BSD-3-Clause": "bsd"}
    assert words[licence] in told
