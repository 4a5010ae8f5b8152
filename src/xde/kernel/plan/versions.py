"""What a dataset means, as a digest: equal versions hold equal rows for equal inputs, whoever built them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.ground.digests import digest
from xde.kernel.project.declarations import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.kernel.graph.analysis import Analysis
    from xde.kernel.project.declarations import ModelDataset


def model_version(model: ModelDataset, analysis: Analysis, values: Sequence[tuple[str, object]] = ()) -> str:
    """The version of a model: kind, meaning of rows and columns, values of parameters, and the types its contract promises."""
    head = model.head
    columns = sorted((c.name, c.digest) for c in analysis.columns)
    promised = sorted((p.name, p.physical_type or p.logical_type or "") for p in model.object.properties) if model.object else []
    shape = [head.time, list(head.key), head.grain] if head.kind is Kind.INCREMENTAL else []
    return digest("model", model.name, head.kind, shape, analysis.rows_digest, columns, promised, list(values))


def source_version(dataset: str, reading: object) -> str:
    """The version of a source: how its records are read (dialect, fields with types and formats, write mode, key)."""
    return digest("source", dataset, repr(reading))
