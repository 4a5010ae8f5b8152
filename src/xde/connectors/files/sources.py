"""Files on a disk, as a source lists them."""

from __future__ import annotations

import errno
import os
from pathlib import Path, PurePath, PurePosixPath
from typing import TYPE_CHECKING

from xde.ground.digests import SHA256, file_digest_like
from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean
from xde.lifecycle.sources.patterns import whole
from xde.lifecycle.sources.port import FoundFile

if TYPE_CHECKING:
    from collections.abc import Sequence


class DiskFiles:
    """Lists files below a folder."""

    def __init__(self) -> None:
        self._digests: dict[tuple[FoundFile, bool], str] = {}

    def list(self, root: str, pattern: str) -> Sequence[FoundFile]:
        """The files that match, by path; hidden and half-delivered ones are left out."""
        folder = Path(root)
        if not folder.is_dir():
            near = did_you_mean(folder.name, [p.name for p in folder.parent.iterdir()]) if folder.parent.is_dir() else ""
            raise UserError(
                Finding(
                    "XDE0440",
                    f"the folder `{root}` of a source is not there",
                    hint=near or "put it there, or mend `path` of the server in the contract",
                )
            )
        try:
            if ".." in PurePath(pattern).parts:
                msg = "it leads out of the folder"
                raise ValueError(msg)
            if not os.access(folder, os.R_OK | os.X_OK):  # a glob passes over what it may not read
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), root)
            found = [p for p in folder.glob(pattern) if p.is_file() and whole(PurePosixPath(p.relative_to(folder).as_posix()))]
            return [_found(p, folder) for p in sorted(found)]
        except FileNotFoundError as error:
            msg = f"`{error.filename}` went away while its folder was looked at"
            raise TemporaryError(msg) from error
        except PermissionError as error:
            raise UserError(
                Finding(
                    "XDE0441",
                    f"a folder of a source may not be read: `{error.filename}`",
                    hint="give the user who runs xde the right to read it",
                )
            ) from error
        except (ValueError, NotImplementedError) as error:
            raise UserError(
                Finding(
                    "XDE0442",
                    f"`{pattern}` is not a pattern of files",
                    why=str(error),
                    hint="write it relative to the server's `path`, such as `flights-*.csv`",
                )
            ) from error

    def fetch(self, file: FoundFile, digest: str, folder: Path) -> FoundFile:  # noqa: ARG002 - the port's
        """It lies where the engine can open it."""
        return file

    def digest(self, file: FoundFile, like: str = "") -> str:
        """The digest of the file's bytes, read once for as long as its size and change time stay: a run plans twice."""
        key = (file, not like or like.startswith(SHA256))
        known = self._digests.get(key)
        if known is None:
            known = self._digests[key] = self._read(file, like)
        return known

    @staticmethod
    def _read(file: FoundFile, like: str) -> str:
        try:
            return file_digest_like(Path(file.location), like)
        except FileNotFoundError as error:
            msg = f"`{file.path}` went away while it was looked at"
            raise TemporaryError(msg) from error
        except PermissionError as error:
            raise UserError(
                Finding(
                    "XDE0441", f"a file of a source may not be read: `{file.path}`", hint="give the user who runs xde the right to read it"
                )
            ) from error


def _found(path: Path, folder: Path) -> FoundFile:
    told = path.stat()
    return FoundFile(path.relative_to(folder).as_posix(), str(path), told.st_size, told.st_mtime_ns)
