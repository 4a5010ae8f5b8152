"""What a contract may say of a source of dlt, and what it may not: told when the project is read, before any of its code runs."""

from __future__ import annotations

import pytest
from projects.contracts import head
from projects.folder import Folder

from xde.app.workspace import Workspace
from xde.ground.errors import UserError

OBJECT = """\
  - name: orders
    customProperties: [{words}]
    properties:
      - {{name: id, logicalType: integer{key}}}
  - name: lines
    customProperties: [{{property: xdeRequest, value: {{{lines}}}}}]
    properties:
      - {{name: order_id, physicalName: ../id, logicalType: integer, primaryKey: true}}
"""
MERGE = "{property: xdeWriteMode, value: merge}"
SOURCE = '{property: xdeSource, value: "shop_source:shop"}'


def told(root, server=SOURCE, words=MERGE, key=", primaryKey: true", lines="parent: orders"):
    folder = Folder(root)
    folder.write("xde.yaml", "name: shop\n")
    servers = f"servers:\n  - {{server: shop, type: custom, customProperties: [{{property: xdeType, value: dlt}}, {server}]}}\n"
    folder.write("sources/shop.yaml", head() + servers + "schema:\n" + OBJECT.format(words=words, key=key, lines=lines))
    try:
        with Workspace.open(folder.root):
            return []
    except UserError as error:
        return error.findings


def arguments(text):
    return f"{SOURCE}, {{property: xdeArguments, value: {text}}}"


@pytest.mark.parametrize(
    "said",
    [
        "{pages: 3, since: 2026-01-01, deep: {list: [1, {a: b}], none: null}}",
        '{token: "${env:SHOP_TOKEN}"}',
        '{config: {client: {auth: {type: bearer, token: "${env:SHOP_TOKEN}"}, access_token_url: "https://a.example/token"}}}',
        '{credentials: "sqlite:///till.db"}',
        '{credentials: "postgresql://till:${env:SHOP_TOKEN}@db/till"}',
        "{paginator: {type: cursor, cursor_param: token}, primary_key: id}",
    ],
)
def test_arguments_are_whatever_the_source_takes(said, tmp_path):
    assert told(tmp_path, arguments(said)) == []


@pytest.mark.parametrize(
    "said",
    [
        "{token: sesame-open-wide}",
        "{config: {client: {auth: {type: api_key, api_key: sesame-open-wide}}}}",
        '{config: {client: {headers: {Authorization: "Bearer sesame"}}}}',
        '{credentials: "postgresql://till:sesame@db/till"}',
    ],
)
def test_a_secret_in_the_open_is_refused_and_not_shown(said, tmp_path):
    (finding,) = {f.code: f for f in told(tmp_path, arguments(said))}.values()
    assert finding.code == "XDE0481"
    assert "sesame" not in f"{finding.message}{finding.why}{finding.hint}"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"server": "{property: xdeSource, value: shop_source}"}, "names no source"),
        ({"server": "{property: xdeArguments, value: {a: 1}}"}, "does not say which source"),
        ({"words": f"{MERGE}, {{property: xdeQuery, value: SELECT 1}}"}, "cannot say `xdeQuery`"),
        ({"words": f"{MERGE}, {{property: xdeCapture, value: {{batch: 1}}}}"}, "cannot say `xdeCapture`"),
        ({"words": f"{MERGE}, {{property: xdeIncrementalCursor, value: {{property: id, lag: 3}}}}"}, "the lag of"),
        ({"words": f"{MERGE}, {{property: xdeRequest, value: {{method: GET}}}}"}, "cannot say `method`"),
        ({"lines": "records: lines"}, "records of nobody"),
        ({"lines": "parent: orders, records: lines, query: {a: 1}"}, "cannot say `query`"),
    ],
)
def test_what_a_source_of_dlt_cannot_is_told(changes, message, tmp_path):
    findings = told(tmp_path, **changes)
    assert {f.code for f in findings} == {"XDE0529"}
    assert message in findings[0].message


def test_what_is_merged_needs_a_key(tmp_path):
    assert "no primary key" in " ".join(f.message for f in told(tmp_path, key=""))


def test_a_parent_that_is_not_there_is_told(tmp_path):
    assert "XDE0458" in {f.code for f in told(tmp_path, lines="parent: orderz")}
