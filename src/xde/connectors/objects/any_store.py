"""Files of whatever fsspec knows (SFTP, FTP, Azure, Google Storage, WebDAV ...) as files of a source: listed, told apart, brought here.

Some stores give a tag of an object's content; most servers of files give no more than its size and the time of its last change, by which
it is told then, together with its path. Where not even a time is told, its bytes are read at every look.
"""

from __future__ import annotations

import threading
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import fsspec

from xde.connectors.objects.bringing import PIECE, brought, changed, moment, wanted
from xde.ground.digests import digest, file_digest, pieces_digest
from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding
from xde.ground.secrets import scrubbed
from xde.lifecycle.sources.patterns import plain_start
from xde.lifecycle.sources.port import FoundFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xde.ground.spans import Span

_TAGS = ("ETag", "etag", "md5Hash", "content_md5", "md5", "sha256", "checksum")
_TIMES = ("LastModified", "last_modified", "mtime", "modify", "modified", "updated", "created")
_OPTION = "option:"
_TAG, _SEEN, _READ = "tag:", "seen:", "read:"


class AnyFiles:
    """See `lifecycle.sources.port.FileStore`.

    `settings` are those of the contract's server: `location` (`sftp://host/folder`), `user`, `password`, and what else the
    implementation takes, as `option:` and its name.
    """

    def __init__(self, settings: Mapping[str, str], span: Span | None = None) -> None:
        self._settings = settings
        self._span = span
        self._told: dict[str, str] = {}
        self._of_thread = threading.local()

    def list(self, root: str, pattern: str) -> Sequence[FoundFile]:
        """The files below the folder that match, by path; hidden and half-delivered ones are left out."""
        fits = wanted(pattern, self._span)
        with self._telling():
            folder = self._system._strip_protocol(root).rstrip("/")  # noqa: SLF001 - fsspec has no other way from an address to a path
            found = [self._found(folder, info) for info in self._walked(folder, pattern)]
        return sorted((f for f in found if fits(f.path)), key=lambda f: f.path)

    def digest(self, file: FoundFile, like: str = "") -> str:  # noqa: ARG002 - the port's; there is one form
        """What the listing told of its content; where that is nothing, its bytes are read."""
        with self._telling():
            return self._told[file.location] or _READ + self._read(file)

    def fetch(self, file: FoundFile, digest: str, folder: Path) -> FoundFile:
        """A copy of the file; one that is not what was listed, before or after, is worth another plan."""
        with self._telling():
            self._same(file, digest)
            copy = brought(file, self._pieces(file), folder)
            self._same(file, digest)
        if digest.startswith(_READ) and _READ + file_digest(Path(copy.location)) != digest:
            raise changed(file)
        return copy

    def _same(self, file: FoundFile, digest: str) -> None:
        """Whether the store still tells of the file what it told; where it tells nothing, its bytes alone can be compared."""
        self._system.invalidate_cache()
        if _identity(file.path, self._system.info(file.location)) != ("" if digest.startswith(_READ) else digest):
            raise changed(file)

    def _pieces(self, file: FoundFile) -> Iterator[bytes]:
        with self._system.open(file.location, "rb") as given:
            while piece := given.read(PIECE):
                yield piece

    def _read(self, file: FoundFile) -> str:
        return pieces_digest(self._pieces(file))

    def _found(self, folder: str, info: Mapping[str, Any]) -> FoundFile:
        location = str(info["name"])
        path = location.removeprefix(folder).lstrip("/")
        self._told[location] = told = _identity(path, info)
        return FoundFile(path, location, int(info.get("size") or 0), _changed_ns(info, told))

    def _walked(self, folder: str, pattern: str) -> Iterator[Mapping[str, Any]]:
        """The files that may match: those of one folder, or of all below it where the pattern has folders with unknown names."""
        self._system.invalidate_cache()
        known = PurePosixPath(plain_start(pattern) + "x").parent
        below = f"{folder}/{known}" if str(known) != "." else folder
        deep = "/" in pattern.removeprefix(f"{known}/" if str(known) != "." else "")
        self._system.ls(folder or "/", detail=False)  # a folder that is not there is told, and not taken for an empty one
        if not self._system.isdir(below or "/"):
            return
        found = self._system.find(below, maxdepth=None if deep else 1, detail=True)
        yield from (info for info in found.values() if info.get("type") == "file")

    @property
    def _system(self) -> Any:  # noqa: ANN401 - what fsspec gives has no type of its own
        """One for every thread, for many have a single connection, whose answers two that ask at once would take from each other."""
        if not hasattr(self._of_thread, "made"):
            given = self._settings
            location = given.get("location", "")
            options: dict[str, Any] = {n.removeprefix(_OPTION): v for n, v in given.items() if n.startswith(_OPTION)}
            options |= {name: given[word] for word, name in (("user", "username"), ("password", "password")) if given.get(word)}
            self._of_thread.made, _ = fsspec.core.url_to_fs(location, skip_instance_cache=True, **options)
        return self._of_thread.made

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Whatever a store raises comes out as ours: every implementation has errors of its own."""
        try:
            yield
        except (UserError, TemporaryError):
            raise
        except Exception as error:
            raise self._meant(error) from error

    def _meant(self, error: Exception) -> Exception:
        """An error of a store in ours."""
        scrubbed(error)
        place = self._settings.get("location", "")
        why = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        match error:
            case ImportError():
                return self._refused("XDE0480", f"reading `{place}` needs a package more", why, "install the package that it names")
            case FileNotFoundError() | NotADirectoryError():
                return self._refused("XDE0440", f"there is no folder `{place}`", why, "mend `location` of the server")
            case PermissionError():
                return self._refused(
                    "XDE0492", f"`{place}` may not be read", why, "let its owner give the user the right to list and to read"
                )
            case ValueError() | TypeError() | KeyError():
                hint = "look at `location` and `xdeOptions` of the server: they are those of fsspec's implementation"
                return self._refused("XDE0493", f"`{place}` cannot be read", why, hint)
        if type(error).__name__ in {"AuthenticationException", "error_perm"}:
            hint = "look at `xdeUser` and `xdePassword` of the server, and at what its user may read"
            return self._refused("XDE0491", f"`{place}` refuses the user", why, hint)
        return TemporaryError(f"`{place}` cannot be read just now: {why}", retry_in=2.0)

    def _refused(self, code: str, message: str, why: str, hint: str) -> UserError:
        return UserError(Finding(code, message, self._span, why=why, hint=hint))


def _identity(path: str, info: Mapping[str, Any]) -> str:
    """What tells a content from others: its tag; else that it lies there in this size since this time. Nothing, where neither is told."""
    tag = next((str(info[t]) for t in _TAGS if info.get(t)), "")
    if tag:
        return _TAG + tag.strip('"')
    at = _time(info)
    return _SEEN + digest(path, int(info.get("size") or 0), str(at)) if at is not None else ""


def _time(info: Mapping[str, Any]) -> object:
    return next((info[t] for t in _TIMES if info.get(t)), None)


def _changed_ns(info: Mapping[str, Any], told: str) -> int:
    """The time of the last change, as far as it is told; a file of which nothing is told is at no time what it was at another."""
    if not told:
        return uuid.uuid4().int % 1_000_000_000
    at = _time(info)
    if isinstance(at, str) and at.isdigit() and len(at) >= 14:  # RFC 3659, 2.3: FTP
        at = datetime.strptime(at[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    elif isinstance(at, str):
        try:
            at = datetime.fromisoformat(at)
        except ValueError:
            at = None
    seconds = at.timestamp() if isinstance(at, datetime) else float(at) if isinstance(at, (int, float)) else 0.0
    return moment(seconds, told)
