"""`--junit` and `--sarif`: what other machines get, held to the shapes that they read, whatever the command does."""

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest

import xde
from xde.faces.cli.main import main

EXAMPLE = Path(__file__).parents[4] / "examples/jaffle_shop"
CASES_OF_SHOP = Path(__file__).parents[3] / "data/shop_cases"  # not those of the example, which grow

# What `junit-10.xsd` of Jenkins' xUnit plug-in allows: of each element the attributes (True: it must be there) and the children.
JUNIT = {
    "testsuites": ({"name": False, "time": False, "tests": False, "failures": False, "errors": False}, {"testsuite"}),
    "testsuite": (
        {"name": True, "tests": True, "failures": True, "errors": True, "group": False, "time": False, "skipped": False}
        | {"timestamp": False, "hostname": False, "id": False, "package": False, "file": False, "log": False, "url": False},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "testcase": (
        {"name": True, "time": False, "classname": False, "group": False},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "failure": ({"type": False, "message": False}, set()),
    "error": ({"type": False, "message": False}, set()),
    "skipped": ({"type": False, "message": False}, set()),
}

TEXT = {"type": "object", "required": ["text"], "additionalProperties": False, "properties": {"text": {"type": "string", "minLength": 1}}}
NUMBER = {"type": "integer", "minimum": 1}
# What SARIF 2.1.0 (OASIS, errata 01) says of the objects that we write: sections 3.13, 3.14, 3.18 to 3.20, 3.27, 3.28 to 3.30, 3.49.
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "additionalProperties": False,
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "additionalProperties": False,
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "additionalProperties": False,
                                "properties": {
                                    "name": {"type": "string"},
                                    "version": {"type": "string"},
                                    "semanticVersion": {"type": "string", "pattern": r"^\d+\.\d+\.\d+"},
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "type": "object",
                                            "required": ["id", "shortDescription", "help"],
                                            "additionalProperties": False,
                                            "properties": {
                                                "id": {"type": "string", "pattern": r"^XDE\d{4}$"},
                                                "shortDescription": TEXT,
                                                "fullDescription": TEXT,
                                                "help": {
                                                    "type": "object",
                                                    "required": ["text"],
                                                    "additionalProperties": False,
                                                    "properties": {"text": {"type": "string"}, "markdown": {"type": "string"}},
                                                },
                                            },
                                        },
                                    },
                                },
                            }
                        },
                    },
                    "invocations": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["executionSuccessful"],
                            "additionalProperties": False,
                            "properties": {
                                "executionSuccessful": {"type": "boolean"},
                                "startTimeUtc": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
                            },
                        },
                    },
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message", "ruleId", "ruleIndex", "level", "locations", "partialFingerprints"],
                            "additionalProperties": False,
                            "properties": {
                                "ruleId": {"type": "string"},
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": TEXT,
                                "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
                                "locations": {
                                    "type": "array",
                                    "minItems": 1,
                                    "items": {
                                        "type": "object",
                                        "required": ["physicalLocation"],
                                        "additionalProperties": False,
                                        "properties": {
                                            "physicalLocation": {
                                                "type": "object",
                                                "required": ["artifactLocation", "region"],
                                                "additionalProperties": False,
                                                "properties": {
                                                    "artifactLocation": {
                                                        "type": "object",
                                                        "additionalProperties": False,
                                                        "properties": {
                                                            "uri": {"type": "string", "pattern": r"^[^ /\\][^ \\]*$"},
                                                            "uriBaseId": {"const": "%SRCROOT%"},
                                                        },
                                                    },
                                                    "region": {
                                                        "type": "object",
                                                        "required": ["startLine"],
                                                        "additionalProperties": False,
                                                        "properties": {
                                                            "startLine": NUMBER,
                                                            "startColumn": NUMBER,
                                                            "endLine": NUMBER,
                                                            "endColumn": NUMBER,
                                                        },
                                                    },
                                                },
                                            }
                                        },
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "jaffle shop"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".xde", "tests"))
    shutil.copytree(CASES_OF_SHOP, root / "tests")
    return root


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.fixture
def reported(root, capsys):
    """`reported(*words)` carries out `xde test`; gives the exit code and both reports, held to their shapes."""

    def run(*words):
        folder = root.parent / "reports/deep"
        code = main(["--project", str(root), "test", "--junit", str(folder / "a.xml"), "--sarif", str(folder / "a.sarif"), *words])
        capsys.readouterr()
        assert sorted(p.name for p in folder.iterdir()) == ["a.sarif", "a.xml"], "nothing is left beside them"
        suites = ET.parse(folder / "a.xml").getroot()
        hold_junit(suites)
        log = json.loads((folder / "a.sarif").read_text())
        hold_sarif(log)
        return code, suites, log["runs"][0]

    return run


def hold_junit(element):
    known, children = JUNIT[element.tag]
    assert set(element.attrib) <= set(known)
    assert {a for a, must in known.items() if must} <= set(element.attrib)
    assert {c.tag for c in element} <= children
    if element.tag == "testsuite":
        cases = element.findall("testcase")
        assert int(element.get("tests")) == len(cases)
        for figure, word in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(element.get(figure)) == sum(c.find(word) is not None for c in cases)
    for child in element:
        hold_junit(child)


def hold_sarif(log):
    validator = jsonschema.Draft202012Validator(SARIF)
    assert [f"{list(e.absolute_path)}: {e.message}" for e in validator.iter_errors(log)] == []
    for run in log["runs"]:
        rules = run["tool"]["driver"]["rules"]
        assert all(rules[r["ruleIndex"]]["id"] == r["ruleId"] for r in run["results"])
        marks = [json.dumps(r["partialFingerprints"]) for r in run["results"]]
        assert len(set(marks)) == len(marks)


def told(run):
    return [(r["ruleId"], r["level"], place(r)) for r in run["results"]]


def place(result):
    where = result["locations"][0]["physicalLocation"]
    return f"{where['artifactLocation']['uri']}:{where['region']['startLine']}"


def test_all_is_well(reported):
    code, suites, run = reported()
    assert (code, suites.get("tests"), suites.get("failures"), suites.get("errors"), run["results"]) == (0, "10", "0", "0", [])
    assert [s.get("name") for s in suites] == ["tests/customers.yaml", "tests/orders.yaml", "tests/staging.yaml"]
    assert suites.find("testsuite/testcase").get("classname") == "marts.customers"


def test_a_case_that_fails_stands_at_its_own_line(root, reported):
    edit(root / "tests/orders.yaml", "{order_id: 2, amount: 2}", "{order_id: 2, amount: 7}")
    code, suites, run = reported()
    (case,) = [c for c in suites.iter("testcase") if c.find("failure") is not None]
    failure = case.find("failure")
    assert (code, case.get("name"), failure.get("type")) == (1, "a payment belongs to its own order and to no other", "XDE0950")
    assert "7.00 → 2.00" in failure.text
    assert "SELECT" in failure.text
    line = 1 + (root / "tests/orders.yaml").read_text().splitlines().index("  - name: a payment belongs to its own order and to no other")
    assert told(run) == [("XDE0950", "error", f"tests/orders.yaml:{line}")]
    assert run["results"][0]["message"]["text"].startswith("marts.orders: a payment belongs to its own order")
    assert "7.00 → 2.00" in run["results"][0]["message"]["text"]
    assert run["tool"]["driver"]["rules"][0]["shortDescription"]["text"] == "other rows came than a case expects"


def test_a_case_that_cannot_be_run_is_an_error(root, reported):
    edit(root / "tests/orders.yaml", "{order_id: 2, amount: 2}", "{order_id: 2, amout: 2}")
    _, suites, run = reported()
    (error,) = suites.iter("error")
    assert error.get("type") == "XDE0907"
    assert "hint: did you mean `amount`?" in error.text
    assert [t[0] for t in told(run)] == ["XDE0907"]
    assert "hint: did you mean `amount`?" in run["results"][0]["message"]["text"]


def test_what_passed_before_is_skipped(reported):
    assert reported("--changed")[1].find("testsuite").get("skipped") == "0"
    assert {s.get("skipped") for s in reported("--changed")[1]} == {"3", "4"}


def test_a_file_of_cases_that_cannot_be_read_and_a_project_that_cannot(root, reported):
    (root / "tests/bad.yaml").write_text("model: marts.orders\ncases:\n  - nam: x\n")
    code, suites, run = reported()
    assert code == 1
    errors = [(s.get("name"), e.get("type")) for s in suites for e in s.iter("error")]
    assert ("tests/bad.yaml", "XDE0900") in errors
    assert ("XDE0900", "error", "tests/bad.yaml:3") in told(run)
    (root / "tests/bad.yaml").write_text("model: marts.orders\ncases:\n  - {name: x, expec: []}\n  - {name: y, expec: []}\n")
    assert [t[2] for t in told(reported()[2]) if t[0] == "XDE0900"] == ["tests/bad.yaml:3", "tests/bad.yaml:4"]
    edit(root / "models/marts/orders.sql", "o.order_id,", "o.order_ident,")
    code, suites, run = reported()
    assert code == 1
    assert [(s.get("name"), e.get("type")) for s in suites for e in s.iter("error")] == [
        ("models/marts/orders.sql", run["results"][0]["ruleId"])
    ]
    assert told(run)[0][2].startswith("models/marts/orders.sql:")


def test_warnings_are_no_errors(root, reported):
    (root / "models/marts/later.py").write_text("")
    code, suites, run = reported()
    assert (code, suites.get("errors")) == (0, "0")
    assert told(run) == [("XDE0125", "warning", "models/marts/later.py:1")]


def test_paths_start_where_the_repository_does(root, reported):
    (root.parent / ".git").mkdir()
    (root / "models/marts/later.py").write_text("")
    _, suites, run = reported()
    assert told(run)[0][2] == "jaffle%20shop/models/marts/later.py:1"
    assert suites.find("testsuite").get("file") == "jaffle shop/tests/customers.yaml"


def test_a_name_that_xml_cannot_say(root, reported):
    (root / "tests/odd.yaml").write_text('model: marts.orders\ncases:\n  - {name: "bell \\a & <b>", expect: []}\n')
    assert "bell \ufffd & <b>" in {c.get("name") for c in reported("bell")[1].iter("testcase")}


def test_a_smoke_test_reports_what_it_finds(root, reported):
    code, suites, run = reported("--smoke")
    assert (code, suites.get("errors")) == (0, "0")
    edit(root / "models/marts/orders.sql", "o.status", "'lost' AS status")
    code, suites, run = reported("--smoke")
    assert code == 3
    assert run["results"]
    assert int(suites.get("errors")) == len([r for r in run["results"] if r["level"] == "error"])


@pytest.mark.slow
def test_survivors_are_skipped_while_the_score_is_held_and_failures_below(root, reported):
    code, suites, run = reported("--mutants", "marts.customers")
    (suite,) = suites
    assert (code, suite.get("name"), suite.get("file")) == (0, "mutants of marts.customers", "jaffle shop/models/marts/customers.sql"[12:])
    survived = int(suite.get("skipped"))
    assert int(suite.get("tests")) > survived > 0
    assert suite.get("failures") == "0"
    assert [(c, level) for c, level, _ in told(run)] == [("XDE0916", "warning")] * survived
    assert all(p.startswith("models/marts/customers.sql:") for *_, p in told(run))
    assert "a row that would catch it" in run["results"][0]["message"]["text"]
    code, suites, run = reported("--mutants", "marts.customers", "--at-least", "100")
    assert (code, suites.get("failures"), suites[0].get("skipped")) == (1, str(survived), "0")
    assert {level for _, level, _ in told(run)} == {"error"}
    assert "XDE0916" in suites.find("testsuite/testcase/failure").text


def test_a_place_that_cannot_be_written(root, capsys, tmp_path):
    (tmp_path / "file").write_text("")
    code = main(["--project", str(root), "test", "--sarif", str(tmp_path / "file/x.sarif")])
    assert code == 1
    assert "error[XDE0951]: `" in capsys.readouterr().err


def test_the_shapes_themselves_refuse_what_is_wrong():
    with pytest.raises(AssertionError):
        hold_junit(ET.fromstring("<testsuites><testsuite name='x' tests='1' failures='0' errors='0' skipped='0'/></testsuites>"))
    with pytest.raises(AssertionError):
        hold_sarif({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": [{"message": {"text": "x"}}]}]})
    assert xde.__version__.count(".") == 2
