"""Between the ledger's records and rows of a database; facts travel as JSON text."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from xde.ground.secrets import redact_data
from xde.kernel.plan.costs import CostRecord, Reads, Usage, usage_of
from xde.kernel.plan.ledger import Claim, Deployment, RunRecord, StepRecord, TableState
from xde.kernel.plan.plan import StepKind

if TYPE_CHECKING:
    from xde.ledger.store import Row, Value

_OF_STEP = len(fields(CostRecord)) - 1  # the columns of `costs` before those of its usage
_IN_WORDS: dict[type, tuple[str, ...]] = {StepRecord: ("reason", "facts"), Deployment: ("note", "facts")}


def values(record: TableState | StepRecord | RunRecord | Claim | Deployment | CostRecord | Reads) -> dict[str, Value]:
    """A record as values for a query, by field name. What is said in words is redacted; names and mirrors must stay what they are."""
    told = _IN_WORDS.get(type(record), ())
    found = {f.name: getattr(record, f.name) for f in fields(record)}
    if isinstance(record, CostRecord):
        found |= {f.name: getattr(record.usage, f.name) for f in fields(found.pop("usage"))}
    return {name: _value(redact_data(v) if name in told else v) for name, v in found.items()}


def _value(value: Any) -> Value:  # noqa: ANN401 - any field of a record
    match value:
        case str():
            return _storable(value)
        case bool():
            return int(value)
        case int() | float() | None:
            return value
        case _:
            return json.dumps(value, separators=(",", ":"))


def _storable(text: str) -> str:
    """A text that both databases take: no NUL (PostgreSQL), no half of a surrogate pair (SQLite)."""
    return text.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()


def state(row: Row) -> TableState:
    """A row of `states`; `ValueError` when its facts are no JSON."""
    return TableState(*_with_facts(row))


def step(row: Row) -> StepRecord:
    """A row of `steps`; `ValueError` when its facts are no JSON."""
    return StepRecord(*_with_facts(row))


def _with_facts(row: Row) -> Row:
    return (*row[:-1], json.loads(row[-1]))


def deployment(row: Row) -> Deployment:
    """A row of `deployments`; `ValueError` when its pointers or facts are no JSON."""
    environment, number, at, author, plan, definitions, note, pointers, facts = row
    return Deployment(environment, number, at, author, plan, definitions, json.loads(pointers), note, json.loads(facts))


def run(row: Row) -> RunRecord:
    """A row of `runs`."""
    return RunRecord(*row)


def claim(row: Row) -> Claim:
    """A row of `claim`."""
    return Claim(*row)


def cost(row: Row) -> CostRecord:
    """A row of `costs`."""
    usage = replace(Usage(*row[_OF_STEP:]), alone=bool(row[-1]))
    return replace(CostRecord(*row[:_OF_STEP]), usage=usage)


def reads(row: Row) -> Reads:
    """A row of `reads`."""
    return Reads(*row)


def cost_of(step: StepRecord, environment: str = "") -> CostRecord | None:
    """What a step took, as its facts say; None for one that did not come to an end, did no work, or says nothing of it."""
    usage = usage_of(step.facts.get("usage"))
    if usage is None or step.ended_at is None or step.kind in {StepKind.ADOPT, StepKind.COPY}:
        return None
    return CostRecord(step.run, step.step, environment, step.dataset, step.version, step.kind, step.status, moment(step.ended_at), usage)


def step_of(cost: CostRecord) -> StepRecord:
    """What an estimate needs of a step, where nothing else is left of it."""
    told = (cost.run, cost.step, cost.kind, cost.dataset, cost.version, cost.status, cost.ended_at, cost.ended_at)
    return StepRecord(*told, rows=cost.usage.rows, bytes=cost.usage.bytes, seconds=cost.usage.seconds)


def moment(now: str, seconds: float = 0.0) -> str:
    """An ISO text, some seconds later, in UTC to the microsecond: such texts sort as the moments do."""
    at = datetime.fromisoformat(now)
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return (at + timedelta(seconds=seconds)).isoformat(timespec="microseconds")
