"""The oracle: a project's models run one after another by bare DuckDB, with nothing of ours between; and edits of models as texts."""

from __future__ import annotations

import gzip
import math
import re
import shutil
from collections import Counter
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
from sqlglot import exp, parse_one

from xde.app.deploying import Order
from xde.app.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.app.deploying import Deployed

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ROWS = 40  # of each month's flights
MOST = 20_000  # rows of a model


def small(example: str, folder: Path) -> Path:
    """A copy of an example with little data, without contracts of models: edits may break what they promise."""
    ignored = shutil.ignore_patterns(".xde", "tests")
    shutil.copytree(EXAMPLES / example, folder, ignore=ignored)
    for path in (folder / "models").rglob("*.yaml"):
        path.unlink()
    if example == "flights":
        _few_flights(folder / "data")
    for path in (folder / "sources").glob("*.yaml"):  # that there are many rows is no longer true
        path.write_text(re.sub(r"mustBeGreaterThan: \d{4,}", "mustBeGreaterThan: 0", path.read_text()))
    with Workspace.open(folder) as workspace:
        assert workspace.run().status == "done"
    assert deploy(folder).deployment is not None
    return folder


def _few_flights(data: Path) -> None:
    """Some flights of each month, and of all else what they refer to."""
    kept: list[str] = []
    for path in sorted(data.glob("flights-*.csv.gz")):
        lines = gzip.decompress(path.read_bytes()).decode().splitlines(keepends=True)[: ROWS + 1]
        path.write_bytes(gzip.compress("".join(lines).encode()))
        kept += lines
    words = set(",".join(kept).replace('"', "").split(","))
    for name in ("planes.csv", "airports.csv"):
        header, *lines = (data / name).read_text().splitlines(keepends=True)
        (data / name).write_text("".join([header, *(x for x in lines if x.replace('"', "").partition(",")[0] in words)]))
    weather = data / "weather.csv.gz"
    header, *lines = gzip.decompress(weather.read_bytes()).decode().splitlines(keepends=True)
    weather.write_bytes(gzip.compress("".join([header, *(x for x in lines if re.match(r"[^,]*,2013,\d+,1,", x))]).encode()))


def deploy(root: Path) -> Deployed:
    """Bring the working tree to `prod`."""
    return deploy_meaning(root)[0]


def deploy_meaning(root: Path) -> tuple[Deployed, dict[str, str]]:
    """The same, and the version of every dataset of the working tree: what each of them means."""
    with Workspace.open(root, environment="prod", working_tree=True) as workspace:
        return workspace.deploy(Order()), dict(workspace.known.versions)


def counted(table: pa.Table) -> Counter[tuple[str, ...]]:
    """The rows of a table whatever their order; floats to nine digits, for sums depend on the order of their terms, and
    numbers by their worth, for a table has not every type of the engine's."""
    return Counter(zip(*(_texts(c) for c in table.columns), strict=True))


def _texts(column: pa.ChunkedArray) -> list[str]:
    """Its values as they are compared; of most columns few are different, and each of them is written once."""
    if pa.types.is_nested(column.type):
        return [repr(_plain(v)) for v in column.to_pylist()]
    coded = column.combine_chunks().dictionary_encode()
    texts = [repr(_plain(v)) for v in coded.dictionary.to_pylist()]
    return [texts[i] if i is not None else "None" for i in coded.indices.to_pylist()]


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()  # two names of the same zone are no difference
    if isinstance(value, float):
        value = Decimal(f"{value:.9g}") if math.isfinite(value) else value
    return f"{Decimal(value).normalize():f}" if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


def shown(root: Path) -> dict[str, Counter[tuple[str, ...]]]:
    """The rows of every model as `prod` shows them."""
    with Workspace.open(root, environment="prod") as workspace:
        names = [n for n in workspace.known.order if n in workspace.known.project.models]
        return {n: counted(workspace.show(n, limit=None).read_all()) for n in names}


class TooManyRows(duckdb.Error):
    """A join without its condition: not worth the time of a test."""


class Bare:
    """Models run by bare DuckDB over the sources as they were loaded."""

    def __init__(self, root: Path) -> None:
        with Workspace.open(root, environment="prod") as workspace:
            known = workspace.known
            self.order = [n for n in known.order if n in known.project.models]
            self.views = {n for n in self.order if known.is_view(n)}
            self.types = {n: {c.name: c.type for c in known.schemas[n]} for n in self.order}
            self._upstream = {n: known.upstream[n] for n in self.order}
            self.parameters = known.project.settings.parameters
            self._built: dict[tuple[str, ...], dict[str, Counter[tuple[str, ...]]]] = {}
            self._sources = {n: workspace.show(n, limit=None).read_all() for n in known.project.sources}

    def build(self, texts: Mapping[str, str]) -> dict[str, Counter[tuple[str, ...]]]:
        """The rows of every model, from nothing. Raises `duckdb.Error` where a query does not run, or multiplies rows beyond use."""
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            for name, table in self._sources.items():
                self._put(connection, name, table)
            found = {}
            for name in self.order:
                sql = texts[name]
                for parameter, value in self.parameters.items():
                    sql = re.sub(rf"\${parameter}\b", str(value), sql)
                table = connection.sql(f"SELECT * FROM ({sql}) LIMIT {MOST}").to_arrow_table()
                if table.num_rows == MOST:
                    raise TooManyRows
                self._put(connection, name, table)
                found[name] = counted(table)
        return found

    def rows(self, texts: Mapping[str, str]) -> dict[str, Counter[tuple[str, ...]]]:
        """As `build`, remembered."""
        key = tuple(texts[n] for n in self.order)
        if key not in self._built:
            self._built[key] = self.build(texts)
        return self._built[key]

    def reach(self, model: str) -> set[str]:
        """All that is made from a model, at any distance."""
        found = {model}
        for name in self.order:
            if found & set(self._upstream[name]):
                found.add(name)
        return found - {model}

    @staticmethod
    def _put(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {name.partition('.')[0]}")
        connection.register("given", table)
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
        connection.unregister("given")


def file_of(root: Path, name: str) -> Path:
    """The file of a model."""
    return root / "models" / (name.replace(".", "/") + ".sql")


def split(text: str) -> tuple[str, str]:
    """A model's head, and its SQL."""
    head, end, sql = text.partition("*/")
    return head + end + "\n", sql


def texts(root: Path, names: list[str]) -> dict[str, str]:
    """The SQL of every model as it is written."""
    return {n: split(file_of(root, n).read_text())[1] for n in names}


def write(root: Path, name: str, sql: str) -> None:
    """Another SQL under the same head."""
    path = file_of(root, name)
    path.write_text(split(path.read_text())[0] + sql)


def _select(tree: exp.Expression) -> exp.Select:
    assert isinstance(tree, exp.Select)
    return tree


def columns(sql: str) -> list[str]:
    """The names of the columns that the outermost SELECT writes out."""
    return [p.alias_or_name for p in _select(parse_one(sql, dialect="duckdb")).expressions]


def with_column(sql: str, column: str, change: str) -> str:
    """The query with one column of its outermost SELECT put through an expression of `{}`."""
    tree = _select(parse_one(sql, dialect="duckdb"))
    for place, projection in enumerate(tree.expressions):
        if projection.alias_or_name == column:
            inner = projection.unalias().sql("duckdb")
            tree.expressions[place].replace(
                parse_one(f"SELECT {change.replace('{}', f'({inner})')} AS {column}", dialect="duckdb").expressions[0]
            )
    return tree.sql("duckdb", pretty=True)


def changed_columns(old: str, new: str) -> set[str] | None:
    """The columns to whose expressions a change is confined; None where it is anywhere else and may change which rows there are."""
    one, other = (_select(parse_one(s, dialect="duckdb")) for s in (old, new))
    names = [p.alias_or_name for p in one.expressions]
    if names != [p.alias_or_name for p in other.expressions] or one.args.get("distinct"):
        return None
    told = {n for n, a, b in zip(names, one.expressions, other.expressions, strict=True) if a != b}
    for tree in (one, other):
        tree.set("expressions", [exp.Star()])
    group = one.args.get("group")
    all_names = group is not None and group.args.get("all") is not None
    return told if one == other and not all_names else None
