"""A project watched while somebody works on it: what was saved, and what of the cases that reaches, run at once."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from xde.app.case_files import FOLDER, Stamp, stamp_of
from xde.app.testing import TestBench
from xde.ground.clock import SystemClock
from xde.ground.errors import UserError
from xde.kernel.project.declarations import ModelDataset
from xde.kernel.project.files import SETTINGS_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from xde.app.testing import CaseResult
    from xde.ground.findings import Finding
    from xde.undercurrents.engineering.testing.case import Case

WAIT, MOST_WAITS = 0.01, 6  # seconds between two looks at what is being saved, and how many of them
WATCHED = {
    "sources": (".yaml", ".yml"),
    "models": (".yaml", ".yml", ".sql", ".py", ".csv"),
    "flows": (".py",),
    "lib": (".py",),
    FOLDER: (".yaml", ".yml"),
}


@dataclass(frozen=True, slots=True)
class Look:
    """What came of one look at the project.

    `saved` are the files that are not as they were; `results` the cases that were run, `others` those of which nothing that they see
    has changed, as they were run before. `seconds` is from the first sight of the change. With `findings` the project or a case cannot
    be read; cases that can be are run all the same.
    """

    saved: tuple[str, ...] = ()
    results: tuple[CaseResult, ...] = ()
    others: tuple[CaseResult, ...] = ()
    findings: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    seconds: float = 0.0

    @property
    def cases(self) -> int:
        """How many are asked for."""
        return len(self.results) + len(self.others)

    @property
    def failing(self) -> tuple[CaseResult, ...]:
        """The others that failed before, and still do."""
        return tuple(r for r in self.others if not r.passed)

    @property
    def passed(self) -> bool:
        """Whether everything that is asked for is as expected."""
        return not self.findings and not self.failing and all(r.passed for r in self.results)


@dataclass(slots=True)
class Watch:
    """The project is kept open between two looks, and so is the engine. `changed`: what passed in an earlier session is not run first."""

    root: Path
    environment: str | None = None
    selection: Sequence[str] = ()
    changed: bool = False
    busy: bool = False  # something was saved, and what it reaches is not done
    _bench: TestBench | None = None
    _stamps: dict[str, Stamp] = field(default_factory=dict)
    _last: dict[str, tuple[str, CaseResult]] = field(default_factory=dict)

    def look(self, tell: Callable[[CaseResult], None] = lambda _: None) -> Look | None:
        """Run what the files saved since the last look reach; `tell` hears of each case as it is done. None: nothing was saved."""
        clock = SystemClock()
        begun = clock.monotonic()
        stamps = self._stamped()  # before anything is read: what is saved meanwhile is seen by the next look
        saved = tuple(sorted(p for p in stamps.keys() | self._stamps.keys() if stamps.get(p) != self._stamps.get(p)))
        if not saved:
            return None
        if self._stamps:
            stamps, saved = self._settled(stamps, saved)
        if not saved:
            return None  # it is as it was
        self.busy, first, self._stamps = True, not self._stamps, stamps
        found = self._found(tell, saved)
        self._stamps |= self._fixtures(stamps)
        self.busy = False
        return replace(found, saved=() if first else saved, seconds=clock.monotonic() - begun)

    def _settled(self, stamps: dict[str, Stamp], saved: tuple[str, ...]) -> tuple[dict[str, Stamp], tuple[str, ...]]:
        """The files when nobody writes them any more: an editor may empty a file before it fills it. Waits for a moment at most."""
        for _ in range(MOST_WAITS):
            time.sleep(WAIT)
            before, stamps = stamps, self._stamped()
            saved = tuple(sorted(p for p in stamps.keys() | self._stamps.keys() if stamps.get(p) != self._stamps.get(p)))
            if stamps == before and not any(stamp is not None and stamp[1] == 0 for stamp in map(stamps.get, saved)):
                break
        return stamps, saved

    def _found(self, tell: Callable[[CaseResult], None], saved: Sequence[str]) -> Look:
        try:
            bench = self._open()
        except UserError as error:
            return Look(findings=tuple(error.findings))
        findings = list(bench.findings)
        try:
            cases = bench.pick(self.selection)
        except UserError as error:
            cases = ()
            findings += error.findings
        results, others = self._run(bench, _nearest_first(bench, cases, saved), tell)
        return Look((), results, others, tuple(findings), bench.known.warnings)

    def _run(
        self, bench: TestBench, cases: Sequence[Case], tell: Callable[[CaseResult], None]
    ) -> tuple[tuple[CaseResult, ...], tuple[CaseResult, ...]]:
        """The results of those that see something new, and of those that do not; whether one does is worked out when its turn comes."""
        keys: dict[str, str] = {}

        def new() -> Iterator[Case]:
            for case in cases:
                key = keys[case.id] = bench.key(case)
                if case.id not in self._last or self._last[case.id][0] != key:
                    yield case

        results: list[CaseResult] = []
        known = {c.id: self._last[c.id] for c in cases if c.id in self._last}
        for result in bench.run(new(), changed=self.changed and not self._last):
            tell(result)
            results.append(result)
            known[result.case.id] = (keys[result.case.id], result)
        self._last = known
        ran = {r.case.id for r in results}
        return tuple(results), tuple(r for i, (_, r) in known.items() if i not in ran)

    def _open(self) -> TestBench:
        before = self._bench
        bench = TestBench.open(self.root, self.environment, before=before)
        if before is not None and before.house is not bench.house:
            before.close()
        self._bench = bench
        return bench

    def warm(self) -> None:
        """Bring what the first change will need, while nobody waits."""
        if self._bench is not None:
            self._bench.warm()

    def _stamped(self) -> dict[str, Stamp]:
        """Every file that a test may see, with what tells that it was written again."""
        top = os.fspath(self.root)
        found: dict[str, Stamp] = {SETTINGS_FILE: stamp_of(f"{top}/{SETTINGS_FILE}")}
        for folder, endings in WATCHED.items():
            _walk(top, folder, endings, found)
        return {**found, **self._fixtures(found)}

    def _fixtures(self, stamps: Mapping[str, Stamp]) -> dict[str, Stamp]:
        """The fixtures that cases name; those that nobody named before get their stamps now."""
        names = self._bench.files.fixtures if self._bench is not None else ()
        return {n: stamps[n] if n in stamps else stamp_of(self.root / n) for n in names}

    def close(self) -> None:
        """Let go of the engine."""
        if self._bench is not None:
            self._bench.close()


def _nearest_first(bench: TestBench, cases: Sequence[Case], saved: Sequence[str]) -> tuple[Case, ...]:
    """The cases of what was saved itself, then those of what reads it, then those further down: the first answer is waited for."""
    datasets = bench.known.project.datasets
    paths = {n: (d.path, d.contract.path if d.contract else "") for n, d in datasets.items() if isinstance(d, ModelDataset)}
    distances = {n: 0 for n, files in paths.items() if any(f in saved for f in files)}
    far = len(datasets)
    for name in bench.known.order:
        near = min((distances.get(u, far) for u in bench.known.upstream[name]), default=far)
        distances[name] = min(distances.get(name, far), near + 1)
    return tuple(sorted(cases, key=lambda c: 0 if c.path in saved else distances.get(c.dataset, far)))


def _walk(top: str, folder: str, endings: tuple[str, ...], found: dict[str, Stamp], depth: int = 0) -> None:
    try:
        with os.scandir(f"{top}/{folder}") as entries:
            listed = list(entries)
    except OSError:
        return
    for entry in listed:
        if entry.name.startswith((".", "__")):
            continue
        path = f"{folder}/{entry.name}"
        if entry.name.endswith(endings):
            found[path] = stamp_of(f"{top}/{path}")
        elif depth < 20 and entry.is_dir():
            _walk(top, path, endings, found, depth + 1)
