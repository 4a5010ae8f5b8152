"""New projects: the starter, or one of the examples; written aside and put in place at the end, never over anything."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import xde
from xde.ground.crash import CrashPoint, crash_point
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean, is_identifier

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGE = Path(xde.__file__).parent
_STARTER = _PACKAGE / "app" / "templates" / "starter"
_RENAMED = {"gitignore": ".gitignore"}  # a file of the real name would act in our own repository
_LEFT_OUT = frozenset({".xde", ".git", "__pycache__"})
_LAST = "xde.yaml"  # with it a folder becomes a project


def init(target: Path, example: str | None) -> tuple[Path, ...]:
    """Make a project in a folder that is empty or not there yet; gives the files that were made.

    Raises `UserError` when the folder holds something (XDE0008), there is no such example (XDE0009), or it cannot be
    written (XDE0010). A crash leaves no project: at most a hidden folder beside the target, or files without `xde.yaml`.
    """
    source = _STARTER if example is None else _example(example)
    with making(target) as aside:
        _write(source, aside, _name(target))
    return tuple(sorted(p for p in target.rglob("*") if p.is_file()))


@contextmanager
def making(target: Path) -> Iterator[Path]:
    """A hidden folder beside the target to write a project in; it takes the target's place when all went well, and is gone when not.

    Raises `UserError` as `init` does.
    """
    with _told(target):
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            message = f"`{target}` is not empty" if target.is_dir() else f"`{target}` is a file"
            raise UserError(Finding("XDE0008", message, hint="choose a folder that is empty or not there yet"))
        target.absolute().parent.mkdir(parents=True, exist_ok=True)
        aside = target.absolute().with_name(f".{target.absolute().name}.{os.getpid()}.part")
        shutil.rmtree(aside, ignore_errors=True)
        try:
            yield aside
            crash_point(CrashPoint.PROJECT_WRITTEN)
            _publish(aside, target)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def examples() -> dict[str, Path]:
    """The examples that this installation has, by name."""
    found: dict[str, Path] = {}
    for folder in (_PACKAGE / "examples", _PACKAGE.parents[1] / "examples"):  # of a wheel; of the repository
        for project in sorted(folder.glob(f"*/{_LAST}")):
            found.setdefault(project.parent.name, project.parent)
    return found


def _example(name: str) -> Path:
    known = examples()
    if name not in known:
        listed = ", ".join(f"`{k}`" for k in known)
        hint = did_you_mean(name, known) or (f"the examples are {listed}" if known else "leave `--example` out for a small project")
        why = "" if known else "this installation of xde was made without examples"
        raise UserError(Finding("XDE0009", f"there is no example `{name}`", why=why, hint=hint))
    return known[name]


def _name(target: Path) -> str:
    name = target.absolute().resolve().name.replace("-", "_").replace(" ", "_")
    return name if is_identifier(name) else "my_project"


def _write(source: Path, folder: Path, name: str) -> None:
    for file in sorted(p for p in source.rglob("*") if p.is_file()):
        relative = file.relative_to(source)
        if _LEFT_OUT.intersection(relative.parts):
            continue
        copy = folder / relative.with_name(_RENAMED.get(relative.name, relative.name))
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source == _STARTER and file.suffix in {".yaml", ".md"}:
            copy.write_text(file.read_text(encoding="utf-8").replace("PROJECT_NAME", name), encoding="utf-8")
        else:
            shutil.copyfile(file, copy)


def _publish(aside: Path, target: Path) -> None:
    """Put the whole in place: in one rename, or, where the folder is there (and somebody may stand in it), `xde.yaml` last."""
    if not target.exists():
        aside.rename(target)
        return
    for entry in sorted(aside.iterdir(), key=lambda p: p.name == _LAST):
        entry.rename(target / entry.name)


@contextmanager
def _told(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"`{target}` cannot be written: {(error.strerror or str(error)).lower()}"
        raise UserError(Finding("XDE0010", message, hint="choose a folder that you may write to")) from error
