"""The new project as it comes about: its files, who reads whom, and what is taken out again when our own reader does not accept it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xde.undercurrents.engineering.dbt.report import Report, Waiting
from xde.undercurrents.engineering.dbt.yaml_text import yaml_text

if TYPE_CHECKING:
    from xde.ground.spans import Span
    from xde.undercurrents.engineering.dbt.sources import Loaded

ENDINGS = (".sql", ".yaml", ".csv")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a model here comes from: what it was, its name and place in the dbt project, and the datasets that it reads."""

    what: str
    name: str
    path: str
    place: Span | None
    reads: tuple[str, ...] = ()


@dataclass(slots=True)
class Project:
    """The new project: its files by path, where its models come from, its source contracts, and the report."""

    files: dict[str, str] = field(default_factory=dict)
    report: Report = field(default_factory=Report)
    origins: dict[str, Origin] = field(default_factory=dict)
    sources: dict[str, Loaded] = field(default_factory=dict)
    open_sources: set[str] = field(default_factory=set)

    def put_source(self, path: str, loaded: Loaded) -> None:
        """Write a source's contract, or write it again."""
        self.sources[path] = loaded
        self.files[path] = yaml_text(loaded.contract(self.report.project))

    def column_of_source(self, dataset: str, column: str, place: Span | None) -> bool:
        """Add a column that a model reads to a source whose files nobody knows; False when it is there, or no such source."""
        if dataset not in self.open_sources:
            return False
        schema, _, name = dataset.partition(".")
        for path, loaded in self.sources.items():
            table = next((t for t in loaded.tables if t["name"] == name), None) if loaded.name == schema else None
            known = table.get("properties") if table is not None else None
            properties = list(known) if isinstance(known, list) else []
            if table is None or any(str(p["name"]).casefold() == column.casefold() for p in properties):
                continue
            properties.append({"name": column, "logicalType": "string", "physicalType": "VARCHAR"})
            table["properties"] = properties
            self.put_source(path, loaded)
            why = "the dbt project does not describe it, and a model reads it"
            self.report.decide(f"the type of `{dataset}.{column}` is not known: text", place, why, f"write its `physicalType` in `{path}`")
            return True
        return False

    def hold(self, dataset: str, reason: str, hint: str) -> bool:
        """Take a model out of the build, and all that reads it; False when it is out already."""
        origin = self.origins.pop(dataset, None)
        if origin is None:
            return False
        place = f"models/{dataset.replace('.', '/')}"
        kept = f"undecided/{place}.sql"
        for ending in ENDINGS:
            text = self.files.pop(place + ending, None)
            if text is not None:
                self.files[f"undecided/{place}{ending}"] = text
        self.report.carried = [c for c in self.report.carried if c.became != f"{place}.sql"]
        self.report.waiting.append(Waiting(origin.what, origin.name, origin.path, kept, reason))
        self.report.decide(f"the {origin.what} `{origin.name}` is not built", origin.place, reason, hint)
        for reader in [d for d, o in self.origins.items() if dataset in o.reads]:
            self.hold(reader, f"it reads `{origin.name}`, which waits", f"move it back to `models/` when `{origin.name}` is there")
        self._cases(dataset)
        return True

    def _cases(self, dataset: str) -> None:
        path = f"tests/{dataset.replace('.', '_')}.yaml"
        text = self.files.pop(path, None)
        if text is not None:
            self.files[f"undecided/{path}"] = text

    def hold_contract(self, path: str, reason: str) -> bool:
        """Take a contract out: what it promises is held by nobody."""
        text = self.files.pop(path, None)
        if text is None:
            return False
        self.files[f"undecided/{path}"] = text
        self.report.decide(f"the contract `{path}` is not held", None, reason, f"mend it under `undecided/`, and move it to `{path}`")
        return True
