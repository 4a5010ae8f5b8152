"""Looks for planted secrets in everything that was written, by forms of its own making, not those of the code that hides them."""

from __future__ import annotations

import base64
import gzip
import json
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IN_ENVIRONMENT = 'c4nary@env/ "Ü" \\n %41+&<x>\'; over'
IN_FILE = "kanarienvogel:file?#[2] 'ß' $HOME|=="


def forms(secret: str) -> dict[str, bytes]:
    octets = secret.encode()
    found = {
        "plain": octets,
        "JSON": json.dumps(secret)[1:-1].encode(),
        "JSON in UTF-8": json.dumps(secret, ensure_ascii=False)[1:-1].encode(),
        "repr": repr(secret)[1:-1].encode(),
        "URL": quote(secret, safe="").encode(),
        "path of a URL": quote(secret).encode(),
        "form": quote_plus(secret).encode(),
        "URL in lower case": re.sub("%..", lambda m: m.group().lower(), quote(secret, safe="")).encode(),
        "connection string": octets.replace(b"\\", b"\\\\").replace(b"'", b"\\'"),
        "hexadecimal": octets.hex().encode(),
        "UTF-16": secret.encode("utf-16-le"),
    }
    for before in range(3):
        # the digits that no neighbour has a share in
        digits = base64.b64encode(b"x" * before + octets)[-(-before * 4 // 3) : (before + len(octets)) * 8 // 6]
        found[f"base64 after {before}"] = digits
        found[f"base64 for URLs after {before}"] = digits.replace(b"+", b"-").replace(b"/", b"_")
    # the first words of it: what was cut in the middle is found as well
    return found | {"beginning": octets[:14], "beginning of JSON": json.dumps(secret)[1:14].encode()}


def leaks(what: str, content: bytes, secrets: tuple[str, ...]) -> list[str]:
    """Where a secret stands in some bytes, and in which form."""
    return [
        f"{what}: {form} of secret {n}" for n, secret in enumerate(secrets) for form, octets in forms(secret).items() if octets in content
    ]


def leaks_below(folders: list[Path], secrets: tuple[str, ...], besides: tuple[Path, ...] = ()) -> list[str]:
    """Every leak in the names and the bytes of files, and in what compressed or encoded files hold."""
    found = []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path in besides:
                continue
            found += leaks(f"name of {path}", str(path).encode(), secrets)
            if path.is_file():
                for what, content in readings(path):
                    found += leaks(f"{path} {what}", content, secrets)
    return found


def readings(path: Path) -> Iterator[tuple[str, bytes]]:
    """A file as it stands, and as those who understand it read it."""
    content = path.read_bytes()
    yield "as it is", content
    if content.startswith(b"PAR1"):
        table = pq.read_table(path)
        yield "read as Parquet", repr(table.to_pylist()).encode() + repr(table.schema).encode()
    elif content.startswith(b"SQLite format 3\0"):
        yield "dumped", dump_sqlite(path)
    elif content.startswith(b"\x1f\x8b"):
        yield "uncompressed", gzip.decompress(content)
    elif path.suffix == ".json":
        for text in texts_of(content):
            yield "within JSON", text.encode("utf-8", "replace")
            try:
                yield "decoded from base64", base64.b64decode(text, validate=True)
            except ValueError:
                continue


def texts_of(content: bytes) -> Iterator[str]:
    """Every text in lines of JSON, those within texts of JSON as well."""
    todo: list[object] = []
    for piece in (content, *content.splitlines()):
        try:
            todo.append(json.loads(piece))
        except ValueError:
            continue
    while todo:
        one = todo.pop()
        if isinstance(one, dict):
            todo += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            todo += one
        elif isinstance(one, str):
            yield one
            if one.startswith("{"):
                todo += [json.loads(one)] if _is_json(one) else []


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def dump_sqlite(path: Path) -> bytes:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return "\n".join(connection.iterdump()).encode()
