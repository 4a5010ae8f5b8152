"""What is asked of an API over HTTP, as its contract says it: the request, how one page leads to the next, where the records are."""

from __future__ import annotations

from dataclasses import field

from xde.ground.records import dataclass

Path = tuple[str, ...]  # names of members, from the top of a document or a record
SECRETS = ("token", "password", "value", "clientSecret")  # of the words of `auth`: what nobody is to see
UP = "../"  # before a path of a child's column: one record further up


@dataclass(frozen=True, slots=True)
class Paging:
    """How one page leads to the next: `kind` is none, page, offset, cursor, next or link.

    `at` is where a page says what comes next, `record` the member of its last record that does. `total`, `pages` and `more` are where a
    page says how many records or pages there are, or whether there is another; where it does not, the first empty page is the last,
    and by `short` one of fewer than `size` records. `newest_first`: once all of a page was read before, so was what comes after it.
    """

    kind: str = "none"
    parameter: str = ""
    at: Path = ()
    record: Path = ()
    first: int = 1
    size_parameter: str = ""
    size: int | None = None
    total: Path = ()
    pages: Path = ()
    more: Path = ()
    short: bool = False
    newest_first: bool = False
    most: int = 10_000


@dataclass(frozen=True, slots=True)
class Since:
    """The parameter that asks for what is new: a value as the cursor has it, or written as `form` says: iso8601, date, unix, unixMillis."""

    parameter: str
    start: str | None = None
    form: str | None = None


@dataclass(frozen=True, slots=True)
class Manners:
    """How an API is treated, in seconds and bytes. Of all requests to a server together `a_second` are sent."""

    a_second: float | None = None
    response_bytes: int = 256_000_000
    retries: int = 5
    longest_wait: float = 120.0
    timeout: float = 60.0
    connect_timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class Carried:
    """A value of a record further up that a child's record is given: `name` is how the child calls it, `up` how far up it is."""

    name: str
    up: int
    path: Path


@dataclass(frozen=True, slots=True)
class Request:
    """The requests that a dataset's records come from.

    `root` is the dataset whose requests they are: the dataset itself, or of a child its first parent. `records` is where the records are in
    a page (None: nobody said), `inner` the ways from each record to a list within it. `cursor` are the paths in a record of the root,
    with the kind of each (time, `time:%d.%m.%Y`, number, text). `known` are the members that the contract knows; where `tells`, others
    are told.
    """

    root: str
    path: str
    method: str = "GET"
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    records: Path | None = None
    inner: tuple[Path, ...] = ()
    carried: tuple[Carried, ...] = ()
    paging: Paging = field(default_factory=Paging)
    since: Since | None = None
    manners: Manners = field(default_factory=Manners)
    cursor: tuple[tuple[Path, str], ...] = ()
    appends: bool = False
    shared: bool = False  # whether other datasets have the same requests
    known: tuple[str, ...] = ()
    tells: bool = False
    personal: tuple[tuple[tuple[Path, ...], Path], ...] = ()  # ways to a list, and to a value in its records, that may show a person

    def meaning(self) -> object:
        """What of it decides which rows there are and what stands in them."""
        carried = [[c.name, c.up, list(c.path)] for c in self.carried]
        how = [self.method, [list(q) for q in self.query], self.body, list(self.records or ()), [list(i) for i in self.inner], carried]
        return [*how, self.since.parameter if self.since else None]
