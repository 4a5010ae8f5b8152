"""The keys that values are hashed with as they are read: looked up for each load, told from others by fingerprints, kept nowhere."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from xde.ground.errors import Bug, UserError
from xde.ground.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.lifecycle.ingestion.declare import Reading
    from xde.lifecycle.ingestion.from_tables import Tables
    from xde.lifecycle.ingestion.port import Field

SHORTEST = 16  # bytes: what is shorter can be guessed like a password


def keys_of(reading: Reading, tables: Tables | None, known: Mapping[str, object]) -> dict[str, bytes]:
    """The keys of a reading by their references. `known` is what the table's commits say: another key than theirs is refused.

    Raises `UserError`.
    """
    return keys_for(reading.dataset, reading.fields, tables, known)


def keys_for(dataset: str, fields: Sequence[Field], tables: Tables | None, known: Mapping[str, object]) -> dict[str, bytes]:
    """The keys of some fields by their references; see `keys_of`."""
    wanted = {f.name: f.treatment.key for f in fields if f.treatment is not None and f.treatment.key}
    if not wanted:
        return {}
    if tables is None or tables.secret is None:
        raise Bug("nobody can look secrets up here")
    keys = {reference: tables.secret(reference).encode() for reference in dict.fromkeys(wanted.values())}
    for reference, key in keys.items():
        if len(key) < SHORTEST:
            why = "whoever has the rows could try keys until the hash of a value that he knows comes out"
            hint = "make one: `python -c 'import secrets; print(secrets.token_hex(32))'`"
            raise UserError(Finding("XDE0336", f"the key `{reference}` has fewer than {SHORTEST} bytes", why=why, hint=hint))
    before = known.get("hashed_with")
    for name, reference in wanted.items():
        was = before.get(name) if isinstance(before, dict) else None
        if was is not None and was != fingerprint(keys[reference]):
            raise UserError(_another(dataset, name, reference))
    return keys


def fingerprint(key: bytes) -> str:
    """What tells a key from others and does not tell the key."""
    return hmac.digest(key, b"xde: the fingerprint of a key", "sha256").hex()[:16]


def fingerprints(fields: Sequence[Field], keys: Mapping[str, bytes]) -> dict[str, str]:
    """What tells the key of each hashed column."""
    return {f.name: fingerprint(keys[f.treatment.key]) for f in fields if f.treatment is not None and f.treatment.key}


def hashed_with(reading: Reading, keys: Mapping[str, bytes]) -> dict[str, object]:
    """What a commit says of the keys."""
    found = fingerprints(reading.fields, keys)
    return {"hashed_with": found} if found else {}


def _another(dataset: str, column: str, reference: str) -> Finding:
    why = "a value would have another hash than in the rows that are there, and nothing would join with them"
    hint = f"give `{reference}` its former value, or hash all anew: `xde run --full {dataset}`"
    return Finding("XDE0337", f"`{column}` of `{dataset}` was hashed with another key so far", why=why, hint=hint)
