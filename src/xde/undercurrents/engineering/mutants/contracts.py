"""From the contracts of a model's inputs to what a maker of mutants may rely on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import parse_one
from sqlglot.errors import ParseError, TokenError

from xde.undercurrents.engineering.mutants.promises import Promises
from xde.undercurrents.engineering.mutants.scopes import Scopes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.kernel.project.contract import SchemaObject


def promises_of(
    inputs: Mapping[str, Mapping[str, str]], objects: Mapping[str, SchemaObject | None], views: Mapping[str, str] | None = None
) -> Promises:
    """What the contracts promise of datasets with these columns; a reference that is only a warning is no promise.

    A view without a contract, its text in `views` in an order in which they can be made, keeps the promises of what it reads.
    """
    known = {name: promised for name in inputs if (promised := objects.get(name)) is not None}
    found = Promises(
        schemas=inputs,
        required={name: {p.name for p in promised.properties if p.required or p.primary_key} for name, promised in known.items()},
        unique={name: _unique(promised) for name, promised in known.items()},
        references={name: _references(name, promised) for name, promised in known.items()},
    )
    for name, text in (views or {}).items():
        if name in inputs and name not in known:
            found = _kept(found, name, text)
    return found


def _kept(promises: Promises, name: str, text: str) -> Promises:
    try:
        query = parse_one(text, dialect="duckdb")
    except (ParseError, TokenError):
        return promises
    given = Scopes(query, promises).relation(query)
    if given.fields is None:
        return promises
    required = [f.name for f in given.fields.values() if f.required]
    return replace(promises, required={**promises.required, name: required}, unique={**promises.unique, name: list(given.keys)})


def _unique(promised: SchemaObject) -> list[tuple[str, ...]]:
    return [key for key in (promised.key, *((p.name,) for p in promised.properties if p.unique and p.required)) if key]


def _references(name: str, promised: SchemaObject) -> dict[str, tuple[str, str]]:
    """References of one column; a name without a schema is one of the same schema."""
    schema = name.rpartition(".")[0]
    return {
        r.columns[0]: (r.to_dataset if "." in r.to_dataset else f"{schema}.{r.to_dataset}", r.to_columns[0])
        for r in promised.relationships
        if len(r.columns) == len(r.to_columns) == 1 and r.severity == "error"
    }
