"""What models judge by flows that make dead letters: found once, and refused where no letters can be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import listed, quoted
from xde.kernel.graph.flows.judged import BROKEN, JUDGED, parameters_in, parted
from xde.kernel.graph.resolve import span_at
from xde.kernel.graph.text.reading import Place
from xde.kernel.project.declarations import Kind
from xde.lifecycle.storage.port import Column
from xde.lifecycle.transformation.judging import Judged, Judging
from xde.lifecycle.transformation.port import Input, Query

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from xde.app.wiring import House
    from xde.ground.findings import Findings
    from xde.kernel.graph.flows.judged import Part
    from xde.kernel.project.declarations import ModelDataset, Project
    from xde.lifecycle.storage.port import Schema

_CHANCE = frozenset({"random", "uuid", "gen_random_uuid", "uuidv4", "uuidv7", "nextval", "setseed", "now", "current_timestamp"})
_CHANCE |= {"get_current_timestamp", "transaction_timestamp", "current_date", "current_time", "localtimestamp", "tablesample"}


class Known(Protocol):
    """What is asked of the understanding of a project, as far as it has come."""

    @property
    def project(self) -> Project:
        """Its files, with plain SQL in the place of flows."""
        ...

    @property
    def schemas(self) -> Mapping[str, Schema]:
        """The stored columns of every dataset."""
        ...

    def reads(self, name: str) -> tuple[str, ...]:
        """The datasets with rows that a model reads."""
        ...

    def views(self, name: str) -> dict[str, str]:
        """The views that it reads, with their text."""
        ...

    def view_parameters(self, views: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The parameters that each of some views uses."""
        ...


def judgings(known: Known, house: House, findings: Findings) -> dict[str, Judging]:
    """Of each model that makes dead letters what it judges; tells of those that cannot."""
    found: dict[str, Judging] = {}
    for name, model in known.project.models.items():
        if JUDGED in model.sql and (judging := _judging(known, house, model, findings)) is not None:
            found[name] = judging
    return found


def _judging(known: Known, house: House, model: ModelDataset, findings: Findings) -> Judging | None:
    from xde.lifecycle.ingestion.declare import letter_limit

    rest, parts = parted(model.sql)
    if not model.head.stored:
        findings.add(_no_table(model, parts[0]))
        return None
    relations: list[Judged] = []
    texts = [rest, *(p.after for p in parts)]
    for number, part in enumerate(parts):
        try:
            columns = columns_of(known, house, model, part.sql)
        except UserError as error:
            findings.add(_unfit(model, part, part.why or error.findings[0].message))
            return None
        why = part.why or _unfit_columns(model, columns) or _by_chance(model, part)
        if why:
            findings.add(_unfit(model, part, why))
            return None
        types = tuple(Column(c.name, house.lake.storable(c.type)) for c in columns)
        read = _as_it_was(part.name, columns, types)
        texts = [t.replace(f"{part.name} AS", f"{read} AS") for t in texts]
        line = span_at(model, Place(part.start, 1)).line
        relations.append(Judged(part.name, part.sql, texts[1 + number], types, line))
    limit = letter_limit(model.object.custom if model.object is not None else {})
    return Judging(texts[0], tuple(relations), limit.percent, limit.records)


def columns_of(known: Known, house: House, model: ModelDataset, sql: str) -> Schema:
    """The columns of a relation of a model, of which the engine is asked."""
    now = house.clock.now()
    given = {**known.project.settings.parameters, "today": now.date(), "start": now.replace(tzinfo=None), "end": now.replace(tzinfo=None)}
    named = parameters_in(sql)
    views = known.views(model.name)
    inputs = {n: Input(known.schemas[n]) for n in known.reads(model.name)}
    query = Query(sql, {n: v for n, v in given.items() if n in named}, views, known.view_parameters(views), given)
    return house.local.columns(query, inputs)


def _as_it_was(name: str, columns: Schema, stored: Schema) -> str:
    """What reads a relation that was written aside, with the types that it had before."""
    if columns == stored:
        return name
    casts = ", ".join(
        quoted(c.name) if c == s else f"CAST({quoted(c.name)} AS {c.type}) AS {quoted(c.name)}"
        for c, s in zip(columns, stored, strict=True)
    )
    return f"(SELECT {casts} FROM {name})"


def _unfit_columns(model: ModelDataset, columns: Schema) -> str:
    names = [c.name.lower() for c in columns]
    doubled = next((n for i, n in enumerate(names) if n in names[:i]), None)
    if doubled is not None:
        return f"it has two columns `{doubled}`"
    time = model.head.time if model.head.kind is Kind.INCREMENTAL else None
    if time is not None and time.lower() not in names:
        own = [f"`{c.name}`" for c in columns if not c.name.startswith(BROKEN[:6])]
        return f"it has no column `{time}`, by which the model is built, but {listed(own)}"
    return ""


def _by_chance(model: ModelDataset, part: Part) -> str:
    """By time, a model's query looks at the rows a second time, and must see the same."""
    from xde.kernel.graph.text.scanning import scan

    if model.head.kind is not Kind.INCREMENTAL or model.head.time is None:
        return ""
    found = next((w.text for w in scan(part.sql) or () if w.text.lower() in _CHANCE and w.kind not in {"STRING", "IDENTIFIER"}), None)
    return f"`{found}` gives another value each time, and rows are judged for each interval anew" if found else ""


def _no_table(model: ModelDataset, part: Part) -> Finding:
    return Finding(
        "XDE0296",
        f"`{model.name}` is of the kind `{model.head.kind}`, and has no table that could keep dead letters",
        span_at(model, Place(part.start, 1)),
        "makes dead letters",
        "letters are kept with the rows of a build, and nobody builds this model: its readers compute it",
        "make it `kind: table`, or write `keep := passing` to leave the rows out, or `keep := all` to mark them",
    )


def _unfit(model: ModelDataset, part: Part, why: str) -> Finding:
    return Finding(
        "XDE0297",
        f"`{model.name}` judges rows that cannot be judged by themselves",
        span_at(model, Place(part.start, 1)),
        "makes dead letters",
        why,
        "validate a relation that stands by itself, in a CTE or in a model of its own, or write `keep := passing`",
    )
