"""What a dataset means, as a digest: equal versions hold equal rows for equal inputs, whoever built them.

A version is written `DIGEST`, or `DIGEST-r2` for a table in which rows were computed anew although nothing had changed (a backfill), or
`DIGEST-i9f0e1d2c` for one that is made from such tables, or both. All of these mean the same; what differs is the table: environments that
show different restatements of an input do not share what is made from it, so none computes with the rows of another.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.ground.digests import digest
from xde.kernel.project.declarations import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.kernel.graph.analysis import Analysis
    from xde.kernel.project.declarations import ModelDataset


_RESTATED = re.compile(r"-r(\d+)")
_PARTS = "-"


def meaning(version: str) -> str:
    """What a version means: the digest alone, whichever of its tables is told of."""
    return version.partition(_PARTS)[0]


def restatement(version: str) -> int:
    """Which restatement a version is: 1 for the table as it was first built."""
    found = _RESTATED.search(version)
    return int(found.group(1)) if found else 1


def restated(version: str, number: int) -> str:
    """A restatement of what a version means, made from inputs that were never restated."""
    return meaning(version) if number < 2 else f"{meaning(version)}{_PARTS}r{number}"


def placed(
    meant: Mapping[str, str], order: Sequence[str], upstream: Mapping[str, Sequence[str]], numbers: Mapping[str, int]
) -> dict[str, str]:
    """The version of every dataset, given which restatement of each is shown: those that are made from one lie apart."""
    if not numbers:
        return {n: meaning(v) for n, v in meant.items()}
    found: dict[str, str] = {}
    for name in order:
        if name not in meant:
            continue
        version = restated(meant[name], numbers.get(name, 1))
        moved = sorted((u, found[u]) for u in upstream.get(name, ()) if _PARTS in found.get(u, ""))
        found[name] = f"{version}{_PARTS}i{digest(moved)[:8]}" if moved else version
    return {n: found.get(n, v) for n, v in meant.items()}


def shown_restatements(meant: Mapping[str, str], *shown: Mapping[str, str]) -> dict[str, int]:
    """Which restatement of each dataset is shown, by the first of some pointers that show it as it is meant; 1 is left out."""
    found: dict[str, int] = {}
    for name, version in meant.items():
        told = next((p[name] for p in shown if meaning(p.get(name, "")) == meaning(version)), "")
        if restatement(told) > 1:
            found[name] = restatement(told)
    return found


def model_version(model: ModelDataset, analysis: Analysis, values: Sequence[tuple[str, object]] = ()) -> str:
    """The version of a model: kind, meaning of rows and columns, values of parameters, and the types its contract promises."""
    head = model.head
    columns = sorted((c.name, c.digest) for c in analysis.columns)
    promised = sorted((p.name, p.physical_type or p.logical_type or "") for p in model.object.properties) if model.object else []
    shape: list[object] = [head.time, list(head.key), head.grain] if head.kind is Kind.INCREMENTAL else []
    if head.kind is Kind.INCREMENTAL and (head.deleted or head.missing != "keep"):
        shape += [head.deleted, head.missing]
    if head.kind is Kind.INCREMENTAL and head.watermark is not None:
        shape += [head.watermark, head.late, head.emit]
    if head.kind is Kind.HISTORY:
        shape = [list(head.key), head.updated, list(head.columns), head.deleted, head.missing]
    return digest("model", model.name, head.kind, shape, analysis.rows_digest, columns, promised, list(values))


def source_version(dataset: str, reading: object) -> str:
    """The version of a source: how its records are read (dialect, fields with types and formats, write mode, key)."""
    return digest("source", dataset, repr(reading))
