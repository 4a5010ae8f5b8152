"""What the server of a contract says in a way that no door could be opened with: told by a run and by the doctor, never a fault of ours."""

from __future__ import annotations

import pytest

from projects.contracts import source
from projects.folder import Folder
from xde.app.workspace import Workspace

OBJECT = """\
  - name: things
    customProperties: [{property: xdeWriteMode, value: WRITE}]
    properties:
      - {name: id, logicalType: integer}
"""
TYPES = {
    "postgres": "type: postgres, database: d, schema: s",
    "mysql": "type: mysql, database: d",
    "kafka": "type: kafka, format: json",
    "redis": "type: custom",
    "nats": "type: custom",
}


def told(tmp_path, kind, words, own=""):
    made = Folder(tmp_path / "shop")
    custom = f"customProperties: [{f'{{property: xdeType, value: {kind}}}, ' if 'custom' in TYPES[kind] else ''}{own}]"
    write = "append" if kind in {"kafka", "redis", "nats"} else "replace"
    made.write("xde.yaml", "name: shop\nretries: 0\n")
    made.write("sources/shop.yaml", source(OBJECT.replace("WRITE", write), f"{{server: s, {TYPES[kind]}, {words}, {custom}}}"))
    return made.root


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("port", ["abc", "0", "70000", "-1", "\uff15"])
def test_a_port_that_is_none(tmp_path, monkeypatch, kind, port):
    monkeypatch.setenv("PORT_OF_SHOP", port)
    root = told(
        tmp_path, kind, 'host: "127.0.0.1:${env:PORT_OF_SHOP}"' if kind == "kafka" else 'host: 127.0.0.1, port: "${env:PORT_OF_SHOP}"'
    )
    with Workspace.open(root) as workspace:
        (outcome,) = workspace.run().outcomes
    (finding,) = outcome.findings
    assert (finding.code, finding.span.path) == ("XDE0480", "sources/shop.yaml"), finding
    assert f"`{port}` is no port" in finding.message
    with Workspace.open(root) as workspace:
        (seen,) = (d for d in workspace.doctor() if d.subject == "source shop.things")
    assert "is no port" in seen.detail


@pytest.mark.parametrize("kind", ["kafka", "redis", "nats"])
def test_the_certificate_of_an_authority_that_is_not_there(tmp_path, kind):
    root = told(tmp_path, kind, "host: 127.0.0.1", "{property: xdeTls, value: true}, {property: xdeCaFile, value: no.pem}")
    with Workspace.open(root) as workspace:
        (outcome,) = workspace.run().outcomes
    (finding,) = outcome.findings
    assert finding.code == "XDE0480"
    assert "`no.pem`" in finding.message
