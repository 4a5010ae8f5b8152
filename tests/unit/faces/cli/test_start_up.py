"""`xde --version` and `--help` import nothing heavy: commands and their libraries come when they are used."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import xde

HEAVY = {
    "rich",
    "duckdb",
    "deltalake",
    "sqlglot",
    "pyarrow",
    "yaml",
    "numpy",
    "pandas",
    "asyncio",
    "sqlite3",
    "dlt",
    "xde.app",
    "xde.kernel",
    "xde.lifecycle",
    "xde.connectors",
    "xde.ledger",
}


def imported(*arguments: str, cwd: Path) -> set[str]:
    program = "import sys\nfrom xde.faces.cli.main import main\nmain(sys.argv[1:])\nprint(*sorted(sys.modules), file=sys.stderr)"
    variables = {**os.environ, "PYTHONPATH": str(Path(xde.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", program, *arguments], cwd=cwd, env=variables, capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["explain", "1"], ["explain"], ["init", "new"]])
def test_nothing_heavy(arguments, tmp_path):
    modules = imported(*arguments, cwd=tmp_path)
    allowed = {"xde.app", "xde.app.templates", "xde.app.scaffold"} if arguments[0] == "init" else set()
    assert not {m for m in modules if m in HEAVY or any(m.startswith(h + ".") for h in HEAVY)} - allowed


def test_the_version_imports_no_command(tmp_path):
    modules = {m for m in imported("--version", cwd=tmp_path) if m.startswith("xde.")}
    assert modules <= {
        *(
            "xde.faces",
            "xde.faces.cli",
            "xde.faces.cli.main",
            "xde.faces.cli.lazy",
            "xde.faces.cli.saying",
            "xde.faces.cli.session",
            "xde.faces.cli.overriding",
        ),
        *(
            "xde.faces.words",
            "xde.faces.words.findings",
            "xde.faces.words.cells",
            "xde.faces.words.excerpt",
            "xde.faces.words.ink",
            "xde.faces.words.numbers",
        ),
        *("xde.ground", "xde.ground.errors", "xde.ground.findings", "xde.ground.records", "xde.ground.names", "xde.ground.secrets"),
    }


def test_a_plan_of_what_has_not_changed_reads_no_file_again(tmp_path):
    (tmp_path / "models" / "a").mkdir(parents=True)
    (tmp_path / "xde.yaml").write_text("name: p\n", "utf-8")
    (tmp_path / "models" / "a" / "one.sql").write_text("SELECT 1 AS id\n", "utf-8")
    imported("plan", cwd=tmp_path)
    assert not imported("plan", cwd=tmp_path) & {"yaml", "sqlglot", "duckdb", "deltalake", "pyarrow", "rich"}


def test_a_first_run_ends_without_a_word_of_the_libraries_about_their_own_end(tmp_path):
    """The engine's library counts at the end of the process what was not given back, and says so to the user."""
    (tmp_path / "models" / "a").mkdir(parents=True)
    (tmp_path / "xde.yaml").write_text("name: p\n", "utf-8")
    (tmp_path / "models" / "a" / "one.sql").write_text("SELECT 1 AS id\n", "utf-8")
    variables = {**os.environ, "PYTHONPATH": str(Path(xde.__file__).parents[1])}
    command = [sys.executable, "-m", "xde.faces.cli.main", "--project", str(tmp_path), "run"]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    assert "leak" not in done.stdout + done.stderr


def test_it_can_be_called_as_a_module():
    done = subprocess.run([sys.executable, "-m", "xde", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"xde {xde.__version__}\n"
