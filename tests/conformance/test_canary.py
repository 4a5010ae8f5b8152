"""Secrets are planted, every command is called, with errors and without: no byte that was written holds one, in whatever form."""

from __future__ import annotations

import base64
import gzip
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest
from canary import IN_ENVIRONMENT, IN_FILE, forms, leaks, leaks_below
from projects.folder import Folder
from projects.sales import SALES

SECRETS = (IN_ENVIRONMENT, IN_FILE)
ROOT = Path(__file__).resolve().parents[2]
CALLS = (
    *("doctor", "plan", "run", "list", "runs", "history shop.sales", "show marts.by_country", "env list", "plan prod", "deploy prod --yes"),
    *("env show prod", "--env prod doctor", "--env prod runs", "diff --env dev --against prod", "ledger rebuild", "clean", "-v run"),
)
# a fault in the middle of a step, as a library of somebody else may have one: its words carry the secrets in every form
FAULT = """
import os, sys
from pathlib import Path
from xde.connectors.duckdb.transformation import DuckdbEngine
from xde.connectors.delta.lake import DeltaLake
sys.path.insert(0, {here!r})
from canary import forms
spoken = " | ".join(v.decode("utf-8", "replace") for s in (os.environ["CANARY"], Path("secrets/token").read_text()) for n, v in forms(s).items() if "beginning" not in n and n != "UTF-16")
def broken(*_, **__):
    raise RuntimeError(spoken)
setattr(*{what})
"""
SEVERAL = """
import json, sys
from pathlib import Path
from xde.faces.cli.main import main
from xde.ground.secrets import VEIL
codes = []
for words in sys.argv[2:]:
    VEIL.clear()  # as if each were called by itself: what an earlier one has found out must not help
    codes.append(main(words.split()))
    sys.stdout.flush()
Path(sys.argv[1]).write_text(json.dumps(codes))
"""


@dataclass
class Planted(Folder):
    """A project with secrets behind its references, and all that was said by commands in it."""

    said: list[tuple[str, bytes]] = field(default_factory=list)

    def call(self, *commands: str, fault: str = "") -> list[int]:
        """Call commands one after the other; gives their exit codes."""
        codes = self.root.parent / "codes.json"
        command = [sys.executable, "-c", fault + SEVERAL, str(codes), *commands]
        environment = {**os.environ, "CANARY": IN_ENVIRONMENT, "NO_COLOR": "1"}
        done = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, check=False, timeout=300)
        self.said += [(f"stdout of {commands}", done.stdout), (f"stderr of {commands}", done.stderr)]
        assert done.returncode == 0, done.stderr
        return list(json.loads(codes.read_text()))

    def said_of(self, words: bytes) -> bool:
        return any(words in content for _, content in self.said)

    def found(self, *others: Path) -> list[str]:
        below = leaks_below([self.root, *others], SECRETS, (self.root / "secrets/token",))
        return [*below, *(leak for what, content in self.said for leak in leaks(what, content, SECRETS))]


@pytest.fixture
def planted(tmp_path):
    made = Planted(tmp_path / "sales")
    made.write("secrets/token", IN_FILE + "\n")
    (made.root / "secrets/token").chmod(0o600)
    made.write("sources/shop.yaml", SALES)
    made.write("data/sales-1.csv", "id,country\n1,NO\nx,DE\n2,DE\n")
    made.write("models/marts/by_country.sql", "SELECT country, count(*) AS sales FROM shop.sales GROUP BY country\n")
    made.write(
        "xde.yaml",
        "name: sales\nlake: {path: .xde/lake, options: {aws_secret_access_key: '${env:CANARY}', token: '${file:secrets/token}'}}\n",
    )
    return made


def test_the_scanner_sees_what_is_planted(tmp_path):
    for n, (form, octets) in enumerate(forms(IN_FILE).items()):
        (tmp_path / f"{n}.txt").write_bytes(b"before" + octets + b"after")
        assert any(form in leak for leak in leaks_below([tmp_path], SECRETS)), form
        (tmp_path / f"{n}.txt").unlink()
    assert leaks_below([tmp_path], SECRETS) == []


def test_the_scanner_sees_into_what_it_cannot_read_as_it_is(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    def table(path):
        middle = [f"{n:08}" for n in range(50_000)]
        middle[25_000] = IN_FILE
        pq.write_table(pa.table({"a": middle}), path, compression="zstd")

    def database(path):
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE t (a TEXT)")
            connection.execute("INSERT INTO t VALUES (?)", (base64.b64encode(f"u:{IN_FILE}".encode()).decode(),))

    plants = {
        "t.parquet": table,
        "t.sqlite": database,
        "t.gz": lambda p: p.write_bytes(gzip.compress(IN_FILE.encode())),
        "definitions.json": lambda p: p.write_text(json.dumps({"a": base64.b64encode(b"x: " + IN_FILE.encode()).decode()})),
        "facts.json": lambda p: p.write_text(json.dumps({"xde": json.dumps({"trace": [IN_FILE]})})),
        quote(IN_FILE, safe=""): lambda p: p.write_text(""),
    }
    for name, plant in plants.items():
        plant(tmp_path / name)
        assert leaks_below([tmp_path], SECRETS), name
        (tmp_path / name).unlink()


@pytest.mark.slow
def test_one_that_is_not_hidden_is_found(planted):
    """The commands could leak, and the scan would tell: a secret that nobody referred to is written into a model and deployed."""
    planted.write("models/marts/leak.sql", f"SELECT '{IN_FILE.replace(chr(39), chr(39) * 2)}' AS a FROM shop.sales\n")
    assert planted.call("run") == [0]
    assert any(".xde/lake" in leak for leak in planted.found())


@pytest.mark.slow
def test_nothing_is_written_where_all_goes_well(planted):
    calls = [c for words in CALLS for c in (words, f"{words} --json")]
    assert planted.call(*calls) == [0] * len(calls), planted.said
    assert len(list(planted.root.rglob(".xde/lake/**/*.parquet"))) > 2
    assert planted.found() == []


@pytest.mark.slow
@pytest.mark.parametrize("what", ["(DuckdbEngine, 'write', broken)", "(DeltaLake, 'snapshot', broken)"])
def test_nothing_is_written_where_a_library_says_it_all(planted, what):
    """The words reach the terminal, the documents, the ledger's facts and its traces: everywhere without the secrets."""
    assert planted.call("run") == [0]
    planted.write("models/marts/more.sql", "SELECT id FROM shop.sales\n")
    fault = FAULT.format(here=str(Path(__file__).parent), what=what)
    assert 70 in planted.call("run", "run --json", "deploy prod --yes --json", "doctor", "doctor --json", fault=fault)
    assert planted.said_of(b"*** | ***"), "it was said, and hidden"
    assert planted.found() == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "code"),
    {
        "ledger: 'postgresql://xde:${env:CANARY}@127.0.0.1:9/xde'": "XDE0710",
        "ledger: 'postgresql://xde:${file:secrets/token}@no-such-host.invalid/xde?connect_timeout=2'": "XDE0710",
        "ledger: 'postgresql://xde@127.0.0.1:9/xde?password=${env:CANARY}&no_such_option=${file:secrets/token}'": "XDE0700",
        "ledger: 'postgresql://${env:CANARY}'": "XDE07",
        "ledger: '${env:CANARY}'": "XDE0700",
        "ledger: 'sqlite:/proc/nowhere/${env:CANARY}'": None,
        "engine: {name: '${env:CANARY}'}": None,
        "lake: {path: 's3://bucket/lake', options: {aws_access_key_id: '${env:CANARY}', aws_secret_access_key: '${file:secrets/token}',"
        " aws_endpoint_url: 'http://127.0.0.1:9', aws_allow_http: 'true', aws_region: eu-1, max_retries: '0', retry_timeout: 1s}}": "XDE",
        "lake: {path: 's3://bucket/lake', options: {aws_endpoint_url: 'http://${env:CANARY}:x', aws_region: '${file:secrets/token}'}}": "XDE",
    }.items(),
)
def test_nothing_is_written_where_it_cannot_be_opened(planted, settings, code):
    planted.write("xde.yaml", f"name: sales\n{settings}\n")
    calls = [c for words in ("doctor", "plan", "run", "deploy prod --yes", "env show prod", "env list") for c in (words, f"{words} --json")]
    assert {0, 1} >= set(planted.call(*calls)), planted.said
    if code is not None:
        assert planted.said_of(code.encode())
        assert planted.found() == []


@pytest.mark.postgres
@pytest.mark.parametrize("how", ["right", "wrong"])
def test_a_ledger_in_postgresql_holds_none(planted, postgres_server, how):
    import psycopg
    from psycopg import sql

    name = f"canary_{how}"
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
        password = IN_FILE if how == "right" else "another one, and the right one"
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), sql.Literal(password)))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(name)))
    at = f"127.0.0.1:{postgres_server.port}/{name}"
    planted.write(
        "xde.yaml",
        f"name: sales\nledger: 'postgresql://{name}:${{file:secrets/token}}@{at}'\n"
        "lake: {path: .xde/lake, options: {aws_secret_access_key: '${env:CANARY}'}}\n",
    )
    calls = [c for words in CALLS for c in (words, f"{words} --json")]
    ends = planted.call(*calls)
    assert [e for e, c in zip(ends, calls, strict=True) if not c.startswith("env list")] == [int(how == "wrong")] * (len(ends) - 2), (
        planted.said
    )
    if how == "right":
        planted.write("models/marts/more.sql", "SELECT id FROM shop.sales\n")
        assert planted.call("run --json", fault=FAULT.format(here=str(Path(__file__).parent), what="(DuckdbEngine, 'write', broken)")) == [
            70
        ]
    dumped = dump_postgres(postgres_server.url(name))
    assert (b"deployments" in dumped and b"*** | ***" in dumped) == (how == "right")
    assert leaks("the ledger", dumped, SECRETS) == []
    assert planted.found() == []
    assert planted.said_of(b"XDE0711") == (how == "wrong")


def dump_postgres(url: str) -> bytes:
    """Every row of every table."""
    import psycopg
    from psycopg import sql

    found = b""
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
        for (table,) in tables:
            rows = connection.execute(sql.SQL("SELECT row_to_json(t) FROM {} t").format(sql.Identifier(table))).fetchall()
            plain = connection.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table))).fetchall()
            found += f"{table}: {json.dumps(rows, ensure_ascii=False)} {plain!r}\n".encode()
            found += "\n".join(r for (r,) in plain).encode()
    return found


@pytest.mark.slow
def test_the_project_s_folder_can_be_copied_and_tells_nothing(planted, tmp_path):
    """What is kept for speed is kept without values: the copy asks for them again, and finds none."""
    assert planted.call("run") == [0]
    shutil.copytree(planted.root / ".xde", tmp_path / "copy/.xde")
    assert leaks_below([tmp_path / "copy"], SECRETS) == []
