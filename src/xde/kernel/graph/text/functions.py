"""What must be known of DuckDB's functions to tell what a query means; a test holds these lists and the engine together."""

from __future__ import annotations

AGGREGATES = frozenset(
    [
        "arbitrary",
        "arg_max_null",
        "arg_max_nulls_last",
        "arg_min_null",
        "arg_min_nulls_last",
        "bitstring_agg",
        "combine_aggr",
        "count_star",
        "decimal_average",
        "entropy",
        "favg",
        "fsum",
        "histogram",
        "histogram_exact",
        "kahan_sum",
        "kurtosis_pop",
        "lttb",
        "mad",
        "mean",
        "product",
        "reservoir_quantile",
        "sem",
        "sum_no_overflow",
        "sumkahan",
        "variant_group_object",
    ]
)
"""Aggregates that the parser does not know to be such."""

SPREADING = frozenset({"unnest", "generate_subscripts"})
"""Functions that make many rows of one."""

TAKE_LAMBDAS = frozenset(
    [
        "transform",
        "arrayfilter",
        "reduce",
        "list_transform",
        "array_transform",
        "list_apply",
        "array_apply",
        "apply",
        "list_filter",
        "array_filter",
        "filter",
        "list_reduce",
        "array_reduce",
    ]
)
"""Functions whose arguments may be lambdas; in any other, `a -> b` takes a value out of JSON."""

NAME_THEIR_ARGUMENTS = frozenset({"struct", "struct_pack", "struct_insert", "struct_update", "row", "alias", "union_value"})
"""Functions in whose value the names of their arguments show."""

SINGLE_COLUMN = frozenset({"range", "generate_series", "unnest"})
"""Table functions with one column, named after its alias or else after the function."""

READ_FILES = frozenset({"glob", "sniff_csv", "st_read", "query_files"})
READ_FILES_PREFIXES = ("read_", "parquet_", "scan_", "copy_from_")
READ_FILES_SUFFIXES = ("_scan", "_attach", "_query", "_metadata", "_snapshots")

READ_BY_TEXT = frozenset({"query", "query_table"})
"""Table functions that name what they read in a text, where nobody can see it."""

TABLE_FUNCTIONS = frozenset(
    [
        "generate_series",
        "histogram",
        "histogram_values",
        "json_each",
        "json_tree",
        "pg_timezone_names",
        "query",
        "query_table",
        "range",
        "repeat",
        "repeat_row",
        "seq_scan",
        "summary",
        "test_all_types",
        "test_vector_types",
        "unnest",
    ]
)
"""The engine's own functions that stand as a table in a query; any other such name is that of a flow, or misspelt."""

OF_THE_ENGINE = ("duckdb_", "pragma_", "icu_", "pandas_", "python_", "arrow_", "json_execute", "register_", "deregister_", "destroy_")
"""How functions begin that tell of the engine itself, or work on it."""

FILE_ENDINGS = (".csv", ".parquet", ".json", ".ndjson", ".jsonl", ".xlsx", ".gz", ".zst", ".tsv", ".txt", ".arrow", ".db", ".duckdb")


def reads_files(function: str) -> bool:
    """Whether a table function reads from outside the project."""
    name = function.lower()
    return name in READ_FILES or name.startswith(READ_FILES_PREFIXES) or name.endswith(READ_FILES_SUFFIXES)


def gives_a_table(function: str) -> bool:
    """Whether the engine has a function of this name that stands as a table."""
    name = function.lower()
    return name in TABLE_FUNCTIONS or reads_files(name) or name.startswith(OF_THE_ENGINE)


def is_file(table: str) -> bool:
    """Whether the name in a FROM clause is that of a file."""
    return "/" in table or "*" in table or table.lower().endswith(FILE_ENDINGS)
