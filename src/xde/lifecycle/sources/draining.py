"""A stream read as a table is: what was there when the load began, in batches, each from the mark that the last commit holds."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from xde.ground.crash import CrashPoint, crash_point
from xde.ground.digests import digest
from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding, Severity
from xde.lifecycle.sources.messages import line_of
from xde.lifecycle.sources.pace import Pace
from xde.lifecycle.sources.streams import Mark
from xde.lifecycle.sources.tables import News, Piece, Portion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from xde.lifecycle.sources.brokers import Broker
    from xde.lifecycle.sources.streams import Event, Extent
    from xde.lifecycle.sources.tables import Ask, Looked, Position

KIND = "stream"
TOO_LATE = "XDE0517"
AT_ONCE = 1_000  # events that are asked for together


class Drained:
    """See `lifecycle.sources.tables.TableSource` and `Captured`."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def news(self, ask: Ask, position: Position | None) -> News | None:
        """How many events wait. Raises `UserError` where some are gone that were not read."""
        marks = _marks(position, "partitions")
        extents = self._checked(ask, position, marks)
        if position is None:
            return News("", "all of it is read")
        _gaps(ask, extents, marks)
        waiting = {p: x.end.count - max(marks[p].count, x.begin.count) if p in marks else x.end.count for p, x in extents.items()}
        behind = any(p not in marks or x.end != marks[p] for p, x in extents.items() if waiting[p])
        count = sum(max(0, n) for n in waiting.values())
        told = f"{count:,} {'event' if count == 1 else 'events'} of `{ask.relation}` wait"
        return News(digest(dict(position)), told) if behind else None

    def read(self, ask: Ask, position: Position | None, folder: Path) -> Portion:
        """The events after a position, up to where the streams were when the load began, a batch of them."""
        marks = _marks(position, "partitions")
        extents = self._checked(ask, position, marks)
        findings = _gaps(ask, extents, marks)
        until = _marks(position, "until") or {p: x.end for p, x in extents.items()}
        first = _marks(position, "first") | {p: _begin(ask, x, position) for p, x in extents.items() if p not in marks}
        at = {p: marks[p] if p in marks and not x.lost else x.begin if p in marks else first[p] for p, x in extents.items()}
        with (folder / "events.ndjson").open("wb") as file:
            batch = _Batch(ask, file, at)
            reached = {p: self._drained(ask, p, (at[p], until[p]), batch) for p in at if p in until}
        pieces = (batch.piece(folder / "events.ndjson"),)
        crash_point(CrashPoint.EVENTS_READ)
        more = any(m != until[p] for p, m in reached.items())
        if more and not batch.rows and all(m == marks.get(p) for p, m in reached.items()):
            raise TemporaryError(f"`{ask.relation}` holds events that it does not hand over just now", retry_in=1.0)
        now: dict[str, object] = {"kind": KIND, "of": self._broker.identity(ask), "partitions": _plain({**marks, **at, **reached})}
        now["first"] = _plain(first)
        if more:
            now["until"] = _plain(until)
        return Portion(pieces, now, batch.pace.cost(), tuple(findings), more=more)

    def settle(self, ask: Ask, position: Position) -> None:
        """Tell the consumer group, if there is one."""
        stream = ask.streamed
        if stream.group and not stream.once:
            self._broker.tell(ask, _marks(position, "partitions"))

    def abandon(self, ask: Ask) -> None:
        """Nothing was left behind."""

    def look(self, ask: Ask) -> list[Looked]:
        """The way to the events."""
        return self._broker.look(ask)

    def close(self) -> None:
        """Let go of the connection."""
        self._broker.close()

    def _checked(self, ask: Ask, position: Position | None, marks: Mapping[str, Mark]) -> Mapping[str, Extent]:
        """The partitions as they are. Raises `UserError` where they are not those that were read."""
        identity = self._broker.identity(ask)
        extents = self._broker.extents(ask, marks)
        broken = next((x.broken for x in extents.values() if x.broken), "")
        missing = [p for p in marks if p not in extents]
        if position is not None and position.get("of") != identity:
            broken = "it was made anew"
        elif missing:
            broken = f"it has no partition {missing[0]} any more"
        if broken:
            hint = f"`xde run --full {ask.dataset}` takes what is there instead of what was read; or give the new stream another dataset"
            told = f"`{ask.relation}` is not the stream that `{ask.dataset}` was read from"
            raise UserError(Finding("XDE0516", told, ask.span, "another one", broken, hint))
        _must_have_all(ask, extents)
        return extents

    def _drained(self, ask: Ask, partition: str, span: tuple[Mark, Mark], batch: _Batch) -> Mark:
        mark, until = span
        while mark != until and batch.room > 0:
            fetched = self._broker.fetch(ask, partition, (mark, until), min(batch.room, AT_ONCE))
            batch.write(fetched.events)
            mark = until if fetched.whole else fetched.mark
            if not fetched.events and not fetched.whole:
                break
        return mark


class _Batch:
    """The events of one commit, as a file; each is known by its place in the stream."""

    def __init__(self, ask: Ask, file: IO[bytes], at: Mapping[str, Mark]) -> None:
        self._name = f"{ask.relation} after {', '.join(f'{p}:{m.at}' if p else m.at for p, m in at.items())}"
        self._parts: list[tuple[int, str]] = []
        self._file = file
        self._most, self._told = ask.streamed.batch, ask.streamed.told
        self.pace = Pace(ask.limits)
        self.rows = 0

    @property
    def room(self) -> int:
        return self._most - self.rows

    def write(self, events: Sequence[Event]) -> None:
        size = 0
        for event in events:
            self.rows += 1
            self._parts.append((self.rows, event.place))
            told = {w: event.told[w] for w in self._told if w in event.told}
            size += self._file.write(line_of(event.body, told) + b"\n")
        self.pace.took(self.rows - self.pace.rows, size)

    def piece(self, path: Path) -> Piece:
        return Piece(path, self.rows, tuple(self._parts), self._name)


def _begin(ask: Ask, extent: Extent, position: Position | None) -> Mark:
    """Where a partition that was never read begins; one that is new since the last load begins with its first event."""
    return extent.end if ask.streamed.latest and position is None and not ask.streamed.had else extent.begin


def _gaps(ask: Ask, extents: Mapping[str, Extent], marks: Mapping[str, Mark]) -> list[Finding]:
    """What is told of events that went away before they were read. Raises `UserError` unless the contract says that they may."""
    lost = {p: x.lost for p, x in extents.items() if x.lost and p in marks}
    if not lost:
        return []
    count = sum(lost.values())
    told = f"{count:,} {'event' if count == 1 else 'events'} of `{ask.relation}` went away unread"
    places = ", ".join(f"{f'partition {p}: ' if p else ''}{n:,} after `{marks[p].at}`" for p, n in lost.items())
    if ask.streamed.passing:
        hint = "have the broker keep its events for longer, or load more often"
        return [Finding("XDE0515", told, ask.span, "", f"{places}; the contract says to go on behind them", hint, Severity.WARNING)]
    hint = "say `onGap: continue` in its `xdeStream` to go on behind them; have the broker keep its events for longer"
    raise UserError(Finding("XDE0515", told, ask.span, "a gap", places, hint))


def _must_have_all(ask: Ask, extents: Mapping[str, Extent]) -> None:
    """Raise `UserError` where a table is read anew from a stream that no longer has all of its events."""
    had = {p: _mark(m) for p, m in (ask.streamed.had or {}).items()}
    gone = sum(max(0, x.begin.count - had[p].count) for p, x in extents.items() if p in had)
    if gone and not ask.streamed.passing:
        told = f"`{ask.dataset}` cannot be read anew: {gone:,} of its events are no longer in `{ask.relation}`"
        why = "the broker keeps events for a time only, and the table has them for good"
        hint = "say `onGap: continue` in its `xdeStream` if the table may begin later; or take the change of its contract back"
        raise UserError(Finding(TOO_LATE, told, ask.span, "too late", why, hint))


def _marks(position: Position | None, word: str) -> dict[str, Mark]:
    found = position.get(word) if position is not None else None
    return {p: _mark(m) for p, m in found.items()} if isinstance(found, dict) else {}


def _mark(told: object) -> Mark:
    at, count = told if isinstance(told, (list, tuple)) else ("", 0)
    return Mark(str(at), int(str(count)))


def _plain(marks: Mapping[str, Mark]) -> dict[str, list[object]]:
    return {p: [m.at, m.count] for p, m in marks.items()}
