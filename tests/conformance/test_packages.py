"""Packages, made in earnest: proved in a fresh environment, built into an image's folders by its own lines, and refused when they do not hold."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest

from xde.app.locking import write_lock
from xde.app.packaging import Order, package
from xde.ground.errors import UserError
from xde.undercurrents.engineering.delivery.locking import canonical
from xde.undercurrents.engineering.delivery.wheel import Wheel

pytestmark = pytest.mark.peer  # pip is one: it installs what is locked, from an index

EXAMPLE = Path(__file__).parents[2] / "examples/jaffle_shop"


@pytest.fixture(scope="session")
def lock(tmp_path_factory):
    """A lock, worked out once, without what only the extras need that this environment happens to have."""
    root = tmp_path_factory.mktemp("locking")
    (root / "xde.yaml").write_text("name: shop\n")
    path, number = write_lock(root, hashes=False)
    assert number > 10
    needed = needed_by("xde")
    lines = path.read_text().splitlines(keepends=True)
    kept = [line for line in lines if line.startswith("#") or canonical(line.partition("==")[0].strip()) in needed]
    assert 8 < len(kept) < 25
    return "".join(kept)


def needed_by(name):
    """The names of all that a package of this environment cannot do without, and its own; of extras those that it asks for by name."""
    found, left = set(), [(name, "")]
    while left:
        name, extras = left.pop()
        if (name, extras) in found:
            continue
        found.add((name, extras))
        for text in requires(name) or []:
            requirement, _, marker = text.partition(";")
            wanted = re.match(r"([A-Za-z0-9._-]+)(?:\[([^\]]*)\])?", requirement.strip())
            extra = re.search(r"extra\s*==\s*['\"]([^'\"]*)", marker)
            if (extra is None or extra[1] in extras.split(",")) and installed(wanted[1]):
                left.append((canonical(wanted[1]), wanted[2] or ""))
    return {name for name, _ in found}


def installed(name):
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A project under Git, tagged as 1.2.0, whose ledger is named by the environment."""
    monkeypatch.setenv("PIP_NO_COMPILE", "0")  # pip's way to say yes to it: of what is installed for a test most is never imported
    root = tmp_path / "shop"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".xde"))
    (root / "xde.yaml").write_text("name: jaffle shop\nlake: /lake\nledger: ${env:SHOP_LEDGER}\n")
    (root / ".gitignore").write_text(".xde/\n/dist/\n")
    commit(root)
    git(root, "tag", "v1.2.0")
    return root


def git(root, *words):
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", str(root), *who, *words], check=True, capture_output=True)


def commit(root):
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "x")


def refused(root, **order):
    with pytest.raises(UserError) as raised:
        package(root, Order(root / "dist", **order))
    assert not (root / "dist").exists()
    assert not list(root.glob(".dist.*"))
    return raised.value.findings


def carry_out(text: str, context: Path, root: Path) -> dict[str, str]:
    """Carry out a Dockerfile's own steps in a folder that stands for `/`; gives what the last stage says of the environment.

    What cannot be done without a container is left out: owners, and the user.
    """
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
    stages, variables, here = [line for line in lines if line.startswith("FROM ")], {"PATH": "/usr/bin:/bin"}, "/"
    assert len(stages) == 2

    def placed(words: str) -> str:
        return re.sub(r"(?<![\w.])/(opt|project|build)\b", lambda m: f"{root}/{m[1]}", words)

    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "FROM":
            variables, here = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}, "/"
        elif word == "ENV":
            for name, value in (pair.split("=", 1) for pair in shlex.split(rest)):
                variables[name] = placed(value).replace("$PATH", variables["PATH"])
        elif word == "WORKDIR":
            here = placed(rest)
            Path(here).mkdir(parents=True, exist_ok=True)
        elif word == "COPY":
            words = shlex.split(re.sub(r"--chown=\S+ ", "", rest))
            if words[0].startswith("--from="):
                assert words[1] == words[2], "from the stage before, to the same place: it is there already"
                assert Path(placed(words[1])).is_dir()
                continue
            for name in words[:-1]:
                shutil.copy(context / name, Path(here) / words[-1])
        elif word == "RUN":
            done = subprocess.run(
                ["bash", "-ec", placed(rest)], cwd=root if here == "/" else here, env=variables, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr
        else:
            assert word in {"LABEL", "USER", "ENTRYPOINT"}
    return variables


def test_a_package_holds_what_passed_and_its_image_runs_it(shop, lock, tmp_path):
    (shop / "requirements.lock").write_text(lock)
    git(shop, "add", "--all")
    git(shop, "commit", "--quiet", "--message", "lock")
    git(shop, "tag", "v1.2.1")
    packed = package(shop, Order(shop / "dist", hashes=True))
    assert (packed.name, packed.version, packed.proof.passed) == ("jaffle_shop", "1.2.1", 12)
    assert sorted(p.name for p in packed.folder.iterdir()) == list(packed.files)
    proof = json.loads((packed.folder / "proof.json").read_text())
    assert proof["cases"] == {"passed": 12}
    assert {p["name"] for p in proof["packages"]} >= {"duckdb", "deltalake", "xde"}
    assert all(p["sha256"] for p in proof["packages"])
    with zipfile.ZipFile(packed.folder / "jaffle_shop-1.2.1-py3-none-any.whl") as wheel:
        held = {n.removeprefix("jaffle_shop/project/") for n in wheel.namelist() if "/project/" in n}
    assert "models/marts/customers.sql" in held
    assert not any(n.startswith(("data", "tests")) for n in held), "definitions, and nothing else"

    image = (packed.folder / "Dockerfile").read_text()
    assert "`SHOP_LEDGER`" in image
    root = tmp_path / "root"
    root.mkdir()
    variables = carry_out(image, packed.folder, root)
    assert variables["XDE_PROJECT"] == f"{root}/project"
    listed = subprocess.run(
        [
            "bash",
            "-ec",
            "xde --project $XDE_PROJECT --version; xde contract diff $XDE_PROJECT/sources/raw.yaml $XDE_PROJECT/sources/raw.yaml",
        ],
        cwd=root,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert listed.returncode == 0, listed.stderr
    assert shutil.which("xde", path=variables["PATH"]) == f"{root}/opt/xde/bin/xde"

    # the same again replaces it, and what somebody has put there stops it
    (packed.folder / "notes.txt").write_text("mine")
    with pytest.raises(UserError) as raised:
        package(shop, Order(shop / "dist"))
    assert [f.code for f in raised.value.findings] == ["XDE0976"]


def test_cases_that_fail_with_the_package_stop_it(shop, lock):
    (shop / "requirements.lock").write_text(lock)
    model = shop / "models/marts/customers.sql"
    model.write_text(model.read_text().replace("count(*) AS number", "1 + count(*) AS number"))
    commit(shop)
    (finding,) = refused(shop)
    assert finding.code == "XDE0975"
    assert "`marts.customers`: " in finding.why


def test_a_dependency_that_does_not_install_stops_it(shop):
    (shop / "requirements.txt").write_text("# ours\nclick==0.0.0.1\n")
    commit(shop)
    (finding,) = refused(shop)
    assert finding.code == "XDE0971"
    assert "click" in finding.message
    assert "No matching distribution" in finding.why or "conflict" in finding.why.lower()


def test_a_dependency_that_does_not_import_stops_it(shop, lock, tmp_path, monkeypatch):
    broken = Wheel(
        "broken-thing",
        "1.0",
        {"broken_thing.py": b"import no_such_library\n"},
        {"METADATA": "Metadata-Version: 2.1\nName: broken-thing\nVersion: 1.0\n"},
    )
    (tmp_path / broken.filename).write_bytes(broken.content())
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    (shop / "requirements.txt").write_text("broken-thing>=1\n")
    (shop / "requirements.lock").write_text(f"{lock}broken-thing==1.0\n")
    commit(shop)
    (finding,) = refused(shop)
    assert (finding.code, finding.span.line) == ("XDE0972", 1)
    assert "No module named 'no_such_library'" in finding.why


def test_a_lock_that_is_not_whole_stops_it(shop):
    (shop / "requirements.lock").write_text("rich==15.0.0\nxde==0.1.0\n")
    commit(shop)
    (finding,) = refused(shop)
    assert finding.code == "XDE0973"
    assert "requires" in finding.why
