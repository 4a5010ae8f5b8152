"""Foreign keys that lead nowhere, each told once, at its place."""

import pytest

from xde.kernel.project.reader import read_project

FRAME = """\
apiVersion: v3.1.0
kind: DataContract
id: a
version: 1.0.0
schema:
  - name: t
    properties:
      - {name: id, logicalType: integer%s}
%s"""
OF_A_COLUMN = {
    "to: t.id": None,
    "to: s.t.id": None,
    "to: s.yaml#/schema/t/properties/id": None,
    "to: /schema/t/properties/id": None,
    "to: tt.id": "XDE0311 8:63",
    "to: t.idd": "XDE0311 8:63",
    "to: u.yaml#/schema/t/properties/id": "XDE0311 8:63",
    "to: s.yaml#/schema/t": "XDE0311 8:63",
    "to: /schema/t": "XDE0311 8:63",
    "to: t": "XDE0304 8:63",
    "to: '/ /'": "XDE0304 8:63",
}
OF_A_TABLE = {
    "from: t.id, to: t.id": None,
    "from: t.idd, to: t.id": "XDE0311 10:16",
    "from: u.id, to: t.id": "XDE0320 10:16",
    "from: [t.id, t.id], to: [t.id]": "XDE0320 10:34",
    "from: [t.id], to: [/schema/t]": "XDE0311 10:29",
}


def found(folder, *parts: str) -> list[str]:
    (folder / "sources").mkdir()
    (folder / "xde.yaml").write_text("name: x\n")
    (folder / "sources/s.yaml").write_text(FRAME % parts)
    _, findings = read_project(folder)
    assert all(f.span is not None and f.why and f.hint for f in findings)
    return [f"{f.code} {f.span.line}:{f.span.column}" for f in findings]


@pytest.mark.parametrize(("written", "expected"), OF_A_COLUMN.items(), ids=list(OF_A_COLUMN))
def test_of_a_column(written, expected, tmp_path):
    assert found(tmp_path, ", relationships: [{" + written + "}]", "") == ([expected] if expected else [])


@pytest.mark.parametrize(("written", "expected"), OF_A_TABLE.items(), ids=list(OF_A_TABLE))
def test_of_a_table(written, expected, tmp_path):
    assert found(tmp_path, "", "    relationships:\n      - {" + written + "}\n") == ([expected] if expected else [])
