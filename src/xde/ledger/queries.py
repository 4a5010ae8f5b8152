"""Reads `queries.sql`, where every query of the ledger has a name and a reason, and says it in a driver's words."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_HERE = Path(__file__).parent  # not importlib.resources, whose import alone costs ten times the reading
_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_COMMENT = re.compile(r"^\s*--.*$", re.MULTILINE)
_VALUE = re.compile(r"(?<!:):([a-z_]+)")


@cache
def queries() -> Mapping[str, str]:
    """The text of each query by its name, with values as `:name`, as sqlite3 takes them."""
    _, *parts = _NAME.split(_text("queries.sql"))
    return {name: _without_comments(body).rstrip(";") for name, body in zip(parts[::2], parts[1::2], strict=True)}


@cache
def pyformat_queries() -> Mapping[str, str]:
    """The same with values as `%(name)s`, as psycopg takes them."""
    return {name: _VALUE.sub(r"%(\1)s", text.replace("%", "%%")) for name, text in queries().items()}


def statements(script: str) -> list[str]:
    """The statements of one of our own scripts, which hold no `;` but at the end of a statement."""
    return [s for s in (part.strip() for part in _without_comments(_text(script)).split(";")) if s]


def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _without_comments(sql: str) -> str:
    return _COMMENT.sub("", sql).strip()
