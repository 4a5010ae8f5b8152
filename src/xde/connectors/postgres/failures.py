"""What PostgreSQL complains of, by its class of SQLSTATE (PostgreSQL, appendix A): yours to mend, or worth another try."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
from psycopg import errors

from xde.connectors.postgres.catalogue import name_of
from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding
from xde.ground.names import quoted
from xde.ground.secrets import scrubbed
from xde.lifecycle.sources.tables import CONNECTORX

if TYPE_CHECKING:
    from xde.ground.errors import XdeError
    from xde.lifecycle.sources.tables import Ask

_AGAIN = (
    errors.TooManyConnections,
    errors.CannotConnectNow,
    errors.AdminShutdown,
    errors.CrashShutdown,
    errors.IdleInTransactionSessionTimeout,
    errors.LockNotAvailable,
    errors.ObjectInUse,
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.OutOfMemory,
    errors.DiskFull,
    errors.InternalError_,
)
_LOGIN = (errors.InvalidPassword, errors.InvalidAuthorizationSpecification)


def label(ask: Ask) -> str:
    """The server as it is shown."""
    of = ask.place.settings
    return f"{of.get('host', 'localhost')}:{of.get('port', '5432')}/{of.get('database', '')}"


def not_connected(ask: Ask, error: psycopg.Error) -> XdeError:
    """Why there is no connection."""
    why = one_line(error)
    low = why.lower()
    if (
        isinstance(error, _LOGIN)
        or "password authentication failed" in low
        or "no password supplied" in low
        or "no pg_hba.conf entry" in low
    ):
        hint = "look at `xdeUser` and `xdePassword` of the server in the contract, and at what the reference stands for"
        return UserError(Finding("XDE0481", f"`{label(ask)}` refuses the login", ask.place.span, "refused", why, hint))
    if "does not exist" in low or "translate host name" in low or "not known" in low or "invalid" in low:
        hint = "look at `host`, `port` and `database` of the server in the contract; `xde doctor` goes the way step by step"
        return UserError(Finding("XDE0480", f"`{label(ask)}` cannot be reached", ask.place.span, "not there", why, hint))
    if "does not support ssl" in low or "certificate" in low:
        hint = "mend its TLS, have this machine trust who signed its certificate (`SSL_CERT_FILE`), or ask for less by `xdeSslMode`"
        return UserError(Finding("XDE0480", f"`{label(ask)}` is not reached by TLS as it should be", ask.place.span, "TLS", why, hint))
    return TemporaryError(f"`{label(ask)}` cannot be reached just now: {why}", retry_in=1.0)


def told(ask: Ask, error: psycopg.Error, *, broken: bool) -> XdeError:
    """Why a query failed; `broken` says that the connection is gone."""
    why = one_line(error)
    match error:
        case errors.QueryCanceled() if ask.limits.statement_timeout is not None and "timeout" in why:
            hint = "raise `statementTimeout` of `xdeLimits`, or give the cursor's columns an index"
            message = f"`{ask.relation}` was not read within {ask.limits.statement_timeout:g} seconds"
            return UserError(Finding("XDE0485", message, ask.span, "too slow", hint=hint))
        case errors.InsufficientPrivilege():
            return UserError(not_allowed(ask, why))
        case errors.UndefinedTable() | errors.UndefinedColumn() | errors.InvalidSchemaName() | errors.SyntaxError():
            hint = "mend `physicalName`, or `xdeQuery`, in the contract"
            return UserError(Finding("XDE0482", f"`{ask.relation}` of `{label(ask)}` cannot be read", ask.span, "not there", why, hint))
        case errors.InternalError_() if ask.capture is not None:
            # "could not map filenode": mostly it passes, for the log is decoded while it is written; a slot was seen on which it did not
            anew = f"if that stays so, `xde run --full {ask.dataset}` begins anew with another slot"
            return TemporaryError(f"`{label(ask)}` cannot decode its log just now: {why}; {anew}", retry_in=1.0)
        case _ if isinstance(error, (*_AGAIN, errors.QueryCanceled)) or broken or isinstance(error, psycopg.OperationalError):
            return TemporaryError(f"`{label(ask)}` broke off: {why}", retry_in=1.0)
        case _:
            hint = "the database refuses the query of this source: mend the contract, or its view"
            return UserError(Finding("XDE0482", f"`{ask.relation}` of `{label(ask)}` cannot be read", ask.span, "not read", why, hint))


def not_allowed(ask: Ask, why: str) -> Finding:
    """What right is missing, with the statement that gives it."""
    return Finding("XDE0487", f"`{ask.relation}` may not be read", ask.span, "no right", why, f"let its owner run: {grant(ask)}")


def grant(ask: Ask) -> str:
    """The least that lets our user read what the contract names."""
    user = quoted(ask.place.settings.get("user", "xde"))
    if ask.query is not None:
        return f"GRANT SELECT ON the tables of its query TO {user}"
    table = name_of(ask)
    columns = ", ".join(quoted(n) for n in needed(ask))
    return f"GRANT USAGE ON SCHEMA {table.partition('.')[0]} TO {user}; GRANT SELECT ({columns}) ON {table} TO {user}"


def needed(ask: Ask) -> list[str]:
    """The columns that a load reads: those of the contract, and what tells a row's writer and place, which are granted like any other."""
    own = ["xmin", "tableoid"] if ask.cursor is not None else []
    return [c.name for c in ask.columns] + own + (["ctid"] if ask.limits.connections > 1 or ask.reader == CONNECTORX else [])


def one_line(error: psycopg.Error) -> str:
    """The server's words without a secret in them."""
    scrubbed(error)
    return " ".join(str(error).split())[:300]
