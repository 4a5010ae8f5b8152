"""The tested unit: a wheel of the project, the lock it was tried with, an image; made aside, proved in a fresh place, published whole."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from xde.app.dependencies import TEXT, needed, not_imported
from xde.app.locking import LOCK, Locker, locked
from xde.app.opening import settings_of
from xde.app.own_wheel import came_from_an_index, own_wheel
from xde.app.proving import Proof, prove
from xde.app.repositories import Repository, repository_of
from xde.app.venvs import Venv, does_not_install, fresh
from xde.ground.errors import UserError
from xde.ground.findings import Finding, Severity
from xde.ground.names import is_identifier
from xde.ground.records import dataclass
from xde.kernel.project.files import digest_of, project_files
from xde.undercurrents.engineering.delivery.dockerfile import Image, dockerfile
from xde.undercurrents.engineering.delivery.locking import Pin, canonical, lock_text
from xde.undercurrents.engineering.delivery.wheel import Wheel, project_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PROOF = "proof.json"
_VERSION = re.compile(r"\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?(?:\.post\d+)?(?:\.dev\d+)?(?:\+[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*)?")


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked: where to, as which version (None: by the tag or the commit), hashes in the lock or not, dirty or not."""

    output: Path
    version: str | None = None
    hashes: bool = False
    dirty: bool = False
    say: Callable[[str], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Packed:
    """What was made, and what is proven of it."""

    folder: Path
    files: Sequence[str]
    name: str
    version: str
    proof: Proof
    warnings: Sequence[Finding] = ()


def package(root: Path, order: Order) -> Packed:
    """Make the package of a project. Raises `UserError`, and then nothing was written."""
    repository = repository_of(root)
    version, warnings = _version(repository, root, order)
    settings = settings_of(root)
    wanted = needed(root)
    target = order.output.absolute()
    _may_be_replaced(target)
    with tempfile.TemporaryDirectory(prefix="xde-package-") as folder:
        scratch = Path(folder)
        venv = fresh(scratch / "venv")
        own = [] if came_from_an_index() else [own_wheel()]
        for wheel in own:
            (scratch / wheel.filename).write_bytes(wheel.content())
        order.say("locking")
        locker = Locker(venv, scratch, [scratch / w.filename for w in own])
        pins = locked(root, locker)
        wheel = _wheel(root, settings.name, version, pins)
        (scratch / wheel.filename).write_bytes(wheel.content())
        order.say(f"installing {len(pins)} locked packages into a fresh environment")
        installed = _install(locker, pins, wheel)
        _import(venv, wanted)
        order.say("running the cases there")
        proof = prove(root, repository, venv, scratch, wheel.name)
        warnings += proof.findings
        texts = _texts(root, wheel, own, Made(pins if not order.hashes else _hashed(pins, installed), order.hashes, repository))
        contents = {w.filename: w.content() for w in (*own, wheel)} | {n: t.encode() for n, t in texts.items()}
        contents[PROOF] = _told(wheel, repository, proof, installed, contents, root)
        _publish(target, contents)
    return Packed(target, sorted(contents), wheel.name, version, proof, warnings)


@dataclass(frozen=True, slots=True)
class Made:
    """What the texts of a package are made of."""

    pins: Sequence[Pin]
    hashes: bool
    repository: Repository | None


def _version(repository: Repository | None, root: Path, order: Order) -> tuple[str, list[Finding]]:
    if order.version is not None and not _VERSION.fullmatch(order.version):
        raise UserError(
            Finding("XDE0970", f"`{order.version}` is no version", why="PEP 440 says what one looks like", hint="`--version 1.2.0`")
        )
    if repository is None or not repository.revision():
        digest = digest_of(project_files(root).all)[:12]
        why = "it is in no repository, or nothing was ever committed: nobody can tell later what was packaged"
        warning = Finding("XDE0970", "the project has no commit", why=why, hint="`git init`, and commit it", severity=Severity.WARNING)
        return order.version or f"0.0.0+d{digest}", [warning]
    changed = [name for name in repository.changed() if not _in(repository.project / name, order.output)]
    if changed and not order.dirty:
        named = ", ".join(f"`{n}`" for n in changed[:5]) + (f" and {len(changed) - 5} more" if len(changed) > 5 else "")
        why = f"not as they were committed: {named}"
        raise UserError(Finding("XDE0970", "the working tree is dirty", why=why, hint="commit, or `--allow-dirty` for one to look at"))
    release = None if changed else repository.release()
    return order.version or release or f"0.0.0+g{repository.revision()}{'.dirty' if changed else ''}", []


def _in(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _wheel(root: Path, title: str, version: str, pins: Sequence[Pin]) -> Wheel:
    files = {f.path: f.content for f in project_files(root).all if f.content is not None}
    requires = [str(p) for p in pins if p.name == "xde"] + [d.text for d in needed(root) if canonical(d.name) != "xde"]
    taken = {"xde", *sys.stdlib_module_names, *(canonical(p.name).replace("-", "_") for p in pins)}
    module = re.sub(r"\W+", "_", title, flags=re.ASCII).strip("_").lower()
    module = module if is_identifier(module) else f"project_{module}".rstrip("_")
    return project_wheel(f"{module}_project" if module in taken else module, title, version, files, requires)


def _install(locker: Locker, pins: Sequence[Pin], wheel: Wheel) -> list[Pin]:
    """Install all of it, and say which very files were taken."""
    lock = locker.scratch / LOCK
    lock.write_text(lock_text(pins, _python(), hashes=all(p.sha256 for p in pins if p.name != "xde") and not locker.own), encoding="utf-8")
    report = locker.scratch / "installed.json"
    if locker.own:
        done = locker.venv.pip("install", "--no-deps", *map(str, locker.own))
        if not done.well:
            raise does_not_install(done, "xde")
    done = locker.venv.pip("install", "--no-deps", "--report", str(report), "--requirement", str(lock))
    if not done.well:
        raise does_not_install(done, "what is locked")
    done = locker.venv.pip("install", "--no-deps", str(locker.scratch / wheel.filename))
    if not done.well:
        raise does_not_install(done, wheel.name)
    done = locker.venv.pip("check")
    if not done.well:
        hint = "lock again, so that the lock is whole: `xde package --lock`"
        raise UserError(Finding("XDE0973", f"`{LOCK}` is not whole", why=done.last_words(), hint=hint))
    own = [Pin("xde", w.name.split("-")[1], (hashlib.sha256(w.read_bytes()).hexdigest(),)) for w in locker.own]
    return own + Locker.reported(report)


def _import(venv: Venv, wanted: Sequence[object]) -> None:
    from xde.app.dependencies import Dependency

    failed = not_imported(venv.python, [d for d in wanted if isinstance(d, Dependency)], venv.surroundings())
    if failed:
        hint = f"mend or replace it in `{TEXT}`"
        raise UserError(
            *(
                Finding("XDE0972", f"`{d.name}` cannot be imported", d.span, why="\n".join(w.strip().splitlines()[-4:]), hint=hint)
                for d, w in failed
            )
        )


def _hashed(pins: Sequence[Pin], installed: Sequence[Pin]) -> list[Pin]:
    known = {canonical(p.name): p.sha256 for p in installed}
    found = [Pin(p.name, p.version, p.sha256 or known.get(canonical(p.name), ())) for p in pins]
    bare = [p.name for p in found if not p.sha256]
    if bare:
        why = f"nothing tells the digest of {', '.join(f'`{n}`' for n in bare[:5])}"
        raise UserError(Finding("XDE0977", "the lock cannot have hashes", why=why, hint="leave `--hashes` out, or install from an index"))
    return found


def _texts(root: Path, wheel: Wheel, own: Sequence[Wheel], made: Made) -> dict[str, str]:
    from xde.app.pipelines import references

    revision = made.repository.revision() if made.repository else ""
    image = Image(wheel.name, wheel.version, revision, _python(), [w.filename for w in own], wheel.filename, references(root))
    return {LOCK: lock_text(made.pins, _python(), hashes=made.hashes), "Dockerfile": dockerfile(image)}


def _python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _told(
    wheel: Wheel, repository: Repository | None, proof: Proof, installed: Sequence[Pin], contents: Mapping[str, bytes], root: Path
) -> bytes:
    """What is proven, and of which bytes."""
    document = {
        "made by": "xde package",
        "name": wheel.name,
        "version": wheel.version,
        "revision": repository.revision() if repository else None,
        "definitions": digest_of(project_files(root).all),
        "python": _python(),
        "platform": sys.platform,
        "cases": {"passed": proof.passed},
        "packages": [
            {"name": p.name, "version": p.version, "sha256": list(p.sha256)} for p in sorted(installed, key=lambda p: p.name.lower())
        ],
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(contents.items())},
    }
    return (json.dumps(document, indent=2) + "\n").encode()


def _may_be_replaced(target: Path) -> None:
    """Raise a finding for a folder in which there is anything that we did not put there."""
    if not target.exists():
        return
    names = {p.name for p in target.iterdir()} if target.is_dir() else {target.name}
    try:
        known = {PROOF, *json.loads((target / PROOF).read_text(encoding="utf-8"))["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        known = set()
    if names - known:
        why = f"in it is what `xde package` did not put there: `{min(names - known)}`"
        raise UserError(Finding("XDE0976", f"`{target.name}` is not overwritten", why=why, hint="choose another folder: `--output DIR`"))


def _publish(target: Path, contents: Mapping[str, bytes]) -> None:
    """Write aside, then put it in place by renaming: the folder is the old one, the new one, or for a moment not there."""
    aside = target.with_name(f".{target.name}.{os.getpid()}.part")
    old = target.with_name(f".{target.name}.{os.getpid()}.old")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        for name, content in contents.items():
            (aside / name).write_bytes(content)
        if target.exists():
            target.rename(old)
        aside.rename(target)
    except OSError as error:
        message = f"`{target}` cannot be written: {(error.strerror or str(error)).lower()}"
        raise UserError(Finding("XDE0976", message, hint="choose another folder: `--output DIR`")) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
