"""What only a terminal sees: colour, cut tables, live progress."""

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

import xde
from xde.faces.cli.live import LiveProgress
from xde.kernel.plan.plan import Plan, Step, StepKind
from xde.kernel.run.events import Outcome, StepFinished, StepProgress, StepStarted

FAKED = Path(__file__).with_name("faked.py")


@pytest.fixture
def on_a_terminal(project):
    """Runs `xde` with stdout and stderr on a pseudo-terminal of 60 cells; gives its code and what was drawn."""

    def run(*arguments: str, case: str = "", **environment: str) -> tuple[int, str]:
        ours, theirs = pty.openpty()
        kept = {k: v for k, v in os.environ.items() if k not in {"NO_COLOR", "XDE_PROJECT", "XDE_ENV"}}
        variables = {
            **kept,
            "PYTHONPATH": str(Path(xde.__file__).parents[1]),
            "XDE_TEST_CASE": case,
            "TERM": "xterm",
            "COLUMNS": "60",
            "LINES": "20",
            **environment,
        }
        process = subprocess.Popen(
            [sys.executable, str(FAKED), *arguments], cwd=project, env=variables, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        drawn = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:
                break
            if not piece:
                break
            drawn += piece
        os.close(ours)
        return process.wait(), drawn.decode().replace("\r\n", "\n")

    return run


def test_colour_on_a_terminal_and_how_to_forbid_it(on_a_terminal):
    assert "\x1b[1;31merror[XDE0501]\x1b[0m" in on_a_terminal("plan", case="unreadable")[1]
    assert "\x1b" not in on_a_terminal("plan", case="unreadable", NO_COLOR="1")[1]
    assert "\x1b" not in on_a_terminal("plan", case="unreadable", TERM="dumb")[1]
    assert "\x1b" not in on_a_terminal("--no-color", "plan", case="unreadable")[1]


def test_a_run_ends_with_a_table(on_a_terminal):
    code, drawn = on_a_terminal("--no-color", "run")
    assert code == 0
    assert "status  dataset      step   what" in drawn
    assert drawn.rstrip().endswith("done: 2 steps done in 2.2 s, 337,141 rows")


def test_parquet_is_refused(on_a_terminal):
    code, drawn = on_a_terminal("--no-color", "show", "a.b", "--format", "parquet")
    assert code == 1
    assert "error[XDE0006]: a terminal cannot show Parquet\n\nhint: `--output rows.parquet`, or `--format csv`\n" in drawn


def test_live_progress_shows_what_runs_and_keeps_what_failed():
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100, no_color=True, color_system=None)
    load, build = (
        Step(f"s{n}", kind, name, "v", ())
        for n, (kind, name) in enumerate([(StepKind.LOAD, "nyc.flights"), (StepKind.BUILD, "marts.[daily]")])
    )
    with LiveProgress(Plan("dev", (load, build), 0, ""), console=console) as progress:
        progress.hear(StepStarted("r", load, 1, ""))
        progress.hear(StepStarted("r", build, 2, ""))
        progress.hear(StepProgress("r", load, "1,000 [rows] \x1b", 0.5))
        progress.hear(StepProgress("r", build, "waiting"))
        progress._steps.refresh()
        during = screen.getvalue()
        progress.hear(StepFinished("r", Outcome(load, "done", 5), ""))
        progress.hear(StepFinished("r", Outcome(build, "failed", reason="no [such] column"), ""))
        progress.hear(StepProgress("r", build, "late", 2.0))
    assert "load nyc.flights" in during
    assert "1,000 [rows] ␛" in during
    assert "build marts.[daily]" in during
    assert "failed   marts.[daily]  build  no [such] column" in screen.getvalue()
