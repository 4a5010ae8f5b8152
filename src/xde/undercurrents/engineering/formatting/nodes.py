"""The shape of a text: queries of clauses, brackets, lists, conditions; every piece is in exactly one of them, in its order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from xde.undercurrents.engineering.formatting.pieces import Piece


@dataclass(slots=True)
class Run:
    """Parts that follow each other in one line."""

    parts: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Leaf:
    """One piece."""

    piece: Piece


@dataclass(slots=True)
class Bracket:
    """What stands in brackets."""

    open: Piece
    body: Node
    close: Piece


@dataclass(slots=True)
class Listed:
    """Items with commas between them; the comma is the last part of the item before it."""

    items: list[Node]


@dataclass(slots=True)
class Chain:
    """Operands with operators between them; each operator is the first part of the operand after it."""

    links: list[Node]


@dataclass(slots=True)
class Case:
    """CASE with its arms and its END; the subject, when there is one, stands with CASE."""

    head: Run
    arms: list[Node]
    end: Piece


@dataclass(slots=True)
class Arm:
    """WHEN with its THEN, or ELSE."""

    when: Node
    then: Node | None


@dataclass(slots=True)
class Clause:
    """The words that begin a clause, and what follows them."""

    head: Run
    body: Node | None
    kind: Literal["list", "plain", "condition", "join", "with", "set"]
    tail: Node | None = None


@dataclass(slots=True)
class Query:
    """Clauses in their order; of a UNION the queries, and what stands between them."""

    clauses: list[Clause | Query]


Node = Run | Leaf | Bracket | Listed | Chain | Case | Arm | Clause | Query


def first_of(node: Node) -> Piece | None:
    """The first piece of a part."""
    match node:
        case Leaf():
            return node.piece
        case Bracket():
            return node.open
        case Run():
            return next((f for p in node.parts if (f := first_of(p)) is not None), None)
        case Listed():
            return next((f for p in node.items if (f := first_of(p)) is not None), None)
        case Chain():
            return first_of(node.links[0])
        case Case() | Clause():
            return first_of(node.head)
        case Arm():
            return first_of(node.when)
        case Query():
            return first_of(node.clauses[0]) if node.clauses else None
