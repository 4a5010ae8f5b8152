"""Holds the budgets: CPU seconds of xde against the raw engine at the same work, in turns, in fresh processes. See docs/budgets.md."""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import capturing
import generate
import pushing
import watching

if TYPE_CHECKING:
    import resource

HERE = Path(__file__).resolve().parent
XDE = str(Path(sys.executable).parent / "xde")
SEED = 20131103
PUSHED = 4.0  # seconds of requests
Pair = Callable[[], tuple[float, float]]


def cpu(*command: str, folder: Path | None = None) -> float:
    """The CPU seconds, user and system, of a command and all its children; it must succeed."""
    usage = used(*command, folder=folder)
    return usage.ru_utime + usage.ru_stime


def peak(*command: str) -> float:
    """The most memory that a command had at once, in gigabytes of 10^9 bytes; it must succeed."""
    return used(*command).ru_maxrss * 1024 / 1e9  # Linux counts in units of 1,024 bytes


def used(*command: str, folder: Path | None = None) -> resource.struct_rusage:
    """What a command used; it must succeed."""
    with tempfile.TemporaryFile() as said:
        # as a user has it: modules are compiled once, not for every command
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"NO_COLOR": "1"}
        process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{said.read().decode(errors='replace')[-4000:]}")
        return usage


def xde(project: Path, *words: str) -> float:
    """The CPU seconds of one command of ours."""
    return cpu(XDE, "--project", str(project), *words)


def bare(work: str, project: Path) -> float:
    """The CPU seconds of the raw engine at the same work."""
    return cpu(sys.executable, str(HERE / "bare.py"), work, str(project))


def forget(project: Path) -> None:
    """Leave of a project only what a team wrote and a source delivered."""
    shutil.rmtree(project / ".xde", ignore_errors=True)
    (project / "bare.duckdb").unlink(missing_ok=True)


@dataclass(frozen=True)
class Budget:
    """A bound, and how to find the figure it bounds: `prepare` works in a folder and gives one that measures a pair a call.

    A pair is (ours, theirs) for a ratio, or (ours, 1) for seconds.
    """

    name: str
    work: str
    bound: float
    unit: str
    prepare: Callable[[Path], Pair]


def version(project: Path) -> Pair:
    """Start-up and nothing else."""
    return lambda: (cpu(XDE, "--version", folder=project.parent), 1)


def plan_cold(project: Path) -> Pair:
    """A project of 1,000 models that was never looked at."""
    generate.graph_project(project, 1000, 100, SEED)

    def pair() -> tuple[float, float]:
        forget(project)
        return xde(project, "plan"), 1

    return pair


def plan_warm(project: Path) -> Pair:
    """A project of 1,000 models, looked at before and not changed."""
    generate.graph_project(project, 1000, 100, SEED)
    xde(project, "plan")
    return lambda: (xde(project, "plan"), 1)


def plan_changed(project: Path) -> Pair:
    """A project of 1,000 models that is deployed, and in which one has changed since."""
    generate.graph_project(project, 1000, 100, SEED)
    xde(project, "run")
    xde(project, "deploy", "prod", "--yes")
    model = project / "models/layer5/m500.sql"
    text = model.read_text(encoding="utf-8")
    numbers = itertools.count(1)

    def pair() -> tuple[float, float]:
        model.write_text(text.replace("place <= 10", f"place <= {10 + next(numbers)}"), encoding="utf-8")
        return xde(project, "plan", "prod"), 1

    return pair


def nothing_to_do(project: Path) -> Pair:
    """A project of 1,000 models that is built already."""
    generate.graph_project(project, 1000, 100, SEED)
    xde(project, "run")
    return lambda: (xde(project, "run"), 1)


def first_build(project: Path) -> Pair:
    """200 models over ten sources of 20,000 rows."""
    generate.graph_project(project, 200, 20_000, SEED)

    def pair() -> tuple[float, float]:
        forget(project)
        return xde(project, "run"), bare("models", project)

    return pair


def load(project: Path, against: str = "load", form: str = "csv") -> Pair:
    """2 million rows of CSV or NDJSON, one in a hundred bad."""
    generate.lineitem_project(project, form, 2_000_000, SEED)

    def pair() -> tuple[float, float]:
        forget(project)
        return xde(project, "run"), bare(against, project)

    return pair


def build(project: Path) -> Pair:
    """A model over 6 million rows."""
    generate.lineitem_project(project, "parquet", 6_000_000, SEED)
    xde(project, "run")
    (project / "models/marts").mkdir()
    (project / "models/marts/priced.sql").write_text(generate.PRICED, encoding="utf-8")
    shutil.copytree(project / ".xde", project / "before")

    def pair() -> tuple[float, float]:
        shutil.rmtree(project / ".xde")
        shutil.copytree(project / "before", project / ".xde")
        return xde(project, "run"), bare("build", project)

    return pair


def checks(project: Path) -> Pair:
    """Twenty checks on 6 million rows, without the start-up of either side."""
    generate.lineitem_project(project, "parquet", 6_000_000, SEED)
    xde(project, "run")

    def seconds(side: str) -> float:
        command = [sys.executable, str(HERE / "auditing.py"), side, str(project)]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    return lambda: (seconds("ours"), seconds("bare"))


def large(project: Path) -> Pair:
    """100 million generated rows with a key and checks, and windows over all of them: the most memory that the process ever had."""
    generate.large_project(project, 100_000_000, SEED, "7GB")

    def pair() -> tuple[float, float]:
        forget(project)
        return peak(XDE, "--project", str(project), "run"), 1

    return pair


def _wall(project: Path, *words: str) -> float:
    """The seconds that somebody waits for one command of ours."""
    begun = time.monotonic()
    xde(project, *words)
    return time.monotonic() - begun


def _tested(project: Path) -> None:
    """The flights with 100 cases, looked at once."""
    shutil.copytree(HERE.parent / "examples/flights", project, ignore=shutil.ignore_patterns(".xde", "data", "tests"))
    (project / "tests").mkdir()
    text = (HERE.parent / "examples/flights/tests/flights.yaml").read_text(encoding="utf-8")
    head, _, cases = text.partition("cases:\n")
    for number in range(12):  # nine cases each
        (project / f"tests/flights_{number:02d}.yaml").write_text(f"{head}cases:\n{cases}", encoding="utf-8")
    xde(project, "test", "flights_00.yaml")


def test_one(project: Path) -> Pair:
    """One case of one model, by its name."""
    _tested(project)
    return lambda: (_wall(project, "test", "tests/flights_00.yaml::2400 is the midnight that ends the day"), 1)


def test_100(project: Path) -> Pair:
    """108 cases of a model with two joins and forty expressions; the figure is that of 100."""
    _tested(project)
    return lambda: (_wall(project, "test"), 1.08)


def watch(project: Path) -> Pair:
    """From the save of a model to the last word about its three cases; wall time, the watch's own pause included."""
    shutil.copytree(HERE.parent / "examples/jaffle_shop", project, ignore=shutil.ignore_patterns(".xde"))
    return lambda: (statistics.median(watching.seconds([XDE, "--project", str(project)], project / "models/marts/orders.sql")), 1)


def push(way: tuple[str, int, int]) -> Pair:
    """The server's CPU for a request, beside the same server when it reads the body as JSON and keeps it."""
    return lambda: (pushing.measured("shared", way, PUSHED).cpu_each, pushing.measured("bare", way, PUSHED).cpu_each)


def push_grouped(_: Path) -> Pair:
    """The seconds for a request on the clock, when requests share a sync of the disk and when each has its own."""

    def each(sync: str) -> float:
        return 1 / pushing.measured(sync, ("json", 1, 64), PUSHED).answers["per_second"]

    return lambda: (each("shared"), each("alone"))


def capture(project: Path) -> Pair:
    """Changes of a log to a table as it is now, beside the same messages fetched and taken apart."""
    log = capturing.Log(project)
    log.change()
    xde(project, "run")
    log.open_bare()

    def pair() -> tuple[float, float]:
        log.change()
        return xde(project, "run"), cpu(sys.executable, str(HERE / "capturing.py"), log.url)

    return pair


def diff(project: Path) -> Pair:
    """5 million rows against 5 million, ten columns, by key."""
    generate.two_tables(project, 5_000_000)
    files = (str(project / "old.parquet"), str(project / "new.parquet"))
    return lambda: (cpu(XDE, "diff", *files, "--key", "id"), bare("diff", project))


BUDGETS = (
    Budget("version", "xde --version", 0.15, "s", version),
    Budget("plan_cold", "xde plan, 1,000 models, nothing cached", 8, "s", plan_cold),
    Budget("plan_warm", "xde plan, 1,000 models, nothing changed", 0.3, "s", plan_warm),
    Budget("plan_changed", "xde plan prod, 1,000 models, one changed", 2, "s", plan_changed),
    Budget("nothing_to_do", "xde run, 1,000 models, nothing to do", 0.5, "s", nothing_to_do),
    Budget("first_build", "first build of 200 models", 1.5, "x", first_build),
    Budget("load", "2 million rows of CSV to a checked table", 1.5, "x", load),
    Budget("load_same", "the same against the same rows by SQL", 1.5, "x", lambda project: load(project, "load_same")),
    Budget("load_json", "2 million lines of JSON to a checked table", 1.5, "x", lambda project: load(project, "load_json", "ndjson")),
    Budget("build", "a model's table of 6 million rows", 1.1, "x", build),
    Budget("large", "100 million rows, keys and windows (memory)", 8, "GB", large),
    Budget("test_one", "xde test, one case (wall)", 0.5, "s", test_one),
    Budget("test_100", "xde test, 100 cases (wall)", 3, "s", test_100),
    Budget("watch", "xde test --watch, a model saved (wall)", 0.2, "s", watch),
    Budget("diff", "xde diff, 5 million rows against 5 million", 2.5, "x", diff),
    Budget("push", "an event pushed, beside its bytes kept", 1.2, "x", lambda _: push(("json", 1, 64))),
    Budget("push_lines", "1,000 events in one push, beside the same", 3.5, "x", lambda _: push(("ndjson", 1000, 8))),
    Budget("push_grouped", "a sync for many pushes, beside one for each", 1.1, "x", push_grouped),
    Budget("capture", f"{capturing.CHANGES:,} changes of a log of PostgreSQL", 2.5, "x", capture),
    Budget("checks", "20 checks on 6 million rows", 1.3, "x", checks),
)


def _figure(seconds: float) -> str:
    return f"{seconds:.2f}" if seconds >= 1 else f"{seconds:.3g}"


def measured(budget: Budget, pairs: int) -> list[tuple[float, float]]:
    """The pairs of one budget, taken in turns in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="xde_bench_") as folder:
        pair = budget.prepare(Path(folder) / "project")
        return [pair() for _ in range(pairs)]


def main() -> int:
    """Measure what was asked for, print a line each, and say by the exit code whether all are within."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"which of {', '.join(b.name for b in BUDGETS)} (default: all)")
    parser.add_argument("--pairs", type=int, default=3, help="how many pairs to take the median of")
    asked = parser.parse_args()
    unknown = set(asked.names) - {b.name for b in BUDGETS}
    if unknown:
        parser.error(f"no such budget: {', '.join(sorted(unknown))}")
    print(f"{'work':<42} {'figure':>8}   {'budget':>8}   within", flush=True)
    over = 0
    for budget in BUDGETS:
        if asked.names and budget.name not in asked.names:
            continue
        try:
            pairs = measured(budget, asked.pairs)
        except capturing.NoServerError as error:
            print(f"{budget.work:<42} not measured: {error}", flush=True)
            continue
        figure = statistics.median(ours / theirs for ours, theirs in pairs)
        over += figure > budget.bound
        detail = "" if budget.unit != "x" else f"  ({', '.join(f'{_figure(ours)}/{_figure(theirs)}' for ours, theirs in pairs)})"
        within = "yes" if figure <= budget.bound else "NO"
        figures = f"{figure:>8.2f} {budget.unit:<2} {budget.bound:>7.2f} {budget.unit:<2}"
        print(f"{budget.work:<42} {figures}  {within}{detail}", flush=True)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
