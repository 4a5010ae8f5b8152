"""The stage: a table of this load alone, with typed values and, for a record that cannot be accepted, the reasons."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import TYPE_CHECKING

from xde.connectors.duckdb.ingestion import treating
from xde.connectors.duckdb.ingestion.casts import cast, nested
from xde.connectors.duckdb.ingestion.new_columns import NO_VALUES, value_text
from xde.connectors.duckdb.ingestion.predicates import predicate
from xde.connectors.duckdb.ingestion.treating import give_keys, kept, kept_values, not_cast, redacted, text_of_stored
from xde.connectors.duckdb.ingestion.words import UNKNOWN
from xde.connectors.duckdb.metering import note
from xde.ground.names import literal, quoted
from xde.kernel.plan.checks import Action, CheckKind
from xde.lifecycle.sources.tables import TYPED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

    from xde.connectors.duckdb.ingestion.casts import Cast
    from xde.kernel.plan.checks import Check
    from xde.lifecycle.ingestion.port import Field, LoadJob

BAD = '"__bad"'
RAW = '"__raw"'
NTH = '"__nth"'
UNREAD = '"__unread"'
NEW = '"__new"'
LINE = '"__line"'
REFUSED_BEFORE = '"__refused"'
NUMBERS = re.compile(r"(DECIMAL|NUMERIC)\b|DOUBLE|FLOAT|REAL")


@dataclass(frozen=True, slots=True)
class Source:
    """A relation of records in SQL: `texts` gives each field's text, `raw` the record's own text where no file has it.

    `position` is a record's number (from 0) where it is not that of the row; `unread` is true of a record that is none. `new` gives the
    values of columns that the contract does not know. `told` are the fields whose SQL is not their text, but their value.
    """

    relation: str
    texts: Mapping[str, str]
    raw: str = "NULL::VARCHAR"
    position: str = "NULL::BIGINT"
    unread: str = "false"
    new: str = NO_VALUES
    refused: str = ""  # the reasons (JSON) of a record that was refused when it was taken in
    told: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Bad:
    """A staged record that is not accepted: its position in its file (from 0), reasons (rule, column, value), own text if staged."""

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
    changed: bool = False  # records were refused or superseded

    @property
    def kept(self) -> dict[str, bool]:
        """What the stage keeps of a record besides its values, where the format or the policy can need it: empty columns cost too."""
        form, policy = self.job.dialect.format, self.job.schema_change.new_column
        lines = form in {"ndjson", "json", "excel", "fixed_width"}
        forms = {f.format or form for f in self.job.files}
        return {
            RAW: "parquet" in forms or self.job.private,
            NTH: lines or TYPED in forms,
            NEW: policy == "evolve" or (policy == "freeze" and lines),
        }

    def add(self, path: str, source: Source) -> None:
        """Stage a file."""
        start = self._count()
        select = self._select(source)
        self.cursor.execute(f"INSERT INTO stage {select}" if self.made else f"CREATE TEMP TABLE stage AS {select}")
        note(self.cursor)
        if not self.made:
            self.cursor.execute("CREATE TEMP TABLE superseded (place BIGINT)")
            self.cursor.execute("CREATE TEMP TABLE refused (place BIGINT, rule VARCHAR, name VARCHAR, value VARCHAR)")
        self.made = True
        self.first[path] = start
        self.rows[path] = self._count() - start

    def _count(self) -> int:
        return int(self.cursor.execute("SELECT count(*) FROM stage").fetchall()[0][0]) if self.made else 0

    def looked_at(self, source: Source) -> str:
        """The query of records that are not staged: number, reasons, what may be shown, and the record as what is kept of it.

        That record is JSON by the names that the fields have in a file, its values texts unless they are nested.
        """
        values = kept_values(self.job)
        members = ", ".join(f"{literal(f.source_name)}, {self._written(f, values[f.name])}" for f in self.job.fields if f.name in values)
        record = f"CAST(json_object({members}) AS VARCHAR)"
        return f"SELECT {NTH}, {BAD}, {RAW}, {LINE} FROM ({self._select(source, f'{record} AS {LINE}')}) ORDER BY {NTH}"

    def _written(self, of: Field, value: str) -> str:
        if of.treatment is None:
            return f"CAST({text_of(of)} AS JSON)" if nested(of) else text_of(of)
        kept = replace(of, type=of.kept_type or of.type)
        if nested(kept):
            return f"to_json({value})"
        text = f"CAST({value} AS VARCHAR)"
        mark = self.job.dialect.decimal
        return f"replace({text}, '.', {literal(mark)})" if mark != "." and NUMBERS.match(kept.type.strip().upper()) else text

    def _select(self, source: Source, besides_all: str = "") -> str:
        """Three layers: the record's texts, their casts, and of a record that cannot be accepted its texts once more.

        What is wrong with it is told later (`_told`), for those few alone: it costs too much to be asked of every record.
        """
        job = self.job
        if job.private and not self.made:
            give_keys(self.cursor, job)
        inner, typed, texts = self.read(source.texts, source.told)
        wrong = [f"({w})" for layer in self.layers(source.told) for _, _, w in layer]
        asked = self._asks_unknown(source)
        if asked:
            wrong.append(f"coalesce(cardinality({NEW}) > 0, false)")
        unknown = f"map_keys({NEW})" if asked else "NULL::VARCHAR[]"
        # as one text: a column of lists costs more than all else of the stage, even where nearly all are missing
        shown = _as_text(f"{{'texts': [{', '.join(texts)}], 'unread': {UNREAD}, 'unknown': {unknown}}}")
        if job.private:  # what is wrong is told at once: the texts are not kept
            shown = self._reasons(unknown if asked else "")
        bad = f"CASE WHEN {' OR '.join(wrong)} THEN {shown} END"
        if source.refused:
            bad = f"coalesce({REFUSED_BEFORE}, {bad})"
        names = ", ".join(kept(job))
        raw = treating.shown(job.fields, {f.name: text_of(f) for f in job.fields}) if job.private else RAW
        verbatim = "NULL::VARCHAR" if job.private else source.raw
        own = f"{verbatim} AS {RAW}, {source.position} AS {NTH}, {source.unread} AS {UNREAD}, {source.new} AS {NEW}"
        besides = {BAD: BAD, RAW: f"CASE WHEN {BAD} IS NOT NULL THEN {raw} END AS {RAW}", NTH: NTH, NEW: NEW}
        more = ", ".join(sql for name, sql in besides.items() if self.kept.get(name, True) or (besides_all and name == RAW))
        more += f", {besides_all}" if besides_all else ""
        before = REFUSED_BEFORE if source.refused else ""
        own += f", {source.refused} AS {before}" if before else ""
        passed = f", {before}" if before else ""
        return (
            f"SELECT {names}, {more} "
            f"FROM (SELECT *, {bad} AS {BAD} FROM (SELECT {typed}, {RAW}, {NTH}, {UNREAD}, {NEW}{passed} "
            f"FROM (SELECT {inner}, {own} FROM {source.relation})))"
        )

    def read(self, given: Mapping[str, str], told: frozenset[str]) -> tuple[str, str, list[str]]:
        """The columns of a source, those of their values with the texts that they were cast from, and the text of each field.

        `given` is a field's text, or its value where it is `told`: then its text is not made, but of a record that cannot be accepted.
        """
        casts, inner, typed, texts = self.casts(), [], [], []
        for f in self.job.fields:
            name, sql = quoted(f.name), given[f.name]
            inner.append(f"{sql} AS {name}" if f.name in told else f"{self.nulled(f, sql)} AS {text_of(f)}")
            typed += [name] if f.name in told else [f"{casts[f.name].value} AS {name}", text_of(f)]
            texts.append(f"CAST({name} AS VARCHAR)" if f.name in told else text_of(f))
        return ", ".join(inner), ", ".join(typed), texts

    def casts(self) -> dict[str, Cast]:
        """How each field's text becomes its value, by the field's name."""
        return {f.name: cast(f, text_of(f), self.job.dialect.decimal) for f in self.job.fields}

    def layers(self, told: frozenset[str] = frozenset()) -> list[list[tuple[str, str | None, str]]]:
        """What can be wrong with a record by itself, as rule, column and SQL: only the first layer that finds anything is told.

        The values of fields that are `told` are of their types.
        """
        job, casts = self.job, self.casts()
        wrong: list[tuple[str, str | None, str]] = [
            (f"type:{f.name}", f.name, casts[f.name].wrong) for f in job.fields if casts[f.name].wrong != "false" and f.name not in told
        ]
        rules: list[tuple[str, str | None, str]] = [
            ("required", f.name, f"{quoted(f.name)} IS NULL") for f in job.fields if f.required and not self._held(f)
        ]
        rules += [(c.id, c.columns[0] if c.columns else None, self._broken(c)) for c in self.row_checks(held=True)]
        return [[("parse", None, UNREAD)], wrong, not_cast(job), rules] if job.private else [[("parse", None, UNREAD)], wrong, rules]

    def _broken(self, check: Check) -> str:
        """Whether a record breaks a rule; of a value that was treated already the rule was held before it was."""
        broken = f"({predicate(check, self.job.fields)}) IS FALSE"
        text = check.predicate.casefold()
        concerned = [f for f in self.job.fields if f.name in check.columns or f.name.casefold() in text]
        already = treating.marked(concerned, self.job.mark)
        return f"NOT ({already}) AND {broken}" if already else broken

    def _asks_unknown(self, source: Source) -> bool:
        return self.job.schema_change.new_column == "quarantine" and source.new != NO_VALUES

    def _told(self, path: str) -> str:
        """The query of the records of a file that are bad by themselves: `place`, `reasons` (one JSON text), and what the stage keeps."""
        # gathered first: they stand far apart, and an expression costs as much for one row as for a thousand that stand together
        few = f"SELECT *, rowid AS place FROM stage WHERE {BAD} IS NOT NULL AND {self._in_file(path)}"
        if self.job.private:
            return f"SELECT *, {BAD} AS reasons FROM ({few})"
        self.cursor.execute(f"CREATE OR REPLACE TEMP TABLE few AS {few}")
        shape = literal('{"texts": ["VARCHAR"], "unread": "BOOLEAN", "unknown": ["VARCHAR"]}')
        texts = ", ".join(f"told.texts[{n}] AS {text_of(f)}" for n, f in enumerate(self.job.fields, 1))
        unpacked = f"SELECT *, {texts}, told.unread AS {UNREAD} FROM (SELECT *, from_json({BAD}, {shape}) AS told FROM few)"
        reasons = self._reasons("told.unknown")
        return f"WITH unpacked AS MATERIALIZED ({unpacked}) SELECT *, {reasons} AS reasons FROM unpacked"

    def _reasons(self, unknown: str) -> str:
        """Why a record is not accepted, as one JSON text: columns that nobody knows, else what its values are; no private one."""
        found = _reasons(self.layers(), () if self.job.private else self.job.fields)
        if not unknown:
            return found
        entry = f"{{'rule': {literal(UNKNOWN)}, 'name': k, 'value': NULL::VARCHAR}}"
        return f"CASE WHEN len({unknown}) > 0 THEN {_as_text(f'list_transform({unknown}, lambda k: {entry})')} ELSE {found} END"

    def nulled(self, of: Field, text: str) -> str:
        """A field's text, NULL where it is a word for missing; those of the dialect are the CSV reader's work, unless texts are trimmed."""
        nulls = of.nulls
        if self.job.dialect.trim:
            text = f"trim({text})"
            nulls = (*self.job.dialect.nulls, *nulls)
        if not nulls:
            return text
        return f"CASE WHEN {text} IN ({', '.join(literal(n) for n in nulls)}) THEN NULL ELSE {text} END"

    def row_checks(self, *, held: bool) -> list[Check]:
        """The rules of single records: those that make dead letters, or the others."""
        return [c for c in self.job.checks if c.kind is CheckKind.ROW and (c.action is Action.DEAD_LETTER) is held]

    def _held(self, of: Field) -> bool:
        return any(c.proof[:1] == ("not_null",) and c.columns == (of.name,) for c in self.row_checks(held=True))

    def good(self, columns: Sequence[str], *, whole: bool = True) -> str:
        """The records not refused so far: their place in the stage (`place`), and some columns; `whole`: those that have all of them."""
        filled = "".join(f" AND {quoted(c)} IS NOT NULL" for c in columns) if whole else ""
        return f"SELECT rowid AS place, {', '.join(quoted(c) for c in columns)} FROM stage WHERE {self._good()}{filled}"

    def supersede(self, found: str) -> None:
        """Let records give way: a query of their places."""
        count = int(self.cursor.execute(f"INSERT INTO superseded {found}").fetchall()[0][0])
        self.changed = self.changed or count > 0

    def superseded(self, path: str) -> int:
        """How many records of a file gave way."""
        if path not in self.rows:
            return 0
        return int(self.cursor.execute(f"SELECT count(*) FROM superseded WHERE {self._in_file(path, 'place')}").fetchall()[0][0])

    def refuse(self, found: str) -> int:
        """Refuse what a query finds: place, rule, column and value; gives the number of its rows."""
        count = int(self.cursor.execute(f"INSERT INTO refused {found}").fetchall()[0][0])
        self.changed = self.changed or count > 0
        return count

    def refuse_all(self, path: str, rule: str, columns: Sequence[str]) -> None:
        """Refuse every record of a file, for each of some columns."""
        for name in columns if path in self.rows else ():
            self.refuse(f"SELECT rowid, {literal(rule)}, {literal(name)}, NULL FROM stage WHERE {self._in_file(path)}")

    def _in_file(self, path: str, place: str = "rowid") -> str:
        start = self.first[path]
        return f"{place} >= {start} AND {place} < {start + self.rows[path]}"

    def failing(self, through: Sequence[str] = ()) -> dict[str, int]:
        """The accepted rows that break a check that makes no dead letters, by the check's id; those in some Parquet files too."""
        accepted = [f"SELECT * FROM stage WHERE {self._good()}"] if self.made else []
        accepted += [f"FROM read_parquet({literal(p)})" for p in through]
        counts: dict[str, int] = {}
        for check in self.row_checks(held=False):
            for rows in accepted:
                query = f"SELECT count(*) FROM ({rows}) WHERE ({check.predicate}) IS FALSE"
                counts[check.id] = counts.get(check.id, 0) + int(self.cursor.execute(query).fetchall()[0][0])
        return {ident: count for ident, count in counts.items() if count}

    def bad(self, path: str) -> list[Bad]:
        """The records of a file that are not accepted, in order."""
        if path not in self.rows:
            return []
        by_place = f"place - {self.first[path]}"
        position = f"coalesce({NTH}, {by_place})" if self.kept[NTH] else by_place
        raw = RAW if self.kept[RAW] else "NULL"
        columns = f"place, {position}, reasons, {raw}"
        found = self.cursor.execute(f"SELECT {columns} FROM ({self._told(path)})").fetchall()
        if self.changed:
            told = "list({'rule': rule, 'name': name, 'value': value} ORDER BY rule)"
            refused = f"SELECT place, {_as_text(told)} AS reasons FROM refused WHERE {self._in_file(path, 'place')} GROUP BY place"
            if self.job.private:
                raw = treating.shown(self.job.fields, {f.name: text_of_stored(f) for f in self.job.fields})
            others = f"SELECT s.*, r.place, r.reasons FROM ({refused}) AS r JOIN stage AS s ON s.rowid = r.place WHERE s.{BAD} IS NULL"
            found += self.cursor.execute(f"SELECT place, {position}, reasons, {raw} FROM ({others})").fetchall()
        found.sort(key=itemgetter(0))
        reasons = {told: _read(told) for told in {row[2] for row in found}}  # what is wrong is the same with many
        if self.job.private:
            found = [(place, nth, told, redacted(self.job, own, reasons[told])) for place, nth, told, own in found]
            reasons = {told: tuple((rule, name, None) for rule, name, _ in each) for told, each in reasons.items()}
        return [Bad(int(nth), reasons[told], own) for _, nth, told, own in found]

    def accepted(self, columns: Sequence[str]) -> str:
        """The query of the accepted rows, of some columns in SQL."""
        return f"SELECT {', '.join(columns)} FROM stage WHERE {self._good()}"

    def unknown(self, path: str) -> list[str]:
        """The names of columns that the contract does not know and that some record of a file has a value in."""
        if path not in self.rows:
            return []
        names = f"SELECT DISTINCT unnest(map_keys({NEW})) AS name FROM stage WHERE {self._in_file(path)}"
        return [str(n) for (n,) in self.cursor.execute(f"SELECT name FROM ({names}) ORDER BY name").fetchall()]

    def empty(self, path: str, through: Sequence[str] = ()) -> list[Field]:
        """The fields that no record of a file has a value for; some of its records may stand in Parquet files."""
        fields = [f for f in self.job.fields if f.kept_type is not None]
        counts = ", ".join(f"count({quoted(f.name)})" for f in fields)
        every = [f"stage WHERE {self._in_file(path)}", *(f"read_parquet({literal(p)})" for p in through)]
        found = [self.cursor.execute(f"SELECT {counts} FROM {rows}").fetchall()[0] for rows in every]
        return [f for f, *each in zip(fields, *found, strict=True) if not any(each)]

    def news(self, path: str, names: Sequence[str]) -> tuple[str, dict[str, str]]:
        """A query of a file's values in columns that the contract does not know, and the SQL of the text of each."""
        return f"SELECT {NEW} FROM stage WHERE {self._in_file(path)}", {n: value_text(n, NEW) for n in names}

    def new_texts(self, name: str) -> str:
        """The query of the texts (`t`) that the records not refused have in a column that the contract does not know."""
        return f"SELECT t FROM (SELECT {value_text(name, NEW)} AS t FROM stage WHERE {self._good()}) WHERE t IS NOT NULL"

    def _good(self) -> str:
        besides = " AND rowid NOT IN (SELECT place FROM refused UNION ALL SELECT place FROM superseded)" if self.changed else ""
        return f"{BAD} IS NULL{besides}"


def text_of(field_: Field) -> str:
    """The name of a field's text beside its value."""
    return quoted(f"__text {field_.name}")


def _reasons(layers: Sequence[Sequence[tuple[str, str | None, str]]], fields: Sequence[Field]) -> str:
    """NULL for a good record, else what is wrong with it by the first layer that finds anything."""
    by_name = {f.name: f for f in fields}

    def listed(items: Sequence[tuple[str, str | None, str]]) -> str:
        cases = []
        for rule, name, wrong in items:
            column = by_name.get(name or "")
            value = f"substr({text_of(column)}, 1, 200)" if column is not None else "NULL::VARCHAR"
            told = literal(name) if name else "NULL::VARCHAR"
            cases.append(f"CASE WHEN {wrong} THEN {{'rule': {literal(rule)}, 'name': {told}, 'value': {value}}} END")
        return _as_text(f"list_filter([{', '.join(cases)}], lambda r: r IS NOT NULL)")

    branches = [f"WHEN {' OR '.join(f'({w})' for _, _, w in items)} THEN {listed(items)}" for items in layers if items]
    return f"CASE {' '.join(branches)} END"


def _read(told: str) -> tuple[tuple[str, str | None, str | None], ...]:
    return tuple((x["rule"], x["name"], x["value"]) for x in json.loads(told))


def _as_text(reasons: str) -> str:
    return f"CAST(to_json({reasons}) AS VARCHAR)"
