"""How records are pushed to a source, from the words of its contract; and the port of the spool that holds them until they are loaded."""

from __future__ import annotations

import re
from dataclasses import field
from typing import TYPE_CHECKING, Protocol

from xde.ground.findings import Finding
from xde.ground.records import dataclass
from xde.kernel.project.secret_references import EXAMPLES, references

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from xde.ground.findings import Findings
    from xde.ground.spans import Span
    from xde.kernel.project.contract import Server
    from xde.kernel.project.declarations import SourceDataset
    from xde.lifecycle.ingestion.at_the_door import Bound
    from xde.lifecycle.sources.devices import Subscription
    from xde.lifecycle.sources.port import FoundFile

SPOOL = ".xde/spool"
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_TIME = re.compile(r"([0-9.]+) ?(s|min|h|d)")


@dataclass(frozen=True, slots=True)
class PushKey:
    """Who may push: `secret` is the reference as it is written, looked up when the door is opened."""

    name: str
    secret: str


@dataclass(frozen=True, slots=True)
class Push:
    """A source that records are pushed to. Sizes in bytes, times in seconds.

    `spool` is a folder, relative to the project. What waits there for its load may have `spool_bytes`: beyond that, nothing is taken in.
    A request with a key of its own is remembered for `window`, and of the newest `requests` of them. `keep` is how long what was loaded
    stays in the spool; None: for ever, so that the table can be loaded anew.
    """

    dataset: str
    spool: str
    keys: tuple[PushKey, ...] = ()
    accept_all: bool = False
    body_bytes: int = 10_000_000
    records: int = 50_000
    spool_bytes: int = 1_000_000_000
    every: float = 10.0
    rows: int = 100_000
    window: float = 86_400.0
    requests: int = 250_000
    keep: float | None = None
    span: Span | None = None
    subscription: Subscription | None = None  # where nobody pushes, but we listen


def is_push(server: Server) -> bool:
    """Whether a server is a door of ours that records are pushed through."""
    return server.type == "custom" and "push" in server.custom


def push_of(dataset: SourceDataset, server: Server, findings: Findings) -> Push:
    """What a contract says of pushing to a dataset; what is wrong with it goes to the findings."""
    custom = server.custom["push"]
    words = custom.value if isinstance(custom.value, dict) else {}
    keys = tuple(PushKey(str(k["name"]), str(k["secret"])) for k in words.get("keys", ()))
    for key in keys:
        if len(references(key.secret)) != 1 or not re.fullmatch(r"\$\{[^{}]*\}", key.secret):
            why = "the contract is in the repository for all to read"
            message = f"the key `{key.name}` of `{dataset.name}` is no reference to a secret"
            findings.add(Finding("XDE0463", message, custom.span, "in the open", why, f"write {EXAMPLES}"))
    mode = dataset.object.custom.get("writeMode")
    if mode is not None and mode.value == "replace":
        why = "what is pushed adds to what is there; a delivery that replaces all rows is a file"
        message = f"`{dataset.name}` is pushed to, and cannot be written with `replace`"
        findings.add(Finding("XDE0464", message, mode.span, "replace", why, "write `append`, or `merge` with a primary key"))
    change = dataset.object.custom.get("schemaChange")
    if change is not None and isinstance(change.value, dict) and change.value.get("newColumn") == "evolve":
        why = "one event with a misspelt member would add a column for all"
        message = f"`{dataset.name}` is pushed to, and its table cannot `evolve` by that"
        hint = "write `quarantine`: records with something new wait as dead letters until the contract has it"
        findings.add(Finding("XDE0464", message, change.span, "evolve", why, hint))
    limits, commit, again = (_part(words, n) for n in ("limits", "commit", "idempotency"))
    usual = Push(dataset.name, "")
    return Push(
        dataset.name,
        f"{server.settings.get('path', SPOOL)}/{dataset.name}",
        keys,
        words.get("mode") == "accept-all",
        int(limits.get("bodyBytes", usual.body_bytes)),
        int(limits.get("records", usual.records)),
        int(limits.get("spoolBytes", usual.spool_bytes)),
        seconds(commit.get("every"), usual.every),
        int(commit.get("rows", usual.rows)),
        seconds(again.get("window"), usual.window),
        int(again.get("requests", usual.requests)),
        seconds(words["keep"], 0.0) if "keep" in words else None,
        server.span,
    )


def _part(words: Mapping[str, object], name: str) -> dict[str, int]:
    found = words.get(name, {})
    return found if isinstance(found, dict) else {}


def seconds(said: object, usual: float) -> float:
    """A stretch of time such as `10 s`."""
    found = _TIME.match(str(said)) if said is not None else None
    return float(found[1]) * _SECONDS[found[2]] if found else usual


@dataclass(frozen=True, slots=True)
class Entry:
    """What was taken in of one request: lines of records, each with its line end, and the answer to it as bytes of JSON.

    `key` is the request's own (idempotency) key, or empty; `body` the digest of the body that came with it.
    """

    lines: bytes
    rows: int
    answer: bytes = b""
    key: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is known of an earlier request with a key."""

    body: str
    answer: bytes


class NoRoom(Exception):
    """Nothing more can be taken in now; what was is safe. `full` is the disk's doing."""

    def __init__(self, why: str, *, full: bool = False) -> None:
        super().__init__(why)
        self.full = full


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a spool holds that was not loaded yet."""

    rows: int = 0
    bytes: int = 0
    oldest: float | None = field(default=None)  # of the monotonic clock


class Spool(Protocol):
    """Holds what was taken in until it is loaded. An entry is taken in when its bytes are on the disk, and only then `done` is called.

    Entries become *segments*: numbered files of lines that never change, which the loader reads like any delivered file.
    `name` is what the spool is called in commits.
    """

    name: str

    def append(self, entry: Entry, done: Callable[[BaseException | None], None]) -> None:
        """Queue an entry; `done` is called from another thread, with `NoRoom` where it was not taken in."""
        ...

    def remembered(self, key: str) -> Remembered | None:
        """The earlier request with a key, where it is within the window."""
        ...

    def waiting(self) -> Waiting:
        """What is not loaded yet."""
        ...

    def deliver(self) -> None:
        """Make a segment of what was taken in until now."""
        ...

    def landed(self, number: int) -> None:
        """Note that the segments up to a number are in the table; drop what is past keeping."""
        ...

    def close(self) -> None:
        """Finish what is queued, and let go."""
        ...


class Delivered(Protocol):
    """Looks at the segments of spools."""

    def bound(self, spool: str) -> Bound:
        """How the records of a spool were treated before they were written."""
        ...

    def segments(self, spool: str, landed: Mapping[str, int]) -> Sequence[FoundFile]:
        """The segments that are not landed, in order: `landed` maps a spool's own name to the last number that is.

        Raises `UserError` where one between is gone.
        """
        ...


def segment_path(spool: str, number: int) -> str:
    """The path by which a segment is known in commits and letters: the spool's own name, and a number."""
    return f"{spool}/{number:012d}.ndjson"


def landed(paths: Iterable[str]) -> dict[str, int]:
    """The last segment of each spool among some paths of segments."""
    found: dict[str, int] = {}
    for path in paths:
        spool, _, name = path.rpartition("/")
        found[spool] = max(found.get(spool, 0), int(name.partition(".")[0]))
    return found
