"""A value that stands several times in what is written: given a name, so that long expressions do not grow with every step."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.ground.digests import bytes_digest

if TYPE_CHECKING:
    from collections.abc import Callable

SHORT = re.compile(r"(`[^`]*`\.)*`[^`]*`\Z|\w+\Z|CAST\('[^']*' AS \w+(\(\d+,\d+\))?\)\Z|(DATE|TIMESTAMP_NTZ) '[^']*'\Z")


def bound(sql: str, make: Callable[[str], str]) -> str:
    """What is made of a value, with the value written once; its name is made of what it is, and so is the same wherever that stands."""
    if SHORT.match(sql):
        return make(sql)
    name = f"xde_{bytes_digest(sql.encode())[:12]}"
    made = make(name)
    if "SELECT " in sql or "SELECT " in made:  # Spark takes no query within a lambda, nor in what it is given
        return make(sql)
    return f"TRANSFORM(ARRAY({sql}), {name} -> {made})[0]"
