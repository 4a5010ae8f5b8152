"""Databases that somebody names by an address, with no contract yet: which kind, where, which tables; a password is a reference."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.secrets import hide_password
from xde.kernel.project.secret_references import Reference, pieces
from xde.lifecycle.sources.tables import FILES, Place

if TYPE_CHECKING:
    from urllib.parse import SplitResult

KINDS = {
    "postgres": "postgres",
    "postgresql": "postgres",
    "mysql": "mysql",
    "mariadb": "mysql",
    "sqlite": "sqlite",
    "duckdb": "duckdb",
}
PORTS = {"postgres": "5432", "mysql": "3306"}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9]*(?:\+[A-Za-z0-9]+)?)://")
_HEADS = ((0, b"SQLite format 3\x00", "sqlite"), (8, b"DUCK", "duckdb"))
_MARK = 0xE000  # the first of Unicode's private characters: they stand for references while the address is taken apart
_OURS = frozenset({"table", "schema", "sslmode"})  # words of an address that are ours; others are the driver's


@dataclass(frozen=True, slots=True)
class Address:
    """A database, the tables of it that are meant (none: all), and what a contract of it would be called."""

    place: Place
    tables: tuple[str, ...]
    name: str

    @property
    def shown(self) -> str:
        """The database without anything secret."""
        return label(self.place)


def label(place: Place) -> str:
    """A database as it is shown: host, port and database, or the path of a file."""
    of = place.settings
    if place.kind in FILES:
        return of.get("database", "")
    if "url" in of:
        cut = urlsplit(of["url"])
        return f"{cut.hostname or ''}{f':{cut.port}' if cut.port else ''}{cut.path}" if cut.hostname else of["url"]
    return f"{of.get('host', 'localhost')}:{of.get('port', PORTS.get(place.kind, ''))}/{of.get('database', '')}"


def address_of(said: str, root: Path) -> Address | None:
    """The database that is meant, if it is one: an address, or a file of SQLite or DuckDB. Raises `UserError` for a bad address."""
    if "://" not in said:
        path = Path(said)
        kind = _kind_of(path) if path.is_file() else None
        return Address(Place(kind, {"database": _from(root, path)}), (), path.stem) if kind is not None else None
    scheme = _SCHEME.match(said)
    if scheme is None or (scheme[1].lower() not in KINDS and "+" not in scheme[1]):
        return None
    hide_password("".join(p for p in pieces(said) if isinstance(p, str)))
    cut = pieces(said)
    marked = "".join(p if isinstance(p, str) else chr(_MARK + n) for n, p in enumerate(cut))
    referred = {chr(_MARK + n): p for n, p in enumerate(cut) if isinstance(p, Reference)}
    try:
        parts = urlsplit(marked)
        port = parts.port
    except ValueError:
        hint = "write it like `postgres://reader@db.example.com:5432/shop?schema=public`"
        raise UserError(Finding("XDE0535", f"`{_shown(said)}` is no address of a database", hint=hint)) from None
    _not_in_the_open(said, parts, referred)
    given = dict(parse_qsl(parts.query))
    tables = tuple(v for n, v in parse_qsl(parts.query) if n == "table")
    kind = KINDS.get(scheme[1].lower(), "sqlalchemy")
    if kind in FILES:
        path = Path(unquote(f"{parts.netloc}{parts.path}").removeprefix("/"))
        settings = {"database": _from(root, path)} | ({"schema": given["schema"]} if "schema" in given else {})
        return Address(Place(kind, settings), tables, path.stem)
    settings = _settings(kind, parts, port, given)
    told = {n: _with(v, referred) for n, v in settings.items() if v}
    return Address(Place(kind, told), tables, unquote(parts.path.strip("/")).rpartition("/")[2] or kind)


def _settings(kind: str, parts: SplitResult, port: int | None, given: dict[str, str]) -> dict[str, str]:
    host = parts.netloc.rpartition("@")[2].partition(":")[0]
    own = {"user": unquote(parts.username or ""), "password": unquote(parts.password or ""), "schema": given.get("schema", "")}
    if kind == "sqlalchemy":
        rest = urlencode([(n, v) for n, v in parse_qsl(parts.query) if n not in _OURS])
        where = f"{host}:{port}" if port else host
        return {"url": f"{parts.scheme}://{where}{parts.path}{f'?{rest}' if rest else ''}", **own}
    own |= {"sslMode": given.get("sslmode", "")}
    schema = {"schema": own["schema"] or "public"} if kind == "postgres" else {}
    return {"host": host or "localhost", "port": str(port or PORTS[kind]), "database": unquote(parts.path.strip("/")), **own, **schema}


def _not_in_the_open(said: str, parts: SplitResult, referred: dict[str, Reference]) -> None:
    """A password in an address would be kept by the shell, be seen by whoever lists programs, and stand in the contract."""
    given = [parts.password or "", *(v for n, v in parse_qsl(parts.query) if "password" in n.lower())]
    if any(text and not set(text) <= referred.keys() for text in given):
        hint = "write a reference in its place, such as `${env:SHOP_PASSWORD}`, and the whole address in single quotes"
        why = "it would be kept by the shell, seen by whoever lists this machine's programs, and stand in the contract"
        raise UserError(Finding("XDE0530", f"the address `{_shown(said)}` has a password in the open", why=why, hint=hint))


def _shown(said: str) -> str:
    """An address without what may be secret in it."""
    head, _, rest = said.partition("://")
    return f"{head}://{rest.rpartition('@')[2].partition('?')[0]}"


def _with(text: str, referred: dict[str, Reference]) -> str:
    return "".join(str(referred.get(c, c)) for c in text)


def _kind_of(path: Path) -> str | None:
    """What a file's first bytes say."""
    with path.open("rb") as stream:
        head = stream.read(16)
    return next((kind for at, magic, kind in _HEADS if head[at : at + len(magic)] == magic), None)


def _from(root: Path, path: Path) -> str:
    """A path as a contract of the project writes it."""
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - a link stays a link
    return whole.relative_to(root).as_posix() if whole.is_relative_to(root) else whole.as_posix()
