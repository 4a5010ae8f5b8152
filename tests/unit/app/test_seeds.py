"""Seeds: CSV files of the project as datasets, typed and held against their contract when the project is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from xde.app.testing import TestBench
from xde.app.workspace import Workspace
from xde.ground.errors import UserError
from xde.kernel.plan.plan import StepKind

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: countries
version: 1.0.0
status: active
schema:
  - name: countries
    properties:
      - {name: code, logicalType: string, primaryKey: true, required: true}
      - {name: name, logicalType: string, required: true}
      - {name: people, logicalType: integer, logicalTypeOptions: {minimum: 0}}
      - {name: since, logicalType: date}
"""
CSV = 'code,name,people,since\nNL,"Netherlands, the",17000000,1815-03-16\nNO,Norway,,1905-06-07\n'
MODEL = "SELECT o.id, o.name FROM lookup(shop.sales, ref.countries, key := country, reference_key := code, columns := (name)) AS o\n"


@pytest.fixture
def shop(sales):
    sales.write("models/ref/countries.yaml", CONTRACT)
    sales.write("models/ref/countries.csv", CSV)
    sales.write("models/marts/named.sql", MODEL)
    return sales


def told(project) -> list[tuple[str, str]]:
    with pytest.raises(UserError) as raised:
        Workspace.open(project.root)
    return [(f.code, f"{f.span.path}:{f.span.line}") for f in raised.value.findings]


def test_rows_have_the_types_of_the_contract_and_are_read_like_any_dataset(shop):
    shop.run()
    assert [(r[0], r[2], str(r[3])) for r in shop.rows("ref.countries")] == [("NL", 17_000_000, "1815-03-16"), ("NO", None, "1905-06-07")]
    assert shop.rows("marts.named") == [(1, "Norway"), (2, None)]


def test_what_is_written_otherwise_is_the_same_seed(shop):
    shop.run()
    shop.write(
        "models/ref/countries.csv", 'since,name,"people","code"\r\n1905-06-07,Norway,,NO\r\n1815-03-16,"Netherlands, the",17000000,NL\r\n'
    )
    with Workspace.open(shop.root) as workspace:
        assert workspace.plan().steps == ()
    shop.write("models/ref/countries.csv", CSV.replace("Norway", "Norge"))
    outcomes = shop.run()
    assert {n: o.step.kind for n, o in outcomes.items()} == {"ref.countries": StepKind.BUILD, "marts.named": StepKind.BUILD}


def test_a_column_that_nobody_reads_changes_what_nobody_means(shop):
    def version() -> str:
        with Workspace.open(shop.root) as workspace:
            return workspace.known.versions["marts.named"]

    before = version()
    shop.write("models/ref/countries.csv", CSV.replace("17000000", "18000000"))
    assert version() == before, "the lookup reads code and name"
    shop.write("models/ref/countries.yaml", CONTRACT + "      - {name: unit, logicalType: string}\n")
    shop.write("models/ref/countries.csv", 'code,name,people,since,unit\nNL,"Netherlands, the",1,,EUR\nNO,Norway,,,NOK\n')
    assert version() == before
    shop.write("models/ref/countries.csv", "code,name,people,since,unit\nNL,Netherlands,1,,EUR\nNO,Norway,,,NOK\n")
    assert version() != before


def test_another_type_is_another_meaning(shop):
    shop.run()
    shop.write("models/ref/countries.yaml", CONTRACT.replace("people, logicalType: integer", "people, logicalType: number"))
    assert set(shop.run()) == {"ref.countries", "marts.named"}
    assert [type(r[2]) for r in shop.rows("ref.countries")] == [float, type(None)]


def test_faults_have_their_line(shop):
    shop.write("models/ref/countries.csv", 'code,name,people,since\nNL,"Nether\nlands",many,1815-03-16\nNO,Norway,5,June\n')
    assert told(shop) == [("XDE0291", "models/ref/countries.csv:2"), ("XDE0291", "models/ref/countries.csv:4")]
    shop.write("models/ref/countries.csv", CSV + "NL,Again,1,\nSE,,1,\nDK,Denmark,-1,\n")
    assert sorted(told(shop)) == [
        ("XDE0292", "models/ref/countries.csv:2"),
        ("XDE0292", "models/ref/countries.csv:4"),
        ("XDE0292", "models/ref/countries.csv:5"),
        ("XDE0292", "models/ref/countries.csv:6"),
    ]


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("code,nam,people,since\n", [("XDE0289", 1), ("XDE0289", 1)]),
        ("code,name,people,since\nNL,Netherlands, the,1,\n", [("XDE0289", 2)]),
        ('code,name,people,since\nNL,"Nether"lands,1,\n', [("XDE0289", 2)]),
        ("", [("XDE0289", 1)] * 4),
        ("code,name,people,since\n" + "x" * 2_000_001, [("XDE0290", 1)]),
    ],
)
def test_files_that_do_not_fit(shop, text, faults):
    shop.write("models/ref/countries.csv", text)
    assert [f for f in told(shop) if f[0] != "XDE0210"] == [(c, f"models/ref/countries.csv:{n}") for c, n in faults]


def test_a_seed_needs_a_contract_and_no_head_may_name_the_kind(shop):
    (shop.root / "models/ref/countries.yaml").unlink()
    assert told(shop)[0] == ("XDE0288", "models/ref/countries.csv:1")
    shop.write("models/ref/countries.yaml", CONTRACT)
    shop.write("models/marts/named.sql", "/* xde\nkind: seed\n*/\nSELECT 1 AS id\n")
    assert told(shop) == [("XDE0132", "models/marts/named.sql:2")]


def test_cases_see_the_rows_of_a_seed_unless_they_give_others(shop):
    shop.write(
        "tests/named.yaml",
        "model: marts.named\ncases:\n"
        "  - name: as it is\n    given: {shop.sales: [{id: 1, country: 'NO'}]}\n    expect: [{id: 1, name: Norway}]\n"
        "  - name: as it could be\n    given: {shop.sales: [{id: 1, country: 'NO'}], ref.countries: [{code: 'NO', name: N}]}\n    expect: [{id: 1, name: N}]\n"
        "  - name: in runs\n    runs:\n      - given: {shop.sales: [{id: 1, country: 'NO'}]}\n        expect: [{id: 1, name: Norway}]\n",
    )
    bench = TestBench.open(shop.root)
    try:
        assert [(r.case.name, r.passed, [f.message for f in r.verdict.findings]) for r in bench.run(bench.cases)] == [
            ("as it is", True, []),
            ("as it could be", True, []),
            ("in runs", True, []),
        ]
    finally:
        bench.close()


def test_a_seed_is_deployed_with_its_environment(shop):
    from xde.app.deploying import Order

    shop.write("xde.yaml", "name: sales\nenvironments: {prod: {}}\n")
    with Workspace.open(shop.root, environment="prod", working_tree=True) as workspace:
        assert workspace.deploy(Order()).deployment
    Path(shop.root, "models/ref/countries.csv").write_text(CSV.replace("Norway", "Norge"))
    assert [r[1] for r in shop.rows("ref.countries", environment="prod")] == ["Netherlands, the", "Norway"]
    with Workspace.open(shop.root, environment="prod") as workspace:
        assert workspace.plan().steps == (), "what was deployed is what it runs"
