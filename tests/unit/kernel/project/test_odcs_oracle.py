"""The standard's own JSON schema judges thousands of small contracts made from the samples, and so do we."""

from __future__ import annotations

import pytest

import copy
import json
from importlib import resources
from pathlib import Path
from typing import Any

from jsonschema import Draft201909Validator

from xde.ground.findings import Severity
from xde.kernel.project.odcs import read_contract
from xde.kernel.project.yaml_reader import read_yaml

SAMPLES = Path(__file__).parent / "samples"
FRAME = {"apiVersion": "v3.2.0", "kind": "DataContract", "id": "a", "version": "1.0.0"}
REPLACEMENTS: tuple[Any, ...] = (None, 1, 0.5, -1, True, "word", "", [], ["word"], {}, {"word": 1})

Path_ = tuple[Any, ...]


def oracle() -> Draft201909Validator:
    """The validator of the standard."""
    text = (resources.files("open_data_contract_standard") / "schema.json").read_text(encoding="utf-8")
    return Draft201909Validator(json.loads(text))


def sample(name: str) -> dict[str, Any]:
    """A sample as plain data."""
    root, findings = read_yaml((SAMPLES / name).read_bytes(), name)
    assert root is not None and not findings
    return root.data()


def small_documents() -> list[dict[str, Any]]:
    """The samples in pieces: a contract for each of their parts, so that the oracle is quick."""
    found: list[dict[str, Any]] = []
    for name in ("crm.odcs.yaml", "lineitem.odcs.yaml"):
        whole = sample(name)
        for key, value in whole.items():
            if key in FRAME:
                continue
            if key == "schema":
                found += [{**FRAME, "schema": [piece]} for table in value for piece in _pieces(table)]
            elif isinstance(value, list):
                found += [{**FRAME, key: [item]} for item in value]
            else:
                found.append({**FRAME, key: value})
    found += [{**FRAME, **more} for more in MORE]
    return found


def _pieces(table: dict[str, Any]) -> list[dict[str, Any]]:
    rest = {k: v for k, v in table.items() if k not in ("properties", "quality")}
    pieces = [rest]
    pieces += [{"name": "t", "properties": [column]} for column in table.get("properties", [])]
    pieces += [{"name": "t", "quality": [rule]} for rule in table.get("quality", [])]
    return pieces


MORE: tuple[dict[str, Any], ...] = (
    {"team": [{"username": "ada", "role": "owner"}]},
    {"servers": [{"server": "a", "type": "postgres", "host": "h", "port": "${PORT}", "database": "d", "schema": "s"}]},
    {"servers": [{"server": "a", "type": "sftp", "location": "sftp://host/x"}]},
    {"servers": [{"server": "a", "type": "custom", "path": "x", "warehouse": "w"}]},
    {
        "schema": [
            {
                "name": "t",
                "properties": [{"name": "v", "logicalType": "vector", "logicalTypeOptions": {"dimensions": 3, "elementType": "float32"}}],
            }
        ]
    },
    {
        "schema": [
            {
                "name": "t",
                "properties": [
                    {"name": "m", "logicalType": "map", "map": {"key": {"logicalType": "string"}, "value": {"logicalType": "integer"}}}
                ],
            }
        ]
    },
    {
        "schema": [
            {
                "name": "t",
                "properties": [
                    {
                        "name": "o",
                        "logicalType": "object",
                        "properties": [{"name": "x", "logicalType": "time", "logicalTypeOptions": {"timezone": True}}],
                    }
                ],
            }
        ]
    },
    {
        "schema": [
            {
                "name": "t",
                "properties": [{"name": "x", "logicalType": "integer", "relationships": [{"to": "u.x", "type": "foreignKey"}]}],
                "relationships": [{"from": ["t.a", "t.b"], "to": ["u.a", "u.b"]}],
                "quality": [{"metric": "rowCount", "mustBeBetween": [1, 10]}, {"type": "sql", "query": "SELECT 1", "mustNotBe": "x"}],
            }
        ]
    },
)


def mutations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Each document that differs from the given one in one part, with the name of the change."""
    found: list[tuple[str, dict[str, Any]]] = []
    for path, value in _parts(document, ()):
        if path:
            found.append((f"without {_name(path)}", _changed(document, path, remove=True)))
            found += [
                (f"{_name(path)} = {json.dumps(new)}", _changed(document, path, new))
                for new in REPLACEMENTS
                if type(new) is not type(value) or new != value
            ]
        if isinstance(value, dict):
            found.append((f"{_name(path)} + unknownWord", _changed(document, (*path, "unknownWord"), "x")))
            for word in ("mustBeLessThan", "metric", "query", "from"):
                if word not in value:
                    found.append((f"{_name(path)} + {word}", _changed(document, (*path, word), 1)))
        if isinstance(value, list) and value:
            found.append((f"{_name(path)} doubled", _changed(document, path, [*value, copy.deepcopy(value[0])])))
    return found


def _parts(value: Any, path: Path_) -> list[tuple[Path_, Any]]:
    found = [(path, value)]
    if isinstance(value, dict):
        for key, item in value.items():
            found += _parts(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += _parts(item, (*path, index))
    return found


def _changed(document: dict[str, Any], path: Path_, new: Any = None, *, remove: bool = False) -> dict[str, Any]:
    made = copy.deepcopy(document)
    at: Any = made
    for step in path[:-1]:
        at = at[step]
    if remove:
        del at[path[-1]]
    else:
        at[path[-1]] = new
    return made


def _name(path: Path_) -> str:
    return ".".join(str(step) for step in path) or "the document"


def _schema_needs_a_type(name: str, document: dict[str, Any]) -> bool:
    """The one exception. The JSON schema asks "if the type is map, then `map` must be there" in a way that is true of a property without any
    type: it rejects all of those, though the standard says that a type may be left out. We read them.
    """
    return any("properties" in t and any(_untyped(c) for c in t["properties"]) for t in document["schema"] if isinstance(t, dict))


def _untyped(column: Any) -> bool:
    if not isinstance(column, dict):
        return False
    inner = [column.get("items"), *(column.get("map") or {}).values(), *(column.get("properties") or [])]
    return "logicalType" not in column or any(isinstance(c, dict) and _untyped(c) for c in inner)


@pytest.mark.slow
def test_we_judge_contracts_as_the_standard_does():
    validator = oracle()
    seen: set[str] = set()
    accepted = rejected = 0
    for number, document in enumerate(small_documents()):
        for place, (name, mutated) in enumerate([("as it is", document), *mutations(document)]):
            text = json.dumps(mutated)
            if text in seen or (place + number) % 4:
                continue
            seen.add(text)
            _, _, findings = read_contract(text.encode(), "a.yaml")
            errors = [f.message for f in findings if f.severity is Severity.ERROR]
            if validator.is_valid(mutated):
                accepted += 1
                assert not errors, (name, text)
            else:
                rejected += 1
                assert errors or _schema_needs_a_type(name, mutated), (name, text)
    assert accepted > 500 and rejected > 2000


def test_the_whole_samples_are_right_by_both():
    for name in ("crm.odcs.yaml", "lineitem.odcs.yaml"):
        assert oracle().is_valid(sample(name))
        assert not read_contract((SAMPLES / name).read_bytes(), name)[2]
