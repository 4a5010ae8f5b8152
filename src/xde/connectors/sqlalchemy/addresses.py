"""The address of a database in SQLAlchemy's words, from the server of a contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.secrets import hide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.lifecycle.sources.tables import Ask


def address(ask: Ask, settings: Mapping[str, str]) -> URL:
    """The URL with its password. Raises `UserError` for one that is none, or that says the password itself."""
    if ask.place.kind == "mysql":
        port = settings.get("port", "3306")
        query = {"charset": "utf8mb4"}
        return URL.create(
            "mysql+pymysql",
            settings.get("user"),
            settings.get("password"),
            settings.get("host"),
            int(port) if port.isdecimal() else None,
            settings.get("database"),
            query,
        )
    try:
        url = make_url(settings.get("url", ""))
    except ArgumentError as error:
        hint = "write `xdeUrl` like `mssql+pyodbc://host/database`: https://docs.sqlalchemy.org/core/engines.html"
        raise UserError(Finding("XDE0480", "the server's `xdeUrl` is no address", ask.place.span, "not understood", hint=hint)) from error
    if url.password is not None:  # of a reference: one that stands in the contract itself is refused when that is read
        hide(str(url.password))
    return url.set(username=settings.get("user") or url.username, password=settings.get("password") or url.password)


def label(url: URL) -> str:
    """The server as it is shown, without its secrets."""
    place = f"{url.host}:{url.port}" if url.port else url.host or ""
    return f"{place}/{url.database or ''}" if place else str(url.database or url.drivername)
