"""A project whose files come, change and go is read as if nobody had ever seen it, whatever was kept of it."""

from __future__ import annotations

import os
import pickle
import random
import shutil

import pytest

from xde import __version__
from xde.app.keeping import FORMAT, REMEMBERED, kept_memory
from xde.app.understanding import understand
from xde.app.wiring import house_of
from xde.ground.errors import UserError
from xde.kernel.project import memory, odcs
from xde.kernel.project.files import project_files
from xde.kernel.project.memory import Memory
from xde.kernel.project.reader import read_project

CONTRACT = """apiVersion: v3.1.0
kind: DataContract
id: {name}
name: {name}
version: 1.0.0
status: active
schema:
  - name: {table}
    properties:
      - name: id
        logicalType: integer
        physicalType: BIGINT
        {more}
"""
HEAD = "/* xde\nkind: {kind}\ndescription: {words}\n*/\n"
SOURCE = CONTRACT.format(name="raw", table="t", more="required: true").replace(
    "schema:\n  - name: t\n",
    "servers:\n  - {server: f, type: local, path: data, format: csv}\nschema:\n  - name: t\n    physicalName: t.csv\n",
)
TEXTS = {
    "xde.yaml": ("name: p\n", "name: q\nparameters: {limit: 3}\n", "name: p\ncolour: red\n"),
    "sources/raw.yaml": (
        SOURCE,
        SOURCE.replace("required: true", "unique: true"),
        SOURCE.replace("logicalType: integer", "logicalType: int"),
    ),
    "models/a/one.sql": (
        HEAD.format(kind="table", words="One") + "SELECT id FROM raw.t\n",
        HEAD.format(kind="view", words="One") + "SELECT id FROM raw.t\n",
        HEAD.format(kind="tabel", words="One") + "SELECT id FROM raw.t\n",
        "\n\n" + HEAD.format(kind="table", words="One") + "SELECT idd FROM raw.t\n",
    ),
    "models/a/two.sql": ("SELECT id FROM a.one\n", "SELECT id + 1 AS id FROM a.one\n", "-- nothing\n", "SELECT id FROM a.one WHERE\n"),
    "models/a/two.yaml": (
        CONTRACT.format(name="two", table="two", more="required: true"),
        CONTRACT.format(name="two", table="two", more="logicalTypeOptions: {minimum: 0}"),
        CONTRACT.format(name="two", table="other", more="unique: true"),
        CONTRACT.format(name="two", table="two", more="requried: true"),
        "schema: [\n",
    ),
    "models/b/two.sql": ("SELECT 1 AS id\n", "/* xde\nkind: table\n", "SELECT id FROM a.two\n"),
    "flows/own.py": ("", "def of(:\n"),
}


def write(root, path, text):
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, "utf-8")


def made(root):
    for path, texts in TEXTS.items():
        if not path.startswith("flows"):
            write(root, path, texts[0])
    return root


@pytest.fixture
def project(tmp_path):
    return made(tmp_path / "p")


def change(root, chance):
    """One thing that happens to a project between two commands; times are put back, so that they tell nobody of it."""
    path = chance.choice(list(TEXTS))
    target = root / path
    before = target.stat().st_mtime_ns if target.exists() else None
    match chance.choice(("edit", "edit", "edit", "mend", "mend", "delete", "touch", "swap", "move")):
        case "edit":
            write(root, path, chance.choice((*TEXTS[path], *TEXTS[path][:2], *TEXTS[path][:2])))
        case "mend":
            for folder in ("models", "sources", "flows"):
                shutil.rmtree(root / folder, ignore_errors=True)
            made(root)
        case "delete":
            target.unlink(missing_ok=True)
        case "touch" if target.exists():
            target.touch()
            before = None
        case "swap":
            one, other = root / "models/a/two.sql", root / "models/b/two.sql"
            if one.exists() and other.exists():
                text = one.read_bytes()
                one.write_bytes(other.read_bytes())
                other.write_bytes(text)
        case "move" if target.exists():
            target.rename(target.with_stem(chance.choice(("one", "two", "three", "raw"))))
    if before is not None and target.exists():
        os.utime(target, ns=(before, before))


def meant(root):
    """All that a project means, or all that is wrong with it, every place included."""
    houses = []

    def house_for(found):
        houses.append(house_of(root, found.settings, None))
        return houses[0]

    try:
        known = understand(root, project_files(root), house_for)
    except UserError as error:
        return list(error.findings)
    finally:
        for house in houses:
            house.close()
    return {
        "datasets": dict(known.project.datasets),
        "settings": known.project.settings,
        "digest": known.project.digest,
        **{n: dict(getattr(known, n)) for n in ("upstream", "analyses", "readings", "checks", "checks_digests", "versions", "schemas")},
        "warnings": known.warnings,
        "order": known.order,
    }


def cold(root, aside):
    """The same of a folder that nobody ever looked at."""
    shutil.rmtree(aside, ignore_errors=True)
    shutil.copytree(root, aside, ignore=shutil.ignore_patterns(".xde"))
    return meant(aside)


@pytest.mark.parametrize("seed", range(3))
def test_what_was_kept_is_never_seen(project, tmp_path, seed):
    chance = random.Random(seed)
    good = 0
    for _ in range(16):
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            change(project, chance)
        found = meant(project)
        assert found == cold(project, tmp_path / "cold")
        good += isinstance(found, dict)
    assert 1 < good < 16


def test_one_process_that_reads_again_and_again_sees_the_same(project, tmp_path):
    """As `xde test --watch` does: one memory, that remembers also what is wrong."""
    chance, remembered = random.Random(7), Memory()
    for _ in range(150):
        change(project, chance)
        found, findings = read_project(project, remembered)
        fresh, told = read_project(project)
        assert findings.items == told.items
        assert found == fresh


@pytest.fixture
def read(monkeypatch):
    """The paths that are read indeed."""
    seen = []
    for room, name in ((memory, "read_model"), (odcs, "read_contract")):
        original = getattr(room, name)

        def noted(*words, original=original):
            seen.append(next(w for w in words if isinstance(w, str) and "/" in w))
            return original(*words)

        monkeypatch.setattr(room, name, noted)
    return seen


def test_only_what_changed_is_read(project, read):
    meant(project)
    assert set(read) == {"sources/raw.yaml", "models/a/one.sql", "models/a/two.sql", "models/a/two.yaml", "models/b/two.sql"}
    read.clear()
    write(project, "models/a/two.sql", TEXTS["models/a/two.sql"][1])
    meant(project)
    assert read == ["models/a/two.sql"]
    read.clear()
    write(project, "models/c/new.sql", "SELECT 1 AS id\n")
    meant(project)
    assert read == ["models/c/new.sql"]
    read.clear()
    (project / "models/c/new.sql").unlink()
    meant(project)
    assert read == []
    assert "models/c/new.sql" not in kept_memory(project)._before


def test_what_is_wrong_with_a_file_is_not_written_down_and_costs_only_that_file(project, read):
    write(project, "models/a/one.sql", TEXTS["models/a/one.sql"][2])
    first = meant(project)
    read.clear()
    assert meant(project) == first
    assert read == ["models/a/one.sql"]
    assert b"tabel" not in (project / ".xde/cache" / REMEMBERED).read_bytes()


def test_a_file_that_says_nothing_new_is_not_written_again(project):
    meant(project)
    path = project / ".xde/cache" / REMEMBERED
    before = path.stat().st_ino
    write(project, "xde.yaml", TEXTS["xde.yaml"][1])
    meant(project)
    assert path.stat().st_ino == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b[: len(b) // 2],
        lambda _: b"",
        lambda b: b.partition(b"\n")[0] + b"\nnonsense",
        lambda b: b[1:],
        lambda b: b.partition(b"\n")[0] + b"\n" + pickle.dumps([1, 2]),
        lambda b: b.partition(b"\n")[0] + b"\n" + pickle.dumps({"models/a/one.sql": "x"}),
        lambda b: b.replace(f":{FORMAT}:".encode(), f":{FORMAT + 1}:".encode(), 1),
        lambda b: b.replace(f"{__version__}:".encode(), b"0.0.1:", 1),
    ],
)
def test_what_cannot_be_read_or_is_of_another_version_is_as_good_as_nothing(project, tmp_path, read, damage):
    meant(project)
    path = project / ".xde/cache" / REMEMBERED
    path.write_bytes(damage(path.read_bytes()))
    write(project, "models/a/two.sql", TEXTS["models/a/two.sql"][1])
    read.clear()
    found = meant(project)
    assert len(read) == 5
    assert found == cold(project, tmp_path / "cold")


def test_what_is_kept_is_of_the_files_that_were_read(project):
    """A file that changes between the look at all files and the reading of them is not kept for what it was before."""
    files = project_files(project)
    write(project, "models/a/two.sql", TEXTS["models/a/two.sql"][1])
    known = understand(project, files, lambda p: house_of(project, p.settings, None))
    assert known.project.datasets["a.two"].sql == TEXTS["models/a/two.sql"][0]
    assert meant(project)["datasets"]["a.two"].sql == TEXTS["models/a/two.sql"][1]
