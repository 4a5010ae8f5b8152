"""A contract as a whole in two versions: status, service levels, servers, roles, and who answers for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from xde.undercurrents.management.compatibility.fields import compare_fields, customs, same
from xde.undercurrents.management.compatibility.kinds import ChangeKind, Changes, Place
from xde.undercurrents.management.compatibility.limits import ordered
from xde.undercurrents.management.compatibility.pairing import Part, paired, parts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.kernel.project.contract import Contract, Server, ServiceLevel

_K = ChangeKind
_SEEN = {"kind", "version", "schema", "servers", "slaProperties", "slaDefaultElement", "status", "id", "roles", "apiVersion", "description"}
_SYNONYMS = {
    "av": "availability", "th": "throughput", "er": "errorrate", "ga": "generalavailability", "es": "endofsupport", "el": "endoflife",
    "re": "retention", "fy": "frequency", "ly": "latency", "td": "timetodetect", "tn": "timetonotify", "tr": "timetorepair",
}  # fmt: skip
_LESS_IS_MORE = {"freshness", "latency", "frequency", "timetodetect", "timetonotify", "timetorepair", "timeofavailability", "errorrate"}
_MORE_IS_MORE = {"availability", "throughput"}
_ENDS = {"endofsupport", "endoflife"}
_SECONDS = {
    "s": 1, "sec": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hr": 3600, "hour": 3600, "d": 86_400, "day": 86_400, "w": 604_800,
    "week": 604_800, "month": 2_629_800, "mo": 2_629_800, "y": 31_557_600, "yr": 31_557_600, "year": 31_557_600,
}  # fmt: skip
_DURATION = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?\Z")
_FACTORS = (31_557_600, 2_629_800, 604_800, 86_400, 3600, 60, 1)
_TIME = re.compile(r"(\d\d):(\d\d)(?::\d\d)?(?:(Z)|([+-])(\d\d):?(\d\d))?\Z")


def compare_documents(out: Changes, old: Contract, new: Contract) -> None:
    """Everything of a contract but its tables and its version."""
    at = Place("", "", new.span)
    _compare_status(out, at, old.status, new.status)
    if old.id != new.id:
        out.add(_K.CONTRACT_ID_CHANGED, at, old.id, new.id)
    if old.api_version != new.api_version:
        out.add(_K.STANDARD_CHANGED, at, old.api_version, new.api_version)
    _compare_levels(out, old, new)
    _compare_servers(out, old, new)
    _compare_roles(out, at, _roles(old.raw), _roles(new.raw))
    _compare_description(out, at, old.raw.get("description"), new.raw.get("description"))
    compare_fields(out, at, old.raw, new.raw, _SEEN)


def _compare_description(out: Changes, at: Place, old: object, new: object) -> None:
    before, after = (d if isinstance(d, dict) else {"purpose": d} if d else {} for d in (old, new))
    for key in before.keys() | after.keys():
        if not same(before.get(key), after.get(key)):
            out.add(_K.DESCRIPTION_CHANGED, at, before.get(key), after.get(key), f"description.{key}")


def _compare_status(out: Changes, at: Place, old: str, new: str) -> None:
    """The standard's words are examples: proposed, draft, active, deprecated, retired; none at all is as good as active."""
    before, after = old.casefold() or "active", new.casefold() or "active"
    if before == after:
        return
    early = {"proposed", "draft"}
    if after == "retired":
        kind = _K.STATUS_RETIRED
    elif after == "deprecated" and before != "retired":
        kind = _K.STATUS_DEPRECATED
    elif before in {"active", "deprecated"} and after in early:
        kind = _K.STATUS_WITHDRAWN
    elif before in {"deprecated", "retired"}:
        kind = _K.STATUS_RESTORED
    elif after == "active" and before in early:
        kind = _K.STATUS_PROMISED
    else:
        kind = _K.STATUS_CHANGED
    out.add(kind, at, old or None, new or None)


def _compare_levels(out: Changes, old: Contract, new: Contract) -> None:
    left, right = (_levels(c) for c in (old, new))
    for key in left.keys() | right.keys():
        one, other = left.get(key), right.get(key)
        word = key[0]
        if one is None and other is not None:
            kind = _K.SUPPORT_ENDS if word in _ENDS else _K.SLA_ADDED
            out.add(kind, _place(other), after=_shown(other), about=other.is_.property)
        elif other is None and one is not None:
            kind = _K.SUPPORT_GOES_ON if word in _ENDS else _K.SLA_DROPPED
            out.add(kind, _place(one), before=_shown(one), about=one.is_.property)
        elif one is not None and other is not None:
            _compare_level(out, word, one, other)


def _levels(of: Contract) -> dict[tuple[str, str, str], Part[ServiceLevel]]:
    """Service levels by property (case does not matter), element and driver; a second one of the same words takes a number."""
    found: dict[tuple[str, str, str], Part[ServiceLevel]] = {}
    for level in parts(of.service_levels, of.raw.get("slaProperties")):
        word = level.is_.property.casefold()
        key = (_SYNONYMS.get(word, word), level.is_.element or "", str(level.raw.get("driver") or ""))
        number = 2
        while key in found:
            key = (key[0], key[1], f"{level.raw.get('driver') or ''}#{number}")
            number += 1
        found[key] = level
    return found


def _place(of: Part[ServiceLevel]) -> Place:
    return Place("", "", of.is_.span)


def _shown(of: Part[ServiceLevel]) -> str:
    return f"{of.is_.value}{' ' + of.is_.unit if of.is_.unit else ''}{' of ' + of.is_.element if of.is_.element else ''}"


def _compare_level(out: Changes, word: str, old: Part[ServiceLevel], new: Part[ServiceLevel]) -> None:
    at, about = _place(new), new.is_.property
    before, after = _shown(old), _shown(new)
    grace = [customs(level.raw).get("graceMinutes") for level in (old, new)]
    if (old.is_.value, old.is_.unit) != (new.is_.value, new.is_.unit):
        out.add(_moved(word, old.is_, new.is_), at, before, after, about)
    elif grace[0] != grace[1]:
        order = ordered(grace[0] or 0, grace[1] or 0)
        out.add(_K.SLA_LOOSENED if order is not None and order < 0 else _K.SLA_TIGHTENED, at, grace[0], grace[1], f"{about} graceMinutes")
    if any(not same(old.raw.get(k), new.raw.get(k)) for k in ("valueExt", "schedule", "scheduler")):
        told = [{k: level.raw.get(k) for k in ("valueExt", "schedule", "scheduler") if k in level.raw} for level in (old, new)]
        out.add(_K.SLA_CHANGED, at, told[0] or None, told[1] or None, about)
    others = {"property", "value", "unit", "element", "valueExt", "schedule", "scheduler", "driver", "graceMinutes"}
    compare_fields(out, at, old.raw, new.raw, others)


def _moved(word: str, old: ServiceLevel, new: ServiceLevel) -> ChangeKind:
    one, other = _comparable(old), _comparable(new)
    order = None if one is None or other is None else ordered(one, other)
    if order == 0:
        return _K.SPELLING_CHANGED
    if order is None:
        return _K.SLA_CHANGED
    grown = order < 0
    if word == "retention":
        return _K.RETENTION_LENGTHENED if grown else _K.RETENTION_SHORTENED
    if word in _ENDS:
        return _K.SUPPORT_ENDS_LATER if grown else _K.SUPPORT_ENDS_SOONER
    if word in _LESS_IS_MORE:
        return _K.SLA_LOOSENED if grown else _K.SLA_TIGHTENED
    if word in _MORE_IS_MORE:
        return _K.SLA_TIGHTENED if grown else _K.SLA_LOOSENED
    return _K.SLA_CHANGED


def _comparable(of: ServiceLevel) -> float | str | None:
    """Seconds of a length of time, minutes in UTC of a time of day, a date as text, any other number as it is."""
    if isinstance(of.value, int | float) and not isinstance(of.value, bool):
        unit = (of.unit or "").casefold()
        factor = _SECONDS.get(unit) or _SECONDS.get(unit.removesuffix("s"))
        return of.value * factor if factor else float(of.value) if not unit or unit in {"%", "percent"} else None
    text = str(of.value).strip()
    found = _DURATION.match(text)
    if found and any(found.groups()):
        return float(sum(int(n) * f for n, f in zip(found.groups(), _FACTORS, strict=True) if n))
    time = _TIME.match(text)
    if time:
        offset = (int(time[5]) * 60 + int(time[6])) * (1 if time[4] == "+" else -1) if time[4] else 0
        return float(int(time[1]) * 60 + int(time[2]) - offset)
    return text if re.match(r"\d{4}-\d\d-\d\d", text) else None


def _compare_servers(out: Changes, old: Contract, new: Contract) -> None:
    sides = [parts(c.servers, c.raw.get("servers")) for c in (old, new)]
    found = paired(sides[0], sides[1], lambda s: s.name)
    for one, other in found.both:
        at = Place("", "", other.is_.span)
        moved = _where(one.is_), _where(other.is_)
        if moved[0] != moved[1]:
            out.add(_K.SERVER_MOVED, at, moved[0], moved[1], other.is_.name)
        if one.is_.name != other.is_.name:
            out.add(_K.SPELLING_CHANGED, at, one.is_.name, other.is_.name, "server")
        _compare_roles(out, at, _roles(one.raw), _roles(other.raw))
        compare_fields(out, at, one.raw, other.raw, {"server", "type", "environment", "roles", *one.is_.settings, *other.is_.settings})
    for gone in found.dropped:
        out.add(_K.SERVER_REMOVED, Place("", "", gone.is_.span), before=_where(gone.is_), about=gone.is_.name)
    for came in found.added:
        out.add(_K.SERVER_ADDED, Place("", "", came.is_.span), after=_where(came.is_), about=came.is_.name)


def _where(of: Server) -> dict[str, object]:
    return {"type": of.type, **({"environment": of.environment} if of.environment else {}), **dict(sorted(of.settings.items()))}


def _roles(raw: Mapping[str, Any]) -> dict[str, object]:
    return {str(r.get("role", "")): r for r in raw.get("roles") or () if isinstance(r, dict)}


def _compare_roles(out: Changes, at: Place, old: Mapping[str, object], new: Mapping[str, object]) -> None:
    for name in old.keys() | new.keys():
        if not same(old.get(name), new.get(name)):
            kind = _K.ROLE_ADDED if name not in old else _K.ROLE_REMOVED if name not in new else _K.ROLE_CHANGED
            out.add(kind, at, old.get(name), new.get(name), name)
