"""References made into values: where they stand decides how they are put in and what is hidden; what is wrong has a place."""

from __future__ import annotations

import sys

import pytest

from xde.app.opening import house_at
from xde.app.revealing import Revealing, places
from xde.ground.errors import TemporaryError, UserError
from xde.ground.secrets import VEIL, redact

LONG = "p@ss/word:100% secret"


@pytest.fixture(autouse=True)
def bare():
    yield
    VEIL.clear()


@pytest.fixture
def reveal(tmp_path, monkeypatch):
    monkeypatch.setenv("DB_USER", "postgres")
    monkeypatch.setenv("DB_PASSWORD", LONG)
    monkeypatch.setenv("DB_HOST", "db.example.org")
    monkeypatch.setenv("DB_LOGIN", "me:" + LONG.replace("@", "%40"))
    monkeypatch.setenv("DB_URL", "postgresql://me:p%40ssword%201@db/xde")
    return Revealing(tmp_path)


def finding(act):
    with pytest.raises(UserError) as caught:
        act()
    (found,) = caught.value.findings
    return found


def test_what_a_reference_is_to_an_address():
    assert places("postgresql://${env:U}:${env:P}@${env:H}:${env:N}/${env:D}?sslpassword=${env:S}") == [
        *("other", "user", "other", "password", "other", "other", "other", "other", "other", "other", "other", "query")
    ]
    assert places("${env:URL}") == ["whole"]
    assert places("postgresql://${env:LOGIN}@h/d") == ["other", "whole", "other"]
    assert places("sqlite:${env:FOLDER}/ledger.sqlite") == ["other", "other", "other"]


def test_a_password_is_written_as_an_address_wants_it_and_hidden(reveal):
    address = reveal.address("postgresql://${env:DB_USER}:${env:DB_PASSWORD}@${env:DB_HOST}/xde")
    assert address == "postgresql://postgres:p%40ss%2Fword%3A100%25%20secret@db.example.org/xde"
    assert redact(f"{LONG} {address}") == "*** postgresql://postgres:***@db.example.org/xde"


def test_an_address_by_reference_is_hidden_whole_and_in_its_password(reveal):
    assert reveal.address("${env:DB_URL}") == "postgresql://me:p%40ssword%201@db/xde"
    assert redact("p@ssword 1; postgresql://me:p%40ssword%201@db/xde") == "***; ***"


def test_a_login_of_user_and_password_goes_in_as_it_is(reveal):
    assert reveal.address("postgresql://${env:DB_LOGIN}@h/d") == f"postgresql://me:{LONG.replace('@', '%40')}@h/d"
    assert redact(LONG) == "***"


def test_a_password_in_the_open_is_hidden_as_well(reveal):
    assert reveal.address("postgresql://me:hunter2hunter2@h/d") == "postgresql://me:hunter2hunter2@h/d"
    assert redact("hunter2hunter2") == "***"


def test_options_are_hidden_where_they_refer_or_sound_like_it(reveal):
    given = {"key": "${env:DB_PASSWORD}", "region": "eu-central-1", "aws_secret_access_key": "in-the-open-1"}
    assert reveal.options(given) == {"key": LONG, "region": "eu-central-1", "aws_secret_access_key": "in-the-open-1"}
    assert redact(f"{LONG}, eu-central-1, in-the-open-1") == "***, eu-central-1, ***"


def test_what_is_wrong_has_a_place_and_a_mend(tmp_path, monkeypatch):
    (tmp_path / "xde.yaml").write_text("name: x\nledger: postgresql://me:${env:NOT_SET}@h/d\nlake: '${fiel:a}'\n")
    (tmp_path / "empty").write_text("")
    reveal = Revealing(tmp_path)
    found = finding(lambda: reveal.address("postgresql://me:${env:NOT_SET}@h/d"))
    assert (found.code, str(found.span)) == ("XDE0152", "xde.yaml:2:9")
    assert "`${env:NOT_SET}`" in found.message
    assert "not set" in found.why
    assert "export NOT_SET=" in found.hint
    found = finding(lambda: reveal.text("${fiel:a}"))
    assert (found.code, str(found.span), found.hint) == ("XDE0150", "xde.yaml:3:7", "did you mean `file`?")
    assert finding(lambda: reveal.text("${vault:a}")).hint.startswith("install the package")
    assert finding(lambda: reveal.text("${file:empty}")).code == "XDE0153"
    assert finding(lambda: reveal.text("${file:gone}")).why == "there is no file `gone`"


def test_a_package_that_is_not_there(tmp_path, monkeypatch):
    for name in [m for m in sys.modules if m.partition(".")[0] in {"keyring", "boto3"} or m.endswith((".secrets.aws", ".secrets.keyring"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "keyring", None)
    monkeypatch.setitem(sys.modules, "boto3", None)
    for reference, hint in {"${keyring:a/b}": "pip install 'xde[keyring]'", "${aws:a}": "pip install 'xde[aws]'"}.items():
        found = finding(lambda: Revealing(tmp_path).text(reference))  # noqa: B023 - called at once
        assert (found.code, found.hint) == ("XDE0154", hint)


VAULT = """
from xde.ground.errors import TemporaryError
from xde.plugin.secrets import SecretMissing

ASKED = []

def read(name, project):
    ASKED.append(name)
    match name:
        case "kv/db": return "a value of the vault"
        case "away": raise TemporaryError("the vault is sealed")
        case "number": return 5
        case "empty": return ""
        case "boom": raise RuntimeError("refused token hvs.a-value-nobody-knows")
    raise SecretMissing(f"no such path `{name}`", "look for it with `vault kv list`")
"""


@pytest.fixture
def vault(tmp_path, monkeypatch):
    site = tmp_path / "site"
    (site / "acme_vault-1.dist-info").mkdir(parents=True)
    (site / "acme_vault-1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: acme-vault\nVersion: 1\n")
    (site / "acme_vault-1.dist-info/entry_points.txt").write_text("[xde.secrets]\nvault = acme_vault:read\n")
    (site / "acme_vault.py").write_text(VAULT)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, "acme_vault", raising=False)
    return tmp_path


def test_a_stranger_s_store_comes_in_by_the_same_door(vault):
    reveal = Revealing(vault)
    assert reveal.text("${vault:kv/db}/${vault:kv/db}") == "a value of the vault/a value of the vault"
    assert sys.modules["acme_vault"].ASKED == ["kv/db"], "asked once"
    assert (finding(lambda: reveal.text("${vault:x}")).code, finding(lambda: reveal.text("${vault:x}")).why) == (
        "XDE0155",
        "no such path `x`",
    )
    with pytest.raises(TemporaryError, match="sealed"):
        reveal.text("${vault:away}")
    for name in ("number", "empty"):
        assert finding(lambda: reveal.text(f"${{vault:{name}}}")).code == "XDE0159"  # noqa: B023 - called at once
    found = finding(lambda: reveal.text("${vault:boom}"))
    assert found.code == "XDE0159"
    assert "RuntimeError" in found.why
    assert "hvs." not in repr(found)


def test_nothing_is_looked_up_until_something_is_opened(tmp_path, monkeypatch):
    monkeypatch.delenv("NOT_SET", raising=False)
    (tmp_path / "xde.yaml").write_text(
        "name: x\nlake: {path: lake, options: {key: '${env:NOT_SET}'}}\nledger: '${env:NOT_SET}'\nengine: {memory_limit: '${env:MEMORY}', threads: 1}\n"
    )
    house = house_at(tmp_path, None)
    for open_it in (lambda: house.lake, lambda: house.ledger):
        assert finding(open_it).code == "XDE0152"
    monkeypatch.setenv("MEMORY", "123 MB")
    rows = house.session.cursor().execute("SELECT current_setting('memory_limit')").fetchall()
    assert rows == [("117.3 MiB",)]
    house.close()
    assert b"123 MB" not in b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
