"""What was deployed, kept in the lake: the files of the project under their digest, and a document for each deployment."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from xde.app.keeping import lend_caches
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.kernel.plan.ledger import Deployment
from xde.kernel.project.files import digest_of, project_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from xde.kernel.project.files import ProjectFiles
    from xde.lifecycle.storage.port import Lake

FOLDER = "definitions"
DEPLOYMENTS = "deployments"
ENDS = "ended"


def keep_definitions(lake: Lake, root: Path) -> str:
    """Keep the files of a project as they are now; gives their digest. Kept once, they are never written again."""
    files = project_files(root).all
    digest = digest_of(files)
    name = f"{FOLDER}/{digest}.json"
    if lake.kept(name) is None:
        lake.keep(name, json.dumps({f.path: base64.b64encode(f.content or b"").decode("ascii") for f in files}, indent=0))
    return digest


def definitions_folder(root: Path, digest: str) -> Path:
    """Where the files of a deployed project lie beside the working tree, once somebody has asked for them."""
    return root / ".xde" / "deployed" / digest


def definitions_at(lake: Lake, digest: str, root: Path) -> tuple[Path, ProjectFiles]:
    """A folder with the files of a project as they were deployed, and these. It is made when it is first asked for.

    Raises `UserError`.
    """
    folder = definitions_folder(root, digest)
    if folder.is_dir() and digest_of((files := project_files(folder)).all) == digest:
        return folder, files
    text = lake.kept(f"{FOLDER}/{digest}.json")
    if text is None:
        hint = "deploy again; what the environment shows is not touched by this"
        raise UserError(Finding("XDE0745", f"the definitions `{digest}` that were deployed are not in the lake", hint=hint))
    for path, content in json.loads(text).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(base64.b64decode(content))
    lend_caches(root, folder)
    files = project_files(folder)
    if digest_of(files.all) != digest:
        raise UserError(Finding("XDE0745", f"the definitions `{digest}` in the lake are not what was deployed", hint="deploy again"))
    return folder, files


def tell_deployment(lake: Lake, deployment: Deployment) -> None:
    """Say in the lake that a deployment was made, so that the ledger can be rebuilt from it."""
    lake.keep(_name(deployment.environment, deployment.number), json.dumps(asdict(deployment), indent=1, sort_keys=True))


def tell_newest(lake: Lake, newest: Sequence[Deployment]) -> None:
    """Say in the lake what it was not told of the newest deployment: a crash may have come between the ledger's word and the lake's."""
    for deployment in newest[:1]:
        if lake.kept(_name(deployment.environment, deployment.number)) is None:
            tell_deployment(lake, deployment)


def told_deployments(lake: Lake) -> list[Deployment]:
    """Every deployment that the lake knows of, by environment and number; none of before its environment was dropped."""
    ends = told_ends(lake)
    told = (Deployment(**json.loads(text)) for name in lake.all_kept(DEPLOYMENTS) if (text := lake.kept(name)) is not None)
    return sorted((d for d in told if d.at > ends.get(d.environment, "")), key=lambda d: (d.environment, d.number))


def tell_end(lake: Lake, environment: str, at: str) -> None:
    """Say in the lake that an environment was dropped: what its commits and deployments tell of it held until then."""
    lake.keep(f"{ENDS}/{environment}.json", json.dumps({"environment": environment, "at": at}))


def told_ends(lake: Lake) -> dict[str, str]:
    """When environments were dropped for the last time, an ISO text in UTC; they may have come back since."""
    told = (json.loads(text) for name in lake.all_kept(ENDS) if (text := lake.kept(name)) is not None)
    return {str(end["environment"]): str(end["at"]) for end in told}


def _name(environment: str, number: int) -> str:
    return f"{DEPLOYMENTS}/{environment}/{number:06d}.json"
