"""What is pushed to a project, taken in: read, looked at record by record, on the disk before it is answered, remembered by its key."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from xde.connectors.spool.bodies import Unfit, Unreadable, records
from xde.connectors.spool.spool import DiskSpool
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean
from xde.ground.records import dataclass
from xde.ground.secrets import hide
from xde.kernel.plan.checks import CheckKind
from xde.kernel.project.secret_references import references
from xde.lifecycle.ingestion.at_the_door import Bound, bound_by
from xde.lifecycle.ingestion.door import LONG, UNKNOWN, UNREADABLE, Complaint, Door
from xde.lifecycle.ingestion.hashing import fingerprints, keys_for
from xde.lifecycle.ingestion.perform import in_flight
from xde.lifecycle.ingestion.port import LoadJob
from xde.lifecycle.ingestion.push import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.lifecycle.ingestion.at_the_door import DoorSteps
    from xde.lifecycle.ingestion.push import Push, Remembered, Spool

SHORTEST_KEY = 16  # characters
BROKEN = "XDE0541"
_CONTROL = re.compile("[\x00-\x1f]")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered with: a status of HTTP (RFC 9110, RFC 4918 for 207) and JSON."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Taken:
    """A request, read: the entry to write down, or None where nothing of it is accepted; and the answer once it is."""

    entry: Entry | None
    answer: Answer


@dataclass(frozen=True, slots=True)
class Treating:
    """The in-flight steps of a door, and the key (of a hash) that what is written beside its records is sealed with."""

    steps: DoorSteps
    seal: bytes

    def sealed(self, content: bytes) -> str:
        """What tells some bytes from others, to those who have the key."""
        return hashlib.blake2b(content, digest_size=16, key=self.seal).hexdigest()

    def each(
        self, looked: Sequence[tuple[str | Unfit, Complaint | None]], form: str, *, accept_all: bool
    ) -> list[tuple[str | Unfit, Complaint | None]]:
        """Records with what is kept of them in their place; those that break a rule are told. What is refused stays as it is, unwritten."""
        made = [(line, _unquoted(wrong)) for line, wrong in looked]
        places, clear = [], []
        for n, (line, wrong) in enumerate(made):
            if not isinstance(line, Unfit) and (wrong is None or (accept_all and may_be_kept(line, wrong, form))):
                places.append(n)
                clear.append(line)
        for n, treated in zip(places, self.steps.treat(clear) if clear else (), strict=True):
            first = treated.reasons[0] if treated.reasons else None
            broken = Complaint(n + 1, BROKEN, first.message, first.column) if first is not None else None
            made[n] = (treated.line, (made[n][1] or broken) if broken is not None else None)
        return made


def _unquoted(wrong: Complaint | None) -> Complaint | None:
    """A complaint without the name of a member that the contract does not have: it may be anything."""
    told = "the contract does not have one of its members"
    return replace(wrong, message=told, column=None) if wrong is not None and wrong.code == UNKNOWN else wrong


class Receiver:
    """The door of one dataset."""

    def __init__(self, push: Push, door: Door, spool: Spool, delimiter: str, keys: Sequence[str], treating: Treating | None = None) -> None:
        self.push = push
        self.spool = spool
        self._door = door
        self._treating = treating
        self._delimiter = delimiter
        self._keys = [hashlib.sha256(k.encode()).digest() for k in keys]

    @property
    def treats(self) -> bool:
        """Whether to look at a record takes its time."""
        return self._treating is not None

    def close(self) -> None:
        """Let go of the memory that values are treated in."""
        if self._treating is not None:
            self._treating.steps.close()

    @property
    def open(self) -> bool:
        """Whether anybody may push who reaches it."""
        return not self._keys

    def admits(self, key: str) -> bool:
        """Whether a key is one of the source's. Takes as long for any key: each is compared to its end."""
        given = hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
        found = [hmac.compare_digest(given, known) for known in self._keys]
        return any(found) or self.open

    def digest(self, body: bytes, form: str) -> str:
        """What tells one body from another; where values are treated, only to those who have the key of a hash, if there is one."""
        if self._treating is not None:
            return self._treating.sealed(form.encode() + b" " + body) if self._treating.seal else ""
        return hashlib.blake2b(body, digest_size=16, person=form[:16].encode()).hexdigest()

    def known_as(self, key: str) -> str:
        """The key of a request as it is written down: it may be made of values that are treated."""
        return self._treating.sealed(key.encode("utf-8", "surrogateescape")) if self._treating is not None and key else key

    def before(self, key: str, digest: str) -> Answer | None:
        """The answer to an earlier request with this key. One with another body is refused."""
        known: Remembered | None = self.spool.remembered(key)
        if known is None:
            return None
        if known.body != digest:
            return refusal(422, "XDE0477", "this idempotency key came before with another body")
        told = json.loads(known.answer)
        return Answer(_status(int(told["accepted"]), int(told["refused"])), known.answer)

    def read(self, body: bytes, form: str, key: str, digest: str) -> Taken:
        """Read a body and look at its records."""
        try:
            lines = records(body, form, self._delimiter)
        except Unreadable as error:
            return Taken(None, refusal(400, UNREADABLE, f"the body cannot be read as {form}: {error}"))
        if not lines:
            return Taken(None, refusal(400, UNREADABLE, "the body has no records"))
        if len(lines) > self.push.records:
            return Taken(None, refusal(413, LONG, f"a request may have {self.push.records:,} records, and this one has {len(lines):,}"))
        return self._looked_at(lines, form, key, digest)

    def _looked_at(self, lines: Sequence[str | Unfit], form: str, key: str, digest: str) -> Taken:
        looked = [(line, self._complaint(number, line)) for number, line in enumerate(lines, 1)]
        if self._treating is not None:
            looked = self._treating.each(looked, form, accept_all=self.push.accept_all)
        kept: list[str] = []
        told: list[dict[str, object]] = []
        letters = 0
        for line, wrong in looked:
            if wrong is not None:
                letter = self.push.accept_all and not isinstance(line, Unfit) and may_be_kept(line, wrong, form)
                letters += letter
                told.append({**wrong.fact(), "letter": True} if letter else wrong.fact())
                if not letter:
                    continue
            kept.append(line)  # type: ignore[arg-type]  # an unfit line has a complaint and is no letter
        refused = len(lines) - len(kept)
        fact = {"accepted": len(kept), "refused": refused, **({"letters": letters} if letters else {}), "records": told}
        answer = json.dumps(fact, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
        if not kept:
            return Taken(None, Answer(422, answer))
        kept.append("")
        return Taken(Entry("\n".join(kept).encode(), len(kept) - 1, answer, key, digest), Answer(_status(len(kept) - 1, refused), answer))

    def _complaint(self, number: int, line: str | Unfit) -> Complaint | None:
        return Complaint(number, UNREADABLE, line.message) if isinstance(line, Unfit) else self._door.complaint(number, line)


def may_be_kept(line: str, wrong: Complaint, form: str) -> bool:
    """Whether a bad record can lie in a file of lines until it is made a dead letter, without harm to those beside it."""
    return wrong.code != LONG and not _CONTROL.search(line) and (form != "json" or wrong.code != UNREADABLE)


def _status(accepted: int, refused: int) -> int:
    return 200 if not refused else 207 if accepted else 422


def refusal(status: int, code: str, message: str) -> Answer:
    """The answer to a request nothing of which is accepted."""
    return Answer(status, json.dumps({"accepted": 0, "error": {"code": code, "message": message}}, ensure_ascii=False).encode())


def served(known: Understanding, datasets: Sequence[str]) -> tuple[list[str], list[str], dict[str, float]]:
    """What a process that goes on serves: sources that are pushed to, those that are listened to, and streams with how often they are read.

    Raises `UserError` for a name that is none of them, and where there is none at all.
    """
    readings = {n: r for n, r in known.readings.items() if r.push is not None or (r.ask is not None and r.ask.stream is not None)}
    unknown = [d for d in datasets if d not in readings]
    if unknown:
        hint = did_you_mean(unknown[0], readings) or "leave the names out: all that are pushed to, listened to or streamed are served"
        raise UserError(Finding("XDE0466", f"nothing is pushed to `{unknown[0]}`", hint=hint))
    if not readings:
        hint = "add a server of `type: custom` with `xdePush` to its contract: `xde explain XDE0466` shows one"
        raise UserError(Finding("XDE0466", "no source of this project is pushed to", hint=hint))
    chosen = {n: readings[n] for n in datasets or sorted(readings)}
    pushed = [n for n, r in chosen.items() if r.push is not None and r.push.subscription is None]
    heard = [n for n, r in chosen.items() if r.push is not None and r.push.subscription is not None]
    streams = {n: r.ask.streamed.every for n, r in chosen.items() if r.ask is not None}
    return pushed, heard, streams


def open_doors(house: House, known: Understanding, datasets: Sequence[str] = (), group: int = 1_000_000) -> dict[str, Receiver]:
    """A receiver for each dataset that is pushed to; keys are looked up now. Raises `UserError`."""
    pushes = {n: r.push for n, r in known.readings.items() if r.push is not None and r.push.subscription is None}
    unknown = [d for d in datasets if d not in pushes]
    if unknown:
        hint = did_you_mean(unknown[0], pushes) or "leave the names out: all that are pushed to are served"
        raise UserError(Finding("XDE0466", f"nothing is pushed to `{unknown[0]}`", hint=hint))
    if not pushes:
        hint = "add a server of `type: custom` with `xdePush` to its contract: `xde explain XDE0466` shows one"
        raise UserError(Finding("XDE0466", "no source of this project is pushed to", hint=hint))
    opened: dict[str, Receiver] = {}
    try:
        for name in datasets or sorted(pushes):
            opened[name] = _receiver(house, known, name, group)
    except BaseException:
        for receiver in opened.values():
            receiver.spool.close()
        raise
    return opened


def _receiver(house: House, known: Understanding, name: str, group: int) -> Receiver:
    reading, dataset = known.readings[name], known.project.sources[name]
    push = reading.push
    if push is None:
        raise UserError(Finding("XDE0466", f"nothing is pushed to `{name}`"))
    keys = [_secret(house, k.secret, push) for k in push.keys]
    change = dataset.object.custom.get("schemaChange")
    words = change.value if change is not None and isinstance(change.value, dict) else {}
    strict = words.get("newColumn", "freeze") in {"freeze", "quarantine"}
    door = Door(reading.as_they_come, dataset.object.properties, reading.dialect, strict=strict)
    made = door_steps(house, known, name)
    spool = DiskSpool((house.root / push.spool).resolve(), push, house.clock, group, made[1])
    return Receiver(push, door, spool, reading.dialect.delimiter, keys, made[0])


def door_steps(house: House, known: Understanding, name: str) -> tuple[Treating | None, Bound]:
    """The in-flight steps of a dataset, and how they treat its records; the keys of hashes are looked up now. Raises `UserError`."""
    reading = known.readings[name]
    if not reading.clear:
        return None, Bound()
    from xde.connectors.duckdb.ingestion.treated_lines import TreatedLines

    keys = keys_for(name, reading.clear, house.tables, {})
    checks = [c for c in known.checks[name] if in_flight(c) and c.kind is CheckKind.ROW]
    dialect = replace(reading.dialect, treated=False)
    job = LoadJob(name, "", "", (), dialect, reading.clear, checks, "", "", reading.schema_change, private=True, keys=keys)
    seal = hashlib.blake2b(b"".join(keys[k] for k in sorted(keys)), digest_size=64).digest() if keys else b""
    return Treating(TreatedLines(house.session.apart(), job), seal), bound_by(reading.clear, fingerprints(reading.clear, keys))


def _secret(house: House, written: str, push: Push) -> str:
    try:
        value = house.revealed.secret(references(written)[0]).reveal()
    except UserError as error:
        raise UserError(*(replace(f, span=f.span or push.span) for f in error.findings)) from None
    if len(value) < SHORTEST_KEY:
        message, why = f"a key of `{push.dataset}` is too short to be safe", f"it has {len(value)} characters"
        hint = "make a long one: `python -c 'import secrets; print(secrets.token_urlsafe(32))'`"
        raise UserError(Finding("XDE0463", message, push.span, why=why, hint=hint))
    hide(value)
    return value


def settle(receiver: Receiver, entry: Entry, done: Callable[[BaseException | None], None]) -> None:
    """Write an entry down; `done` hears of it, whatever becomes of it."""
    try:
        receiver.spool.append(entry, done)
    except Exception as error:  # noqa: BLE001 - whoever waits is told of every end
        done(error)


def close_doors(doors: dict[str, Receiver]) -> None:
    """Finish what is queued, and let go of every spool."""
    for receiver in doors.values():
        with suppress(OSError):
            receiver.spool.close()
        receiver.close()
