"""Checks carried out: what statistics prove is not read, the rest in one scan by bit mask, keys and references after."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import duckdb

from xde.connectors.duckdb.metering import note
from xde.connectors.duckdb.proofs import proved
from xde.connectors.duckdb.session import schema_of, translated
from xde.connectors.duckdb.transformation import relation
from xde.ground.names import literal, quoted
from xde.ground.records import dataclass
from xde.kernel.plan.checks import Check, CheckKind, CheckResult
from xde.lifecycle.transformation.port import Input

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xde.lifecycle.storage.audit_port import Audit

MASK_BITS = 100
NEW, ALL = "xde_new", "xde_all"

# the operators of the Open Data Contract Standard, on a measured number and the threshold's one or two bounds
OPERATORS: Mapping[str, Callable[[Decimal, Sequence[Decimal]], bool]] = {
    "mustBe": lambda v, b: v == b[0],
    "mustNotBe": lambda v, b: v != b[0],
    "mustBeGreaterThan": lambda v, b: v > b[0],
    "mustBeGreaterOrEqualTo": lambda v, b: v >= b[0],
    "mustBeLessThan": lambda v, b: v < b[0],
    "mustBeLessOrEqualTo": lambda v, b: v <= b[0],
    "mustBeBetween": lambda v, b: b[0] <= v <= b[1],
    "mustNotBeBetween": lambda v, b: not b[0] <= v <= b[1],
}


class DuckdbAuditor:
    """See `lifecycle.storage.audit_port.Auditor`."""

    def __init__(self, connect: Callable[[], duckdb.DuckDBPyConnection]) -> None:
        self._connect = connect

    def audit(self, audit: Audit) -> tuple[CheckResult, ...]:
        """Every check, one result each."""
        results = {
            c.id: CheckResult(c, passed=True, rows=_rows(audit), how="statistics")
            for c in audit.checks
            if c.kind is CheckKind.ROW and proved(c, audit.new)
        }
        left = [c for c in audit.checks if c.id not in results]
        if left:
            cursor = self._connect()
            try:
                look = _Look(cursor, audit)
                rules = [c for c in left if c.kind is CheckKind.ROW]
                for start in range(0, len(rules), MASK_BITS):
                    results |= look.masked(rules[start : start + MASK_BITS])
                for check in left:
                    if check.kind is not CheckKind.ROW:
                        results[check.id] = look.one(check)
            finally:
                cursor.close()
        return tuple(_waived(results[c.id], audit.now) for c in audit.checks)


def _rows(audit: Audit) -> int:
    return sum(f.rows for f in audit.new)


def _waived(result: CheckResult, now: str) -> CheckResult:
    from dataclasses import replace

    waiver = result.check.waiver
    return replace(result, waived=True) if not result.passed and waiver is not None and now[:10] <= waiver.until else result


@dataclass(slots=True)
class _Look:
    """One connection that sees the new rows, all rows and the other datasets as temporary views."""

    cursor: duckdb.DuckDBPyConnection
    audit: Audit

    def __post_init__(self) -> None:
        audit = self.audit
        new = tuple(f"{audit.folder}/{f.path}" for f in audit.new)
        kept = tuple(f"{audit.folder}/{f.path}" for f in audit.kept)
        self.cursor.execute(f"CREATE TEMP VIEW {NEW} AS {relation(Input(audit.schema, new))}")
        self.cursor.execute(f"CREATE TEMP VIEW {ALL} AS {relation(Input(audit.schema, (*new, *kept)))}")

    def masked(self, checks: Sequence[Check]) -> dict[str, CheckResult]:
        """One scan for all: rows that break a rule, by which they break. A rule that does not run is found by halving."""
        try:
            return self._scan(checks)
        except duckdb.InterruptException as error:
            raise translated(error) from error
        except duckdb.Error as error:
            if len(checks) == 1:
                return {checks[0].id: _failed(checks[0], error)}
            half = len(checks) // 2
            return self.masked(checks[:half]) | self.masked(checks[half:])

    def _scan(self, checks: Sequence[Check]) -> dict[str, CheckResult]:
        if not checks:
            return {}
        wrong = [f"(NOT ({c.predicate}))" for c in checks]
        mask = " | ".join(f"CASE WHEN {w} THEN {1 << i}::HUGEINT ELSE 0::HUGEINT END" for i, w in enumerate(wrong))
        sql = f"SELECT mask, count(*) FROM (SELECT {mask} AS mask FROM {NEW} WHERE {' OR '.join(wrong)}) GROUP BY mask"
        found = [(int(m), int(n)) for m, n in self.cursor.execute(sql).fetchall()]
        note(self.cursor)
        rows = _rows(self.audit)
        results: dict[str, CheckResult] = {}
        for bit, check in enumerate(checks):
            failing = sum(n for m, n in found if m >> bit & 1)
            passed = _holds(check, failing, rows)
            samples = self._samples(check, f"NOT ({check.predicate})") if failing and not passed else ()
            results[check.id] = CheckResult(check, passed, failing, rows, samples=samples)
        return results

    def _samples(self, check: Check, where: str, source: str = NEW) -> tuple[dict[str, str | None], ...]:
        names = [c.name for c in self.audit.schema if c.name not in check.personal]
        first = [n for n in check.columns if n in names]
        columns = [*first, *(n for n in names if n not in first)]
        if not columns:
            return ()
        select = ", ".join(f"CAST({quoted(c)} AS VARCHAR) AS {quoted(c)}" for c in columns)
        rows = self.cursor.execute(f"SELECT {select} FROM {source} WHERE {where} LIMIT {self.audit.samples:d}").fetchall()
        return tuple(dict(zip(columns, row, strict=True)) for row in rows)

    def one(self, check: Check) -> CheckResult:
        """A check that has a query of its own."""
        try:
            match check.kind:
                case CheckKind.UNIQUE:
                    return self._unique(check)
                case CheckKind.REFERENCE:
                    return self._reference(check)
                case CheckKind.COUNT:
                    count = sum(f.rows for f in (*self.audit.new, *self.audit.kept))
                    return CheckResult(check, _holds(check, count, 0), rows=count, value=f"{count:,}", how="statistics")
                case CheckKind.FRESH:
                    return self._fresh(check)
                case _:
                    return self._query(check)
        except duckdb.InterruptException as error:
            raise translated(error) from error
        except duckdb.Error as error:
            return _failed(check, error)

    def _unique(self, check: Check) -> CheckResult:
        """Keys of the new rows, held against each other and against those that stay."""
        columns = ", ".join(quoted(c) for c in check.columns)
        whole = " AND ".join(f"{quoted(c)} IS NOT NULL" for c in check.columns)
        among = f"SELECT {columns} FROM {ALL} SEMI JOIN {NEW} USING ({columns})" if self.audit.kept else f"SELECT {columns} FROM {NEW}"
        groups = f"SELECT {columns}, count(*) AS times FROM ({among}) WHERE {whole} GROUP BY {columns} HAVING count(*) > 1"
        failing = int(self._value(f"SELECT coalesce(sum(times), 0) FROM ({groups})"))
        rows = _rows(self.audit)
        passed = _holds(check, failing, rows)
        shown = [c for c in check.columns if c not in check.personal]
        samples: tuple[dict[str, str | None], ...] = ()
        if not passed and shown:
            select = ", ".join(f"CAST({quoted(c)} AS VARCHAR)" for c in shown)
            told = self.cursor.execute(
                f"SELECT {select}, CAST(times AS VARCHAR) FROM ({groups}) ORDER BY times DESC, {columns} LIMIT {self.audit.samples:d}"
            ).fetchall()
            samples = tuple(dict(zip([*shown, "times"], row, strict=True)) for row in told)
        return CheckResult(check, passed, failing, rows, samples=samples)

    def _reference(self, check: Check) -> CheckResult:
        other = self.audit.others.get(check.to_dataset)
        if other is None and check.to_dataset != self.audit.dataset:
            return CheckResult(check, passed=False, rows=_rows(self.audit), value=f"error: `{check.to_dataset}` has never been built here")
        target = ALL if other is None else f"({relation(Input(*other))})"
        same = " AND ".join(f"n.{quoted(a)} = o.{quoted(b)}" for a, b in zip(check.columns, check.to_columns, strict=True))
        whole = " AND ".join(f"n.{quoted(c)} IS NOT NULL" for c in check.columns)
        columns = ", ".join(f"n.{quoted(c)}" for c in check.columns)
        groups = f"SELECT {columns}, count(*) AS times FROM {NEW} AS n ANTI JOIN {target} AS o ON {same} WHERE {whole} GROUP BY {columns}"
        self.cursor.execute(f"CREATE OR REPLACE TEMP TABLE xde_lost AS {groups}")
        note(self.cursor)
        failing = int(self._value("SELECT coalesce(sum(times), 0) FROM xde_lost"))
        rows = _rows(self.audit)
        passed = _holds(check, failing, rows)
        shown = [c for c in check.columns if c not in check.personal]
        samples: tuple[dict[str, str | None], ...] = ()
        if not passed and shown:
            select = ", ".join(f"CAST({quoted(c)} AS VARCHAR)" for c in shown)
            by = ", ".join(quoted(c) for c in check.columns)
            told = self.cursor.execute(
                f"SELECT {select}, CAST(times AS VARCHAR) FROM xde_lost ORDER BY times DESC, {by} LIMIT {self.audit.samples:d}"
            ).fetchall()
            samples = tuple(dict(zip([*shown, "rows"], row, strict=True)) for row in told)
        return CheckResult(check, passed, failing, rows, samples=samples)

    def _query(self, check: Check) -> CheckResult:
        for name, (schema, paths) in self.audit.others.items():
            self._view(name, Input(schema, paths))
        value = self._value(check.query.replace("{object}", ALL))
        rows = sum(f.rows for f in (*self.audit.new, *self.audit.kept))
        return CheckResult(check, _holds(check, value, rows), rows=rows, value=str(value), how="query")

    def _view(self, name: str, given: Input) -> None:
        """Another dataset under its own name, for a rule that names it; in the instance's shared world, so made anew each time."""
        schema, table = schema_of(name)
        self.cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        self.cursor.execute(f"CREATE OR REPLACE VIEW {schema}.{table} AS {relation(given)}")

    def _fresh(self, check: Check) -> CheckResult:
        column = quoted(check.columns[0])
        age = self._value(f"SELECT epoch(CAST({literal(self.audit.now)} AS TIMESTAMPTZ)) - epoch(max({column})::TIMESTAMP) FROM {ALL}")
        if age is None:
            return CheckResult(check, passed=False, value="no value at all", how="query")
        return CheckResult(check, float(age) <= float(str(check.threshold)), value=f"{float(age) / 86_400:.1f} days old", how="query")

    def _value(self, sql: str) -> Any:  # noqa: ANN401 - a cell
        row = next(iter(self.cursor.execute(sql).fetchall()), None)
        note(self.cursor)
        return row[0] if row else None


def _failed(check: Check, error: duckdb.Error) -> CheckResult:
    return CheckResult(check, passed=False, value="error: " + " ".join(str(error).split())[:300])


def _holds(check: Check, measured: object, rows: int) -> bool:
    """Whether the number that was measured is what the operator asks for; in percent of the rows if the rule says so."""
    try:
        value = Decimal(str(measured))
        if check.unit == "percent":
            value = value * 100 / rows if rows else Decimal(0)
        bounds = [Decimal(str(t)) for t in (check.threshold if isinstance(check.threshold, (list, tuple)) else [check.threshold])]
    except InvalidOperation:
        same = str(measured) == str(check.threshold)
        return not same if check.operator == "mustNotBe" else same
    return OPERATORS[check.operator](value, bounds) if check.operator in OPERATORS else False
