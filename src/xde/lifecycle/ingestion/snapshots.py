"""Capture by comparison: what a source holds, whole, against what it held before; the difference is written as a log would tell it."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING

from xde.ground.errors import DataError
from xde.ground.findings import Finding, Severity
from xde.ground.names import literal, quoted
from xde.ground.records import dataclass
from xde.kernel.plan.checks import Action, Check, CheckKind
from xde.lifecycle.sources.tables import COMMITTED, LSN, OPERATION, SEQUENCE, TOLD, TRANSACTION
from xde.lifecycle.storage.merging import Rewritten
from xde.lifecycle.storage.port import Column
from xde.lifecycle.storage.rewrite import GONE, NEW, OLD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.ground.findings import Findings
    from xde.ground.spans import Span
    from xde.kernel.project.contract import Custom
    from xde.kernel.project.declarations import SourceDataset
    from xde.lifecycle.ingestion.port import Field, Loaded, LoadJob
    from xde.lifecycle.storage.merging import Merger
    from xde.lifecycle.storage.port import DataFile, Schema, Snapshot

HALF = 50.0  # percent of its rows that a snapshot may be short of, unless the contract says it
OF_COMPARISON = ("key", "maxGonePercent", "goneDespiteLetters")  # words of `xdeCapture` that a log has no use for
OF_LOG = ("publication", "slot", "batch")
WORD = "capture"
_IS, _WAS = "__is", "__was"


@dataclass(frozen=True, slots=True)
class Comparison:
    """That a source is captured by comparison. `key` tells its rows apart; `log`: each change becomes a row of its own.

    `most_gone` is how many percent of the rows a snapshot may lack that were there before. `despite_letters`: what a snapshot with dead
    letters lacks is gone; else that waits, for a row may be lacking because it became a letter.
    """

    key: tuple[str, ...]
    log: bool
    most_gone: float = HALF
    despite_letters: bool = False
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of it: the files of the table, those with new rows, how many changes of each kind, and what is to be told."""

    schema: Schema
    table: Rewritten
    fresh: Sequence[DataFile]
    counts: Mapping[str, int]
    findings: tuple[Finding, ...] = field(default=())

    @property
    def rows(self) -> int:
        """How many changes there were."""
        return sum(self.counts.values())


def by_comparison(given: Mapping[str, Custom]) -> bool:
    """Whether a contract's object is captured by comparison."""
    words = given[WORD].value if WORD in given else None
    return isinstance(words, dict) and words.get("by") == "comparison"


def comparison_of(dataset: SourceDataset, fields: Sequence[Field], mode: str, findings: Findings) -> Comparison | None:
    """How a dataset is captured by comparison, or None where it is not; what is wrong with it goes to the findings."""
    given = dataset.object.custom
    if not by_comparison(given):
        return None
    words, at = given[WORD].value, given[WORD].span
    said = words if isinstance(words, dict) else {}
    named = said.get("key")
    key = tuple(str(k) for k in named) if isinstance(named, list) and named else dataset.object.key
    wrong = _wrong(dataset, {f.name: f for f in fields}, mode, key)
    for told, why, hint in wrong:
        findings.add(Finding("XDE0542", told, at, "by comparison", why, hint))
    most = said.get("maxGonePercent", HALF)
    return Comparison(
        key, mode == "append", float(most) if isinstance(most, int | float) else HALF, said.get("goneDespiteLetters") is True, at
    )


def _wrong(dataset: SourceDataset, by_name: Mapping[str, Field], mode: str, key: Sequence[str]) -> list[tuple[str, str, str]]:
    name, told = dataset.name, {f.source_name for f in by_name.values()} & set(TOLD)
    found = []
    said = dataset.object.custom[WORD].value
    for word in (w for w in OF_LOG if isinstance(said, dict) and w in said):
        found.append((f"`{word}` of `{name}` says nothing where snapshots are compared", "", f"take `{word}` away, or `by: comparison`"))
    if mode == "replace":
        why = "a comparison gives changes, which `merge` brings into a table and `append` writes down one below the other"
        found.append((f"`{name}` is captured, and all of it is replaced", why, "say `merge` or `append`"))
    if not key:
        why = "rows of two snapshots are brought together by it"
        hint = "add `primaryKey: true` to the columns of its key" + (", or `key: [...]` to `xdeCapture`" if mode == "append" else "")
        found.append((f"`{name}` is captured but has no primary key", why, hint))
    for each in key:
        if each not in by_name or by_name[each].source_name in TOLD or by_name[each].kept_type is None:
            found.append((f"`{each}` is no column of the key that `{name}` could have", "", "name columns of the contract"))
    if mode == "append" and (missing := [w for w in (OPERATION, LSN, SEQUENCE) if w not in told]):
        why = "without them nobody could tell what happened, and in what order"
        hint = "add properties such as `{name: operation, physicalName: $operation, logicalType: string}`"
        found.append((f"the log of changes `{name}` does not name {', '.join(f'`{m}`' for m in missing)}", why, hint))
    if TRANSACTION in told:
        found.append((f"`{name}` asks for `{TRANSACTION}`", "a snapshot does not tell who wrote its rows", "take that property away"))
    if "incrementalCursor" in dataset.object.custom:
        hint = "take `xdeIncrementalCursor` or `xdeCapture` away"
        found.append((f"`{name}` has a cursor, and is captured by comparison", "what a cursor passes over would be taken for gone", hint))
    if mode == "append" and dataset.object.key:
        hint = "take `primaryKey` away, and write `key: [...]` in `xdeCapture`"
        found.append((f"the log of changes `{name}` has a primary key", "it has a row for each change of a key", hint))
    return found


def job_of(job: LoadJob, how: Comparison, folder: str) -> LoadJob:
    """A load of a whole snapshot into a folder of its own: a row without key, or with one that is there already, is a dead letter."""
    told = {f.name for f in job.fields if f.source_name in TOLD}
    fields = [replace(f, required=True) if f.name in how.key else f for f in job.fields if f.name not in told]
    checks = [c for c in job.checks if told.isdisjoint(c.columns) and not _of_key(c, how)]
    message = f"{', '.join(f'`{k}`' for k in how.key)} {'is' if len(how.key) == 1 else 'are'} there twice in one snapshot"
    checks.append(Check(f"{job.dataset}.snapshot_key", job.dataset, CheckKind.UNIQUE, Action.DEAD_LETTER, message, how.key))
    stored = tuple(c for c in job.stored if c.name not in told)
    return replace(job, fields=fields, checks=checks, stored=stored, folder=folder, merging=None, existing=(), evolved=())


def _of_key(check: Check, how: Comparison) -> bool:
    return check.kind is CheckKind.UNIQUE and set(check.columns) == set(how.key)


@dataclass(frozen=True, slots=True)
class Difference:
    """A snapshot against the table: `aside` is a folder for what is thrown away, `fields` are those of the contract, `at` is now (ISO)."""

    how: Comparison
    merger: Merger
    fields: Sequence[Field]
    stored: Schema
    at: str
    aside: str

    def against(self, before: Snapshot | None, loaded: Loaded, folder: str, *, anew: bool) -> Compared:
        """What is written into the folder of the table. Raises `DataError` where too much is gone."""
        schema = self._schema(loaded)
        fresh = (loaded.schema, tuple(f"{self.aside}/{f.path}" for f in loaded.files))
        if before is None or anew:
            adds = self.merger.write(self._first(schema), {NEW: fresh}, {}, folder) if loaded.files else ()
            removes = before.files if before is not None else ()
            return Compared(schema, Rewritten(adds, removes), adds, {"r": loaded.accepted})
        schema = (*schema, *(c for c in before.schema if c.name not in {x.name for x in schema}))
        old = (before.schema, before.paths)
        known = {c.name for c in loaded.schema}
        inputs = {OLD: old, NEW: fresh} if loaded.files else {OLD: old}
        told = self.merger.write(self._sql(schema, before, known, there=bool(loaded.files)), inputs, {}, self.aside)
        if not told:
            return Compared(schema, Rewritten((), ()), (), {})
        waits = loaded.letters > 0 and not self.how.despite_letters
        counts = self._counted(self._seen(schema, told))
        if not waits:
            self._bounded(before, counts, loaded)
        elif counts["d"]:
            told = self.merger.write(f"SELECT * FROM {NEW} WHERE NOT {quoted(GONE)}", {NEW: self._seen(schema, told)}, {}, self.aside)
        findings = (self._waiting(loaded, counts["d"]),) if waits and counts["d"] else ()
        table, rows = self._written(before, told, schema) if told else (Rewritten((), ()), told)
        return Compared(schema, table, rows, {k: n for k, n in counts.items() if n and not (waits and k == "d")}, findings)

    def _seen(self, schema: Schema, told: Sequence[DataFile]) -> tuple[Schema, tuple[str, ...]]:
        marks = (Column(GONE, "BOOLEAN"), Column(_IS, "VARCHAR"))
        return (*schema, *marks), tuple(f"{self.aside}/{f.path}" for f in told)

    def _written(self, before: Snapshot, told: Sequence[DataFile], schema: Schema) -> tuple[Rewritten, Sequence[DataFile]]:
        """The table after the changes that are told, and its files with new rows."""
        seen, columns = self._seen(schema, told), ", ".join(quoted(c.name) for c in schema)
        if self.how.log:
            adds = self.merger.write(f"SELECT {columns} FROM {NEW}", {NEW: seen}, {}, before.folder)
            return Rewritten(adds, ()), adds
        return self.merger.bring_in(before, told, (seen, schema), self.how.key)

    def _schema(self, loaded: Loaded) -> Schema:
        known = {c.name for c in self.stored}
        return (*self.stored, *(c for c in loaded.schema if c.name not in known))

    def _told(self, operation: str, number: str) -> dict[str, str]:
        """The SQL of the columns that are told of a change, by their names."""
        order = ", ".join(quoted(k) for k in self.how.key)
        said = {
            OPERATION: operation,
            LSN: number,
            SEQUENCE: f"row_number() OVER (ORDER BY {order})",
            COMMITTED: f"CAST({literal(self.at)} AS TIMESTAMP WITH TIME ZONE)",
        }
        types = {c.name: c.type for c in self.stored}
        return {f.name: f"CAST({said[f.source_name]} AS {types[f.name]})" for f in self.fields if f.source_name in said}

    def _first(self, schema: Schema) -> str:
        told = self._told("'r'", "1")
        return f"SELECT {', '.join(f'{told[c.name]} AS {quoted(c.name)}' if c.name in told else quoted(c.name) for c in schema)} FROM {NEW}"

    def _sql(self, schema: Schema, before: Snapshot, known: set[str], *, there: bool) -> str:
        """The rows that are new, that differ, or that are gone as they were last; with `GONE`, and what happened."""
        plain = {f.name: f.source_name for f in self.fields}
        base = [c for c in schema if plain.get(c.name) not in TOLD]
        had = {c.name for c in before.schema}

        def one(column: str, of: str, names: set[str], kind: str) -> str:
            return f"{of}.{quoted(column)}" if column in names else f"CAST(NULL AS {kind})"

        same = " AND ".join(f"n.{quoted(k)} = o.{quoted(k)}" for k in self.how.key)
        others = [c for c in base if c.name not in self.how.key]
        differ = " OR ".join(f"{one(c.name, 'n', known, c.type)} IS DISTINCT FROM {one(c.name, 'o', had, c.type)}" for c in others)
        picked = ", ".join(
            f"CASE WHEN {_IS} THEN {one(c.name, 'n', known, c.type)} ELSE {one(c.name, 'o', had, c.type)} END AS {quoted(c.name)}"
            for c in base
        )
        new = f"SELECT *, true AS {_IS} FROM {NEW}" if there else self._nothing(before)
        joined = (
            f"SELECT {picked}, CASE WHEN {_WAS} IS NULL THEN 'c' WHEN {_IS} IS NULL THEN 'd' ELSE 'u' END AS {_IS} "
            f"FROM ({new}) AS n FULL JOIN ({self._state()}) AS o ON {same} "
            f"WHERE {_IS} IS NULL OR {_WAS} IS NULL{f' OR {differ}' if differ else ''}"
        )
        told = self._told(_IS, self._number())
        columns = ", ".join(f"{told[c.name]} AS {quoted(c.name)}" if c.name in told else quoted(c.name) for c in schema)
        return f"SELECT {columns}, {_IS} = 'd' AS {quoted(GONE)}, {_IS} FROM ({joined})"

    def _nothing(self, before: Snapshot) -> str:
        keys = ", ".join(f"CAST(NULL AS {c.type}) AS {quoted(c.name)}" for c in before.schema)
        return f"SELECT {keys}, true AS {_IS} WHERE false"

    def _state(self) -> str:
        """The rows that the snapshot before had: of a log the last of each key, unless it says that the key is gone."""
        if not self.how.log:
            return f"SELECT *, true AS {_WAS} FROM {OLD}"
        by = ", ".join(quoted(k) for k in self.how.key)
        order = ", ".join(f"{quoted(self._named(w))} DESC" for w in (LSN, SEQUENCE))
        last = f"SELECT * FROM {OLD} QUALIFY row_number() OVER (PARTITION BY {by} ORDER BY {order}) = 1"
        return f"SELECT *, true AS {_WAS} FROM ({last}) WHERE {quoted(self._named(OPERATION))} <> 'd'"

    def _number(self) -> str:
        """The number of this load, in SQL: one more than that of any before."""
        name = next((f.name for f in self.fields if f.source_name == LSN), None)
        return f"(SELECT coalesce(max({quoted(name)}), 0) + 1 FROM {OLD})" if name is not None else "1"

    def _named(self, word: str) -> str:
        return next(f.name for f in self.fields if f.source_name == word)

    def _counted(self, seen: tuple[Schema, tuple[str, ...]]) -> dict[str, int]:
        found = self.merger.read(f"SELECT {_IS}, count(*) FROM {NEW} GROUP BY ALL", {NEW: seen}, {})
        return {"c": 0, "u": 0, "d": 0, **{str(k): int(str(n)) for k, n in found}}

    def _bounded(self, before: Snapshot, counts: Mapping[str, int], loaded: Loaded) -> None:
        """Raise where more is gone than may be."""
        were = loaded.accepted - counts["c"] + counts["d"]
        share = 100.0 * counts["d"] / were if were else 0.0
        if share <= self.how.most_gone:
            return
        name = before.table.dataset
        told = f"`{name}` would lose {counts['d']:,} of {were:,} rows, {share:.0f} %; the contract allows {self.how.most_gone:g} %"
        if not loaded.accepted:
            told = f"the snapshot of `{name}` is empty, and {were:,} rows were there before"
        why = "a delivery that was cut off, or a query that failed half way, looks just like rows that are gone; nothing was published"
        hint = "mend the source; or, if they are gone, write `maxGonePercent: 100` in `xdeCapture` for this load"
        raise DataError(Finding("XDE0543", told, self.how.span, "too much is gone", why, hint))

    def _waiting(self, loaded: Loaded, gone: int) -> Finding:
        told = f"{gone:,} rows are not in the snapshot, and are not told to be gone, for it has {loaded.letters:,} dead letters"
        hint = "mend these records; or write `goneDespiteLetters: true` in `xdeCapture`"
        return Finding(
            "XDE0544", told, self.how.span, "", "a row may be missing because its record became a dead letter", hint, Severity.WARNING
        )
