"""xde itself as a wheel, made of the installed files: for one that came from no index, and so cannot be had from one."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import xde
from xde.undercurrents.engineering.delivery.wheel import Wheel

_LEFT_OUT = {"__pycache__", "examples"}  # examples are for beginners, not for production


def came_from_an_index() -> bool:
    """Whether the installed xde can be had again by its name and version (PEP 610: `direct_url.json` says that it cannot)."""
    try:
        found = distribution("xde")
    except PackageNotFoundError:
        return False
    return (
        found.read_text("direct_url.json") is None and Path(str(found.locate_file("xde"))).resolve() == Path(xde.__file__).parent.resolve()
    )


def own_wheel() -> Wheel:
    """The running xde as a wheel."""
    package = Path(xde.__file__).parent
    files = {
        f"xde/{path.relative_to(package).as_posix()}": path.read_bytes()
        for path in sorted(package.rglob("*"))
        if path.is_file() and not _LEFT_OUT.intersection(path.relative_to(package).parts)
    }
    found = distribution("xde")
    about = {name: text for name in ("METADATA", "entry_points.txt") if (text := found.read_text(name))}
    return Wheel("xde", found.version, files, about)


def extras_in_use() -> tuple[str, ...]:
    """The extras of xde for work (not those for tests) of which every package is installed here."""
    about = distribution("xde").metadata
    wanted: dict[str, list[str]] = {}
    for text in about.get_all("Requires-Dist") or []:
        requirement, _, marker = text.partition(";")
        extra = marker.partition("extra ==")[2].strip(" '\"")
        if extra and extra not in {"test", "all"}:
            wanted.setdefault(extra, []).append(requirement.split("[")[0].split(">")[0].split("=")[0].split("<")[0].strip())
    return tuple(sorted(extra for extra, names in wanted.items() if all(map(_installed, names))))


def _installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
