"""A real PostgreSQL server from the system's own programs, on a free port of the loopback interface."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from projects.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "not a secret"


class NoServerError(Exception):
    """Why none can be started here."""


@dataclass(frozen=True)
class PostgresServer:
    """`programs` is the folder of its binaries, `data` that of its data."""

    port: int
    programs: Path
    data: Path

    def url(self, database: str, user: str = "xde", password: str = PASSWORD) -> str:
        return f"postgresql://{user}:{password.replace(' ', '%20')}@127.0.0.1:{self.port}/{database}"

    def control(self, *words: str) -> None:
        """Call `pg_ctl`."""
        _as_servant(self.programs / "pg_ctl", "-D", self.data, "-w", "-t", "60", *words)


@contextmanager
def serving() -> Iterator[PostgresServer]:
    """A server that is gone, with all it holds, at the end."""
    programs = _programs()
    if programs is None:
        raise NoServerError("the machine has no PostgreSQL server (Debian: apt-get install postgresql)")
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        raise NoServerError("PostgreSQL refuses to run as root, and there is no `runuser`")
    home = Path(tempfile.mkdtemp(prefix="xde-postgres-"))
    password = home / "password"
    password.write_text(PASSWORD)
    if os.geteuid() == 0:
        for path in (home, password):
            shutil.chown(path, "postgres")
    server = PostgresServer(free_port(), programs, home / "data")
    try:
        made = ("-D", server.data, "-U", "xde", "--pwfile", password, "-A", "scram-sha-256", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
        _as_servant(programs / "initdb", *made)
        settings = f"-p {server.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={home} -c fsync=off"
        settings += " -c wal_level=logical -c max_replication_slots=100 -c max_wal_senders=20"
        server.control("-l", str(home / "log"), "-o", settings, "start")
        yield server
        server.control("-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _as_servant(*command: str | Path) -> None:
    """Run a server program as a user that is not root, which the server refuses to be."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*prefix, *map(str, command)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/", check=False
    )
    assert done.returncode == 0, done.stdout.decode()


def _programs() -> Path | None:
    """Those of the newest server of the machine."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None
