"""datacontract-cli beside us: where a rule cites what was measured of it, it says the same for readers; where we differ, we say so here."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from xde.undercurrents.management.compatibility.kinds import ChangeKind, Verdict
from xde.undercurrents.management.compatibility.rules import RULES
from xde.undercurrents.management.compatibility.sources import Source

sys.path.insert(0, str(Path(__file__).parent))

from test_table import HEAD, ROWS

LEVELS = {"none": Verdict.SAFE, "info": Verdict.SAFE, "warning": Verdict.RISKY, "error": Verdict.BREAKING}
DIFFER = {
    ChangeKind.TYPE_WIDENED: "error",  # it knows no types that hold others
    ChangeKind.SPELLING_CHANGED: "error",  # nor two names of one type
    ChangeKind.PHYSICAL_NAME_CHANGED: "error",  # its readers go to the physical table; ours to the dataset
    ChangeKind.GRAIN_CHANGED: "info",
    ChangeKind.CLASSIFICATION_RAISED: "info",
    ChangeKind.MASKING_ADDED: "info",
    ChangeKind.UNIT_CHANGED: "info",
    ChangeKind.SLA_LOOSENED: "info",
    ChangeKind.RETENTION_SHORTENED: "info",
    ChangeKind.SERVER_REMOVED: "info",
    ChangeKind.STATUS_RETIRED: "info",
}


def pairs() -> dict[ChangeKind, tuple[str, str]]:
    """The first row of each kind that is cited as measured, or told to differ."""
    found: dict[ChangeKind, tuple[str, str]] = {}
    for kind, back, old, new in ROWS:
        found.setdefault(kind, (HEAD + old, HEAD + new))
        found.setdefault(back, (HEAD + new, HEAD + old))
    return {k: p for k, p in found.items() if Source.MEASURED in RULES[k].sources or k in DIFFER}


@pytest.mark.peer
def test_what_is_cited_as_measured_is_what_it_says():
    program = shutil.which("datacontract")
    if program is None:
        pytest.skip("datacontract-cli is not installed")
    python = Path(program).read_text(encoding="utf-8").splitlines()[0].removeprefix("#!")
    asked = pairs()
    script = str(Path(__file__).with_name("peer_verdicts.py"))
    done = subprocess.run([python, script], input=json.dumps(list(asked.values())), capture_output=True, text=True, check=True)
    answers = dict(zip(asked, json.loads(done.stdout), strict=True))
    assert {k: v for k, v in answers.items() if k in DIFFER} == DIFFER
    assert {k.name: v for k, v in answers.items() if k not in DIFFER and LEVELS[v] is not RULES[k].consumers} == {}


def test_no_rule_cites_what_differs():
    assert [k for k in DIFFER if Source.MEASURED in RULES[k].sources] == []
