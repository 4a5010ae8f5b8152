"""Files of a real FTP server as a source: what any store that fsspec knows must do here."""

from __future__ import annotations

import os
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ftplib import FTP
from pathlib import Path

import pytest
from projects.contracts import source
from projects.folder import Folder

from xde.app.workspace import Workspace
from xde.ground.errors import TemporaryError, UserError

pytest.importorskip("fsspec", reason="fsspec is not installed")
from fsspec import register_implementation
from fsspec.implementations.local import LocalFileSystem

from xde.connectors.objects.any_store import AnyFiles

authorizers = pytest.importorskip("pyftpdlib.authorizers", reason="pyftpdlib is not installed")
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.11: it still has the module that the server stands on
    from pyftpdlib.handlers import FTPHandler
    from pyftpdlib.servers import ThreadedFTPServer

OBJECT = """\
  - name: sales
    physicalName: "PATTERN"
    properties:
      - {name: id, logicalType: integer}
      - {name: word, logicalType: string}
"""
PASSWORD = "drop box 4711"


@contextmanager
def serving(folder):
    allowed = authorizers.DummyAuthorizer()
    allowed.add_user("reader", PASSWORD, str(folder), perm="elr")
    handler = type("Handler", (FTPHandler,), {"authorizer": allowed, "log_prefix": "", "auth_failed_timeout": 0})
    server = ThreadedFTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"timeout": 0.05, "handle_exit": False}, daemon=True)
    thread.start()
    with FTP() as first:
        first.connect(*server.address)  # a server that is closed before it has begun raises in its thread
    try:
        yield server.address[1]
    finally:
        server.close_all()
        thread.join(5)


class Shop(Folder):
    port = 0

    def contract(self, pattern="sales-*.csv", user="reader", folder="/in", location=""):
        own = (
            f'{{property: xdeType, value: files}}, {{property: xdeUser, value: {user}}}, {{property: xdePassword, value: "${{env:DROP}}"}}'
        )
        place = location or f"ftp://127.0.0.1:{self.port}{folder}"
        server = f"{{server: drop, type: custom, location: '{place}', format: csv, customProperties: [{own}]}}"
        self.write("xde.yaml", "name: shop\nretries: 0\n")
        self.write("sources/shop.yaml", source(OBJECT.replace("PATTERN", pattern), server))

    def put(self, path, text):
        target = self.root.parent / "ftp" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def run(self):
        with Workspace.open(self.root) as workspace:
            finished = workspace.run()
            self.told = [*finished.findings, *(f for o in finished.outcomes for f in o.findings)]
        return [(o.status, o.rows) for o in finished.outcomes]

    def ids(self):
        with Workspace.open(self.root) as workspace:
            return sorted(r["id"] for r in workspace.show("shop.sales", limit=None).read_all().to_pylist())


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setenv("DROP", PASSWORD)
    (tmp_path / "ftp/in").mkdir(parents=True)
    made = Shop(tmp_path / "shop")
    with serving(tmp_path / "ftp") as port:
        made.port = port
        made.contract()
        yield made


def test_a_file_is_loaded_once_and_later_ones_after(shop):
    shop.put("in/sales-1.csv", "id,word\n1,a\n2,b\n")
    shop.put("in/other.csv", "id,word\n9,z\n")
    shop.put("in/.sales-0.csv", "id,word\n8,z\n")
    shop.put("in/deep/sales-9.csv", "id,word\n7,z\n")
    assert shop.run() == [("done", 2)]
    assert shop.run() == []
    shop.put("in/sales-2.csv", "id,word\n3,c\n")
    assert shop.run() == [("done", 1)]
    assert shop.ids() == [1, 2, 3]


@pytest.mark.parametrize(("pattern", "ids"), [("**/sales-*.csv", [1, 2, 3]), ("2026/*/sales-*.csv", [2]), ("2026/sales-*.csv", [3])])
def test_patterns_of_folders(shop, pattern, ids):
    for n, path in enumerate(["in/sales-1.csv", "in/2026/01/sales-2.csv", "in/2026/sales-3.csv"], 1):
        shop.put(path, f"id,word\n{n},a\n")
    shop.contract(pattern)
    shop.run()
    assert shop.ids() == ids


def test_a_file_that_changed_is_told_and_not_loaded_unasked(shop):
    shop.put("in/sales-1.csv", "id,word\n1,a\n")
    shop.run()
    shop.put("in/sales-1.csv", "id,word\n1,a\n2,b\n")
    os.utime(shop.root.parent / "ftp/in/sales-1.csv", (2_000_000_000, 2_000_000_000))
    with Workspace.open(shop.root) as workspace:
        workspace.plan()
        assert "XDE0451" in [f.code for f in workspace.warnings]
    assert shop.ids() == [1]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"user": "nobody"}, "XDE0491"),
        ({"folder": "/nowhere"}, "XDE0440"),
        ({"pattern": "none/*.csv"}, "XDE0450"),
        ({"pattern": "../*.csv"}, "XDE0442"),
        ({"location": "sftq://127.0.0.1/in"}, "XDE0493"),
        ({"location": "127.0.0.1/in"}, "XDE0494"),
        ({"location": "gs://bucket/in"}, "XDE0480"),
        ({"location": "ftp://127.0.0.1:1/in"}, ""),
    ],
)
def test_what_is_wrong_is_told_and_no_secret_with_it(shop, words, code):
    shop.contract(**words)
    try:
        with Workspace.open(shop.root) as workspace:
            finished = workspace.run()
        told = [*finished.findings, *(f for o in finished.outcomes for f in o.findings)]
    except UserError as error:
        told = list(error.findings)
    except TemporaryError as error:
        assert code == ""
        told = [str(error)]
    assert told
    assert PASSWORD not in str(told)
    if code:
        assert [f.code for f in told] == [code]


def test_a_server_that_breaks_off_publishes_nothing(shop, monkeypatch):
    """The file is cut short on the server between its listing and its end."""
    shop.put("in/sales-1.csv", "id,word\n" + "1,a\n" * 200_000)
    sent = FTPHandler.on_file_sent
    monkeypatch.setattr(FTPHandler, "on_file_sent", lambda self, file: (shop.put("in/sales-1.csv", "id,word\n1,a\n"), sent(self, file)))
    ((status, _),) = shop.run()
    assert status == "failed"
    monkeypatch.undo()
    monkeypatch.setenv("DROP", PASSWORD)
    assert shop.run() == [("done", 1)]


class Bare(LocalFileSystem):
    """A disk that tells of a file its size alone, as a plain page of links does."""

    protocol = "bare"

    def info(self, path, **words):
        told = super().info(path, **words)
        return {n: told[n] for n in ("name", "size", "type")}


def test_a_store_that_tells_no_time_is_read(shop):
    """A file of the same size with other content is told, and a look at what is as it was loads nothing."""
    register_implementation("bare", Bare, clobber=True)
    shop.contract(location=f"bare://{shop.root.parent}/ftp/in")
    shop.put("in/sales-1.csv", "id,word\n1,a\n")
    assert shop.run() == [("done", 1)]
    assert shop.run() == []
    shop.put("in/sales-1.csv", "id,word\n2,a\n")
    with Workspace.open(shop.root) as workspace:
        workspace.plan()
        assert "XDE0451" in [f.code for f in workspace.warnings]
    shop.put("in/sales-1.csv", "id,word\n1,a\n")
    shop.put("in/sales-2.csv", "id,word\n3,b\n")
    assert shop.run() == [("done", 1)]
    assert shop.ids() == [1, 3]


def test_a_store_that_tells_no_time_and_whose_file_changes_between_plan_and_load(shop):
    register_implementation("bare", Bare, clobber=True)
    path = shop.root.parent / "ftp/in/sales-1.csv"
    shop.put("in/sales-1.csv", "id,word\n1,a\n")
    store = AnyFiles({"location": f"bare://{path.parent}"})
    (file,) = store.list(f"bare://{path.parent}", "*.csv")
    seen = store.digest(file)
    path.write_text("id,word\n2,a\n")
    with pytest.raises(TemporaryError, match="plan again"):
        store.fetch(file, seen, shop.root)


def test_several_at_once_take_nothing_from_each_other(shop):
    """One connection cannot bring two files at a time."""
    for n in range(6):
        shop.put(f"in/sales-{n}.csv", "id,word\n" + f"{n},{'x' * n}\n" * 50_000)
    location = f"ftp://127.0.0.1:{shop.port}/in"
    store = AnyFiles({"location": location, "user": "reader", "password": PASSWORD})
    files = store.list(location, "*.csv")
    with ThreadPoolExecutor(3) as threads:
        copies = list(threads.map(lambda f: store.fetch(f, store.digest(f), shop.root), files))
    for n, copy in enumerate(copies):
        assert Path(copy.location).read_text() == "id,word\n" + f"{n},{'x' * n}\n" * 50_000


@pytest.mark.parametrize("location", ["ftp://reader:drop4711@127.0.0.1/in", "sftp://h/in?password=drop4711"])
def test_a_password_in_an_address_is_refused(shop, location):
    shop.contract(location=location)
    with pytest.raises(UserError) as caught, Workspace.open(shop.root) as workspace:
        workspace.run()
    assert [f.code for f in caught.value.findings] == ["XDE0481"]
    assert "drop4711" not in str([f.message + f.why + f.hint for f in caught.value.findings])
