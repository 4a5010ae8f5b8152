"""Rows of a database on their way to the loader: read after the position that the table's newest commit holds, into files of their own."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from xde.ground.errors import Bug, DataError, TemporaryError, UserError, XdeError
from xde.ground.findings import Finding
from xde.ground.memory_folder import nowhere
from xde.kernel.run.owners import parse_owner, this_owner
from xde.lifecycle.ingestion.port import FileAccount, FileToLoad
from xde.lifecycle.sources.port import UNLISTED, FoundFile
from xde.lifecycle.sources.tables import Captured, Piece, Unfinished
from xde.lifecycle.storage.mirror import read_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from xde.lifecycle.ingestion.port import Loaded
    from xde.lifecycle.sources.port import FileStore
    from xde.lifecycle.sources.tables import Ask, Place, Portion, Position, TableSource
    from xde.lifecycle.storage.merging import Rewritten
    from xde.lifecycle.storage.port import Snapshot
    from xde.lifecycle.storage.publish import Publisher

SAMPLE = 1000  # rows that are looked at to know what a new column is
OWNER = "owner"  # the file that says whose rows these are


@dataclass(frozen=True, slots=True)
class Tables:
    """Opens databases and stores of objects; `folder` is where rows lie while they are loaded."""

    open: Callable[[Ask], TableSource]
    folder: Path
    store: Callable[[Place | None], FileStore] | None = None
    secret: Callable[[str], str] | None = None  # what a reference stands for; hidden from then on


@dataclass(frozen=True, slots=True)
class Given:
    """The files of one load, and what its commit is to say of where they came from."""

    files: Sequence[FileToLoad]
    facts: Mapping[str, object]
    portion: Portion | None = None
    begun: Ask | None = None  # what was asked, where this is a first load

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was noticed by the way."""
        return self.portion.findings if self.portion is not None else ()

    @property
    def anew(self) -> bool:
        """Whether nothing stays of what was there."""
        return self.portion is not None and self.portion.anew

    @property
    def more(self) -> bool:
        """Whether there is more to read at once."""
        return self.portion is not None and self.portion.more

    @property
    def position(self) -> Position:
        """How far was read."""
        return self.portion.position if self.portion is not None else {}

    def idle(self, before: Snapshot | None, rewritten: Rewritten) -> bool:
        """Whether changes were looked for and there was none: then only the position is new."""
        found = self.portion is not None and self.portion.position.get("kind") in {"postgres-log", "stream"}
        return found and before is not None and not rewritten.adds and not rewritten.removes

    def accounted(self, ask: Ask, loaded: Loaded) -> FileAccount:
        """The pieces of a portion as one account; each must have as many records as the database says it wrote."""
        written = {f.found.path: p.rows for f, p in zip(self.files, self.portion.pieces if self.portion else (), strict=True)}
        for account in loaded.accounts:
            if account.records != written[account.path]:
                raise _not_all(ask, written[account.path], account.records)
        sums = [sum(getattr(a, n) for a in loaded.accounts) for n in ("size", "records", "accepted", "letters", "superseded")]
        return FileAccount(ask.relation, "", *sums)


class Finish(Protocol):
    """Makes what a log told loadable."""

    def __call__(self, unfinished: Sequence[Unfinished], folder: Path) -> Sequence[Piece]:
        """Give rows the values that they lack, as files of a folder."""
        ...

    def gone(self, keys: Piece, folder: Path) -> Piece:
        """The keys that are deleted, as the table has them."""
        ...


@contextmanager
def read_aside(tables: Tables, ask: Ask, position: Position | None, finish: Finish | None = None) -> Iterator[Given]:
    """Read what comes after a position; the files are gone at the end. A first load that fails leaves nothing behind in the source."""
    try:
        with nowhere() if ask.private else aside(tables.folder) as scratch:
            with closing(tables.open(ask)) as source, _discreet(ask):
                portion = source.read(ask, position, scratch)
            if portion.unfinished and finish is not None:
                portion = replace(portion, pieces=(*portion.pieces, *finish(portion.unfinished, scratch)))
            if portion.gone is not None and finish is not None and ask.private:
                portion = replace(portion, gone=finish.gone(portion.gone, scratch))
            files = [_file(ask, n, piece) for n, piece in enumerate(portion.pieces)]
            facts = {"position": dict(portion.position), "taken": dict(portion.cost)}
            yield Given(files, facts, portion, ask if position is None else None)
    except BaseException:
        if position is None:
            abandon(tables, ask)
        raise


@contextmanager
def sampled(tables: Tables, ask: Ask) -> Iterator[FileToLoad | None]:
    """A few rows with all their columns; None where they cannot be had."""
    with nowhere() if ask.private else aside(tables.folder) as scratch:
        found = None
        with suppress(XdeError), closing(tables.open(few := ask.sampled(SAMPLE))) as source:
            pieces = source.read(few, None, scratch).pieces
            found = _file(few, 0, pieces[0]) if len(pieces) == 1 else None
        yield found


@contextmanager
def _discreet(ask: Ask) -> Iterator[None]:
    """Of a private source the words of a database that refuses a query are not told: they may quote a value."""
    try:
        yield
    except UserError as error:
        if not ask.private or not any(f.label == "not read" for f in error.findings):
            raise
        raise UserError(*(replace(f, why="") if f.label == "not read" else f for f in error.findings)) from None


@contextmanager
def fetched(tables: Tables | None, place: Place, files: Sequence[FileToLoad], *, private: bool = False) -> Iterator[Given]:
    """Bring objects of a store here, `private` ones into memory; they are gone at the end."""
    if tables is None or tables.store is None:
        raise Bug("nobody can open a store here")
    store = tables.store(place)
    for file in files:
        if file.digest == UNLISTED:
            store.list(file.found.location, file.found.path)
            raise TemporaryError(f"`{file.found.location}` can be reached again: a new run will see what is in it")
    with nowhere() if private else aside(tables.folder) as scratch:
        yield Given([replace(f, found=store.fetch(f.found, f.digest, scratch)) for f in files], {})


@contextmanager
def aside(folder: Path) -> Iterator[Path]:
    """A folder of its own, that is gone at the end, or swept by another process when this one is killed."""
    folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    scratch = Path(tempfile.mkdtemp(prefix="table-", dir=folder))
    try:
        (scratch / OWNER).write_text(str(this_owner()))
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def settle(tables: Tables, ask: Ask, position: Position) -> None:
    """Tell the source that a position is in a commit. If it cannot be told now, the next load does."""
    with suppress(XdeError), closing(tables.open(ask)) as source:
        if isinstance(source, Captured):
            source.settle(ask, position)


def abandon(tables: Tables | None, ask: Ask | None) -> None:
    """Tell the source that a first load came to nothing; never to be called once its commit may be there."""
    if tables is None or ask is None or ask.capture is None:
        return
    with suppress(XdeError), closing(tables.open(ask)) as source:
        if isinstance(source, Captured):
            source.abandon(ask)


def _sweep(folder: Path) -> None:
    """Take away the rows that a process left behind when it was killed."""
    for left in folder.glob(f"table-*/{OWNER}"):
        with suppress(FileNotFoundError):  # its process is just done with it
            owner = parse_owner(left.read_text())
            if owner is not None and owner.is_dead:
                shutil.rmtree(left.parent, ignore_errors=True)


def known_of(publisher: Publisher, before: Snapshot | None) -> Mapping[str, object]:
    """What the commits of a snapshot together say: the ledger knows it, unless it has not heard of the newest yet."""
    if before is None:
        return {}
    key = (before.table.dataset, before.table.version)
    state = publisher.ledger.states([key]).get(key)
    if state is None or state.number != before.number:
        state = read_state(publisher.lake, before.table)
    return state.facts if state is not None else {}


def _file(ask: Ask, number: int, piece: Piece) -> FileToLoad:
    name = piece.name or (ask.relation if not number else f"{ask.relation} ({number + 1})")
    found = FoundFile(name, str(piece.path), piece.path.stat().st_size, 0)
    return FileToLoad(found, "", unordered=not piece.name, parts=piece.parts, format=piece.format)


def _not_all(ask: Ask, wrote: int, found: int) -> DataError:
    why = f"the source says that it wrote {wrote:,} rows, and {found:,} arrived"
    return DataError(Finding("XDE0421", f"`{ask.dataset}`: the rows of `{ask.relation}` do not add up", ask.span, "", why, "load it again"))
