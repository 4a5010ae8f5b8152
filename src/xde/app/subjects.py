"""A model as its tests see it, and the time that a case sets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.kernel.graph.head_columns import PERIOD
from xde.kernel.project.declarations import Kind
from xde.undercurrents.engineering.testing.exercising import Subject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xde.app.understanding import Understanding
    from xde.kernel.project.declarations import ModelDataset
    from xde.undercurrents.engineering.testing.case import Case


def subject_of(known: Understanding, name: str) -> Subject:
    """A model as its tests see it, at no particular time. Of a history it is what its query gives: its promises are of more than that."""
    model = known.model(name)
    if model.python is not None:
        raise UserError(no_query(model))
    inputs = inputs_of(known, name)
    objects = {n: known.project.datasets[n].object for n in [*inputs, name]}
    texts = {**{n: known.model(n).sql for n in inputs if known.is_seed(n)}, **known.views(name)}
    used = known.view_parameters(texts)
    made = PERIOD if model.head.kind is Kind.HISTORY else ()
    key = model.object.key if model.object and model.object.key and not made else model.head.key
    if made and model.head.updated:
        key = ()  # every change row is a version
    return Subject(
        name,
        model.sql,
        {c.name: c.type for c in known.schemas[name] if c.name not in made},
        inputs,
        objects,
        {n: (s, used[n]) for n, s in texts.items()},
        {},
        known.analyses[name].parameters,
        key,
        {n: tuple(known.upstream[n]) for n in (name, *texts)},
        () if made else tuple(known.checks.get(name, ())),
        not known.is_view(name),
    )


def keeps_other_rows(model: ModelDataset) -> bool:
    """Whether a model's table is not what its query gives even where nothing was there before: periods are added, deleted rows left out, a
    function computes it.
    """
    return model.head.kind is Kind.HISTORY or model.head.deleted is not None or model.python is not None


def inputs_of(known: Understanding, name: str) -> dict[str, dict[str, str]]:
    """The columns of all that a model reads, of views and of what they read."""
    inputs: dict[str, dict[str, str]] = {}
    todo = list(known.upstream[name])
    while todo:
        dataset = todo.pop(0)
        if dataset not in inputs:
            inputs[dataset] = {c.name: c.type for c in known.schemas[dataset]}
            todo += known.upstream[dataset] if known.is_view(dataset) else ()
    return inputs


def with_queries(known: Understanding, names: Iterable[str], *, asked: bool) -> tuple[str, ...]:
    """Those of some datasets that are no Python models. Raises `UserError` where nothing else was asked for."""
    every = tuple(names)
    found = tuple(n for n in every if n not in known.project.models or known.model(n).python is None)
    if asked and every and not found:
        raise UserError(*(no_query(known.model(n)) for n in every))
    return found


def no_query(model: ModelDataset) -> Finding:
    """What is told where the SQL of a model is wanted, and it is a Python function."""
    why = "this works on the syntax tree of a query, and a Python model has none"
    hint = f"its cases are run by `xde test {model.name}`; its function can be called from pytest, too"
    return Finding("XDE0278", f"`{model.name}` is a Python model, and this is for SQL models", model.span, "", why, hint)


def moment(case: Case, text: str | None) -> datetime | None:
    """The moment that a text of a case means, in UTC unless it says otherwise. Raises `UserError` for what is none."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        hint = "write it like `2013-07-01` or `2013-07-01T06:00:00Z`"
        raise UserError(Finding("XDE0903", f"`{text}` is no moment", case.span, "this case", str(error), hint)) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def at(subject: Subject, now: datetime, known: Understanding) -> Subject:
    """The model at a moment, over all of time."""
    whole = {"today": now.date(), "start": datetime(1, 1, 1), "end": datetime(9999, 12, 31)}  # noqa: DTZ001 - moments of a column without zone
    return replace(subject, parameters={**whole, **known.project.settings.parameters})
