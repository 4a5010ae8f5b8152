"""The image of a package: made in two stages, so that nothing of the building is in it; run by nobody in particular; no secret inside."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from xde.ground.records import dataclass
from xde.undercurrents.engineering.delivery.pins import is_pinned, slim_image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

USER = 10001  # belongs to no account of the image


@dataclass(frozen=True, slots=True)
class Image:
    """What goes into an image: the wheels beside the lock in order of installation (those `before` it, that of the project after)."""

    module: str
    version: str
    revision: str
    python: str
    before: Sequence[str]
    wheel: str
    references: Sequence[str] = ()


def dockerfile(image: Image) -> str:
    """The text; it is built in the folder that it lies in: `docker build dist`."""
    base = slim_image(image.python)
    pip = "python -m pip install --no-cache-dir --no-deps"
    steps = [f"{pip} ./{name}" for name in image.before]
    steps += [f"{pip} --requirement requirements.lock", f"{pip} ./{image.wheel}", "python -m pip check"]
    labels: Mapping[str, str] = {"title": image.module, "version": image.version, "revision": image.revision}
    named = ", ".join(f"`{name}`" for name in image.references)
    lines = [
        "# made by `xde package`, with what the cases passed with; build it with `docker build FOLDER`, FOLDER being where this file lies",
        *([f"# what differs from place to place is read from the environment when it runs: {named}"] if image.references else []),
        *([] if is_pinned(base) else ["# the base is named by its tag: no digest of it is known to xde"]),
        f"FROM {base} AS build",
        "RUN python -m venv /opt/xde",
        "ENV PATH=/opt/xde/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1",
        "WORKDIR /build",
        f"COPY requirements.lock {' '.join([*image.before, image.wheel])} ./",
        "RUN " + " \\\n && ".join(steps),
        f"RUN XDE_PROJECT=/project python -m {image.module} --place",
        "",
        f"FROM {base}",
        "LABEL " + " ".join(f"org.opencontainers.image.{n}={json.dumps(v)}" for n, v in labels.items() if v),
        "COPY --from=build /opt/xde /opt/xde",
        f"COPY --from=build --chown={USER}:{USER} /project /project",
        "ENV PATH=/opt/xde/bin:$PATH HOME=/project XDE_PROJECT=/project PYTHONUNBUFFERED=1",
        "WORKDIR /project",
        f"USER {USER}:{USER}",
        'ENTRYPOINT ["xde"]',
    ]
    return "\n".join(lines) + "\n"
