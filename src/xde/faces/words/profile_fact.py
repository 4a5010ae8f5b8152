"""A profile as JSON data; of columns that are likely personal there are no values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.words.findings import finding_fact

if TYPE_CHECKING:
    from xde.undercurrents.management.profiling.facts import ColumnFacts, Origin, Profile, Reference, TableProfile, TextReading


def profile_fact(found: Profile) -> dict[str, object]:
    """The whole."""
    return {
        "tables": [_table(t) for t in found.tables],
        "references": [_reference(r) for r in found.references],
        "findings": [finding_fact(f) for f in found.findings],
    }


def _table(table: TableProfile) -> dict[str, object]:
    near = None if table.near_key is None else {"columns": list(table.near_key[0]), "rows_more": table.near_key[1]}
    return {
        "name": table.name,
        "source": table.source,
        "rows": table.rows,
        "looked_at": table.looked_at,
        "error_points": round(table.error, 3),
        "files": table.files,
        "refused": table.refused,
        "dialect": dict(table.dialect),
        "columns": [_column(table, c) for c in table.columns],
        "keys": [list(k.columns) for k in table.keys],
        "near_key": near,
        "duplicates": table.duplicates,
        "dependencies": [{"columns": list(d.columns), "decides": d.decides, "groups": d.groups} for d in table.dependencies],
        "personal": {n: {"kind": p.kind, "sure": p.sure, "evidence": p.evidence} for n, p in table.personal.items()},
        "declared": None if table.origin is None else _declared(table.origin),
        "partial": table.partial,
    }


def _declared(origin: Origin) -> dict[str, object]:
    """What the catalogue of a database says, and how each column arrives."""
    told = origin.declared
    return {
        "database": origin.database,
        "relation": told.name,
        "kind": told.kind,
        "comment": told.comment,
        "rows_are_an_estimate": told.about,
        "key": list(told.key),
        "unique": [list(u) for u in told.unique],
        "references": [{"columns": list(r.columns), "to": r.to, "to_columns": list(r.to_columns)} for r in told.references],
        "rules": list(told.rules),
        "reader": told.reader,
        "blocks_looked_at": origin.blocks,
        "columns": [
            {
                "name": origin.names.get(c.name, c.name),
                "there": c.name,
                "type": c.told,
                "read_as": c.kept.type,
                "lake_type": c.kept.stored or c.kept.type,
                "fidelity": c.kept.arrival.value,
                "why": c.kept.why,
                "required": c.required,
                "comment": c.comment,
            }
            for c in told.columns
        ],
    }


def _column(table: TableProfile, column: ColumnFacts) -> dict[str, object]:
    reading = table.readings.get(column.name)
    return {
        "name": column.name,
        "type": column.type,
        "missing": column.missing,
        "distinct": column.distinct,
        "once": column.once,
        "low": column.low,
        "high": column.high,
        "mean": column.mean,
        "quantiles": dict(zip(("5", "25", "50", "75", "95"), column.quantiles, strict=False)),
        "lengths": list(column.lengths) if column.lengths else None,
        "top": [{"value": v, "rows": n} for v, n in column.top],
        "patterns": [{"pattern": p, "rows": n} for p, n in column.patterns],
        "far_out": {"rows": column.far[0], "farthest": column.far[1] or None} if column.far else None,
        "padded": column.padded,
        "text": None if reading is None else _reading(reading, hidden=column.name in table.personal),
    }


def _reading(reading: TextReading, *, hidden: bool) -> dict[str, object]:
    almost = None
    if reading.almost:
        logical, number, some = reading.almost
        almost = {"type": logical, "others": number, "examples": [] if hidden else list(some)}
    return {
        "logical_type": reading.logical,
        "format": reading.format,
        "null_words": dict(reading.words),
        "almost": almost,
        "either": list(reading.either),
        "leading_zeros": reading.zeros,
    }


def _reference(reference: Reference) -> dict[str, object]:
    return {
        "table": reference.table,
        "columns": list(reference.columns),
        "to_table": reference.to_table,
        "to_columns": list(reference.to_columns),
        "rows": reference.rows,
        "lost": reference.lost,
        "lost_values": reference.lost_values,
        "examples": list(reference.examples),
        "share": round(reference.share, 6),
        "evidence": reference.evidence,
        "sure": reference.sure,
        "declared": reference.declared,
    }
