"""Records of an API as a source: asked for page by page, written down each as it came, one a line."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from xde.connectors.http.cassettes import Player, Recorder, at_rest, folder_of
from xde.connectors.http.client import Client
from xde.connectors.http.looking import look
from xde.connectors.http.pages import Page, Pages
from xde.connectors.http.progress import Progress, known_edges
from xde.connectors.http.retrying import Patient
from xde.connectors.http.signing import Signed, names_of_all
from xde.ground.crash import CrashPoint, crash_point
from xde.ground.errors import UserError
from xde.ground.findings import Finding, Severity
from xde.lifecycle.sources.pace import Pace
from xde.lifecycle.sources.tables import Looked, News, Piece, Portion
from xde.lifecycle.sources.tallies import Tally, record_digest
from xde.lifecycle.sources.within import lines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from xde.connectors.http.calls import Send
    from xde.connectors.http.sharing import Sharing
    from xde.lifecycle.sources.apis import Request
    from xde.lifecycle.sources.tables import Ask, Position

LOOKED = 5  # pages that are asked for at the most to tell whether there is anything new
SHOWN = 20  # members


@dataclass(slots=True)
class Way:
    """How answers are had: from the API, or from a cassette."""

    send: Send
    settings: Mapping[str, str]
    client: Client | None = None
    patient: Patient | None = None
    player: Player | None = None


def live(ask: Ask, settings: Mapping[str, str], root: Path, sharing: Sharing) -> Way:
    """From the API; `settings` have what references stand for."""
    ca_file = root / settings["caFile"] if "caFile" in settings else None
    if ca_file is not None and not ca_file.is_file():
        hint = "`caFile` of `xdeApi` is a path from the folder of the project"
        raise UserError(Finding("XDE0443", f"there is no file `{settings['caFile']}`", ask.place.span, "no such file", hint=hint))
    client = Client(ask.asked.manners, ca_file)
    throttle = sharing.throttle(settings["location"], ask.asked.manners.a_second)
    patient = Patient(Signed(client.send, settings, ask), ask, throttle)
    return Way(patient, settings, client, patient)


def recorded(ask: Ask, root: Path) -> Way:
    """From the cassette; no reference is looked up."""
    player = Player(ask, folder_of(ask, root), root)
    return Way(player, at_rest(ask), player=player)


class ApiRecords:
    """See `lifecycle.sources.tables.TableSource`."""

    def __init__(self, ask: Ask, way: Way, sharing: Sharing) -> None:
        self._way, self._sharing = way, sharing
        self._settings = way.settings
        self._request = ask.asked

    def news(self, ask: Ask, position: Position | None) -> News | None:
        """Ask for the first pages, and hold them against what the last load would see again."""
        if position is None:
            return News("", "all of it is read")
        progress, seen = Progress(ask, position), Tally()
        most, edges = known_edges(position)
        told = News("", f"`{ask.relation}` has new records" if self._request.cursor else f"`{ask.relation}` has changed")
        send = self._way.patient.hasty() if self._way.patient is not None else self._way.send
        for page in self._pages(ask, progress, send):
            for raw, record in page.body.records:
                seen.add(record_digest(raw))
                if self._request.appends and progress.fresh(record):
                    return replace(told, signature=str(seen))
            if not page.last and (page.number >= LOOKED or (not self._request.appends and seen.count > most)):
                return replace(told, signature=str(seen))
        nothing = (self._request.appends or not seen.count) if self._request.cursor else False
        return None if nothing or str(seen) in edges else replace(told, signature=str(seen))

    def read(self, ask: Ask, position: Position | None, folder: Path) -> Portion:
        """All pages after a position; each of the datasets that are made of them reads what the first was given."""
        family = self._sharing.family(ask) if self._request.shared else None
        with family.lock if family is not None else nullcontext():
            send = family.through(self._way.send) if family is not None else self._way.send
            return self._read(ask, position, folder / "records.ndjson", send)

    def record(self, ask: Ask, folder: Path, target: Path, most: int | None = None) -> tuple[Recorder, int]:
        """Keep the answers of a whole read, and of the one after it, as a cassette; gives it with the number of records."""
        recorder = Recorder(self._way.send, ask, self._settings, most)
        portion = self._read(ask, None, folder / "records.ndjson", recorder)
        if self._request.since is not None and portion.position.get("cursor") is not None:
            recorder.allow(most)
            self._read(ask, portion.position, folder / "more.ndjson", recorder)
        recorder.put(target)
        return recorder, sum(p.rows for p in portion.pieces)

    def look(self, ask: Ask) -> list[Looked]:
        """What stands between us and the records."""
        if self._way.player is not None:
            return [Looked("cassette", well=True, told=f"{self._way.player.requests} requests")]
        assert self._way.client is not None  # noqa: S101 - of the two ways it is the other
        first = self._pages(ask, Progress(ask, None), self._way.send).first()
        return look(ask, self._settings, self._way.client, first)

    def close(self) -> None:
        """Close the connection."""
        if self._way.client is not None:
            self._way.client.close()

    def _pages(self, ask: Ask, progress: Progress, send: Send) -> Pages:
        asked = replace(ask, place=replace(ask.place, settings=self._settings))
        newest_first = self._request.paging.newest_first and progress.last is not None

        def enough(page: Page) -> bool:
            return newest_first and not any(progress.fresh(record) for _, record in page.body.records)

        return Pages(asked, send, progress.since, names_of_all(self._settings), enough)

    def _read(self, ask: Ask, position: Position | None, target: Path, send: Send) -> Portion:
        pace, progress, written = Pace(ask.limits), Progress(ask, position), _Written(self._request)
        before = self._way.patient.requests if self._way.patient is not None else 0
        pages = self._pages(ask, progress, send)
        read = 0
        with target.open("w", encoding="utf-8", errors="surrogatepass", newline="\n") as out:
            for page in pages:
                read += 1
                begun, size = written.rows, out.tell()
                for raw, record in page.body.records:
                    if progress.saw(raw, record):
                        for line in written.of(raw, record):
                            out.write(f"{line}\n")
                if written.rows > begun:
                    written.parts.append((begun + 1, f"{ask.relation} page {page.number}"))
                crash_point(CrashPoint.PAGE_READ)
                pace.took(written.rows - begun, out.tell() - size)
        cost = {**pace.cost(), "pages": read, "requests": (self._way.patient.requests if self._way.patient is not None else 0) - before}
        if progress.skipped:
            cost["known"] = progress.skipped
        piece = Piece(target, written.rows, tuple(written.parts))
        return Portion((piece,), progress.position(), cost, (*pages.findings, *written.told(ask)))


@dataclass(slots=True)
class _Written:
    """The lines of a load, and the members in them that the contract does not know."""

    request: Request
    rows: int = 0
    parts: list[tuple[int, str]] = field(default_factory=list)
    new: dict[str, None] = field(default_factory=dict)

    def of(self, raw: str, record: object) -> list[str]:
        """The lines of a record."""
        found = []
        for line, value in lines(self.request, raw, record):
            found.append(line)
            if self.request.tells and isinstance(value, dict) and len(self.new) < SHOWN:
                self.new |= {n: None for n in value if n not in self.request.known}
        self.rows += len(found)
        return found

    def told(self, ask: Ask) -> tuple[Finding, ...]:
        """What is left out, for nobody said what is to become of it."""
        if not self.new:
            return ()
        told = f"records of `{ask.relation}` have what the contract of `{ask.dataset}` does not: {', '.join(f'`{n}`' for n in self.new)}"
        hint = "add it to the contract, or `{property: xdeSchemaChange, value: {newColumn: discard}}` (`evolve`, `quarantine`, `freeze`)"
        return (Finding("XDE0459", told, ask.span, "", "it is not loaded", hint, Severity.INFO),)
