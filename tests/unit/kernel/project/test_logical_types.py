"""The standard's word for each type of the engine."""

import duckdb
import pytest

from xde.kernel.project.logical_types import logical_type

WORDS = {"INTERVAL": None, "BIT": None, "ENUM('a')": None, "TIME_NS": "time", "VARCHAR[]": "array", "STRUCT(a INTEGER)[]": "array"}
WORDS |= {"MAP(VARCHAR, INTEGER)": "map", "STRUCT(a DATE)": "object", "DECIMAL(9,2)": "number", "TIMESTAMP WITH TIME ZONE": "timestamp"}
WORDS |= dict.fromkeys(
    ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "INT"), "integer"
)
WORDS |= {"VARCHAR": "string", "UUID": "string", "BLOB": "string", "DATE": "date", "TIME": "time", "BOOLEAN": "boolean", "DOUBLE": "number"}


@pytest.mark.parametrize(("kind", "word"), WORDS.items())
def test_a_word(kind, word):
    assert logical_type(kind) == logical_type(kind.lower()) == word


def test_the_engine_names_its_types_so():
    with duckdb.connect() as connection:
        kinds = [k for k in WORDS if k not in {"INT", "TIME_NS", "BIT"}]
        told = connection.execute(f"DESCRIBE SELECT {', '.join(f'NULL::{k} AS c{n}' for n, k in enumerate(kinds))}").fetchall()
    assert [logical_type(row[1]) for row in told] == [WORDS[k] for k in kinds]
