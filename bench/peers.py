"""The same project in xde, in dbt with DuckDB and in SQLMesh: first build and a run in which nothing has changed. See docs/budgets.md."""

from __future__ import annotations

import argparse
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import generate

if TYPE_CHECKING:
    from collections.abc import Callable

XDE = str(Path(sys.executable).parent / "xde")
SEED = 20131103
ROWS = 20_000  # of each of the ten sources
LOOKED_AT = 10  # models whose rows are compared

# Newer releases of dbt-core fetch a program from the network when they are installed; SQLMesh takes no DuckDB of the second generation.
DBT = ("dbt-core==1.11.16", "dbt-duckdb==1.11.1", f"duckdb=={duckdb.__version__}")
SQLMESH = ("sqlmesh==0.236.4", "duckdb==1.5.6")
QUIET = {"NO_COLOR": "1", "DO_NOT_TRACK": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "SQLMESH__DISABLE_ANONYMIZED_ANALYTICS": "true"}

TABLE = re.compile(r"\b(raw|layer\d+)\.(\w+)")
HEAD = re.compile(r"\A/\* xde.*?\*/\s*", re.DOTALL)
TYPES = ", ".join(f"'{name}': '{kind}'" for name, kind, _ in generate.COLUMNS)


@dataclass(frozen=True)
class Peer:
    """A tool: how its project is made of ours, its first build, what says that nothing has changed, and what a build leaves."""

    name: str
    versions: str
    make: Callable[[Path, Path], None]
    first: tuple[str, ...]
    again: tuple[str, ...]
    forget: Callable[[Path], None]
    rows: Callable[[Path, str], tuple[object, ...]]
    keep: Callable[[Path], None] = lambda _: None


def spent(folder: Path, *command: str) -> tuple[float, float]:
    """Seconds on the clock and of the CPU (user and system, with its children) of a command, which must succeed."""
    with tempfile.TemporaryFile() as said:
        environment = {k: v for k, v in os.environ.items() if k not in {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH"}} | QUIET
        if command[0] == XDE and "PYTHONPATH" in os.environ:
            environment["PYTHONPATH"] = os.environ["PYTHONPATH"]
        begun = time.monotonic()
        process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{said.read().decode(errors='replace')[-4000:]}")
        return wall, usage.ru_utime + usage.ru_stime


def installed(cache: Path, name: str, packages: tuple[str, ...]) -> Path:
    """The programs of a peer, in a virtual environment of its own that is made once."""
    folder = cache / name
    told = folder / "packages.txt"
    if not told.exists() or told.read_text(encoding="utf-8").split() != list(packages):
        print(f"installing {', '.join(packages)} into {folder}", flush=True)
        venv.create(folder, clear=True, with_pip=True)
        subprocess.run([folder / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages], check=True)
        told.write_text("\n".join(packages), encoding="utf-8")
    return folder / "bin"


def queries(project: Path) -> dict[str, str]:
    """The SQL of each of our models, by dataset, without its head."""
    paths = sorted((project / "models").rglob("*.sql"))
    return {f"{p.parent.name}.{p.stem}": HEAD.sub("", p.read_text(encoding="utf-8")) for p in paths}


def delivered(project: Path) -> dict[str, str]:
    """The SQL that reads each source into a table with our types: kinder to a peer than its own seeds."""
    files = sorted((project / "data").glob("*.csv"))
    return {f"raw.{p.stem}": f"SELECT * FROM read_csv('{p}', header = true, columns = {{{TYPES}}})" for p in files}


def make_dbt(project: Path, folder: Path) -> None:
    """Each dataset a table, names without their schema; no tests."""
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(
        "name: compared\nversion: 1.0.0\nprofile: compared\nmodels: {compared: {+materialized: table}}\n"
        "flags: {send_anonymous_usage_stats: false, version_check: false}\n",
        encoding="utf-8",
    )
    (folder / "profiles.yml").write_text(
        "compared: {target: dev, outputs: {dev: {type: duckdb, path: graph.duckdb, threads: 2}}}\n", encoding="utf-8"
    )
    for name, sql in {**delivered(project), **queries(project)}.items():
        text = TABLE.sub(lambda m: "{{ ref('" + m[2] + "') }}", sql) if not name.startswith("raw.") else sql
        (folder / f"models/{name.partition('.')[2]}.sql").write_text(text, encoding="utf-8")


def make_sqlmesh(project: Path, folder: Path) -> None:
    """Each dataset a model of the kind FULL; no audits."""
    (folder / "models").mkdir(parents=True)
    settings = (
        "gateways: {local: {connection: {type: duckdb, database: graph.duckdb}}}",
        "default_gateway: local",
        "model_defaults: {dialect: duckdb}",
    )
    (folder / "config.yaml").write_text("\n".join(settings) + "\n", encoding="utf-8")
    for name, sql in {**delivered(project), **queries(project)}.items():
        text = f"MODEL (name {name}, kind FULL);\n\n{sql.rstrip()}\n"
        (folder / f"models/{name.replace('.', '__')}.sql").write_text(text, encoding="utf-8")


SUMS = "count(*), sum(id), sum(firsts), sum(amount)"


def rows_of_ours(folder: Path, dataset: str) -> tuple[object, ...]:
    """What stands for a model's rows, from our lake."""
    file = folder / "shown.parquet"
    spent(folder, XDE, "show", dataset, "--output", str(file))
    return _one(f"SELECT {SUMS} FROM '{file}'")


def _one(sql: str, database: Path | None = None) -> tuple[object, ...]:
    with duckdb.connect(str(database) if database else ":memory:", read_only=database is not None) as connection:
        found = connection.execute(sql).fetchone()
    assert found is not None
    return found


def forgotten(*names: str) -> Callable[[Path], None]:
    """Takes away what a tool has made."""

    def forget(folder: Path) -> None:
        for name in names:
            shutil.rmtree(folder / name, ignore_errors=True)
            (folder / name).unlink(missing_ok=True)

    return forget


def keep_manifest(folder: Path) -> None:
    """dbt compares with the manifest of an earlier call."""
    shutil.rmtree(folder / "before", ignore_errors=True)
    shutil.copytree(folder / "target", folder / "before")


def peers(cache: Path) -> tuple[Peer, ...]:
    """Ours and the others, installed."""
    dbt = str(installed(cache, "dbt", DBT) / "dbt")
    sqlmesh_programs = installed(cache, "sqlmesh", SQLMESH)
    sqlmesh = str(sqlmesh_programs / "sqlmesh")
    told = f"SELECT {SUMS} FROM "
    return (
        Peer(
            "xde",
            f"duckdb {duckdb.__version__}",
            lambda project, folder: shutil.copytree(project, folder),
            (XDE, "run"),
            (XDE, "run"),
            forgotten(".xde"),
            rows_of_ours,
        ),
        Peer(
            "dbt-duckdb",
            " ".join(DBT).replace("==", " "),
            make_dbt,
            (dbt, "run", "--profiles-dir", "."),
            (dbt, "run", "--profiles-dir", ".", "--select", "state:modified", "--state", "before"),
            forgotten("target", "before", "logs", "graph.duckdb"),
            lambda folder, dataset: _one(told + dataset.partition(".")[2], folder / "graph.duckdb"),
            keep_manifest,
        ),
        Peer(
            "SQLMesh",
            " ".join(SQLMESH).replace("==", " "),
            make_sqlmesh,
            (sqlmesh, "plan", "--auto-apply", "--no-prompts"),
            (sqlmesh, "plan", "--auto-apply", "--no-prompts"),
            forgotten(".cache", "logs", "graph.duckdb"),
            lambda folder, dataset: _one(told + dataset, folder / "graph.duckdb"),
        ),
    )


Figures = dict[str, list[tuple[float, float]]]


def measured(all_peers: tuple[Peer, ...], project: Path, room: Path, times: int) -> dict[str, Figures]:
    """Seconds of each peer, in turns; what each one's last build holds must be the same."""
    for peer in all_peers:
        peer.make(project, room / peer.name)
    found: dict[str, Figures] = {p.name: {"first": [], "again": []} for p in all_peers}
    for _ in range(times):
        for peer in all_peers:
            folder = room / peer.name
            peer.forget(folder)
            found[peer.name]["first"].append(spent(folder, *peer.first))
            peer.keep(folder)
            spent(folder, *peer.again)  # what is kept between calls is there from now on
            found[peer.name]["again"].append(spent(folder, *peer.again))
    _same(all_peers, project, room)
    return found


def _same(all_peers: tuple[Peer, ...], project: Path, room: Path) -> None:
    names = sorted(queries(project), key=lambda name: int(name.rpartition("m")[2]))
    for name in names[:: max(1, len(names) // LOOKED_AT)] + names[-1:]:
        ours, *theirs = [peer.rows(room / peer.name, name) for peer in all_peers]
        for peer, rows in zip(all_peers[1:], theirs, strict=True):
            if rows[:3] != ours[:3] or not math.isclose(float(str(rows[3])), float(str(ours[3])), rel_tol=1e-6):
                sys.exit(f"{peer.name} and {all_peers[0].name} do not agree on `{name}`: {rows}, {ours}")


def main() -> int:
    """Measure, and print a line for each tool and kind of run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=200)
    parser.add_argument("--times", type=int, default=3, help="how often each is measured; the figures are medians")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/xde-peers", help="where the others are installed")
    asked = parser.parse_args()
    all_peers = peers(asked.cache.resolve())
    with tempfile.TemporaryDirectory(prefix="xde_peers_") as place:
        project = Path(place) / "project"
        generate.graph_project(project, asked.models, ROWS, SEED)
        found = measured(all_peers, project, Path(place) / "peers", asked.times)
    print(f"{asked.models} models over ten files of {ROWS:,} rows; medians of {asked.times}")
    print(f"{'':<24} {'wall':>8} {'CPU':>8}   {'times xde: wall':>15} {'CPU':>6}   goal")
    ours = found[all_peers[0].name]
    for kind, title, goal in (("first", "first build", 5), ("again", "nothing has changed", 20)):
        print(title)
        base = [statistics.median(x[i] for x in ours[kind]) for i in (0, 1)]
        for peer in all_peers:
            wall, cpu = (statistics.median(x[i] for x in found[peer.name][kind]) for i in (0, 1))
            ratio = "" if peer is all_peers[0] else f"{wall / base[0]:>15.1f} {cpu / base[1]:>6.1f}   {goal}"
            print(f"  {peer.name:<22} {wall:>6.2f} s {cpu:>6.2f} s   {ratio}".rstrip())
    for peer in all_peers:
        print(f"{peer.name}: {peer.versions}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
