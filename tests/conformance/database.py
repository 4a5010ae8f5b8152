"""A database of its own on the real PostgreSQL server, and a project that reads it; and what may befall a load on its way."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from projects.folder import Folder

from xde.app.workspace import Workspace
from xde.lifecycle.sources.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pytest
    from projects.postgres import PostgresServer


class Database(Folder):
    """Its tables are made by `sql`; those who read it log in with the password that `TILL_PASSWORD` stands for."""

    def __init__(self, server: PostgresServer, root: Path, name: str) -> None:
        super().__init__(root)
        self.server, self.name = server, name
        with self.elsewhere() as connection:
            connection.execute(f"CREATE DATABASE {name}")

    def address(self, name: str, user: str, port: int = 0) -> str:
        """The server of a contract."""
        own = f'{{property: xdeUser, value: {user}}}, {{property: xdePassword, value: "${{env:TILL_PASSWORD}}"}}'
        where = f"host: 127.0.0.1, port: {port or self.server.port}, database: {self.name}, schema: public"
        return f"{{server: {name}, type: postgres, {where}, customProperties: [{own}]}}"

    def role(self, words: str) -> None:
        """A user of the whole server, made by the first who wants it."""
        made = f"CREATE ROLE {words} PASSWORD 'readers password'"
        self.sql(f"DO $$ BEGIN {made}; EXCEPTION WHEN duplicate_object THEN NULL; END $$")

    def connect(self, **how) -> psycopg.Connection:
        return psycopg.connect(self.server.url(self.name), **how)

    def elsewhere(self) -> psycopg.Connection:
        """A connection to the server that is none of this database."""
        return psycopg.connect(self.server.url("postgres"), autocommit=True)

    def sql(self, *texts: str) -> None:
        with self.connect(autocommit=True) as connection:
            for text in texts:
                connection.execute(text)

    def asked(self, sql: str) -> list[tuple]:
        with self.connect(autocommit=True) as connection:
            return connection.execute(sql).fetchall()

    def run(self, **how):
        with Workspace.open(self.root) as workspace:
            finished = workspace.run(**how)
        return {o.step.dataset: o for o in finished.outcomes}

    def done(self, **how):
        """The outcomes of a run in which nothing failed."""
        outcomes = self.run(**how)
        assert all(o.status == "done" for o in outcomes.values()), outcomes
        return outcomes

    def codes(self, dataset: str = "shop.orders", **how) -> list[str]:
        """What is said of a dataset that fails."""
        outcome = self.run(**how)[dataset]
        assert outcome.status == "failed", outcome
        return [f.code for f in outcome.findings]

    def table(self, dataset: str, *columns: str) -> list[tuple]:
        """The rows of a table of the lake."""
        with Workspace.open(self.root) as workspace:
            found = workspace.show(f"shop.{dataset}", limit=None).read_all().to_pylist()
        return sorted((tuple(r[c] for c in columns or r) for r in found), key=str)


@contextmanager
def in_mid_load(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], after: int = 2) -> Iterator[None]:
    """Do something once, when so many looks at the limits have been taken in a read."""
    took, turns = Pace.took, iter(range(10**9))

    def watched(self: Pace, rows: int, size: int) -> None:
        if next(turns) == after:
            act()
        took(self, rows, size)

    with monkeypatch.context() as patched:
        patched.setattr(Pace, "took", watched)
        yield
