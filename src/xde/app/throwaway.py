"""A lake and a ledger of their own for a while: where rehearsals and smoke tests do in earnest what must not touch anybody's data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xde.app.wiring import House
from xde.kernel.project.settings import LakeSettings
from xde.ledger.memory import MemoryLedger
from xde.lifecycle.storage.pins import Pins
from xde.lifecycle.storage.publish import Publication, Publisher
from xde.lifecycle.transformation.port import Input, Layout, Query

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from xde.app.understanding import Understanding
    from xde.ground.clock import Clock
    from xde.ground.findings import Finding
    from xde.lifecycle.ingestion.declare import Reading

ENVIRONMENT = "test"
DELIVERED = "delivered"


@dataclass(slots=True)
class Throwaway:
    """The folder is the caller's to delete; engine and memory limit are those of the house that it is made from."""

    known: Understanding
    house: House

    @classmethod
    def make(cls, known: Understanding, house: House, folder: Path, clock: Clock, parameters: Mapping[str, object]) -> Throwaway:
        """Nothing is there yet. Sources are read from folders of their own, `delivered/NAME`, which are empty."""
        of_project = known.project.settings
        settings = replace(
            of_project,
            lake=LakeSettings("lake"),
            engine=replace(of_project.engine, name="duckdb"),
            environments={},
            retries=0,
            apis="cassettes" if house.apis().recorded else "live",
            parameters={**of_project.parameters, **parameters},
        )
        readings = {n: replace(r, root=f"{DELIVERED}/{n}", ask=None) for n, r in known.readings.items()}
        readings |= {n: _delivered(r) for n, r in readings.items() if r.push is not None}
        for name in readings:
            (folder / DELIVERED / name).mkdir(parents=True)
        project = replace(known.project, root=folder, settings=settings)
        own = House(folder, settings, ENVIRONMENT, clock, _ledger=MemoryLedger(), _session=house.session, _key=_key_of_tests)
        return cls(replace(known, project=project, readings=readings), own)

    def play(self, reading: Reading) -> None:
        """Take the answers of an API from a cassette."""
        self.house.settings = replace(self.house.settings, apis="cassettes")
        self.known = replace(self.known, readings={**self.known.readings, reading.dataset: reading})

    def publish(self, name: str, query: str, inputs: Mapping[str, Input], *, replacing: bool = True) -> int:
        """Publish rows of a dataset as if a run had built them; nothing of them is checked. Gives their number."""
        schema = self.known.schemas[name]
        publisher = Publisher(self.house.lake, self.house.auditor, self.house.ledger, self.house.clock, _unasked)
        pins = Pins(self.house.lake, self.house.ledger, self.known.versions)
        before, target = pins.snapshot(name), pins.table(name)
        files = self.house.local.write(Query(query), inputs, self.house.lake.folder(target), Layout(types=schema))
        removes = before.files if before and replacing else ()
        at = self.house.clock.now().isoformat()
        facts = {"kind": "build", "run": "given", "step": f"build {name}", "fence": 0, "at": at, "full": replacing}
        publisher.publish(Publication(target, schema, files, files, removes, before, facts), pins, ENVIRONMENT)
        return sum(f.rows for f in files)


def _key_of_tests(reference: str) -> str:
    """Made-up rows are hashed with a key that is none: a test needs no secret, and gives the same everywhere."""
    return f"the key of tests: {reference}"


def _unasked(_: object) -> Finding:
    raise TypeError("given rows have no checks")


def _delivered(reading: Reading) -> Reading:
    """A source that is pushed to, as one whose records are in files as they come."""
    dialect = replace(reading.dialect, treated=False)
    return replace(reading, push=None, pattern="*.ndjson", fields=reading.as_they_come, clear=(), dialect=dialect)
