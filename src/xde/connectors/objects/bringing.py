"""What every store of objects does alike: keep to a pattern, bring a copy that is whole, tell of one that has changed."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from xde.ground.digests import digest
from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding
from xde.lifecycle.sources.patterns import matcher, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from xde.ground.spans import Span
    from xde.lifecycle.sources.port import FoundFile

PIECE = 1 << 20  # bytes that are brought at a time


def wanted(pattern: str, span: Span | None) -> Callable[[str], bool]:
    """Whether a path is of the pattern, and neither hidden nor half delivered. Raises `UserError` for what is no pattern."""
    try:
        matches = matcher(pattern).match
    except ValueError as error:
        hint = "write it relative to the server's `location`, such as `flights-*.csv`"
        told = f"`{pattern}` is not a pattern of files"
        raise UserError(Finding("XDE0442", told, span, why=str(error), hint=hint)) from error
    return lambda path: matches(path) is not None and whole(PurePosixPath(path))


def brought(file: FoundFile, pieces: Iterable[bytes], folder: Path) -> FoundFile:
    """A copy in the folder, by a name of its own and the endings of the file's."""
    target = folder / f"{uuid.uuid4().hex}{''.join(PurePosixPath(file.path).suffixes[-2:])}"
    size = 0
    with target.open("wb") as out:
        for piece in pieces:
            size += out.write(piece)
    if size != file.size:
        raise TemporaryError(f"`{file.path}` broke off after {size:,} of {file.size:,} bytes", retry_in=1.0)
    return replace(file, location=str(target))


def changed(file: FoundFile) -> TemporaryError:
    """What is told of a file that is not what the plan saw."""
    return TemporaryError(f"`{file.path}` was changed while it was to be loaded: plan again")


def moment(seconds: float, told: str) -> int:
    """The time of a change in nanoseconds. Stores tell whole seconds, in which a file may change twice: what is below is of its tag."""
    return int(seconds) * 1_000_000_000 + int(digest(told)[:7], 16) % 1_000_000_000
