"""What a model guarantees, as questions to the engine: in which examples is it broken?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xde.ground.names import quoted
from xde.kernel.plan.checks import Action, Check, CheckKind
from xde.undercurrents.engineering.properties.batching import OUTER, Batch
from xde.undercurrents.engineering.properties.generating import EXAMPLE
from xde.undercurrents.engineering.properties.premises import upper_bound
from xde.undercurrents.engineering.testing.promising import is_strict, orphans

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.ground.spans import Span
    from xde.undercurrents.engineering.properties.target import Target

RUNS, ORDER, AGAIN, SPLIT, DELIVERED = "runs", "any order", "again the same", "any split", "any deliveries"


@dataclass(frozen=True, slots=True)
class Guarantee:
    """One thing that must hold on every valid input: a rule of the contract (`check`), or a law that holds of every model (`law`)."""

    id: str
    message: str
    check: Check | None = None
    law: str = ""
    warning: bool = False

    @property
    def span(self) -> Span | None:
        """Where the contract says so."""
        return self.check.span if self.check else None


@dataclass(frozen=True, slots=True)
class Promised:
    """What is looked at, and what is not, by the id of the rule and why."""

    guarantees: tuple[Guarantee, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)


def guarantees_of(target: Target, known: Sequence[str]) -> Promised:
    """The rules of the model's own contract that one small input can break, and the laws. `known` are the datasets that have rows."""
    found: list[Guarantee] = [Guarantee(f"{target.name}: {RUNS}", "it runs on every valid input", law=RUNS)]
    left: dict[str, str] = {}
    for check in target.checks.get(target.name, ()):
        why = _out_of_reach(check, target, known)
        if why:
            left[check.id] = why
        else:
            found.append(Guarantee(check.id, check.message, check, warning=check.action is Action.WARN or check.waiver is not None))
    key = target.subject.key
    if key and not any(g.check and g.check.kind is CheckKind.UNIQUE and set(g.check.columns) == set(key) for g in found):
        shown = ", ".join(f"`{k}`" for k in key)
        message = f"the key {shown} is there once"
        found.append(
            Guarantee(f"{target.name}.key", message, Check(f"{target.name}.key", target.name, CheckKind.UNIQUE, Action.STOP, message, key))
        )
    found += _of_growth(target)
    found.append(Guarantee(f"{target.name}: {ORDER}", "the same rows whatever the order of the input's rows", law=ORDER))
    return Promised(tuple(found), left)


def _of_growth(target: Target) -> list[Guarantee]:
    """What an incremental model promises by being one."""
    increment = target.increment
    if increment is None:
        return []
    found: list[Guarantee] = []
    if increment.time:
        required = any(c.columns == (increment.time,) and c.proof == ("not_null",) for c in target.checks.get(target.name, ()))
        message = f"`{increment.time}` must not be missing, for rows are kept by it"
        predicate = f"{quoted(increment.time)} IS NOT NULL"
        check = Check(f"{target.name}.time", target.name, CheckKind.ROW, Action.STOP, message, (increment.time,), predicate)
        found += [] if required else [Guarantee(check.id, message, check)]
    law, message = (SPLIT, "the same rows interval by interval") if increment.time else (DELIVERED, "the same rows delivery by delivery")
    return [*found, Guarantee(f"{target.name}: {law}", message, law=law)]


def _out_of_reach(check: Check, target: Target, known: Sequence[str]) -> str:
    match check.kind:
        case CheckKind.FRESH:
            return "speaks of the present"
        case CheckKind.COUNT:
            return "" if upper_bound(check) is not None else "speaks of the size of the whole"
        case CheckKind.REFERENCE:
            return "" if check.to_dataset in {*known, target.name} else f"the model does not read `{check.to_dataset}`"
        case _:
            return "" if is_strict(check) else "speaks of a share of the whole"


@dataclass(frozen=True, slots=True)
class Relations:
    """Where rows are: `out` the model's, `given` those of datasets, all with the number of their example; `examples` all numbers."""

    out: str
    given: Mapping[str, str]
    examples: str


def broken(guarantee: Guarantee, rows: Relations) -> str:
    """A query of the numbers of examples in which a rule is broken. Raises `ValueError` where it cannot be asked."""
    check = guarantee.check
    if check is None:
        raise ValueError(guarantee.law)
    match check.kind:
        case CheckKind.ROW:
            return f"SELECT DISTINCT {EXAMPLE} FROM {rows.out} WHERE NOT ({check.predicate})"
        case CheckKind.UNIQUE:
            columns = ", ".join(quoted(c) for c in check.columns)
            whole = " AND ".join(f"{quoted(c)} IS NOT NULL" for c in check.columns)
            groups = f"SELECT {EXAMPLE} FROM {rows.out} WHERE {whole} GROUP BY {EXAMPLE}, {columns} HAVING count(*) > 1"
            return f"SELECT DISTINCT {EXAMPLE} FROM ({groups})"
        case CheckKind.REFERENCE:
            target = rows.out if check.to_dataset == check.dataset else rows.given[check.to_dataset]
            return f"SELECT DISTINCT {EXAMPLE} FROM {rows.out} AS t WHERE {orphans(check, target, EXAMPLE)}"
        case CheckKind.COUNT:
            return f"SELECT {EXAMPLE} FROM {rows.out} GROUP BY {EXAMPLE} HAVING count(*) > {upper_bound(check)}"
        case _:
            return _by_query(check, rows)


def _by_query(check: Check, rows: Relations) -> str:
    """A rule that is a query of one number, for every example; of no rows at all it may give NULL, which says nothing."""
    name = f"xde_rule.{'object'}"
    tables = {
        n: f"(SELECT * EXCLUDE ({EXAMPLE}) FROM {r} WHERE {EXAMPLE} = {OUTER}.{EXAMPLE})" for n, r in {**rows.given, name: rows.out}.items()
    }
    text = Batch(tables).text(check.query.replace("{object}", name))
    return f"SELECT {OUTER}.{EXAMPLE} FROM ({rows.examples}) AS {OUTER}, LATERAL ({text}\n) AS xde_r(measured) WHERE measured <> 0"
