"""Rules of `quality`: the standard's five metrics, and SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from xde.ground.names import literal, quoted
from xde.kernel.plan.checks import Action, Check, CheckKind, Waiver
from xde.undercurrents.management.quality.predicates import constant, engine_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.kernel.project.contract import Custom, Property, QualityRule


class Compiling(Protocol):
    """What a rule needs to know of the object that it belongs to."""

    name: str
    personal: tuple[str, ...]

    def action(self, severity: str, custom: Mapping[str, Custom], *, row: bool = True) -> Action:
        """What follows from a failure."""
        ...


def sql_check(around: Compiling, rule: QualityRule, of: Property | None, waiver: Waiver | None) -> Check:
    """A rule in SQL; one with a row predicate is held row by row, the others by the number their query gives."""
    ident = f"{around.name}.{rule.id}"
    message = rule.description or rule.id
    columns = (of.name,) if of else ()
    given = rule.custom.get("rowPredicate")
    strict = rule.operator in {None, "mustBe"} and rule.threshold in {None, 0}
    if given is not None:
        # a rule that tolerates some failing rows cannot make dead letters of them
        action = around.action(rule.severity, rule.custom) if strict else around.action(rule.severity, rule.custom, row=False)
        return Check(
            ident,
            around.name,
            CheckKind.ROW,
            action,
            message,
            columns,
            str(given.value),
            operator=rule.operator or "mustBe",
            threshold=0 if rule.threshold is None else rule.threshold,
            unit=rule.unit,
            dimension=rule.dimension or "",
            personal=around.personal,
            waiver=waiver,
            span=rule.span,
        )
    query = (rule.query or "").replace("${table}", "{object}").replace("{table}", "{object}").replace("${object}", "{object}")
    if of is not None:
        for word in ("${property}", "{property}", "${column}", "{column}"):
            query = query.replace(word, quoted(of.name))
    action = around.action(rule.severity, rule.custom, row=False)
    return Check(
        ident,
        around.name,
        CheckKind.QUERY,
        action,
        message,
        columns,
        query=query,
        operator=rule.operator or "mustBe",
        threshold=rule.threshold,
        unit=rule.unit,
        dimension=rule.dimension or "",
        personal=around.personal,
        waiver=waiver,
        span=rule.span,
    )


def library_check(around: Compiling, rule: QualityRule, of: Property | None, waiver: Waiver | None) -> list[Check]:
    """A rule by one of the metrics; a tolerance (any operator but `mustBe: 0`) makes it one of the whole table."""
    strict = rule.operator in {None, "mustBe"} and rule.threshold in {None, 0}
    action = around.action(rule.severity, rule.custom, row=strict)
    name = of.name if of else ""
    made = _predicate(rule, name)
    kind, predicate = CheckKind.ROW, made[0]
    columns: tuple[str, ...] = (name,) if name else ()
    if rule.metric == "rowCount":
        kind, action = CheckKind.COUNT, around.action(rule.severity, rule.custom, row=False)
    elif rule.metric == "duplicateValues":
        kind = CheckKind.UNIQUE
        listed = rule.arguments.get("properties")
        columns = tuple(str(p) for p in listed) if isinstance(listed, (list, tuple)) else columns
        action = around.action(rule.severity, rule.custom, row=strict)
    message = rule.description or _sentence(rule, columns, made[1])
    return [
        Check(
            f"{around.name}.{name + '.' if name else ''}{rule.id}",
            around.name,
            kind,
            action,
            message,
            columns,
            predicate,
            operator=rule.operator or "mustBe",
            threshold=0 if rule.threshold is None else rule.threshold,
            unit=rule.unit,
            proof=("not_null",) if rule.metric == "nullValues" and strict else (),
            dimension=rule.dimension or "",
            personal=around.personal,
            waiver=waiver,
            span=rule.span,
        )
    ]


def _predicate(rule: QualityRule, name: str) -> tuple[str, str]:
    """The SQL that good rows satisfy, and what bad ones are."""
    column = quoted(name) if name else ""
    match rule.metric:
        case "nullValues":
            return f"{column} IS NOT NULL", "missing"
        case "missingValues":
            listed = rule.arguments.get("missingValues") or [None]
            words = listed if isinstance(listed, (list, tuple)) else [listed]
            texts = ", ".join(constant(w) for w in words if w is not None)
            parts = [f"{column} IS NOT NULL"] if None in words else []
            parts += [f"coalesce({column} NOT IN ({texts}), true)"] if texts else []
            return " AND ".join(parts) or "true", "missing"
        case "invalidValues":
            valid, pattern = rule.arguments.get("validValues"), rule.arguments.get("pattern")
            if isinstance(valid, (list, tuple)):
                return f"{column} IN ({', '.join(constant(v) for v in valid)})", "not valid"
            return f"regexp_matches({column}, {literal(engine_pattern(str(pattern)))})", "not valid"
        case _:
            return "", "repeated"


def _sentence(rule: QualityRule, columns: tuple[str, ...], bad: str) -> str:
    operators = {
        "mustBe": "must be",
        "mustNotBe": "must not be",
        "mustBeGreaterThan": "must be more than",
        "mustBeGreaterOrEqualTo": "must be at least",
        "mustBeLessThan": "must be less than",
        "mustBeLessOrEqualTo": "must be at most",
        "mustBeBetween": "must be between",
        "mustNotBeBetween": "must not be between",
    }
    said = operators.get(rule.operator or "mustBe", "must be")
    unit = " %" if rule.unit == "percent" else ""
    if rule.metric == "rowCount":
        return f"the number of rows {said} {rule.threshold}"
    return f"the number of rows whose {', '.join(f'`{c}`' for c in columns)} is {bad} {said} {rule.threshold}{unit}"
