"""A table in two versions: its grain, its keys, its references, the order of its columns, how it is delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xde.undercurrents.management.compatibility.columns import compare_columns, compare_definitions
from xde.undercurrents.management.compatibility.fields import compare_fields
from xde.undercurrents.management.compatibility.kinds import ChangeKind, Changes, Place
from xde.undercurrents.management.compatibility.pairing import Part, likely, paired, parts
from xde.undercurrents.management.compatibility.quality_rules import compare_rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.kernel.project.contract import Relationship, SchemaObject

_K = ChangeKind
_SEEN = {
    "name", "physicalName", "physicalType", "dataGranularityDescription", "properties", "relationships", "quality", "deprecated",
    "authoritativeDefinitions",
}  # fmt: skip
_POSITIONS = {
    "primaryKeyPosition": {_K.KEY_ADDED, _K.KEY_DROPPED, _K.KEY_CHANGED, _K.KEY_REORDERED},
    "partitionKeyPosition": {_K.PARTITION_ADDED, _K.PARTITION_DROPPED, _K.PARTITIONS_REORDERED},
}
_REFERENCES = {
    _K.REFERENCE_ADDED,
    _K.REFERENCE_DROPPED,
    _K.REFERENCE_CHANGED,
    _K.RULE_LOOSENED,
    _K.RULE_TIGHTENED,
    _K.RULE_WAIVED,
    _K.WAIVER_ENDED,
}
Names = dict[str, dict[str, str]]
"""For each table by its old name the columns, old name to new; its own new name stands under the empty text."""


def compare_tables(out: Changes, old: Sequence[Part[SchemaObject]], new: Sequence[Part[SchemaObject]]) -> None:
    """Compare the tables of two versions of a contract."""
    found = paired(old, new, lambda t: t.name)
    names: Names = {}
    for one, other in found.both:
        at = Place(one.is_.name, other.is_.name, other.is_.span)
        if one.is_.name != other.is_.name:
            out.add(_K.TABLE_RENAMED, at, one.is_.name, other.is_.name)
        columns = [parts(t.is_.properties, t.raw.get("properties")) for t in (one, other)]
        names[one.is_.name] = {"": other.is_.name, **compare_columns(out, at, columns[0], columns[1])}
    for one, other in found.both:
        _compare_table(out, Place(one.is_.name, other.is_.name, other.is_.span), one, other, names)
    alike = likely(*({t.is_.name: [p.name for p in t.is_.properties] for t in side} for side in (found.dropped, found.added)))
    for gone in found.dropped:
        to = alike.get(gone.is_.name)
        note = f"it looks like `{to}`: if it was renamed, give both the same `id`" if to else ""
        out.add(_K.TABLE_DROPPED, Place(gone.is_.name, "", gone.is_.span), note=note)
    for came in found.added:
        out.add(_K.TABLE_ADDED, Place("", came.is_.name, came.is_.span))


def _compare_table(out: Changes, at: Place, old: Part[SchemaObject], new: Part[SchemaObject], names: Names) -> None:
    one, other = old.is_, new.is_
    columns = names[one.name]
    if one.physical_type != other.physical_type:
        out.add(_K.TABLE_KIND_CHANGED, at, one.physical_type, other.physical_type)
    if one.physical_name != other.physical_name:
        out.add(_K.PHYSICAL_NAME_CHANGED, at, one.physical_name, other.physical_name)
    if (old.raw.get("deprecated") is True) != (new.raw.get("deprecated") is True):
        out.add(_K.ELEMENT_RESTORED if old.raw.get("deprecated") else _K.ELEMENT_DEPRECATED, at)
    if one.grain != other.grain:
        kind = _K.GRAIN_STATED if not one.grain else _K.GRAIN_WITHDRAWN if not other.grain else _K.GRAIN_CHANGED
        out.add(kind, at, one.grain or None, other.grain or None)
    _compare_keys(out, at, (one, other), columns)
    _compare_partitions(out, at, (one, other), columns)
    _compare_order(out, at, (one, other), columns)
    _compare_references(out, at, (one, other), names)
    compare_rules(out, at, (one.quality, old.raw.get("quality")), (other.quality, new.raw.get("quality")))
    compare_definitions(out, at, old.raw, new.raw)
    compare_fields(out, at, old.raw, new.raw, _SEEN)
    _compare_spelling(out, at, (old, new), columns)


def _compare_spelling(out: Changes, at: Place, tables: tuple[Part[SchemaObject], Part[SchemaObject]], columns: Mapping[str, str]) -> None:
    """What is written otherwise and means the same: positions in a key of one column, the id of a reference."""
    told = {c.kind for c in out.items if (c.was, c.now) == (at.was, at.now)}
    sides = [{p.is_.name: p for p in parts(t.is_.properties, t.raw.get("properties"))} for t in tables]
    for was, now in columns.items():
        if was and was in sides[0] and now in sides[1]:
            old, new = sides[0][was], sides[1][now]
            below = at.below(was, now, new.is_.span)
            for word, kinds in _POSITIONS.items():
                if not told & kinds and old.raw.get(word) != new.raw.get(word):
                    out.add(_K.SPELLING_CHANGED, below, old.raw.get(word), new.raw.get(word), word)
            if not told & _REFERENCES and _unordered(old.raw.get("relationships")) != _unordered(new.raw.get("relationships")):
                out.add(_K.SPELLING_CHANGED, below, about="relationships")
    if not told & _REFERENCES and _unordered(tables[0].raw.get("relationships")) != _unordered(tables[1].raw.get("relationships")):
        out.add(_K.SPELLING_CHANGED, at, about="relationships")


def _unordered(given: object) -> list[str]:
    return sorted(map(repr, given)) if isinstance(given, list) else []


def _compare_keys(out: Changes, at: Place, tables: tuple[SchemaObject, SchemaObject], columns: Mapping[str, str]) -> None:
    before, after = tables[0].key, tables[1].key
    translated = tuple(columns.get(c, c) for c in before)
    if translated == after:
        return
    same = sorted(translated) == sorted(after)
    kind = _K.KEY_ADDED if not before else _K.KEY_DROPPED if not after else _K.KEY_REORDERED if same else _K.KEY_CHANGED
    out.add(kind, at, list(before) or None, list(after) or None)


def _compare_partitions(out: Changes, at: Place, tables: tuple[SchemaObject, SchemaObject], columns: Mapping[str, str]) -> None:
    before, after = ([p.name for p in sorted(t.properties, key=lambda p: p.partition_key_position) if p.partitioned] for t in tables)
    translated = [columns.get(c, c) for c in before]
    for name, shown in zip(before, translated, strict=True):
        if shown not in after:
            out.add(_K.PARTITION_DROPPED, at, before=name)
    for name in after:
        if name not in translated:
            out.add(_K.PARTITION_ADDED, at, after=name)
    if translated != after and sorted(translated) == sorted(after):
        out.add(_K.PARTITIONS_REORDERED, at, before, after)


def _compare_order(out: Changes, at: Place, tables: tuple[SchemaObject, SchemaObject], columns: Mapping[str, str]) -> None:
    """The order of the columns that are in both; in files without a header it is what tells them apart."""
    there = {p.name for p in tables[1].properties}
    before = [columns[p.name] for p in tables[0].properties if p.name in columns]
    kept = set(before) & there
    after = [p.name for p in tables[1].properties if p.name in kept]
    if before == after:
        return
    positional = any(_without_header(t) for t in tables)
    out.add(
        _K.POSITIONS_CHANGED if positional else _K.COLUMNS_REORDERED,
        at,
        [p.name for p in tables[0].properties],
        [p.name for p in tables[1].properties],
    )


def _without_header(table: SchemaObject) -> bool:
    dialect: Any = table.custom["dialect"].value if "dialect" in table.custom else None
    return isinstance(dialect, dict) and dialect.get("header") is False


def _compare_references(out: Changes, at: Place, tables: tuple[SchemaObject, SchemaObject], names: Names) -> None:
    """References are the same by columns and target, else by columns alone: the target changed."""
    old = [(_columns(r, names[tables[0].name]), _target(r, names), r) for r in tables[0].relationships]
    new = [(_columns(r, {}), _target(r, {}), r) for r in tables[1].relationships]
    for side in (old, new):
        side.sort(key=lambda r: r[:2])
    for keyed in (2, 1):
        there = {k[:keyed]: k for k in reversed(new)}
        for one in list(old):
            other = there.pop(one[:keyed], None)
            if other is not None:
                _compare_reference(out, Place(at.was, at.now, other[2].span), (one[2], other[2]), names)
                old.remove(one)
                new.remove(other)
    for _, _, gone in old:
        out.add(_K.REFERENCE_DROPPED, Place(at.was, at.now, gone.span), before=_target(gone, {}), about=", ".join(gone.columns))
    for _, _, came in new:
        out.add(_K.REFERENCE_ADDED, Place(at.was, at.now, came.span), after=_target(came, {}), about=", ".join(came.columns))


def _compare_reference(out: Changes, at: Place, both: tuple[Relationship, Relationship], names: Names) -> None:
    old, new = both
    about = ", ".join(new.columns)
    if _target(old, names) != _target(new, {}):
        out.add(_K.REFERENCE_CHANGED, at, _target(old, {}), _target(new, {}), about)
    weights = [(_action(r), r.severity == "error") for r in both]
    if weights[0] != weights[1]:
        shown = [
            f"severity {r.severity}" + (f", on failure {r.custom['onFailure'].value}" if "onFailure" in r.custom else "") for r in both
        ]
        out.add(_K.RULE_LOOSENED if weights[1] < weights[0] else _K.RULE_TIGHTENED, at, shown[0], shown[1], f"reference of {about}")
    waivers = [r.custom["waiver"].value if "waiver" in r.custom else None for r in both]
    if waivers[0] != waivers[1]:
        out.add(_K.RULE_WAIVED if waivers[1] is not None else _K.WAIVER_ENDED, at, waivers[0], waivers[1], f"reference of {about}")


def _action(of: Relationship) -> int:
    told = of.custom["onFailure"].value if "onFailure" in of.custom else None
    return {"warn": 0, "quarantine": 1, "block": 2}.get(str(told), 2 if of.severity == "error" else 0)


def _columns(of: Relationship, columns: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(columns.get(c, c) for c in of.columns)


def _target(of: Relationship, names: Names) -> str:
    there = names.get(of.to_dataset, {})
    return f"{there.get('', of.to_dataset)}({', '.join(there.get(c, c) for c in of.to_columns)})"
