"""Objects of a real server that speaks S3's protocol: listed, told apart, brought here whole or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest
from projects.aws import playing

from xde.connectors.objects.s3 import S3Files
from xde.ground.errors import TemporaryError, UserError


@pytest.fixture(scope="module")
def server():
    with playing() as url:
        yield url


@pytest.fixture
def settings(server):
    return {"endpointUrl": server, "region": "eu-west-1", "accessKey": "a", "secretKey": "b"}


@pytest.fixture
def bucket(server, request):
    client = boto3.client("s3", endpoint_url=server, region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    name = "b" + request.node.name.replace("_", "-").lower()[-40:].strip("-[]")
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return name, lambda key, body: client.put_object(Bucket=name, Key=key, Body=body)


def test_objects_are_listed_below_their_prefix_by_pattern(bucket, settings):
    name, put = bucket
    for key in ("in/a-1.csv", "in/a-2.csv", "in/b.csv", "in/x/a-3.csv", "in/.a-4.csv", "in/a-5.csv.part", "other/a-6.csv", "in/"):
        put(key, key.encode())
    files = S3Files(settings)
    assert [f.path for f in files.list(f"s3://{name}/in", "a-*.csv")] == ["a-1.csv", "a-2.csv"]
    assert [f.path for f in files.list(f"s3://{name}/in/", "**/a-*.csv")] == ["a-1.csv", "a-2.csv", "x/a-3.csv"]
    assert [f.path for f in files.list(f"s3://{name}", "*/a-*.csv")] == ["in/a-1.csv", "in/a-2.csv", "other/a-6.csv"]
    assert files.list(f"s3://{name}/none", "*") == []


@pytest.mark.slow
def test_more_objects_than_a_page_holds(bucket, settings):
    name, put = bucket
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: put(f"in/{n:04}.csv", b"x"), range(1003)))
    assert len(S3Files(settings).list(f"s3://{name}/in", "*.csv")) == 1003


def test_what_is_brought_here_is_the_object_that_was_listed(bucket, settings, tmp_path):
    name, put = bucket
    put("in/a.csv.gz", b"id\n1\n")
    files = S3Files(settings)
    (found,) = files.list(f"s3://{name}/in", "*.gz")
    here = files.fetch(found, files.digest(found), tmp_path)
    assert (here.path, here.size, Path(here.location).read_bytes()) == ("a.csv.gz", 5, b"id\n1\n")
    assert here.location.endswith(".csv.gz"), "by its ending the loader knows how it is packed"
    then = files.digest(found)
    put("in/a.csv.gz", b"id\n2\n")
    with pytest.raises(TemporaryError, match="changed while"):
        files.fetch(found, then, tmp_path)


def test_equal_content_has_an_equal_digest(bucket, settings):
    name, put = bucket
    put("a.csv", b"1")
    put("b.csv", b"1")
    put("c.csv", b"2")
    files = S3Files(settings)
    first, copy, other = (files.digest(f) for f in files.list(f"s3://{name}", "*.csv"))
    assert first == copy != other


@pytest.mark.slow
def test_what_is_wrong_is_told(settings, server, monkeypatch):
    with pytest.raises(UserError) as raised:
        S3Files(settings).list("s3://no-such-bucket-here", "*")
    assert raised.value.findings[0].code == "XDE0440"
    with pytest.raises(UserError) as raised:
        S3Files(settings).list("s3://b", "../x")
    assert raised.value.findings[0].code == "XDE0442"
    with pytest.raises(TemporaryError, match="cannot be reached"):
        S3Files({**settings, "endpointUrl": "http://127.0.0.1:9"}).list("s3://b", "*")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(UserError) as raised:
        S3Files({"endpointUrl": server, "region": "eu-west-1"}).list("s3://b", "*")
    assert raised.value.findings[0].code == "XDE0491"
