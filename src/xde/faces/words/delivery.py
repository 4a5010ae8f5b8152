"""What was made for delivery, in words: a pipeline file, a package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.words.findings import finding_fact
from xde.faces.words.numbers import amount

if TYPE_CHECKING:
    from xde.app.packaging import Packed
    from xde.app.pipelines import Made

_WRITTEN = {"new": "written", "older": "brought up to date", "same": "as it should be", "changed": "written over what was there"}


def pipeline_text(made: Made) -> str:
    """`written: .github/workflows/xde.yml`."""
    return f"{_WRITTEN[made.state]}: {made.shown}"


def checked_text(made: Made) -> str:
    """What `--check` says."""
    words = {
        "new": "is not there",
        "older": "is not what would be made now",
        "same": "is as it should be",
        "changed": "was changed by hand",
    }
    return f"{made.shown} {words[made.state]}"


def pipeline_fact(made: Made) -> dict[str, object]:
    """The same as JSON data; `state` is what was found before."""
    return {"path": made.shown, "state": made.state, "findings": [finding_fact(f) for f in made.warnings]}


def packed_text(packed: Packed) -> str:
    """The files of a package, and what is proven of it."""
    lines = [f"{packed.folder.name}/{name}" for name in packed.files]
    return "\n".join([*lines, f"`{packed.name}` {packed.version}: {amount(packed.proof.passed, 'case')} passed in a fresh environment"])


def packed_fact(packed: Packed) -> dict[str, object]:
    """The same as JSON data."""
    return {
        "folder": str(packed.folder),
        "files": list(packed.files),
        "name": packed.name,
        "version": packed.version,
        "cases": packed.proof.passed,
        "findings": [finding_fact(f) for f in packed.warnings],
    }
