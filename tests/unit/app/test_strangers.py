"""Connectors of other packages: found by their entry points, refused by name, and told of when they break down."""

from __future__ import annotations

import pytest
from projects.contracts import source
from projects.folder import Folder

from xde.app.workspace import Workspace
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.secrets import redact

OBJECT = """\
  - name: things
    customProperties: [{property: xdeWriteMode, value: replace}]
    properties:
      - {name: id, logicalType: integer}
"""
BROKEN = """\
class Broken:
    def __init__(self, settings, project):
        self.how = settings["how"]

    def news(self, ask, *more):
        return self.fail(ask)

    read = look = news

    def close(self):
        pass

    def fail(self, ask):
        from xde.plugin.sources import Finding, TemporaryError, UserError

        if self.how == "user":
            raise UserError(Finding("ACME001", "it is locked", ask.span))
        if self.how == "passing":
            raise TemporaryError("it is busy")
        raise KeyError(self.how)
"""


class Shop(Folder):
    def contract(self, words: str) -> None:
        self.write("xde.yaml", "name: shop\nretries: 0\n")
        self.write("sources/shop.yaml", source(OBJECT, f"{{server: papers, type: custom, customProperties: [{words}]}}"))

    def failed(self) -> list[Finding]:
        """What a run says that fails."""
        with Workspace.open(self.root) as workspace:
            (outcome,) = workspace.run().outcomes
        assert outcome.status == "failed"
        return outcome.findings


@pytest.fixture
def shop(tmp_path, monkeypatch):
    made = Shop(tmp_path / "shop")
    installed = Folder(tmp_path / "installed")
    installed.write("acme_broken.py", BROKEN)
    installed.write("acme-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: acme\nVersion: 1\n")
    installed.write("acme-1.dist-info/entry_points.txt", "[xde.sources]\nbroken = acme_broken:Broken\nnowhere = acme_nowhere:Gone\n")
    monkeypatch.syspath_prepend(installed.root)
    return made


def refused(shop):
    with pytest.raises(UserError) as raised:
        Workspace.open(shop.root)
    return raised.value.findings


@pytest.mark.parametrize(
    ("kind", "hint"), [("sqlit", "did you mean `sqlite`?"), ("brokn", "did you mean `broken`?"), ("zzz", "install the package")]
)
def test_a_kind_that_nobody_reads_is_told_when_the_contract_is_read(shop, kind, hint):
    shop.contract(f"{{property: xdeType, value: {kind}}}")
    (finding,) = refused(shop)
    assert finding.code == "XDE0435"
    assert hint in finding.hint
    assert finding.span.path == "sources/shop.yaml"


@pytest.mark.parametrize(
    ("how", "code", "message"), [("user", "ACME001", "it is locked"), ("other", "XDE0495", "broke down at acme_broken.py:20")]
)
def test_what_a_connector_raises_is_told(shop, how, code, message):
    shop.contract(f"{{property: xdeType, value: broken}}, {{property: xdeHow, value: {how}}}")
    (finding,) = shop.failed()
    assert finding.code == code
    assert message in finding.message


def test_what_will_pass_stops_nobody_for_good(shop):
    shop.contract("{property: xdeType, value: broken}, {property: xdeHow, value: passing}")
    (finding,) = shop.failed()
    assert "it is busy" in str(finding)


@pytest.mark.parametrize("words", ["{property: xdeType, value: nowhere}", "{property: xdeType, value: broken}"])
def test_a_connector_that_cannot_be_opened_is_told(shop, words):
    shop.contract(words)
    assert [f.code for f in shop.failed()] == ["XDE0495"]


def test_a_secret_of_a_connector_is_a_reference(shop):
    shop.contract("{property: xdeType, value: broken}, {property: xdeHow, value: user}, {property: xdeApiToken, value: abc}")
    assert [f.code for f in refused(shop)] == ["XDE0481"]
    shop.contract("{property: xdeType, value: sqlite}, {property: xdeHow, value: user}")
    assert [f.code for f in refused(shop)] == ["XDE0317"], "of our own connectors every word is known"


@pytest.mark.parametrize("word", ["xdeApiToken", "xdeHow"])
def test_what_a_connector_tells_shows_no_secret(shop, monkeypatch, word):
    """Which of its words are secrets we cannot know: whatever is referred to is none of anybody's business."""
    monkeypatch.setenv("ACME", "opensesame4711")
    how = "" if word == "xdeHow" else "{property: xdeHow, value: opensesame4711}, "
    shop.contract(f'{{property: xdeType, value: broken}}, {how}{{property: {word}, value: "${{env:ACME}}"}}')
    (finding,) = shop.failed()
    assert finding.code == "XDE0495"
    assert "***" in redact(finding.why)
    assert "opensesame" not in redact(str(finding))
