"""Secrets in the keyring of the system: a real backend of the package, which keeps its passwords in memory."""

from __future__ import annotations

import pytest

keyring = pytest.importorskip("keyring")

from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import KeyringLocked

from xde.connectors.secrets.keyring import read
from xde.ground.errors import UserError
from xde.plugin.secrets import SecretMissing


class Remembering(KeyringBackend):
    priority = 1

    def __init__(self):
        super().__init__()
        self.known = {}
        self.locked = False

    def get_password(self, service, username):
        if self.locked:
            raise KeyringLocked("locked: correct horse battery")
        return self.known.get((service, username))

    def set_password(self, service, username, password):
        self.known[service, username] = password

    def delete_password(self, service, username):
        del self.known[service, username]


@pytest.fixture
def ring():
    before = keyring.get_keyring()
    made = Remembering()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


def test_service_and_name(ring, tmp_path):
    keyring.set_password("https://db/prod", "xde", "correct horse battery")
    assert read("https://db/prod/xde", tmp_path) == "correct horse battery"


@pytest.mark.parametrize("name", ["alone", "/name", "service/"])
def test_a_name_without_its_service(ring, tmp_path, name):
    with pytest.raises(SecretMissing, match="names no service and name"):
        read(name, tmp_path)


def test_one_that_is_not_there(ring, tmp_path):
    with pytest.raises(SecretMissing, match="has no `xde` in the service `db`"):
        read("db/xde", tmp_path)


def test_a_locked_one_and_none_at_all(ring, tmp_path):
    ring.locked = True
    with pytest.raises(UserError) as caught:
        read("db/xde", tmp_path)
    assert caught.value.findings[0].code == "XDE0157"
    assert "horse" not in str(caught.value.findings[0].why)
    keyring.set_keyring(NoKeyring())
    with pytest.raises(UserError) as caught:
        read("db/xde", tmp_path)
    assert "no keyring" in caught.value.findings[0].why
