"""Which models Spark is not given, and why: told when a plan is made for it, and on request, before anything is run."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from xde import __version__
from xde.ground.digests import digest
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.kernel.graph.head_columns import PERIOD
from xde.kernel.graph.resolve import span_at
from xde.kernel.graph.text.reading import Place
from xde.kernel.project.declarations import Kind
from xde.lifecycle.transformation.judging import asking
from xde.lifecycle.transformation.port import Input, Query

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.connectors.spark.portable.refusing import Refusal

KEPT = "portable.json"


def refuse(house: House, known: Understanding, selection: Collection[str] | None) -> None:
    """Raise every refusal of the models that are selected, all of them for None."""
    found = refusals(house, known, selection)
    if found:
        raise UserError(*found)


def refusals(house: House, known: Understanding, selection: Collection[str] | None) -> list[Finding]:
    """A finding for each model that Spark is not given; what was found before is kept."""
    path = known.project.root / ".xde" / "cache" / KEPT
    before = _kept(path)
    now: dict[str, list[object] | None] = {}
    found: list[Finding] = []
    for name in known.project.models:
        if selection is not None and name not in selection:
            continue
        if known.model(name).head.kind is Kind.SEED or known.model(name).python is not None:
            continue
        key = _key(house, known, name)
        now[key] = before[key] if key in before else _asked(house, known, name)
        finding = _finding(known, name, now[key])
        if finding is not None:
            found.append(finding)
    if any(k not in before for k in now):
        _keep(path, {**before, **now} if selection is not None else now)
    return found


def _query(house: House, known: Understanding, name: str) -> tuple[Query, dict[str, Input]]:
    """A model over inputs without files, with values for the parameters that a run gives."""
    now = house.clock.now()
    given = {**known.project.settings.parameters, "today": now.date(), "start": now.replace(tzinfo=None), "end": now.replace(tzinfo=None)}
    model, views = known.model(name), known.views(name)
    used = {n: given[n] for n in known.analyses[name].parameters}
    inputs = {n: Input(known.schemas[n]) for n in known.reads(name)}
    return Query(model.sql, used, views, known.view_parameters(views), given), inputs


def _key(house: House, known: Understanding, name: str) -> str:
    query, inputs = _query(house, known, name)
    judging = known.judgings.get(name)
    judged = [judging.sql, [(r.name, r.sql, r.after) for r in judging.relations]] if judging is not None else []
    kinds = [(n, type(v).__name__) for n, v in query.parameters.items()]
    schemas = [(n, [(c.name, c.type) for c in i.schema]) for n, i in inputs.items()]
    types = [(c.name, c.type) for c in known.schemas[name]]
    return digest(__version__, house.spark.rules, query.sql, list(query.views.items()), kinds, schemas, types, *judged)


def _asked(house: House, known: Understanding, name: str) -> list[object] | None:
    made = PERIOD if known.model(name).head.kind is Kind.HISTORY else ()
    refusal = house.spark.refused(*_query(house, known, name), tuple(c for c in known.schemas[name] if c.name not in made))
    if refusal is None and name in known.judgings:
        refusal = _judged(house, known, name)
    return list(refusal) if refusal is not None else None


def _judged(house: House, known: Understanding, name: str) -> Refusal | None:
    """What rows that are judged are computed by, and the query that reads them: each must be carried over by itself."""
    query, inputs = _query(house, known, name)
    judging = known.judgings[name]
    for relation in judging.relations:
        for sql in dict.fromkeys((relation.sql, relation.after)):
            refusal = house.spark.refused(asking(query, sql), inputs, relation.types)
            if refusal is not None:
                return refusal._replace(start=-1, length=0)
        inputs[relation.name] = Input(relation.types)
    refusal = house.spark.refused(asking(query, judging.sql), inputs)
    return refusal._replace(start=-1, length=0) if refusal is not None else None


def _finding(known: Understanding, name: str, told: list[object] | None) -> Finding | None:
    if told is None:
        return None
    code, what, why, hint, start, length = told
    span = span_at(known.model(name), Place(int(str(start)), int(str(length))))
    return Finding(str(code), f"`{name}`: {what}", span, "not on Spark", str(why), str(hint))


def _kept(path: Path) -> dict[str, list[object] | None]:
    with suppress(OSError, ValueError):
        found = json.loads(path.read_bytes())
        if isinstance(found, dict):
            return found
    return {}


def _keep(path: Path, found: dict[str, list[object] | None]) -> None:
    """A cache that cannot be written costs time and nothing else."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(f".{os.getpid()}.tmp")
        aside.write_text(json.dumps(found), encoding="utf-8")
        aside.replace(path)
