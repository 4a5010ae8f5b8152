"""Secrets in files."""

from __future__ import annotations

import os

import pytest

from xde.connectors.secrets.files import open_to_all, read
from xde.ground.errors import UserError
from xde.plugin.secrets import SecretMissing


def test_one_line_end_is_no_part_of_it(tmp_path):
    (tmp_path / "a").write_bytes(b"secret\n")
    (tmp_path / "b").write_bytes(b"secret\r\n")
    (tmp_path / "c").write_bytes(b" secret \n\n")
    assert [read(n, tmp_path) for n in "abc"] == ["secret", "secret", " secret \n"]
    assert read(str(tmp_path / "a"), tmp_path / "elsewhere") == "secret"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda _: None, "there is no file `it`"),
        (lambda p: p.write_text("\n"), "the file `it` is empty"),
        (lambda p: p.mkdir(), "`it` is a folder"),
        (lambda p: p.write_bytes(b"x" * 70_000), "too large"),
        (os.mkfifo, "no file at all"),
    ],
)
def test_what_is_no_secret(tmp_path, make, words):
    make(tmp_path / "it")
    with pytest.raises(SecretMissing, match=words) as caught:
        read("it", tmp_path)
    assert caught.value.hint


def test_what_is_no_text(tmp_path):
    (tmp_path / "it").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError) as caught:
        read("it", tmp_path)
    assert caught.value.findings[0].code == "XDE0153"


@pytest.mark.parametrize("path", ["sources/pg.yaml", "models/a/pg", "xde.yaml", "secrets/../models/pg"])
def test_what_a_deployment_keeps_is_no_place(tmp_path, path):
    with pytest.raises(UserError) as caught:
        read(path, tmp_path)
    assert "no place for a secret" in caught.value.findings[0].message


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_a_file_open_to_all_is_known(tmp_path):
    (tmp_path / "it").write_text("secret")
    (tmp_path / "it").chmod(0o644)
    assert open_to_all("it", tmp_path)
    (tmp_path / "it").chmod(0o600)
    assert not open_to_all("it", tmp_path)
    assert not open_to_all("gone", tmp_path)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    (tmp_path / "it").write_text("secret")
    (tmp_path / "it").chmod(0)
    if os.geteuid() == 0:
        (tmp_path / "it").unlink()
        (tmp_path / "it").symlink_to("it")  # root may read everything, but not a link to itself
        with pytest.raises((UserError, SecretMissing)):
            read("it", tmp_path)
        return
    with pytest.raises(UserError) as caught:
        read("it", tmp_path)
    assert caught.value.findings[0].code == "XDE0153"
