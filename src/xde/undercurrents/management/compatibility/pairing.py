"""Which part of the new version is which of the old: by `id`, else by name; and who looks like a renamed one."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

T = TypeVar("T")
ALIKE = 0.6  # the likeness of two names, by difflib, from which one may be the other renamed


@dataclass(frozen=True)
class Part(Generic[T]):
    """A part of a contract with the plain data that it was read from, in which also stands what the reading passes over."""

    is_: T
    raw: Mapping[str, Any]

    @property
    def id(self) -> str | None:
        """The identifier that outlives a new name (ODCS 3.1, References)."""
        found = self.raw.get("id")
        return found if isinstance(found, str) else None


def parts(typed: Iterable[T], raw: object) -> list[Part[T]]:
    """Parts with their plain data, which stands in the same order."""
    data = [d for d in raw if isinstance(d, dict)] if isinstance(raw, list) else []
    return [Part(one, with_ or {}) for one, with_ in zip_longest(typed, data) if one is not None]


@dataclass(frozen=True)
class Paired(Generic[T]):
    """What is in both versions, and what in one of them only."""

    both: tuple[tuple[Part[T], Part[T]], ...]
    dropped: tuple[Part[T], ...]
    added: tuple[Part[T], ...]


def paired(old: Sequence[Part[T]], new: Sequence[Part[T]], name: Callable[[T], str]) -> Paired[T]:
    """Pair by `id` where both have the same one, then by name, at last by name in upper or lower case."""
    both: list[tuple[Part[T], Part[T]]] = []
    left, right = dict(enumerate(old)), dict(enumerate(new))
    for key in (lambda p: p.id, lambda p: name(p.is_), lambda p: name(p.is_).casefold()):
        there = {k: n for n, p in reversed(right.items()) if (k := key(p))}
        for number, one in list(left.items()):
            found = there.pop(key(one) or "", None)
            if found is not None:
                both.append((one, right.pop(found)))
                del left[number]
    return Paired(tuple(both), tuple(left.values()), tuple(right.values()))


def likely(dropped: Mapping[str, object], added: Mapping[str, object]) -> dict[str, str]:
    """Names that were dropped, and the added ones that look like them: of the same type, and alike in name; best first, each once."""
    scores = sorted((-_likeness(old, new), old, new) for old, was in dropped.items() for new, is_ in added.items() if was == is_)
    found: dict[str, str] = {}
    for score, old, new in scores:
        if -score >= ALIKE and old not in found and new not in found.values():
            found[old] = new
    return found


def _likeness(one: str, other: str) -> float:
    """Between 0 and 1, the same in both directions."""
    first, second = sorted((one.casefold(), other.casefold()))
    return SequenceMatcher(None, first, second).ratio()
