"""What models of windows put into windows: found once, and refused where a window cannot be computed from its own rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.app.judging import columns_of
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import listed
from xde.kernel.graph.flows.arriving import AT, END, START, NotByRow, source_of, windowed
from xde.kernel.graph.flows.judged import JUDGED
from xde.kernel.graph.flows.whole_windows import across, read_beside
from xde.kernel.graph.resolve import span_at
from xde.kernel.graph.text.reading import Place
from xde.lifecycle.storage.port import Column
from xde.lifecycle.transformation.work import Windowing

if TYPE_CHECKING:
    from xde.app.judging import Known
    from xde.app.wiring import House
    from xde.ground.findings import Findings
    from xde.kernel.graph.flows.arriving import Windowed
    from xde.kernel.project.declarations import ModelDataset

FLOWS = ("tumble", "slide", "session")


def windowings(known: Known, house: House, findings: Findings) -> dict[str, Windowing]:
    """Of each model of windows where its rows come from; tells of those that are none."""
    found: dict[str, Windowing] = {}
    for name, model in known.project.models.items():
        if model.head.watermark is not None and (windowing := _windowing(known, house, model, findings)) is not None:
            found[name] = windowing
    return found


def _windowing(known: Known, house: House, model: ModelDataset, findings: Findings) -> Windowing | None:
    places = windowed(model.sql) if model.python is None else ()
    if len(places) != 1:
        findings.add(_not_one(model, len(places)))
        return None
    one = places[0]
    stored = {c.name for c in known.schemas[model.name]}
    missing = [c for c in (START, END) if c not in stored]
    why = f"it gives no {listed([f'`{c}`' for c in missing])}" if missing else across(model.sql, one)
    if JUDGED in model.sql:
        why = "it makes dead letters of another kind, too: validate the rows in a model before this one"
    if why:
        findings.add(_not_whole(model, one, why))
        return None
    try:
        if one.why:
            raise NotByRow(one.why)
        source = source_of(one.arriving, known.views(model.name))
        columns = columns_of(known, house, model, one.arriving)
    except NotByRow as error:
        findings.add(_not_by_row(model, one, str(error)))
        return None
    except UserError as error:
        findings.add(_not_by_row(model, one, error.findings[0].message))
        return None
    if why := _read_twice(known, model, one, source.dataset):
        findings.add(_not_whole(model, one, why))
        return None
    types = tuple(Column(c.name, house.lake.storable(c.type)) for c in columns)
    kind = next(c.type for c in types if c.name == AT)
    if kind != "DATE" and not kind.startswith("TIMESTAMP"):
        findings.add(_no_time(model, one, kind))
        return None
    line = span_at(model, Place(one.begin, 1)).line
    return Windowing(one.sql, one.arriving, one.placing, one.gathers, types, source.dataset, source.column, line)


def _read_twice(known: Known, model: ModelDataset, one: Windowed, source: str) -> str:
    views = known.views(model.name)
    for name in sorted(read_beside(one)):
        if source == name or (name in views and source in known.reads(name)):
            through = "" if source == name else f", through `{name}`"
            return f"it reads `{source}` twice{through}: rows that come would change windows that they are not in"
    return ""


def _not_one(model: ModelDataset, count: int) -> Finding:
    return Finding(
        "XDE0255",
        f"`{model.name}` has a `watermark`, and " + ("puts no rows into windows" if not count else f"puts rows into windows {count} times"),
        model.head.spans.get("watermark") or model.span,
        "windows over what?",
        "what a watermark closes are the windows of one flow that the query calls",
        f"read the rows through one of {listed([f'`{f}`' for f in FLOWS])}"
        + (", or delete `watermark`" if not count else ", and what is to be put into others in a model of its own"),
    )


def _not_whole(model: ModelDataset, one: Windowed, why: str) -> Finding:
    return Finding(
        "XDE0256",
        f"`{model.name}` cannot be computed window by window",
        span_at(model, Place(one.begin, 1)),
        "put into windows here",
        why,
        f"keep `{START}` and `{END}` in what it gives and in every GROUP BY and PARTITION BY; what looks at several windows goes into a "
        "model that reads this one",
    )


def _not_by_row(model: ModelDataset, one: Windowed, why: str) -> Finding:
    return Finding(
        "XDE0257",
        f"`{model.name}` puts rows into windows that do not come one by one from one dataset",
        span_at(model, Place(one.begin, 1)),
        "put into windows here",
        f"{why}; only of rows that arrive can be said when they came",
        "work these rows out in a model that is a table, and read that, or make this model `kind: table`",
    )


def _no_time(model: ModelDataset, one: Windowed, kind: str) -> Finding:
    return Finding(
        "XDE0258",
        f"`{model.name}` puts rows into windows by a column of the type {kind}",
        span_at(model, Place(one.begin, 1)),
        "by this `at`",
        "a window is a stretch of time",
        "give `at` a date or a timestamp",
    )
