"""What a driver complains of, by its own numbers where they are known: yours to mend, or worth another try."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError, InterfaceError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from xde.connectors.sqlalchemy.addresses import label
from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding
from xde.ground.secrets import scrubbed

if TYPE_CHECKING:
    from sqlalchemy.engine import URL
    from sqlalchemy.exc import SQLAlchemyError

    from xde.ground.errors import XdeError
    from xde.lifecycle.sources.tables import Ask

# https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html and https://mariadb.com/kb/en/mariadb-error-code-reference/
_LOGIN = {1044, 1045, 1698, 4151}
_AWAY = {1040, 1053, 1077, 1152, 1158, 1159, 1160, 1161, 1205, 1213, 2002, 2003, 2006, 2013, 2055}
_NOT_THERE = {1049, 2005}
_TOO_LONG = {1317, 1969, 3024}
_MAY_NOT = {1142, 1143, 1227, 1370}


def told(ask: Ask, url: URL, error: SQLAlchemyError) -> XdeError:
    """An error of SQLAlchemy in ours."""
    orig = error.orig if isinstance(error, DBAPIError) else None
    number = orig.args[0] if orig is not None and orig.args and isinstance(orig.args[0], int) else None
    scrubbed(error)
    why = " ".join(str(orig if orig is not None else error).split())[:300]
    place, at = label(url), ask.place.span
    if isinstance(error, NoSuchModuleError):
        hint = "install the package of the dialect: https://docs.sqlalchemy.org/dialects/"
        return UserError(Finding("XDE0480", f"SQLAlchemy knows no dialect `{url.drivername}` here", at, "not known", why, hint))
    if number in _LOGIN:
        hint = "look at `xdeUser` and `xdePassword` of the server in the contract, and at what the reference stands for"
        return UserError(Finding("XDE0481", f"`{place}` refuses the login", at, "refused", why, hint))
    if "CERTIFICATE_VERIFY_FAILED" in why:
        hint = "let this machine trust the authority that signed it (`SSL_CERT_FILE`), or ask for less by `xdeSslMode: require`"
        return UserError(Finding("XDE0480", f"nobody vouches for the certificate of `{place}`", at, "not trusted", why, hint))
    if number in _NOT_THERE or (number in {2002, 2003} and "name" in why.lower()):
        hint = "look at `host`, `port` and `database` of the server in the contract; `xde doctor` goes the way step by step"
        return UserError(Finding("XDE0480", f"`{place}` cannot be reached", at, "not there", why, hint))
    if number in _TOO_LONG and ask.limits.statement_timeout is not None:
        hint = "raise `statementTimeout` of `xdeLimits`, or give the cursor's columns an index"
        return UserError(
            Finding(
                "XDE0485", f"`{ask.relation}` was not read within {ask.limits.statement_timeout:g} seconds", ask.span, "too slow", hint=hint
            )
        )
    if number in _AWAY or _is_gone(error):
        return TemporaryError(f"`{place}` cannot be read just now: {why}", retry_in=1.0)
    if number in _MAY_NOT:
        user = url.username or "the user"
        hint = f"let an administrator run: GRANT SELECT ON {ask.relation} TO {user}"
        return UserError(Finding("XDE0487", f"`{ask.relation}` may not be read", ask.span, "no right", why, hint))
    hint = "mend `physicalName`, or `xdeQuery`, in the contract"
    return UserError(Finding("XDE0482", f"`{ask.relation}` of `{place}` cannot be read", ask.span, "not read", why, hint))


def _is_gone(error: SQLAlchemyError) -> bool:
    """Whether the connection broke: drivers without numbers say so by the kind of their error."""
    return isinstance(error, (PoolTimeout, InterfaceError)) or (isinstance(error, OperationalError) and error.connection_invalidated)
