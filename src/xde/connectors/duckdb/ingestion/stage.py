"""The stage: a table of this load alone, with typed values and, for a record that cannot be accepted, the reasons."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xde.connectors.duckdb.ingestion.casts import cast
from xde.ground.names import literal, quoted
from xde.kernel.plan.checks import CheckKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

    from xde.kernel.plan.checks import Check
    from xde.lifecycle.ingestion.port import Field, LoadJob

REASONS = '"__reasons"'
RAW = '"__raw"'


@dataclass(frozen=True, slots=True)
class Bad:
    """A staged record that is not accepted: its position among the file's staged rows (from 0), its reasons, its own text if staged."""

    position: int
    reasons: tuple[tuple[str, str | None, str | None], ...]
    raw: str | None


@dataclass(slots=True)
class Stage:
    """One load's stage in one connection. Files are staged one after the other; row numbers follow the order of their records."""

    cursor: duckdb.DuckDBPyConnection
    job: LoadJob
    first: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    made: bool = False

    def add(self, path: str, source: str, texts: Mapping[str, str], raw: str | None) -> None:
        """Stage a file: `source` is a relation of its records, `texts` the SQL of each field's text in it."""
        start = self._count()
        select = self._select(source, texts, raw)
        self.cursor.execute(f"INSERT INTO stage {select}" if self.made else f"CREATE TEMP TABLE stage AS {select}")
        self.cursor.execute("CREATE TEMP TABLE IF NOT EXISTS refused (r BIGINT, rule VARCHAR, name VARCHAR)")
        self.made = True
        self.first[path] = start
        self.rows[path] = self._count() - start

    def _count(self) -> int:
        return int(self._one("SELECT count(*) FROM stage")[0]) if self.made else 0

    def _one(self, sql: str) -> tuple[Any, ...]:
        row = self.cursor.execute(sql).fetchone()
        return row or (0,)

    def _select(self, source: str, texts: Mapping[str, str], raw: str | None) -> str:
        """Three layers: the record's texts, their casts, and what is wrong; the texts are read whole, so that no column's faults are missed."""
        job = self.job
        names = [quoted(f.name) for f in job.fields]
        casts = {f.name: cast(f, _text(f), job.dialect.decimal) for f in job.fields}
        inner = ", ".join(f"{_nulled(f, texts[f.name])} AS {_text(f)}" for f in job.fields)
        kept = f", {raw} AS {RAW}" if raw else ""
        typed = ", ".join(f"{casts[f.name].value} AS {quoted(f.name)}" for f in job.fields)
        types_wrong = [(f"type:{f.name}", f.name, casts[f.name].wrong) for f in job.fields if casts[f.name].wrong != "false"]
        rules = [(c.id, c.columns[0] if c.columns else None, f"NOT coalesce(({c.predicate}), true)") for c in job.checks if c.kind is CheckKind.ROW]
        reasons = _reasons(types_wrong, rules, job.fields)
        raw_out = f", CASE WHEN {REASONS} IS NOT NULL THEN {RAW} END AS {RAW}" if raw else f", NULL::VARCHAR AS {RAW}"
        passed = ", ".join(names)
        texts_on = ", ".join(_text(f) for f in job.fields)
        keep_raw = f", {RAW}" if raw else ""
        return (
            f"SELECT {passed}, {REASONS}{raw_out} FROM (SELECT *, {reasons} AS {REASONS} FROM "
            f"(SELECT {typed}, {texts_on}{keep_raw} FROM (SELECT {inner}{kept} FROM {source})))"
        )

    def refuse_repeated(self, check: Check) -> None:
        """Later records of a key that is in the load or in the table already are not accepted; the first one stays."""
        columns = ", ".join(quoted(c) for c in check.columns)
        whole = " AND ".join(f"{quoted(c)} IS NOT NULL" for c in check.columns)
        same = " AND ".join(f"s.{quoted(c)} = d.{quoted(c)}" for c in check.columns)
        self.cursor.execute(f"CREATE OR REPLACE TEMP TABLE repeated AS SELECT {columns}, false AS there FROM stage AS s WHERE {self._good('s')} AND {whole} GROUP BY {columns} HAVING count(*) > 1")
        if self.job.existing:
            files = ", ".join(literal(p) for p in self.job.existing)
            there = f"SELECT DISTINCT {columns} FROM read_parquet([{files}], union_by_name = true) SEMI JOIN (SELECT {columns} FROM stage WHERE {REASONS} IS NULL) AS s USING ({columns})"
            self.cursor.execute(f"INSERT INTO repeated SELECT {columns}, true FROM ({there})")
        keys = ", ".join(f"s.{quoted(c)}" for c in check.columns)
        self.cursor.execute(
            f"INSERT INTO refused SELECT r, {literal(check.id)}, {literal(check.columns[0])} FROM (SELECT s.rowid AS r, bool_or(d.there) AS there, "
            f"row_number() OVER (PARTITION BY {keys} ORDER BY s.rowid) AS nth "
            f"FROM stage AS s JOIN repeated AS d ON {same} WHERE {self._good('s')} GROUP BY s.rowid, {keys}) WHERE there OR nth > 1"
        )

    def _good(self, name: str) -> str:
        """Whether a staged record is accepted. What is refused after staging stands in a table beside it: DuckDB moves a row whose list it updates."""
        return f"{name}.{REASONS} IS NULL AND {name}.rowid NOT IN (SELECT r FROM refused)"

    def bad(self, path: str) -> list[Bad]:
        """The records of a file that are not accepted, in order."""
        start, end = self.first[path], self.first[path] + self.rows[path]
        later = "[{'rule': f.rule, 'name': f.name, 'value': NULL::VARCHAR}]"
        found = self.cursor.execute(
            f"SELECT s.rowid, coalesce(s.{REASONS}, {later}), s.{RAW} FROM stage AS s LEFT JOIN refused AS f ON f.r = s.rowid "
            f"WHERE (s.{REASONS} IS NOT NULL OR f.r IS NOT NULL) AND s.rowid >= {start} AND s.rowid < {end} ORDER BY s.rowid"
        ).fetchall()
        return [Bad(int(r) - start, tuple((x["rule"], x["name"], x["value"]) for x in reasons), raw) for r, reasons, raw in found]

    def accepted(self) -> str:
        """The query of the accepted rows."""
        return f"SELECT {', '.join(quoted(f.name) for f in self.job.fields)} FROM stage AS s WHERE {self._good('s')}"


def _text(field_: Field) -> str:
    return quoted(f"__text {field_.name}")


def _nulled(field_: Field, text: str) -> str:
    if not field_.nulls:
        return text
    return f"CASE WHEN {text} IN ({', '.join(literal(n) for n in field_.nulls)}) THEN NULL ELSE {text} END"


def _reasons(types_wrong: Sequence[tuple[str, str, str]], rules: Sequence[tuple[str, str | None, str]], fields: Sequence[Field]) -> str:
    """NULL for a good record, else the list of what is wrong with it: values that are not of their types, or else rules it breaks."""
    by_name = {f.name: f for f in fields}

    def listed(items: Sequence[tuple[str, str | None, str]]) -> str:
        cases = []
        for rule, name, wrong in items:
            column = by_name.get(name or "")
            value = f"substr({_text(column)}, 1, 200)" if column is not None else "NULL::VARCHAR"
            told = literal(name) if name else "NULL::VARCHAR"
            cases.append(f"CASE WHEN {wrong} THEN {{'rule': {literal(rule)}, 'name': {told}, 'value': {value}}} END")
        return f"list_filter([{', '.join(cases)}], lambda r: r IS NOT NULL)"

    nothing = "NULL::STRUCT(rule VARCHAR, name VARCHAR, value VARCHAR)[]"
    branches = []
    if types_wrong:
        branches.append(f"WHEN {' OR '.join(w for _, _, w in types_wrong)} THEN {listed(types_wrong)}")
    if rules:
        branches.append(f"WHEN {' OR '.join(w for _, _, w in rules)} THEN {listed(rules)}")
    return f"CASE {' '.join(branches)} ELSE {nothing} END" if branches else nothing
