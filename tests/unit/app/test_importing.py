"""dbt projects, small ones written here and the shop of `tests/data`, made into projects of ours: what is carried over, what is told, what is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import xde
from projects.dbt import write
from xde.app.importing import import_dbt
from xde.app.testing import TestBench
from xde.app.workspace import Workspace
from xde.faces.words.imports import import_page
from xde.ground.errors import UserError

SHOP = Path(__file__).parents[2] / "data/dbt_jaffle"


@pytest.fixture
def made(tmp_path):
    """`made({path: text})` imports a project of these files."""
    return lambda files: import_dbt(write(tmp_path / "dbt", files), tmp_path / "ours", import_page)


def refused(make, files: dict[str, str]) -> list[tuple[str, str]]:
    """The codes of what stops an import, with their places."""
    with pytest.raises(UserError) as caught:
        make(files)
    assert all(f.message[:1] in {"`", f.message[:1].lower()} and not f.message.endswith(".") for f in caught.value.findings)
    return [(f.code, str(f.span).partition("/dbt/")[2] if f.span else "") for f in caught.value.findings]


def sql(made, name: str) -> str:
    text = (made.folder / f"models/{name}.sql").read_text()
    return text[text.index("*/") + 3 :].strip()


def head(made, name: str) -> str:
    text = (made.folder / f"models/{name}.sql").read_text()
    return text[: text.index("*/")]


def built(made, name: str) -> list[tuple[object, ...]]:
    with Workspace.open(made.folder) as workspace:
        assert workspace.run().status == "done"
        return [tuple(r.values()) for r in workspace.show(name, limit=None).read_all().to_pylist()]


@pytest.mark.slow
def test_the_shop_is_carried_over_whole_and_runs(tmp_path):
    made = import_dbt(SHOP, tmp_path / "ours", import_page)
    assert made.report.counts() == [("model", 9, 0), ("snapshot", 2, 0), ("seed", 3, 0), ("test", 2, 0), ("unit test", 1, 0)]
    assert not made.report.unread
    with Workspace.open(made.folder) as workspace:
        assert workspace.run().status == "done"
        rows = [tuple(r.values()) for r in workspace.show("marts.customers", limit=None).read_all().to_pylist()]
    assert len(rows) == 100
    assert sum(r[6] or 0 for r in rows) == 1672
    page = (made.folder / "IMPORT.md").read_text()
    assert "- [ ] `order_log`: what stands within `is_incremental()` is left out (models/marts/order_log.sql:10)" in page
    assert str(tmp_path) not in page
    assert not list((tmp_path).glob(".*"))


def test_its_unit_tests_are_cases_that_pass(tmp_path):
    made = import_dbt(SHOP, tmp_path / "ours", import_page)
    bench = TestBench.open(made.folder)
    assert not bench.findings
    assert [r.passed for r in bench.run(bench.pick(()))] == [True]
    bench.close()


def test_text_outside_of_templates_stays_byte_for_byte(made):
    body = "select -- the name,\tof each\n\n    name   /* why not */\nfrom items as i  \nwhere name <> '{not a tag}'"
    done = made({"models/a/b.sql": "{{ config(materialized='view') }}\n\n" + body.replace("from items", "from {{ ref('items') }}") + "\n"})
    assert sql(done, "a/b") == body.replace("from items", "from seeds.items")
    assert head(done, "a/b") == "/* xde\nkind: view\n"


def test_macros_call_each_other_and_return_values(made):
    macros = (
        "{% macro names() %}{{ return(['id', 'name']) }}{% endmacro %}\n"
        "{% macro listed() %}{% for n in names() %}{{ n }}{{ ', ' if not loop.last }}{% endfor %}{% endmacro %}\n"
        "{% macro default__shout(x) %}upper({{ x }}){% endmacro %}\n"
        "{% macro shout(x) %}{{ return(adapter.dispatch('shout')(x)) }}{% endmacro %}\n"
    )
    done = made(
        {
            "macros/m.sql": macros,
            "models/a/b.sql": "select {{ listed() }}, {{ shop.shout('name') }} as loud from {{ ref('items') }}\n",
        }
    )
    assert sql(done, "a/b") == "select id, name, upper(name) as loud from seeds.items"
    assert ("1", "TEA") in {(str(r[0]), r[2]) for r in built(done, "a.b")}


def test_what_common_macros_give_is_the_same_value(made):
    text = (
        "select {{ dbt_utils.generate_surrogate_key(['id', 'name']) }} as k, {{ dbt_utils.surrogate_key(['id', 'name']) }} as old,\n{{ dbt_utils.safe_divide('price', 'id') }} as part,\n"
        "{{ dbt.dateadd('day', 1, 'day') }} as next_day, {{ dbt_utils.star(from=ref('items'), except=['price']) }}\nfrom {{ ref('items') }}\n"
    )
    done = made(
        {
            "models/a/b.sql": text,
            "models/a/months.sql": "{{ dbt_utils.date_spine('month', \"date '2026-01-15'\", \"date '2026-03-20'\") }}\n",
            "models/a/days.sql": "{{ dbt_utils.date_spine('day', \"cast('2026-01-01' as date)\", \"cast('2026-01-04' as date)\") }}\n",
        }
    )
    from hashlib import md5

    rows = {r[4]: r for r in built(done, "a.b")}
    assert rows[1][0] == md5(b"1-tea").hexdigest()
    assert rows[3][0] == md5(b"3-_dbt_utils_surrogate_key_null_").hexdigest()
    assert str(rows[1][3]) == "2026-01-02 00:00:00"
    assert len(rows[1]) == 7
    assert rows[3][1] == md5(b"3-").hexdigest()
    assert [str(r[0]) for r in built(done, "a.days")] == [f"2026-01-0{n} 00:00:00" for n in (1, 2, 3)]
    assert [str(r[0]) for r in built(done, "a.months")] == ["2026-01-15 00:00:00", "2026-02-15 00:00:00"]


HELD = [
    ("{% set r = run_query('select 1') %}select 1 as x", "`run_query` asks the warehouse"),
    ("select {{ adapter.get_columns_in_relation(ref('items')) }}", "`adapter.get_columns_in_relation` asks the warehouse"),
    ("select '{{ run_started_at }}' as x", "`run_started_at` is another in every run"),
    ("select '{{ modules.datetime.datetime.now() }}' as x", "`modules.datetime` is another in every run"),
    ("select '{{ env_var('HOME') }}' as x", "reads the environment"),
    ("select {{ dbt_utils.get_column_values(ref('items'), 'name') }} as x", "`dbt_utils.get_column_values` is none of those"),
    ("select {{ dbt_expectations.something() }} as x", "is of a package that is not here"),
    ("select '{{ var('nobody_said') }}' as x", "the variable `nobody_said` has no value"),
    ("select * from {{ ref('other_package', 'thing') }}", "names a model of a package"),
    ("select max(id) as x from {{ this }}", "the model reads itself"),
    ("{{ config(materialized='own_thing') }}select 1 as x", "the materialization `own_thing`"),
    ("{{ config(materialized='incremental', incremental_strategy='insert_overwrite') }}select 1 as x", "replaces partitions"),
    ("select {{ exceptions.raise_compiler_error('no way') }}", "a macro refuses: no way"),
    ("select {{ target.database }}.x", "`target.database`"),
    ("select {{ no_macro(1) }}", "`no_macro` is not defined here"),
    ("select {{ model.no_such_thing }}", "has no attribute 'no_such_thing'"),
    ("select {{ 1 / 0 }}", "division by zero"),
    ("select {{ ''.__class__.__mro__ }}", "access to attribute '__class__' of 'str' object is unsafe"),
    ("select {{ modules.re.enum.sys.modules['os'].system('true') }}", "has no attribute 'enum'"),
    ("{% for x in range(10000000) %}{% endfor %}", "Range too big"),
    ("select id::no_such_type as x from {{ ref('items') }}", "does not accept"),
]


def test_what_cannot_be_carried_waits_with_all_that_reads_it(made, subtests):
    models = {f"models/a/held{n}.sql": f"-- kept\n{text}\n" for n, (text, _) in enumerate(HELD)}
    readers = {f"models/a/reader{n}.sql": f"select * from {{{{ ref('held{n}') }}}}\n" for n in range(len(HELD))}
    done = made({**models, **readers, "models/a/free.sql": "select id from {{ ref('items') }}\n"})
    waiting = {w.name: w for w in done.report.waiting}
    assert len(waiting) == 2 * len(HELD)
    for n, (text, reason) in enumerate(HELD):
        with subtests.test(text):
            assert reason in waiting[f"held{n}"].reason
            assert waiting[f"reader{n}"].reason == f"it reads `held{n}`, which waits"
            assert "-- kept" in (done.folder / waiting[f"held{n}"].kept).read_text()
    assert len(built(done, "a.free")) == 3


def test_a_place_in_the_dbt_project_is_told(made):
    done = made({"models/a/held.sql": "select\n\n  {{ run_query('select 1') }}\n"})
    assert [str(f.span).partition("/dbt/")[2] for f in done.report.decisions] == ["models/a/held.sql:3:1"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"models/a/b.sql": "select {% if %} 1\n"}, [("XDE0173", "models/a/b.sql:1:1")]),
        ({"models/a/b.sql": "select 1\n\n{{ ref('item') }}\n"}, [("XDE0174", "models/a/b.sql:3:1")]),
        ({"models/a/b.sql": "select 1\n{{ source('x', 'y') }}\n"}, [("XDE0175", "models/a/b.sql:2:1")]),
        (
            {"models/a/b.sql": "select 1\n, {{ m(1) }}\n", "macros/m.sql": "{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}"},
            [("XDE0178", "models/a/b.sql:2:1")],
        ),
        ({"macros/m.sql": "\n\n{% macro m(n) %}{{ n }\n{% endmacro %}"}, [("XDE0173", "macros/m.sql:3:1")]),
        (
            {"models/a/b.sql": "select * from {{ ref('c') }}", "models/a/c.sql": "select * from {{ ref('b') }}"},
            [("XDE0176", "models/a/b.sql:1:1")],
        ),
        ({"models/a/b.sql": "select 1 as x", "models/c/b.sql": "select 1 as x"}, [("XDE0177", "models/c/b.sql:1:1")]),
        ({"models/a/b.sql": "select 1 as x", "seeds/b.csv": "x\n1\n"}, [("XDE0177", "models/a/b.sql:1:1")]),
        ({"models/s.yml": "models:\n  - name: [a\n"}, [("XDE0104", "models/s.yml:2:11")]),
        ({"dbt_project.yml": "- a\n"}, [("XDE0109", "dbt_project.yml:1:1")]),
    ],
)
def test_what_dbt_would_not_build_is_refused_with_its_place(made, files, expected):
    assert refused(made, files) == expected


def test_everything_that_is_wrong_is_told_at_once_and_nothing_is_written(made, tmp_path):
    files = {"models/a/b.sql": "select {{ ref('x') }}", "models/a/c.sql": "select {{ source('x', 'y') }}"}
    assert [c for c, _ in refused(made, files)] == ["XDE0174", "XDE0175"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["dbt"]


def test_a_folder_without_a_project_and_one_that_is_not_empty(made, tmp_path):
    with pytest.raises(UserError) as caught:
        import_dbt(tmp_path, None, import_page)
    assert [f.code for f in caught.value.findings] == ["XDE0170"]
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours/mine.txt").write_text("mine")
    assert refused(made, {})[0][0] == "XDE0008"
    assert [p.name for p in (tmp_path / "ours").iterdir()] == ["mine.txt"]


def test_without_jinja2_it_is_said_what_to_install(tmp_path, monkeypatch):
    for name in [m for m in sys.modules if m.startswith(("jinja2", "xde.undercurrents.engineering.dbt"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(UserError) as caught:
        import_dbt(SHOP, tmp_path / "ours", import_page)
    assert [(f.code, f.hint) for f in caught.value.findings] == [("XDE0171", "pip install 'xde[dbt]'")]


@pytest.mark.slow
def test_killed_before_the_end_it_leaves_no_project(tmp_path):
    words = [sys.executable, "-m", "xde.faces.cli.main", "import", "dbt", str(SHOP), "--into", "ours"]
    environment = {**os.environ, "PYTHONPATH": str(Path(xde.__file__).parents[1]), "XDE_CRASH_AT": "project.written"}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "ours").exists()
    del environment["XDE_CRASH_AT"]
    assert subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, check=False, timeout=60).returncode == 0
    assert (tmp_path / "ours/xde.yaml").is_file()


def test_jinjas_own_functions_loops_and_namespaces(made):
    text = (
        "{%- set ns = namespace(n=0) -%}{%- for i in range(1, 6) -%}{%- if i == 4 -%}{%- break -%}{%- endif -%}{%- set ns.n = ns.n + i -%}{%- endfor -%}"
        "{%- do log('x', info=true) -%}{%- call(x) twice() -%}{{ x }}{%- endcall %}{{ ns.n }} as n, {{ dict(a=1)['a'] }} as one"
    )
    done = made({"models/a/b.sql": text, "macros/m.sql": "{% macro twice() %}{{ caller('sel') }}{{ caller('ect ') }}{% endmacro %}"})
    assert sql(done, "a/b") == "select 6 as n, 1 as one"


def test_a_variable_may_be_a_template_and_dbts_own_macros_have_no_prefix(made):
    project = "name: shop\nvars:\n  day: \"{{ date_trunc('day', 'seen') }}\"\n  shop: {days: [1, 2]}\n"
    text = "select {{ var('day') }} as x, {{ concat(['a', 'b']) }} as y, {{ var('days') | join('+') }} as z"
    done = made(
        {"dbt_project.yml": project, "models/a/b.sql": f"{text} from (select 'p' as a, 'q' as b, timestamp '2026-01-01 10:00:00' as seen)"}
    )
    assert sql(done, "a/b").startswith("select date_trunc('day', seen) as x, a || b as y, 1+2 as z")


def test_a_project_for_another_warehouse_says_so_and_takes_the_macros_for_duckdb(made):
    macros = "{% macro m() %}{{ adapter.dispatch('m')() }}{% endmacro %}" + "".join(
        f"{{% macro {k}__m() %}}'{k}'{{% endmacro %}}" for k in ("default", "postgres", "duckdb")
    )
    profile = "shop: {target: live, outputs: {live: {type: postgres}}}\n"
    done = made({"profiles.yml": profile, "macros/m.sql": macros, "models/a/b.sql": "select {{ m() }} as x, '{{ target.type }}' as y"})
    assert sql(done, "a/b") == "select 'duckdb' as x, 'postgres' as y"
    assert [f.message for f in done.report.decisions] == [
        "`b`: the template reads `target.type`, which is taken to be `postgres`",
        "the project was written for `postgres`",
    ]
