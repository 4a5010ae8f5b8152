"""What the conformance tests stand on: a real PostgreSQL server, started for the session from the system's own programs."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from projects.ports import free_port
from projects.postgres import NoServerError, PostgresServer, serving

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


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    try:
        with serving() as server:
            yield server
    except NoServerError as error:
        pytest.skip(str(error))


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


@pytest.fixture(scope="session")
def mariadb_server():
    if shutil.which("mariadb-install-db") is None:
        pytest.skip("the machine has no MariaDB server (Debian: apt-get install mariadb-server-core)")
    pytest.importorskip("pymysql", reason="the driver is not installed: pip install 'xde[mysql]'")
    from mariadb import MariadbServer

    home = Path(tempfile.mkdtemp(prefix="xde-mariadb-"))
    home.chmod(0o777)
    made = MariadbServer(home, free_port())
    try:
        made.make()
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def shop(mariadb_server, tmp_path, request, monkeypatch):
    from mariadb import PASSWORD, Shop

    monkeypatch.setenv("TILL_PASSWORD", PASSWORD)
    return Shop(mariadb_server, tmp_path / "shop", f"shop_{abs(hash(request.node.nodeid)):x}")
