"""Files of whatever fsspec knows (SFTP, FTP, Azure, Google Storage, WebDAV ...) as files of a source: listed, told apart, brought here.

Some stores give a tag of an object's content; most servers of files give no more than its size and the time of its last change, by which
it is told then, together with its path.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import fsspec

from xde.ground.digests import digest
from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding
from xde.ground.secrets import scrubbed
from xde.lifecycle.sources.patterns import matcher, plain_start, whole
from xde.lifecycle.sources.port import FoundFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xde.ground.spans import Span

_TAGS = ("ETag", "etag", "md5Hash", "content_md5", "md5", "sha256", "checksum")
_TIMES = ("LastModified", "last_modified", "mtime", "modify", "modified", "updated", "created")
_OPTION = "option:"
_TAG, _SEEN = "tag:", "seen:"
PIECE = 1 << 20


class AnyFiles:
    """See `lifecycle.sources.port.FileStore`.

    `settings` are those of the contract's server: `location` (`sftp://host/folder`), `user`, `password`, and what else the
    implementation takes, as `option:` and its name.
    """

    def __init__(self, settings: Mapping[str, str], span: Span | None = None) -> None:
        self._settings = settings
        self._span = span
        self._told: dict[str, str] = {}
        self._made: Any = None

    def list(self, root: str, pattern: str) -> Sequence[FoundFile]:
        """The files below the folder that match, by path; hidden and half-delivered ones are left out."""
        try:
            matches = matcher(pattern).match
        except ValueError as error:
            hint = "write it relative to the server's `location`, such as `flights-*.csv`"
            raise self._refused("XDE0442", f"`{pattern}` is not a pattern of files", str(error), hint) from error
        with _Telling(self):
            folder = self._system._strip_protocol(root).rstrip("/")  # noqa: SLF001 - fsspec has no other way from an address to a path
            found = [self._found(folder, info) for info in self._walked(folder, pattern)]
        return sorted((f for f in found if matches(f.path) and whole(PurePosixPath(f.path))), key=lambda f: f.path)

    def digest(self, file: FoundFile) -> str:
        """What the listing told of its content."""
        return self._told[file.location]

    def fetch(self, file: FoundFile, digest: str, folder: Path) -> FoundFile:
        """A copy of the file; one that is not what was listed, before or after, is worth another plan."""
        target = folder / f"{uuid.uuid4().hex}{''.join(PurePosixPath(file.path).suffixes[-2:])}"
        with _Telling(self):
            self._same(file, digest)
            size = 0
            with self._system.open(file.location, "rb") as given, target.open("wb") as out:
                while piece := given.read(PIECE):
                    size += out.write(piece)
            self._same(file, digest)
        if size != file.size:
            raise TemporaryError(f"`{file.path}` broke off after {size:,} of {file.size:,} bytes", retry_in=1.0)
        return replace(file, location=str(target))

    def _same(self, file: FoundFile, digest: str) -> None:
        self._system.invalidate_cache()
        if _identity(file.path, self._system.info(file.location)) != digest:
            raise TemporaryError(f"`{file.path}` was changed while it was to be loaded: plan again")

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
        if self._made is None:
            given = self._settings
            location = given.get("location", "")
            options: dict[str, Any] = {n.removeprefix(_OPTION): v for n, v in given.items() if n.startswith(_OPTION)}
            options |= {name: given[word] for word, name in (("user", "username"), ("password", "password")) if given.get(word)}
            self._made, _ = fsspec.core.url_to_fs(location, skip_instance_cache=True, **options)
        return self._made

    def told(self, error: Exception) -> Exception:
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


class _Telling:
    """Whatever a store raises comes out as ours: every implementation has errors of its own."""

    def __init__(self, store: AnyFiles) -> None:
        self._store = store

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, (UserError, TemporaryError)):
            raise self._store.told(error) from error


def _identity(path: str, info: Mapping[str, Any]) -> str:
    """What tells a content from others: its tag; else that it lies there in this size since this time."""
    tag = next((str(info[t]) for t in _TAGS if info.get(t)), "")
    if tag:
        return _TAG + tag.strip('"')
    return _SEEN + digest(path, int(info.get("size") or 0), str(_time(info)))


def _time(info: Mapping[str, Any]) -> object:
    return next((info[t] for t in _TIMES if info.get(t)), None)


def _changed_ns(info: Mapping[str, Any], told: str) -> int:
    """The time of the last change, as far as it is told; what is below the second is of the content's tag, for most tell whole seconds."""
    at = _time(info)
    if isinstance(at, str) and at.isdigit() and len(at) >= 14:  # RFC 3659, 2.3: FTP
        at = datetime.strptime(at[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    elif isinstance(at, str):
        try:
            at = datetime.fromisoformat(at)
        except ValueError:
            at = None
    seconds = at.timestamp() if isinstance(at, datetime) else float(at) if isinstance(at, (int, float)) else 0.0
    return int(seconds) * 1_000_000_000 + int(digest(told)[:7], 16) % 1_000_000_000
