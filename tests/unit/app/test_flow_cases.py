"""Cases of a project's own flows: rows in, rows out, with no model around them."""

import json
import re
from pathlib import Path

import pytest

from xde.app.testing import TestBench
from xde.app.watching import Watch

DOCS = Path(__file__).parents[3] / "docs/concepts"
FLOW = re.search(r"```python\n(.*?)```", (DOCS / "flow.md").read_text(), re.S).group(1)  # the one that the docs show
CASES = next(y for y in re.findall(r"```yaml\n(.*?)```", (DOCS / "test.md").read_text(), re.S) if y.startswith("flow:"))


@pytest.fixture
def project(tmp_path):
    files = {
        "xde.yaml": "name: x\nparameters: {few: 1}\n",
        "flows/busiest.py": FLOW,
        "tests/busiest.yaml": CASES,
        "models/a/orders.sql": "SELECT 1 AS id, CAST(1 AS DECIMAL(9,2)) AS amount\n",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def run(root, cases=None, words=()):
    if cases is not None:
        (root / "tests/busiest.yaml").write_text("flow: busiest\n" + cases)
    bench = TestBench.open(root)
    try:
        results = list(bench.run(bench.pick(list(words))))
        return [f.code for f in bench.findings], {r.case.name: r for r in results}
    finally:
        bench.close()


def test_the_cases_of_the_docs_pass_and_are_found_by_the_name_of_the_flow(project):
    findings, results = run(project, words=["busiest"])
    assert findings == []
    assert len(results) == 3
    assert {n: r.verdict for n, r in results.items() if not r.passed} == {}
    assert {r.case.dataset for r in results.values()} == {"flow:busiest"}


def test_a_flow_that_is_wrong_fails(project):
    flow = project / "flows/busiest.py"
    flow.write_text(flow.read_text().replace('"DESC" if way == "most"', '"DESC" if way == "least"'))
    _, results = run(project)
    failed = {n: r.verdict.comparison for n, r in results.items() if not r.passed}
    assert list(failed) == ["the most of each customer"]
    assert [c.actual for c in failed["the most of each customer"].changed] or failed["the most of each customer"].missing
    flow.write_text(flow.read_text().replace("{order}, __flow_row)", "IS NOT NULL)"))
    assert "XDE0932" in {f.code for r in run(project)[1].values() for f in r.verdict.findings}


GIVEN = "given: {orders: [{id: 1, code: 007, day: 2024-01-01, paid: true, worth: 1.5}, {id: 2, code: 008, day: 2024-01-02}]}\n"


@pytest.mark.parametrize(
    ("column", "type_"), [("id", "BIGINT"), ("code", "VARCHAR"), ("day", "DATE"), ("paid", "BOOLEAN"), ("worth", "DOUBLE")]
)
def test_types_are_those_of_the_values(project, column, type_):
    call = f'call: "busiest((SELECT typeof({column}) AS t, id FROM orders WHERE id > $few), key := t, by := id)"\n'
    _, results = run(project, GIVEN + call + f"cases: [{{name: x, expect: [{{t: {type_}, id: 2}}]}}]\n")
    assert results["x"].verdict.comparison.equal, results["x"].verdict


def test_types_that_are_said_and_those_of_a_dataset(project):
    call = 'call: "busiest((SELECT typeof(amount) AS t, id FROM %s), key := t, by := id)"\n'
    said = 'types: {orders: {amount: "DECIMAL(9,2)", id: BIGINT}}\n'
    expect = "cases: [{name: x, %s, expect: %s}]\n"
    rows = "given: {%s: [{id: 1, amount: 1}]}"
    wanted = '[{t: "DECIMAL(9,2)", id: 1}]'
    assert run(project, call % "orders" + said + expect % (rows % "orders", wanted))[1]["x"].passed
    assert run(project, call % "a.orders" + expect % (rows % "a.orders", wanted))[1]["x"].passed
    assert run(project, call % "orders" + said + expect % ("given: {orders: []}", "[]"))[1]["x"].passed
    nobody = run(project, call % "orders" + expect % ("given: {orders: []}", "[]"))[1]["x"].verdict
    assert [f.code for f in nobody.findings] == ["XDE0903"]


@pytest.mark.parametrize(
    ("case", "codes"),
    [
        ("expect: []", ["XDE0901"]),
        ("call: 'busiest(orders, key := id, by := id)', expect: {contract: true}", ["XDE0903"]),
        ("call: 'busiest(orders, key := id, by := id)', cte: x, expect: []", ["XDE0903"]),
        ("call: 'busiest(orders, key := id, by := id)', runs: [{expect: []}, {expect: []}]", ["XDE0903"]),
        ("call: 'busiest(orders, key := id, by := id)', expect: {asFull: true}", ["XDE0903"]),
        ("model: a.orders, call: 'busiest(orders, key := id, by := id)', expect: []", ["XDE0903", "XDE0903"]),  # and `given: {orders}`
    ],
)
def test_what_a_case_of_a_flow_cannot_say(project, case, codes):
    assert run(project, GIVEN + f"cases:\n  - {{name: x, {case}}}\n")[0] == codes


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("call: 'busiest(orders, key := no, by := id)', expect: []", None),
        ("call: 'busiest(orders, key := id)', expect: []", None),
        ("call: 'dedupe(orders, key := id)', expect: []", "XDE0903"),
        ("call: 'orders', expect: []", "XDE0903"),
        ("flow: busy, call: 'busy(orders)', expect: []", "XDE0912"),
        ("call: 'busiest(orders, key := id, by := id)', expect: {finding: XDE0245}", "XDE0913"),
    ],
)
def test_calls_that_cannot_be(project, case, code):
    findings, results = run(project, GIVEN + f"cases:\n  - {{name: x, {case}}}\n")
    assert findings == []
    found = [f.code for f in results["x"].verdict.findings]
    assert found
    assert code in {None, found[0]}


def test_a_save_of_the_flow_runs_its_cases_again_and_another_does_not(project):
    watch = Watch(project)
    try:
        assert watch.look().passed
        (project / "models/a/orders.sql").write_text("SELECT 1 AS id, CAST(2 AS DECIMAL(9,2)) AS amount\n")
        assert watch.look().results == ()
        flow = project / "flows/busiest.py"
        flow.write_text(flow.read_text() + "\n# another\n")
        look = watch.look()
        assert (len(look.results), look.passed) == (3, True)
    finally:
        watch.close()


def test_it_goes_with_everything_else_of_a_test(project, capsys):
    from xde.faces.cli.main import main

    assert main(["--project", str(project), "test", "--json", "--junit", str(project / "x.xml")]) == 0
    assert {c["dataset"] for c in json.loads(capsys.readouterr().out)["cases"]} == {"flow:busiest"}
    assert 'classname="flow:busiest"' in (project / "x.xml").read_text()
    assert main(["--project", str(project), "test", "--mutants"]) == 0
    assert main(["--project", str(project), "test", "--coverage"]) == 0
