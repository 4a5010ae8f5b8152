"""What only a terminal sees: colour, cut tables, live progress."""

import io
import os
import pty
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

import xde
from xde.faces.cli.lines import StepReporter
from xde.faces.cli.live import LiveProgress
from xde.faces.words.ink import PLAIN
from xde.ground.clock import SetClock
from xde.kernel.plan.plan import Plan, Step, StepKind
from xde.kernel.run.events import Outcome, RunFinished, RunStarted, StepFinished, StepProgress, StepStarted

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


def test_live_progress_asks_how_far_the_engine_is_and_forgets_it_when_it_is_not_told():
    load, build = (
        Step(f"s{n}", kind, name, "v", ()) for n, (kind, name) in enumerate([(StepKind.LOAD, "a.load"), (StepKind.BUILD, "a.build")])
    )
    told = {"s0": 0.344, "s1": 0.5, "unknown": 0.9}

    def drawn():
        screen.seek(0)
        screen.truncate()
        progress._steps.refresh()
        return screen.getvalue()

    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100, no_color=True, color_system=None)
    with LiveProgress(Plan("dev", (load, build), 0, ""), console=console, ask=lambda: dict(told)) as progress:
        progress.hear(StepStarted("r", load, 1, ""))
        assert re.search(r"load a\.load .* 34 %", drawn())
        progress.hear(StepStarted("r", build, 1, ""))
        progress.hear(StepProgress("r", build, "January", 0.25))
        during = drawn()
        assert re.search(r"build a\.build .* 50 % .*January", during)
        assert {t.description: (t.completed, t.total) for t in progress._steps.tasks} == {
            "all steps": (0, 2),
            "load a.load": (0.344, 1.0),
            "build a.build": (0.25, 1.0),
        }
        told.clear()
        assert "%" not in drawn()
        assert progress._steps.tasks[1].total is None


@pytest.mark.slow
def test_a_real_run_shows_how_far_a_long_query_is(tmp_path):
    """On a pseudo-terminal, until a percentage was seen; then Ctrl-C."""
    (tmp_path / "models/marts").mkdir(parents=True)
    (tmp_path / "xde.yaml").write_text("name: x\n")
    (tmp_path / "models/marts/long.sql").write_text("SELECT hash(i) AS h FROM range(3000000000) AS a(i) WHERE hash(i) % 1000 = 0\n")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "xde.faces.cli.main", "--project", str(tmp_path), "run"],
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "20"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    os.close(theirs)
    drawn = b""
    end = time.monotonic() + 30
    while not re.search(rb"build marts\.long .*[1-9]\d* %", drawn) and time.monotonic() < end:
        drawn += os.read(ours, 65536)
    process.send_signal(signal.SIGINT)
    with suppress(OSError):
        while piece := os.read(ours, 65536):
            drawn += piece
    os.close(ours)
    assert process.wait(10) == 130, drawn.decode()
    assert re.search(rb"build marts\.long .*[1-9]\d* %", drawn), drawn.decode()
    assert b"cancelled; nothing half done was published" in drawn


def test_where_no_terminal_is_a_long_step_says_now_and_then_that_it_runs():
    slow, quick = Step("s0", StepKind.BUILD, "a.slow", "v", ()), Step("s1", StepKind.LOAD, "a.quick", "v", ())
    plan, clock, said = Plan("dev", (slow, quick), 0, ""), SetClock(), []
    reporter = StepReporter(plan, Saying(said), clock=clock, look=0.01)
    reporter.hear(RunStarted("r", plan, ""))
    reporter.hear(StepStarted("r", quick, 1, ""))
    reporter.hear(StepFinished("r", Outcome(quick, "done", 5, seconds=0.1), ""))
    reporter.hear(StepStarted("r", slow, 1, ""))
    time.sleep(0.1)
    assert said == ["done     a.quick  load             5 rows  0 dead letters      0.1 s"], "it runs for no time yet"
    clock.advance(timedelta(seconds=25))
    while len(said) < 2:
        time.sleep(0.01)
    assert said[1] == "running  a.slow   build  25.0 s"
    time.sleep(0.1)
    assert len(said) == 2, "once in a while, not each time that it looks"
    reporter.hear(RunFinished("r", "cancelled", (), 25.0, ""))
    clock.advance(timedelta(seconds=25))
    time.sleep(0.1)
    assert len(said) == 2


class Saying:
    """A session that keeps what is said."""

    def __init__(self, said):
        self.result = self.talk = said.append

    def ink(self, *, error=False):
        return PLAIN
