"""The reference tool of the standard beside ours: it lints our contracts, and says of each check on the same rows what we say.

datacontract-cli is installed into a virtual environment of its own. It reads a small DuckDB file that holds a view per dataset over the active
files of the lake, for it has no Delta of its own without a network; the contracts are those of the project but for `servers` and
physical names. As they stand nearly all checks pass, so a second pass tightens every rule until it fails.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from peers import interpreter

from xde.app.workspace import Workspace
from xde.kernel.plan.checks import CheckKind
from xde.kernel.project.reader import read_project
from xde.lifecycle.storage.audit_port import Audit
from xde.lifecycle.storage.port import Column, DataFile, TableId
from xde.undercurrents.management.quality.compile import compile_checks

pytestmark = pytest.mark.peer

EXAMPLES = Path(__file__).parents[2] / "examples"
PEER = """
import json, sys
import duckdb
from datacontract.data_contract import DataContract

work = json.load(open(sys.argv[1]))
with duckdb.connect(work["database"]) as database:
    for name, (columns, paths) in work["views"].items():
        schema, table = name.split(".")
        shown = ", ".join(f'"{c}"' for c in columns)
        database.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        database.execute(f'CREATE VIEW "{schema}"."{table}" AS SELECT {shown} FROM read_parquet({paths!r})')
said = {"lint": {}, "test": {}}
for path in work["lint"]:
    run = DataContract(data_contract_file=path).lint()
    said["lint"][path] = [run.result.value, [c.reason for c in run.checks if c.result.value != "passed"]]
for path in work["test"]:
    said["test"][path] = [c.model_dump(mode="json") for c in DataContract(data_contract_file=path).test().checks]
json.dump(said, open(sys.argv[2], "w"))
"""
OF_A_COLUMN = {
    "field_required": "required",
    "field_minimum": "minimum",
    "field_maximum": "maximum",
    "field_min_length": "minLength",
    "field_max_length": "maxLength",
    "field_regex": "pattern",
    "field_unique": "unique",
    "field_primary_key_unique": "unique",
    "field_relationships": "reference",
}
RULES = {"model_quality_sql", "row_count", "field_invalid_values", "field_null_values"}
OF_THE_SCHEMA = {"field_is_present", "field_type"}
COUNTED = {CheckKind.ROW, CheckKind.REFERENCE}  # of keys we count the rows, they the keys


@pytest.fixture
def python(tmp_path):
    """The interpreter of an environment with the tool; half a gigabyte, so it does not outlive the test."""
    yield interpreter(tmp_path / "venv", "datacontract-cli[duckdb]==1.2.8")
    shutil.rmtree(tmp_path / "venv")


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "flights"
    shutil.copytree(EXAMPLES / "flights", root, ignore=shutil.ignore_patterns(".xde"))
    with Workspace.open(root) as workspace:
        assert workspace.run().status == "done"
    return root


def test_the_tool_of_the_standard_lints_our_contracts_and_judges_as_we_do(python, project, tmp_path, subtests):
    tight = tightened(project, tmp_path / "tight")
    with Workspace.open(project) as workspace:
        rows = rows_of(workspace, tmp_path / "views")
        mine = {root: judged(workspace, root, rows) for root in (project, tight)}
    contracts = sorted(p for e in EXAMPLES.iterdir() for folder in ("sources", "models") for p in (e / folder).rglob("*.yaml"))
    written = {root: rewritten(root, tmp_path / "peer.duckdb", tmp_path / f"for_the_peer_{root.name}") for root in (project, tight)}
    work = {
        "database": str(tmp_path / "peer.duckdb"),
        "views": {
            name: ([c.name for c in schema], [f"{folder}/{f.path}" for f in files]) for name, (schema, folder, files) in rows.items()
        },
        "lint": [str(p) for p in contracts],
        "test": [path for by_schema in written.values() for path in by_schema],
    }
    (tmp_path / "work.json").write_text(json.dumps(work))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    peer = [python, "-c", PEER, tmp_path / "work.json", tmp_path / "said.json"]
    subprocess.run(peer, env=environment, check=True, capture_output=True, timeout=900)
    said = json.loads((tmp_path / "said.json").read_text())

    source = next(path for path in written[project] if path.endswith("nyc.yaml"))
    for command, path, code in (("lint", project / "sources/nyc.yaml", 0), ("test", source, 1)):
        with subtests.test("as a command", command=command):
            ran = subprocess.run(
                [python.with_name("datacontract"), command, path], env=environment, check=False, capture_output=True, timeout=300
            )
            assert ran.returncode == code, ran.stdout.decode()
    for path, (result, reasons) in said["lint"].items():
        with subtests.test("lint", contract=Path(path).name):
            assert (result, reasons) == ("passed", [])
    for root, by_schema in written.items():
        theirs, unsaid = {}, []
        for path, schema in by_schema.items():
            for check in said["test"][path]:
                ident, passed, number = read(check, schema)
                if passed is None:
                    unsaid.append(ident)
                elif ident is not None:
                    theirs[ident] = (passed, number)
                else:
                    assert check["result"] == "passed", check
        with subtests.test("all that we check they check", root=root.name):
            assert set(theirs) ^ set(mine[root]) == {"marts.carrier_delay.carrier.reference"}, "it leads into another contract"
            assert unsaid == ["marts.carrier_delay.carrier.reference"]
        for ident in sorted(set(theirs) & set(mine[root])):
            with subtests.test("verdict", root=root.name, check=ident):
                result, (passed, number) = mine[root][ident], theirs[ident]
                assert result.passed == passed
                if number is not None and result.check.kind in COUNTED:
                    assert result.failing == number
    failing = {root: [r for r in results.values() if not r.passed] for root, results in mine.items()}
    assert len(failing[project]) == 3
    assert len(failing[tight]) > 150, "the second pass must fail nearly everywhere, else it says little"


def rows_of(workspace, folder):
    """The schema, folder and files of every dataset: of a table its active files, of a view its rows written out."""
    found = {}
    pointers = workspace.house.ledger.pointers("dev")
    for name in workspace.known.project.datasets:
        if workspace.known.is_view(name):
            folder.mkdir(exist_ok=True)
            table = workspace.show(name, limit=None).read_all()
            pq.write_table(table, folder / f"{name}.parquet")
            schema = tuple(Column(c.name, c.type) for c in workspace.known.schemas[name])
            size = (folder / f"{name}.parquet").stat().st_size
            found[name] = (schema, str(folder), (DataFile(f"{name}.parquet", table.num_rows, size),))
        else:
            snapshot = workspace.house.lake.snapshot(TableId(name, pointers[name]))
            found[name] = (snapshot.schema, snapshot.folder, snapshot.files)
    return found


def judged(workspace, root, rows):
    """What we find, by the ids of the checks that the contracts of a project compile to."""
    project, findings = read_project(root)
    assert not findings.errors, findings.errors
    others = {n: (schema, tuple(f"{folder}/{f.path}" for f in files)) for n, (schema, folder, files) in rows.items()}
    results = []
    for name, dataset in project.datasets.items():
        checks, told = compile_checks(dataset)
        assert not told.errors
        schema, folder, files = rows[name]
        results += workspace.house.auditor.audit(Audit(name, schema, folder, files, (), checks, "2026-01-01T00:00:00+00:00", others))
    return {r.check.id: r for r in results}


def contracts_of(root):
    project, _ = read_project(root)
    return {d.contract.path: (n.partition(".")[0], d.contract.raw) for n, d in project.datasets.items() if d.contract is not None}


def rewritten(root, database, folder):
    """The contracts as the peer can read them; gives the schema that each of them is about."""
    folder.mkdir()
    found = {}
    for path, (schema, raw) in contracts_of(root).items():
        contract = copy.deepcopy(raw)
        contract["servers"] = [{"server": "peer", "type": "duckdb", "database": str(database), "schema": schema}]
        for table in contract["schema"]:
            table["physicalName"] = table["name"]
            for column in table["properties"]:
                column.pop("physicalName", None)
        target = folder / path.replace("/", "_")
        target.write_text(json.dumps(contract))
        found[str(target)] = schema
    return found


def tightened(root, target):
    """The same project with rules that good rows break."""
    shutil.copytree(root, target, ignore=shutil.ignore_patterns(".xde"))
    for path, (_, raw) in contracts_of(root).items():
        contract = copy.deepcopy(raw)
        for table in contract["schema"]:
            _tighten_rules(table)
            for column in table["properties"]:
                column["required"] = True
                _tighten_options(column.get("logicalTypeOptions", {}))
                _tighten_rules(column)
            text = [c for c in table["properties"] if c.get("logicalType") == "string" and not c.get("primaryKey")]
            for column in text[-1:]:
                column["unique"] = True
        (target / path).write_text(json.dumps(contract))
    return target


def _tighten_options(options):
    low, high = options.get("minimum"), options.get("maximum")
    if isinstance(low, int | float) and isinstance(high, int | float):
        options["maximum"] = low + (high - low) // 16
    elif isinstance(low, int | float):
        options["minimum"] = low + 20
    if "minLength" in options:
        options["minLength"] += 1
        options["maxLength"] = max(options.get("maxLength", 0), options["minLength"])
    if "pattern" in options:
        options["pattern"] = "^(?P<first>[A-MN])1"


def _tighten_rules(node):
    for rule in node.get("quality", []):
        values = rule.get("arguments", {}).get("validValues")
        if values:
            values.pop()
        elif "mustBeBetween" in rule:
            rule["mustBeBetween"] = [0, 1]
        elif rule.get("type") == "sql" and rule.get("mustBe") == 0:
            rule["mustBe"] = 1
        elif rule.get("unit") == "percent":
            rule["mustBeLessThan"] = 0.1


def read(check, schema):
    """Our id of a check of theirs, whether it passed (None: they do not say) and how many rows failed; no id for one of columns and types."""
    dataset, column, kind = f"{schema}.{check['model']}", check["field"], check["type"]
    told = check["diagnostics"] or {}
    if kind in OF_THE_SCHEMA:
        return None, check["result"] == "passed", None
    if kind == "primary_key_unique":
        ident = f"{dataset}.{'+'.join(told['columns'])}.unique"
    elif kind in OF_A_COLUMN:
        ident = f"{dataset}.{column}.{OF_A_COLUMN[kind]}"
    elif kind in RULES:
        ident = ".".join(part for part in (dataset, column, check["qualityId"]) if part)
    else:
        pytest.fail(f"a check of a kind that we know nothing of: {check}")
    if check["result"] == "warning" and "not checked" in (check["reason"] or ""):
        return ident, None, None
    number = told.get("value")
    return ident, check["result"] == "passed", int(number) if number is not None else None
