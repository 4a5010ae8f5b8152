"""Joins by which rows are counted several times: the other side has no key on the columns that are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.ground.findings import Severity
from xde.undercurrents.engineering.linting.giving import doubling, is_aggregate, is_grouped, spreads
from xde.undercurrents.engineering.linting.parts import columns, own
from xde.undercurrents.engineering.linting.settling import Settling
from xde.undercurrents.engineering.linting.words import Remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.linting.facts import Doubled, Named, Scope
    from xde.undercurrents.engineering.linting.subject import Subject

RULE = "fan-out"
_TOTALS = (exp.Sum,)
_TOTAL_NAMES = frozenset({"fsum", "sumkahan", "kahan_sum", "product"})
_COUNTING = (exp.Count, exp.Avg, exp.Median, exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop, exp.PercentileCont)


def fan_out(subject: Subject) -> Iterator[Remark]:
    """Totals over rows that a join has doubled, and keys that a join breaks."""
    told: set[int] = set()
    for scope in subject.scopes:
        for remark in (*_aggregated(scope, subject), *(_promised(scope, subject) if scope.outermost else ())):
            if id(remark.at) not in told:
                told.add(id(remark.at))
                yield remark


def _aggregated(scope: Scope, subject: Subject) -> Iterator[Remark]:
    found = [n for part in _outputs(scope.select) for n in own(part) if is_aggregate(n)]
    found = [n for n in found if _is_total(n) or _is_counting(n)]
    if not found:
        return
    settling = Settling(scope)
    finest = any(set(settling.settled([n])[0]) >= set(settling.shown) for n in settling.shown)
    for aggregate in found:
        doubled, what = _doubled(aggregate, scope, settling, finest=finest)
        if doubled is not None:
            yield _remark(subject.said(aggregate), doubled, what)


def _outputs(select: exp.Select) -> list[exp.Expr]:
    parts = [*select.expressions, select.args.get("having"), select.args.get("qualify"), select.args.get("order")]
    return [p for p in parts if isinstance(p, exp.Expr)]


def _is_total(node: exp.Expr) -> bool:
    return isinstance(node, _TOTALS) or (isinstance(node, exp.Anonymous) and node.name.lower() in _TOTAL_NAMES)


def _is_counting(node: exp.Expr) -> bool:
    return isinstance(node, _COUNTING)


def _doubled(aggregate: exp.Expr, scope: Scope, settling: Settling, *, finest: bool) -> tuple[Doubled | None, str]:
    """By which source an aggregate takes values several times, and whose values they are."""
    if isinstance(aggregate.this, exp.Distinct):
        return None, ""
    read = columns(aggregate)
    above = aggregate.parent
    if isinstance(above, exp.Filter):
        read += columns(above.args["expression"])
    sources = [scope.source_of(c) for c in read]
    if any(s is None or scope.sources.get(s.name) is not s for s in sources):
        return None, ""
    names = list(dict.fromkeys(s.name for s in sources if s is not None))
    if names and _is_total(aggregate):
        fields = [scope.field_of(c) for c in read]
        within = [f.doubled if f is not None else None for f in fields]
        if within[0] is not None and all(d is not None and d.at is within[0].at for d in within):
            return within[0], "a value"
    if len(settling.shown) < 2 or (not _is_total(aggregate) and finest):
        return None, ""
    if not names and _is_total(aggregate):
        return None, ""
    rows = names or settling.shown[:1]
    missing = settling.missing(rows)
    if not missing:
        return None, ""
    return doubling(settling, missing[0], rows), f"a row of `{scope.sources[rows[0]].title}`"


def _remark(shown: str, doubled: Doubled, what: str) -> Remark:
    on = _listed(doubled.on)
    message = f"`{shown}` takes {what} once for each row of `{doubled.by}` that it meets"
    if doubled.on:
        why = f"no key of `{doubled.by}` is {'among ' if len(doubled.on) > 1 else ''}{on}: several of its rows may have the same"
        one = f"give `{doubled.by}` one row for each {on} before the join (`GROUP BY`, `dedupe`)"
        hint = one if doubled.known else f"declare {on} the key of `{doubled.by}` if it is one; else {one}"
    else:
        why = f"each row meets every row of `{doubled.by}`"
        hint = f"join `{doubled.by}` by the columns of its key, or compute the total before the join"
    severity = Severity.ERROR if doubled.known else Severity.WARNING
    return Remark(RULE, doubled.at, message, "meets several rows", why, hint, severity)


def _listed(names: tuple[str, ...]) -> str:
    shown = [f"`{n}`" for n in names]
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def _promised(scope: Scope, subject: Subject) -> Iterator[Remark]:
    """A model's declared key, when the query joins something that the key says nothing of."""
    select = scope.select
    if is_grouped(select) or any(select.args.get(k) for k in ("distinct", "qualify", "limit")) or len(scope.sources) < 2:
        return
    if any(spreads(i) for i in select.expressions):
        return
    settling = Settling(scope)
    for key in sorted(subject.model.keys, key=sorted):
        given = _inward(key, scope)
        owners = {n for n, _ in given}
        if len(given) != len(key) or len(owners) != 1:
            continue
        owner = next(iter(owners))
        if owner not in settling.settled((), given)[0]:
            continue
        missing = settling.missing([owner], given)
        if missing:
            doubled = doubling(settling, missing[0], [owner])
            on = _listed(tuple(sorted(key)))
            message = f"a row of `{scope.sources[owner].title}` comes once for each row of `{doubled.by}` that it meets, so {on} is no key"
            why = f"{on} is declared as a key of `{subject.model.name}`"
            hint = f"declare {_listed(doubled.on)} the key of `{doubled.by}` if it is one; " if doubled.on and not doubled.known else ""
            hint += f"give `{doubled.by}` one row for each {_listed(doubled.on) or 'row that it meets'} before the join"
            severity = Severity.ERROR if doubled.known else Severity.WARNING
            yield Remark(RULE, doubled.at, message, "meets several rows", why, hint, severity)


def _inward(key: frozenset[str], scope: Scope) -> list[Named]:
    """The columns of sources that a model's key columns are copies of."""
    found = []
    for item in scope.select.expressions:
        value = item.unalias()
        if item.alias_or_name.lower() in key and isinstance(value, exp.Column):
            named = scope.named(value)
            if named is not None:
                found.append(named)
    return found
