"""The examples: contracts that the standard accepts, in the lowest version that suffices, and cases that pass and would notice a fault."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import open_data_contract_standard
import pytest
import yaml
from xde.app.mutating import put_to_the_test
from xde.app.testing import TestBench
from xde.undercurrents.engineering.mutants.killing import State
from xde.undercurrents.engineering.mutants.mutant import Mutant

ROOT = Path(__file__).resolve().parents[2]
STANDARD = json.loads((Path(open_data_contract_standard.__file__).parent / "schema.json").read_text(encoding="utf-8"))
CONTRACTS = sorted(p for p in (ROOT / "examples").rglob("*.yaml") if {"sources", "models"} & set(p.relative_to(ROOT).parts))
MODELS = sorted((p.parents[2].name, f"{p.parent.name}.{p.stem}") for p in (ROOT / "examples").glob("*/models/*/*.sql"))
LEAST_SCORE = 0.9
ONLY_SINCE_3_2 = {"enum", "vendor", "context", "semanticType", "synonyms"}


def words(node: object) -> set[str]:
    """Every key of a document, outside of what its authors made up themselves."""
    if isinstance(node, dict):
        return {str(k) for k in node} | {w for k, v in node.items() if k != "value" for w in words(v)}
    if isinstance(node, list):
        return {w for item in node for w in words(item)}
    return set()


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_standard_accepts_the_contract(path):
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(STANDARD)(STANDARD)
    assert [f"{list(e.absolute_path)}: {e.message}" for e in validator.iter_errors(document)] == []
    assert document["apiVersion"] == "v3.1.0"
    assert not words(document) & ONLY_SINCE_3_2


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_dataset_and_column_is_described_and_somebody_answers_for_it(path):
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert any(member["role"] == "owner" for member in document["team"]["members"])
    for table in document["schema"]:
        assert table["description"]
        assert all(column["description"] for column in table["properties"])


def test_every_model_of_the_flights_has_a_contract():
    models = ROOT / "examples/flights/models"
    assert {p.with_suffix("") for p in models.rglob("*.sql")} == {p.with_suffix("") for p in models.rglob("*.yaml")}


@pytest.fixture(scope="module")
def bench_of():
    benches = {}

    def opened(example):
        if example not in benches:
            benches[example] = TestBench.open(ROOT / "examples" / example)
            assert benches[example].findings == []
        return benches[example]

    yield opened
    for bench in benches.values():
        bench.close()


@pytest.mark.parametrize("example", sorted({p.parent.parent.name for p in (ROOT / "examples").glob("*/tests/*.yaml")}))
def test_the_cases_of_the_examples_pass(example, bench_of):
    bench = bench_of(example)
    assert {r.case.id: r.verdict for r in bench.run(bench.cases) if not r.passed} == {}


def counts(mutant: Mutant, sql: str, *, keyed: bool) -> bool:
    """Whether a mutant can be told from its model: over what a flow gives by key, or in the last SELECT of what has one, a DISTINCT changes nothing."""
    if keyed and mutant.operator == "distinct added" and mutant.column == 1:
        return False
    return not re.search(r"FROM (normalise|surrogate_key|lookup)\(", sql) or mutant.operator not in {"distinct added", "set operation"}


def has_key(example: str, model: str) -> bool:
    path = ROOT / "examples" / example / "models" / f"{model.replace('.', '/')}.yaml"
    return path.exists() and "primaryKey: true" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("example", "model"), [pytest.param(*m, marks=[pytest.mark.slow] if m[0] == "flights" else []) for m in MODELS])
def test_the_cases_of_a_model_notice_nine_in_ten_of_its_mutants(example, model, bench_of):
    bench = bench_of(example)
    killing = put_to_the_test(bench, model, bench.cases)
    written = bench.known.project.models[model].written
    keyed = has_key(example, model)
    alive = [f.mutant for f in killing.of(State.SURVIVED) if counts(f.mutant, written, keyed=keyed)]
    killed = len(killing.of(State.KILLED))
    assert killing.failing == ()
    assert any(case.dataset == model for case in bench.cases)
    if not killing.fates:  # it hands on what it reads, and there is nothing in it to be changed
        return
    assert killed
    assert killed / (killed + len(alive)) >= LEAST_SCORE, [f"{m.line}: {m.before} -> {m.after}" for m in alive]


def test_the_score_of_every_model_is_held():
    assert len(MODELS) == len(list((ROOT / "examples").rglob("models/**/*.sql")))
