"""A real MariaDB server on a free loopback port, and a shop's database on it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pymysql
from projects.contracts import source
from projects.folder import Folder

from xde.app.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "a reader's password"
OBJECT = """\
  - name: orders
    physicalName: {relation}
    physicalType: table
    customProperties: [{words}]
    properties:
{columns}"""
COLUMNS = """\
      - {name: id, logicalType: integer, primaryKey: true, required: true}
      - {name: amount, logicalType: number, physicalType: "DECIMAL(10,2)"}
      - {name: at, logicalType: timestamp}
"""
MERGE = "{property: xdeWriteMode, value: merge}"
BY_ID = "{property: xdeIncrementalCursor, value: {property: id}}, " + MERGE
TABLE = "CREATE TABLE orders (id BIGINT AUTO_INCREMENT PRIMARY KEY, amount DECIMAL(20,6), at DATETIME(6) DEFAULT now(6))"


@dataclass
class MariadbServer:
    """`home` holds its data; `port` is free."""

    home: Path
    port: int
    process: subprocess.Popen[bytes] | None = field(default=None)

    def make(self) -> None:
        """The folder of its data."""
        user = ["--user=root"] if os.geteuid() == 0 else []
        install = ["mariadb-install-db", f"--datadir={self.home}/data", "--auth-root-authentication-method=normal", "--skip-test-db", *user]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        if (openssl := shutil.which("openssl")) is not None:
            certify = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=till", "-days", "2"]
            certify += ["-keyout", f"{self.home}/key", "-out", f"{self.home}/cert"]
            subprocess.run(certify, capture_output=True, check=True)
            (self.home / "key").chmod(0o644)

    @property
    def encrypts(self) -> bool:
        """Whether it has a certificate, one of its own making."""
        return (self.home / "cert").exists()

    def start(self) -> None:
        """Start, and wait until it answers."""
        program = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
        user = ["--user=root"] if os.geteuid() == 0 else []
        words = [f"--datadir={self.home}/data", f"--port={self.port}", "--bind-address=127.0.0.1", f"--socket={self.home}/s"]
        words += [f"--pid-file={self.home}/pid", f"--log-error={self.home}/log", *user]
        words += [f"--ssl-cert={self.home}/cert", f"--ssl-key={self.home}/key"] if self.encrypts else []
        self.process = subprocess.Popen([program, "--no-defaults", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(300):
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(f"{self.home}/s") == 0 and probe.recv(1):
                    return
            time.sleep(0.1)
        raise AssertionError((self.home / "log").read_text())

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def connect(self, database: str) -> pymysql.Connection:
        return pymysql.connect(unix_socket=f"{self.home}/s", user="root", database=database, charset="utf8mb4")


class Shop(Folder):
    """A database of its own, a user who may only read it, and a project that does."""

    def __init__(self, server: MariadbServer, root: Path, name: str) -> None:
        super().__init__(root)
        self.server, self.name = server, name
        with closing(server.connect("mysql")) as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
            cursor.execute("CREATE USER IF NOT EXISTS reader@'127.0.0.1' IDENTIFIED BY %s", (PASSWORD,))
            cursor.execute(f"GRANT SELECT ON {name}.* TO reader@'127.0.0.1'")
            cursor.execute("GRANT PROCESS ON *.* TO reader@'127.0.0.1'")
        self.sql(TABLE)
        self.write("xde.yaml", "name: shop\nretries: 1\n")
        self.contract()

    def contract(self, words: str = BY_ID, columns: str = COLUMNS, relation: str = "orders", own: str = "", **server: str) -> None:
        given = {"type": "mysql", "host": "127.0.0.1", "port": str(self.server.port), "database": self.name, **server}
        own = f'{{property: xdeUser, value: reader}}, {{property: xdePassword, value: "${{env:TILL_PASSWORD}}"}}{own}'
        told = ", ".join(f"{n}: {v}" for n, v in given.items())
        self.write(
            "sources/shop.yaml",
            source(OBJECT.format(relation=relation, words=words, columns=columns), f"{{server: till, {told}, customProperties: [{own}]}}"),
        )

    @contextmanager
    def connect(self) -> Iterator[pymysql.cursors.Cursor]:
        """A transaction that its user ends."""
        with closing(self.server.connect(self.name)) as connection, connection.cursor() as cursor:
            yield cursor

    def sql(self, *texts: str) -> None:
        with self.connect() as cursor:
            for text in texts:
                cursor.execute(text)
            cursor.execute("COMMIT")

    def run(self, **how):
        with Workspace.open(self.root) as workspace:
            finished = workspace.run(**how)
        return {o.step.dataset: o for o in finished.outcomes}

    def loaded(self, **how) -> None:
        outcomes = self.run(**how)
        assert all(o.status == "done" for o in outcomes.values()), outcomes

    def rows(self):
        with Workspace.open(self.root) as workspace:
            return workspace.show("shop.orders", limit=None).read_all().to_pylist()

    def ids(self):
        return sorted(r["id"] for r in self.rows())

    def findings(self, **how) -> list[str]:
        return [f.code for o in self.run(**how).values() for f in o.findings]
