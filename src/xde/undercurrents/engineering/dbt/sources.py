"""Sources of dbt are tables in a warehouse, those of xde are files: contracts that say which, and where nobody knows yet."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xde.kernel.project.logical_types import logical_type
from xde.undercurrents.engineering.dbt.configs import flag, merged, of_yaml
from xde.undercurrents.engineering.dbt.nodes import identifier
from xde.undercurrents.engineering.dbt.promised import Promised, document
from xde.undercurrents.engineering.dbt.seeds import Seed, column_types, read_csv
from xde.undercurrents.engineering.dbt.types import duckdb_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xde.kernel.project.tree import Mapping as Tree
    from xde.undercurrents.engineering.dbt.files import DbtFiles
    from xde.undercurrents.engineering.dbt.promised import Watch
    from xde.undercurrents.engineering.dbt.promises import Promising
    from xde.undercurrents.engineering.dbt.report import Report

_FORMATS = {"csv": "csv", "parquet": "parquet", "json": "json", "ndjson": "ndjson", "jsonl": "ndjson"}
_UNITS = {"minute": "m", "hour": "h", "day": "d"}
AS_A_WHOLE: tuple[dict[str, object], ...] = (
    {"property": "xdeWriteMode", "value": "replace"},
    {"property": "xdeDeadLetter", "value": {"mode": "stop"}},
)
"""How a file is loaded that holds all there is, as a seed of dbt does: wholly or not at all."""


@dataclass(frozen=True, slots=True)
class SourceTable:
    """One table of a source; `dataset` is its name here."""

    source: str
    name: str
    dataset: str
    node: Tree
    above: Tree

    @property
    def identifiers(self) -> tuple[str, str]:
        """What the warehouse calls it, and what dbt does."""
        return self.node.text("identifier") or self.name, self.name


@dataclass(slots=True)
class Loaded:
    """Tables of one contract under `sources/`, `files` are those to copy, by their path here; of those in `open` nobody knows the files."""

    name: str
    description: str = ""
    tables: list[dict[str, object]] = field(default_factory=list)
    servers: dict[tuple[str, str], str] = field(default_factory=dict)
    levels: list[dict[str, object]] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)
    watches: list[Watch] = field(default_factory=list)

    def server(self, folder: str, form: str) -> str:
        """The name of the server of a folder and format."""
        number = len(self.servers) + 1
        return self.servers.setdefault((folder, form), "files" if number == 1 else f"files_{number}")

    def contract(self, project: str) -> dict[str, object]:
        """The whole contract; which of several servers a table has stands at the table."""
        if len(self.servers) < 2:
            for table in self.tables:
                table["customProperties"] = [
                    c for c in _list(table.get("customProperties")) if not (isinstance(c, dict) and c.get("property") == "xdeServer")
                ]
        servers = [{"server": n, "type": "local", "path": folder, "format": form} for (folder, form), n in self.servers.items()]
        about = {"description": {"purpose": self.description} if self.description else None, "servers": servers}
        return document(self.name, self.tables, project, **about, slaProperties=self.levels or None)


def source_tables(files: DbtFiles) -> Iterator[SourceTable]:
    """Every table of every source, but those that are disabled."""
    for root in files.described:
        for source in root.mappings("sources"):
            name = source.text("name") or ""
            for table in source.mappings("tables"):
                own = table.text("name") or ""
                config = merged(of_yaml(source), of_yaml(table))
                if flag(config.get("enabled"), default=True):
                    yield SourceTable(name, own, f"{identifier(name)}.{identifier(own)}", table, source)


def load_sources(tables: Sequence[SourceTable], promising: Promising, seeds: Mapping[str, Seed]) -> dict[str, Loaded]:
    """A contract for each source, by its name here."""
    found: dict[str, Loaded] = {}
    for table in tables:
        name = table.dataset.partition(".")[0]
        loaded = found.setdefault(name, Loaded(name, promising.text(table.above.text("description"), table.above)))
        config = merged(of_yaml(table.above), of_yaml(table.node))
        promised = promising.of(table.dataset, table.node, config, types=True)
        _freshness(loaded, table, config, promised, promising.report)
        loaded.watches += promised.watches
        _place(loaded, table, promised, config, promising, seeds)
    return found


def _place(
    loaded: Loaded, table: SourceTable, promised: Promised, config: Mapping[str, object], promising: Promising, seeds: Mapping[str, Seed]
) -> None:
    """Where the files of a table are: those of a seed of its name, those that dbt-duckdb reads, or nobody knows."""
    name, report = table.dataset.partition(".")[2], promising.report
    seed = next((seeds[i] for i in table.identifiers if i in seeds), None)
    location = _location(config)
    folder, form, pattern = f"data/{loaded.name}", "csv", f"{name}*.csv"
    customs: list[dict[str, object]] = []
    if seed is not None:
        pattern = f"{name}.csv"
        add_columns(promised, seed, report, promising.files)
        loaded.files[f"{folder}/{pattern}"] = seed.csv
        customs = [*AS_A_WHOLE]
        report.remark(f"the source `{table.source}.{table.name}` reads the rows of the seed `{seed.path}`", table.node.span)
    elif location is not None:
        folder, form, pattern = location
        hint = "put the files there, or write in the contract where they are"
        message = f"the source `{table.source}.{table.name}` reads `{folder}/{pattern}`"
        report.decide(message, table.node.span, "dbt was told so; the path is now below the new project", hint)
    else:
        why = "a source of dbt is a table in a warehouse, and xde loads files"
        hint = f"put them into `{folder}/`, or write in `sources/{loaded.name}.yaml` where they are and how they are read"
        report.decide(f"nobody says in which files the rows of the source `{table.source}.{table.name}` come", table.node.span, why, hint)
    if seed is None:
        loaded.open.add(table.dataset)
        _catalogued(promised, table, promising)
    if seed is None and any(set(c) & {"required", "unique", "primaryKey", "quality"} for c in promised.columns.values()):
        why = (
            "a test of dbt tells of them, and they stay; `xde letters` shows them, and `xdeDeadLetter: {mode: stop}` stops the load instead"
        )
        report.remark(f"rows of `{table.dataset}` that break a rule become dead letters", table.node.span, why)
    _untyped(promised, table, report)
    customs.append({"property": "xdeServer", "value": loaded.server(folder, form)})
    loaded.tables.append({**promised.table(name, "file", customs), "physicalName": pattern})


def _location(config: Mapping[str, object]) -> tuple[str, str, str] | None:
    """Folder, format and pattern of what dbt-duckdb calls the external location; None where there is none that is a plain path."""
    meta = config.get("meta")
    told = config.get("external_location") or (meta.get("external_location") if isinstance(meta, dict) else None)
    if not isinstance(told, str) or any(c in told for c in "{}()'"):
        return None
    folder, _, pattern = told.rpartition("/")
    form = next((f for ending, f in _FORMATS.items() if f".{ending}" in pattern), None)
    return (folder or ".", form, pattern) if form is not None else None


def _catalogued(promised: Promised, table: SourceTable, promising: Promising) -> None:
    """The columns that dbt has found in the warehouse, with their types."""
    for name, kind in promising.files.catalog.get(f"{table.source}.{table.name}", {}).items():
        made = duckdb_type(kind, str(promising.world.target.get("type", "duckdb")))
        entry = promised.column(name.lower() if name.isupper() else name)
        if made is not None and "logicalType" not in entry:
            entry |= {"logicalType": logical_type(made) or "string", "physicalType": made}


def _untyped(promised: Promised, table: SourceTable, report: Report) -> None:
    missing = [n for n, c in promised.columns.items() if "logicalType" not in c]
    for name in missing:
        promised.columns[name] |= {"logicalType": "string", "physicalType": "VARCHAR"}
    if missing:
        shown = ", ".join(f"`{m}`" for m in missing)
        hint = "write the `physicalType` of each in the contract"
        report.decide(f"nobody says of which types the columns {shown} of `{table.dataset}` are: text", table.node.span, hint=hint)


def add_columns(promised: Promised, seed: Seed, report: Report, files: DbtFiles) -> bool:
    """Put the columns of a CSV file into what is promised, with their types, in the order of the file; False if it cannot be read."""
    try:
        header, rows = read_csv(seed.text, seed.delimiter)
    except csv.Error as error:
        report.decide(f"the seed `{seed.path}` cannot be read", files.span(seed.path), str(error), "mend its quotes")
        return False
    columns = dict(promised.columns)
    promised.columns.clear()
    for name, kind in column_types(header, rows, seed.types).items():
        known = next((c for n, c in columns.items() if n.casefold() == name.casefold()), {})
        columns = {n: c for n, c in columns.items() if n.casefold() != name.casefold()}
        types = {"logicalType": logical_type(kind) or "string", "physicalType": kind}
        promised.columns[name] = {"name": name, **types, **{k: v for k, v in known.items() if k != "name" and k not in types}}
    for name in columns:
        message = f"the seed `{seed.path}` has no column `{name}`, which its description names"
        report.decide(message, files.span(seed.path), hint="mend the name")
    return True


def _freshness(loaded: Loaded, table: SourceTable, config: Mapping[str, object], promised: Promised, report: Report) -> None:
    told = config.get("freshness") or table.node.value("freshness") or table.above.value("freshness")
    at = config.get("loaded_at_field") or table.node.value("loaded_at_field") or table.above.value("loaded_at_field")
    if not isinstance(told, dict) or not at:
        return
    if not isinstance(at, str) or not at.isidentifier():
        report.decide(f"the freshness of `{table.dataset}` is not carried over", table.node.span, f"`{at}` is no column")
        return
    name = str(promised.column(at)["name"])
    if "logicalType" not in promised.columns[name]:
        promised.columns[name] |= {"logicalType": "timestamp", "physicalType": "TIMESTAMP"}
    for word, severity in (("error_after", "error"), ("warn_after", "warning")):
        after = told.get(word)
        if isinstance(after, dict) and after.get("count") and after.get("period") in _UNITS:
            own = [{"property": "xdeSeverity", "value": "error"}] if severity == "error" else None
            element = f"{table.dataset.partition('.')[2]}.{name}"
            level = {"property": "freshness", "value": after["count"], "unit": _UNITS[str(after["period"])], "element": element}
            loaded.levels.append({**level, "customProperties": own})
            return


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []
