"""A model that is a Python function, as data: its inputs, its parameters, its texts. What reads it is `python_reader`."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from xde.ground.spans import Span


class Form(StrEnum):
    """As what a function takes or gives rows."""

    ARROW = "pyarrow.Table"
    BATCHES = "pyarrow.RecordBatchReader"
    POLARS = "polars.DataFrame"
    POLARS_LAZY = "polars.LazyFrame"
    PANDAS = "pandas.DataFrame"
    DUCKDB = "duckdb.DuckDBPyRelation"
    NARWHALS = "narwhals.DataFrame"
    NARWHALS_LAZY = "narwhals.LazyFrame"
    SPARK = "pyspark.sql.DataFrame"


class Given(NamedTuple):
    """An input of a function: the dataset, and of it these `columns` (all when none are named); `time` is the column of its intervals."""

    parameter: str
    dataset: str
    form: Form
    columns: tuple[str, ...] = ()
    time: str | None = None
    span: Span | None = None


class Setting(NamedTuple):
    """A parameter of a function that is a value (`start`, `end`, `today` or one of `xde.yaml`), with the name of its type if it has one."""

    name: str
    type: str | None = None
    span: Span | None = None


class PythonCode(NamedTuple):
    """A model that is a Python function, as it stands in its file; nothing of it was run.

    `files` are the texts that it needs by their paths in the project, its own first; `meaning` is a digest of their syntax trees, without
    docstrings and the decorator. `requires` are requirements of packages (PEP 508), `columns` what the decorator says of the output.
    """

    function: str
    given: tuple[Given, ...]
    settings: tuple[Setting, ...]
    gives: Form
    files: tuple[tuple[str, str], ...]
    meaning: str
    requires: tuple[tuple[str, Span], ...] = ()
    columns: tuple[tuple[str, str, Span], ...] = ()
    memory: str | None = None
    timeout: str | None = None


RESULT = "xde_python.result"
"""The name under which what a function gave is read."""
