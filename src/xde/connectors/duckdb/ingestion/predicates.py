"""Rules of single records in SQL that costs little beside a reader: a list of values is gone through, not joined with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.connectors.duckdb.ingestion.casts import INTEGERS, TEXTS
from xde.ground.names import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.kernel.plan.checks import Check
    from xde.lifecycle.ingestion.port import Field

VALUE = r"'(?:[^']|'')*'|-?[0-9]{1,18}"
AMONG = re.compile(rf'("(?:[^"]|"")+") IN \(((?:{VALUE})(?:, (?:{VALUE}))*)\)')
MOST = 32  # values that are gone through sooner than they are looked up


def predicate(check: Check, fields: Sequence[Field]) -> str:
    """SQL that is false where a check's predicate is, and else not.

    Of an `IN` with five values or more the engine makes a join, and then plans another writer than the one that it has for rows in order
    (`Copy To File`, not `Batch Copy To File`).
    """
    found = AMONG.fullmatch(check.predicate)
    if found is None:
        return check.predicate
    column, listed = found.groups()
    values = re.findall(VALUE, listed)
    kinds = TEXTS if values[0].startswith("'") else INTEGERS
    alike = all(v.startswith("'") == values[0].startswith("'") for v in values)
    if not alike or len(values) > MOST or not any(quoted(f.name) == column and f.type.strip().upper() in kinds for f in fields):
        return check.predicate
    return f"CASE {column} {' '.join(f'WHEN {v} THEN true' for v in values)} ELSE {column} IS NULL END"
