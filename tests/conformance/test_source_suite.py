"""Our connectors of servers by the suite that strangers' connectors run."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import astuple

import pytest
from till import Till

from xde.testing import Shelf, SourceSuite

NAMES = "id, word, amount, ratio, day, at, flag"
MARKS = "%s, %s, %s, %s, %s, %s, %s"


class PostgresShelf(Shelf):
    cursor = "{property: id}"
    secret = "readers password"

    def __init__(self, till: Till) -> None:
        self.till = till
        till.sql(
            "CREATE TABLE things (id bigint PRIMARY KEY, word text, amount numeric(18,4), ratio float8, day date, at timestamp, flag boolean)",
            "GRANT SELECT ON things TO reader",
        )

    @property
    def server(self):
        return self.till.address("till", "reader")

    def put(self, rows):
        with self.till.connect() as connection:
            self._put(connection, rows)

    def _put(self, connection, rows):
        change = ", ".join(f"{n} = excluded.{n}" for n in NAMES.split(", "))
        with connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO things ({NAMES}) VALUES ({MARKS}) ON CONFLICT (id) DO UPDATE SET {change}", [astuple(r) for r in rows]
            )

    def remove(self, ids):
        self.till.sql(*(f"DELETE FROM things WHERE id = {i}" for i in ids))

    @contextmanager
    def away(self):
        name = self.till.name
        closed = f"ALTER DATABASE {name} ALLOW_CONNECTIONS "
        ended = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        with self.till.elsewhere() as server:
            server.execute(closed + "false")
            server.execute(ended)
            yield
            server.execute(closed + "true")

    @contextmanager
    def late(self, rows):
        with self.till.connect() as connection:
            self._put(connection, rows)
            yield
            connection.commit()


@pytest.mark.postgres
class TestPostgres(SourceSuite):
    @pytest.fixture
    def shelf(self, till):
        return PostgresShelf(till)


class MariadbShelf(Shelf):
    cursor = "{property: id}"

    def __init__(self, shop) -> None:
        from mariadb import PASSWORD

        self.shop, self.secret = shop, PASSWORD
        shop.sql(
            "CREATE TABLE things (id BIGINT PRIMARY KEY, word TEXT CHARACTER SET utf8mb4, amount DECIMAL(18,4), ratio DOUBLE, day DATE,"
            " at DATETIME(6), flag BOOLEAN)"
        )

    @property
    def server(self):
        own = '{property: xdeUser, value: reader}, {property: xdePassword, value: "${env:TILL_PASSWORD}"}'
        port, name = self.shop.server.port, self.shop.name
        return f"{{server: till, type: mysql, host: 127.0.0.1, port: {port}, database: {name}, customProperties: [{own}]}}"

    def put(self, rows):
        with self.shop.connect() as cursor:
            cursor.executemany(f"REPLACE INTO things ({NAMES}) VALUES ({MARKS})", [astuple(r) for r in rows])
            cursor.execute("COMMIT")

    def remove(self, ids):
        self.shop.sql(*(f"DELETE FROM things WHERE id = {i}" for i in ids))

    @contextmanager
    def away(self):
        self.shop.server.stop()
        yield
        self.shop.server.start()

    @contextmanager
    def late(self, rows):
        with self.shop.connect() as cursor:
            cursor.executemany(f"REPLACE INTO things ({NAMES}) VALUES ({MARKS})", [astuple(r) for r in rows])
            yield
            cursor.execute("COMMIT")


@pytest.mark.mysql
class TestMariadb(SourceSuite):
    test_a_killed_load_loses_nothing_and_doubles_nothing = None  # after the rows are read it goes as with PostgreSQL

    @pytest.fixture
    def shelf(self, shop):
        return MariadbShelf(shop)
