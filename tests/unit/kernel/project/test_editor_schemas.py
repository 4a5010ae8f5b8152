"""The JSON Schemas for editors are what the fields say."""

from __future__ import annotations

import json
from importlib import resources

import pytest
from jsonschema import Draft202012Validator

from xde.kernel.project.editor_schemas import json_schemas


@pytest.mark.parametrize("name", json_schemas())
def test_the_files_hold_what_the_declarations_say(name):
    """On a failure: write `json.dumps(schema, indent=2, ensure_ascii=False)` and a line end into the file."""
    written = (resources.files("xde.kernel.project") / "schemas" / name).read_text(encoding="utf-8")
    assert written == json.dumps(json_schemas()[name], indent=2, ensure_ascii=False) + "\n"
    Draft202012Validator.check_schema(json.loads(written))


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        (
            "xde.schema.json",
            {"name": "x", "lake": "y", "engine": {"threads": 2}, "environments": {"prod": None}},
            {"name": "x", "paralel": 2},
        ),
        ("xde.schema.json", {"name": "x", "lake": {"path": "y", "options": {"a": 1}}}, {"name": "x", "lake": {"options": {}}}),
        ("xde.schema.json", {"name": "x", "parameters": {"a": [1, "b"]}}, {"name": "x", "parameters": {"a b": 1}}),
        ("model-head.schema.json", {"kind": "incremental", "time": "d", "lookback": "3 days"}, {"kind": "viw"}),
        ("model-head.schema.json", {"key": ["a", "b"]}, {"lookback": "1 month"}),
    ],
)
def test_editors_complain_as_we_do(name, right, wrong):
    validator = Draft202012Validator(json_schemas()[name])
    assert validator.is_valid(right) and not validator.is_valid(wrong)
