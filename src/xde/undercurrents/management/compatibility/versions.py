"""Semantic versions of contracts: read, put in order, and the bump from one to the next (semver.org, 2.0.0)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from xde.undercurrents.management.compatibility.kinds import Bump

_NUMBER = r"(0|[1-9]\d*)"
_IDENTIFIER = r"(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)"
_VERSION = re.compile(
    rf"v?{_NUMBER}(?:\.{_NUMBER}(?:\.{_NUMBER}(?:-({_IDENTIFIER}(?:\.{_IDENTIFIER})*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?)?)?\Z"
)


@dataclass(frozen=True)
class Version:
    """`1`, `1.2` and a `v` before it are read, too: contracts are versioned by people."""

    major: int
    minor: int = 0
    patch: int = 0
    prerelease: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> Version | None:
        """A version, or None for a text that is none."""
        found = _VERSION.match(text.strip())
        if found is None:
            return None
        prerelease = tuple(found[4].split(".")) if found[4] else ()
        return cls(int(found[1]), int(found[2] or 0), int(found[3] or 0), prerelease)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}" + (f"-{'.'.join(self.prerelease)}" if self.prerelease else "")

    @property
    def precedence(self) -> tuple[object, ...]:
        """A key that sorts as in item 11: numbers before texts, fewer before more, a pre-release before its release."""
        parts = tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in self.prerelease)
        return (self.major, self.minor, self.patch, not self.prerelease, parts)

    def bumped(self, bump: Bump) -> Version:
        """The next version of a bump; of 0.y.z, a minor one stands for a major one."""
        match bump:
            case Bump.MAJOR if self.major:
                return Version(self.major + 1)
            case Bump.MAJOR:
                return Version(0, self.minor + 1)
            case Bump.MINOR if self.major:
                return Version(self.major, self.minor + 1)
            case Bump.NONE:
                return self
            case _:
                return Version(self.major, self.minor, self.patch + 1)


def bump_between(old: Version, new: Version) -> Bump:
    """The bump that a newer version declares.

    While the major version is 0 anything may change (item 4); as is the custom (Cargo, npm), its minor part then counts as the major one.
    After a pre-release, which is not stable either (item 9), every newer version will do.
    """
    if new.precedence <= old.precedence:
        return Bump.NONE
    if old.prerelease or new.major > old.major:
        return Bump.MAJOR
    if new.minor > old.minor:
        return Bump.MINOR if old.major else Bump.MAJOR
    return Bump.PATCH if old.major else Bump.MINOR
