"""Bad projects, each with the exact findings it gives: code, file, line, column; nothing of it raises anything."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from xde.ground.findings import Severity
from xde.kernel.project.reader import project_digest, read_project

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "apiVersion: v3.1.0\nkind: DataContract\nid: a\nversion: 1.0.0\n"  # four lines


def columns(*lines: str) -> str:
    """A contract of one table `t`; the given lines begin in line 8, its properties."""
    return HEAD + "schema:\n  - name: t\n    properties:\n" + "".join(f"      {line}\n" for line in lines)


SOURCE = columns("- {name: id, logicalType: integer}")
MODEL = "SELECT 1 AS id\n"
S, M, X = "sources/s.yaml", "models/a/t.sql", "xde.yaml"

# what is wrong; the findings; the files (`xde.yaml` is there unless it is None)
CASES: dict[str, tuple[list[str], dict[str, str | bytes | None]]] = {
    # YAML
    "a tab in the indent": (["XDE0104 xde.yaml:3:1"], {X: "name: x\nlake:\n\tpath: y\n"}),
    "two colons in one line": (["XDE0104 xde.yaml:1:8"], {X: "name: a: b\n"}),
    "an open bracket": (["XDE0104 sources/s.yaml:5:7"], {S: HEAD + "tags: [a, b\nname: n\n"}),
    "an open brace": (["XDE0104 sources/s.yaml:5:14"], {S: HEAD + "description: {usage: u\n"}),
    "an open quote": (["XDE0104 xde.yaml:1:7"], {X: "name: 'x\nparallel: 2\n"}),
    "a glob without quotes": (["XDE0104 sources/s.yaml:7:20"], {S: HEAD + "schema:\n  - name: t\n    physicalName: *.csv\n"}),
    "an at sign without quotes": (["XDE0104 xde.yaml:1:7"], {X: "name: @x\n"}),
    "a back-tick without quotes": (["XDE0104 xde.yaml:1:7"], {X: "name: `x`\n"}),
    "a percent sign without quotes": (["XDE0104 xde.yaml:1:7"], {X: "name: %x\n"}),
    "a key without colon": (["XDE0104 xde.yaml:2:1"], {X: "name: x\nparallel\nretries: 1\n"}),
    "lines indented unlike": (["XDE0104 xde.yaml:2:10"], {X: "name: x\n parallel: 2\n"}),
    "an item that is none": (["XDE0104 sources/s.yaml:7:3"], {S: HEAD + "tags:\n  - a\n  b: 1\n"}),
    "text after a quote": (["XDE0104 xde.yaml:1:11"], {X: 'name: "x" y\n'}),
    "an unknown escape": (["XDE0104 xde.yaml:1:8"], {X: 'name: "\\q"\n'}),
    "an unknown alias": (["XDE0106 xde.yaml:1:7"], {X: "name: *x\n"}),
    "an alias of what holds it": (["XDE0106 xde.yaml:2:20"], {X: "name: x\nparameters: &p {a: *p}\n"}),
    "aliases that multiply": (
        ["XDE0106 xde.yaml:8:17"],
        {
            X: "name: x\nparameters:\n  a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
            + "".join(f"  a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9))
        },
    ),
    "too deep": (["XDE0107 xde.yaml:3:104"], {X: "name: x\nparameters:\n  a: " + "[" * 200 + "]" * 200 + "\n"}),
    "a key twice": (["XDE0105 xde.yaml:3:1"], {X: "name: x\nparallel: 2\nname: y\n"}),
    "two documents": (["XDE0108 xde.yaml:2:1"], {X: "name: x\n---\nname: y\n"}),
    "a tag": (["XDE0108 xde.yaml:1:7"], {X: "name: !!python/name:os.system x\n"}),
    "a mapping as key": (["XDE0108 xde.yaml:3:3"], {X: "name: x\nparameters:\n  {a: 1}: 2\n"}),
    "a merge of a word": (["XDE0108 xde.yaml:2:1"], {X: "name: x\n<<: word\n"}),
    "a merge of mappings is read": ([], {X: "name: x\nenvironments:\n  a: &a {ledger: 'sqlite:x'}\n  b: {<<: *a}\n"}),
    "a list in place of a mapping": (["XDE0109 xde.yaml:1:1"], {X: "- name\n- x\n"}),
    "a word in place of a mapping": (["XDE0109 sources/s.yaml:1:1"], {S: "hello\n"}),
    "an empty settings file": (["XDE0109 xde.yaml:1:1"], {X: ""}),
    "a contract of comments": (["XDE0109 sources/s.yaml:1:1"], {S: "# to do\n\n"}),
    "a NUL byte": (["XDE0103 xde.yaml:2:11"], {X: b"name: x\nparallel: \x00\n"}),
    "latin-1": (["XDE0103 xde.yaml:2:6"], {X: b"name: x\n# caf\xe9\n"}),
    "UTF-16": (["XDE0103 xde.yaml:1:1"], {X: "name: x\n".encode("utf-16")}),
    "UTF-8 with a mark is read": ([], {X: b"\xef\xbb\xbfname: x\n"}),
    "a control character": (["XDE0103 xde.yaml:2:9"], {X: b"name: x\nledger: \x01\n"}),
    "a huge file": (["XDE0107 sources/s.yaml:1:1"], {S: b"# " + b"x" * 4_000_001}),
    # settings
    "no settings": (["XDE0101 xde.yaml:1:1"], {X: None, S: SOURCE}),
    "no name": (["XDE0111 xde.yaml:1:1"], {X: "parallel: 2\n"}),
    "a misspelt word": (["XDE0110 xde.yaml:2:1"], {X: "name: x\nparalel: 2\n"}),
    "a number as text": (["XDE0112 xde.yaml:2:11"], {X: 'name: x\nparallel: "2"\n'}),
    "a number as name": (["XDE0112 xde.yaml:1:7"], {X: "name: 2013\n"}),
    "an empty value": (["XDE0112 xde.yaml:2:8"], {X: "name: x\nledger:\n"}),
    "no steps at once": (["XDE0113 xde.yaml:2:11"], {X: "name: x\nparallel: 0\n"}),
    "a half step": (["XDE0112 xde.yaml:2:11"], {X: "name: x\nparallel: 1.5\n"}),
    "an unknown dialect": (["XDE0113 xde.yaml:2:10"], {X: "name: x\ndialect: postgress\n"}),
    "a ledger without scheme": (["XDE0113 xde.yaml:2:9"], {X: "name: x\nledger: ledger.db\n"}),
    "a lake without path": (["XDE0111 xde.yaml:2:7"], {X: "name: x\nlake: {options: {region: eu}}\n"}),
    "memory without unit": (["XDE0113 xde.yaml:2:38"], {X: "name: x\nengine: {name: duckdb, memory_limit: 4 gigs}\n"}),
    "a reserved parameter": (["XDE0114 xde.yaml:2:14"], {X: "name: x\nparameters: {start: 1}\n"}),
    "a parameter that is no name": (["XDE0113 xde.yaml:2:14"], {X: "name: x\nparameters: {late minutes: 1}\n"}),
    "a parameter that is a mapping": (["XDE0112 xde.yaml:2:17"], {X: "name: x\nparameters: {a: {b: 1}}\n"}),
    "an unknown reference": (["XDE0115 xde.yaml:2:39"], {X: "name: x\nlake: {path: 's3://x', options: {key: '${KEY}'}}\n"}),
    "an unknown word of an environment": (["XDE0110 xde.yaml:2:23"], {X: "name: x\nenvironments: {prod: {lak: y}}\n"}),
    # contracts by the standard
    "a version that is a number": (["XDE0303 sources/s.yaml:4:10"], {S: SOURCE.replace("1.0.0", "1.0")}),
    "no version": (["XDE0302 sources/s.yaml:1:1"], {S: SOURCE.replace("version: 1.0.0\n", "")}),
    "an unknown version of the standard": (["XDE0304 sources/s.yaml:1:13"], {S: SOURCE.replace("v3.1.0", "v3.3.0")}),
    "a misspelt field": (["XDE0301 sources/s.yaml:9:9"], {S: columns("- name: id", "  logicaltype: integer")}),
    "a misspelt type": (["XDE0304 sources/s.yaml:8:33"], {S: columns("- {name: id, logicalType: int}")}),
    "yes for true": (["XDE0303 sources/s.yaml:8:52"], {S: columns("- {name: id, logicalType: integer, required: yes}")}),
    "an option of another type": (
        ["XDE0301 sources/s.yaml:8:63"],
        {S: columns("- {name: id, logicalType: integer, logicalTypeOptions: {maxLength: 3}}")},
    ),
    "a column without name": (["XDE0302 sources/s.yaml:8:9"], {S: columns("- {logicalType: integer}")}),
    "an unknown metric": (
        ["XDE0304 sources/s.yaml:11:22"],
        {S: columns("- name: id", "  logicalType: integer", "  quality:", "    - {metric: nullValue, mustBe: 0}")},
    ),
    "two operators": (
        ["XDE0305 sources/s.yaml:11:45"],
        {S: columns("- name: id", "  logicalType: integer", "  quality:", "    - {metric: nullValues, mustBe: 0, mustBeLessThan: 3}")},
    ),
    "no operator": (
        ["XDE0305 sources/s.yaml:11:13"],
        {S: columns("- name: id", "  logicalType: integer", "  quality:", "    - {type: sql, query: SELECT 1}")},
    ),
    "an unknown dimension": (
        ["XDE0304 sources/s.yaml:9:56"],
        {S: SOURCE + "    quality: [{metric: rowCount, mustBe: 1, dimension: complete}]\n"},
    ),
    "a server without path": (["XDE0302 sources/s.yaml:10:5"], {S: SOURCE + "servers:\n  - {server: a, type: local, format: csv}\n"}),
    "an unknown server type": (
        ["XDE0304 sources/s.yaml:10:23"],
        {S: SOURCE + "servers:\n  - {server: a, type: locall, path: x, format: csv}\n"},
    ),
    "an enum that is empty": (["XDE0304 sources/s.yaml:8:47"], {S: columns("- {name: id, logicalType: string, enum: []}")}),
    "a relationship that is no reference": (
        ["XDE0304 sources/s.yaml:8:63"],
        {S: columns("- {name: id, logicalType: integer, relationships: [{to: airports}]}")},
    ),
    "an old version": (["XDE0306 sources/s.yaml:1:13"], {S: SOURCE.replace("v3.1.0", "v2.2.2")}),
    # contracts by sense
    "a column twice": (
        ["XDE0310 sources/s.yaml:9:16"],
        {S: columns("- {name: id, logicalType: integer}", "- {name: ID, logicalType: integer}")},
    ),
    "a table twice": (["XDE0310 sources/s.yaml:9:11"], {S: SOURCE + "  - name: t\n    properties: [{name: id, logicalType: integer}]\n"}),
    "a service level of no column": (
        ["XDE0312 sources/s.yaml:10:46"],
        {S: SOURCE + "slaProperties:\n  - {property: freshness, value: 1, element: t.at}\n"},
    ),
    "a service level of no table": (
        ["XDE0312 sources/s.yaml:10:46"],
        {S: SOURCE + "slaProperties:\n  - {property: freshness, value: 1, element: tt}\n"},
    ),
    "a gap in the key": (
        ["XDE0313 sources/s.yaml:9:79"],
        {
            S: columns(
                "- {name: a, logicalType: integer, primaryKey: true, primaryKeyPosition: 1}",
                "- {name: b, logicalType: integer, primaryKey: true, primaryKeyPosition: 3}",
            )
        },
    ),
    "a position without key": (["XDE0313 sources/s.yaml:8:61"], {S: columns("- {name: a, logicalType: integer, primaryKeyPosition: 1}")}),
    "an enum of another type": (
        ["XDE0314 sources/s.yaml:8:69"],
        {S: columns("- {name: id, logicalType: string, enum: [{value: NO}, {value: 1}]}")},
    ),
    "a pattern that is none": (
        ["XDE0315 sources/s.yaml:8:71"],
        {S: columns("- {name: id, logicalType: string, logicalTypeOptions: {pattern: '[A-'}}")},
    ),
    "a pattern that looks around": (
        ["XDE0315 sources/s.yaml:8:71"],
        {S: columns("- {name: id, logicalType: string, logicalTypeOptions: {pattern: 'a(?!b)'}}")},
    ),
    "bounds the wrong way round": (
        ["XDE0316 sources/s.yaml:8:72"],
        {S: columns("- {name: id, logicalType: integer, logicalTypeOptions: {minimum: 5, maximum: 1}}")},
    ),
    "days the wrong way round": (
        ["XDE0316 sources/s.yaml:8:69"],
        {S: columns('- {name: id, logicalType: date, logicalTypeOptions: {minimum: "2013-12-31", maximum: "2013-01-01"}}')},
    ),
    "a day that is none": (
        ["XDE0314 sources/s.yaml:8:69"],
        {S: columns('- {name: id, logicalType: date, logicalTypeOptions: {minimum: "2013-02-30"}}')},
    ),
    "between the wrong way round": (
        ["XDE0316 sources/s.yaml:9:49"],
        {S: SOURCE + "    quality: [{metric: rowCount, mustBeBetween: [9, 1]}]\n"},
    ),
    "a misspelt word of ours": (
        ["XDE0317 sources/s.yaml:9:35"],
        {S: SOURCE + "    customProperties: [{property: xdeWriteMod, value: append}]\n"},
    ),
    "an unknown write mode": (
        ["XDE0318 sources/s.yaml:9:66"],
        {S: SOURCE + "    customProperties: [{property: writeMode, vendor: xde, value: upsert}]\n"},
    ),
    "a merge without key": (
        ["XDE0323 sources/s.yaml:9:56"],
        {S: SOURCE + "    customProperties: [{property: xdeWriteMode, value: merge}]\n"},
    ),
    "a merge by a key inside of an object": (
        ["XDE0323 sources/s.yaml:9:56"],
        {
            S: columns("- {name: o, logicalType: object, properties: [{name: id, logicalType: integer, primaryKey: true}]}")
            + "    customProperties: [{property: xdeWriteMode, value: merge}]\n"
        },
    ),
    "a word of ours without prefix": (
        ["XDE0319 sources/s.yaml:9:35"],
        {S: SOURCE + "    customProperties: [{property: writeMode, value: append}]\n"},
    ),
    "a misspelt dialect word": (
        ["XDE0317 sources/s.yaml:9:55"],
        {S: SOURCE + "    customProperties: [{property: xdeDialect, value: {delimeter: ;}}]\n"},
    ),
    "a limit that is text": (
        ["XDE0318 sources/s.yaml:9:71"],
        {S: SOURCE + "    customProperties: [{property: xdeDeadLetter, value: {maxRejected: many}}]\n"},
    ),
    "an unknown schema change": (
        ["XDE0318 sources/s.yaml:9:71"],
        {S: SOURCE + "    customProperties: [{property: xdeSchemaChange, value: {newColumn: ignore}}]\n"},
    ),
    "a position from zero": (
        ["XDE0318 sources/s.yaml:8:100"],
        {S: columns("- {name: id, logicalType: integer, customProperties: [{property: xdePosition, value: {start: 0, length: 3}}]}")},
    ),
    "a waiver of nobody": (
        ["XDE0318 sources/s.yaml:12:66"],
        {
            S: SOURCE
            + "    quality:\n      - metric: rowCount\n        mustBe: 1\n        customProperties: [{property: xdeWaiver, value: "
            + "{author: ' ', reason: known, until: 2030-01-01}}]\n"
        },
    ),
    "a waiver without end": (
        ["XDE0318 sources/s.yaml:13:42"],
        {
            S: SOURCE
            + "    quality:\n      - metric: rowCount\n        mustBe: 1\n        customProperties:\n"
            + "          - {property: xdeWaiver, value: {author: ada, reason: known}}\n"
        },
    ),
    "a server that is not there": (
        ["XDE0322 sources/s.yaml:9:53"],
        {
            S: SOURCE
            + "    customProperties: [{property: xdeServer, value: prd}]\nservers: [{server: prod, type: local, path: x, format: csv}]\n"
        },
    ),
    "a metric of a column on a table": (["XDE0321 sources/s.yaml:9:24"], {S: SOURCE + "    quality: [{metric: nullValues, mustBe: 0}]\n"}),
    "valid values that are not told": (
        ["XDE0321 sources/s.yaml:11:22"],
        {S: columns("- name: id", "  logicalType: integer", "  quality:", "    - {metric: invalidValues, mustBe: 0}")},
    ),
    "a source without columns": (["XDE0324 sources/s.yaml:6:11"], {S: HEAD + "schema:\n  - name: t\n"}),
    # model heads
    "a head that is not closed": (["XDE0130 models/a/t.sql:1:1"], {M: "/* xde\nkind: view\nSELECT 1\n"}),
    "a misspelt word of a head": (["XDE0131 models/a/t.sql:3:1"], {M: "/* xde\nkind: incremental\ntimee: d\ntime: d\n*/\nSELECT 1\n"}),
    "an unknown kind": (["XDE0132 models/a/t.sql:2:7"], {M: "/* xde\nkind: viw\n*/\nSELECT 1\n"}),
    "a number for a word": (["XDE0133 models/a/t.sql:4:14"], {M: "-- a comment\n/* xde\nkind: view\ndescription: 3\n*/\nSELECT 1\n"}),
    "time and key": (["XDE0135 models/a/t.sql:4:1"], {M: "/* xde\nkind: incremental\ntime: a\nkey: b\n*/\nSELECT 1\n"}),
    "neither time nor key": (["XDE0135 models/a/t.sql:2:7"], {M: "/* xde\nkind: incremental\n*/\nSELECT 1\n"}),
    "time without incremental": (["XDE0135 models/a/t.sql:3:1"], {M: "/* xde\nkind: table\ntime: a\n*/\nSELECT 1\n"}),
    "lookback without time": (["XDE0135 models/a/t.sql:4:1"], {M: "/* xde\nkind: incremental\nkey: [a]\nlookback: 3 days\n*/\nSELECT 1\n"}),
    "a lookback of a month": (
        ["XDE0132 models/a/t.sql:4:11"],
        {M: "/* xde\nkind: incremental\ntime: a\nlookback: 1 month\n*/\nSELECT 1\n"},
    ),
    "a start that is no day": (
        ["XDE0132 models/a/t.sql:4:8"],
        {M: "/* xde\nkind: incremental\ntime: a\nstart: 2013-02-30\n*/\nSELECT 1\n"},
    ),
    "an end before the start": (
        ["XDE0132 models/a/t.sql:5:6"],
        {M: "/* xde\nkind: incremental\ntime: a\nstart: 2013-02-01\nend: 2013-01-01\n*/\nSELECT 1\n"},
    ),
    "a batch of none": (["XDE0132 models/a/t.sql:4:8"], {M: "/* xde\nkind: incremental\ntime: a\nbatch: 0\n*/\nSELECT 1\n"}),
    "a key twice in a head": (["XDE0105 models/a/t.sql:3:1"], {M: "/* xde\nkind: view\nkind: table\n*/\nSELECT 1\n"}),
    "a head that is not YAML": (["XDE0104 models/a/t.sql:2:7"], {M: "/* xde\nkind: [view\n*/\nSELECT 1\n"}),
    "a head in the middle": (["XDE0137 models/a/t.sql:2:1"], {M: "SELECT 1\n/* xde\nkind: view\n*/\n"}),
    "tags that are one word": (["XDE0133 models/a/t.sql:2:7"], {M: "/* xde\ntags: daily\n*/\nSELECT 1\n"}),
    # models and their names
    "an empty model": (["XDE0136 models/a/t.sql:1:1"], {M: ""}),
    "a model of comments": (["XDE0136 models/a/t.sql:4:1"], {M: "/* xde\nkind: view\n*/\n-- to do\n/* later */ ;\n"}),
    "a binary model": (["XDE0103 models/a/t.sql:2:3"], {M: b"SELECT 1\n\xff\xfe\x00"}),
    "a model in latin-1": (["XDE0103 models/a/t.sql:2:7"], {M: "SELECT 1\n-- café".encode("latin-1")}),
    "a model in no schema": (["XDE0122 models/t.sql:1:1"], {"models/t.sql": MODEL}),
    "a model with a bad name": (["XDE0120 models/a/my-model.sql:1:1"], {"models/a/my-model.sql": MODEL}),
    "a schema with a bad name": (["XDE0120 models/1a/t.sql:1:1"], {"models/1a/t.sql": MODEL}),
    "a model twice": (["XDE0121 models/a/y/T.sql:1:1"], {"models/a/x/t.sql": MODEL, "models/a/y/T.sql": MODEL}),
    "a model and a source of one name": (["XDE0121 models/a/t.sql:1:1"], {"sources/a.yaml": SOURCE, M: MODEL}),
    "a contract without model": (["XDE0123 models/a/tt.yaml:1:1"], {"models/a/tt.yaml": SOURCE, M: MODEL}),
    "a contract of another table": (["XDE0124 models/a/t.yaml:6:11"], {"models/a/t.yaml": SOURCE.replace("name: t", "name: u"), M: MODEL}),
    "a Python file": (["XDE0125 models/a/u.py:1:1"], {"models/a/u.py": "x = 1\n"}),
    "a table with a bad name": (["XDE0120 sources/s.yaml:6:11"], {S: SOURCE.replace("name: t", "name: order lines")}),
}


def write(root: Path, files: dict[str, str | bytes | None]) -> None:
    for path, content in {X: "name: x\n", **files}.items():
        if content is not None:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.mark.parametrize("case", CASES)
def test_each_bad_project_gives_exactly_its_findings(case, tmp_path):
    expected, files = CASES[case]
    write(tmp_path, files)
    project, findings = read_project(tmp_path)
    assert [f"{f.code} {f.span}" for f in findings] == expected
    unreadable = any(line.startswith("XDE010") and " xde.yaml:" in line and line[:7] not in {"XDE0105", "XDE0108"} for line in expected)
    assert (project is None) == (unreadable or case == "two documents")
    for finding in findings:
        assert finding.message and not finding.message.endswith(".") and "\n" not in finding.message
        assert finding.hint or finding.why or finding.code in {"XDE0113", "XDE0112", "XDE0318", "XDE0132"}


def test_the_table_is_long_enough_and_says_much():
    codes = {finding.split()[0] for expected, _ in CASES.values() for finding in expected}
    assert len(CASES) >= 100
    assert len(codes) >= 40


def test_all_findings_of_a_project_at_once(tmp_path):
    write(
        tmp_path,
        {X: "name: x\nparalel: 2\n", S: columns("- {name: id, logicalType: int, required: yes}"), M: "/* xde\nkind: viw\n*/\nSELECT 1\n"},
    )
    _, findings = read_project(tmp_path)
    assert [f.code for f in findings] == ["XDE0110", "XDE0304", "XDE0303", "XDE0132"]


def test_links_that_lead_nowhere_or_back_and_pipes(tmp_path):
    write(tmp_path, {M: MODEL})
    (tmp_path / "models/a/gone.sql").symlink_to(tmp_path / "nowhere")
    (tmp_path / "models/a/loop").symlink_to(tmp_path / "models")
    os.mkfifo(tmp_path / "models/a/pipe.sql")
    project, findings = read_project(tmp_path)
    assert sorted(f"{f.code} {f.span}" for f in findings) == ["XDE0102 models/a/gone.sql:1:1", "XDE0136 models/a/pipe.sql:1:1"]
    assert project is not None and list(project.datasets) == ["a.t"]


def test_a_name_that_is_no_text_on_the_disk(tmp_path):
    write(tmp_path, {M: MODEL})
    (tmp_path / "models/a" / os.fsdecode(b"caf\xe9.sql")).write_bytes(b"SELECT 1")
    _, findings = read_project(tmp_path)
    assert [f.code for f in findings] == ["XDE0120"]
    str(findings.items[0].span).encode()
    project_digest(tmp_path)


def test_what_may_not_be_read_is_a_finding(tmp_path, monkeypatch):
    write(tmp_path, {M: MODEL, S: SOURCE})
    really = os.open

    def refuse(path, *args):
        if str(path).endswith("t.sql"):
            raise PermissionError(13, "Permission denied", path)
        return really(path, *args)

    monkeypatch.setattr(os, "open", refuse)
    project, findings = read_project(tmp_path)
    assert [(f.code, f.why) for f in findings] == [("XDE0102", "the system says: permission denied")]
    assert project is not None and list(project.datasets) == ["s.t"]


def test_a_folder_that_is_not_there(tmp_path):
    project, findings = read_project(tmp_path / "nowhere")
    assert project is None and [f.code for f in findings] == ["XDE0101"]


@pytest.mark.parametrize("cut", range(0, 700, 7))
def test_half_written_files_raise_nothing(cut, tmp_path):
    whole = (
        columns(
            "- name: id",
            "  logicalType: integer",
            "  logicalTypeOptions: {minimum: 1, maximum: 7}",
            "  quality:",
            "    - {metric: nullValues, mustBe: 0}",
        )
        + "team: {name: a, members: [{username: ada}]}\ncustomProperties: [{property: xdeTier, value: 1}]\n# é\n"
    )
    text = "/* xde\nkind: incremental\ntime: d\nlookback: 3 days\n*/\nSELECT 1 -- x\n"
    write(
        tmp_path,
        {S: whole.encode()[:cut], M: text.encode()[: cut // 8], X: b"name: x\nenvironments: {a: {ledger: 'sqlite:x'}}\n"[: cut // 10]},
    )
    _, findings = read_project(tmp_path)
    assert all(f.severity in Severity and f.span is not None for f in findings)
