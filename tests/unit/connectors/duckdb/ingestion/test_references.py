"""Rows that refer to nothing: letters with their reason, whole accounts, and a missing reference left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from xde.ground.errors import UserError
from xde.kernel.plan.checks import Action, Check, CheckKind
from xde.lifecycle.ingestion.port import Field
from xde.lifecycle.storage.port import Column

if TYPE_CHECKING:
    from conftest import Desk

FIELDS = (Field("id", "id", "BIGINT"), Field("of", "of", "VARCHAR"), Field("up", "up", "BIGINT"))
H = b"id,of,up\n"
OF = Check(
    "s.t.of.reference", "s.t", CheckKind.REFERENCE, Action.DEAD_LETTER, "`of` is not in `s.p`", ("of",), to_dataset="s.p", to_columns=("k",)
)
UP = Check(
    "s.t.up.reference", "s.t", CheckKind.REFERENCE, Action.DEAD_LETTER, "`up` is no `id`", ("up",), to_dataset="s.t", to_columns=("id",)
)
UNIQUE = Check("s.t.id.unique", "s.t", CheckKind.UNIQUE, Action.DEAD_LETTER, "`id` must be unique", ("id",))


def parents(desk: Desk, *keys: str):
    name = f"{desk.folder}/parents.parquet"
    listed = ", ".join(f"('{k}')" for k in keys)
    desk.session.cursor().execute(f"COPY (SELECT * FROM (VALUES {listed}) AS p(k)) TO '{name}' (FORMAT parquet)")
    return {"s.p": ((Column("k", "VARCHAR"),), (name,))}


def test_orphans_are_letters_and_rows_without_a_reference_are_rows(desk: Desk) -> None:
    one = desk.file(H + b"1,a,\n2,b,\nz,b,\n3,,\n", "one.csv")
    two = desk.file(H + b'4,c,\n5,"a",\n', "two.csv")
    loaded = desk.load(desk.job([one, two], FIELDS, checks=[OF], others=parents(desk, "a", "d")))
    assert [r[:2] for r in desk.rows(loaded)] == [(1, "a"), (3, None), (5, "a")]
    letters = [(x.file, x.line, x.raw, x.reasons[0].rule, x.reasons[0].column) for x in desk.letters(loaded)]
    assert letters == [
        ("one.csv", 3, b"2,b,", OF.id, "of"),
        ("one.csv", 4, b"z,b,", "type", "id"),
        ("two.csv", 2, b"4,c,", OF.id, "of"),
    ]
    assert desk.letters(loaded)[0].reasons[0].message == "`of` is not in `s.p`; it is `b`"
    assert loaded.failing == {OF.id: 2, "type": 1}
    assert [(a.records, a.accepted, a.letters) for a in loaded.accounts] == [(4, 2, 2), (2, 1, 1)]


def test_a_personal_reference_is_not_shown(desk: Desk) -> None:
    job = desk.job([desk.file(H + b"1,b,\n")], FIELDS, checks=[OF], others=parents(desk, "a"), personal=("of",))
    assert desk.letters(desk.load(job))[0].reasons[0].message == "`of` is not in `s.p`"


def test_a_reference_of_several_columns(desk: Desk) -> None:
    both = replace(OF, columns=("of", "id"), to_columns=("k", "n"))
    name = f"{desk.folder}/p.parquet"
    desk.session.cursor().execute(f"COPY (SELECT 'a' AS k, 1::BIGINT AS n) TO '{name}' (FORMAT parquet)")
    others = {"s.p": ((Column("k", "VARCHAR"), Column("n", "BIGINT")), (name,))}
    loaded = desk.load(desk.job([desk.file(H + b"1,a,\n2,a,\n3,,\n")], FIELDS, checks=[both], others=others))
    assert [r[0] for r in desk.rows(loaded)] == [1, 3]
    assert desk.letters(loaded)[0].reasons[0].message.endswith("it is `a, 2`")


def test_every_reference_that_fails_is_told_once(desk: Desk) -> None:
    again = replace(OF, id="s.t.of.second")
    loaded = desk.load(desk.job([desk.file(H + b"1,b,\n2,a,\n")], FIELDS, checks=[OF, again], others=parents(desk, "a")))
    assert [[r.rule for r in x.reasons] for x in desk.letters(loaded)] == [[OF.id, again.id]]


def test_a_table_that_refers_to_itself(desk: Desk) -> None:
    """Record 5 refers to 4, which refers to 3, which refers to nothing: all three go, whatever their order."""
    before = desk.load(desk.job([desk.file(H + b"1,a,\n", "old.csv")], FIELDS))
    own = {"s.t": (before.schema, tuple(f"{desk.folder}/table/{f.path}" for f in before.files))}
    file = desk.file(H + b"5,a,4\n2,a,1\n3,a,99\n4,a,3\n6,a,2\n7,a,7\n")
    loaded = desk.load(desk.job([file], FIELDS, checks=[UP], others=own))
    assert [r[0] for r in desk.rows(loaded)] == [2, 6, 7]
    assert [x.line for x in desk.letters(loaded)] == [2, 4, 5]


def test_a_key_is_not_taken_by_an_orphan(desk: Desk) -> None:
    file = desk.file(H + b"1,b,\n1,a,\n1,a,\n")
    loaded = desk.load(desk.job([file], FIELDS, checks=[UNIQUE, OF], others=parents(desk, "a")))
    assert desk.rows(loaded) == [(1, "a", None)]
    assert [(x.line, x.reasons[0].rule) for x in desk.letters(loaded)] == [(2, OF.id), (4, UNIQUE.id)]


def test_what_was_never_built_makes_no_letters(desk: Desk) -> None:
    with pytest.raises(UserError) as raised:
        desk.load(desk.job([desk.file(H + b"1,b,\n")], FIELDS, checks=[OF]))
    assert raised.value.findings[0].code == "XDE0422"


def test_an_orphan_is_a_row_once_its_parent_is_there(desk: Desk) -> None:
    job = desk.job([desk.file(H + b"1,b,\n2,c,\n")], FIELDS, checks=[OF], others=parents(desk, "a"))
    letters = desk.letters(desk.load(job))
    again = desk.replay(replace(job, others=parents(desk, "a", "b")), letters)
    assert [r[:2] for r in desk.rows(again)] == [(1, "b")]
    assert [x.id for x in desk.letters(again)] == [letters[1].id]
