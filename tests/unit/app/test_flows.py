"""Projects whose models call flows: what their findings point at, what a change of a flow does, what tests see of them."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from projects.folder import Folder
from projects.contracts import source
from xde.app.covering import cover
from xde.app.flows import _offered
from xde.app.mutating import mutants_of_model
from xde.app.deploying import Order
from xde.app.testing import TestBench
from xde.app.understanding import _same_flows
from xde.app.workspace import Workspace
from xde.ground.digests import digest_if_there
from xde.ground.errors import UserError

CONTRACT = source(
    """\
  - name: events
    physicalName: events.csv
    properties:
      - {name: id, logicalType: integer}
      - {name: visitor, logicalType: string}
      - {name: page, logicalType: string}
      - {name: happened_at, logicalType: timestamp, physicalType: TIMESTAMP}
      - {name: seen_at, logicalType: timestamp, physicalType: TIMESTAMP}
  - name: pages
    physicalName: pages.csv
    properties:
      - {name: page, logicalType: string}
      - {name: title, logicalType: string}
""",
    name="web",
)
EVENTS = """\
id,visitor,page,happened_at,seen_at
1,ann,home,2024-05-01 09:00:00,2024-05-01 09:00:01
1,ann,tea,2024-05-01 09:00:00,2024-05-01 09:05:01
2,ann,tea,2024-05-01 09:50:00,2024-05-01 09:50:01
3,bob,home,2024-05-01 09:10:00,2024-05-01 09:10:01
"""
CLEAN = "SELECT id, visitor, page, happened_at\nFROM dedupe(web.events,\n  key := id,\n  newest := seen_at) AS e\nWHERE page <> 'robot'\n"
OWN = """\
from xde.plugin.flows import Columns, Relation, flow


@flow
def first_of(rows: Relation, *, key: Columns, by: Columns) -> str:
    return f\"\"\"
        SELECT * EXCLUDE (__place)
        FROM (SELECT *, row_number() OVER (PARTITION BY {key} ORDER BY {by}) AS __place FROM {rows}) AS ordered
        WHERE __place = 1
    \"\"\"
"""


class Web(Folder):
    def known(self):
        with Workspace.open(self.root) as workspace:
            return workspace.known

    def run(self):
        with Workspace.open(self.root) as workspace:
            finished = workspace.run()
        assert finished.status == "done"
        return {o.step.dataset for o in finished.outcomes}

    def rows(self, dataset):
        with Workspace.open(self.root) as workspace:
            return sorted(tuple(r.values()) for r in workspace.show(dataset, limit=None).read_all().to_pylist())

    def findings(self):
        with pytest.raises(UserError) as caught:
            self.known()
        return [(f.code, str(f.span)) for f in caught.value.findings]


@pytest.fixture
def web(tmp_path):
    project = Web(tmp_path / "web")
    project.write("xde.yaml", "name: web\n")
    project.write("sources/web.yaml", CONTRACT)
    project.write("data/events.csv", EVENTS)
    project.write("data/pages.csv", "page,title\nhome,Home\n")
    project.write("models/staging/events.sql", CLEAN)
    return project


def test_a_model_with_a_flow_is_built_like_any_other(web):
    assert web.run() == {"web.events", "web.pages", "staging.events"}
    assert [r[:3] for r in web.rows("staging.events")] == [(1, "ann", "tea"), (2, "ann", "tea"), (3, "bob", "home")]
    known = web.known()
    assert known.upstream["staging.events"] == ("web.events",)
    assert str(known.identity("staging.events", "page")) == "web.events.page"
    assert web.run() == set()


def test_a_view_with_a_flow_is_read_through(web):
    web.write("models/staging/events.sql", "/* xde\nkind: view\n*/\n" + CLEAN)
    web.write("models/marts/pages.sql", "SELECT page, count(*) AS n FROM staging.events GROUP BY page\n")
    web.run()
    assert web.rows("marts.pages") == [("home", 1), ("tea", 2)]


@pytest.mark.parametrize(
    ("sql", "code", "place"),
    [
        (CLEAN.replace("key := id", "key := idd"), "XDE0204", "3:10"),
        (CLEAN.replace("seen_at)", "seen_att)"), "XDE0204", "4:13"),
        (CLEAN.replace("page <>", "pag <>"), "XDE0204", "5:7"),
        (CLEAN.replace("web.events", "web.event"), "XDE0201", "2:13"),
        (CLEAN.replace("web.events", "events"), "XDE0210", "2:13"),
        (CLEAN.replace("key :=", "kee :="), "XDE0241", "3:3"),
        (CLEAN.replace("'robot'", "$robot"), "XDE0215", "5:15"),
        (CLEAN.replace("page <> 'robot'", "page <> "), "XDE0203", "5:12"),
        (CLEAN.replace("page <> 'robot'", "nosuch(page)"), "XDE0219", "5:7"),
        (CLEAN.replace("happened_at\n", "*\n"), "XDE0216", "1:8"),
        ("SELECT e.* FROM web.pages AS p, latest(web.events, key := id, at := title) AS e\n", "XDE0204", "1:69"),
        (
            "SELECT e.* FROM web.pages AS p JOIN latest(web.events, key := id, at := happened_at, deleted := title = '') AS e USING (page)\n",
            "XDE0204",
            "1:97",
        ),
    ],
)
def test_a_finding_points_at_what_was_written(web, sql, code, place):
    web.write("models/staging/events.sql", sql)
    assert web.findings() == [(code, f"models/staging/events.sql:{place}")]


def test_below_a_head_lines_count_from_the_file(web):
    web.write("models/staging/events.sql", "/* xde\nkind: view\n*/\n" + CLEAN.replace("key := id", "key := idd"))
    assert web.findings() == [("XDE0204", "models/staging/events.sql:6:10")]


def test_one_broken_call_does_not_hide_what_else_is_wrong(web):
    web.write("models/staging/events.sql", CLEAN.replace("key :=", "kee :="))
    web.write("models/marts/a.sql", "SELECT x FROM staging.events\n")
    web.write("models/marts/b.sql", "SELECT x FROM web.events\n")
    assert web.findings() == [("XDE0241", "models/staging/events.sql:3:3"), ("XDE0204", "models/marts/b.sql:1:8")]


def test_a_column_of_the_input_may_not_have_a_name_of_flows(web):
    web.write("models/staging/odd.sql", "SELECT *, 1 AS __flow_rank FROM web.events\n")
    web.write("models/staging/events.sql", CLEAN.replace("web.events", "staging.odd"))
    assert web.findings() == [("XDE0252", "models/staging/events.sql:1:1")]


def test_cases_of_a_part_see_the_flow(web):
    web.write(
        "models/marts/sessions.sql",
        "WITH s AS (SELECT * FROM sessionize(staging.events, key := visitor, at := happened_at)) SELECT session FROM s WHERE session > 1\n",
    )
    web.write(
        "tests/sessions.yaml",
        "model: marts.sessions\ncases:\n  - name: a part\n    cte: s\n    given:\n      staging.events:\n"
        "        - {visitor: ann, happened_at: 2024-01-01 00:00:00}\n        - {visitor: ann, happened_at: 2024-01-01 01:00:00}\n"
        "    expect:\n      rows: [{session: 1}, {session: 2}]\n",
    )
    bench = TestBench.open(web.root)
    try:
        assert [r.passed for r in bench.run(bench.pick(()))] == [True]
    finally:
        bench.close()


def test_mutants_and_branches_are_those_of_the_models_own_text(web):
    web.write(
        "tests/e.yaml",
        "model: staging.events\ncases:\n  - name: one\n    given: {web.events: [{id: 1, page: a}]}\n    expect: {rows: [{id: 1}]}\n",
    )
    bench = TestBench.open(web.root)
    try:
        mutants = mutants_of_model(bench, "staging.events")
        assert {m.line for m in mutants} <= {1, 2, 5}
        lines = CLEAN.splitlines()
        assert mutants
        assert all(lines[m.line - 1][m.column - 1 :].startswith(m.before.removesuffix(" ...").split("\n")[0]) for m in mutants if m.before)
        (covered,) = cover(bench, ())
        assert [x.text for x in covered.lines] == lines
        assert {b.line for b in covered.coverage.branches} == {5}
        assert {(b.line, b.column) for b in covered.coverage.branches} == {(5, 7)}
    finally:
        bench.close()


def test_a_flow_of_the_project_is_called_like_ours(web):
    web.write("flows/mine.py", OWN)
    web.write("models/marts/firsts.sql", "SELECT visitor, page FROM first_of(staging.events, key := visitor, by := happened_at)\n")
    web.run()
    assert web.rows("marts.firsts") == [("ann", "tea"), ("bob", "home")]


def test_a_changed_flow_of_the_project_rebuilds_who_calls_it(web):
    web.write("flows/mine.py", OWN)
    web.write("models/marts/firsts.sql", "SELECT visitor, page FROM first_of(staging.events, key := visitor, by := page)\n")
    web.run()
    assert web.rows("marts.firsts") == [("ann", "tea"), ("bob", "home")]
    web.write("flows/mine.py", OWN + "\n# nothing but a comment\n")
    assert web.run() == set()
    web.write("flows/mine.py", OWN.replace("ORDER BY {by}", "ORDER BY {by} DESC"))
    assert web.run() == {"marts.firsts"}


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("def broken(:\n", "XDE0248", "1:12"),
        ("import no_such_package\n", "XDE0248", "1:1"),
        ("\nraise SystemExit(3)\n", "XDE0248", "2:1"),
        (OWN.replace("key: Columns", "key"), "XDE0249", "5:33"),
        (OWN.replace("key: Columns", "key: str"), "XDE0249", "5:33"),
        ("from __future__ import annotations\n" + OWN.replace("key: Columns", "key: Nothing"), "XDE0249", "6:5"),
        (OWN.replace("key: Columns", "key: Nothing"), "XDE0248", "5:1"),
        (OWN.replace("by: Columns", "**by: Columns"), "XDE0249", "5:49"),
        (OWN.replace("first_of", "dedupe"), "XDE0250", "4:1"),
    ],
)
def test_what_is_wrong_with_a_file_of_flows_is_a_finding(web, text, code, place):
    web.write("flows/mine.py", text)
    web.write("models/marts/firsts.sql", "SELECT visitor FROM first_of(staging.events, key := visitor, by := page)\n")
    found = web.findings()
    assert found == [(code, f"flows/mine.py:{place}")]


@pytest.mark.parametrize(
    ("body", "code", "why"),
    [
        ("return 3", "XDE0247", "it gives a value of the type `int`"),
        ("return 'SELEC 1'", "XDE0247", "its SQL cannot be read"),
        ("return 'SELECT 1 FROM'", "XDE0247", "its SQL cannot be read"),
        ('return "SELECT \'x"', "XDE0247", "its SQL has a quote or a comment that is not closed"),
        ("return f\"SELECT '{key}' FROM {rows}\"", "XDE0247", "an argument stands inside a quoted text, or is part of a name"),
        ("return f'SELECT a{key} FROM {rows}'", "XDE0247", "an argument stands inside a quoted text, or is part of a name"),
        ("return 'SELECT 1; SELECT 2'", "XDE0247", "its SQL cannot be read"),
        ("return 'DROP TABLE x'", "XDE0247", "its SQL is no SELECT"),
        ("return f'SELECT {1 / 0}'", "XDE0246", "ZeroDivisionError: division by zero (flows/mine.py:6)"),
    ],
)
def test_what_a_flow_gives_is_looked_at(web, body, code, why):
    web.write(
        "flows/mine.py",
        f"from xde.plugin.flows import Columns, Relation, flow\n\n\n@flow\ndef odd(rows: Relation, *, key: Columns) -> str:\n    {body}\n",
    )
    web.write("models/marts/odd.sql", "SELECT *\nFROM odd(staging.events, key := page)\n")
    with pytest.raises(UserError) as caught:
        web.known()
    (finding,) = caught.value.findings
    assert (finding.code, str(finding.span), finding.why) == (code, "models/marts/odd.sql:2:6", why)


def test_a_file_without_a_flow_is_told_of(web):
    web.write("flows/mine.py", "x = 1\n")
    with Workspace.open(web.root) as workspace:
        assert [(f.code, str(f.span)) for f in workspace.warnings] == [("XDE0251", "flows/mine.py:1:1")]


def test_a_changed_flow_of_ours_is_seen(web, tmp_path):
    known = web.known()
    ((path, digest),) = known.flow_files
    assert path.endswith("dedupe.py")
    assert len(digest) == 32
    copy = tmp_path / "dedupe.py"
    copy.write_text("as it was")
    changed = replace(known, flow_files=((str(copy), digest_if_there(str(copy))),))
    assert _same_flows(known)
    assert _same_flows(changed)
    copy.write_text("as it is")
    assert not _same_flows(changed)
    copy.unlink()
    assert not _same_flows(changed)


def test_a_warm_command_reads_no_sql_and_loads_no_flow(web):
    web.run()
    code = (
        "import sys; from pathlib import Path; from xde.app.workspace import Workspace\n"
        f"w = Workspace.open(Path({str(web.root)!r})); assert not w.plan().steps; w.close()\n"
        "print([m for m in sys.modules if m.startswith(('sqlglot', 'xde.lifecycle.transformation.flows', 'xde.kernel.graph.flows', 'importlib.metadata'))])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_what_is_deployed_keeps_its_flows(web):
    web.write("flows/mine.py", OWN)
    web.write("models/marts/firsts.sql", "SELECT visitor, page FROM first_of(staging.events, key := visitor, by := page)\n")
    with Workspace.open(web.root, environment="prod", working_tree=True) as workspace:
        workspace.run()
        workspace.deploy(Order())
    web.write("flows/mine.py", OWN.replace("ORDER BY {by}", "ORDER BY {by} DESC"))
    with Workspace.open(web.root, environment="prod") as workspace:
        assert not workspace.plan().steps


def test_the_example_of_the_documents_is_a_flow(web):
    page = Path(__file__).parents[3] / "docs/concepts/flow.md"
    (code,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    web.write("flows/mine.py", code)
    web.write("models/marts/busy.sql", "SELECT id, visitor FROM busiest(staging.events, key := visitor, by := id, places := 1)\n")
    web.run()
    assert web.rows("marts.busy") == [(2, "ann"), (3, "bob")]
    web.write("models/marts/busy.sql", "SELECT id, visitor FROM busiest(staging.events, key := visitor, by := id, places := 0)\n")
    assert web.findings() == [("XDE0245", "models/marts/busy.sql:1:85")]


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """A package that is installed for as long as a test lasts, and offers what is written into it."""
    packages = tmp_path / "packages"
    facts = packages / "tea_flows-1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: tea-flows\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(packages))

    def install(text, **points):
        (packages / "tea_flows.py").write_text(text)
        (facts / "entry_points.txt").write_text("[xde.flows]\n" + "".join(f"{n} = {v}\n" for n, v in points.items()))
        _offered.cache_clear()
        sys.modules.pop("tea_flows", None)

    yield install
    _offered.cache_clear()
    sys.modules.pop("tea_flows", None)


def test_a_plug_in_adds_flows(web, plugin):
    plugin(OWN, first_of="tea_flows:first_of")
    web.write("models/marts/firsts.sql", "SELECT visitor, page FROM first_of(staging.events, key := visitor, by := page)\n")
    web.run()
    assert web.rows("marts.firsts") == [("ann", "tea"), ("bob", "home")]
    assert any(path.endswith("tea_flows.py") for path, _ in web.known().flow_files)
    plugin(OWN.replace("ORDER BY {by}", "ORDER BY {by} DESC"), first_of="tea_flows:first_of")
    assert web.run() == {"marts.firsts"}


def test_a_plug_in_that_is_broken_harms_only_who_calls_it(web, plugin):
    plugin("x = 1\n", first_of="tea_flows:first_of", dedupe="tea_flows:dedupe")
    with Workspace.open(web.root) as workspace:
        assert [f.code for f in workspace.warnings] == ["XDE0250"]
    web.write("models/marts/firsts.sql", "SELECT visitor FROM first_of(staging.events, key := visitor, by := page)\n")
    with pytest.raises(UserError) as caught:
        web.known()
    (finding,) = caught.value.findings
    assert finding.code == "XDE0253"
    assert "tea-flows" in finding.hint
    plugin("def first_of(rows): ...\n", first_of="tea_flows:first_of")
    assert [c for c, _ in web.findings()] == ["XDE0253"]


def test_another_layout_of_a_call_changes_nothing(web):
    web.run()
    web.write("models/staging/events.sql", "-- tidied up\n" + CLEAN.replace(",\n  key := id,", ", /* one each */ KEY := id,\n\n"))
    assert web.run() == set()
    web.write("models/staging/events.sql", CLEAN.replace("newest", "oldest"))
    assert web.run() == {"staging.events"}


def test_columns_that_nobody_reads_change_nothing_behind_a_flow_with_ties(web):
    web.write("models/marts/all.sql", "SELECT id, page FROM dedupe(web.events, key := id, newest := seen_at, ties := page)\n")
    before = web.known().versions["marts.all"]
    web.write("sources/web.yaml", CONTRACT.replace("  - name: pages", "      - {name: extra, logicalType: string}\n  - name: pages"))
    assert web.known().versions["marts.all"] == before
