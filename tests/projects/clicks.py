"""Clicks that arrive late and out of order, the models that put them into windows, and the same in plain Python."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path

from projects.contracts import source
from projects.folder import Folder
from xde.app.workspace import Workspace

ZERO = datetime(2024, 5, 1)  # noqa: DTZ001 - a TIMESTAMP has no zone
DELAY, SIZE, EVERY, GAP = 7, 10, 4, 5
CONTRACT = source(
    """\
  - name: clicks
    physicalName: clicks-*.csv
    physicalType: file
    properties:
      - {name: id, logicalType: integer}
      - {name: visitor, logicalType: string}
      - {name: at, logicalType: timestamp}
""",
    name="web",
)
CALLS = {
    "tumble": f"tumble(web.clicks, at := at, size := INTERVAL {SIZE} MINUTES)",
    "slide": f"slide(web.clicks, at := at, size := INTERVAL {SIZE} MINUTES, every := INTERVAL {EVERY} MINUTES)",
    "session": f"session(web.clicks, key := visitor, at := at, gap := INTERVAL {GAP} MINUTES)",
}
POLICIES = {
    "update": "late: update",
    "separate": "late: separate",
    "dropped": "late: drop",
    "closed": "late: separate\nemit: on_close",
    "gone": "late: drop\nemit: on_close",
}
MODELS = {
    f"marts.{kind}_{policy}": f"/* xde\nkind: incremental\nwatermark: {DELAY} minutes\n{words}\n*/\n"
    f"SELECT window_start, window_end, visitor, count(*) AS clicks, sum(id) AS ids\nFROM {call}\nGROUP BY ALL\n"
    for kind, call in CALLS.items()
    for policy, words in POLICIES.items()
}

Click = tuple[int, str, int]
"""Its number, whose it is, and the minute in which it happened."""
Place = tuple[Click, int, int]
"""A click with the beginning and the end of a window that it is in."""


def place(kind: str, clicks: list[Click]) -> list[Place]:
    """Every click with its windows, all looked at together."""
    if kind == "tumble":
        return [(c, c[2] // SIZE * SIZE, c[2] // SIZE * SIZE + SIZE) for c in clicks]
    if kind == "slide":
        starts = range(-SIZE, 200)
        return [(c, s, s + SIZE) for c in clicks for s in starts if s % EVERY == 0 and s <= c[2] < s + SIZE]
    found: list[Place] = []
    for _, own in groupby(sorted(clicks, key=lambda c: (c[1], c[2])), key=lambda c: c[1]):
        session: list[Click] = []
        for click in own:
            if session and click[2] > session[-1][2] + GAP:
                found += [(c, session[0][2], session[-1][2] + GAP) for c in session]
                session = []
            session.append(click)
        found += [(c, session[0][2], session[-1][2] + GAP) for c in session]
    return found


def rows(places: list[Place]) -> list[tuple[object, ...]]:
    """What the models' SELECT makes of places."""
    grouped: dict[tuple[int, int, str], list[int]] = {}
    for click, start, end in places:
        grouped.setdefault((start, end, click[1]), []).append(click[0])
    return sorted((moment(s), moment(e), v, len(ids), sum(ids)) for (s, e, v), ids in grouped.items())


def moment(minute: int) -> datetime:
    return ZERO + timedelta(minutes=minute)


@dataclass
class Stream:
    """What the pages say of a model of windows, by a list of all that it remembers."""

    kind: str
    on_close: bool = False
    mark: int | None = None
    kept: list[Click] = field(default_factory=list)
    table: list[Place] = field(default_factory=list)
    late: list[Place] = field(default_factory=list)

    def take(self, load: list[Click]) -> None:
        """One load arrives."""
        placed = place(self.kind, self.kept + load)
        before, fresh = self.mark, set(load)
        opened = [p for p in placed if before is None or p[2] > before]
        self.late += [p for p in placed if before is not None and p[2] <= before and p[0] in fresh]
        newest = [c[2] - DELAY for c in load]
        self.mark = max([*newest, *([before] if before is not None else [])], default=None)
        if self.on_close:
            self.table += [p for p in opened if self.mark is not None and p[2] <= self.mark]
        else:
            self.table = [p for p in self.table if before is not None and p[2] <= before] + opened
        waiting = {p[0] for p in opened if self.mark is None or p[2] > self.mark}
        self.kept = [c for c in self.kept + load if c in waiting]


def csv(clicks: list[Click]) -> str:
    lines = [f"{n},{v},{moment(t).isoformat(sep=' ')}" for n, v, t in clicks]
    return "\n".join(["id,visitor,at", *lines]) + "\n"


class Clicks(Folder):
    """A folder with short words for what a test does in it."""

    loads = 0

    def deliver(self, clicks, text=None):
        self.loads += 1
        self.write(f"data/clicks-{self.loads:03}.csv", csv(clicks) if text is None else text)

    def run(self, *selection, **how):
        with Workspace.open(self.root) as workspace:
            finished = workspace.run(selection=selection, **how)
        assert finished.status == "done", [o.findings for o in finished.outcomes if o.findings]
        return {o.step.dataset: o for o in finished.outcomes}

    def tables(self, *names):
        with Workspace.open(self.root) as workspace:
            shown = {n: workspace.show(n, limit=None).read_all().to_pylist() for n in names}
        return {n: sorted(tuple(r.values()) for r in rows) for n, rows in shown.items()}

    def letters(self, dataset):
        with Workspace.open(self.root) as workspace:
            return [(json.loads(x.letter.raw), x.letter.reasons[0].rule) for x in workspace.letters(dataset, status=None)]

    def facts(self, dataset):
        with Workspace.open(self.root) as workspace:
            return [x.record.facts for x in workspace.history(dataset)]

    def model(self, name, sql):
        self.write(f"models/{name.replace('.', '/')}.sql", sql)


def project(root: Path, *models: str) -> Clicks:
    made = Clicks(root)
    made.write("xde.yaml", "name: web\n")
    made.write("sources/web.yaml", CONTRACT)
    for name in models or MODELS:
        made.model(name, MODELS[name])
    return made
