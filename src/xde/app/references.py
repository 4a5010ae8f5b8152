"""What a user names when he names rows: `prod:marts.x@12`, a dataset of an environment at a moment; or a file of his own."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from xde.ground.errors import UserError
from xde.ground.findings import Finding

FILES = frozenset({".parquet", ".csv", ".tsv", ".json", ".ndjson", ".jsonl"})
_PACKED = frozenset({".gz", ".zst"})
_REFERENCE = re.compile(r"(?:(?P<environment>[^\s:@/]+):)?(?P<dataset>[A-Za-z_]\w*\.[A-Za-z_]\w*)(?:@(?P<point>.*))?\Z")
_NUMBER = re.compile(r"-?\d{1,9}\Z")
_VERSION = re.compile(r"(?P<version>[0-9a-f]{4,16})(?:@(?P<number>-?\d{1,9}))?\Z")


@dataclass(frozen=True, slots=True)
class Point:
    """Where in a dataset's history: nothing is now; `number` is a commit, or below zero so many before; `moment` is a time in UTC."""

    number: int | None = None
    moment: datetime | None = None
    version: str | None = None

    @property
    def is_now(self) -> bool:
        """Whether it is the newest that the environment shows."""
        return self == NOW


NOW = Point()


@dataclass(frozen=True, slots=True)
class Reference:
    """A dataset of an environment (None: the one that is worked in) at a point of its history; or a file."""

    dataset: str = ""
    environment: str | None = None
    point: Point = NOW
    file: str = ""


def read_reference(text: str) -> Reference:
    """Read what a user wrote. Raises `UserError`."""
    if is_file(text):
        return Reference(file=text)
    found = _REFERENCE.match(text)
    if found is None:
        raise UserError(
            Finding(
                "XDE0920",
                f"`{text}` names no rows",
                why="a dataset is `schema.name`, before it may stand `environment:`, after it `@` and a commit, a time or a version",
                hint="write it like `marts.x`, `prod:marts.x`, `marts.x@3` or `marts.x@2026-01-31`, or name a file of .csv or .parquet",
            )
        )
    point = NOW if found["point"] is None else read_point(found["point"])
    return Reference(found["dataset"], found["environment"], point)


def is_file(text: str) -> bool:
    """Whether a text names a file and not a dataset: by its ending, or by a slash."""
    path = Path(text)
    ending = path.suffixes[-2] if len(path.suffixes) > 1 and path.suffix.casefold() in _PACKED else path.suffix
    return "/" in text or (ending.casefold() in FILES and ":" not in text and "@" not in text)


def read_point(text: str) -> Point:
    """Read `3`, `-1`, a time by ISO 8601, a version or its first digits, or `VERSION@3`. Raises `UserError`."""
    if _NUMBER.match(text):
        return Point(number=int(text))
    version = _VERSION.match(text)
    if version:
        return Point(version=version["version"], number=None if version["number"] is None else int(version["number"]))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(
            Finding(
                "XDE0920",
                f"`{text}` is no commit, time or version",
                hint="write a number of `xde history`, `-1` for the one before, a time like `2026-01-31T12:00`, or a version",
            )
        ) from None
    return Point(moment=moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC))


def at(reference: Reference, environment: str | None, point: str | None) -> Reference:
    """The reference with what an option says of it. Raises `UserError` for what both say."""
    twice = [
        o for o, given in (("environment", environment and reference.environment), ("point", point and not reference.point.is_now)) if given
    ]
    if twice or (reference.file and (environment or point)):
        why = f"`{reference.file}` is a file" if reference.file else f"its {twice[0]} stands in the reference already"
        raise UserError(Finding("XDE0920", "an option does not go with the reference", why=why, hint="say it once"))
    return replace(
        reference,
        environment=environment or reference.environment,
        point=read_point(point) if point is not None else reference.point,
    )
