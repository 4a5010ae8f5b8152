"""A whole table by ConnectorX, within the transaction that would read it by `COPY`: the same snapshot, the same settings, no other rows.

Our own transaction stays open for as long as that takes, with its lock on the table and the snapshot that it has exported; each
connection of ConnectorX takes that snapshot up, read-only, before anything else. How many rows there are is counted apart.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from xde.connectors.postgres.catalogue import relation
from xde.connectors.postgres.connectorx.carried import Asked
from xde.connectors.postgres.connectorx.job import NO_ROOM, Job
from xde.connectors.postgres.failures import label
from xde.ground.clock import SystemClock
from xde.ground.errors import DataError, TemporaryError, UserError
from xde.ground.findings import Finding
from xde.ground.names import literal
from xde.ground.processes import Child, Limits, memory_there
from xde.ground.records import dataclass
from xde.ground.secrets import redact
from xde.kernel.run.metering import meter
from xde.lifecycle.sources.tables import CONNECTORX, NULL, TYPED, Piece

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

    from xde.connectors.postgres.catalogue import Described
    from xde.ground.underway import Running
    from xde.lifecycle.sources.tables import Ask

CHILD = "xde.connectors.postgres.connectorx.child"
OLDEST = 140_000  # the first version that finds rows by their pages without reading all others
PART = 64 << 20  # bytes of a table that are asked for at once: what ConnectorX has read it holds until it is taken
QUIET = {"RUST_LOG": "off", "RUST_BACKTRACE": "0", "PYTHONUNBUFFERED": "1"}
AGAIN = ("terminating connection", "connection closed", "error connecting", "unexpected eof", "communicating with the server", "too many c")
INSTALL = "pip install 'xde[connectorx]'"


def installed() -> bool:
    """Whether ConnectorX is there."""
    return find_spec("connectorx") is not None


@dataclass(frozen=True, slots=True)
class ConnectorxReader:
    """Reads tables. `settings` are what is set for each connection, in SQL; `running` ends its processes for who is asked to stop."""

    settings: Mapping[str, str]
    running: Running

    def read(
        self, cursor: psycopg.Cursor[Any], ask: Ask, described: Described, where: str, folder: Path
    ) -> tuple[list[Piece], dict[str, object]]:
        """The rows of a transaction's snapshot, and what they cost."""
        _must_be_able(cursor, ask, described)
        now = SystemClock().monotonic
        began, asked = now(), Asked.of(ask, described)
        rows_of = f"FROM {relation(ask)}{f' WHERE {where}' if where else ''}"
        cursor.execute(f"SELECT count(*), count(*) FILTER (WHERE {asked.odd}) {rows_of}".encode())
        counted = cursor.fetchone()
        there, others = (int(counted[0]), int(counted[1])) if counted is not None else (0, 0)
        query = f"SELECT {asked.expressions(guarded=others > 0)} {rows_of}"
        connections = max(1, ask.limits.connections)
        parts = _parts(cursor, described, connections)
        job = Job(
            os.getpid(),
            _address(cursor),
            _before(cursor, self.settings),
            [f"{query} {'AND' if where else 'WHERE'} {p}" if p else query for p in parts],
            min(connections, len(parts)),
            [(c.name, c.kind) for c in asked.columns],
            NULL,
            *(str(folder / n) for n in ("rows.parquet", "odd.csv", "report.json")),
        )
        with self.running.working(None, lambda: _begun(folder)) as child:
            child.tell(job.told())
            ended = child.wait(Limits(memory_there()), now)
        if (metered := meter()) and ended.most:
            metered.queried(memory=ended.most)
        report = _report(Path(job.report))
        if ended.why or report.get("kind") != "done":
            raise _failed(cursor, ask, report, ended.why, ended.code)
        rows, odd = int(report["rows"]), int(report["odd"])
        if (there, others) != (rows + odd, odd):
            raise _not_all(ask, there, rows + odd)
        pieces = [Piece(Path(job.rows), rows, format=TYPED)] if rows or not odd else []
        pieces += [Piece(Path(job.odd), odd, parts=((1, ask.relation),))] if odd else []
        cost = {"rows": there, "bytes": int(report["bytes"]), "seconds": round(now() - began, 3), "connections": job.connections + 1}
        return pieces, {**cost, "reader": CONNECTORX}


def _must_be_able(cursor: psycopg.Cursor[Any], ask: Ask, described: Described) -> None:
    """Refuse what this reader would read otherwise than the other, or without its bounds."""
    if not installed():
        why = "its contract asks for it (`xdeReader: connectorx`)"
        raise UserError(Finding("XDE0548", f"`{ask.dataset}` is read by ConnectorX, which is not installed", ask.span, "", why, INSTALL))
    hint = "take `xdeReader` away"
    if not described.stored:
        why = "what it is made of cannot be read in parts, and ConnectorX would hold all of it in memory"
        raise UserError(Finding("XDE0547", f"`{ask.relation}` is no table, and is not read by ConnectorX", ask.span, "no table", why, hint))
    cursor.execute("SELECT current_setting('server_version_num')::int, current_setting('server_encoding')")
    row = cursor.fetchone()
    version, encoding = (int(row[0]), str(row[1])) if row is not None else (0, "")
    if version < OLDEST:
        why = f"a server of version {version // 10_000} reads all of a table to find a part of it"
        raise UserError(Finding("XDE0547", f"`{label(ask)}` is too old to be read by ConnectorX", ask.span, "in parts", why, hint))
    if encoding == "SQL_ASCII":
        why = "nobody has seen to it that its texts are UTF-8, and ConnectorX ends at the first that is not"
        raise UserError(Finding("XDE0547", f"the texts of `{label(ask)}` are in no encoding", ask.span, "SQL_ASCII", why, hint))


def _parts(cursor: psycopg.Cursor[Any], described: Described, connections: int) -> list[str]:
    """Conditions that part a table by its pages, so that each part is of some size; the last has no end, for the table may have grown."""
    leaves = ", ".join(described.files or {})
    cursor.execute(
        "SELECT max(pg_relation_size(p) / current_setting('block_size')::int), sum(pg_table_size(p)) "
        f"FROM unnest(ARRAY[{leaves}]::oid[]) AS t (p)".encode()
    )
    row = cursor.fetchone()
    pages, size = (int(row[0] or 0), int(row[1] or 0)) if row is not None else (0, 0)
    count = max(-(-size // PART), connections if size > PART // 8 else 1, 1)
    bounds = sorted({pages * n // count for n in range(count)})
    if len(bounds) == 1:
        return [""]
    ends = [f" AND ctid < '({b},0)'::tid" for b in bounds[1:]] + [""]
    return [f"ctid >= '({b},0)'::tid{end}" for b, end in zip(bounds, ends, strict=True)]


def _before(cursor: psycopg.Cursor[Any], settings: Mapping[str, str]) -> list[str]:
    """What a connection of ConnectorX does first. It does it twice, and so begins anew each time."""
    cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")  # it waits for the others with its snapshot
    cursor.execute("SELECT pg_export_snapshot()")
    row = cursor.fetchone()
    begin = [
        "ROLLBACK",
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        f"SET TRANSACTION SNAPSHOT {literal(str(row[0] if row else ''))}",
    ]
    return [*begin, *(f"SET LOCAL {name} = {value}" for name, value in settings.items())]


def _address(cursor: psycopg.Cursor[Any]) -> str:
    """That of our own connection, with what it was opened with; encrypted if that is."""
    of = cursor.connection.info
    host = f"[{of.host}]" if ":" in of.host else quote(of.host, safe="")
    login = f"{quote(of.user, safe='')}:{quote(of.password, safe='')}" if of.password else quote(of.user, safe="")
    how = urlencode({"sslmode": "require" if cursor.connection.pgconn.ssl_in_use else "disable", "application_name": "xde"})
    return f"postgresql://{login}@{host}:{of.port}/{quote(of.dbname, safe='')}?{how}"


def _begun(folder: Path) -> Child:
    path = os.pathsep.join(p for p in sys.path if p)
    return Child([sys.executable, "-P", "-m", CHILD], folder, {**os.environ, "PYTHONPATH": path, **QUIET})


def _report(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _failed(cursor: psycopg.Cursor[Any], ask: Ask, report: Mapping[str, Any], ended: str, code: int) -> BaseException:
    """Why there are no rows. Where the server is gone, our own connection tells it better."""
    if ended == "cancelled":
        return KeyboardInterrupt()
    if report.get("kind") == "disk" or code == NO_ROOM:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    cursor.execute("SELECT 1")
    why = redact(" ".join(str(report.get("why", "")).split()))[:500]
    low = why.lower()
    if "statement timeout" in low and ask.limits.statement_timeout is not None:
        hint = "raise `statementTimeout` of `xdeLimits`"
        message = f"`{ask.relation}` was not read within {ask.limits.statement_timeout:g} seconds"
        return UserError(Finding("XDE0485", message, ask.span, "too slow", hint=hint))
    if any(words in low for words in AGAIN):
        return TemporaryError(f"`{label(ask)}` broke off: {why}", retry_in=1.0)
    ends = {"memory": "it used more than half of this machine's memory", "output": "it wrote too much"}
    why = why or ends.get(ended) or f"its process ended with {code}"
    hint = "take `xdeReader` away: what `COPY` reads it may read all the same"
    return UserError(Finding("XDE0549", f"ConnectorX could not read `{ask.relation}` of `{label(ask)}`", ask.span, "not read", why, hint))


def _not_all(ask: Ask, wrote: int, found: int) -> DataError:
    why = f"the source says that it has {wrote:,} rows, and {found:,} arrived"
    return DataError(Finding("XDE0421", f"`{ask.dataset}`: the rows of `{ask.relation}` do not add up", ask.span, "", why, "load it again"))
