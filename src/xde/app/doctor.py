"""Whether everything that a run needs can be reached, written and read; nothing is left behind by asking."""

from __future__ import annotations

import os
import time
import uuid
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from xde.app.addresses import label
from xde.app.answers import Diagnosis
from xde.app.connecting import opened
from xde.ground.errors import UserError, XdeError
from xde.lifecycle.ingestion.hashing import keys_for
from xde.lifecycle.sources.servers import Served, StoreServed
from xde.lifecycle.sources.tables import Looked, position_of
from xde.lifecycle.storage.port import Column, Commit, TableId
from xde.lifecycle.transformation.port import Query

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.kernel.project.secret_references import Reference
    from xde.lifecycle.ingestion.declare import Reading
    from xde.lifecycle.ingestion.push import Push
    from xde.lifecycle.sources.tables import Ask

SLOW = 5.0  # seconds
ROOM, LITTLE = 1e9, 0.05  # bytes, and the part of a disk, of which the less has to be free
_DENIED = frozenset({"XDE0157"})
SECRET_CODES = frozenset(f"XDE015{n}" for n in range(10))  # of secrets: the message names the reference, and only the reason says more


def doctor(house: House, known: Understanding, engine: str | None = None) -> Iterator[Diagnosis]:
    """A line for each thing: the project, the engine, what the engine is not given, the ledger, the lake, each source."""
    models, sources = len(known.project.models), len(known.project.sources)
    summary = f"{_many(sources, 'source')} and {_many(models, 'model')} in `{known.project.root.name}`, read without an error"
    yield Diagnosis("project", "ok", summary)
    yield _asked("engine", lambda: _engine(house))
    yield from _python(house, known)
    if house.scale_out is not None:
        yield _asked("spark", house.spark.begun)
    if engine == "spark" or (engine is None and house.scale_out is not None):
        yield from _portable(house, known)
    yield _asked("ledger", lambda: _ledger(house))
    yield _asked("lake", lambda: _lake(house))
    yield from _disks(house)
    served: set[object] = set()
    yield from _servers(house, known, served)
    stores: set[str] = set()
    for name in sorted(known.project.sources):
        if known.readings[name].ask is not None:
            yield from _database(house, known, name, served)
            continue
        if (push := known.readings[name].push) is not None and push.subscription is not None:
            yield from _looked(name, partial(_heard, house, push))
            continue
        told = _asked(f"source {name}", lambda name=name: _source(house, known, name))  # type: ignore[misc]  # bound at once
        yield told
        if told.status == "ok" and known.readings[name].store is not None:
            yield from _store(house, known.readings[name], stores)


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def doctor_secrets(root: Path, environment: str | None) -> Iterator[Diagnosis]:
    """A line for each reference that this environment needs, before anything is opened with it: its name, and never its value."""
    from xde.app.opening import house_at
    from xde.app.revealing import places
    from xde.kernel.project.secret_references import Reference, pieces, references

    house = house_at(root, environment)
    engine, lake, ledger = house.chosen_engine, house.chosen_lake, house.chosen_ledger
    plain = [t for t in (lake.path, engine.name, engine.memory_limit, engine.temp_folder) if t is not None]
    hidden = {r for t in lake.options.values() for r in references(t)}
    hidden |= {p for p, at in zip(pieces(ledger), places(ledger), strict=True) if isinstance(p, Reference) and at in {"password", "query"}}
    for reference in dict.fromkeys(r for t in (*plain, ledger, *lake.options.values()) for r in references(t)):
        yield _secret(house, reference, hides=reference in hidden)


def _secret(house: House, reference: Reference, *, hides: bool) -> Diagnosis:
    from xde.connectors.secrets.files import open_to_all
    from xde.ground.secrets import SHORTEST

    def ask() -> str:
        house.revealed.secret(reference)
        return "has a value"

    told = _asked(str(reference), ask)
    if told.status != "ok":
        return told
    if reference.scheme == "file" and open_to_all(reference.name, house.root):
        return Diagnosis(told.subject, "unsafe", "every user of this machine may read the file", f"chmod 600 {reference.name}")
    if hides and len(house.revealed.secret(reference).reveal()) < SHORTEST:
        detail = f"shorter than {SHORTEST} characters: it would not be hidden if a library wrote it into a message"
        return Diagnosis(told.subject, "unsafe", detail, "choose a longer one")
    return told


def _asked(subject: str, ask: Callable[[], str]) -> Diagnosis:
    begun = time.monotonic()
    try:
        detail = ask()
    except UserError as error:
        first = error.findings[0]
        return Diagnosis(
            subject,
            "denied" if first.code in _DENIED or "may not" in first.message or "cannot be written" in first.message else "missing",
            f"{first.message}: {first.why}" if first.code in SECRET_CODES and first.why else first.message,
            first.hint,
        )
    except XdeError as error:
        return Diagnosis(subject, "missing", str(error), "try again in a moment")
    took = time.monotonic() - begun
    return Diagnosis(subject, "slow" if took > SLOW else "ok", f"{detail} ({took:.2f} s)" if took > SLOW else detail)


def _engine(house: House) -> str:
    rows = house.local.rows(Query("SELECT version(), current_setting('memory_limit'), current_setting('threads')"), {})
    version, memory, threads = rows[0]
    return f"DuckDB {version}, {memory} of memory, {threads} threads"


def _python(house: House, known: Understanding) -> Iterator[Diagnosis]:
    from xde.app.needs import unmet

    models = [m for m in known.project.models.values() if m.python is not None]
    found = unmet(house, known, None)
    for finding in found:
        yield Diagnosis(f"{finding.span}", "missing", f"{finding.message} [{finding.code}]", finding.hint)
    if models and not found:
        yield Diagnosis("Python models", "ok", f"what {len(models)} of them need is installed")


def _portable(house: House, known: Understanding) -> Iterator[Diagnosis]:
    from xde.app.portability import refusals

    found = refusals(house, known, None)
    for finding in found:
        yield Diagnosis(f"{finding.span}", "missing", f"{finding.message} [{finding.code}]", finding.hint)
    models = len(known.project.models)
    if not found:
        yield Diagnosis("models on Spark", "ok", f"{models} of {models} give the same rows there")


def _ledger(house: House) -> str:
    states = house.ledger.states()
    claim = f"doctor-{uuid.uuid4().hex[:8]}"
    taken = house.ledger.claim(claim, "doctor", claim, now=house.clock.now().isoformat(), seconds=1.0)
    if taken is not None:
        house.ledger.release(taken)
    return f"read and written; it knows {_many(len(states), 'table')}"


def _lake(house: House) -> str:
    """Writes, commits, reads and drops a table of one row."""
    table = TableId("xde_doctor.probe", uuid.uuid4().hex[:16])
    try:
        folder = house.lake.folder(table)
        files = house.write("SELECT 1 AS one", {}, {}, folder)
        house.lake.commit(Commit(table, (Column("one", "INTEGER"),), files, facts={"kind": "probe"}))
        snapshot = house.lake.snapshot(table)
        if snapshot is None or snapshot.rows != 1:
            return "a row was written, but not found again"
    finally:
        house.lake.drop(table)
    return f"written, committed and read at `{house.lake.root}`"


def _disks(house: House) -> Iterator[Diagnosis]:
    """Room on the disk of the lake, and on that where an engine puts what does not fit into memory."""
    settings = house.engine_settings
    seen: set[int] = set()
    for what, path in (("lake", Path(house.lake.root)), ("engine's temporary files", Path(settings.temp_folder or house.root))):
        if not path.exists() or (device := path.stat().st_dev) in seen:
            continue
        seen.add(device)
        told = os.statvfs(path)
        free, whole = told.f_bavail * told.f_frsize, told.f_blocks * told.f_frsize
        detail = f"{free / 1e9:.1f} GB of {whole / 1e9:.1f} GB free at `{path}`"
        if free >= min(ROOM, LITTLE * whole):
            yield Diagnosis(f"disk of the {what}", "ok", detail)
        else:
            hint = "`xde clean` takes away what nobody can see any more; a run that finds no room stops and leaves nothing half done"
            yield Diagnosis(f"disk of the {what}", "unsafe", detail, hint)


def _servers(house: House, known: Understanding, served: set[object]) -> Iterator[Diagnosis]:
    """What is the same for all tables of a server, once for each; which were told of is put into `served`."""
    asks: dict[object, Ask] = {}
    for reading in (known.readings[n] for n in sorted(known.project.sources)):
        ask = reading.ask
        if ask is None or ask.request is not None or ask.stream is not None or ask.extract is not None:
            continue
        key = _place_key(ask)
        if key not in asks or ask.capture is not None:
            asks[key] = ask
    for key, ask in asks.items():
        for told in _looked(f"server {label(ask.place)}", partial(_of_server, house, ask), whole=True):
            served.add(key)
            yield told


def _store(house: House, reading: Reading, seen: set[str]) -> Iterator[Diagnosis]:
    """What a store of objects tells of itself, once for each root."""
    store = house.store(reading.store)
    if reading.root not in seen and isinstance(store, StoreServed):
        seen.add(reading.root)
        yield from _looked(f"store {reading.root}", partial(store.look, reading.root), whole=True)


def _of_server(house: House, ask: Ask) -> list[Looked]:
    with suppress(XdeError), closing(opened(house.revealed, house.root, ask, house.apis())) as source:
        return source.server(ask) if isinstance(source, Served) else []
    return []  # who asks for a table is told why


def _database(house: House, known: Understanding, name: str, served: Collection[object]) -> Iterator[Diagnosis]:
    """What stands between us and the rows of a table, one line for each thing that is in order, up to the first that is not.

    The way to a server that was told of already is not told again for each of its tables.
    """
    if (ask := known.readings[name].ask) is not None:
        told = _place_key(ask) in served
        yield from _looked(name, lambda: [x for x in _asked_of(house, ask, known.versions[name]) if not (told and x.well and _is_way(x))])


def _is_way(looked: Looked) -> bool:
    return looked.what == "login" or looked.what.startswith(("name `", "port "))


def _place_key(ask: Ask) -> object:
    return ask.place.kind, tuple(sorted(ask.place.settings.items()))


def _asked_of(house: House, ask: Ask, version: str) -> list[Looked]:
    """The way to a database; of a stream also how far behind its end its table is."""
    with closing(opened(house.revealed, house.root, ask, house.apis())) as source:
        looked = source.look(ask)
        state = house.ledger.states().get((ask.dataset, version)) if ask.stream is not None else None
        if state is None or not all(x.well for x in looked):
            return looked
        try:
            news = source.news(ask, position_of(state.facts))
        except UserError as error:
            return [*looked, Looked("to load", well=False, told=str(error), mend=error.findings[0].hint)]
    return [*looked, Looked("to load", well=True, told=news.told if news is not None else "nothing waits")]


def _heard(house: House, push: Push) -> list[Looked]:
    """The way to what is listened to, and what of it waits here."""
    from xde.app.listening import devices_of

    if push.subscription is None:
        return []
    waiting = house.spooled.segments(str((house.root / push.spool).resolve()), {})
    taken = f"{len(waiting)} {'segment' if len(waiting) == 1 else 'segments'}, {sum(f.size for f in waiting):,} bytes"
    looked = devices_of(house, push.subscription, push, "xde").look()
    return [*looked, Looked("taken in", well=True, told=taken)]


def _looked(name: str, ask: Callable[[], Sequence[Looked]], *, whole: bool = False) -> Iterator[Diagnosis]:
    """A line for what was looked at, up to the first thing that is not in order, and one for each that is to be told though it works.

    `whole`: the name is that of the line, and where there is nothing to look at there is none.
    """
    looked: list[Looked] = []

    def look() -> str:
        looked.extend(ask())
        return ""

    told = _asked(name if whole else f"source {name}", look)
    if whole and not looked:
        return
    wrong = next((x for x in looked if not x.well), None)
    parts = tuple(f"{x.what}: {x.told}" for x in looked if x.well and not x.warns)
    if wrong is not None:
        status = "denied" if "may not" in wrong.told or "refuses" in wrong.told else "missing"
        yield Diagnosis(told.subject, status, f"{wrong.what}: {wrong.told}", wrong.mend)
    else:
        yield replace(told, detail=f"{'; '.join(parts)} {told.detail}".strip(), parts=parts) if looked else told
    for one in looked:
        if one.warns:
            yield Diagnosis(told.subject, "unsafe", f"{one.what}: {one.told}", one.mend)


def _source(house: House, known: Understanding, name: str) -> str:
    reading = known.readings[name]
    keys_for(reading.dataset, reading.as_they_come, house.tables, {})
    root = reading.root if reading.store is not None else str((known.project.root / reading.root).resolve())
    if reading.push is not None:
        for key in reading.push.keys:
            house.revealed.text(key.secret)
        waiting = house.spooled.segments(root, {})
        return f"{len(waiting)} {'segment' if len(waiting) == 1 else 'segments'} of what was pushed, {sum(f.size for f in waiting):,} bytes"
    files = house.store(reading.store).list(root, reading.pattern)
    if not files:
        from xde.ground.findings import Finding

        raise UserError(
            Finding(
                "XDE0450",
                f"no file of `{name}` is there: `{reading.place}`",
                hint="put a file there, or mend `physicalName` in the contract",
            )
        )
    for file in files if reading.store is None else ():
        if not os.access(file.location, os.R_OK):
            from xde.ground.findings import Finding

            raise UserError(
                Finding(
                    "XDE0441", f"a file of a source may not be read: `{file.path}`", hint="give the user who runs xde the right to read it"
                )
            )
    if reading.store is None:
        house.loader.columns(files[0], reading.dialect)
    return f"{len(files)} {'file' if len(files) == 1 else 'files'}, {sum(f.size for f in files):,} bytes"
