"""What a source delivers has other columns than before: told once, with who reads them, as a finding, as an event and in the commit."""

from __future__ import annotations

import duckdb
import pytest
from projects.contracts import source
from projects.folder import Folder

from xde.app.workspace import Workspace
from xde.ground.errors import UserError
from xde.kernel.run.events import SchemaChanged

OBJECT = """\
  - name: clicks
    physicalName: clicks-*
    customProperties: [{property: xdeSchemaChange, value: {newColumn: evolve, missingColumn: evolve}}]
    properties:
      - {name: visitor, logicalType: string}
      - {name: page, logicalType: string}
      - {name: n, logicalType: integer}
"""
PAGES = """apiVersion: v3.1.0
kind: DataContract
id: pages
version: 1.0.0
status: active
team: {name: growth, members: [{username: ann@example.com, role: owner}]}
schema:
  - name: pages
    properties:
      - {name: page, logicalType: string}
"""


class Listener:
    def __init__(self):
        self.changes = []

    def hear(self, event):
        if isinstance(event, SchemaChanged):
            self.changes.append((event.dataset, dict(event.columns.new), event.columns.missing, event.columns.back))


class Shop(Folder):
    form = "csv"

    def deliver(self, number, **columns):
        path = self.root / f"data/clicks-{number}.{self.form}"
        path.parent.mkdir(exist_ok=True)
        rows = ", ".join(f"{v!r} AS {n}" for n, v in columns.items())
        duckdb.sql(f"COPY (SELECT {rows}) TO '{path}' (FORMAT {self.form})")

    def run(self):
        listener = Listener()
        with Workspace.open(self.root) as workspace:
            finished = workspace.run(observers=[listener])
        (load,) = (o for o in finished.outcomes if o.step.dataset == "web.clicks")
        assert load.status == "done", load.findings
        self.told = [f for f in load.findings if f.code == "XDE0417"]
        return listener.changes


@pytest.fixture(params=["csv", "parquet"])
def shop(tmp_path, request):
    made = Shop(tmp_path / "shop")
    made.form = request.param
    made.write("xde.yaml", "name: shop\n")
    made.write("sources/web.yaml", source(OBJECT, f"{{server: l, type: local, path: data, format: {request.param}}}"))
    made.write("models/marts/pages.sql", "SELECT DISTINCT page FROM web.clicks")
    made.write("models/marts/pages.yaml", PAGES)
    return made


def test_a_column_that_is_missing_from_a_load_on_is_told_once_with_who_reads_it(shop):
    shop.deliver(1, visitor="ann", page="/a", n=1)
    assert shop.run() == []
    shop.deliver(2, visitor="bob", n=2)
    assert shop.run() == [("web.clicks", {}, ("page",), ())]
    (finding,) = shop.told
    assert finding.message == f"`clicks-2.{shop.form}` has no `page` of `web.clicks` any more"
    assert "`page` is read by `marts.pages` (`page`; ann@example.com)" in finding.why
    shop.deliver(3, visitor="cyd", n=3)
    assert shop.run() == []
    assert shop.told == []
    shop.deliver(4, visitor="dan", page="/b", n=4)
    assert shop.run() == [("web.clicks", {}, (), ("page",))]
    assert shop.told == []


def test_what_the_first_delivery_lacks_is_told_too(shop):
    shop.deliver(1, visitor="ann", n=1)
    assert shop.run() == [("web.clicks", {}, ("page",), ())]
    assert shop.told[0].message == f"`clicks-1.{shop.form}` has no `page` of `web.clicks`"


def test_a_new_column_is_an_event(shop):
    shop.deliver(1, visitor="ann", page="/a", n=1)
    shop.run()
    shop.deliver(2, visitor="bob", page="/b", n=2, campaign="autumn")
    assert shop.run() == [("web.clicks", {"campaign": "VARCHAR"}, (), ())]
    with Workspace.open(shop.root) as workspace:
        facts = workspace.history("web.clicks")[0].record.facts
    assert facts["new_columns"] == {"campaign": "VARCHAR"}
    assert facts["missing_columns"] == []


def test_a_load_that_is_none_forgets_nothing(shop):
    """A compaction, a letter that is read again: neither says which columns are delivered."""
    shop.deliver(1, visitor="ann", n=1)
    shop.run()
    with Workspace.open(shop.root) as workspace:
        workspace.clean(keep_hours=0, keep_days=0, compact=True, dry_run=False)
    shop.deliver(2, visitor="bob", n=2)
    assert shop.run() == []


def test_what_may_be_under_another_name_is_told_so_and_not_twice(shop):
    shop.deliver(1, visitor="ann", page="/a", n=1)
    shop.run()
    shop.deliver(2, visitor="bob", pages="/a", n=2)
    shop.run()
    assert shop.told == []


def test_of_several_commits_of_a_step_each_change_is_an_event(shop):
    """Files that are merged are a commit each: what goes with one of them and is back with the next has happened."""
    contract = (shop.root / "sources/web.yaml").read_text()
    merged = contract.replace("customProperties: [", "customProperties: [{property: xdeWriteMode, value: merge}, ", 1)
    shop.write(
        "sources/web.yaml", merged.replace("{name: visitor, logicalType: string}", "{name: visitor, logicalType: string, primaryKey: true}")
    )
    shop.deliver(1, visitor="ann", page="/a", n=1)
    shop.run()
    shop.deliver(2, visitor="bob", n=2)
    shop.deliver(3, visitor="cyd", page="/c", n=3, campaign="autumn")
    assert shop.run() == [("web.clicks", {}, ("page",), ()), ("web.clicks", {"campaign": "VARCHAR"}, (), ("page",))]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("    customProperties:\n      - {property: xdeSchemaChange, value: {newColumn: freeze}}\n", "newColumn: freeze"),
        ("", "name: clicks"),
    ],
)
def test_a_refused_column_is_shown_where_the_contract_decides_on_it(tmp_path, words, line):
    text = OBJECT.replace("    customProperties: [{property: xdeSchemaChange, value: {newColumn: evolve, missingColumn: evolve}}]\n", words)
    shop = Shop(tmp_path / "web")
    shop.write("xde.yaml", "name: web\n")
    shop.write("sources/web.yaml", source(text, "{server: local, type: local, path: data, format: csv}"))
    shop.deliver(1, visitor="ann", page="a", n=1, more=2)
    with Workspace.open(shop.root) as workspace:
        ((finding,),) = (o.findings for o in workspace.run().outcomes)
    assert finding.code == "XDE0412"
    assert finding.span.path.endswith("web.yaml")
    assert line in (shop.root / "sources/web.yaml").read_text().splitlines()[finding.span.line - 1]


def test_a_folder_that_is_not_there_is_shown_with_its_contract(tmp_path):
    shop = Shop(tmp_path / "web")
    shop.write("xde.yaml", "name: web\n")
    shop.write("sources/web.yaml", source(OBJECT, "{server: local, type: local, path: dta, format: csv}"))
    with Workspace.open(shop.root) as workspace, pytest.raises(UserError) as raised:
        workspace.run()
    (finding,) = raised.value.findings
    assert (finding.code, finding.span.path) == ("XDE0440", "sources/web.yaml")
