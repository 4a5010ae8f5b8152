"""From pieces to their shape: brackets first, then clauses, lists, arms of CASE, and operators from the loosest on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.undercurrents.engineering.formatting.cases import JOINING
from xde.undercurrents.engineering.formatting.nodes import Arm, Bracket, Case, Chain, Clause, Leaf, Listed, Query, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xde.undercurrents.engineering.formatting.nodes import Node
    from xde.undercurrents.engineering.formatting.pieces import Piece

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_BEGINS = frozenset(["select", "with", "from", "values", "pivot", "unpivot", "describe", "summarize"])
_LISTS = frozenset(["select", "group by", "order by", "partition by", "group", "order", "partition", "from", "values", "window"])
_CONDITIONS = frozenset(["where", "having", "qualify"])
_PLAIN = frozenset(["limit", "offset", "fetch", "rows", "range", "groups"])
_SETS = frozenset(["union", "except", "intersect"])
_ARITHMETIC = frozenset(["+", "-", "||"])


def shape(pieces: Sequence[Piece]) -> Node:
    """The shape of a whole text."""
    return _body(_nested(list(pieces)), whole=True)


def _nested(pieces: list[Piece]) -> list[Node]:
    """Brackets put around what they hold; one that closes nothing stays a piece."""
    stack: list[tuple[Piece | None, list[Node]]] = [(None, [])]
    for piece in pieces:
        if piece.text in _CLOSING and piece.kind.startswith("L_"):
            stack.append((piece, []))
        elif len(stack) > 1 and stack[-1][0] is not None and piece.text == _CLOSING[stack[-1][0].text]:
            opening, inside = stack.pop()
            if opening is not None:
                stack[-1][1].append(Bracket(opening, _body(inside), piece))
        else:
            stack[-1][1].append(Leaf(piece))
    while len(stack) > 1:
        opening, inside = stack.pop()
        if opening is not None:
            stack[-1][1].extend([Leaf(opening), *inside])
    return _cases(stack[0][1])


def _word(node: Node) -> str:
    return node.piece.word if isinstance(node, Leaf) else ""


def _cases(parts: list[Node]) -> list[Node]:
    """CASE ... END put together, from the inside out."""
    stack: list[list[Node]] = [[]]
    for part in parts:
        word = _word(part)
        if word == "case":
            stack.append([part])
        elif word == "end" and len(stack) > 1 and isinstance(part, Leaf):
            inside = stack.pop()
            stack[-1].append(_case(inside, part.piece))
        else:
            stack[-1].append(part)
    while len(stack) > 1:
        inside = stack.pop()
        stack[-1].extend(inside)
    return stack[0]


def _case(parts: list[Node], end: Piece) -> Case:
    head, *arms = _cut(parts, lambda p, _: _word(p) in {"when", "else"})
    return Case(Run(head), [_arm(a) for a in arms], end)


def _arm(parts: list[Node]) -> Arm:
    when, *then = _cut(parts, lambda p, _: _word(p) == "then")
    return Arm(_headed(when), _headed([p for t in then for p in t]) if then else None)


def _headed(parts: list[Node]) -> Node:
    """A word, and an expression after it."""
    return Run([parts[0], _expression(parts[1:])]) if len(parts) > 1 else Run(parts)


def _cut(parts: Sequence[Node], begins: Callable[[Node, int], bool]) -> list[list[Node]]:
    """Parts divided before each that begins something."""
    found: list[list[Node]] = [[]]
    for position, part in enumerate(parts):
        if begins(part, position):
            found.append([])
        found[-1].append(part)
    return found


def _body(parts: list[Node], *, whole: bool = False) -> Node:
    """What stands in brackets, or the whole text."""
    parts = _cases(parts)
    first = _word(parts[0]) if parts else ""
    if first in _BEGINS or whole:
        return _query(parts)
    starts = _window_starts(parts)
    if starts:
        return Query([_clause(c) for c in _cut(parts, lambda _, i: i in starts) if c])
    return _list(parts)


def _window_starts(parts: list[Node]) -> set[int]:
    """Where the clauses of a window, or of an aggregate in brackets, begin."""
    found = set()
    for position, part in enumerate(parts):
        word, after = _word(part), _word(parts[position + 1]) if position + 1 < len(parts) else ""
        if (
            word in {"partition by", "order by"}
            or (word in {"partition", "order"} and after == "by")
            or (word in {"rows", "range", "groups"} and after in {"between", "unbounded", "current"})
        ):
            found.add(position)
    return found


def _query(parts: list[Node]) -> Node:
    starts = {i for i in range(len(parts)) if _starts_clause(parts, i)}
    return _united([_clause(c) for c in _cut(parts, lambda _, i: i in starts) if c])


def _united(clauses: list[Clause]) -> Query:
    """A UNION as queries with its words between them, so that each may have its own line."""
    if not any(c.kind == "set" for c in clauses):
        return Query(list(clauses))
    found: list[Clause | Query] = []
    for clause in clauses:
        if clause.kind in {"set", "with"}:
            found.append(clause)
        elif found and isinstance(found[-1], Query):
            found[-1].clauses.append(clause)
        else:
            found.append(Query([clause]))
    return Query(found)


def _starts_clause(parts: list[Node], position: int) -> bool:
    word = _word(parts[position])
    before = _word(parts[position - 1]) if position else ""
    after = _word(parts[position + 1]) if position + 1 < len(parts) else ""
    if not word or before == ".":
        return False
    match word:
        case "from":
            return before != "distinct" or (position > 1 and _word(parts[position - 2]) not in {"is", "not"})
        case "group":
            return after == "by"
        case "order":
            return after == "by"
        case "values":
            return position == 0 or before in _SETS | {"all"}
        case "select" | "with" | "where" | "having" | "qualify" | "limit" | "offset" | "union" | "except" | "intersect":
            return position == 0 or before != "as"
        case "group by" | "order by":
            return True
        case "window":
            return before != "as" and bool(after)
        case _:
            return _starts_join(word, before, parts, position)


def _starts_join(word: str, before: str, parts: list[Node], position: int) -> bool:
    if word not in JOINING or word == "outer" or before in JOINING:
        return False
    at = position
    while at < len(parts) and _word(parts[at]) in JOINING:
        if _word(parts[at]) == "join":
            return True
        at += 1
    return False


def _clause(parts: list[Node]) -> Clause:
    word = _word(parts[0])
    if word == "with":
        head = 2 if len(parts) > 1 and _word(parts[1]) == "recursive" else 1
        return Clause(Run(parts[:head]), Listed(_items(parts[head:])), "with")
    if word in JOINING:
        return _join(parts)
    if word in _SETS:
        return Clause(Run(parts), None, "set")
    if word in _CONDITIONS:
        return Clause(Run(parts[:1]), _expression(parts[1:]), "condition")
    if word in _LISTS:
        head = _head(parts)
        return Clause(Run(parts[:head]), _list(parts[head:]) if parts[head:] else None, "list")
    return Clause(Run(parts[:1]), _list(parts[1:]) if parts[1:] else None, "plain")


def _head(parts: list[Node]) -> int:
    """How many parts stand before the list."""
    head = 2 if _word(parts[0]) in {"group", "order", "partition"} else 1
    if _word(parts[0]) == "select" and len(parts) > 1 and _word(parts[1]) in {"distinct", "all"}:
        head = 2
        if len(parts) > 3 and _word(parts[2]) == "on" and isinstance(parts[3], Bracket):
            head = 4
    return head


def _join(parts: list[Node]) -> Clause:
    words = next(i for i, p in enumerate(parts) if _word(p) == "join") + 1
    on = next((i for i, p in enumerate(parts) if i >= words and _word(p) == "on"), None)
    if on is None:
        return Clause(Run(parts[:words]), _list(parts[words:]) if parts[words:] else None, "join")
    source = _list(parts[words:on]) if parts[words:on] else None
    return Clause(
        Run(parts[:words]), source, "join", Run([parts[on], _expression(parts[on + 1 :])]) if parts[on + 1 :] else Run(parts[on:])
    )


def _items(parts: list[Node]) -> list[Node]:
    """Items of a list, each with the comma after it."""
    found: list[list[Node]] = [[]]
    for part in parts:
        found[-1].append(part)
        if _word(part) == ",":
            found.append([])
    return [_item(i) for i in found if i]


def _item(parts: list[Node]) -> Node:
    if _word(parts[-1]) == "," and len(parts) > 1:
        return Run([_expression(parts[:-1]), parts[-1]])
    return _expression(parts)


def _list(parts: list[Node]) -> Node:
    items = _items(parts)
    return Listed(items) if items else Run()


def _expression(parts: list[Node]) -> Node:
    """A chain of the loosest operators that there are."""
    between = False
    cuts: set[int] = set()
    for position, part in enumerate(parts):
        word = _word(part)
        between = between or word == "between"
        if word == "and" and between:
            between = False
        elif word in {"and", "or"} and position:
            cuts.add(position)
    if cuts:
        return Chain([_loose(p) for p in _cut(parts, lambda _, i: i in cuts)])
    return _loose(parts)


def _loose(parts: list[Node]) -> Node:
    cuts = {i for i, p in enumerate(parts) if i and _word(p) in _ARITHMETIC and is_operand(parts[i - 1])}
    if not cuts or any(_word(p) in {"=", "<", ">", "<=", ">=", "<>", "!=", "between", "in", "like"} for p in parts):
        return Run(list(parts))
    return Chain([Run(p) for p in _cut(parts, lambda _, i: i in cuts)])


def is_operand(node: Node) -> bool:
    """Whether an operator that follows has something to its left."""
    if not isinstance(node, Leaf):
        return True
    return node.piece.kind in {"NUMBER", "STRING", "IDENTIFIER", "VAR"} or node.piece.word in {"null", "true", "false", "end"}
