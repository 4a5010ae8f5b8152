"""What was made for delivery, in words: a pipeline file, a package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.words.findings import finding_fact

if TYPE_CHECKING:
    from xde.app.pipelines import Made

_WRITTEN = {"new": "written", "older": "brought up to date", "same": "as it should be", "changed": "written over what was there"}


def pipeline_text(made: Made) -> str:
    """`written: .github/workflows/xde.yml`."""
    return f"{_WRITTEN[made.state]}: {made.shown}"


def checked_text(made: Made) -> str:
    """What `--check` says."""
    words = {"new": "is not there", "older": "is not what would be made now", "same": "is as it should be", "changed": "was changed by hand"}
    return f"{made.shown} {words[made.state]}"


def pipeline_fact(made: Made) -> dict[str, object]:
    """The same as JSON data; `state` is what was found before."""
    return {"path": made.shown, "state": made.state, "findings": [finding_fact(f) for f in made.warnings]}
