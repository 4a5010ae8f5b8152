"""From the address in `xde.yaml` to an open ledger with the tables of this release."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.ledger import findings
from xde.ledger.migrate import migrate
from xde.ledger.relational import RelationalLedger

if TYPE_CHECKING:
    from pathlib import Path

    from xde.kernel.plan.ledger import Ledger
    from xde.ledger.sqlite import SqliteStore
    from xde.ledger.store import Store


def open_ledger(url: str, root: Path) -> Ledger:
    """Open a ledger, making it if it is not there; `sqlite:path` is relative to `root`.

    What is wrong with the address or the place is a `UserError`; a place that is held for long a `TemporaryError`.
    """
    store = _store(url, root)
    try:
        migrate(store)
    except BaseException:
        store.close()
        raise
    return RelationalLedger(store)


def set_broken_aside(url: str, root: Path) -> Path | None:
    """Move a ledger out of the way whose file cannot be read whole; gives where it lies now, or None where nothing is wrong with it.

    Raises as `open_ledger` does, and for a broken ledger that is no file of ours to move.
    """
    scheme, _, path = url.partition(":")
    if scheme != "sqlite":
        return None
    try:
        store = _sqlite(url, path, root)
        with closing(store):
            migrate(store)
            store.examine()
    except UserError as error:
        if not {f.code for f in error.findings} <= findings.BROKEN:
            raise
    else:
        return None
    from xde.ledger.sqlite import set_aside

    return set_aside(root / path)


def _store(url: str, root: Path) -> Store:
    scheme, _, rest = url.partition(":")
    match scheme:
        case "sqlite":
            return _sqlite(url, rest, root)
        case "postgresql" | "postgres":
            return _postgres(url)
        case _:
            raise UserError(findings.wrong_url(_without_user(url), scheme))


def _sqlite(url: str, path: str, root: Path) -> SqliteStore:
    from xde.ledger.sqlite import SqliteStore

    if not path.strip() or path.startswith((":", "//")) or path.endswith("/") or "\0" in path:
        raise UserError(findings.no_path(url))
    return SqliteStore(root / path, path)


def _postgres(url: str) -> Store:
    try:
        from xde.ledger.postgres import PostgresStore
    except ModuleNotFoundError as error:
        if error.name != "psycopg":
            raise
        raise UserError(findings.driver_missing()) from error
    return PostgresStore(url)


def _without_user(url: str) -> str:
    """An address of no kind that we know, less what may be a password."""
    scheme, slashes, rest = url.partition("://")
    return f"{scheme}{slashes}{rest.rpartition('@')[2]}"
