"""What can be wrong with a ledger in PostgreSQL, on a real server."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from xde.ground.errors import TemporaryError, UserError
from xde.kernel.plan.ledger import TableState
from xde.ledger.open import open_ledger
from xde.ledger.relational import RelationalLedger

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

NUMBERS = itertools.count(1)
HERE = Path("/nowhere")
AT = "2026-01-01T00:00:00+00:00"


def test_without_the_driver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [m for m in sys.modules if m.split(".")[0] == "psycopg" or m == "xde.ledger.postgres"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UserError) as caught:
        open_ledger("postgresql://h/d", HERE)
    (finding,) = caught.value.findings
    assert (finding.code, finding.hint) == ("XDE0701", "pip install 'xde[postgres]'")


def complaint(open_it: Callable[[], object]) -> str:
    with pytest.raises(UserError) as caught:
        open_it()
    (finding,) = caught.value.findings
    said = f"{finding.message} {finding.why} {finding.hint}"
    assert "secret" not in said
    assert "\n" not in said
    return finding.code


@pytest.fixture
def server(postgres_server: object) -> Server:
    return Server(postgres_server)


class Server:
    def __init__(self, server: object) -> None:
        self.url: Callable[..., str] = server.url  # type: ignore[attr-defined]
        self.name = f"bad_{next(NUMBERS)}"
        with self.admin("postgres") as connection:
            connection.execute(f"CREATE DATABASE {self.name}".encode())

    def admin(self, database: str | None = None) -> Connection:
        import psycopg

        return psycopg.connect(self.url(database or self.name), autocommit=True)

    def open(self, **who: str) -> object:
        return open_ledger(self.url(self.name, **who), HERE)


@pytest.mark.postgres
class TestBadForms:
    def test_nobody_answers(self, server: Server) -> None:
        assert complaint(lambda: open_ledger("postgresql://xde:secret@127.0.0.1:1/d", HERE)) == "XDE0710"

    def test_no_such_host(self, server: Server) -> None:
        assert complaint(lambda: open_ledger("postgresql://xde:secret@no-such-host.invalid/d", HERE)) == "XDE0710"

    def test_a_wrong_password(self, server: Server) -> None:
        assert complaint(lambda: server.open(password="secret")) == "XDE0711"

    def test_no_such_database(self, server: Server) -> None:
        assert complaint(lambda: open_ledger(server.url("none_such"), HERE)) == "XDE0711"

    def test_an_address_that_is_none(self, server: Server) -> None:
        assert complaint(lambda: open_ledger("postgresql://xde:secret@h:port/d?nonsense=1", HERE)) == "XDE0700"

    def test_one_who_may_not_make_tables(self, server: Server) -> None:
        with server.admin() as connection:
            connection.execute(f"CREATE ROLE reader_{server.name} LOGIN PASSWORD 'x'".encode())
        assert complaint(lambda: server.open(user=f"reader_{server.name}", password="x")) == "XDE0712"

    def test_one_who_may_only_read(self, server: Server) -> None:
        server.open().close()  # type: ignore[attr-defined]
        reader = f"reader_{server.name}"
        with server.admin() as connection:
            connection.execute(f"CREATE ROLE {reader} LOGIN PASSWORD 'x'".encode())
            connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}".encode())
        ledger = server.open(user=reader, password="x")
        assert isinstance(ledger, RelationalLedger)
        assert ledger.states() == {}
        assert complaint(lambda: ledger.move("dev", {"a": "1"}, AT)) == "XDE0712"
        ledger.close()

    def test_a_newer_database(self, server: Server) -> None:
        server.open().close()  # type: ignore[attr-defined]
        with server.admin() as connection:
            connection.execute("INSERT INTO xde_migration VALUES (999, 'later')")
        assert complaint(server.open) == "XDE0707"

    def test_a_table_that_is_gone(self, server: Server) -> None:
        ledger = server.open()
        assert isinstance(ledger, RelationalLedger)
        with server.admin() as connection:
            connection.execute("DROP TABLE xde_state")
        assert complaint(ledger.states) == "XDE0706"
        ledger.close()

    def test_tables_of_others_in_the_same_database_are_no_matter(self, server: Server) -> None:
        with server.admin() as connection:
            connection.execute("CREATE TABLE customers (x text)")
        server.open().close()  # type: ignore[attr-defined]

    def test_a_broken_connection_is_made_again(self, server: Server) -> None:
        ledger = server.open()
        assert isinstance(ledger, RelationalLedger)
        ledger.move("dev", {"a.b": "1"}, AT)
        with server.admin() as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'xde'")
        ledger.move("dev", {"a.c": "1"}, AT)
        assert ledger.pointers("dev") == {"a.b": "1", "a.c": "1"}
        ledger.close()

    def test_one_who_holds_it_for_long(self, server: Server) -> None:
        from xde.ledger.migrate import migrate
        from xde.ledger.postgres import PostgresStore

        store = PostgresStore(server.url(server.name), busy_seconds=0.2)
        migrate(store)
        ledger = RelationalLedger(store)
        with server.admin() as connection, connection.transaction():
            connection.execute("LOCK TABLE xde_state IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(TemporaryError, match="held by another process"):
                ledger.remember([TableState("a.b", "v", 0, 1, 1, AT)])
        ledger.remember([TableState("a.b", "v", 0, 1, 1, AT)])
        ledger.close()

    def test_a_migration_that_fails_half_way_leaves_nothing(self, server: Server) -> None:
        from xde.ledger.migrate import MIGRATIONS, Migration, migrate
        from xde.ledger.postgres import PostgresStore

        store = PostgresStore(server.url(server.name))
        broken = Migration(len(MIGRATIONS) + 1, "half", lambda: ["CREATE TABLE xde_half (x text)", "CREATE TABLE xde_state (x text)"])
        with pytest.raises(Exception, match="already exists"):
            migrate(store, (*MIGRATIONS, broken))
        store.close()
        with server.admin() as connection:
            found = connection.execute("SELECT relname FROM pg_class WHERE relname = 'xde_half'").fetchall()
            numbers = connection.execute("SELECT number FROM xde_migration").fetchall()
        assert (found, numbers) == ([], [(m.number,) for m in MIGRATIONS])
