"""The lock of a project: read from its file, or worked out by pip with the versions that are in use here."""

from __future__ import annotations

import json
import os
import tempfile
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING

from xde import __version__
from xde.app.dependencies import TEXT, declared, of_models
from xde.app.opening import settings_of
from xde.app.own_wheel import came_from_an_index, extras_in_use, own_wheel
from xde.app.venvs import Venv, does_not_install, fresh
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.records import dataclass
from xde.ground.spans import Span
from xde.undercurrents.engineering.delivery.locking import Pin, canonical, lock_text, read_lock

if TYPE_CHECKING:
    from collections.abc import Sequence

LOCK = "requirements.lock"


@dataclass(frozen=True, slots=True)
class Locker:
    """What works a lock out: a fresh environment, a folder to write in, and xde's own wheel where no index has it."""

    venv: Venv
    scratch: Path
    own: Sequence[Path] = ()

    def resolve(self, root: Path) -> list[Pin]:
        """Everything that xde and the project need, in the versions of the environment in use where that has them. Raises `UserError`."""
        known = {canonical(d.metadata["Name"]): d for d in distributions() if d.metadata["Name"]}
        here = [d for n, d in known.items() if n != "xde" and d.read_text("direct_url.json") is None]
        lines = [f"{d.metadata['Name']}=={d.version}" for d in here]
        lines += [f"xde @ {path.as_uri()}" for path in self.own]
        constraints, report = self.scratch / "in-use.txt", self.scratch / "wanted.json"
        constraints.write_text("\n".join(lines) + "\n", encoding="utf-8")
        extras = f"[{','.join(e)}]" if (e := extras_in_use()) else ""
        own = f"xde{extras} @ {self.own[0].as_uri()}" if self.own else f"xde{extras}=={__version__}"
        wanted = ["--requirement", str(root / TEXT)] if (root / TEXT).is_file() else [d.text for d in declared(root)]
        wanted += [d.text for d in of_models(root)]
        words = ["install", "--dry-run", "--ignore-installed", "--report", str(report), "--constraint", str(constraints), own, *wanted]
        done = self.venv.pip(*words)
        if not done.well:
            raise does_not_install(done, "what the project needs")
        return self.reported(report)

    @staticmethod
    def reported(report: Path) -> list[Pin]:
        """What a report of pip's names, with the digests of the files."""
        items = json.loads(report.read_text(encoding="utf-8"))["install"]
        found = []
        for item in items:
            digest = item["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256")
            found.append(Pin(item["metadata"]["name"], item["metadata"]["version"], (digest,) if digest else ()))
        return found


def locked(root: Path, locker: Locker) -> list[Pin]:
    """The lock of a project: what its file says, else what pip works out. Raises `UserError`."""
    path = root / LOCK
    if not path.is_file():
        return [Pin(p.name, p.version) for p in locker.resolve(root)]
    pins, others = read_lock(path.read_text(encoding="utf-8", errors="replace"))
    if others:
        why = "a lock names packages by their exact version: `name==1.2.3`"
        hint = "make it again: `xde package --lock`"
        raise UserError(*(Finding("XDE0974", f"`{text}` locks nothing", Span(LOCK, n), why=why, hint=hint) for n, text in others))
    return list(pins)


def write_lock(root: Path, *, hashes: bool) -> tuple[Path, int]:
    """Work the lock of a project out, and put it beside `xde.yaml`; gives the number of packages. Raises `UserError`."""
    settings_of(root)
    with tempfile.TemporaryDirectory(prefix="xde-lock-") as folder:
        scratch = Path(folder)
        own = []
        if not came_from_an_index():
            wheel = own_wheel()
            own = [scratch / wheel.filename]
            own[0].write_bytes(wheel.content())
        pins = Locker(fresh(scratch / "venv"), scratch, own).resolve(root)
    if hashes and (bare := [p.name for p in pins if not p.sha256 or (own and p.name == "xde")]):
        why = f"no index has told the digest of {', '.join(f'`{n}`' for n in bare[:5])}"
        raise UserError(Finding("XDE0977", "the lock cannot have hashes", why=why, hint="leave `--hashes` out, or install from an index"))
    import sys

    path = root / LOCK
    aside = path.with_name(f".{LOCK}.{os.getpid()}.part")
    aside.write_text(lock_text(pins, f"{sys.version_info.major}.{sys.version_info.minor}", hashes=hashes), encoding="utf-8")
    aside.replace(path)
    return path, len(pins)
