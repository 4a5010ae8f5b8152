"""Rows, whatever holds them: lists of mappings, frames of pandas, Polars and Spark, Arrow tables, and what a model gave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from xde.app.trying import Tried
    from xde.undercurrents.engineering.testing.case import Table


@dataclass(frozen=True, slots=True, repr=False)
class ModelRows:
    """What a model made of the rows that were given. `sql` is its query, `empty` the inputs that nobody gave."""

    model: str
    _tried: Tried

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(self._tried.rows.column_names)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows as mappings of Python values."""
        found: list[dict[str, Any]] = self._tried.rows.to_pylist()
        return found

    @property
    def sql(self) -> str:
        """The query that was asked."""
        return self._tried.sql

    @property
    def empty(self) -> tuple[str, ...]:
        """The inputs that nobody gave, and that so were empty."""
        return self._tried.empty

    @property
    def key(self) -> tuple[str, ...]:
        """The key of the model, by its contract or its head."""
        return self._tried.key

    def arrow(self) -> pa.Table:
        """The rows as an Arrow table."""
        return self._tried.rows

    def pandas(self) -> Any:  # noqa: ANN401 - pandas need not be there
        """The rows as a data frame of pandas."""
        return self._tried.rows.to_pandas()

    def polars(self) -> Any:  # noqa: ANN401 - Polars need not be there
        """The rows as a data frame of Polars."""
        import polars

        return polars.from_arrow(self._tried.rows)

    def __len__(self) -> int:
        """How many rows there are."""
        return int(self._tried.rows.num_rows)

    def __repr__(self) -> str:
        return f"<{len(self)} rows of {self.model}: {', '.join(self.columns)}>"


@dataclass(frozen=True, slots=True)
class Frame:
    """Rows as mappings, with the columns that any of them names, in order of first mention or of the frame."""

    columns: tuple[str, ...]
    rows: list[Mapping[str, object]]
    notes: tuple[str, ...] = field(default=())
    key: tuple[str, ...] = ()


def frame_of(data: object) -> Frame:
    """Rows of anything that holds rows. Raises `TypeError` for what does not."""
    __tracebackhide__ = True
    if isinstance(data, ModelRows):
        notes = ("not given, and so empty: " + ", ".join(f"`{n}`" for n in data.empty),) if data.empty else ()
        return Frame(data.columns, list(data.rows), notes, data.key)
    if (table := arrow_of(data)) is not None:
        return Frame(tuple(table.column_names), table.to_pylist())
    rows = _spark(data)
    if rows is not None:
        return Frame(tuple(data.columns), rows)  # type: ignore[attr-defined]  # Spark's
    rows = _mappings(data)
    return Frame(tuple(dict.fromkeys(str(c) for row in rows for c in row)), rows)


def given_of(data: object) -> Table | pa.Table:
    """Rows as a model's input can be made of them. Raises `TypeError` and `UserError`."""
    __tracebackhide__ = True
    if isinstance(data, ModelRows):
        return data.arrow()
    if (table := arrow_of(data)) is not None:
        return table
    from xde.app.trying import table_of

    rows = _spark(data)
    return table_of(_mappings(data) if rows is None else rows)


def arrow_of(data: object) -> pa.Table | None:
    """An Arrow table of what can be one; None for what cannot."""
    if hasattr(data, "iloc") and hasattr(data, "to_dict"):
        return _pandas(data)
    if hasattr(data, "collect_schema") and hasattr(data, "collect"):  # lazy, of Polars
        data = data.collect()
    if hasattr(data, "__arrow_c_stream__"):
        import pyarrow as pa

        return pa.table(data)
    if hasattr(data, "to_arrow"):
        return data.to_arrow()
    return None


def _pandas(data: Any) -> pa.Table:  # noqa: ANN401 - pandas need not be there
    """A frame of pandas; an index counts as columns where it has names. NaN and NaT are NULL."""
    import pyarrow as pa

    if data.ndim == 1:
        data = data.to_frame()
    if any(name is not None for name in data.index.names):
        data = data.reset_index()
    return pa.Table.from_pandas(data, preserve_index=False)


def _spark(data: object) -> list[Mapping[str, object]] | None:
    """The rows of a frame of Spark (classic or Connect), as Python values."""
    if not hasattr(data, "toPandas") or not hasattr(data, "collect"):
        return None
    return [row.asDict(recursive=True) for row in data.collect()]


def _mappings(data: object) -> list[Mapping[str, object]]:
    __tracebackhide__ = True
    if isinstance(data, Iterable) and not isinstance(data, (str, bytes, Mapping)):
        rows = list(data)
        if all(isinstance(row, Mapping) for row in rows):
            return rows
    msg = f"rows are a list of mappings, a data frame or an Arrow table, not {type(data).__name__}"
    raise TypeError(msg)
