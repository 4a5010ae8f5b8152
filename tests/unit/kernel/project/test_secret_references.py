"""References in `xde.yaml`: told apart, complained of with their place, and never replaced by the reader."""

from __future__ import annotations

import pytest

from xde.kernel.project.secret_references import Reference, pieces, references
from xde.kernel.project.settings_reader import read_settings


def findings(text: str) -> list[str]:
    _, found = read_settings(text.encode(), "xde.yaml")
    return [f"{f.code} {f.severity.value} {f.span}" for f in found]


def test_pieces():
    assert pieces("postgresql://${env:USER}:${file:secrets/pg}@host/db") == [
        "postgresql://",
        Reference("env", "USER"),
        ":",
        Reference("file", "secrets/pg"),
        "@host/db",
    ]
    assert pieces("plain") == ["plain"]
    assert pieces("") == []
    assert references("${aws:arn:aws:secretsmanager:eu-1:1:secret:a#b}") == [Reference("aws", "arn:aws:secretsmanager:eu-1:1:secret:a#b")]
    assert str(Reference("keyring", "a/b")) == "${keyring:a/b}"


GOOD = [
    "${env:A}",
    "${file:secrets/pg}",
    "${keyring:service/name}",
    "${aws:prod/db#password}",
    "${vault:kv/db#password}",
    "p${env:A}s${env:B}",
]


@pytest.mark.parametrize("reference", GOOD)
def test_good_ones(reference):
    assert (
        findings(f"name: x\nlake: {{path: s3://b, options: {{region: '{reference}'}}}}\nledger: 'postgresql://u:{reference}@h/d'\n") == []
    )


@pytest.mark.parametrize("text", ["${A}", "${env:}", "${env: }", "${:a}", "${env:A-B}", "${env:A", "${}", "${env:${env:A}}", "${1x:a}"])
def test_those_that_are_none(text):
    assert "XDE0115 error xde.yaml:2:35" in findings(f"name: x\nlake: {{path: s3://b, options: {{b: '{text}'}}}}\n")


def test_they_are_read_in_lake_ledger_and_engine_alone():
    text = (
        "name: x\nparameters: {token: '${env:TOKEN}'}\nengine: {name: duckdb, memory_limit: '${env:MEMORY}', temp_folder: '${env:SPILL}'}\n"
    )
    assert findings(text) == ["XDE0151 error xde.yaml:2:21"]
    text = "name: x\nenvironments:\n  prod:\n    lake: ${env:LAKE}\n    ledger: ${env:LEDGER}\n    engine: {memory_limit: '${env:M}'}\n"
    assert findings(text) == []


def test_passwords_in_the_open_are_warned_of():
    assert findings("name: x\nledger: postgresql://me:hunter2hunter2@host/db\n") == ["XDE0158 warning xde.yaml:2:9"]
    assert findings("name: x\nledger: postgresql://me@host/db?password=hunter2\n") == ["XDE0158 warning xde.yaml:2:9"]
    assert findings("name: x\nledger: postgresql://me@host:5432/db\n") == []
    options = "{region: eu, aws_access_key_id: AKIA, aws_secret_access_key: abc, aws_allow_http: 'true'}"
    (found,) = findings(f"name: x\nenvironments:\n  prod:\n    lake: {{path: s3://b, options: {options}}}\n")
    assert found == "XDE0158 warning xde.yaml:4:" + str(f"    lake: {{path: s3://b, options: {options}}}".index("abc") + 1)
