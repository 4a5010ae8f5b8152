"""Rows that come with their values and the same rows as CSV: the same table, the same letters, the same account."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from xde.connectors.duckdb.ingestion.loader import DuckdbLoader
from xde.kernel.plan.checks import Action, Check, CheckKind
from xde.lifecycle.ingestion.declare_tables import TABLE_DIALECT
from xde.lifecycle.ingestion.port import Field, Merging, SchemaChange
from xde.lifecycle.sources.tables import TYPED

if TYPE_CHECKING:
    from conftest import Desk

FIELDS = (
    Field("id", "id", "BIGINT", required=True),
    Field("n", "n", "INTEGER"),
    Field("amount", "amount", "DECIMAL(10,2)"),
    Field("narrow", "narrow", "DECIMAL(4,1)"),
    Field("x", "x", "DOUBLE"),
    Field("day", "day", "DATE"),
    Field("at", "at", "TIMESTAMP"),
    Field("seen", "seen", "TIMESTAMPTZ"),
    Field("yes", "yes", "BOOL"),
    Field("word", "word", "VARCHAR"),
    Field("code", "code", "VARCHAR", nulls=("NA",)),
    Field("level", "level", "INTEGER", nulls=("-1",)),
    Field("list", "list", "INTEGER[]"),
)
ROWS = """
  SELECT i::BIGINT AS id, CASE WHEN i % 7 = 0 THEN NULL ELSE (i * 13 % 50)::INTEGER END AS n,
    ((i * 37 % 100000) / 100)::DECIMAL(10,2) AS amount, CASE WHEN i % 11 = 0 THEN '3.25' ELSE '3.5' END AS narrow,
    CASE WHEN i % 5 = 0 THEN NULL ELSE i / 3 END::DOUBLE AS x, DATE '0001-01-01' + (i * 3000)::INTEGER AS day,
    TIMESTAMP '2026-01-02 03:04:05' + to_microseconds(i * 500000) AS at,
    (TIMESTAMP '9999-01-01' + to_microseconds(i * 10))::TIMESTAMPTZ AS seen, i % 2 = 0 AS yes,
    ['a', 'two, "of" them', 'line' || chr(10) || 'break', '', '\\N', NULL, 'ü' || chr(13), ' b '][1 + i % 8] AS word,
    ['NA', 'x', NULL][1 + i % 3] AS code, (i % 4 - 1)::INTEGER AS level, CASE WHEN i % 13 = 0 THEN '[1,' ELSE '[1, null]' END AS list
  FROM range(1, 1001) AS t (i)
"""
CHECKS = (
    Check("r.range", "s.t", CheckKind.ROW, Action.DEAD_LETTER, "`n` must be below 45", ("n",), '"n" < 45', proof=("range", None, 45)),
    Check("r.word", "s.t", CheckKind.ROW, Action.DEAD_LETTER, "`word` must not be empty", ("word",), "\"word\" <> ''"),
    Check("r.warn", "s.t", CheckKind.ROW, Action.WARN, "`x` must be above 5", ("x",), '"x" > 5'),
)
UNIQUE = Check("r.unique", "s.t", CheckKind.UNIQUE, Action.DEAD_LETTER, "`n` must be unique", ("n",))


def told(desk: Desk, what: str, large: int, query: str = ROWS, **more: Any) -> tuple[Any, ...]:
    """What a load gives of rows as they come by `COPY`, or typed."""
    path = desk.folder / f"rows-{what}"
    cursor = desk.session.cursor()
    if what == "typed":
        cursor.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 2048)")
    else:
        columns = [r[0] for r in cursor.execute(f"DESCRIBE {query}").fetchall()]
        texts = [
            f"""coalesce(CASE WHEN regexp_matches("{c}"::VARCHAR, '[",\\r\\n]') OR "{c}"::VARCHAR = '\\N'
            THEN '"' || replace("{c}"::VARCHAR, '"', '""') || '"' ELSE "{c}"::VARCHAR END, '\\N')"""
            for c in columns
        ]
        line = " || ',' || ".join(texts)
        lines = cursor.execute(f"SELECT {line} FROM ({query})").fetchall()
        path.write_text("\n".join([",".join(columns), *(x for (x,) in lines)]) + "\n", newline="")
    desk.loader = DuckdbLoader(desk.session.cursor, large)
    found = desk.found(path)
    found = replace(found, digest="", unordered=True, found=replace(found.found, path="t"), format=TYPED if what == "typed" else "")
    job = desk.job([found], more.pop("fields", FIELDS), TABLE_DIALECT, **more)
    loaded = desk.load(job)
    letters = [replace(x, line=0, offset=None) for x in desk.letters(loaded)]
    accounts = [replace(a, size=0) for a in loaded.accounts]
    return sorted(map(repr, desk.rows(loaded))), letters, accounts, loaded.failing, loaded.schema


@pytest.mark.parametrize("large", [0, 1 << 60])
@pytest.mark.parametrize("checks", [(), CHECKS, (*CHECKS, UNIQUE)])
def test_the_same_as_of_csv(desk: Desk, large: int, checks: tuple[Check, ...]) -> None:
    ours, theirs = told(desk, "typed", large, checks=checks), told(desk, "csv", 1 << 60, checks=checks)
    assert ours == theirs
    assert len(ours[1]) >= 90 + 77 - 10  # types that do not fit: every eleventh, every thirteenth


def test_a_key_of_which_the_last_stays(desk: Desk) -> None:
    more: dict[str, Any] = {"merging": Merging(("n",), "id"), "checks": CHECKS}
    ours, theirs = told(desk, "typed", 0, **more), told(desk, "csv", 0, **more)
    assert ours == theirs
    assert ours[2][0].superseded > 600


@pytest.mark.parametrize("policy", ["discard", "quarantine", "evolve"])
def test_a_column_that_the_contract_does_not_know(desk: Desk, policy: str) -> None:
    more: dict[str, Any] = {"fields": FIELDS[:-1], "schema_change": SchemaChange(policy), "query": ROWS.replace("'[1, null]'", "NULL")}
    ours, theirs = told(desk, "typed", 0, **more), told(desk, "csv", 0, **more)
    assert ours == theirs


def test_a_column_that_lacks(desk: Desk) -> None:
    query = f"SELECT * EXCLUDE (x, word) FROM ({ROWS})"
    more: dict[str, Any] = {"schema_change": SchemaChange("freeze", "evolve"), "query": query}
    assert told(desk, "typed", 0, **more) == told(desk, "csv", 0, **more)


def test_a_letter_is_read_again(desk: Desk) -> None:
    told(desk, "typed", 0, checks=CHECKS)
    found = replace(desk.found(desk.folder / "rows-typed"), format=TYPED, unordered=True)
    job = desk.job([found], FIELDS, TABLE_DIALECT, checks=CHECKS)
    loaded = desk.load(job)
    letters = desk.letters(loaded)
    assert letters[0].header[:2] == ("id", "n")
    assert letters[0].line > 1
    again = desk.replay(replace(job, checks=()), letters)
    assert 0 < again.letters < len(letters)  # those that fit no type
    assert again.accepted + again.letters == len(letters)


def test_nothing(desk: Desk) -> None:
    more: dict[str, Any] = {"query": f"{ROWS} WHERE i < 0"}
    ours = told(desk, "typed", 0, **more)
    assert (ours[0], ours[1], ours[2][0].records) == ([], [], 0)


def test_nothing_that_is_good(desk: Desk) -> None:
    more: dict[str, Any] = {"checks": (replace(CHECKS[0], predicate='"id" < 0', columns=("id",), proof=()),)}
    ours, theirs = told(desk, "typed", 0, **more), told(desk, "csv", 0, **more)
    assert ours == theirs
    assert not ours[0]
