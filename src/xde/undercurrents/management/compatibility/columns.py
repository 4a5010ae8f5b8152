"""A column in two versions: its type, what values it may hold, what they mean, who may see them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from xde.undercurrents.management.compatibility.fields import compare_fields
from xde.undercurrents.management.compatibility.kinds import ChangeKind, Changes, Place
from xde.undercurrents.management.compatibility.limits import Floor, Move, compare, compare_multiples
from xde.undercurrents.management.compatibility.pairing import Part, likely, paired, parts
from xde.undercurrents.management.compatibility.quality_rules import compare_rules
from xde.undercurrents.management.compatibility.types import Fit, Type, fit, type_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xde.kernel.project.contract import Property

_K = ChangeKind
_SEEN = {
    "name", "required", "unique", "primaryKey", "primaryKeyPosition", "partitioned", "partitionKeyPosition", "logicalType", "physicalType",
    "logicalTypeOptions", "enum", "classification", "encryptedName", "quality", "properties", "items", "relationships", "physicalName",
    "deprecated", "semanticType", "authoritativeDefinitions", "description", "tags",
}  # fmt: skip
_LENGTHS = (("minLength", "maxLength"), ("minItems", "maxItems"), ("minProperties", "maxProperties"))
_VECTOR = ("dimensions", "elementType", "distanceMetric", "embeddingModel", "embeddingModelVersion", "normalized")
_RANKS = ({"public", "open"}, {"internal"}, {"confidential", "personal", "pii", "sensitive"}, {"restricted", "secret"})
_UNIT_WORDS = re.compile(
    r"\b(?:(?:milli|micro|nano)?seconds?|minutes?|hours?|days?|weeks?|months?|years?|miles?|kilomet(?:er|re)s?|met(?:er|re)s?|feet|foot|"
    r"inch(?:es)?|yards?|knots?|mph|km/h|km|grams?|kilograms?|kg|pounds?|lbs?|tons?|tonnes?|lit(?:er|re)s?|gallons?|celsius|fahrenheit|kelvin|"
    r"percent|cents?|euros?|dollars?|eur|usd|gbp|chf|jpy|bytes?|kilobytes?|megabytes?|gigabytes?|utc|local time)\b|%",
    re.IGNORECASE,
)


def compare_columns(out: Changes, at: Place, old: Sequence[Part[Property]], new: Sequence[Part[Property]]) -> dict[str, str]:
    """Compare lists of columns; gives for each old name the one it has now."""
    found = paired(old, new, lambda p: p.name)
    for one, other in found.both:
        below = at.below(one.is_.name, other.is_.name, other.is_.span)
        if one.is_.name != other.is_.name:
            out.add(_K.COLUMN_RENAMED, below, one.is_.name, other.is_.name)
        compare_column(out, below, one, other)
    alike = likely({p.is_.name: _signature(p) for p in found.dropped}, {p.is_.name: _signature(p) for p in found.added})
    for gone in found.dropped:
        kind = _K.REQUIRED_COLUMN_DROPPED if _required(gone.is_) else _K.COLUMN_DROPPED
        out.add(kind, at.below(gone.is_.name, "", gone.is_.span), before=shown_type(gone), note=_note(alike.get(gone.is_.name)))
    for came in found.added:
        kind = _K.REQUIRED_COLUMN_ADDED if _required(came.is_) else _K.COLUMN_ADDED
        out.add(kind, at.below("", came.is_.name, came.is_.span), after=shown_type(came))
    return {one.is_.name: other.is_.name for one, other in found.both}


def _note(name: str | None) -> str:
    return f"it looks like `{name}`: if it was renamed, give both the same `id`" if name else ""


def _signature(of: Part[Property]) -> str:
    return repr(_type(of))


def _type(of: Part[Property]) -> Type | None:
    return type_of(of.is_.physical_type, of.is_.logical_type, of.is_.options)


def shown_type(of: Part[Property]) -> str:
    """The type as it was written."""
    return of.is_.physical_type or of.is_.logical_type or ""


def _required(of: Property) -> bool:
    return of.required or of.primary_key


def compare_column(out: Changes, at: Place, old: Part[Property], new: Part[Property]) -> None:
    """Everything of one column but its place among the others, its keys and its references."""
    before = len(out.items)
    _compare_types(out, at, old, new)
    _compare_presence(out, at, old.is_, new.is_)
    _compare_values(out, at, old.is_, new.is_)
    _compare_options(out, at, old.is_, new.is_)
    _compare_privacy(out, at, old, new)
    _compare_meaning(out, at, old.raw, new.raw)
    compare_rules(out, at, (old.is_.quality, old.raw.get("quality")), (new.is_.quality, new.raw.get("quality")))
    nested = [parts(p.is_.properties, p.raw.get("properties")) for p in (old, new)]
    compare_columns(out, at, nested[0], nested[1])
    _compare_items(out, at, old, new)
    compare_fields(out, at, old.raw, new.raw, _SEEN)
    if len(out.items) == before:
        _compare_spelling(out, at, old.raw, new.raw)


def _compare_spelling(out: Changes, at: Place, old: Any, new: Any) -> None:  # noqa: ANN401 - plain YAML
    """What is written otherwise and means the same (`INT8` and `BIGINT`), once nothing else has changed."""
    for key in ("logicalType", "physicalType", "required", "logicalTypeOptions", "enum", "map"):
        before, after = (sorted(map(repr, v)) if isinstance(v := side.get(key), list) else v for side in (old, new))
        if before != after:
            out.add(_K.SPELLING_CHANGED, at, old.get(key), new.get(key), key)


def _compare_items(out: Changes, at: Place, old: Part[Property], new: Part[Property]) -> None:
    one, other = old.is_.items, new.is_.items
    if one is None or other is None:
        if one is not other:
            out.add(_K.TYPE_STATED if one is None else _K.TYPE_WITHDRAWN, at, old.raw.get("items"), new.raw.get("items"), "items")
        return
    inside = Place(f"{at.was}[]", f"{at.now}[]", at.span)
    compare_column(out, inside, Part(one, old.raw.get("items") or {}), Part(other, new.raw.get("items") or {}))


def _compare_types(out: Changes, at: Place, old: Part[Property], new: Part[Property]) -> None:
    one, other = _type(old), _type(new)
    before, after = shown_type(old), shown_type(new)
    if one is None or other is None:
        if one is not other:
            out.add(_K.TYPE_STATED if one is None else _K.TYPE_WITHDRAWN, at, before or None, after or None)
        return
    how = fit(one, other)
    kinds = {Fit.WIDER: _K.TYPE_WIDENED, Fit.NARROWER: _K.TYPE_NARROWED, Fit.OTHER: _K.TYPE_CHANGED}
    if how is not Fit.SAME:
        out.add(kinds[how], at, before, after)
    elif None not in (logical := {old.is_.logical_type, new.is_.logical_type}) and len(logical) == 2:
        out.add(_K.TYPE_CHANGED, at, old.is_.logical_type, new.is_.logical_type, "logicalType")


def _compare_presence(out: Changes, at: Place, old: Property, new: Property) -> None:
    if _required(old) != _required(new):
        out.add(_K.REQUIRED_TO_NULLABLE if _required(old) else _K.NULLABLE_TO_REQUIRED, at)
    if old.unique != new.unique:
        out.add(_K.UNIQUE_DROPPED if old.unique else _K.UNIQUE_ADDED, at)
    if old.physical_name != new.physical_name:
        out.add(_K.PHYSICAL_NAME_CHANGED, at, old.physical_name, new.physical_name)


def _compare_values(out: Changes, at: Place, old: Property, new: Property) -> None:
    if old.enum is None or new.enum is None:
        if old.enum is not new.enum:
            kind = _K.ENUM_ADDED if old.enum is None else _K.ENUM_DROPPED
            out.add(kind, at, _sorted(old.enum), _sorted(new.enum), "enum")
        return
    compare_lists(out, at, (old.enum, new.enum), "enum")


def _sorted(values: tuple[object, ...] | None) -> list[object] | None:
    return sorted(values, key=str) if values is not None else None


def compare_lists(out: Changes, at: Place, values: tuple[Iterable[object], Iterable[object]], about: str) -> None:
    """Which values came and went."""
    old, new = ({(type(v).__name__, str(v)): v for v in side} for side in values)
    for key in old.keys() - new.keys():
        out.add(_K.ENUM_VALUE_REMOVED, at, before=old[key], about=about)
    for key in new.keys() - old.keys():
        out.add(_K.ENUM_VALUE_ADDED, at, after=new[key], about=about)


def _compare_options(out: Changes, at: Place, old: Property, new: Property) -> None:
    one, other = old.options, new.options
    for word, exclusive, ceiling, sign in (("minimum", "exclusiveMinimum", False, ">"), ("maximum", "exclusiveMaximum", True, "<")):
        floors = [_floor(o, word, exclusive, ceiling=ceiling) for o in (one, other)]
        _limit(out, at, compare(floors[0], floors[1], ceiling=ceiling), ("bound", word), floors[0].shown(sign), floors[1].shown(sign))
    multiples = one.get("multipleOf"), other.get("multipleOf")
    _limit(out, at, compare_multiples(*multiples), ("bound", "multipleOf"), *multiples)
    for least, most in _LENGTHS:
        for word, ceiling in ((least, False), (most, True)):
            low, high = one.get(word), other.get(word)
            _limit(out, at, compare(Floor(low), Floor(high), ceiling=ceiling), ("length", word), low, high)
    if one.get("uniqueItems", False) != other.get("uniqueItems", False):
        out.add(_K.UNIQUE_DROPPED if one.get("uniqueItems") else _K.UNIQUE_ADDED, at, about="uniqueItems")
    if (before := one.get("pattern")) != (after := other.get("pattern")):
        kind = _K.PATTERN_ADDED if before is None else _K.PATTERN_DROPPED if after is None else _K.PATTERN_CHANGED
        out.add(kind, at, before, after, "pattern")
    kinds = {"format": _K.FORMAT_CHANGED, "timezone": _K.ZONE_CHANGED, "defaultTimezone": _K.ZONE_CHANGED}
    for word in ("format", "timezone", "defaultTimezone", *_VECTOR):
        if one.get(word) != other.get(word) and not (word == "timezone" and not one.get(word) and not other.get(word)):
            out.add(kinds.get(word, _K.VECTOR_CHANGED), at, one.get(word), other.get(word), word)
    _compare_required_parts(out, at, one.get("required"), other.get("required"))


def _floor(options: Any, word: str, exclusive: str, *, ceiling: bool) -> Floor:  # noqa: ANN401 - plain YAML
    floors = [Floor(options[w], w == exclusive) for w in (word, exclusive) if options.get(w) is not None]
    if len(floors) == 2:
        return floors[1] if compare(floors[0], floors[1], ceiling=ceiling) is Move.TIGHTER else floors[0]
    return floors[0] if floors else Floor()


def _limit(out: Changes, at: Place, move: Move, what: tuple[str, str], before: object, after: object) -> None:
    looser, tighter = {"bound": (_K.BOUND_LOOSENED, _K.BOUND_TIGHTENED), "length": (_K.LENGTH_LOOSENED, _K.LENGTH_TIGHTENED)}[what[0]]
    if move in {Move.LOOSER, Move.MIXED, Move.UNKNOWN}:
        out.add(looser, at, before, after, what[1])
    if move in {Move.TIGHTER, Move.MIXED, Move.UNKNOWN}:
        out.add(tighter, at, before, after, what[1])


def _compare_required_parts(out: Changes, at: Place, old: object, new: object) -> None:
    before, after = ({str(n) for n in given} if isinstance(given, list) else set() for given in (old, new))
    for name in before ^ after:
        kind = _K.REQUIRED_TO_NULLABLE if name in before else _K.NULLABLE_TO_REQUIRED
        out.add(kind, at.below(name, name, at.span))


def _compare_privacy(out: Changes, at: Place, old: Part[Property], new: Part[Property]) -> None:
    one, other = old.is_.classification, new.is_.classification
    ranks = _rank(old.is_), _rank(new.is_)
    if None not in ranks and ranks[0] != ranks[1]:
        kind = _K.CLASSIFICATION_RAISED if (ranks[0] or 0) < (ranks[1] or 0) else _K.CLASSIFICATION_LOWERED
        out.add(kind, at, one or _personal_tag(old.is_), other or _personal_tag(new.is_))
    elif (one or "").casefold() != (other or "").casefold():
        plain = {(one or "public").casefold(), (other or "public").casefold()} <= _RANKS[0]
        out.add(_K.SPELLING_CHANGED if plain else _K.CLASSIFICATION_CHANGED, at, one, other, "classification")
    before, after = old.raw.get("encryptedName"), new.raw.get("encryptedName")
    if before != after:
        out.add(
            _K.MASKING_ADDED if not before else _K.MASKING_DROPPED if not after else _K.MASKING_CHANGED, at, before, after, "encryptedName"
        )


def _rank(of: Property) -> int | None:
    """How secret a column is; None where the word is not one of those that have an order."""
    word = (of.classification or "public").casefold()
    found = next((n for n, words in enumerate(_RANKS) if word in words), None)
    return max(found, 2) if found is not None and of.personal else found


def _personal_tag(of: Property) -> str | None:
    return next((t for t in of.tags if t.split(".")[0].casefold() == "pii"), None)


def _compare_meaning(out: Changes, at: Place, old: Any, new: Any) -> None:  # noqa: ANN401 - plain YAML
    if (old.get("deprecated") is True) != (new.get("deprecated") is True):
        out.add(_K.ELEMENT_RESTORED if old.get("deprecated") else _K.ELEMENT_DEPRECATED, at)
    if (old.get("semanticType") or "column") != (new.get("semanticType") or "column"):
        out.add(_K.MEANING_CHANGED, at, old.get("semanticType"), new.get("semanticType"), "semanticType")
    compare_definitions(out, at, old, new)
    before, after = old.get("description") or "", new.get("description") or ""
    if before != after:
        units = [sorted({w.casefold().removesuffix("s") for w in _UNIT_WORDS.findall(str(t))}) for t in (before, after)]
        if before and after and units[0] != units[1]:
            out.add(_K.UNIT_TOLD_OTHERWISE, at, units[0] or "none", units[1] or "none", "description")
        else:
            out.add(_K.DESCRIPTION_CHANGED, at, before, after, "description")
    if set(old.get("tags") or ()) != set(new.get("tags") or ()):
        out.add(_K.TAGS_CHANGED, at, sorted(map(str, old.get("tags") or ())), sorted(map(str, new.get("tags") or ())), "tags")


def compare_definitions(out: Changes, at: Place, old: Any, new: Any) -> None:  # noqa: ANN401 - plain YAML
    """Another business definition may be another meaning; other links are documentation (ODCS, Authoritative Definitions)."""
    before, after = (_definitions(raw) for raw in (old, new))
    for kind, meant in (("businessDefinition", True), ("semantics", True), ("", False)):
        one, other = (
            {k: v for k, v in side.items() if (k[0] == kind if kind else k[0] not in {"businessDefinition", "semantics"})}
            for side in (before, after)
        )
        if one != other:
            urls = sorted(k[1] for k in one), sorted(k[1] for k in other)
            told = meant and one and other
            out.add(_K.MEANING_CHANGED if told else _K.DESCRIPTION_CHANGED, at, urls[0], urls[1], kind or "authoritativeDefinitions")


def _definitions(raw: Any) -> dict[tuple[str, str], object]:  # noqa: ANN401 - plain YAML
    entries = [e for e in raw.get("authoritativeDefinitions") or () if isinstance(e, dict)]
    return {(str(e.get("type", "")), str(e.get("url", ""))): e.get("description") for e in entries}
