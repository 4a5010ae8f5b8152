"""In-flight steps of what is pushed: they are taken before a record is written down, so that what is loaded later was treated already."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, field, replace
from typing import TYPE_CHECKING, Protocol

from xde.ground.findings import Finding
from xde.ground.records import dataclass
from xde.kernel.plan.checks import Action, CheckKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.kernel.plan.checks import Check
    from xde.lifecycle.ingestion.port import Field, LetterReason

REFUSED = "$refused"  # the member of a treated line that tells why its record became a dead letter at the door
TOLD = "told:"  # how a reason begins that was worked out at the door: its rule and message follow, as JSON


@dataclass(frozen=True, slots=True)
class Treated:
    """A record as it may be written down: one line of JSON. With reasons it is no row, and the line shows what may be seen of it."""

    line: str
    reasons: tuple[LetterReason, ...] = ()


class DoorSteps(Protocol):
    """Takes the steps of one dataset, in memory alone."""

    def treat(self, lines: Sequence[str]) -> Sequence[Treated]:
        """Records, each a line of JSON, held against the rules for clear values and treated. Raises `UserError` without any value."""
        ...

    def close(self) -> None:
        """Let go of the memory."""
        ...


@dataclass(frozen=True, slots=True)
class Bound:
    """How the records of a spool were treated: the columns that were known, the digest of each step, the fingerprint of each key."""

    columns: tuple[str, ...] = ()
    steps: Mapping[str, str] = field(default_factory=dict)
    hashed_with: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> bytes:
        """As it is written beside the records."""
        told = {"columns": list(self.columns), "steps": dict(self.steps), "hashed_with": dict(self.hashed_with)}
        return json.dumps(told, ensure_ascii=False, sort_keys=True).encode()

    @classmethod
    def of(cls, text: bytes) -> Bound:
        """As it was written."""
        told = json.loads(text)
        return cls(tuple(told["columns"]), told["steps"], told["hashed_with"])

    def misfits(self, now: Bound) -> list[str]:
        """The columns whose values would be treated in another way now than in the records that are there.

        A column that is new in the contract has no values there; a spool that knows no columns holds records as they came.
        """
        if not now.steps:
            return sorted(self.steps)
        changed = [c for c in now.steps if (c in self.steps or c in self.columns or not self.columns) and self.steps.get(c) != now.steps[c]]
        return sorted({*changed, *(c for c in self.steps if c in now.columns and c not in now.steps)})

    def other_keys(self, now: Bound) -> list[str]:
        """The columns that were hashed with another key."""
        return sorted(c for c, print_ in now.hashed_with.items() if self.hashed_with.get(c, print_) != print_)


def bound_by(fields: Sequence[Field], hashed_with: Mapping[str, str] | None = None) -> Bound:
    """What the fields of a contract do to the records of a spool."""
    steps = {f.name: _digest(f) for f in fields if f.treatment is not None}
    return Bound(tuple(f.name for f in fields), steps, hashed_with or {}) if steps else Bound()


def _digest(of: Field) -> str:
    how = asdict(of.treatment) if of.treatment is not None else {}
    told = [of.type, of.format, {n: v for n, v in how.items() if n != "key"}]
    return hashlib.blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=8).hexdigest()


def landing_fields(fields: Sequence[Field]) -> tuple[Field, ...]:
    """The fields of lines that were treated: flat, in the types of what is kept, with nothing left to do."""
    return tuple(_landing(f) for f in fields if f.kept_type is not None)


def _landing(of: Field) -> Field:
    if of.treatment is None:
        return replace(of, path=(), also=())
    return replace(of, type=of.kept_type or of.type, format=None, nulls=(), required=False, path=(), also=(), treatment=None)


def held_later(checks: Sequence[Check], clear: Sequence[Field]) -> list[Check]:
    """The rules that are held when treated lines are loaded: those of single records were held at the door."""
    return [c for c in checks if not clear or c.kind is not CheckKind.ROW or c.action is not Action.DEAD_LETTER]


def treated_otherwise(dataset: str, columns: Sequence[str]) -> Finding:
    """What is told where the records of a spool were treated by other steps than the contract has now."""
    named = ", ".join(f"`{c}`" for c in columns)
    why = f"the in-flight step of {named} is another one now, and what was kept by the former cannot be treated again"
    hint = f"take the change back, or push to a dataset with another name: `{dataset}` keeps what it has"
    return Finding("XDE0540", f"what was pushed to `{dataset}` so far was treated in another way", why=why, hint=hint)


def hashed_otherwise(dataset: str, columns: Sequence[str]) -> Finding:
    """What is told where the records of a spool were hashed with another key."""
    named = ", ".join(f"`{c}`" for c in columns)
    why = f"the hashes of {named} would join with nothing that is there, and the clear values to hash anew are gone"
    hint = "give the key its former value, or push to a dataset with another name"
    return Finding("XDE0540", f"what was pushed to `{dataset}` so far was hashed with another key", why=why, hint=hint)
