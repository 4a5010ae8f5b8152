"""The rows of a model held against its own contract, in a sandbox; and against other orders of the rows that they are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.ground.findings import Finding
from xde.ground.names import quoted, quoted_name
from xde.kernel.plan.checks import Action, CheckKind
from xde.undercurrents.engineering.testing.comparing import Comparison, How, compare
from xde.undercurrents.engineering.testing.sandbox import Asked, QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from xde.ground.spans import Span
    from xde.kernel.plan.checks import Check
    from xde.undercurrents.engineering.testing.sandbox import Result, Scratch

RESULT = "xde_result.rows"
ASIDE = "xde_aside"
ORDERS = ("rowid DESC", "hash(rowid, 7)")


def wrong_rows(check: Check, out: str, target: str) -> str | None:
    """The condition that a row of `t` breaks a rule; `out` is where all rows are, `target` what is referred to. None: no rule of rows."""
    match check.kind:
        case CheckKind.ROW:
            return f"NOT ({check.predicate})"
        case CheckKind.UNIQUE:
            whole = "".join(f" AND {quoted(c)} IS NOT NULL" for c in check.columns)
            return f"count(*) OVER (PARTITION BY {', '.join(quoted(c) for c in check.columns)}) > 1{whole}"
        case CheckKind.REFERENCE:
            return orphans(check, out if check.to_dataset == check.dataset else target, None)
        case _:
            return None


def orphans(check: Check, target: str, example: str | None) -> str:
    """The condition that a row of `t` refers to nothing in the target; a reference with a NULL in it refers to nothing on purpose."""
    same = [f"o.{quoted(b)} = t.{quoted(a)}" for a, b in zip(check.columns, check.to_columns, strict=True)]
    same += [f"o.{example} = t.{example}"] if example else []
    whole = " AND ".join(f"t.{quoted(c)} IS NOT NULL" for c in check.columns)
    return f"({whole} AND NOT EXISTS (SELECT 1 FROM {target} AS o WHERE {' AND '.join(same)}))"


def is_strict(check: Check) -> bool:
    """Whether no row may break a rule, however few there are; only such rules say something of a handful of rows."""
    return check.operator == "mustBe" and str(check.threshold) in {"0", "None"}


def broken_promises(scratch: Scratch, checks: Iterable[Check], inputs: Iterable[str], place: Span | None) -> list[Finding]:
    """The rules that the rows in `RESULT` break. Rules of shares, sizes and the present are left out: they are those of a whole table."""
    there = set(inputs)
    found: list[Finding] = []
    for check in checks:
        asked = _question(check, there)
        if asked is None or check.action is Action.WARN or check.waiver is not None:
            continue
        try:
            ((number,),) = scratch.ask(Asked(asked)).rows
        except QueryError as error:
            found.append(_finding(check, place, f"the rule itself fails: {error}"))
            continue
        if number:
            rows = f"{number} {'row' if number == 1 else 'rows'} of the result"
            found.append(_finding(check, place, f"found {number}" if check.kind is CheckKind.QUERY else rows))
    return found


def _question(check: Check, there: set[str]) -> str | None:
    if not is_strict(check):
        return None
    if check.kind is CheckKind.QUERY:
        return f"SELECT CAST(coalesce(({check.query.replace('{object}', RESULT)}\n), 0) AS DOUBLE)"
    if check.kind is CheckKind.REFERENCE and check.to_dataset not in {*there, check.dataset}:
        return None
    wrong = wrong_rows(check, RESULT, quoted_name(check.to_dataset or check.dataset))
    return f"SELECT count(*) FROM (SELECT coalesce({wrong}, FALSE) AS wrong FROM {RESULT} AS t) WHERE wrong" if wrong else None


def _finding(check: Check, place: Span | None, why: str) -> Finding:
    said = f", as {check.span} says" if check.span else ""
    return Finding(
        "XDE0930",
        f"`{check.dataset}` breaks its contract on the rows of this case: {check.message}",
        place,
        "this case",
        f"{why}{said}",
        "mend the model, or promise less in its contract",
    )


def by_order(scratch: Scratch, names: Sequence[str], ask: Callable[[], Result], key: tuple[str, ...]) -> Comparison:
    """How a result differs when the rows of tables come in another order; of the first order that shows it. The tables are put back."""
    found = Comparison(())
    for name in names:
        scratch.keep(f"{ASIDE}.{name}", Asked(f"SELECT * FROM {quoted_name(name)} ORDER BY rowid"))
    try:
        first = ask()
        for order in ORDERS:
            _lay(scratch, names, order)
            second = ask()
            found = compare([c for c, _ in first.columns], first.rows, second.rows, How(key=key))
            if not found.equal:
                break
    except QueryError:
        return Comparison(())
    finally:
        _lay(scratch, names, "rowid")
    return found


def _lay(scratch: Scratch, names: Iterable[str], order: str) -> None:
    for name in names:
        scratch.keep(name, Asked(f"SELECT * FROM {ASIDE}.{quoted(name)} ORDER BY {order}"))


def by_chance(case: Span | None, model: str) -> Finding:
    """The finding for rows that depend on an order that nobody promises."""
    why = "nobody promises an order of rows: the result depends on chance"
    hint = "order by enough columns that no two rows tie, or take `min` or `max` instead of `first`"
    return Finding("XDE0932", f"`{model}` gives other rows when those of this case come in another order", case, "this case", why, hint)
