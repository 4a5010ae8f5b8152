"""How the contract of a source begins, up to its objects; a test writes the objects that it is about."""

from __future__ import annotations

FILES = "{server: local, type: local, path: data, format: csv}"
SQLITE = "{server: till, type: custom, database: till.db, customProperties: [{property: xdeType, value: sqlite}]}"
DUCKDB = "{server: till, type: duckdb, database: till.db, schema: main}"


def head(name: str = "shop") -> str:
    """Up to its servers."""
    return f"apiVersion: v3.1.0\nkind: DataContract\nid: {name}\nversion: 1.0.0\nstatus: active\n"


def source(objects: str, server: str = FILES, name: str = "shop") -> str:
    """A contract of these objects, each an item of YAML's list with two spaces before its dash."""
    return f"{head(name)}servers:\n  - {server}\nschema:\n{objects}"
