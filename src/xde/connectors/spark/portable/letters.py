"""Letters whose capital or small letter is another one in DuckDB than in Java: they are set aside while Spark turns the others."""

from __future__ import annotations

UPPER = ("", "", "")
LOWER = ("", "", "")
