"""The lattice of types, held by what the engine itself can cast without loss."""

from __future__ import annotations

import pytest

from xde.undercurrents.management.compatibility.types import Fit, Type, fit, parsed, type_of

WIDER = [
    ("TINYINT", "SMALLINT"),
    ("INTEGER", "BIGINT"),
    ("int", "HUGEINT"),
    ("UTINYINT", "SMALLINT"),
    ("UINTEGER", "BIGINT"),
    ("DECIMAL(10,2)", "DECIMAL(12, 2)"),
    ("NUMERIC(10,1)", "DECIMAL(12,3)"),
    ("REAL", "DOUBLE PRECISION"),
    ("VARCHAR(5)", "VARCHAR(6)"),
    ("varchar(5)", "TEXT"),
    ("TIMESTAMP_S", "TIMESTAMP"),
    ("INTEGER[]", "BIGINT[]"),
    ("FLOAT[][]", "DOUBLE[][]"),
]
OTHER = [
    ("DATE", "TIMESTAMP"),
    ("TIMESTAMP", "TIMESTAMPTZ"),
    ("INTEGER", "UINTEGER"),
    ("INTEGER", "DOUBLE"),
    ("INTEGER", "VARCHAR"),
    ("DECIMAL(10,2)", "DECIMAL(10,4)"),
    ("DECIMAL(10,2)", "DOUBLE"),
    ("INTEGER", "INTEGER[]"),
    ("INTEGER[3]", "INTEGER[4]"),
    ("STRUCT(a INTEGER)", "STRUCT(a BIGINT)"),
    ("TIMESTAMP", "TIMESTAMP_NS"),
    ("ENUM('a')", "ENUM('a', 'b')"),
]
SAME = [
    ("INT8", "bigint"),
    ("DECIMAL", "DECIMAL(18, 3)"),
    ("DECIMAL(5)", "NUMERIC(5,0)"),
    ("timestamp with time zone", "TIMESTAMPTZ"),
    ("STRUCT(a  INTEGER)", "struct(A integer)"),
    ("STRING", "VARCHAR"),
    ("TIMESTAMP(6) WITH TIME ZONE", "TIMESTAMPTZ"),
]


@pytest.mark.parametrize(("old", "new"), WIDER)
def test_wider(old, new):
    assert fit(parsed(old), parsed(new)) is Fit.WIDER
    assert fit(parsed(new), parsed(old)) is Fit.NARROWER


@pytest.mark.parametrize(("old", "new"), OTHER)
def test_other(old, new):
    assert fit(parsed(old), parsed(new)) is Fit.OTHER
    assert fit(parsed(new), parsed(old)) is Fit.OTHER


@pytest.mark.parametrize(("old", "new"), SAME)
def test_same(old, new):
    assert fit(parsed(old), parsed(new)) is Fit.SAME


def test_what_is_logical_alone():
    assert type_of(None, None, {}) is None
    assert type_of(None, "integer", {"format": "u16"}) == Type("USMALLINT")
    assert type_of(None, "number", {"format": "f32"}) == Type("FLOAT")
    assert type_of(None, "timestamp", {"timezone": True}) == parsed("TIMESTAMP WITH TIME ZONE")
    assert type_of("VARCHAR(3)", "date", {}) == Type("VARCHAR", (3,))


@pytest.mark.parametrize("text", ["", "???", "DECIMAL(", "VARCHAR(x)", "[]", "MAP(VARCHAR, INTEGER)", "a b c(1) d"])
def test_whatever_is_written_is_itself(text):
    assert fit(parsed(text), parsed(text)) is Fit.SAME
    assert fit(parsed(text), parsed("BIGINT")) is Fit.OTHER


EXTREMES = {
    "TINYINT": ("-128", "127"), "SMALLINT": ("-32768", "32767"), "INTEGER": ("-2147483648", "2147483647"),
    "BIGINT": ("-9223372036854775808", "9223372036854775807"), "UTINYINT": ("0", "255"), "USMALLINT": ("0", "65535"),
    "UINTEGER": ("0", "4294967295"), "UBIGINT": ("0", "18446744073709551615"), "DECIMAL(10,2)": ("-99999999.99", "99999999.99"),
    "DECIMAL(12,2)": ("-9999999999.99", "9999999999.99"), "DECIMAL(12,4)": ("-99999999.9999", "99999999.9999"),
}  # fmt: skip


def test_the_engine_agrees_that_a_wider_type_holds_every_value_and_another_does_not():
    import duckdb

    connection = duckdb.connect()
    for old, values in EXTREMES.items():
        for new in EXTREMES:
            if ("DECIMAL" in old) != ("DECIMAL" in new):
                continue  # a whole number and a decimal are of two families, whatever fits
            casts = [f"TRY_CAST('{v}'::{old} AS {new})::VARCHAR IS NOT DISTINCT FROM '{v}'" for v in values]
            held = [
                connection.execute(
                    f"SELECT coalesce(TRY_CAST('{v}'::{old} AS {new})::DECIMAL(38,4) = '{v}'::DECIMAL(38,4), false)"
                ).fetchone()[0]
                for v in values
            ]
            assert (fit(parsed(old), parsed(new)) in {Fit.SAME, Fit.WIDER}) == all(held), (old, new, casts)
