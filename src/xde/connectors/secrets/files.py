"""`${file:PATH}`: files that hold one secret each, as Docker and Kubernetes mount them."""

from __future__ import annotations

import os
from pathlib import Path

from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.plugin.secrets import SecretMissing

MOST_BYTES = 65_536
_KEPT = ("models", "sources", "flows", "lib", "xde.yaml")  # what a deployment keeps in the lake


def read(name: str, project: Path, /) -> str:
    """The text of a file, without the line end that editors put after it; the path is relative to the project."""
    path = project / Path(name).expanduser()
    if _is_kept(path, project):
        raise UserError(
            Finding(
                "XDE0153",
                f"`{name}` is no place for a secret",
                why="files under `models`, `sources` and `flows` are the project: a deployment keeps them in the lake, for all to read",
                hint="move it, to `secrets/` for example, and keep it out of the repository",
            )
        )
    try:
        content = path.read_bytes() if path.is_file() and path.stat().st_size <= MOST_BYTES else None
        value = content.decode("utf-8") if content is not None else None
    except FileNotFoundError:
        value = None
    except OSError as error:
        raise _useless(name, (error.strerror or "it cannot be read").lower(), "give the user who runs xde the right to read it") from error
    except UnicodeDecodeError:
        raise _useless(name, "it is not text in UTF-8", "write the secret into it as text") from None
    if value is None:
        raise SecretMissing(*_absent(path, name))
    value = value.removesuffix("\n").removesuffix("\r")
    if not value:
        raise SecretMissing(f"the file `{name}` is empty", "write the secret into it")
    return value


def open_to_all(name: str, project: Path) -> bool:
    """Whether every user of this machine may read the file."""
    try:
        return bool((project / Path(name).expanduser()).stat().st_mode & 0o004)
    except OSError:
        return False


def _is_kept(path: Path, project: Path) -> bool:
    try:
        within = Path(os.path.realpath(path)).relative_to(os.path.realpath(project))  # `resolve` raises where links go in circles
    except ValueError:
        return False
    return within.parts[:1] != () and within.parts[0] in _KEPT


def _absent(path: Path, name: str) -> tuple[str, str]:
    if path.is_dir():
        return f"`{name}` is a folder", "name the file in it that holds the secret"
    if path.exists():
        return f"`{name}` is no file with a secret: it is too large, or no file at all", f"a secret has at most {MOST_BYTES:,} bytes"
    return f"there is no file `{name}`", "write the secret into it, or mend the path: it is relative to the project"


def _useless(name: str, why: str, hint: str) -> UserError:
    return UserError(Finding("XDE0153", f"the secret in `{name}` cannot be read", why=why, hint=hint))
