"""Types of DuckDB taken apart and in Spark's words."""

import pytest

from xde.connectors.spark.portable.types import key_and_value, parts, spark_type, text


@pytest.mark.parametrize(
    ("duck", "spark"),
    [
        ("INTEGER", "INT"),
        ("TIMESTAMP", "TIMESTAMP_NTZ"),
        ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP"),
        ("HUGEINT", "DECIMAL(38,0)"),
        ("DECIMAL(12,3)", "DECIMAL(12,3)"),
        ("VARCHAR[][]", "ARRAY<ARRAY<STRING>>"),
        ('STRUCT(a INTEGER, "b, c" DECIMAL(5,2)[])', "STRUCT<`a`: INT, `b, c`: ARRAY<DECIMAL(5,2)>>"),
        ("MAP(VARCHAR, STRUCT(x BIGINT))", "MAP<STRING, STRUCT<`x`: BIGINT>>"),
        ("TIME", None),
        ("UUID", None),
        ("UBIGINT", None),
        ("STRUCT(a UUID)", None),
        ("INTEGER[3]", None),
    ],
)
def test_a_type_in_the_words_of_spark(duck, spark):
    assert spark_type(duck) == spark


def test_what_is_taken_apart():
    assert [p.name for p in parts('STRUCT("a ""q""" INTEGER, b STRUCT(c DATE))')] == ['a "q"', "b"]
    assert key_and_value("MAP(VARCHAR, DECIMAL(4,1))") == ("VARCHAR", "DECIMAL(4,1)")


def test_a_text_is_escaped_for_spark():
    assert text("it's a \\ and\na tab\t") == "'it\\'s a \\\\ and\\na tab\\t'"
