"""Types of DuckDB in the words of Delta and back: the engine itself is asked whether a text is a type."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xde.connectors.delta.grammar import Listed, Mapped, Plain, Struct, parse, render
from xde.connectors.delta.types import SIMPLE, from_delta, needs_zoneless, storable, storable_schema, to_delta
from xde.ground.errors import UserError
from xde.lifecycle.storage.port import Column

PLAIN = st.sampled_from([*SIMPLE, "DECIMAL(38,10)", "DECIMAL(1,0)"]).map(Plain)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=("Cs",)), min_size=1, max_size=8)
TYPES = st.recursive(
    PLAIN,
    lambda inner: (
        inner.map(Listed)
        | st.tuples(inner, inner).map(lambda kv: Mapped(*kv))
        | st.lists(st.tuples(NAMES, inner), min_size=1, max_size=3, unique_by=lambda f: f[0].casefold()).map(lambda fs: Struct(tuple(fs)))
    ),
    max_leaves=6,
)


@given(TYPES)
def test_a_type_survives_the_way_to_delta_and_back(kind):
    text = render(kind)
    assert parse(text) == kind
    assert storable(text) == text
    schema = (Column("c", text),)
    assert from_delta(to_delta(schema)) == schema


@pytest.mark.parametrize(
    "name", [r[0] for r in duckdb.connect().execute("SELECT DISTINCT type_name FROM duckdb_types() ORDER BY 1").fetchall()]
)
def test_every_type_name_of_the_engine_is_stored_or_refused(name):
    parts = {"array": "INTEGER[3]", "list": "INTEGER[]", "map": "MAP(INTEGER, VARCHAR)", "enum": "ENUM('a')"}
    parts |= dict.fromkeys(("struct", "row"), "STRUCT(a INTEGER)")
    refused = {"geometry", "variant", "union", "tuple", "type"}
    text = parts.get(name, name)
    if name in refused:
        with pytest.raises(UserError):
            storable(text)
        return
    stored = storable(text)
    told = duckdb.connect().execute(f"SELECT typeof(CAST(NULL AS {stored}))").fetchone()[0]
    assert storable(told) == stored, "what is stored is a type of the engine, and is stored as itself"


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        ("uuid", "VARCHAR"),
        ('"NULL"', "VARCHAR"),
        ("HUGEINT", "DECIMAL(38,0)"),
        ("UBIGINT[]", "DECIMAL(20,0)[]"),
        ("numeric(10, 2)", "DECIMAL(10,2)"),
        ("VARCHAR(20)", "VARCHAR"),
        ("timestamptz", "TIMESTAMP WITH TIME ZONE"),
        ("STRUCT(a UUID, \"b c\" ENUM('x,)\"', 'it''s'))", 'STRUCT("a" VARCHAR, "b c" VARCHAR)'),
        ("MAP(VARCHAR, STRUCT(x TIMESTAMP_NS)[])[3][]", 'MAP(VARCHAR, STRUCT("x" TIMESTAMP)[])[][]'),
    ],
)
def test_the_nearest_type_that_holds_its_values(kind, stored):
    assert storable(kind) == stored


def test_all_columns_that_cannot_be_stored_are_told_at_once():
    with pytest.raises(UserError) as told:
        storable_schema((Column("id", "BIGINT"), Column("where", "GEOMETRY"), Column("what", "UNION(a INTEGER, b VARCHAR)")))
    assert [f.code for f in told.value.findings] == ["XDE0601", "XDE0601"]
    assert "`where` of type `GEOMETRY`" in told.value.findings[0].message


@pytest.mark.parametrize(
    "text", ["", "STRUCT(", "STRUCT()", "INTEGER[", "DECIMAL(50,2)", "DECIMAL(2,5)", "MAP(INTEGER)", "INTEGER INTEGER[x]", "a)b"]
)
def test_no_type_is_a_finding(text):
    with pytest.raises(UserError):
        storable(text)


def test_a_type_of_another_tool_is_a_finding():
    with pytest.raises(UserError) as told:
        from_delta({"fields": [{"name": "v", "type": "variant"}]})
    assert told.value.findings[0].code == "XDE0607"


def test_zoneless_times_are_found_at_any_depth():
    assert needs_zoneless((Column("a", "STRUCT(x MAP(VARCHAR, TIMESTAMP[]))"),))
    assert not needs_zoneless((Column("timestamp_ntz", "VARCHAR"),))
