"""What materializations, snapshots, folders and versions of dbt become, and what is told of parts that have no counterpart."""

from __future__ import annotations

import pytest
from projects.dbt import write

from xde.app.importing import import_dbt
from xde.faces.words.imports import import_page


@pytest.fixture
def made(tmp_path):
    """`made({path: text})` imports a project of these files."""
    return lambda files: import_dbt(write(tmp_path / "dbt", files), tmp_path / "ours", import_page)


@pytest.mark.parametrize(
    ("config", "head"),
    [
        ("materialized='view'", "kind: view"),
        ("materialized='ephemeral'", "kind: ephemeral"),
        ("materialized='incremental', unique_key='id'", "kind: incremental\nkey: id"),
        ("materialized='incremental', unique_key=['id', 'name']", "kind: incremental\nkey: [id, name]"),
        ("materialized='incremental'", "kind: append"),
        (
            "materialized='incremental', incremental_strategy='microbatch', event_time='day', begin='2026-01-01', batch_size='day', lookback=3",
            'kind: incremental\ntime: day\ngrain: day\nstart: "2026-01-01"\nlookback: "3 days"',
        ),
    ],
)
def test_a_materialization_becomes_a_kind(made, config, head):
    done = made({"models/a/b.sql": f"{{{{ config({config}) }}}}select id, name, day from {{{{ ref('items') }}}}"})
    assert (done.folder / "models/a/b.sql").read_text().startswith(f"/* xde\n{head}\n*/\nselect")
    assert not done.report.unread


def test_snapshots_become_histories(made):
    done = made(
        {
            "snapshots/s.sql": "{% snapshot old %}{{ config(unique_key='id', strategy='timestamp', updated_at='day', hard_deletes='invalidate') }}"
            "select * from {{ ref('items') }}{% endsnapshot %}\n"
            "{% snapshot odd %}{{ config(unique_key='id || name', strategy='check', check_cols='all') }}select 1 as id{% endsnapshot %}\n"
        }
    )
    assert (
        (done.folder / "models/snapshots/old.sql")
        .read_text()
        .startswith("/* xde\nkind: history\nkey: id\nupdated: day\nmissing: delete\n*/\n")
    )
    assert [(w.name, w.reason) for w in done.report.waiting] == [("odd", "its `unique_key` is not a column: make it one in the query")]


def test_folders_schemas_aliases_and_versions_name_datasets(made):
    done = made(
        {
            "dbt_project.yml": "name: shop\nmodels:\n  shop:\n    +schema: mart\n    deep: {+schema: other, off: {+enabled: false}}\n",
            "models/one.sql": "{{ config(alias='uno') }}select 1 as id",
            "models/deep/two.sql": "select * from {{ ref('one') }}",
            "models/deep/off/three.sql": "select 1 as id",
            "models/v_v1.sql": "select 1 as id",
            "models/v_v2.sql": "select 2 as id",
            "models/reads.sql": "select * from {{ ref('v') }} union all select * from {{ ref('v', v=1) }}",
            "models/s.yml": "models:\n  - name: v\n    latest_version: 2\n    versions: [{v: 1}, {v: 2}]\n",
        }
    )
    files = {f for f in done.files if f.startswith("models/") and f.endswith(".sql")}
    assert files == {f"models/{f}.sql" for f in ("mart/uno", "other/two", "mart/v_v1", "mart/v_v2", "mart/reads")}
    assert "from mart.v_v2 union all select * from mart.v_v1" in (done.folder / "models/mart/reads.sql").read_text()
    assert "what is disabled is not carried over: `three`" in [f.message for f in done.report.remarks]


def test_what_has_no_counterpart_is_told(made):
    done = made(
        {
            "dbt_project.yml": "name: shop\non-run-end: [select 1]\nvars: {cut: 2}\n",
            "models/a/b.sql": "{{ config(post_hook='grant', materialized='incremental', unique_key='id') }}select id from {{ ref('items') }} "
            "where id > {{ var('cut') }} {% if target.name == 'dev' %}limit 1{% endif %}\n{% if is_incremental() %}and 1 = 1{% endif %}",
            "models/a/s.yml": "exposures:\n  - {name: page, type: dashboard}\nmetrics:\n  - name: sales\nmodels:\n  - name: nobody\n",
            "models/a/p.py": "def model(dbt, session):\n    return dbt.ref('items')\n",
            "models/a/after.sql": "select * from {{ ref('p') }}",
        }
    )
    assert {f.message for f in done.report.decisions} == {
        "`b`: `post_hook` is not carried over (statements after a build)",
        "`b`: the template reads `target.name`, which is taken to be `prod`",
        "`b`: what stands within `is_incremental()` is left out",
        "`nobody` is described, but there is no such file",
        "`on-run-end` is not carried over",
        "the exposure `page` is not carried over",
        "the metric `sales` is not carried over",
        "nobody says that the key of `b` is unique",
        "the model `after` is not built",
        "the python model `p` is not built",
    }
    assert "where id > 2" in (done.folder / "models/a/b.sql").read_text()
