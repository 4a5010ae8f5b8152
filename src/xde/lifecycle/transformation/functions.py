"""Python models: what is asked of whoever runs their functions, and the engine that writes what they give back."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from xde.ground.names import quoted, quoted_name
from xde.ground.records import dataclass
from xde.kernel.project.python_code import RESULT, Form
from xde.lifecycle.transformation.port import Input, Layout, Query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pyarrow as pa

    from xde.kernel.project.python_code import Given
    from xde.lifecycle.storage.port import DataFile, Schema
    from xde.lifecycle.transformation.port import Call, Engine


@dataclass(frozen=True, slots=True)
class Fed:
    """What one parameter is given: local Parquet files, all of them with the columns of `schema`."""

    given: Given
    schema: pa.Schema
    paths: tuple[str, ...]


class Functions(Protocol):
    """Runs functions of users in processes of their own, on several threads at once."""

    def folder(self) -> AbstractContextManager[Path]:
        """A folder for one call, gone at the end."""
        ...

    def call(self, call: Call, fed: Sequence[Fed], schema: pa.Schema, folder: Path) -> tuple[str, ...]:
        """Run it and give the Parquet files of its rows, which are exactly of `schema`. Raises `UserError` for all that it may do wrong."""
        ...

    def cancel(self) -> None:
        """End every process under way; their calls raise `KeyboardInterrupt`."""
        ...


class CallingEngine:
    """An engine that also builds Python models: it feeds the function, and writes what comes back as it writes any query."""

    def __init__(self, engine: Engine, local: Engine, functions: Callable[[], Functions]) -> None:
        self._engine = engine
        self._local = local  # functions run here, whatever builds the SQL models
        self._functions = functions  # made when the first is called
        self.dialect = engine.dialect

    def columns(self, query: Query, inputs: Mapping[str, Input]) -> Schema:
        """See `Engine`."""
        return self._engine.columns(query, inputs)

    def write(self, query: Query, inputs: Mapping[str, Input], folder: str, layout: Layout) -> tuple[DataFile, ...]:
        """See `Engine`."""
        if query.call is None:
            return self._engine.write(query, inputs, folder, layout)
        with self._called(query, query.call, inputs) as (asked, result):
            return self._local.write(asked, result, folder, layout)

    def read(self, query: Query, inputs: Mapping[str, Input]) -> pa.RecordBatchReader:
        """See `Engine`; a function is not called to be read."""
        return self._engine.read(query, inputs)

    def rows(self, query: Query, inputs: Mapping[str, Input]) -> Sequence[tuple[object, ...]]:
        """See `Engine`."""
        if query.call is None:
            return self._engine.rows(query, inputs)
        with self._called(query, query.call, inputs) as (asked, result):
            return self._local.rows(asked, result)

    def progress(self) -> Mapping[int, float]:
        """See `Engine`."""
        return self._engine.progress()

    def cancel(self) -> None:
        """See `Engine`."""
        self._functions().cancel()
        self._engine.cancel()

    @contextmanager
    def _called(self, query: Query, call: Call, inputs: Mapping[str, Input]) -> Iterator[tuple[Query, dict[str, Input]]]:
        code = call.model.python
        with (functions := self._functions()).folder() as folder:
            fed = [self._fed(given, query, call, inputs, folder) for given in code.given] if code is not None else []
            paths = functions.call(call, fed, self._arrow(call.types), folder)
            yield Query(query.sql, query.parameters), {RESULT: Input(call.types, paths)}

    def _fed(self, given: Given, query: Query, call: Call, inputs: Mapping[str, Input], folder: Path) -> Fed:
        """The files of an input; what is no table of files on this machine, or only a part of one, is written out for it."""
        names = {n.lower(): n for n in (*inputs, *query.views)}
        name = names[given.dataset.lower()]
        bounds = call.interval if given.time is not None else None
        here = inputs.get(name)
        if here is not None and bounds is None and not any("://" in p for p in here.paths):
            types = {c.name: c for c in here.schema}
            schema = tuple(types[c] for c in given.columns) if given.columns else here.schema
            return Fed(given, self._arrow(schema), here.paths)
        columns = ", ".join(map(quoted, given.columns)) or "*"
        sql, values = f"SELECT {columns} FROM {quoted_name(name)}", dict[str, object]()
        if bounds is not None and given.time is not None:
            time = quoted(given.time)
            sql += f" WHERE ({time} >= $__start AND {time} < $__end) OR {time} IS NULL"
            values = {"__start": bounds[0], "__end": bounds[1]}
        asked = replace(query, sql=sql, parameters=values, call=None)
        schema = self._local.columns(asked, {n: Input(i.schema) for n, i in inputs.items()})
        aside = folder / f"rows of {given.parameter}"
        aside.mkdir()
        files = self._local.write(asked, inputs, str(aside), Layout(types=schema))
        return Fed(given, self._arrow(schema), tuple(str(aside / f.path) for f in files))

    def _arrow(self, types: Schema) -> pa.Schema:
        """A schema in Arrow's words: what the engine itself makes of it."""
        cells = ", ".join(f"CAST(NULL AS {c.type}) AS {quoted(c.name)}" for c in types)
        return self._local.read(Query(f"SELECT {cells} WHERE false"), {}).schema


def is_spark(call: Call) -> bool:
    """Whether a function takes or gives data frames of Spark."""
    code = call.model.python
    return code is not None and Form.SPARK in {code.gives, *(g.form for g in code.given)}
