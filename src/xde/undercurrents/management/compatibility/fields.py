"""The fields of a part of a contract that no comparison of their own looks at: told, so that nothing changes unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xde.undercurrents.management.compatibility.kinds import ChangeKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Set

    from xde.undercurrents.management.compatibility.kinds import Changes, Place

_K = ChangeKind
_DOCUMENTING = {
    "description": _K.DESCRIPTION_CHANGED,
    "businessName": _K.DESCRIPTION_CHANGED,
    "examples": _K.DESCRIPTION_CHANGED,
    "synonyms": _K.DESCRIPTION_CHANGED,
    "context": _K.DESCRIPTION_CHANGED,
    "transformDescription": _K.DESCRIPTION_CHANGED,
    "transformLogic": _K.DESCRIPTION_CHANGED,
    "transformSourceObjects": _K.DESCRIPTION_CHANGED,
    "businessImpact": _K.DESCRIPTION_CHANGED,
    "dimension": _K.DESCRIPTION_CHANGED,
    "driver": _K.DESCRIPTION_CHANGED,
    "name": _K.DESCRIPTION_CHANGED,
    "domain": _K.DESCRIPTION_CHANGED,
    "tenant": _K.DESCRIPTION_CHANGED,
    "dataProduct": _K.DESCRIPTION_CHANGED,
    "contractCreatedTs": _K.DESCRIPTION_CHANGED,
    "authoritativeDefinitions": _K.DESCRIPTION_CHANGED,
    "price": _K.DESCRIPTION_CHANGED,
    "tags": _K.TAGS_CHANGED,
    "criticalDataElement": _K.TAGS_CHANGED,
    "team": _K.PEOPLE_CHANGED,
    "support": _K.PEOPLE_CHANGED,
    "id": _K.SPELLING_CHANGED,
    "type": _K.SPELLING_CHANGED,
    "required": _K.SPELLING_CHANGED,
    "unique": _K.SPELLING_CHANGED,
    "primaryKey": _K.SPELLING_CHANGED,
    "primaryKeyPosition": _K.SPELLING_CHANGED,
    "partitioned": _K.SPELLING_CHANGED,
    "partitionKeyPosition": _K.SPELLING_CHANGED,
    "logicalType": _K.SPELLING_CHANGED,
    "physicalType": _K.SPELLING_CHANGED,
    "physicalName": _K.SPELLING_CHANGED,
}
DELIVERY = {
    "dialect",
    "request",
    "api",
    "server",
    "deadLetter",
    "schemaChange",
    "incrementalCursor",
    "capture",
    "nullWords",
    "sourceName",
    "alsoNamed",
    "tenantColumn",
    "query",
    "limits",
    "reader",
}
MASKING = {"maskingPolicy", "dataSubjectKey", "inFlight"}
UNITS = {"unit", "unitofmeasure", "currency", "timezone"}
_OWN = {
    "writeMode": _K.WRITE_MODE_CHANGED,
    "position": _K.POSITIONS_CHANGED,
    "compatibility": _K.POLICY_CHANGED,
    **dict.fromkeys(DELIVERY, _K.DELIVERY_CHANGED),
}


def compare_fields(out: Changes, at: Place, old: Mapping[str, Any], new: Mapping[str, Any], seen: Set[str]) -> None:
    """Tell of every field that differs and is not among those `seen` to elsewhere; `customProperties` one by one."""
    for key in old.keys() | new.keys():
        if key in seen or key == "customProperties" or same(old.get(key), new.get(key)):
            continue
        out.add(_DOCUMENTING.get(key, _K.OTHER_CHANGED), at, old.get(key), new.get(key), key)
    if "customProperties" in old or "customProperties" in new:
        _compare_customs(out, at, customs(old), customs(new), seen)
        _compare_remarks(out, at, old, new)


def same(one: object, other: object) -> bool:
    """Whether two values of YAML are the same: `1` and `true` are not, and nothing, null, false and an empty list all say nothing."""
    if _says_nothing(one) and _says_nothing(other):
        return True
    return type(one) is type(other) and repr(one) == repr(other)


def _says_nothing(value: object) -> bool:
    return value is None or value is False or (isinstance(value, str | list | dict) and not value)


def customs(raw: Mapping[str, Any]) -> dict[str, object]:
    """The values of `customProperties`: ours under their names as xde says them, all others as `vendor:name`."""
    found: dict[str, object] = {}
    for entry in raw.get("customProperties") or ():
        if isinstance(entry, dict):
            name, vendor = str(entry.get("property", "")), entry.get("vendor")
            prefixed = len(name) > 3 and name.startswith("xde") and name[3].isupper()
            if vendor == "xde" or (vendor is None and prefixed):
                found[name[3].lower() + name[4:] if prefixed else name] = entry.get("value")
            else:
                found[f"{vendor or ''}:{name}"] = entry.get("value")
    return found


def _compare_customs(out: Changes, at: Place, old: Mapping[str, object], new: Mapping[str, object], seen: Set[str]) -> None:
    for name in old.keys() | new.keys():
        before, after = old.get(name), new.get(name)
        if name in seen or same(before, after):
            continue
        word = name.rpartition(":")[2]
        if word in MASKING and not name.startswith(":"):
            kind = _appeared(before, after, (_K.MASKING_ADDED, _K.MASKING_DROPPED, _K.MASKING_CHANGED))
        elif word.casefold() in UNITS:
            kind = _appeared(before, after, (_K.UNIT_STATED, _K.UNIT_WITHDRAWN, _K.UNIT_CHANGED))
        else:
            kind = _OWN.get(name, _K.OTHER_CHANGED)
        out.add(kind, at, before, after, word)


def _compare_remarks(out: Changes, at: Place, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """What is said of `customProperties` besides their values."""
    before, after = (
        {
            str(e.get("property")): {k: v for k, v in e.items() if k not in {"value", "property", "vendor"}}
            for e in entries
            if isinstance(e, dict)
        }
        for entries in (old.get("customProperties") or (), new.get("customProperties") or ())
    )
    for name in before.keys() & after.keys():
        if before[name] != after[name]:
            out.add(_K.DESCRIPTION_CHANGED, at, before[name] or None, after[name] or None, name)


def _appeared(before: object, after: object, kinds: tuple[ChangeKind, ChangeKind, ChangeKind]) -> ChangeKind:
    return kinds[0] if same(before, None) else kinds[1] if same(after, None) else kinds[2]
