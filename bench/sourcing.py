"""Data brought in by xde, by ConnectorX and by dlt: from PostgreSQL, CSV, lines of JSON. CPU seconds, in turns. See docs/budgets.md.

    python bench/sourcing.py                        # all of it
    python bench/sourcing.py postgres --times 1 --peers connectorx     # one of postgres, readings, csv, ndjson
    python bench/sourcing.py readings postgres --peers none            # xde by its two readers alone

It starts a PostgreSQL server from the system's programs; what the server itself spends is not counted for anybody. The peers are spared
what xde does by the way: types of a contract, rules, an account of every record, a table that is committed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import generate
from peers import XDE, installed, spent

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import psycopg

from projects import postgres

if TYPE_CHECKING:
    from collections.abc import Callable

READERS = str(Path(__file__).with_name("readers.py"))
PACKAGES = (
    "connectorx==0.4.6",
    "dlt[filesystem,parquet,sql-database]==1.31.0",
    f"duckdb=={duckdb.__version__}",
    "psycopg[binary]==3.3.9",
    "pyarrow==26.0.0",
)
OTHER = "xde_reader"  # xde by ConnectorX
SEED, ROWS = 20131103, 2_000_000
SERVER = (
    "{{server: till, type: postgres, host: 127.0.0.1, port: {port}, database: bench, schema: public, "
    'customProperties: [{{property: xdeUser, value: xde}}, {{property: xdePassword, value: "${{env:BENCH_PASSWORD}}"}}]}}'
)


@dataclass(frozen=True)
class Race:
    """What is brought in: how it is made, where the peers read it, who runs, and how many times theirs may be ours.

    `readers`: xde brings it in by its other reader of PostgreSQL, too.
    """

    name: str
    make: Callable[[Path, int], str]
    against: dict[str, float]
    readers: bool = False


def from_postgres(project: Path, rows: int) -> str:
    """A table on the server, and a project that reads it."""
    server = database()
    file = project.parent / "lineitem.csv"
    with duckdb.connect() as engine:
        engine.execute(f"COPY ({generate.lineitem_query(rows, SEED)}) TO '{file}' (HEADER)")
    columns = ", ".join(f"{n} {k.replace('VARCHAR', 'text')}" for n, k, _ in generate.LINEITEM)
    with psycopg.connect(server.url("bench"), autocommit=True) as connection, file.open("rb") as data:
        connection.execute(f"CREATE TABLE lineitem ({columns})")
        with connection.cursor() as cursor, cursor.copy("COPY lineitem FROM STDIN (FORMAT csv, HEADER)") as copy:
            while block := data.read(1 << 20):
                copy.write(block)
        connection.execute("VACUUM ANALYZE lineitem")
    file.unlink()
    reading(project, "lineitem", generate.properties())
    return server.url("bench")


def from_readings(project: Path, rows: int) -> str:
    """A table of numbers and times: half as many rows of it."""
    server = database()
    types = {"id": "int8", "sensor": "int4", "at": "timestamptz", **dict.fromkeys("abcdef", "float8"), "ok": "bool"}
    values = (
        "n, n % 1000, timestamptz '2026-01-01Z' + n * interval '0.137 s', sin(n), cos(n) * 100, tan(n), sqrt(n), ln(n), n / 7.0, n % 5 <> 0"
    )
    with psycopg.connect(server.url("bench"), autocommit=True) as connection:
        connection.execute(f"CREATE TABLE readings ({', '.join(f'{n} {t}' for n, t in types.items())})")
        connection.execute(f"INSERT INTO readings SELECT {values} FROM generate_series(1, {rows // 2}) AS n")
        connection.execute("VACUUM ANALYZE readings")
    ours = {"int8": "BIGINT", "int4": "INTEGER", "timestamptz": "TIMESTAMP WITH TIME ZONE", "float8": "DOUBLE", "bool": "BOOLEAN"}
    reading(project, "readings", [f"      - {{name: {n}, logicalType: number, physicalType: {ours[t]}}}" for n, t in types.items()])
    return server.url("bench")


def database() -> postgres.PostgresServer:
    """An empty database of the server."""
    server = SERVERS[0]
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS bench")
        connection.execute("CREATE DATABASE bench")
    os.environ["BENCH_PASSWORD"] = postgres.PASSWORD
    return server


def reading(project: Path, table: str, properties: list[str]) -> None:
    """A project that reads a table; and one beside it that reads it by ConnectorX."""
    for folder, words in ((project, []), (by_connectorx(project), ["    customProperties: [{property: xdeReader, value: connectorx}]"])):
        (folder / "sources").mkdir(parents=True)
        (folder / "xde.yaml").write_text(f"name: {table}\n", encoding="utf-8")
        text = generate.contract("tpch", {table: ["    physicalType: table", *words, "    properties:", *properties]})
        text = text.replace("schema:\n", f"servers:\n  - {SERVER.format(port=SERVERS[0].port)}\nschema:\n", 1)
        (folder / "sources/tpch.yaml").write_text(text, encoding="utf-8")


def by_connectorx(project: Path) -> Path:
    """Where the project is that reads by ConnectorX."""
    return project.parent / "by_connectorx"


def from_file(kind: str) -> Callable[[Path, int], str]:
    """A file of two million rows, one in a hundred bad."""

    def make(project: Path, rows: int) -> str:
        generate.lineitem_project(project, kind, rows, SEED)
        return str(project / f"data/lineitem.{kind}")

    return make


RACES = (
    Race("postgres", from_postgres, {"connectorx": 1.3, "dlt_arrow": 0.5, "dlt_connectorx": 1.0, "dlt_rows": 0.1}, readers=True),
    Race("readings", from_readings, {}, readers=True),
    Race("csv", from_file("csv"), {"dlt_csv": 1.0}),
    Race("ndjson", from_file("ndjson"), {"dlt_jsonl": 1.0}),
)
SERVERS: list[postgres.PostgresServer] = []


def run(race: Race, python: str, times: int, rows: int) -> bool:
    """Print a line for each who ran; whether all are within."""
    with tempfile.TemporaryDirectory(prefix="xde_bench_") as place:
        project = Path(place) / "project"
        where = race.make(project, rows)
        found: dict[str, list[tuple[float, float]]] = {"xde": [], **{n: [] for n in race.against}}
        for _ in range(times):
            shutil.rmtree(project / ".xde", ignore_errors=True)
            found["xde"].append(spent(project, XDE, "run"))
            if race.readers:
                other = by_connectorx(project)
                shutil.rmtree(other / ".xde", ignore_errors=True)
                found.setdefault(OTHER, []).append(spent(other, XDE, "run"))
            for name in race.against:
                folder = Path(place) / name
                folder.mkdir()
                found[name].append(spent(folder, python, READERS, name, where, str(folder)))
                shutil.rmtree(folder)
    ours = statistics.median(cpu for _, cpu in found["xde"])
    wall = statistics.median(wall for wall, _ in found["xde"])
    print(f"{race.name:<10} {'xde':<12} {wall:>7.1f} s wall {ours:>7.1f} s CPU", flush=True)
    if race.readers:
        cpu, other = (statistics.median(x[n] for x in found[OTHER]) for n in (1, 0))
        print(f"{race.name:<10} {OTHER:<12} {other:>7.1f} s wall {cpu:>7.1f} s CPU   {cpu / ours:.2f} times xde by COPY", flush=True)
    well = True
    for name, bound in race.against.items():
        theirs = statistics.median(cpu for _, cpu in found[name])
        wall = statistics.median(wall for wall, _ in found[name])
        within = ours <= bound * theirs
        well = well and within
        said = f"xde is {ours / theirs:.2f} times it, budget {bound:g}: {'yes' if within else 'NO'}"
        print(f"{race.name:<10} {name:<12} {wall:>7.1f} s wall {theirs:>7.1f} s CPU   {said}", flush=True)
    return well


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"which of {', '.join(r.name for r in RACES)} (default: all)")
    parser.add_argument("--peers", nargs="*", help="which of them (default: all)")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/xde-peers", help="where the peers are installed")
    asked = parser.parse_args()
    races = [
        replace(r, against={n: b for n, b in r.against.items() if not asked.peers or n in asked.peers})
        for r in RACES
        if not asked.names or r.name in asked.names
    ]
    python = str(installed(asked.cache, "readers", PACKAGES) / "python")
    if any(r.readers for r in races):
        with postgres.serving() as server:
            SERVERS.append(server)
            within = [run(r, python, asked.times, asked.rows) for r in races]
    else:
        within = [run(r, python, asked.times, asked.rows) for r in races]
    return 0 if all(within) else 1


if __name__ == "__main__":
    sys.exit(main())
