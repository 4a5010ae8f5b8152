"""Brings a database to the tables that this release knows: numbered steps, each in one transaction with its own number."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.ground.records import dataclass
from xde.ledger import findings
from xde.ledger.queries import statements

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xde.ledger.store import Store, Transaction

OURS = "xde_migration"


@dataclass(frozen=True, slots=True)
class Migration:
    """One step from a set of tables to the next; a released one is never changed."""

    number: int
    name: str
    statements: Callable[[], list[str]]


def _from_script(number: int, name: str) -> Migration:
    return Migration(number, name, partial(statements, f"migrations/{number:04d}_{name}.sql"))


MIGRATIONS = (_from_script(1, "tables"), _from_script(2, "deployments"), _from_script(3, "costs"))


def migrate(store: Store, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Carry out the migrations that are missing; a database that knows more than we do is a finding.

    Each is done whole or not at all: a crash between two of them leaves the database at the first.
    """
    newest = migrations[-1].number
    done = store.read(partial(_done, store=store))
    if done > newest:
        raise UserError(findings.too_new(store.label, done, newest))
    for migration in migrations:
        if migration.number > done:
            store.write(partial(_carry_out, store=store, migration=migration))


def _done(transaction: Transaction, store: Store) -> int:
    """The number of the last migration that was done; 0 for a new database."""
    tables = [row[0] for row in transaction.select(f"tables_{store.dialect}")]
    if OURS in tables:
        return max((row[0] for row in transaction.select("migrations")), default=0)
    if tables:
        raise UserError(findings.of_others(store.label, tables[0]))
    return 0


def _carry_out(transaction: Transaction, store: Store, migration: Migration) -> None:
    transaction.select(f"lock_migrations_{store.dialect}")
    transaction.change("create_migrations")
    if any(row[0] >= migration.number for row in transaction.select("migrations")):
        return  # another process was faster
    for statement in migration.statements():
        transaction.define(statement)
    transaction.change("add_migration", number=migration.number, name=migration.name)
