"""Secrets in AWS Secrets Manager, as moto's server plays it."""

from __future__ import annotations

import json
import socket

import pytest
from projects.aws import playing

pytestmark = pytest.mark.slow

SECRET = "a secret of production"


@pytest.fixture(scope="module")
def server():
    with playing() as url:
        yield url


@pytest.fixture
def aws(server, monkeypatch):
    import boto3

    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    client = boto3.client("secretsmanager")
    have = {s["Name"] for s in client.list_secrets()["SecretList"]}
    for name, given in {
        "plain": {"SecretString": SECRET},
        "prod/db": {"SecretString": json.dumps({"username": "xde", "password": SECRET, "port": 5432})},
        "bytes": {"SecretBinary": b"\x00\x01"},
    }.items():
        if name not in have:
            client.create_secret(Name=name, **given)
    return client


def read(name):
    from xde.connectors.secrets.aws import read

    from pathlib import Path

    return read(name, Path())


def test_a_whole_secret_and_one_key_of_it(aws):
    assert read("plain") == SECRET
    assert read("prod/db#password") == SECRET
    assert read("prod/db#port") == "5432"
    arn = aws.describe_secret(SecretId="prod/db")["ARN"]
    assert read(f"{arn}#username") == "xde"


def test_what_is_not_there(aws):
    from xde.ground.errors import UserError
    from xde.plugin.secrets import SecretMissing

    with pytest.raises(SecretMissing, match="has no `prod/bd`"):
        read("prod/bd")
    with pytest.raises(SecretMissing, match="bytes, and no text"):
        read("bytes")
    for name, said in {"prod/db#pasword": "did you mean `password`?", "plain#password": "write `${aws:plain}`"}.items():
        with pytest.raises(UserError) as caught:
            read(name)
        (finding,) = caught.value.findings
        assert (finding.code, finding.hint) == ("XDE0156", said)
        assert SECRET not in repr(finding)


def test_who_is_not_let_in(aws, monkeypatch):
    from xde.ground.errors import UserError

    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(UserError) as caught:
        read("plain")
    assert (caught.value.findings[0].code, caught.value.findings[0].why) == ("XDE0157", "no region is set")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(UserError) as caught:
        read("plain")
    assert (caught.value.findings[0].code, caught.value.findings[0].why) == ("XDE0157", "there are no credentials for AWS")


def test_nobody_answers(aws, monkeypatch):
    from xde.ground.errors import TemporaryError

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    with pytest.raises(TemporaryError, match="cannot be reached"):
        read("plain")
