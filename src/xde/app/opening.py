"""Which project an environment runs: the working tree, or what was deployed to it."""

from __future__ import annotations

import os
import pickle
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from xde.app.keeping import stamp
from xde.app.understanding import understand
from xde.app.wiring import House, house_of
from xde.ground.digests import bytes_digest
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.kernel.project.files import SETTINGS_FILE, project_files

if TYPE_CHECKING:
    from pathlib import Path

    from xde.app.understanding import Understanding
    from xde.kernel.project.declarations import Project
    from xde.kernel.project.settings import Settings


def opened(root: Path, environment: str | None, *, working_tree: bool) -> tuple[Understanding, House]:
    """The project and the parts of an environment, reconciled after a crash. Raises `UserError` with what is wrong."""
    from xde.app.reconciling import reconcile
    from xde.app.restatements import place

    if environment is not None and not working_tree:
        house = house_at(root, environment)
        deployed = deployed_project(house, root)
        if deployed is not None:
            reconcile(house)
            place(house, deployed)
            return deployed, house
        house.close()
    made: list[House] = []

    def house_for(project: Project) -> House:
        made.append(house_of(root, project.settings, environment))
        return made[0]

    known = understand(root, project_files(root), house_for)
    known.project = moved(known.project, root)
    house = made[0] if made else house_of(root, known.project.settings, environment)
    reconcile(house)
    place(house, known)
    return known, house


def understood(root: Path, environment: str | None = None) -> Understanding:
    """The project that lies in a folder, for whoever asks nothing of its house. Raises `UserError` for what keeps it from being read."""
    made: list[House] = []

    def house_for(project: Project) -> House:
        made.append(house_of(root, project.settings, environment))
        return made[0]

    try:
        return understand(root, project_files(root), house_for)
    finally:
        for house in made:
            house.close()


def house_at(root: Path, environment: str | None) -> House:
    """The parts of an environment by the settings alone: a model that cannot be read does not keep anybody from production."""
    return house_of(root, settings_of(root), environment)


def deployed_project(house: House, root: Path) -> Understanding | None:
    """The project that was deployed to an environment; None where the working tree runs."""
    if house.environment == house.settings.environment:
        return None  # one's own: there the working tree runs
    latest = house.ledger.deployments(house.environment, 1)
    if not latest:
        return None
    from xde.app.definitions import definitions_at
    from xde.app.restatements import place

    folder, files = definitions_at(house.lake, latest[0].definitions, root)
    known = understand(folder, files, lambda project: house_of(root, project.settings, house.environment))
    known.project = replace(known.project, root=root)
    place(house, known)
    return known


def settings_of(root: Path) -> Settings:
    """The settings of a project, from what was kept of them while the file is the same. Raises `UserError`."""
    path = root / SETTINGS_FILE
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(Finding("XDE0101", f"there is no `{SETTINGS_FILE}` here that can be read", why=str(error))) from error
    kept = root / ".xde" / "cache" / "settings.pickle"
    first_line = stamp(bytes_digest(content)).encode() + b"\n"
    with suppress(OSError, pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, TypeError, ValueError):
        told = kept.read_bytes()
        if told.startswith(first_line):
            return pickle.loads(told[len(first_line) :])  # type: ignore[no-any-return]  # noqa: S301 - our own file, in the project's own folder
    from xde.kernel.project.settings_reader import read_settings

    settings, findings = read_settings(content, SETTINGS_FILE)
    errors = [f for f in findings if f.severity == "error"]
    if settings is None or errors:
        raise UserError(*(errors or findings))
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        aside = kept.with_suffix(f".{os.getpid()}.tmp")
        aside.write_bytes(first_line + pickle.dumps(settings, protocol=5))
        aside.replace(kept)
    return settings


def moved(project: Project, root: Path) -> Project:
    """The project as it lies now: what was kept may have been worked out in a folder of another name."""
    with suppress(OSError):
        if project.root.samefile(root):
            return project
    return replace(project, root=root)
