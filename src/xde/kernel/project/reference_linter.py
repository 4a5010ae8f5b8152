"""Foreign keys across the contracts of a project: each must lead to a dataset that is there, and to columns of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.ground.findings import Finding
from xde.ground.names import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from xde.kernel.project.contract import Contract, Property, Relationship
    from xde.kernel.project.declarations import Dataset


def lint_references(datasets: Mapping[str, Dataset], contracts: Iterable[tuple[str, Contract]]) -> list[Finding]:
    """Foreign keys that lead nowhere; each contract comes with the schema of its tables. Where no columns are declared, any will do."""
    known: dict[str, frozenset[str] | None] = {}
    found: list[Finding] = []
    for schema, contract in contracts:
        for table in contract.schema:
            for relationship in table.relationships:
                if relationship.to_dataset:
                    found += _dangling(relationship, full_name(relationship.to_dataset, schema), datasets, known)
    return found


def full_name(written: str, schema: str) -> str:
    """A dataset as a contract writes it (`airports` or `nyc.airports`), with the schema of the contract where it says none."""
    return written if "." in written else f"{schema}.{written}"


def _dangling(
    relationship: Relationship, name: str, datasets: Mapping[str, Dataset], known: dict[str, frozenset[str] | None]
) -> Iterator[Finding]:
    dataset = datasets.get(name)
    if dataset is None:
        why = "a foreign key must lead to a dataset of the project"
        hint = did_you_mean(name, datasets) or "write it as `schema.table.column`"
        yield Finding("XDE0311", f"the project has no dataset `{name}`", relationship.span, "leads nowhere", why, hint)
        return
    if name not in known:
        known[name] = frozenset(_paths(dataset.object.properties)) if dataset.object is not None and dataset.object.properties else None
    columns = known[name]
    for column in relationship.to_columns:
        if columns is not None and column not in columns:
            why = "a foreign key must lead to a column of the dataset's contract"
            hint = did_you_mean(column, columns)
            yield Finding("XDE0311", f"`{name}` has no column `{column}`", relationship.span, "no such column", why, hint)


def _paths(properties: Iterable[Property], above: str = "") -> Iterator[str]:
    for found in properties:
        yield above + found.name
        yield from _paths(found.properties, f"{above}{found.name}.")
