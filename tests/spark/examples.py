"""The example projects, built on one engine and on the other, and their tables held against each other."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from xde.app.workspace import Workspace
from xde.kernel.project.settings import EngineSettings

EXAMPLES = Path(__file__).parents[2] / "examples"


def build(name: str, folder: Path, settings: EngineSettings | None) -> Path:
    """Copy a project, name the engine in its `xde.yaml`, run it."""
    root = folder / f"{name}-{settings.name if settings else 'duckdb'}"
    shutil.copytree(EXAMPLES / name, root, ignore=shutil.ignore_patterns(".xde"))
    if settings:
        name_it(root, settings)
    with Workspace.open(root) as workspace:
        finished = workspace.run()
        wrong = [
            f"{o.step.id}: {o.status} {[(f.code, f.message, f.why) for f in o.findings]}" for o in finished.outcomes if o.status != "done"
        ]
        assert not wrong, "\n".join(wrong)
    return root


def name_it(root: Path, settings: EngineSettings) -> None:
    """One change of one file."""
    where = f"master: '{settings.master}'" if settings.master else f"remote: '{settings.remote}'"
    options = "".join(f"\n    {n}: '{v}'" for n, v in settings.options.items())
    with (root / "xde.yaml").open("a") as stream:
        stream.write(f"\nengine:\n  name: {settings.name}\n  {where}\n" + (f"  options:{options}\n" if options else ""))


def tables(root: Path) -> dict[str, tuple[object, str]]:
    """Of every table its schema as the lake has it, and a query of its rows."""
    with Workspace.open(root) as workspace:
        lake, found = workspace.house.lake, {}
        for table in lake.tables():
            snapshot = lake.snapshot(table)
            paths = ", ".join(f"'{p}'" for p in snapshot.paths)
            items = ", ".join(f'round("{c.name}", 9) AS "{c.name}"' if c.type == "DOUBLE" else f'"{c.name}"' for c in snapshot.schema)
            found[f"{table.dataset}@{table.version}"] = (snapshot.schema, f"SELECT {items} FROM read_parquet([{paths}])")
    return found


def differences(one: Path, other: Path) -> list[str]:
    """What differs, in words; floats are compared to 9 digits after the point."""
    ours, theirs = tables(one), tables(other)
    found = [f"only one has {n}" for n in sorted(set(ours) ^ set(theirs))]
    for name in sorted(set(ours) & set(theirs)):
        (a_schema, a), (b_schema, b) = ours[name], theirs[name]
        if a_schema != b_schema:
            found.append(f"{name}: schema {a_schema} and {b_schema}")
        for first, second in ((a, b), (b, a)):
            with duckdb.connect() as asked:
                asked.execute("SET TimeZone = 'UTC'")
                (count,) = asked.execute(f"SELECT count(*) FROM ({first} EXCEPT ALL {second})").fetchall()[0]
            if count:
                found.append(f"{name}: {count} rows")
    return found
