"""From a shape to lines: what its author broke stays broken, what is too wide is broken, all else stands in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.undercurrents.engineering.formatting.nodes import Arm, Bracket, Case, Chain, Clause, Leaf, Listed, Query, Run, first_of
from xde.undercurrents.engineering.formatting.spacing import blank_between

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xde.undercurrents.engineering.formatting.nodes import Node
    from xde.undercurrents.engineering.formatting.pieces import Comment, Piece

WIDTH = 120
STEP = 4


def pieces_in(node: Node) -> Iterator[Piece]:
    """All pieces of a part, in their order."""
    match node:
        case Leaf():
            yield node.piece
        case Bracket():
            yield node.open
            yield from pieces_in(node.body)
            yield node.close
        case Run():
            yield from _all(node.parts)
        case Listed():
            yield from _all(node.items)
        case Chain():
            yield from _all(node.links)
        case Case():
            yield from _all([node.head, *node.arms])
            yield node.end
        case Arm():
            yield from _all([node.when, *([node.then] if node.then is not None else [])])
        case Clause():
            yield from _all([n for n in (node.head, node.body, node.tail) if n is not None])
        case Query():
            yield from _all(node.clauses)


def _all(nodes: Sequence[Node]) -> Iterator[Piece]:
    for node in nodes:
        yield from pieces_in(node)


class Layout:
    """Writes parts; lines that are done are in `lines`, `_line` is the one under way."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._line = ""
        self._last: tuple[Piece, Piece | None] | None = None
        self._must: dict[int, bool] = {}

    def text(self, node: Node, rest: Sequence[Comment]) -> str:
        """The whole text, with the comments after it."""
        self._lay(node, 0)
        for comment in rest:
            self._comment(comment, 0)
        self._end_line()
        return "\n".join(self.lines).strip("\n") + "\n"

    # --- what must be broken

    def _breaks(self, node: Node | None) -> bool:
        """Whether a part has a line end in it, however much room there is."""
        if node is None:
            return False
        found = self._must.get(id(node))
        if found is None:
            found = self._must[id(node)] = self._find_breaks(node)
        return found

    def _find_breaks(self, node: Node) -> bool:
        inside = list(pieces_in(node))
        if any(p.forces for p in inside[1:]) or any("\n" in p.text for p in inside):
            return True
        match node:
            case Bracket():
                return self._breaks(node.body) or (self._begins_line(node.body) or node.close.broken)
            case Run():
                return any(self._breaks(p) for p in node.parts)
            case Listed():
                return any(self._breaks(i) for i in node.items) or any(self._begins_line(i) for i in node.items[1:])
            case Chain():
                return any(self._breaks(i) for i in node.links) or any(self._begins_line(i) for i in node.links[1:])
            case Case():
                return self._breaks(node.head) or any(self._breaks(a) or self._begins_line(a) for a in node.arms) or node.end.broken
            case Arm():
                return self._breaks(node.when) or self._breaks(node.then) or self._begins_line(node.then)
            case Clause():
                return self._clause_breaks(node)
            case Query():
                return any(self._breaks(c) for c in node.clauses) or any(self._begins_line(c) for c in node.clauses[1:])
            case _:
                return False

    def _clause_breaks(self, node: Clause) -> bool:
        if self._breaks(node.head) or self._breaks(node.body) or self._breaks(node.tail):
            return True
        if node.kind in {"list", "plain", "with"} and self._begins_line(node.body):
            return node.kind != "with"
        return node.kind == "join" and self._begins_line(node.tail)

    def _begins_line(self, node: Node | None) -> bool:
        first = first_of(node) if node is not None else None
        return first is not None and first.broken

    def _is_flat(self, node: Node, after: int = 0) -> bool:
        """Whether a part stands in the line under way."""
        if self._breaks(node):
            return False
        last = self._last
        length = 0
        for piece in pieces_in(node):
            length += blank_between(last, piece) + sum(len(c.text) + 1 for c in piece.comments) + len(piece.text)
            last = (piece, last[0] if last is not None else None)
        return len(self._line) + length + after <= WIDTH

    # --- writing

    def _lay(self, node: Node, indent: int) -> None:
        match node:
            case Leaf():
                self._piece(node.piece, indent)
            case Run():
                for part in node.parts:
                    self._lay(part, indent)
            case Bracket():
                self._bracket(node, indent)
            case Case():
                self._case(node, indent)
            case Arm():
                self._arm(node, indent)
            case _:
                self._lay_many(node, indent)

    def _lay_many(self, node: Listed | Chain | Clause | Query, indent: int) -> None:
        match node:
            case Listed():
                self._listed(node, indent)
            case Chain():
                self._chain(node, indent)
            case Clause():
                self._clause(node, indent)
            case Query():
                self._query(node, indent)

    def _bracket(self, node: Bracket, indent: int) -> None:
        if self._is_flat(node) or first_of(node.body) is None:
            self._flat(node, indent)
            return
        self._piece(node.open, indent)
        if not self._opens_up(node):
            self._lay(node.body, indent)
            self._piece(node.close, indent)
            return
        self._break(node.body, indent + STEP)
        self._lay(node.body, indent + STEP)
        self._break(node.close, indent)
        self._piece(node.close, indent)

    def _opens_up(self, node: Bracket) -> bool:
        """Whether what is in brackets goes into lines of its own: not one thing that breaks by itself."""
        body = node.body
        if self._begins_line(body) or node.close.forces or node.close.broken or isinstance(body, Query):
            return True
        alone = isinstance(body, Listed) and len(body.items) == 1 and isinstance(body.items[0], (Run, Case))
        return not alone or any(p.forces for p in pieces_in(body))

    def _listed(self, node: Listed, indent: int) -> None:
        broken = len(node.items) > 1 and not self._is_flat(node)
        for position, item in enumerate(node.items):
            if position and broken:
                self._break(item, indent)
            self._lay(item, indent)

    def _chain(self, node: Chain, indent: int) -> None:
        broken = not self._is_flat(node)
        begins_line = self._line == "" or len(self._line) == indent
        inner = indent if begins_line else indent + STEP
        for position, link in enumerate(node.links):
            if position and broken:
                self._break(link, inner)
            self._lay(link, inner if position else indent)

    def _case(self, node: Case, indent: int) -> None:
        broken = not self._is_flat(node)
        self._lay(node.head, indent)
        for arm in node.arms:
            if broken:
                self._break(arm, indent + STEP)
            self._lay(arm, indent + STEP if broken else indent)
        if broken:
            self._break(node.end, indent)
        self._piece(node.end, indent)

    def _arm(self, node: Arm, indent: int) -> None:
        flat = self._is_flat(node)
        self._lay(node.when, indent)
        if node.then is not None:
            if not flat and (self._begins_line(node.then) or not self._is_flat(node.then)):
                self._break(node.then, indent + STEP)
                self._lay(node.then, indent + STEP)
            else:
                self._lay(node.then, indent)

    def _query(self, node: Query, indent: int) -> None:
        broken = not self._is_flat(node)
        after_with = False
        for position, clause in enumerate(node.clauses):
            if position and broken:
                self._break(clause, indent, blank=after_with)
            done = len(self.lines)
            self._lay(clause, indent)
            after_with = isinstance(clause, Clause) and clause.kind == "with" and len(self.lines) > done

    def _clause(self, node: Clause, indent: int) -> None:
        match node.kind:
            case "with":
                self._with(node, indent)
            case "join":
                self._join(node, indent)
            case "list" | "plain":
                self._under(node, indent)
            case _:
                self._lay(node.head, indent)
                if node.body is not None:
                    self._lay(node.body, indent)

    def _under(self, node: Clause, indent: int) -> None:
        self._lay(node.head, indent)
        body = node.body
        if body is None:
            return
        several = isinstance(body, Listed) and len(body.items) > 1
        begins = self._begins_line(body)
        if begins or (several and not self._is_flat(body)):
            self._break(body, indent + STEP)
            self._lay(body, indent + STEP)
        else:
            self._lay(body, indent)

    def _with(self, node: Clause, indent: int) -> None:
        self._lay(node.head, indent)
        items = node.body.items if isinstance(node.body, Listed) else []
        broken = len(items) > 1 and node.body is not None and not self._is_flat(node.body)
        apart = False
        for position, item in enumerate(items):
            if position and broken:
                self._break(item, indent, blank=apart)
            done = len(self.lines)
            self._lay(item, indent)
            apart = len(self.lines) > done

    def _join(self, node: Clause, indent: int) -> None:
        self._lay(node.head, indent)
        if node.body is not None:
            self._lay(node.body, indent)
        if node.tail is None:
            return
        if self._is_flat(node.tail):
            if self._begins_line(node.tail):
                self._break(node.tail, indent + STEP)
            self._lay(node.tail, indent)
            return
        self._break(node.tail, indent + STEP)
        self._lay_tail(node.tail, indent + STEP)

    def _lay_tail(self, tail: Node, indent: int) -> None:
        """ON and its condition, with AND under ON."""
        parts = tail.parts if isinstance(tail, Run) else [tail]
        self._lay(parts[0], indent)
        for part in parts[1:]:
            if isinstance(part, Chain) and not self._is_flat(part):
                for position, link in enumerate(part.links):
                    if position:
                        self._break(link, indent)
                    self._lay(link, indent)
            else:
                self._lay(part, indent)

    def _flat(self, node: Node, indent: int) -> None:
        for piece in pieces_in(node):
            self._piece(piece, indent)

    # --- lines

    def _break(self, at: Node | Piece, indent: int, *, blank: bool = False) -> None:
        """End the line before a part: the comments behind what came before stay there, the part's own stand above it."""
        from xde.undercurrents.engineering.formatting.pieces import Piece

        piece = at if isinstance(at, Piece) else first_of(at)
        comments = piece.comments if piece is not None else []
        while comments and not comments[0].lines:
            self._comment(comments.pop(0), indent)
        self._end_line()
        if (blank or (piece is not None and piece.blank)) and self.lines and self.lines[-1]:
            self.lines.append("")
        self._line = " " * indent
        while comments:
            comment = comments.pop(0)
            own = bool(comment.lines)
            if own and self._line.strip():
                self._end_line()
                self._line = " " * indent
            self._line += ("" if not self._line.strip() else " ") + comment.text
            if comment.to_line_end or "\n" in comment.text or (comments and comments[0].lines) or (piece is not None and piece.lines):
                self._end_line()
                self._line = " " * indent
        self._last = None if not self._line.strip() else self._last

    def _end_line(self) -> None:
        if self._line.strip():
            self.lines.append(self._line.rstrip())
        self._line = ""

    def _comment(self, comment: Comment, indent: int) -> None:
        """A comment where no line was to end."""
        if comment.lines and self._line.strip():
            self._end_line()
            if comment.lines > 1:
                self.lines.append("")
        if not self._line:
            self._line = " " * indent
        self._line += (" " if self._line.strip() else "") + comment.text
        if comment.to_line_end or "\n" in comment.text:
            self._end_line()

    def _piece(self, piece: Piece, indent: int) -> None:
        for comment in piece.comments:
            self._comment(comment, indent)
        had, piece.comments = bool(piece.comments), []
        if not self._line:
            self._line = " " * indent
        gap = blank_between(self._last, piece) if self._line.strip() else 0
        self._line += " " * (max(gap, 1) if had and self._line.strip() else gap) + piece.text
        self._last = (piece, self._last[0] if self._last is not None else None)
