"""Rules of quality in two versions: which came and went, and which demand more or less than before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.undercurrents.management.compatibility.fields import compare_fields
from xde.undercurrents.management.compatibility.kinds import ChangeKind, Changes, Place
from xde.undercurrents.management.compatibility.limits import Move, accepted, compare_stretches
from xde.undercurrents.management.compatibility.pairing import Part, parts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from xde.kernel.project.contract import QualityRule

_K = ChangeKind
_SEVERITIES = ("info", "warning", "error")
_ACTIONS = ("warn", "quarantine", "block")
_SEEN = {
    "severity", "unit", "query", "metric", "arguments", "rule", "validValues", "engine", "implementation", "schedule", "scheduler",
    "method",
    "mustBe", "mustNotBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan", "mustBeLessOrEqualTo", "mustBeBetween",
    "mustNotBeBetween", "onFailure", "rowPredicate", "waiver",
}  # fmt: skip
Given = tuple[tuple["QualityRule", ...], object]


def compare_rules(out: Changes, at: Place, old: Given, new: Given) -> None:
    """Rules are the same by `id`, else by `name`, else if they say the same, else if they are the only one left of their metric."""
    left, right = parts(*old), parts(*new)
    both: list[tuple[Part[QualityRule], Part[QualityRule]]] = []
    for key in (_named, lambda p: repr(sorted(p.raw.items(), key=str)), lambda p: repr((p.is_.type, p.is_.metric, p.is_.query))):
        _pair(key, left, right, both)
    _pair(lambda p: None if _named(p) else repr((p.is_.type, p.is_.metric)), left, right, both)
    for one, other in both:
        _compare_rule(out, Place(at.was, at.now, other.is_.span), one, other)
    for gone in left:
        out.add(_K.RULE_REMOVED if _binding(gone.is_) else _K.ADVICE_REMOVED, _at(at, gone), before=said(gone.is_), about=_title(gone))
    for came in right:
        out.add(_K.RULE_ADDED if _binding(came.is_) else _K.ADVICE_ADDED, _at(at, came), after=said(came.is_), about=_title(came))


def _pair(
    key: Callable[[Part[QualityRule]], str | None],
    left: list[Part[QualityRule]],
    right: list[Part[QualityRule]],
    both: list[tuple[Part[QualityRule], Part[QualityRule]]],
) -> None:
    there: dict[str, list[Part[QualityRule]]] = {}
    for part in right:
        if (k := key(part)) is not None:
            there.setdefault(k, []).append(part)
    for one in list(left):
        found = there.get(key(one) or "")
        if found:
            other = found.pop(0)
            both.append((one, other))
            left[:] = [p for p in left if p is not one]
            right[:] = [p for p in right if p is not other]


def _named(of: Part[QualityRule]) -> str | None:
    found = of.raw.get("id") or of.raw.get("name")
    return found if isinstance(found, str) else None


def _title(of: Part[QualityRule]) -> str:
    return _named(of) or of.is_.metric or of.is_.type


def _at(at: Place, of: Part[QualityRule]) -> Place:
    return Place(at.was, at.now, of.is_.span or at.span)


def _binding(of: QualityRule) -> bool:
    """Whether data that breaks the rule is held back; a warning, or a rule in prose, is good advice."""
    told = of.custom["onFailure"].value if "onFailure" in of.custom else None
    return of.type != "text" and told != "warn" and (of.severity == "error" or told in _ACTIONS)


def said(of: QualityRule) -> str:
    """A rule in few words."""
    demand = f"{of.operator} {of.threshold}{' %' if of.unit == 'percent' else ''}" if of.operator else ""
    return " ".join(p for p in (of.metric or of.query or of.description or of.type, demand) if p)


def _compare_rule(out: Changes, at: Place, old: Part[QualityRule], new: Part[QualityRule]) -> None:
    before = len(out.items)
    _compare_demands(out, at, old, new)
    compare_fields(out, at, old.raw, new.raw, _SEEN)
    if len(out.items) == before and old.raw != new.raw:
        out.add(_K.SPELLING_CHANGED, at, about=_title(new))


def _compare_demands(out: Changes, at: Place, old: Part[QualityRule], new: Part[QualityRule]) -> None:
    about = _title(new)
    _compare_weight(out, at, (old.is_, new.is_), about)
    move = _demand(old.is_, new.is_)
    before, after = said(old.is_), said(new.is_)
    values = [_valid_values(r.is_) for r in (old, new)]
    if values[0] is not None and values[1] is not None and values[0] != values[1]:
        _compare_valid(out, at, values[0], values[1], about)
    elif _what(old) != _what(new) or move is Move.UNKNOWN:
        out.add(_K.RULE_CHANGED, at, before, after, about)
        return
    if move in {Move.LOOSER, Move.MIXED}:
        out.add(_K.RULE_LOOSENED, at, before, after, about)
    if move in {Move.TIGHTER, Move.MIXED}:
        out.add(_K.RULE_TIGHTENED, at, before, after, about)


def _compare_valid(
    out: Changes, at: Place, old: Mapping[tuple[str, str], object], new: Mapping[tuple[str, str], object], about: str
) -> None:
    for key in old.keys() - new.keys():
        out.add(_K.ENUM_VALUE_REMOVED, at, before=old[key], about=about)
    for key in new.keys() - old.keys():
        out.add(_K.ENUM_VALUE_ADDED, at, after=new[key], about=about)


def _valid_values(of: QualityRule) -> dict[tuple[str, str], object] | None:
    given = of.arguments.get("validValues")
    if of.metric != "invalidValues" or not isinstance(given, list | tuple):
        return None
    return {(type(v).__name__, str(v)): v for v in given}


def _what(of: Part[QualityRule]) -> str:
    """What a rule looks at, whatever the number it must give."""
    arguments = {k: v for k, v in of.is_.arguments.items() if k != "validValues"}
    predicate = of.is_.custom["rowPredicate"].value if "rowPredicate" in of.is_.custom else None
    query = " ".join((of.is_.query or "").split())
    schedule = of.raw.get("schedule"), of.raw.get("method")
    return repr(
        (of.is_.type, of.is_.metric, sorted(arguments.items(), key=str), query, predicate, of.is_.engine, of.is_.implementation, schedule)
    )


def _demand(old: QualityRule, new: QualityRule) -> Move:
    if (old.operator, old.threshold, old.unit) == (new.operator, new.threshold, new.unit):
        return Move.SAME
    zero = all(r.operator in {None, "mustBe"} and r.threshold in {None, 0} and not isinstance(r.threshold, bool) for r in (old, new))
    if zero:
        return Move.SAME
    sides = accepted(old.operator, old.threshold), accepted(new.operator, new.threshold)
    if sides[0] is None or sides[1] is None or old.unit != new.unit:
        return Move.UNKNOWN
    return compare_stretches(sides[0], sides[1])


def _compare_weight(out: Changes, at: Place, rules: tuple[QualityRule, QualityRule], about: str) -> None:
    """Severity, what follows from a failure, and waivers."""
    old, new = rules
    weights = [_weight(r) for r in rules]
    if weights[0] != weights[1]:
        shown = [
            f"severity {r.severity}, on failure {r.custom['onFailure'].value}" if "onFailure" in r.custom else r.severity for r in rules
        ]
        out.add(_K.RULE_LOOSENED if weights[1] < weights[0] else _K.RULE_TIGHTENED, at, shown[0], shown[1], about)
    waived = [r.custom["waiver"].value if "waiver" in r.custom else None for r in (old, new)]
    if waived[0] != waived[1]:
        out.add(_K.WAIVER_ENDED if waived[1] is None else _K.RULE_WAIVED, at, waived[0], waived[1], about)


def _weight(of: QualityRule) -> tuple[int, int]:
    """How strongly a rule is held: first by what happens to data that breaks it, then by its severity."""
    told = of.custom["onFailure"].value if "onFailure" in of.custom else None
    severity = _SEVERITIES.index(of.severity) if of.severity in _SEVERITIES else 2
    action = _ACTIONS.index(str(told)) if told in _ACTIONS else 1 if severity == 2 else 0
    return action, severity
