"""A project read whole: settings, contracts and models by dataset name, with every finding of all of its files at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xde.ground.findings import Finding, Findings, Severity
from xde.ground.names import did_you_mean, is_identifier
from xde.ground.spans import Span
from xde.kernel.project.declarations import FlowFile, Project, SourceDataset
from xde.kernel.project.files import SETTINGS_FILE, digest_of, project_digest, project_files
from xde.kernel.project.memory import Memory
from xde.kernel.project.python_reader import read_python_model
from xde.kernel.project.reference_linter import lint_references
from xde.kernel.project.seed_reader import read_seed
from xde.kernel.project.settings_reader import read_settings
from xde.kernel.project.yaml_reader import decoded

if TYPE_CHECKING:
    from pathlib import Path

    from xde.kernel.project.contract import Contract, SchemaObject
    from xde.kernel.project.declarations import Dataset, ModelDataset
    from xde.kernel.project.files import ProjectFile, ProjectFiles
    from xde.kernel.project.settings import Settings

__all__ = ["project_digest", "read_project"]


def read_project(root: Path, memory: Memory | None = None, files: ProjectFiles | None = None) -> tuple[Project | None, Findings]:
    """The project in a folder, and what is wrong with it; None without readable settings. Nothing that a user wrote raises anything.

    What `memory` knows of a file as it is now is not worked out again; `files` are those of the folder, where they are at hand.
    """
    files = files or project_files(root)
    reading = _Reading(memory or Memory())
    settings = reading.settings(files)
    for file in files.sources:
        reading.source(file)
    reading.library(files.library)
    reading.models(files.models)
    flows = reading.flows(files.flows)
    reading.findings.items += lint_references(reading.datasets, reading.contracts)
    if settings is None:
        return None, reading.findings
    return Project(root, settings, reading.datasets, digest_of(files.all), flows), reading.findings


class _Reading:
    """What was read so far."""

    def __init__(self, known: Memory) -> None:
        self.known = known
        self.findings = Findings()
        self.datasets: dict[str, Dataset] = {}
        self.contracts: list[tuple[str, Contract]] = []
        self.places: dict[str, tuple[str, Span | None]] = {}
        self.shared: dict[str, str] = {}

    def settings(self, files: ProjectFiles) -> Settings | None:
        """The settings of the project."""
        if files.settings is None:
            hint = "`xde init` makes a project; or go to the folder that holds one"
            finding = Finding(
                "XDE0101", f"there is no `{SETTINGS_FILE}` here", Span(SETTINGS_FILE), why="it makes a folder a project", hint=hint
            )
            self.findings.items.append(finding)
            return None
        content = self._content(files.settings)
        if content is None:
            return None
        settings, findings = read_settings(content, SETTINGS_FILE)
        self.findings.items += findings
        return settings

    def source(self, file: ProjectFile) -> None:
        """A contract under `sources/`: each of its tables is a dataset."""
        content = self._content(file)
        if content is None:
            return
        schema = _stem(file.path)
        self._check_part(schema, "the name of a contract's file is the schema of its tables", Span(file.path))
        contract = self._contract(content, file.path, schema)
        for table in contract.schema if contract is not None else ():
            if not table.name or contract is None:
                continue
            self._check_part(table.name, "the name of a table is part of a dataset's name", table.span)
            if not table.properties:
                why = "what is loaded gets its types from the contract"
                hint = "add `properties` with a `name` and `logicalType` for each column"
                self._say("XDE0324", f"the table `{table.name}` has no columns", table.span, why, hint)
            self._declare(SourceDataset(f"{schema}.{table.name}", contract, table), file.path, table.span)

    def models(self, files: list[ProjectFile]) -> None:
        """Models under `models/`, each with the contract beside it if there is one."""
        contracts = {_without_ending(f.path): f for f in files if f.path.endswith((".yaml", ".yml"))}
        models = {_without_ending(f.path) for f in files if f.path.endswith((".sql", ".py", ".csv"))}
        for file in files:
            if file.path.endswith((".sql", ".py", ".csv")):
                self._model(file, contracts.get(_without_ending(file.path)))
            elif file.content is None:
                self._content(file)
            elif _without_ending(file.path) not in models:
                wanted = _without_ending(file.path) + ".sql"
                hint = did_you_mean(wanted, [m + ".sql" for m in models]) or f"add `{wanted}`, or delete the contract"
                self._say("XDE0123", f"`{file.path}` is a contract without a model", Span(file.path), f"there is no `{wanted}`", hint)

    def library(self, files: list[ProjectFile]) -> None:
        """The texts of `lib/`, which Python models may import."""
        self.shared = {f.path: f.text for f in self.flows(files)}

    def flows(self, files: list[ProjectFile]) -> tuple[FlowFile, ...]:
        """The texts of the project's own flow functions."""
        found = []
        for file in files:
            content = self._content(file)
            text, finding = decoded(content, file.path) if content is not None else ("", None)
            if finding is not None:
                self.findings.items.append(finding)
            elif content is not None:
                found.append(FlowFile(file.path, text))
        return tuple(found)

    def _model(self, file: ProjectFile, beside: ProjectFile | None) -> None:
        parts = file.path.split("/")
        stem = _stem(file.path)
        if len(parts) < 3:
            hint = f"move it to `models/SCHEMA/{stem}.sql`"
            self._say(
                "XDE0122", f"`{file.path}` is in no schema", Span(file.path), "the folder of a model is the schema of its dataset", hint
            )
            schema = "models"
        else:
            schema = parts[1]
            self._check_part(schema, "the folder of a model is the schema of its dataset", Span(file.path))
        self._check_part(stem, "the name of a model's file is the name of its dataset", Span(file.path))
        contract, table = self._contract_beside(beside, schema, stem)
        content = self._content(file)
        if content is None:
            return
        if file.path.endswith(".csv"):
            model, findings = read_seed(f"{schema}.{stem}", file.path, content, contract, table)
        elif file.path.endswith(".py"):
            model, findings = self._python(f"{schema}.{stem}", file.path, content, (contract, table))
        else:
            model, findings = self.known.model(f"{schema}.{stem}", content, file.path)
        self.findings.items += findings
        if model is not None:
            promised = model if contract is None else replace(model, contract=contract, object=table)
            self._declare(promised, file.path, Span(file.path))

    def _python(
        self, name: str, path: str, content: bytes, promise: tuple[Contract | None, SchemaObject | None]
    ) -> tuple[ModelDataset | None, list[Finding]]:
        text, finding = decoded(content, path)
        return read_python_model(name, path, text, self.shared, promise) if finding is None else (None, [finding])

    def _contract_beside(self, file: ProjectFile | None, schema: str, stem: str) -> tuple[Contract | None, SchemaObject | None]:
        content = self._content(file) if file is not None else None
        contract = self._contract(content, file.path, schema) if content is not None and file is not None else None
        if contract is None:
            return None, None
        table = next((t for t in contract.schema if t.name == stem), None)
        for other in contract.schema:
            if other is not table and other.name:
                why = "a contract beside a model describes the one table that the model makes"
                self._say("XDE0124", f"`{other.name}` is not the name of the model", other.span, why, f"call it `{stem}`")
        if table is None and not contract.schema:
            why = "a contract beside a model describes the table that the model makes"
            self._say("XDE0124", f"the contract does not describe `{stem}`", contract.span, why, f"add `schema:` with `- name: {stem}`")
        return contract, table

    def _contract(self, content: bytes, path: str, schema: str) -> Contract | None:
        contract, findings = self.known.contract(content, path)
        self.findings.items += findings
        if contract is not None:
            self.contracts.append((schema, contract))
        return contract

    def _content(self, file: ProjectFile) -> bytes | None:
        if file.content is None:
            hint = "give yourself the right to read it, or delete it"
            self._say("XDE0102", f"`{file.path}` cannot be read", Span(file.path), f"the system says: {file.reason}", hint)
        return file.content

    def _check_part(self, name: str, why: str, span: Span | None) -> None:
        if not is_identifier(name):
            hint = "use letters, digits and `_`, and begin with a letter; `physicalName` keeps the old name"
            self._say("XDE0120", f"`{name}` cannot be part of a dataset's name", span, why, hint)

    def _declare(self, dataset: Dataset, path: str, span: Span | None) -> None:
        before = self.places.get(dataset.name.casefold())
        if before is not None:
            if before[0] == path:
                return  # twice in one contract: said by its linter
            why = f"it is declared in {before[1] or before[0]} already; upper and lower case are the same here"
            self._say("XDE0121", f"the dataset `{dataset.name}` is declared twice", span, why, "rename one of the two")
            return
        self.places[dataset.name.casefold()] = (path, span)
        self.datasets[dataset.name] = dataset

    def _say(self, code: str, message: str, span: Span | None, why: str, hint: str, severity: Severity = Severity.ERROR) -> None:
        self.findings.items.append(Finding(code, message, span, "", why, hint, severity))


def _stem(path: str) -> str:
    return _without_ending(path).rpartition("/")[2]


def _without_ending(path: str) -> str:
    for ending in (".odcs.yaml", ".odcs.yml"):
        if path.endswith(ending):
            return path.removesuffix(ending)
    return path.rpartition(".")[0]
