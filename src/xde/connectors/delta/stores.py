"""Where tables lie: a disk, or whatever has a URL; listing and reading behind one small port, so that the rest is the same for both."""

from __future__ import annotations

import os
import shutil
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from xde.connectors.delta.folders import begun, folders
from xde.ground.crash import CrashPoint, crash_point
from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding
from xde.ground.records import dataclass
from xde.ground.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pyarrow.fs as pafs
    from deltalake._internal import DeltaFileSystemHandler

    from xde.lifecycle.storage.port import DataFile

LOG = "_delta_log"
DROPPED = "_dropped_"  # what a version's folder is called from when it is dropped until it is gone


@dataclass(frozen=True, slots=True)
class Stored:
    """A file as a listing tells it: path relative to the table's folder, and when it was changed, in seconds since 1970."""

    path: str
    size: int
    changed: float


class Store(Protocol):
    """Folders of tables; every folder is relative to the root, `schema/name/version`."""

    def where(self, folder: str) -> str:
        """The folder as engines and delta-rs are told of it."""
        ...

    def make(self, folder: str) -> None:
        """Make it ready to be written to."""
        ...

    def tables(self) -> Iterator[str]:
        """Every folder with a log, in order."""
        ...

    def ruins(self) -> Iterator[str]:
        """Every folder that would be a table's, has none, and is not ours to write in: no log, or set aside by a drop."""
        ...

    def read(self, folder: str, path: str) -> str | None:
        """A text file of a folder; None when it is not there."""
        ...

    def write(self, folder: str, path: str, text: str) -> None:
        """Put a text file into a folder, whole or not at all."""
        ...

    def listing(self, folder: str) -> Iterator[Stored]:
        """Every file under a folder."""
        ...

    def remove(self, folder: str, paths: Iterable[str]) -> None:
        """Take files away; one that is gone already is no matter."""
        ...

    def share(self, folder: str, to: str, paths: Iterable[str]) -> None:
        """Have files of one folder in another too, as new ones; those that are there already stay."""
        ...

    def drop(self, folder: str) -> None:
        """Take everything away, in an order that leaves at every moment a whole table or none."""
        ...

    def idle(self, folder: str, since: float) -> bool:
        """Whether nothing was made or taken away in it since a moment, in seconds since 1970."""
        ...

    def is_newest(self, folder: str, number: int) -> bool:
        """Whether it is sure that no commit follows; False where asking costs as much as looking."""
        ...

    def birth(self, folder: str) -> object:
        """What changes when a table is dropped and made anew."""
        ...

    def is_bare(self, folder: str) -> bool:
        """Whether it is sure that there is no log; False where asking costs as much as looking."""
        ...

    def missing(self, folder: str, files: Iterable[DataFile]) -> str | None:
        """The first file that is not there in its full size, where that is cheap to ask."""
        ...


def entry(number: int) -> str:
    """The path of a commit in a table's folder."""
    return f"{LOG}/{number:020}.json"


def store_of(root: str, options: Mapping[str, str]) -> Store:
    """The store that a lake's path names."""
    return ObjectStore(root.rstrip("/"), options) if "://" in root else Disk(root)


class Disk:
    """A folder of this machine."""

    def __init__(self, root: str) -> None:
        self._root = Path(root).absolute()
        self._top = str(self._root)  # for what is asked at every step: a path costs more to put together than to ask for
        if "%" in str(self._root):
            raise UserError(
                Finding(
                    "XDE0606",
                    f"the lake cannot lie at `{self._root}`",
                    why="the library that writes the lake's logs takes a `%` in a path for the beginning of an escaped character",
                    hint="name another folder as `lake:` in `xde.yaml`",
                )
            )

    def where(self, folder: str) -> str:
        return f"{self._top}/{folder}"

    def make(self, folder: str) -> None:
        try:
            Path(f"{self._top}/{folder}").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(not_writable(self._top, error)) from error

    def tables(self) -> Iterator[str]:
        for schema in folders(self._top, "_."):
            for name in folders(f"{self._top}/{schema}", "_."):
                for version in folders(f"{self._top}/{schema}/{name}", "_."):
                    if begun(f"{self._top}/{schema}/{name}/{version}/{LOG}"):
                        yield f"{schema}/{name}/{version}"

    def ruins(self) -> Iterator[str]:
        for folder in sorted(self._root.glob("[!_.]*/[!_.]*/[!.]*/")):
            kept = folder.name.startswith("_") or begun(f"{folder}/{LOG}")
            if folder.name.startswith(DROPPED) or not kept:
                yield str(folder.relative_to(self._root))

    def read(self, folder: str, path: str) -> str | None:
        try:
            return (self._root / folder / path).read_text("utf-8")
        except FileNotFoundError:
            return None

    def write(self, folder: str, path: str, text: str) -> None:
        target = self._root / folder / path
        aside = target.with_name(f"_writing_{uuid.uuid4().hex}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            aside.write_text(text, "utf-8")
            aside.replace(target)
        except OSError as error:
            aside.unlink(missing_ok=True)
            raise UserError(not_writable(self._top, error)) from error

    def listing(self, folder: str) -> Iterator[Stored]:
        top = self._root / folder
        for at, _, names in os.walk(top):
            for name in sorted(names):
                path = Path(at, name)
                try:
                    told = path.stat()
                except FileNotFoundError:
                    continue  # a staged file that was put in its place meanwhile
                yield Stored(str(path.relative_to(top)), told.st_size, told.st_mtime)

    def remove(self, folder: str, paths: Iterable[str]) -> None:
        for path in paths:
            (self._root / folder / path).unlink(missing_ok=True)

    def share(self, folder: str, to: str, paths: Iterable[str]) -> None:
        """Hard links, which take no room. They are dated anew: a clean takes what is old and belongs to no table."""
        self.make(to)
        for path in paths:
            try:
                self._share_one(self._root / folder / path, self._root / to / path)
            except FileNotFoundError as error:
                raise TemporaryError(f"`{folder}/{path}` was taken away by somebody else") from error
            except OSError as error:
                raise UserError(not_writable(self._top, error)) from error

    @staticmethod
    def _share_one(source: Path, target: Path) -> None:
        if target.exists():
            return
        target.parent.mkdir(exist_ok=True)
        try:
            os.utime(source)
            target.hardlink_to(source)
        except OSError:  # a file system without links, or a file that is another user's
            aside = target.with_name(f"_making_{uuid.uuid4().hex}")
            try:
                shutil.copyfile(source, aside)
                aside.replace(target)
            finally:
                aside.unlink(missing_ok=True)

    def drop(self, folder: str) -> None:
        top = self._root / folder
        aside = top.with_name(f"{DROPPED}{uuid.uuid4().hex}")
        try:
            top.rename(aside)
        except FileNotFoundError:
            return
        crash_point(CrashPoint.DROP_ASIDE)
        shutil.rmtree(aside, ignore_errors=True)

    def put_first(self, folder: str, text: str) -> object:
        """Write a log's first entry aside and put it in place, if there is none; its birth, or None when there is.

        delta-rs looks whether there is a table and then writes: of two that look at once, the second's becomes commit 1.
        """
        top = self._root / folder
        aside = top / f"_making_{uuid.uuid4().hex}"
        (top / LOG).mkdir(parents=True, exist_ok=True)
        try:
            aside.write_text(text, "utf-8")
            (top / entry(0)).hardlink_to(aside)
            return _birth(aside)
        except FileExistsError:
            return None
        finally:
            aside.unlink(missing_ok=True)

    def idle(self, folder: str, since: float) -> bool:
        return all(Path(at).stat().st_mtime < since for at, _, _ in os.walk(self._root / folder))

    def is_newest(self, folder: str, number: int) -> bool:
        return not Path(f"{self._top}/{folder}/{entry(number + 1)}").exists()

    def birth(self, folder: str) -> object:
        return _birth(Path(f"{self._top}/{folder}/{entry(0)}"))

    def is_bare(self, folder: str) -> bool:
        return not Path(f"{self._top}/{folder}/{LOG}").exists()

    def missing(self, folder: str, files: Iterable[DataFile]) -> str | None:
        for file in files:
            try:
                told = Path(f"{self._top}/{folder}/{file.path}").stat()
            except FileNotFoundError:
                return file.path
            if told.st_size != file.size:
                return file.path
        return None


class ObjectStore:
    """A bucket or anything else that delta-rs reaches by a URL and options."""

    def __init__(self, root: str, options: Mapping[str, str]) -> None:
        self._root = root
        self._options = dict(options)
        self._files: pafs.FileSystem | None = None

    def where(self, folder: str) -> str:
        return f"{self._root}/{folder}"

    def make(self, folder: str) -> None:
        """Nothing: a bucket has no folders."""

    def tables(self) -> Iterator[str]:
        yield from (f for f in self._versions() if any(self.listing(f"{f}/{LOG}")))

    def ruins(self) -> Iterator[str]:
        yield from (f for f in self._versions() if not any(self.listing(f"{f}/{LOG}")) and any(self.listing(f)))

    def _versions(self) -> Iterator[str]:
        for schema in self._below(""):
            for name in self._below(schema):
                yield from self._below(name)

    def read(self, folder: str, path: str) -> str | None:
        try:
            with self._reached() as system, system.open_input_stream(f"{folder}/{path}") as stream:
                return str(stream.read().decode())
        except FileNotFoundError:
            return None

    def write(self, folder: str, path: str, text: str) -> None:
        with self._reached():
            # pyarrow's wrapper gives the stream what it does not take
            stream = cast("BinaryIO", self._handler().open_output_stream(f"{folder}/{path}", None))
            stream.write(text.encode())
            stream.close()  # its types do not say that it can be

    def listing(self, folder: str) -> Iterator[Stored]:
        import pyarrow.fs as pafs

        with self._reached() as system:
            found = system.get_file_info(pafs.FileSelector(folder, allow_not_found=True, recursive=True))
        for told in found:
            if told.type == pafs.FileType.File:
                changed = told.mtime.timestamp() if told.mtime else 0.0
                yield Stored(told.path.removeprefix(f"{folder}/"), int(told.size), changed)

    def remove(self, folder: str, paths: Iterable[str]) -> None:
        for path in paths:
            try:
                with self._reached() as system:
                    system.delete_file(f"{folder}/{path}")
            except FileNotFoundError:
                continue

    def share(self, folder: str, to: str, paths: Iterable[str]) -> None:
        """Copies that the store makes itself."""
        with self._reached():
            for path in paths:
                self._handler().copy_file(f"{folder}/{path}", f"{to}/{path}")

    def drop(self, folder: str) -> None:
        """The log first, checkpoints before commits and the newest commit first; then the data."""
        paths = [f.path for f in self.listing(folder)]
        logs = [p for p in paths if p.startswith(f"{LOG}/")]
        commits = sorted((p for p in logs if p.endswith(".json") and p[len(LOG) + 1 :][:1].isdigit()), reverse=True)
        others = [p for p in logs if p not in set(commits)]
        self.remove(folder, [*others, *commits, *(p for p in paths if p not in set(logs))])

    def idle(self, folder: str, since: float) -> bool:  # noqa: ARG002 - the port's
        return True

    def is_newest(self, folder: str, number: int) -> bool:  # noqa: ARG002 - the port's
        return False

    def birth(self, folder: str) -> object:  # noqa: ARG002 - the port's
        return None

    def is_bare(self, folder: str) -> bool:  # noqa: ARG002 - the port's
        return False

    def missing(self, folder: str, files: Iterable[DataFile]) -> str | None:  # noqa: ARG002 - the port's
        return None

    def _below(self, folder: str) -> list[str]:
        import pyarrow.fs as pafs

        with self._reached() as system:
            told = system.get_file_info(pafs.FileSelector(folder, allow_not_found=True))
        found = sorted(t.path for t in told if t.type == pafs.FileType.Directory)
        return [p for p in found if not p.rsplit("/", 1)[-1].startswith(("_", "."))]

    @contextmanager
    def _reached(self) -> Iterator[pafs.FileSystem]:
        """The store as a file system; that it is away, or does not let us in, may pass."""
        try:
            yield self._system()
        except FileNotFoundError:
            raise
        except OSError as error:
            said = redact(" ".join(str(error).split()))[:300]  # before it is cut: half a secret is not known again
            raise TemporaryError(f"the lake at `{self._root}` cannot be reached: {said}", retry_in=5.0) from error

    def _handler(self) -> DeltaFileSystemHandler:
        from deltalake._internal import DeltaFileSystemHandler

        return DeltaFileSystemHandler(self._root, self._options or None)

    def _system(self) -> pafs.FileSystem:
        if self._files is None:
            import pyarrow.fs as pafs
            from deltalake.fs import DeltaStorageHandler

            self._files = pafs.PyFileSystem(DeltaStorageHandler(self._root, self._options or None))
        return self._files


def _birth(path: Path) -> tuple[int, int] | None:
    try:
        told = path.stat()
    except FileNotFoundError:
        return None
    return told.st_ino, told.st_mtime_ns


def not_writable(root: str, error: OSError) -> Finding:
    """The lake's folder does not take what we write."""
    return Finding(
        "XDE0603",
        f"the lake cannot be written at `{root}`",
        why=" ".join((error.strerror or str(error)).split())[:300],
        hint="give the folder to the user who runs xde and see that its disk has room, or name another as `lake:` in `xde.yaml`",
    )
