"""What the search for counterexamples has found, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.undercurrents.engineering.properties.guarantees import Guarantee
    from xde.undercurrents.engineering.testing.comparing import Comparison
    from xde.undercurrents.engineering.testing.sandbox import Result


@dataclass(frozen=True, slots=True)
class Failure:
    """A guarantee that valid input breaks.

    `given` are the rows of that input, by dataset, with those columns that the model reads; `came` what the model makes of
    them and `at_fault` which of those rows are wrong, by position; or `error`, the engine's words, or `difference` between two
    runs. `also` are other guarantees that the same input breaks. `shrunk` says how far: "" not at all, rows, or cells.
    """

    guarantee: Guarantee
    given: Mapping[str, Result]
    came: Result | None = None
    at_fault: tuple[int, ...] = ()
    error: str = ""
    difference: Comparison | None = None
    also: tuple[Guarantee, ...] = ()
    note: str = ""
    shrunk: str = ""


@dataclass(frozen=True, slots=True)
class Searched:
    """What came of a model: how many guarantees were tried on how many examples, with how many rows of each input in all.

    `unknown` are inputs of whose values nothing is known. `left_out` are rules that were not tried, and why. `fallback`: the
    query could not be asked for many examples at once, and was asked for each.
    """

    model: str
    examples: int
    guarantees: int
    rows: Mapping[str, int]
    failures: tuple[Failure, ...] = ()
    warnings: tuple[Failure, ...] = ()
    unknown: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""
    fallback: str = ""
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether nothing that must hold was broken."""
        return not self.failures and not self.trouble
