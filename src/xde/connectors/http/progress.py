"""How far an API was read: what is asked for next time, which records were had before, and whether an answer holds anything new."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from xde.ground.clock import SystemClock
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.raw_json import value_at
from xde.lifecycle.sources.tallies import Tally, record_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from xde.lifecycle.sources.apis import Request
    from xde.lifecycle.sources.tables import Ask, Position

Comparable = tuple[Any, ...]
KEPT = 20_000  # records whose digests are kept until it is known which of them the next load will see again


def compared(value: object, kind: str) -> Any | None:  # noqa: ANN401 - a time, a number or a text
    """A value of a cursor as it is compared, or None where it is no such value."""
    if value is None or isinstance(value, (bool, dict, list)):
        return None
    if kind == "text":
        return str(value)
    if kind == "number":
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            return None
        return number if number.is_finite() else None
    form = kind.partition(":")[2]
    try:
        found = datetime.strptime(str(value), form) if form else datetime.fromisoformat(str(value).strip())  # noqa: DTZ007 - below
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def since_text(ask: Ask, last: object) -> str | None:
    """What the parameter of what is new says, after a last value of the cursor. None where there is none, or it cannot be said."""
    request, cursor = ask.request, ask.cursor
    if request is None or request.since is None or cursor is None or not request.cursor:
        return None
    kind, form = request.cursor[0][1], request.since.form
    value = compared(last, kind)
    if value is None:
        return None
    if kind == "number":
        return format((value - Decimal(str(cursor.lag))).normalize(), "f") if cursor.lag is not None else str(last)
    if kind == "text":
        return str(last)
    if form is None and cursor.lag is None:
        return str(last)
    return _written(value - timedelta(seconds=cursor.lag or 0.0), form, str(last), kind.partition(":")[2])


def _written(moment: datetime, form: str | None, like: str, pattern: str) -> str:
    match form:
        case None if pattern:
            return moment.strftime(pattern)
        case "date":
            return moment.astimezone(UTC).date().isoformat()
        case "unix":
            return str(int(moment.timestamp() // 1))
        case "unixMillis":
            return str(int(moment.timestamp() * 1000 // 1))
        case None if len(like.strip()) == 10:
            return moment.date().isoformat()
        case None if like.strip()[-1:].isdigit() and "+" not in like and like.count("-") < 3:  # a time without a zone stays one
            return moment.replace(tzinfo=None).isoformat()
        case _:
            return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _lower(value: Any, lag: float) -> Any:  # noqa: ANN401 - as `compared`
    if isinstance(value, datetime):
        return value - timedelta(seconds=lag)
    return value - Decimal(str(lag)) if isinstance(value, Decimal) else value


def threshold(ask: Ask, since: str | None) -> Any | None:  # noqa: ANN401 - as `compared`
    """From which value of the cursor on the API will give records again."""
    request = ask.request
    if since is None or request is None or request.since is None:
        return None
    if request.since.form in {"unix", "unixMillis"}:
        return datetime.fromtimestamp(int(since) / (1000 if request.since.form == "unixMillis" else 1), UTC)
    return compared(since, "time" if request.since.form else request.cursor[0][1])


@dataclass(slots=True)
class Progress:
    """What one load sees. `fresh` tells the records that were not read before, where that can be told."""

    ask: Ask
    before: Position | None
    last: tuple[object, ...] | None = None
    skipped: int = 0
    _greatest: Comparable | None = None
    _floor: Comparable | None = None
    _all: Tally = field(default_factory=Tally)
    _kept: list[tuple[Any, int]] = field(default_factory=list)
    _limit: int = KEPT
    _tomorrow: datetime = field(default_factory=lambda: SystemClock().now() + timedelta(days=1))

    def __post_init__(self) -> None:
        """Go on from the position."""
        said = self.before.get("cursor") if self.before is not None else None
        if isinstance(said, list) and len(said) == len(self._request.cursor):
            self.last = tuple(said)
            self._greatest = self._floor = self._compared(said)
            if self._floor is not None and self.ask.cursor is not None and self.ask.cursor.lag is not None:
                self._floor = (_lower(self._floor[0], self.ask.cursor.lag),)

    @property
    def _request(self) -> Request:
        return self.ask.asked

    @property
    def since(self) -> tuple[tuple[str, str], ...]:
        """The parameter that asks for what is new."""
        since = self._request.since
        if since is None:
            return ()
        value = since_text(self.ask, self.last[0]) if self.last is not None else None
        value = value if value is not None else since.start
        return ((since.parameter, value),) if value is not None else ()

    def fresh(self, record: object) -> bool:
        """Whether a record was not read before; of one that is merged nobody need know."""
        if not self._request.cursor or not (self._request.appends or self._request.paging.newest_first):
            return True
        value = self._value(record)
        if value is None or self._floor is None:
            return True
        return bool(value > self._floor if self._request.appends else value >= self._floor)

    def saw(self, raw: str, record: object) -> bool:
        """Note a record; gives whether it is to be loaded."""
        self._all.add(digest := record_digest(raw))
        if not self._request.cursor:
            return True
        value = self._value(record)
        if value is not None and self._spelt(record):
            raise UserError(self._no_order(record))
        if value is None:
            if self._request.appends and None in self._written(record):
                raise UserError(self._no_place())
            return True  # it does not fit, and will be a dead letter
        if (self._greatest is None or value > self._greatest) and not self._far_ahead(value[0]):
            self._greatest = value
            self.last = tuple(self._written(record))
        self._kept.append((value[0], digest))
        if len(self._kept) > self._limit:
            self._kept = self._again()
            self._limit = max(KEPT, 2 * len(self._kept))
        if self._request.appends and not self.fresh(record):
            self.skipped += 1
            return False
        return True

    def _spelt(self, record: object) -> bool:
        """Whether numbers would be compared as texts, by which 10 comes before 9."""
        given = zip(self._written(record), self._request.cursor, strict=True)
        return any(kind == "text" and isinstance(v, (int, float)) for v, (_, kind) in given)

    def _no_order(self, record: object) -> Finding:
        name, shown = next(
            (".".join(p), v)
            for v, (p, k) in zip(self._written(record), self._request.cursor, strict=True)
            if k == "text" and not isinstance(v, str)
        )
        why = "the contract says that it is a text, and of texts `10` comes before `9`: later records would be passed over"
        hint = f"write `logicalType: integer` (or `number`) for `{name}` in the contract"
        told = f"the cursor `{name}` of `{self.ask.dataset}` has the number `{shown}`"
        return Finding("XDE0496", told, self.ask.span, "no order", why, hint)

    def _far_ahead(self, value: object) -> bool:
        """Whether it is a time after which none would come; records that are merged may be asked for again."""
        return isinstance(value, datetime) and not self._request.appends and value > self._tomorrow

    def position(self) -> dict[str, object]:
        """How far was read, and which records the next load will see again: at or after the moment that it will ask for."""
        found: dict[str, object] = {"kind": "api"}
        if self.last is not None:
            found["cursor"] = list(self.last)
        edges = {str(self._all)}
        if self._edge is not None:
            at, after = Tally(), Tally()
            for value, digest in self._kept:
                if value >= self._edge:
                    at.add(digest)
                if value > self._edge:
                    after.add(digest)
            edges = {str(at), str(after)}
        return {**found, "edge": sorted(edges)}

    @property
    def _edge(self) -> Any | None:  # noqa: ANN401 - as `compared`
        return threshold(self.ask, since_text(self.ask, self.last[0])) if self.last is not None else None

    def _again(self) -> list[tuple[Any, int]]:
        edge = self._edge
        return [] if edge is None else [k for k in self._kept if k[0] >= edge]

    def _value(self, record: object) -> Comparable | None:
        return self._compared(self._written(record))

    def _written(self, record: object) -> list[object]:
        return [value_at(record, path) for path, _ in self._request.cursor]

    def _compared(self, values: Iterable[object]) -> Comparable | None:
        found = tuple(compared(v, kind) for v, (_, kind) in zip(values, self._request.cursor, strict=True))
        return None if not found or None in found else found

    def _no_place(self) -> Finding:
        names = ", ".join(f"`{'.'.join(p)}`" for p, _ in self._request.cursor)
        why = "a later load could not tell whether it has them"
        hint = "take another cursor, or `merge` by key"
        return Finding(
            "XDE0484", f"records of `{self.ask.dataset}` have nothing in the cursor {names}", self.ask.span, "no position", why, hint
        )


def known_edges(position: Mapping[str, object] | None) -> tuple[int, frozenset[str]]:
    """The sets of records that would be nothing new, and the number of records of the biggest."""
    said = position.get("edge") if position is not None else None
    found = frozenset(str(e) for e in said) if isinstance(said, list) else frozenset()
    return max((int(e.partition(":")[0]) for e in found), default=0), found
