"""Cassettes of APIs: recorded from the real ones, in the place of those that were there."""

from __future__ import annotations

import tempfile
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from xde.app.connecting import Apis, not_now, opened_api
from xde.ground.errors import UserError
from xde.ground.findings import Finding, Severity
from xde.ground.memory_folder import nowhere
from xde.ground.names import did_you_mean, listed
from xde.lifecycle.sources.pace import within_hours

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.lifecycle.sources.tables import Ask


@dataclass(frozen=True, slots=True)
class Cassette:
    """What was recorded for a dataset: the folder from the project's, requests and bytes in it, records of the first read."""

    dataset: str
    path: str
    requests: int
    records: int
    bytes: int


def record(house: House, known: Understanding, names: Sequence[str], most: int | None) -> Iterator[Cassette]:
    """Record the APIs that are named, or all. `most` requests of each read are kept. Raises `UserError`."""
    from xde.connectors.http.cassettes import folder_of

    root = known.project.root
    apis = Apis(root / ".xde" / "tmp")
    for ask in _asks(known, names):
        if not within_hours(ask.limits.hours, house.clock.now()):
            raise UserError(replace(not_now(ask), severity=Severity.ERROR))
        target = folder_of(ask, root)
        aside = nowhere() if ask.private else tempfile.TemporaryDirectory(prefix="xde-record-")
        with aside as scratch, closing(opened_api(house.revealed, root, ask, apis)) as source:
            recorder, records = source.record(ask, scratch if isinstance(scratch, Path) else Path(scratch), target, most)
        yield Cassette(ask.dataset, str(target.relative_to(root)), recorder.requests, records, recorder.size)


def _asks(known: Understanding, names: Sequence[str]) -> list[Ask]:
    """What is asked for each cassette: the datasets that are made of the same answers have one."""
    asks = {n: r.ask for n, r in known.readings.items() if r.ask is not None and r.ask.request is not None}
    chosen: dict[str, None] = {}
    for name in names:
        found = [n for n in asks if n == name or n.startswith(f"{name}.")]
        if not found:
            raise UserError(_none(known, asks, name))
        chosen |= dict.fromkeys(found)
    if not asks:
        raise UserError(_none(known, asks, ""))
    roots = dict.fromkeys(asks[n].asked.root for n in (chosen or asks))
    return [asks[n] for n in roots if n in asks]


def _none(known: Understanding, asks: dict[str, Ask], name: str) -> Finding:
    why = f"datasets of an API: {listed([f'`{n}`' for n in asks])}" if asks else "no source of this project has a server of `type: api`"
    near = did_you_mean(name, {*asks, *(n.partition(".")[0] for n in asks)}) if name else None
    if any(r.ask is not None and r.ask.extract is not None for n, r in known.readings.items() if n == name or n.startswith(f"{name}.")):
        why, near = "it is read by dlt, whose requests are its own: none of them passes through us", "give its records as `raw:` of a case"
    told = f"`{name}` is not loaded from an API" if name in known.project.datasets else f"there is no API `{name}`"
    return Finding(
        "XDE0457", told if name else "there is no API to be recorded", why=why, hint=near or "name a source whose server is an API"
    )
