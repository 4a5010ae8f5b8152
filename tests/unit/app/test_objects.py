"""Objects of a real store as a source: loaded once, packed or not, none half; cases of a test need no store."""

from __future__ import annotations

import gzip
from contextlib import closing
from datetime import timedelta

import boto3
import pytest
from projects.aws import playing
from projects.contracts import source
from projects.folder import Folder

from xde.app.contract_drafts import draft
from xde.app.profiling import Wish, profile
from xde.app.testing import TestBench
from xde.app.workspace import Workspace
from xde.ground.clock import SystemClock
from xde.ground.errors import UserError

SERVER = (
    "{{server: lake, type: s3, location: 's3://{bucket}/in', endpointUrl: '{url}', format: csv, customProperties: ["
    "{{property: xdeRegion, value: eu-west-1}}, {{property: xdeAccessKey, value: key}}, "
    "{{property: xdeSecretKey, value: '{secret}'}}]}}"
)
OBJECT = """\
  - name: sales
    physicalName: "**/sales-*.csv*"
    customProperties: [{property: xdeWriteMode, value: MODE}]
    properties:
      - {name: id, logicalType: integer, primaryKey: true}
      - {name: amount, logicalType: number, physicalType: "DECIMAL(9,2)"}
"""


@pytest.fixture(scope="module")
def server():
    with playing() as url:
        yield url


class Shop(Folder):
    def __init__(self, root, url):
        super().__init__(root)
        self.url = url
        self.client = boto3.client("s3", endpoint_url=url, region_name="eu-west-1", aws_access_key_id="key", aws_secret_access_key="secret")
        self.bucket = f"bucket-{root.parent.name}".replace("_", "-").lower()[-60:].strip("-")
        self.client.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        self.write("xde.yaml", "name: shop\nretries: 0\n")
        self.contract()

    def contract(self, mode="append", secret="${env:SHOP_SECRET}", url="", bucket=""):
        told = SERVER.format(bucket=bucket or self.bucket, url=url or self.url, secret=secret)
        self.write("sources/shop.yaml", source(OBJECT.replace("MODE", mode), told))

    def put(self, key, text):
        self.client.put_object(Bucket=self.bucket, Key=f"in/{key}", Body=text if isinstance(text, bytes) else text.encode())

    def run(self):
        with Workspace.open(self.root) as workspace:
            finished = workspace.run()
            self.told = [*workspace.warnings, *finished.findings, *(f for o in finished.outcomes for f in o.findings)]
        return {o.step.dataset: (o.status, o.rows, o.letters) for o in finished.outcomes}

    def rows(self):
        with Workspace.open(self.root) as workspace:
            return sorted((r["id"], str(r["amount"])) for r in workspace.show("shop.sales", limit=None).read_all().to_pylist())


@pytest.fixture
def shop(tmp_path, server, monkeypatch):
    monkeypatch.setenv("SHOP_SECRET", "a secret key 123")
    return Shop(tmp_path / "shop", server)


def test_an_object_is_loaded_once_and_a_new_one_by_the_next_run(shop):
    shop.put("2026/sales-1.csv", "id,amount\n1,1.50\n2,x\n")
    assert shop.run() == {"shop.sales": ("done", 1, 1)}
    assert shop.run() == {}
    shop.put("2026/sales-2.csv.gz", gzip.compress(b"id,amount\n3,3\n", mtime=0))
    shop.put("2026/sales-3.csv", "id,amount\n1,1.50\n2,x\n")
    assert shop.run() == {"shop.sales": ("done", 1, 0)}, "a copy of what was loaded is not new"
    assert shop.rows() == [(1, "1.50"), (3, "3.00")]
    with Workspace.open(shop.root) as workspace:
        (letter,) = [x.letter for x in workspace.letters(status="open")]
    assert (letter.file, letter.line, letter.raw) == ("2026/sales-1.csv", 3, b"2,x")
    assert not list((shop.root / ".xde/tmp").glob("table-*")), "nothing of the objects stays here"


def test_an_object_that_changed_is_told_and_not_loaded_unasked(shop):
    shop.put("sales-1.csv", "id,amount\n1,1.50\n")
    shop.run()
    shop.put("sales-1.csv", "id,amount\n1,1.75\n")
    assert shop.run() == {}
    assert [f.code for f in shop.told] == ["XDE0451"]


@pytest.mark.slow
def test_deliveries_that_replace_and_merge(shop):
    shop.contract("replace")
    shop.put("sales-1.csv", "id,amount\n1,1\n2,2\n")
    shop.run()
    shop.put("sales-2.csv", "id,amount\n2,9\n")
    shop.run()
    assert shop.rows() == [(2, "9.00")]
    shop.contract("merge")
    shop.run()
    assert shop.rows() == [(1, "1.00"), (2, "9.00")]


def test_what_is_wrong_is_told(shop, monkeypatch):
    with pytest.raises(UserError) as raised:
        shop.run()
    assert [f.code for f in raised.value.findings] == ["XDE0450"]
    shop.contract(bucket="no-such-bucket-anywhere")
    assert shop.run() == {"shop.sales": ("failed", 0, 0)}
    assert [f.code for f in shop.told] == ["XDE0440"]
    shop.contract(secret="in the open")
    with pytest.raises(UserError) as raised:
        shop.run()
    assert [f.code for f in raised.value.findings] == ["XDE0481"]


def test_a_store_that_is_away_keeps_nothing_else_from_being_loaded(shop):
    words = "  - name: days\n    physicalName: days-*.csv\n    properties:\n      - {name: id, logicalType: integer}\n"
    shop.write("sources/own.yaml", source(words, "{server: local, type: local, path: data, format: csv}"))
    shop.write("data/days-1.csv", "id\n1\n")
    shop.put("sales-1.csv", "id,amount\n1,1\n")
    shop.contract(url="http://127.0.0.1:9")
    told = shop.run()
    assert {n: s for n, (s, *_) in told.items()} == {"own.days": "done", "shop.sales": "failed"}
    assert [f.code for f in shop.told] == ["XDE0730"]
    shop.contract()
    assert shop.run() == {"shop.sales": ("done", 1, 0)}
    shop.contract(url="http://127.0.0.1:9")
    assert shop.run() == {"shop.sales": ("failed", 0, 0)}
    assert shop.rows() == [(1, "1.00")]


def test_the_doctor_looks_at_the_store(shop):
    shop.put("sales-1.csv", "id,amount\n1,1\n")
    with Workspace.open(shop.root) as workspace:
        (told,) = [d for d in workspace.doctor() if "shop.sales" in d.subject]
    assert (told.status, told.detail) == ("ok", "1 file, 14 bytes")


def test_the_stores_clock_is_held_against_ours_long_before_it_refuses(shop, monkeypatch):
    class Late(SystemClock):
        def now(self):
            return super().now() - timedelta(minutes=10)

    shop.put("sales-1.csv", "id,amount\n1,1\n")
    for clock, statuses in ((SystemClock, ["ok"]), (Late, ["ok", "unsafe"])):
        monkeypatch.setattr("xde.connectors.objects.s3.SystemClock", clock)
        with Workspace.open(shop.root) as workspace:
            told = [d for d in workspace.doctor() if d.subject.startswith("store s3://")]
        assert [d.status for d in told] == statuses
    assert "10 min behind the store's: a store of objects refuses what is signed 15 minutes off" in told[1].detail


def test_a_case_needs_no_store(shop):
    shop.contract(url="http://127.0.0.1:9")
    shop.write(
        "tests/sales.yaml",
        'source: shop.sales\ncases:\n  - {name: a letter, raw: "id,amount\\n1,2\\nx,3\\n", expect: {rows: [{id: 1}], letters: 1}}\n',
    )
    with closing(TestBench.open(shop.root)) as bench:
        assert [r.passed for r in bench.run(bench.pick(()))] == [True]


def test_what_is_not_looked_at_in_the_store_is_told(shop):
    shop.put("sales-1.csv", "id,amount\n1,1\n")
    shop.run()
    with pytest.raises(UserError) as raised:
        profile(lambda: shop.root, None, Wish(("shop",), at_source=True))
    (finding,) = raised.value.findings
    assert (finding.code, finding.hint) == ("XDE0385", "look at it as it was loaded: `xde profile shop`")
    with pytest.raises(UserError) as raised:
        draft(lambda: shop.root, ("shop",), None, force=False)
    assert [f.code for f in raised.value.findings] == ["XDE0385"]
