"""How a rule of the linter is switched off: in the head of a model or in `xde.yaml`, by its name and with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.kernel.project.fields import ListOf, Record, Text
from xde.kernel.project.settings import NOTHING_ALLOWED, Allowance
from xde.kernel.project.tree import Sequence

if TYPE_CHECKING:
    from xde.kernel.project.tree import Mapping

RULES = (
    "fan-out",
    "star-at-edge",
    "unqualified-column",
    "implicit-cast",
    "non-deterministic",
    "time-zone",
    "not-in-nullable",
    "outer-join-undone",
    "unused-cte",
    "compare-null",
    "unordered",
    "union-out-of-order",
    "date-range-end",
    "group-by-position",
)
"""Every rule by its name; what each of them looks for is on the page of its code."""

LINT = Record(
    {
        "allow": ListOf(Text(RULES), least=1, unique=True, doc="Rules of `xde lint` that are switched off here"),
        "reason": Text(pattern=r"\S", wanted="a reason", doc="Why that is right"),
    },
    ("allow", "reason"),
    strict=True,
    doc="Which rules of `xde lint` are switched off",
)


def read_allowance(root: Mapping) -> Allowance:
    """What stands under `lint` in a head or in the settings."""
    node = root.mapping("lint")
    if node is None:
        return NOTHING_ALLOWED
    listed = node.items.get("allow")
    spans = tuple(item.span for item in listed.items) if isinstance(listed, Sequence) else ()
    return Allowance(node.texts("allow"), node.text("reason") or "", spans)
