"""Errors have a temper, and the temper decides what a machine does about them."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from xde.ground.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.ground.findings import Finding

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})  # what a disk says that has no room, for us or for this file


class XdeError(Exception):
    """The root of every error that we raise on purpose; its words are fit to be shown and kept."""

    def __init__(self, *words: object) -> None:
        super().__init__(*(redact(w) if isinstance(w, str) else w for w in words))


class UserError(XdeError):
    """Yours to mend: carries the findings that say what, where and how; never retried."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__("; ".join(f.message for f in findings))
        self.findings: Sequence[Finding] = findings


class DataError(UserError):
    """The data did not pass its contract; nothing was published."""


class TemporaryError(XdeError):
    """Worth a retry after `retry_in` seconds: a lock, a lost race, a source that is away."""

    def __init__(self, message: str, retry_in: float = 1.0) -> None:
        super().__init__(message)
        self.retry_in = retry_in


class Bug(XdeError):
    """Ours: a state that the code says cannot be."""
