"""Rules of columns that are treated in flight: those that would be held against something else than they mean are refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.ground.findings import Finding, Findings, Severity
from xde.kernel.plan.checks import Action, CheckKind
from xde.lifecycle.ingestion.treatments import WORD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.kernel.plan.checks import Check
    from xde.kernel.project.declarations import Project
    from xde.lifecycle.ingestion.declare import Reading
    from xde.lifecycle.ingestion.port import Field, Treatment

_SAME_MISSING = {
    "hash",
    "keep_last",
    "keep_domain",
    "text",
    "month",
    "year",
    "round",
    "cast",
}  # missing is kept as missing, all else as something


def not_held(project: Project, readings: Mapping[str, Reading], checks: Mapping[str, Sequence[Check]], findings: Findings) -> None:
    """Tell of rules that concern a clear value and would see what is kept of it, and of steps in contracts of models."""
    treated = {n: {f.name: f for f in r.as_they_come if f.treatment is not None} for n, r in readings.items()}
    for name, model in project.models.items():
        for column in model.object.properties if model.object else ():
            if WORD in column.custom:
                why = "its rows are computed from what is in the lake already, and not read from a source"
                hint = "write it into the contract of the source, or into the model's SQL"
                message = f"`{column.name}` of the model `{name}` cannot be treated in flight"
                findings.add(Finding("XDE0332", message, column.custom[WORD].span, "a model", why, hint))
    if any(treated.values()):
        for name, its in checks.items():
            for check in its if name in treated else ():
                _judge(check, treated, findings)


def against_kept(reading: Reading | None, checks: Sequence[Check]) -> tuple[Check, ...]:
    """The checks of a dataset that what is kept of its rows must pass as well; the others were held against the clear values."""
    treated = [f for f in reading.as_they_come if f.treatment is not None] if reading is not None else []
    if not treated:
        return tuple(checks)
    return tuple(c for c in checks if c.kind is not CheckKind.ROW or _same_of_missing(c, at := _of(c, treated)) or not at)


def _of(check: Check, treated: Sequence[Field]) -> list[Field]:
    return [f for f in treated if _concerns(check, f.name)]


def _judge(check: Check, treated: Mapping[str, Mapping[str, Field]], findings: Findings) -> None:
    concerned = _of(check, list(treated[check.dataset].values()))
    match check.kind:
        case CheckKind.REFERENCE:
            _judge_reference(check, treated, findings)
        case CheckKind.ROW if check.action is Action.DEAD_LETTER:
            return  # held against the clear value, as it is read
        case _ if not concerned or _same_of_missing(check, concerned):
            return
        case CheckKind.UNIQUE:
            for field in concerned:
                if _kind(field) not in {"hash", "cast"}:
                    why = "values that differ are alike afterwards"
                    hint = "write `hash`, which keeps them apart, or leave the key as it is"
                    message = f"`{field.name}` must be unique, and is not after its in-flight step"
                    findings.add(Finding("XDE0340", message, check.span, "unique", why, hint))
        case CheckKind.ROW:
            hint = "let it make dead letters: `severity: error` and no `xdeOnFailure`, or `xdeOnFailure: quarantine`"
            _tell(check, concerned[0], "held when nothing is left of the clear value", hint, Severity.ERROR, findings)
        case _:
            worse = Severity.ERROR if any(f.kept_type is None for f in concerned) else Severity.WARNING
            _tell(check, concerned[0], "a rule of the whole table: it is held against what is kept", "write it for that", worse, findings)


def _tell(check: Check, field: Field, why: str, hint: str, severity: Severity, findings: Findings) -> None:
    message = f"the rule `{check.id}` is not about the clear values of `{field.name}`"
    findings.add(Finding("XDE0341", message, check.span, "after the step", why, hint, severity))


def _same_of_missing(check: Check, concerned: Sequence[Field]) -> bool:
    """Whether a rule only says that a value must be there: what is kept of it tells that as well."""
    return check.proof[:1] == ("not_null",) and all(_kind(f) in _SAME_MISSING for f in concerned)


def _judge_reference(check: Check, treated: Mapping[str, Mapping[str, Field]], findings: Findings) -> None:
    there = treated.get(check.to_dataset, {})
    for column, to in zip(check.columns, check.to_columns, strict=True):
        own, other = treated[check.dataset].get(column), there.get(to)
        one, two = own.treatment if own else None, other.treatment if other else None
        if one != two or (one is not None and one.kind not in {"hash", "cast"}):
            why = "references are looked up by what is kept, and that is not the same of the same value"
            hint = "hash both with the same key, and `fold` both or none" if _hashed(one) or _hashed(two) else "treat none of them"
            message = f"`{column}` of `{check.dataset}` cannot be looked up in `{check.to_dataset}.{to}` after its in-flight step"
            findings.add(Finding("XDE0340", message, check.span, "no match", why, hint))


def _hashed(of: Treatment | None) -> bool:
    return of is not None and of.kind == "hash"


def _kind(field: Field) -> str:
    return field.treatment.kind if field.treatment is not None else ""


def _concerns(check: Check, column: str) -> bool:
    """Whether a rule is about a column; where its SQL has the name, that is taken for it."""
    word = re.compile(rf"(?<!\w){re.escape(column)}(?!\w)", re.IGNORECASE)
    return column in check.columns or any(word.search(text) for text in (check.predicate, check.query))
