"""Rows that a flow refuses: judged once, counted, and kept as dead letters of the model, which the commit of its rows names.

The judged rows are written aside; the rows that pass are read from there by the model's query, the others become letters.
"""

from __future__ import annotations

import shutil
import tempfile
import uuid
from contextlib import contextmanager
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from xde.ground.crash import CrashPoint, crash_point
from xde.ground.errors import Bug, DataError
from xde.ground.findings import Finding
from xde.ground.names import literal, quoted
from xde.ground.records import dataclass
from xde.kernel.graph.flows.judged import BROKEN, WHY
from xde.lifecycle.storage.port import Column
from xde.lifecycle.transformation.port import Input, Layout, Query

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xde.lifecycle.storage.port import DataFile, Schema
    from xde.lifecycle.transformation.port import Engine

MOMENT = "moment"
_OLD, _NEW = "xde_letters.there", "xde_letters.fresh"
_FIELDS: dict[str, str] = {
    "id": "VARCHAR",
    "dataset": "VARCHAR",
    "file": "VARCHAR",
    "file_digest": "VARCHAR",
    "line": "BIGINT",
    "offset": "BIGINT",
    "raw": "BLOB",
    "reasons": 'STRUCT("rule" VARCHAR, "column" VARCHAR, "message" VARCHAR)[]',
    "run": "VARCHAR",
    "at": "VARCHAR",
    "header": "VARCHAR[]",
}


@dataclass(frozen=True)
class Judged:
    """A relation whose rows a flow judges.

    `sql` gives it by itself, `after` gives it from the relations before it, by their names. `types` are its columns as they are
    stored aside, with the rule that a row breaks and why; `line` is the line of the model's file that judges.
    Letters of different `salt` differ.
    """

    name: str
    sql: str
    after: str
    types: Schema
    line: int
    salt: str = ""


@dataclass(frozen=True)
class Judging:
    """What is judged in a model, the inner relations first. `sql` is its query, reading them by their names.

    `percent` and `records` say how many letters a commit may make.
    """

    sql: str
    relations: tuple[Judged, ...]
    percent: float | None = None
    records: int | None = None


class Account(NamedTuple):
    """What became of the rows of a judged relation: all of them passed or are letters."""

    line: int
    rows: int
    passed: int
    letters: int

    def fact(self) -> dict[str, int]:
        """As a commit tells of it."""
        return self._asdict()


@dataclass(slots=True)
class Letterbox:
    """The letters of one step that no commit has named yet; `total` are those of the whole step.

    `pieces` are the stretches of time that were judged, where the model is built by time: bounds, the last exclusive.
    """

    files: list[DataFile] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    pieces: list[tuple[object, object]] = field(default_factory=list)
    total: int = 0

    @property
    def letters(self) -> int:
        """How many were made since the last commit."""
        return sum(a.letters for a in self.accounts)

    def emptied(self) -> None:
        """A commit has named them."""
        self.files, self.accounts, self.pieces = [], [], []


@dataclass(frozen=True, slots=True)
class Bench:
    """Where one step judges: the table's folder, the engine that builds, the one beside us, who asks for it."""

    folder: str
    engine: Engine
    local: Engine
    dataset: str
    path: str
    run: str
    at: str
    time: str | None = None


@contextmanager
def judged(bench: Bench, judging: Judging, given: tuple[Query, Mapping[str, Input]], box: Letterbox) -> Iterator[dict[str, Input]]:
    """The judged rows, written aside for as long as they are read; those that do not pass are letters in the box afterwards.

    `given` is a query with the model's parameters and views, and what it reads. With the bounds `__start` and `__end` only rows
    within them are judged, or such without a time.
    """
    query, inputs = given
    bounds = (query.parameters["__start"], query.parameters["__end"]) if "__start" in query.parameters else None
    aside = aside_of(bench.folder)
    found: dict[str, Input] = {}
    try:
        for relation in judging.relations:
            sql = relation.after
            if bounds is not None and bench.time is not None:
                time = quoted(bench.time)
                sql = f"SELECT * FROM ({relation.sql}) WHERE ({time} >= $__start AND {time} < $__end) OR {time} IS NULL"
            asked = asking(query, sql)
            files = bench.engine.write(asked, {**inputs, **found}, str(aside), Layout(types=relation.types))
            found[relation.name] = Input(relation.types, tuple(f"{aside}/{f.path}" for f in files))
            post(bench, relation, found[relation.name], sum(f.rows for f in files), box)
        if bounds is not None:
            box.pieces.append(bounds)
        crash_point(CrashPoint.LETTERS_WRITTEN)
        yield found
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def aside_of(folder: str) -> Path:
    """A folder beside the table's files, where every engine can write; `clean` takes what a crash leaves there."""
    if "://" in folder:
        return Path(tempfile.mkdtemp(prefix="xde-judged-"))
    aside = Path(folder, f"_making_{uuid.uuid4().hex}")
    aside.mkdir(parents=True)
    return aside


def letters_folder(folder: str) -> str:
    """Where the letters of a table lie."""
    if "://" not in folder:
        Path(folder, "_letters").mkdir(parents=True, exist_ok=True)
    return f"{folder}/_letters"


def asking(query: Query, sql: str) -> Query:
    """Another text with those of a query's parameters that it names."""
    from xde.kernel.graph.flows.judged import parameters_in

    named = parameters_in(sql)
    return replace(query, sql=sql, parameters={n: v for n, v in query.parameters.items() if n in named})


def post(bench: Bench, relation: Judged, rows: Input, total: int, box: Letterbox) -> None:
    """Put the rows that do not pass into the box, and account for all of them."""
    counted = f"SELECT count(*) FROM {relation.name} WHERE {BROKEN} IS NULL"
    passed = int(str(bench.local.rows(Query(counted), {relation.name: rows})[0][0]))
    files: tuple[DataFile, ...] = ()
    if passed != total:
        files = _write(bench, _letters_of(bench, relation), {relation.name: rows})
    letters = sum(f.rows for f in files)
    if passed + letters != total:
        raise Bug(f"of {total:,} judged rows of `{bench.dataset}` {passed:,} passed and {letters:,} are dead letters")
    box.files += files
    box.accounts.append(Account(relation.line, total, passed, letters))
    box.total += letters


def _write(bench: Bench, sql: str, inputs: Mapping[str, Input]) -> tuple[DataFile, ...]:
    return bench.local.write(Query(sql), inputs, letters_folder(bench.folder), Layout())


def _letters_of(bench: Bench, relation: Judged) -> str:
    """The letters of a judged relation: a row as JSON; one that comes again is another letter, and the next build gives it the same id."""
    own = [c for c in relation.types if c.name not in {BROKEN, WHY}]
    record = ", ".join(f"{quoted(c.name)} := {_as_json(c)}" for c in own)
    moment = f", {quoted(bench.time)} AS {MOMENT}" if bench.time is not None else ""
    told = f"{BROKEN} AS rule, {WHY} AS why, CAST(to_json(struct_pack({record})) AS VARCHAR) AS record{moment}"
    rows = f"SELECT {told} FROM {relation.name} WHERE {BROKEN} IS NOT NULL"
    counted = f"SELECT *, row_number() OVER (PARTITION BY rule, record) AS nth FROM ({rows})"
    salt = f", {literal(relation.salt)}" if relation.salt else ""
    values = {
        "id": f"substr(md5(concat_ws(chr(31), {literal(bench.dataset)}, rule, record, nth{salt})), 1, 16)",
        "dataset": literal(bench.dataset),
        "file": literal(bench.path),
        "file_digest": "''",
        "line": str(relation.line),
        "offset": "NULL",
        "raw": "encode(record)",
        "reasons": "[{'rule': rule, 'column': NULL, 'message': why}]",
        "run": literal(bench.run),
        "at": literal(bench.at),
        "header": "[]",
    }
    columns = ", ".join(f"CAST({values[n]} AS {kind}) AS {quoted(n)}" for n, kind in _FIELDS.items())
    return f"SELECT {columns}{f', {MOMENT}' if bench.time is not None else ''} FROM ({counted}) ORDER BY id"


def _as_json(column: Column) -> str:
    """A value as JSON has it: what is no number there, such as NaN, as a text."""
    name = quoted(column.name)
    if column.type in {"FLOAT", "DOUBLE"}:
        return f"CASE WHEN isfinite({name}) THEN to_json({name}) ELSE to_json(CAST({name} AS VARCHAR)) END"
    return name


def refuse(bench: Bench, judging: Judging, box: Letterbox) -> None:
    """Raise `DataError` where there are more letters than the model's contract allows."""
    rows, letters = sum(a.rows for a in box.accounts), box.letters
    share = 100.0 * letters / rows if rows else 0.0
    too_many = judging.records is not None and letters > judging.records
    too_large = judging.percent is not None and share > judging.percent
    if not (too_many or too_large):
        return
    allowed = f"{judging.records} rows" if too_many else f"{judging.percent:g} %"
    paths = tuple(f"{bench.folder}/_letters/{f.path}" for f in box.files)
    asked = Query(f"SELECT decode(raw), reasons[1].rule FROM {_NEW} ORDER BY id LIMIT 3")
    samples = bench.local.rows(asked, {_NEW: Input(_schema(None), paths)})
    raise DataError(
        Finding(
            "XDE0507",
            f"`{bench.dataset}`: {letters:,} of {rows:,} rows that it validates do not pass, and its contract allows {allowed}",
            why="; ".join(f"{str(record)[:200]}: {rule}" for record, rule in samples),
            hint="mend what it reads, the rule, or `xdeDeadLetter` in its contract; nothing of this build was published",
        )
    )


def together(bench: Bench, box: Letterbox, there: Sequence[str], time: Column) -> tuple[DataFile, ...] | None:
    """All letters that hold after some stretches of time were judged anew, in one file; None where that changes nothing.

    A letter without a time belongs to every stretch.
    """
    schema = _schema(time)
    old = Input(schema, tuple(f"{bench.folder}/_letters/{f}" for f in there))
    within = " OR ".join(f"({MOMENT} >= $s{n} AND {MOMENT} < $e{n})" for n in range(len(box.pieces))) or "false"
    bounds = {f"{w}{n}": v for n, piece in enumerate(box.pieces) for w, v in zip("se", piece, strict=True)}
    inner = f"({within}) OR {MOMENT} IS NULL"
    if not box.files:
        gone = bench.local.rows(Query(f"SELECT count(*) FROM {_OLD} WHERE {inner}", bounds), {_OLD: old})[0][0]
        if not gone:
            return None
    fresh = Input(schema, tuple(f"{bench.folder}/_letters/{f.path}" for f in box.files))
    kept = f"SELECT * FROM {_OLD} WHERE NOT coalesce({inner}, false) UNION ALL SELECT * FROM {_NEW}"
    asked = Query(f"SELECT * FROM ({kept}) ORDER BY id", bounds)
    return bench.local.write(asked, {_OLD: old, _NEW: fresh}, letters_folder(bench.folder), Layout())


def _schema(time: Column | None) -> Schema:
    return (*(Column(n, k) for n, k in _FIELDS.items()), *([Column(MOMENT, time.type)] if time is not None else []))


def throw_away(folder: str, files: Sequence[DataFile]) -> None:
    """Take away letters that no commit will name."""
    if "://" not in folder:
        for file in files:
            Path(folder, "_letters", file.path).unlink(missing_ok=True)
