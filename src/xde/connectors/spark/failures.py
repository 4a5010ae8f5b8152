"""Errors of Spark in our tempers, with its own words kept."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.connectors.spark.session import Sparked

AGAIN = ("ExecutorLostFailure", "FetchFailed", "Connection refused", "Connection reset", "worker lost", "UNAVAILABLE", "failed to connect")
OURS = re.compile(r"xde: [^\n]*")
NOISE = re.compile(r"\s*(?:JVM stacktrace|Driver stacktrace|at (?:org|java|scala)\.|== SQL).*", re.DOTALL)


@contextmanager
def translated(session: Sparked) -> Iterator[None]:
    """Everything that Spark raises within, as one of our own errors."""
    from py4j.protocol import Py4JError
    from pyspark.errors import AnalysisException, PySparkException

    try:
        yield
    except AnalysisException as error:
        raise UserError(
            Finding(
                "XDE0830",
                "Spark does not accept the query that was written for it",
                why=_words(error),
                hint="run this model on DuckDB, with `engine: duckdb`, and tell us of it",
            )
        ) from error
    except (PySparkException, Py4JError) as error:
        raise _tempered(session, error) from error


def _tempered(session: Sparked, error: Exception) -> BaseException:
    words = str(error)
    if session.cancelled:
        return KeyboardInterrupt()
    if "No space left" in words:
        hint = "free some space where Spark's workers keep their files"
        return UserError(Finding("XDE0803", "the disk is full", why=_words(error), hint=hint))
    if any(sign in words for sign in AGAIN):
        return TemporaryError(_words(error))
    ours = OURS.search(words)
    if ours:
        why = ours.group()[5:].split("\n")[0].rstrip("'\"")[:300]
        hint = "mend or leave out such values before, or run this model on DuckDB"
        return UserError(Finding("XDE0831", "a value of the data is not read alike by DuckDB and Spark", why=why, hint=hint))
    hint = "run the model's SQL by itself to see the value that breaks it, or use `TRY_CAST` where a cast can fail"
    return UserError(Finding("XDE0804", "the query failed in the engine", why=_words(error), hint=hint))


def _words(error: Exception) -> str:
    return " ".join(NOISE.sub("", str(error)).split())[:500]
