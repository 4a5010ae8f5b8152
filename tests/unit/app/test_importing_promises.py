"""What dbt's YAML promises, as contracts that bite: each test of dbt is held to good rows and to one that breaks it."""

from __future__ import annotations

import json

import pytest
from projects.dbt import write

from xde.app.importing import import_dbt
from xde.app.workspace import Workspace
from xde.faces.words.imports import import_page
from xde.kernel.project.odcs import read_contract

GOOD = "select * from (values (1, 'tea', 2.5, 1), (2, 'cake', 3.0, 1)) as t(id, name, price, parent)"


@pytest.fixture
def made(tmp_path):
    """`made({path: text})` imports a project of these files."""
    return lambda files: import_dbt(write(tmp_path / "dbt", files), tmp_path / "ours", import_page)


def contract(made, path: str):
    found, _, findings = read_contract((made.folder / path).read_bytes(), path)
    assert not findings
    return found


def write_model(made, name: str, body: str) -> None:
    model = made.folder / f"models/a/{name}.sql"
    text = model.read_text()
    model.write_text(text[: text.index("*/") + 2] + "\n" + body + "\n")


def status(made, body: str) -> tuple[str, set[str]]:
    """How a run ends when the model gives these rows, and the codes that it tells."""
    write_model(made, "b", body)
    with Workspace.open(made.folder) as workspace:
        done = workspace.run()
        return done.status, {f.code for o in done.outcomes for f in o.findings}


TESTS = [
    ("data_tests: [not_null]", "name", "(3, NULL, 1.0, 1)"),
    ("data_tests: [unique]", "name", "(3, 'tea', 1.0, 1)"),
    ("tests: [unique, not_null]", "id", "(1, 'milk', 1.0, 1)"),
    ("data_tests: [{accepted_values: {values: [tea, cake]}}]", "name", "(3, 'milk', 1.0, 1)"),
    ("data_tests: [{accepted_values: {arguments: {values: [1, 2], quote: false}}}]", "id", "(3, 'tea', 1.0, 1)"),
    ("data_tests: [{not_null: {config: {where: 'id > 2'}}}]", "name", "(3, NULL, 1.0, 1)"),
    ("data_tests: [{not_null: {config: {error_if: '>1'}}}]", "name", "(3, NULL, 1.0, 1), (4, NULL, 1.0, 1)"),
    ("data_tests: [{unique: {config: {where: 'id > 1'}}}]", "name", "(3, 'cake', 1.0, 1)"),
    ("data_tests: [{dbt_utils.accepted_range: {min_value: 1, max_value: 9}}]", "price", "(3, 'x', 10.0, 1)"),
    ("data_tests: [{dbt_utils.expression_is_true: {expression: '> 0'}}]", "price", "(3, 'x', 0.0, 1)"),
    ("data_tests: [dbt_utils.not_empty_string]", "name", "(3, ' ', 1.0, 1)"),
    ("data_tests: [cheap]", "price", "(3, 'x', 100.0, 1)"),
    ("data_tests: [{cheap: {most: 10, where: 'id > 0'}}]", "price", "(3, 'x', 11.0, 1)"),
    ("data_tests: [{relationships: {to: ref('other'), field: id}}]", "parent", "(3, 'x', 1.0, 8)"),
    ("data_tests: [{relationships: {to: ref('other'), field: id, where: 'id > 2'}}]", "parent", "(3, 'x', 1.0, 8)"),
    ("data_tests: [{known: {of: ref('other')}}]", "parent", "(3, 'x', 1.0, 8)"),
]
MACROS = (
    "{% test cheap(model, column_name, most=50) %}select * from {{ model }} where {{ column_name }} > {{ most }}{% endtest %}\n"
    "{% test known(model, column_name, of) %}\n"
    "select {{ column_name }} from {{ model }} where {{ column_name }} not in (select id from {{ of }})\n{% endtest %}\n"
)


def test_each_test_of_dbt_lets_good_rows_pass_and_stops_bad_ones(made, subtests):
    models = {f"m{n:02}": case for n, case in enumerate(TESTS)}
    described = "".join(
        f"  - name: {m}\n    columns:\n      - name: {column}\n        {tests}\n" for m, (tests, column, _) in models.items()
    )
    done = made(
        {
            **{f"models/a/{m}.sql": GOOD for m in models},
            "models/a/other.sql": "select 1 as id",
            "models/a/s.yml": f"models:\n{described}",
            "tests/generic/g.sql": MACROS,
        }
    )
    assert not done.report.decisions
    assert not done.report.unread
    with Workspace.open(done.folder) as workspace:
        assert workspace.run().status == "done"
    for model, (_, _, bad) in models.items():
        write_model(done, model, GOOD.replace("(values ", f"(values {bad}, "))
    with Workspace.open(done.folder) as workspace:
        failed = {o.step.dataset for o in workspace.run().outcomes if o.status == "failed"}
    for model, (tests, _, _) in models.items():
        with subtests.test(tests):
            assert any(f == f"a.{model}" or f.startswith(f"checks.{model}_") for f in failed)
    assert "a.other" not in failed


@pytest.mark.parametrize("config", ["severity: warn", "error_if: '>5'", "warn_if: '>0', error_if: '>5'"])
def test_what_only_warns_is_told_and_published(made, config):
    done = made(
        {
            "models/a/b.sql": GOOD,
            "models/a/s.yml": f"models:\n  - name: b\n    columns:\n      - {{name: name, data_tests: [{{not_null: {{config: {{{config}}}}}}}]}}\n",
        }
    )
    assert status(done, GOOD.replace("(values ", "(values (3, NULL, 1.0, 1), ")) == ("done", {"XDE0501"})


def test_tests_of_a_whole_model_and_queries_of_their_own(made):
    done = made(
        {
            "models/a/b.sql": GOOD,
            "models/a/s.yml": "models:\n  - name: b\n    data_tests:\n      - dbt_utils.unique_combination_of_columns: {combination_of_columns: [name, parent]}\n"
            "      - dbt_utils.expression_is_true: {expression: 'price >= parent'}\n",
            "tests/none_is_free.sql": "{{ config(severity='warn') }}select * from {{ ref('b') }} where price = 0\n",
        }
    )
    assert status(done, GOOD)[0] == "done"
    assert status(done, GOOD.replace("(values ", "(values (3, 'tea', 1.0, 1), "))[0] == "failed"
    assert status(done, GOOD.replace("(values ", "(values (3, 'x', 0.5, 1), "))[0] == "failed"
    assert status(done, GOOD.replace("(values ", "(values (3, 'x', 0.0, 0), ")) == ("done", {"XDE0504"})


def test_a_test_that_nobody_knows_is_told_with_its_place(made):
    done = made(
        {
            "models/a/b.sql": GOOD,
            "models/a/s.yml": "models:\n  - name: b\n    columns:\n      - name: id\n        data_tests: [nobody_knows, dbt_expectations.much, {unique: {fail_calc: max(x)}}, {not_null: {maybe: 1}}, {unique: {enabled: '{{ 1 == 2 }}'}}]\n",
        }
    )
    assert [(f.message, f.why, f.span.line) for f in done.report.decisions] == [
        ("the test `nobody_knows` of `a.b` is not carried over", "there is no generic test `nobody_knows`", 5),
        ("the test `dbt_expectations.much` of `a.b` is not carried over", "the macro of `dbt_expectations.much` is not here", 5),
        ("the test `unique` of `a.b` is not carried over", "`fail_calc` counts otherwise than by rows", 5),
        ("the test `not_null` of `a.b` is not carried over", "its argument `maybe` is not known here", 5),
    ]


def test_types_count_where_the_contract_is_enforced_and_nowhere_else(made):
    columns = "    columns:\n      - {name: id, data_type: bigint, constraints: [{type: not_null}, {type: check, expression: id > 0}]}\n"
    described = f"models:\n  - name: b\n    config: {{contract: {{enforced: true}}}}\n{columns}  - name: c\n{columns}"
    done = made({"models/a/b.sql": GOOD, "models/a/c.sql": GOOD, "models/a/s.yml": described})
    b, c = (contract(done, f"models/a/{n}.yaml").schema[0] for n in "bc")
    assert [(p.physical_type, p.required) for p in b.properties] == [("BIGINT", True)]
    assert [(p.physical_type, p.required) for p in c.properties] == [(None, False)]
    assert status(done, GOOD.replace("(values (1,", "(values (-1,"))[0] == "failed"


def test_descriptions_docs_tags_and_meta_come_along(made):
    done = made(
        {
            "models/a/b.sql": "{{ config(tags=['daily']) }}" + GOOD,
            "models/docs.md": "{% docs word %}What it\nis called: *a name*.{% enddocs %}",
            "models/a/s.yml": "models:\n  - name: b\n    description: 'All */ that'\n    tags: shop\n    meta: {owner: ann, levels: {a: [1, x]}}\n"
            "    columns:\n      - {name: name, description: '{{ doc(\"word\") }}', tags: [pii]}\n",
        }
    )
    table = contract(done, "models/a/b.yaml").schema[0]
    assert table.description == "All */ that"
    assert table.properties[0].description == "What it\nis called: *a name*."
    assert table.properties[0].personal
    raw = contract(done, "models/a/b.yaml").raw["schema"][0]["customProperties"]
    assert [(c["property"], c["value"], c["vendor"]) for c in raw] == [("owner", "ann", "dbt"), ("levels", {"a": [1, "x"]}, "dbt")]
    with Workspace.open(done.folder) as workspace:
        assert set(workspace.known.model("a.b").head.tags) == {"shop", "daily"}


SOURCES = """sources:
  - name: crm
    description: The shop's own.
    tables:
      - name: things
        identifier: items
        loaded_at_field: day
        freshness: {warn_after: {count: 2, period: day}}
        columns:
          - {name: id, data_tests: [unique, not_null]}
      - name: calls
        loaded_at_field: got
        freshness: {error_after: {count: 6, period: hour}}
        columns:
          - {name: id, data_type: number, data_tests: [not_null]}
          - {name: said}
      - name: parts
        meta: {external_location: "exports/parts-*.parquet"}
        columns: [{name: id, data_type: integer}]
"""


def test_sources_become_contracts_with_the_files_of_seeds_or_a_question(made):
    done = made(
        {
            "models/s.yml": SOURCES,
            "models/a/b.sql": "with t as (select * from {{ source('crm', 'calls') }}) select id, said, heard from t",
            "models/a/c.sql": "select id, name, price from {{ source('crm', 'things') }}",
            "models/a/d.sql": "select id from {{ source('crm', 'parts') }}",
        }
    )
    found = contract(done, "sources/crm.yaml")
    things, calls, parts = found.schema
    assert [(p.name, p.physical_type) for p in things.properties] == [
        ("id", "INTEGER"),
        ("name", "VARCHAR"),
        ("price", "DOUBLE"),
        ("day", "DATE"),
    ]
    assert things.key == ("id",)
    assert [p.name for p in calls.properties] == ["id", "said", "got", "heard"]
    assert (parts.physical_name, parts.custom["server"].value) == ("parts-*.parquet", "files_2")
    assert [s.settings["path"] for s in found.servers] == ["data/crm", "exports"]
    assert [(s.element, s.value, s.unit) for s in found.service_levels] == [("things.day", 2, "d"), ("calls.got", 6, "h")]
    messages = [f.message for f in done.report.decisions]
    assert "nobody says in which files the rows of the source `crm.calls` come" in messages
    assert "the type of `crm.calls.heard` is not known: text" in messages
    assert not done.report.waiting
    assert not done.report.unread
    with Workspace.open(done.folder) as workspace:
        assert workspace.run(selection=["+a.c"]).status == "done"
        assert workspace.show("a.c").read_all().num_rows == 3


def test_seeds_keep_dbts_types_and_its_word_for_nothing(made):
    done = made(
        {
            "seeds/odd.csv": 'a;b;c;d;e\n1;007;true;2026-01-01 10:00:00;"x;y"\n5000000000;8;null;;null\n',
            "seeds/s.yml": "seeds:\n  - name: odd\n    config: {delimiter: ';', column_types: {b: varchar}}\n    columns: [{name: a, data_tests: [unique]}]\n",
            "models/a/b.sql": "select * from {{ ref('odd') }}",
        }
    )
    assert not done.report.decisions
    with Workspace.open(done.folder) as workspace:
        assert workspace.run().status == "done"
        assert {c.name: c.type for c in workspace.known.schemas["a.b"]} == {
            "a": "BIGINT",
            "b": "VARCHAR",
            "c": "BOOLEAN",
            "d": "TIMESTAMP",
            "e": "VARCHAR",
        }
        rows = workspace.show("a.b").read_all().to_pylist()
    assert sorted((r["b"], r["c"], r["e"]) for r in rows) == [("007", True, "x;y"), ("8", None, "null")]


def test_unit_tests_that_have_no_case_are_told(made):
    unit = "  - {name: %s, model: b, given: [{input: ref('items'), rows: [{id: 1}]}], expect: {rows: [{id: 1}]}%s}\n"
    done = made(
        {
            "models/a/b.sql": "select id from {{ ref('items') }}",
            "models/a/s.yml": "unit_tests:\n"
            + unit % ("good", "")
            + unit % ("other_var", ", overrides: {vars: {x: 1}}")
            + unit % ("incremental", ", overrides: {macros: {is_incremental: true}}")
            + "  - {name: of_query, model: b, given: [{input: ref('items'), format: sql, rows: select 1 as id}], expect: {rows: [{id: 1}]}}\n"
            + "  - {name: of_file, model: b, given: [{input: ref('items'), format: csv, fixture: three}], expect: {rows: [{id: 7}]}}\n",
            "tests/fixtures/three.csv": "id\n7\n",
        }
    )
    assert [f.message for f in done.report.decisions] == [
        f"the unit test `{n}` is not carried over" for n in ("other_var", "incremental", "of_query")
    ]
    from xde.app.testing import TestBench

    bench = TestBench.open(done.folder)
    assert {r.case.name: r.passed for r in bench.run(bench.pick(()))} == {"good": True, "of_file": True}
    bench.close()


def test_macros_of_packages_that_lie_beside_the_project(made):
    done = made(
        {
            "dbt_packages/loud/dbt_project.yml": "name: loud\n",
            "dbt_packages/loud/macros/m.sql": "{% macro shout(x) %}{{ return(adapter.dispatch('shout', 'loud')(x)) }}{% endmacro %}\n"
            "{% macro default__shout(x) %}lower({{ x }}){% endmacro %}{% macro duckdb__shout(x) %}upper({{ x }}){% endmacro %}\n",
            "models/a/b.sql": "select {{ loud.shout('name') }} as x from {{ ref('items') }}",
        }
    )
    assert "select upper(name) as x" in (done.folder / "models/a/b.sql").read_text()


def test_settings_may_be_templates_and_seeds_that_are_off_are_rows_of_sources(made):
    settings = (
        "name: shop\nvars: {load: false}\nseeds:\n  shop:\n    +enabled: \"{{ var('load') }}\"\n"
        "models:\n  shop:\n    big: {+enabled: \"{{ target.name == 'prod' }}\", +materialized: \"{{ 'table' if var('load') else 'view' }}\"}\n"
    )
    done = made(
        {
            "dbt_project.yml": settings,
            "models/s.yml": "sources:\n  - name: ecom\n    tables: [{name: items}]\n",
            "models/big/b.sql": "select * from {{ source('ecom', 'items') }}",
        }
    )
    assert (done.folder / "models/big/b.sql").read_text() == "/* xde\nkind: view\n*/\nselect * from ecom.items\n"
    assert (done.folder / "data/ecom/items.csv").read_text().endswith("3,,,2026-01-03\n")
    assert not done.report.decisions
    with Workspace.open(done.folder) as workspace:
        assert workspace.run().status == "done"


def test_types_of_sources_come_from_the_catalog_that_dbt_has_made(made):
    columns = {n: {"name": n, "type": kind, "index": i} for i, (n, kind) in enumerate((("ID", "NUMBER(38,0)"), ("SAID", "TEXT")))}
    catalog = json.dumps({"sources": {"source.shop.crm.calls": {"columns": columns}}})
    done = made(
        {
            "profiles.yml": "shop: {target: prod, outputs: {prod: {type: snowflake}}}\n",
            "target/catalog.json": catalog,
            "models/s.yml": "sources:\n  - name: crm\n    tables:\n      - {name: calls, columns: [{name: Id}]}\n",
            "models/a/b.sql": "select id / 100 as x, said from {{ source('crm', 'calls') }}",
        }
    )
    assert [(p.name, p.physical_type) for p in contract(done, "sources/crm.yaml").schema[0].properties] == [
        ("Id", "DECIMAL(38, 0)"),
        ("said", "TEXT"),
    ]
    assert not done.report.waiting


def test_what_packages_may_hold_waits_and_what_disables_itself_too(made):
    done = made(
        {
            "packages.yml": "packages: []\n",
            "models/a/b.sql": "select * from {{ ref('of_a_package') }}",
            "models/a/c.sql": "select * from {{ source('of_a_package', 'x') }}",
            "models/a/d.sql": "{{ config(enabled=var('on', false)) }}select 1 as id",
            "models/a/e.sql": "{{ config(full_refresh=false) }}select 1 as id;\n",
        }
    )
    assert [(w.name, w.reason) for w in done.report.waiting] == [
        ("b", "`ref('of_a_package')` names a model of a package"),
        ("c", "`source('of_a_package', 'x')` is declared nowhere but in a package"),
        ("d", "its own config disables it"),
    ]
    assert "`e`: `full_refresh: false` is not carried over" in [f.message for f in done.report.decisions]
    with Workspace.open(done.folder) as workspace:
        assert workspace.run().status == "done"
