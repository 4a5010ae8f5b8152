"""A contract's rules as checks: what a schema object says of its columns, keys, references, counts and freshness."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.ground.findings import Finding, Findings
from xde.kernel.plan.checks import Action, Check, CheckKind, Waiver
from xde.kernel.project.declarations import SourceDataset
from xde.kernel.project.reference_linter import full_name
from xde.undercurrents.management.quality.library import library_check, sql_check
from xde.undercurrents.management.quality.predicates import predicates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.ground.spans import Span
    from xde.kernel.project.contract import Custom, Property, Relationship, SchemaObject, ServiceLevel
    from xde.kernel.project.declarations import Dataset

SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_557_600}
DURATION = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?\Z")


def compile_checks(dataset: Dataset) -> tuple[tuple[Check, ...], Findings]:
    """The checks of a dataset in the order of its contract, and what is wrong with its rules that its linter cannot see."""
    findings = Findings()
    if dataset.object is None:
        return (), findings
    compiler = _Compiler(dataset, dataset.object, findings)
    return tuple(compiler.checks()), findings


class _Compiler:
    """Compiles one schema object."""

    def __init__(self, dataset: Dataset, of: SchemaObject, findings: Findings) -> None:
        self.name = dataset.name
        self.source = isinstance(dataset, SourceDataset)
        self.dataset = dataset
        self.of = of
        self.findings = findings
        self.personal = tuple(p.name for p in of.properties if p.personal)

    def checks(self) -> list[Check]:
        found = [c for p in self.of.properties for c in self._column(p)]
        found += self._keys()
        found += [self._reference(r) for r in self.of.relationships]
        for rule in self.of.quality:
            found += self._rule(rule, None)
        found += self._fresh()
        return found

    def action(self, severity: str, custom: Mapping[str, Custom], *, row: bool = True) -> Action:
        """The matrix of severity and `onFailure`; rows of a source can become dead letters, a model is stopped."""
        told = custom["onFailure"].value if "onFailure" in custom else None
        if told == "warn" or (told is None and severity in {"warning", "info"}):
            return Action.WARN
        if told == "block" or not row or not self.source:
            return Action.STOP
        return Action.DEAD_LETTER

    def waiver(self, custom: Mapping[str, Custom]) -> Waiver | None:
        if "waiver" not in custom:
            return None
        value = custom["waiver"].value
        words = value if isinstance(value, dict) else {}
        return Waiver(str(words["author"]), str(words["reason"]), str(words["until"]))

    def _column(self, of: Property) -> list[Check]:
        found: list[Check] = []
        for rule in predicates(of):
            found.append(
                Check(
                    f"{self.name}.{of.name}.{rule.name}",
                    self.name,
                    CheckKind.ROW,
                    self.action("error", {}),
                    rule.message,
                    (of.name,),
                    rule.sql,
                    proof=rule.proof,
                    dimension=rule.dimension,
                    personal=self.personal,
                    span=of.span,
                )
            )
        if of.unique and not (of.primary_key and len(self.of.key) == 1):
            found.append(self._unique((of.name,), of.span, f"`{of.name}` must be unique"))
        for quality in of.quality:
            found += self._rule(quality, of)
        return found

    def _unique(self, columns: tuple[str, ...], span: Span | None, message: str) -> Check:
        return Check(
            f"{self.name}.{'+'.join(columns)}.unique",
            self.name,
            CheckKind.UNIQUE,
            self.action("error", {}),
            message,
            columns,
            dimension="uniqueness",
            personal=self.personal,
            span=span,
        )

    def _keys(self) -> list[Check]:
        key = self.of.key
        if not key:
            return []
        span = next((p.span for p in self.of.properties if p.name == key[0]), self.of.span)
        shown = ", ".join(f"`{k}`" for k in key)
        return [self._unique(key, span, f"the primary key {shown} must be unique")]

    def _reference(self, of: Relationship) -> Check:
        target = full_name(of.to_dataset, self.name.split(".")[0])
        shown = ", ".join(f"`{c}`" for c in of.columns)
        quarantined = "onFailure" in of.custom and of.custom["onFailure"].value == "quarantine"
        return Check(
            f"{self.name}.{'+'.join(of.columns)}.reference",
            self.name,
            CheckKind.REFERENCE,
            self.action(of.severity, of.custom, row=quarantined),
            f"{shown} is not in `{target}.{'+'.join(of.to_columns)}`",
            of.columns,
            to_dataset=target,
            to_columns=of.to_columns,
            dimension="consistency",
            personal=self.personal,
            waiver=self.waiver(of.custom),
            span=of.span,
        )

    def _rule(self, rule: object, of: Property | None) -> list[Check]:
        from xde.kernel.project.contract import QualityRule

        if not isinstance(rule, QualityRule) or rule.type == "text" or (rule.type == "custom" and rule.engine != "xde"):
            return []
        waiver = self.waiver(rule.custom)
        if rule.type == "sql":
            return [sql_check(self, rule, of, waiver)]
        if rule.type == "library" and rule.metric:
            return library_check(self, rule, of, waiver)
        return []

    def _fresh(self) -> list[Check]:
        found: list[Check] = []
        for level in self.dataset.contract.service_levels if self.dataset.contract else ():
            table, _, column = (level.element or "").partition(".")
            if level.property not in {"freshness", "latency"} or table != self.of.name or not column:
                continue
            seconds = _seconds(level)
            if seconds is None:
                self.findings.add(
                    Finding(
                        "XDE0512",
                        f"the {level.property} of `{self.name}` is no length of time: `{level.value}`",
                        level.span,
                        "not a duration",
                        hint="write `value: 1` with `unit: d`, or `value: P1D`",
                    )
                )
                continue
            found.append(
                Check(
                    f"{self.name}.{column}.{level.property}",
                    self.name,
                    CheckKind.FRESH,
                    self.action(str(level.custom["severity"].value) if "severity" in level.custom else "warning", level.custom, row=False),
                    f"the newest `{column}` must be at most {level.value} {level.unit or ''} old".replace(" old", " old").strip(),
                    (column,),
                    threshold=seconds,
                    dimension="timeliness",
                    span=level.span,
                )
            )
        return found


def _seconds(level: ServiceLevel) -> float | None:
    """A service level's length of time in seconds: a number with a unit, or an ISO 8601 duration."""
    try:
        return float(str(level.value)) * SECONDS[(level.unit or "d").rstrip("s").casefold()[:3] if level.unit not in {"s"} else "s"]
    except (ValueError, KeyError):
        pass
    found = DURATION.match(str(level.value))
    if not found or not any(found.groups()):
        return None
    factors = (31_557_600, 2_629_800, 604_800, 86_400, 3600, 60, 1)
    return float(sum(int(n) * f for n, f in zip(found.groups(), factors, strict=True) if n))
