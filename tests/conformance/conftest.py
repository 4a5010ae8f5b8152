"""What the conformance tests stand on: a real PostgreSQL server, started for the session from the system's own programs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from projects.ports import free_port

sys.path.insert(0, str(Path(__file__).parent))

from desk import Desk
from ledgers import Opener, fresh_url

from till import Till
from xde.ledger.memory import MemoryLedger
from xde.ledger.open import open_ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from xde.kernel.plan.ledger import Ledger

KINDS = ["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
SHARED = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]

PASSWORD = "not a secret"


@dataclass(frozen=True)
class PostgresServer:
    """A server on a free loopback port; `programs` is the folder of its binaries."""

    port: int
    programs: Path
    data: Path

    def url(self, database: str, user: str = "xde", password: str = PASSWORD) -> str:
        return f"postgresql://{user}:{password.replace(' ', '%20')}@127.0.0.1:{self.port}/{database}"

    def control(self, *words: str) -> None:
        """Call `pg_ctl`."""
        as_servant(self.programs / "pg_ctl", "-D", self.data, "-w", "-t", "60", *words)


def as_servant(*command: str | Path) -> None:
    """Run a server program as a user that is not root, which the server refuses to be."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*prefix, *map(str, command)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/", check=False
    )
    assert done.returncode == 0, done.stdout.decode()


def server_programs() -> Path | None:
    """The newest server of the machine."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    programs = server_programs()
    if programs is None:
        pytest.skip("the machine has no PostgreSQL server (Debian: apt-get install postgresql)")
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        pytest.skip("PostgreSQL refuses to run as root, and there is no `runuser`")
    home = Path(tempfile.mkdtemp(prefix="xde-postgres-"))
    password = home / "password"
    password.write_text(PASSWORD)
    if os.geteuid() == 0:
        for path in (home, password):
            shutil.chown(path, "postgres")
    server = PostgresServer(free_port(), programs, home / "data")
    try:
        as_servant(
            programs / "initdb",
            "-D",
            server.data,
            "-U",
            "xde",
            "--pwfile",
            password,
            "-A",
            "scram-sha-256",
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        )
        settings = f"-p {server.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={home} -c fsync=off"
        settings += " -c wal_level=logical -c max_replication_slots=100 -c max_wal_senders=20"
        server.control("-l", str(home / "log"), "-o", settings, "start")
        yield server
        server.control("-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(params=KINDS)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    made: Ledger = MemoryLedger() if request.param == "memory" else open_ledger(fresh_url(request.param, request), tmp_path)
    yield made
    made.close()


@pytest.fixture(params=SHARED)
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Ledger]:
    """Opens the same ledger again and again, in any process."""
    return Opener(fresh_url(request.param, request), tmp_path)


@pytest.fixture
def desk(postgres_server, tmp_path, monkeypatch, request) -> Iterator[Desk]:
    monkeypatch.setenv("TILL_PASSWORD", "readers password")
    name = f"desk_{abs(hash(request.node.name)) % 10**8}_{time.time_ns() % 10**6}"
    made = Desk(postgres_server, tmp_path / "shop", name)
    yield made
    made.close()


@pytest.fixture
def till(postgres_server, tmp_path, monkeypatch, request) -> Till:
    monkeypatch.setenv("TILL_PASSWORD", "readers password")
    name = f"till_{abs(hash(request.node.name)) % 10**8}_{time.time_ns() % 10**6}"
    return Till(postgres_server, tmp_path / "shop", name)
