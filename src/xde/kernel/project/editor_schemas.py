"""JSON Schemas of our own words, for editors; made from the very declarations that check the files, so that the two cannot disagree."""

from __future__ import annotations

from xde.kernel.project.model_head import HEAD
from xde.kernel.project.settings_reader import SETTINGS

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def json_schemas() -> dict[str, dict[str, object]]:
    """The schemas by file name; the files in the folder `schemas` hold the same."""
    return {
        "xde.schema.json": {"$schema": _DRAFT, "title": "xde.yaml", **SETTINGS.schema()},
        "model-head.schema.json": {"$schema": _DRAFT, "title": "Head of an xde model", **HEAD.schema()},
    }
