"""Ledgers of every kind, made fresh, and the moments of the tests."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from xde.ledger.open import open_ledger

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from xde.kernel.plan.ledger import Ledger

NOON = "2026-01-01T12:00:00+00:00"
LATER = "2026-01-01T12:00:20+00:00"
MUCH_LATER = "2026-01-01T12:01:00+00:00"
NUMBERS = itertools.count(1)


def fresh_url(kind: str, request: pytest.FixtureRequest) -> str:
    if kind == "sqlite":
        return "sqlite:.xde/ledger.sqlite"
    import psycopg

    server = request.getfixturevalue("postgres_server")
    name = f"ledger_{next(NUMBERS)}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return str(server.url(name))


class Opener:
    """Opens the same ledger again and again, in any process."""

    def __init__(self, url: str, root: Path) -> None:
        self.url, self.root = url, root

    def __call__(self) -> Ledger:
        return open_ledger(self.url, self.root)
