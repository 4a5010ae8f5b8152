"""From a text with calls of flows to plain SQL in the same lines: the arguments are carried over character by character.

What a flow gives is read as a tree and its marks are found on its tokens; it is never printed again from the tree, because the
printer leaves arguments of some functions out. Each call becomes `(WITH ... SELECT * FROM __flow_1)`: in the queries of a WITH
clause no name can mean a column of a source further left, and none of the flow's own names can hide one of the user's.
"""

from __future__ import annotations

import traceback
from dataclasses import field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from xde.ground.names import did_you_mean
from xde.ground.records import dataclass
from xde.kernel.graph.flows.arguments import Binder
from xde.kernel.graph.flows.calls import BEGINS_A_QUERY, Call, calls, closing, is_name
from xde.kernel.graph.flows.kinds import MARK, OURS, ArgumentError
from xde.kernel.graph.flows.ropes import in_one_line, made, stretches_of, text_of, written
from xde.kernel.graph.text.functions import gives_a_table
from xde.kernel.graph.text.reading import Fault, Place
from xde.kernel.graph.text.scanning import query_of, scan
from xde.kernel.project.declarations import Expansion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.kernel.graph.flows.arguments import Bound
    from xde.kernel.graph.flows.book import FlowBook
    from xde.kernel.graph.flows.ropes import Rope
    from xde.kernel.graph.flows.signature import Flow
    from xde.kernel.graph.text.reading import Word


DEEPEST = 20
"""How many flows may call each other, one inside the other."""


class Expanded(NamedTuple):
    """A text without calls of flows, and what was wrong with them."""

    sql: str
    expansion: Expansion | None
    faults: tuple[Fault, ...] = ()


def expand(sql: str, book: FlowBook) -> Expanded:
    """Put plain SQL in the place of every call of a flow; a text that calls none comes back as it is, and is not read."""
    if not may_call(sql, book):
        return Expanded(sql, None)
    words = scan(sql)
    if words is None:
        return Expanded(sql, None)  # whoever reads the text says what is wrong with it
    work = _Work(sql, words, book)
    rope = work.whole()
    if work.faults or work.broken:
        return Expanded(sql, Expansion(sql, flows=tuple(work.used), broken=True), tuple(work.faults))
    if not work.used:
        return Expanded(sql, None)
    return Expanded(text_of(rope), Expansion(sql, stretches_of(rope), tuple(work.used), tuple(work.places)))


def may_call(sql: str, book: FlowBook) -> bool:
    """Whether a text may call a flow, by a look that costs next to nothing."""
    if ":=" in sql or "=>" in sql:
        return True
    folded = sql.lower()
    return any(name in folded for name in book.names) and book.called.search(sql) is not None


@dataclass(slots=True)
class _Work:
    sql: str
    words: Sequence[Word]
    book: FlowBook
    faults: list[Fault] = field(default_factory=list)
    used: dict[str, None] = field(default_factory=dict)
    places: list[tuple[int, int]] = field(default_factory=list)
    count: int = 0
    broken: bool = False
    outer: Mapping[str, str] = field(default_factory=dict)
    depth: int = 0

    def whole(self) -> Rope:
        """The whole text, with every line where it was."""
        if not self.depth:
            self._reserved()
        pieces: Rope = ()
        at = length = 0
        for call in calls(self.words, 0, len(self.words)):
            first, last = self.words[call.name].start, self.words[call.closed].end + 1
            inner = self._call(call)
            lines = self.sql.count("\n", first, last) - text_of(inner).count("\n")
            pieces += (*written(self.sql, at, first), *inner, *made("\n" * lines, *self._name(call)))
            length += first - at
            self.places.append((length, length + len(text_of(inner))))
            length += len(text_of(inner)) + max(0, lines)
            at = last
        return (*pieces, *written(self.sql, at, len(self.sql)))

    def _reserved(self) -> None:
        for word in self.words:
            if word.text.lower().startswith((OURS, "__xde_mark")) and word.kind in {"VAR", "IDENTIFIER"}:
                why = f"names that begin with `{OURS}` are those that flows make for themselves"
                place = Place(word.start, word.end + 1 - word.start)
                self.faults.append(Fault("XDE0252", f"uses the name `{word.text}`", place, "taken", why, "choose another name"))

    def _inline(self, begin: int, end: int) -> Rope:
        """Tokens of an argument, with the flows that they call, in one line."""
        pieces: Rope = ()
        at = begin
        for call in calls(self.words, begin, end):
            pieces += in_one_line(self.sql, self.words, at, call.name, free=True)
            pieces += (*self._gap(begin, call.name), *self._call(call), *self._gap(begin, call.closed + 1, end))
            at = call.closed + 1
        return (*pieces, *in_one_line(self.sql, self.words, at, end, free=True))

    def _gap(self, begin: int, position: int, end: int | None = None) -> Rope:
        """A blank before a token where there is something between it and the one before."""
        if position <= begin or (end is not None and position >= end):
            return ()
        last = self.words[position - 1].end + 1
        return made(" ", last, 1) if self.words[position].start > last else ()

    def _name(self, call: Call) -> Place:
        word = self.words[call.name]
        return Place(word.start, word.end + 1 - word.start)

    def _call(self, call: Call) -> Rope:
        """What stands in the place of one call."""
        name = self.words[call.name].text.lower()
        flow = self.book.flow(name)
        first, last = self.words[call.name].start, self.words[call.closed].end + 1
        if flow is None:
            if self.words[call.name].kind == "VAR" and not gives_a_table(name):
                self._unknown(name, self._name(call))
            return self._inline_text(call, first, last)
        self.used[flow.name] = None
        self.count += 1
        mine = f"{OURS}_{self.count}"
        before: list[Rope] = []
        binder = Binder((self.sql, self.words), flow, lambda b, e: self._relation(b, e, mine, before, self._name(call)), self.outer)
        bound = binder.bind(call.opened, call.closed, self._name(call))
        self.faults += binder.faults
        if bound is None:
            return written(self.sql, first, last)
        template = self._made(flow, bound, call, binder.texts)
        if template is None:
            return written(self.sql, first, last)
        body = _filled(template, binder.marks, self._name(call))
        at = self._name(call)
        clause: Rope = made("(WITH ", *at)
        for rope in before:
            clause += (*rope, *made(", ", *at))
        return (*clause, *made(f"{mine} AS (", *at), *body, *made(f") SELECT * FROM {mine})", *at))

    def _inline_text(self, call: Call, first: int, last: int) -> Rope:
        """A call that is no flow's, with the flows that queries inside of it call."""
        inner = calls(self.words, call.opened + 1, call.closed)
        return self._inline(call.name, call.closed + 1) if inner else written(self.sql, first, last)

    def _relation(self, begin: int, end: int, mine: str, before: list[Rope], at: Place) -> Rope | None:
        """What a flow reads: a dataset by its name; all else under a name of its own, so that the flow's names hide nothing in it."""
        words = self.words[begin:end]
        if _is_table(words):
            rope = in_one_line(self.sql, self.words, begin, end)
            if len(words) > 1:
                return rope
        elif words and words[0].kind == "L_PAREN" and closing(self.words, begin, end) == end - 1 and words[1].kind in BEGINS_A_QUERY:
            rope = self._inline(begin, end)
        elif len(words) > 2 and is_name(words[0]) and words[1].kind == "L_PAREN" and closing(self.words, begin + 1, end) == end - 1:
            rope = self._call(Call(begin, begin + 1, end - 1))
        else:
            return None
        name = f"{mine}_{len(before) + 1}"
        before.append((*made(f"{name} AS (SELECT * FROM ", *at), *rope, *made(")", *at)))
        return made(name, self.words[begin].start, self.words[end - 1].end + 1 - self.words[begin].start)

    def _made(self, flow: Flow, bound: Bound, call: Call, texts: Mapping[str, str]) -> str | None:
        """The SQL that the flow gives, without calls of other flows; None when it gives nothing that can be used."""
        at = self._name(call)
        try:
            text: object = flow.makes(*bound.positional, **bound.named)
        except ArgumentError as error:
            place = bound.places.get(error.argument, at)
            self.faults.append(Fault("XDE0245", f"calls `{flow.name}` with {error.message}", place, "not so", "", error.hint))
            return None
        except Exception as error:  # noqa: BLE001 - the project's own code, or a stranger's: whatever it raises is told
            where = _where(error, flow)
            why = f"{type(error).__name__}: {error}{where}"
            self.faults.append(
                Fault("XDE0246", f"calls `{flow.name}`, which fails", at, "fails", why, f"mend `{flow.path or flow.origin}`")
            )
            return None
        wrong = "" if isinstance(text, str) else f"it gives a value of the type `{type(text).__name__}`"
        if isinstance(text, str) and self.book.called.search(text):
            text, wrong = self._within(text, texts)
        wrong = wrong or _trouble(str(text))
        if wrong or not isinstance(text, str):
            hint = f"mend `{flow.path or flow.origin}`: it gives one SELECT, with each argument as a name of its own"
            self.faults.append(Fault("XDE0247", f"calls `{flow.name}`, which gives no query", at, "no query", wrong, hint))
            return None
        return text

    def _within(self, text: str, texts: Mapping[str, str]) -> tuple[str, str]:
        """The SQL of a flow with plain SQL for the flows that it calls itself, and what is wrong with that."""
        words = scan(text)
        if words is None:
            return text, ""
        if self.depth > DEEPEST:
            return text, "it calls itself without end"
        inner = _Work(text, words, self.book, count=self.count, outer=texts, depth=self.depth + 1)
        rope = inner.whole()
        self.count = inner.count
        self.used |= inner.used
        return text_of(rope), next((f.why if f.code == "XDE0247" else f"in its own SQL it {f.message}" for f in inner.faults), "")

    def _unknown(self, name: str, at: Place) -> None:
        if not self.book.whole:  # it may be in the file that could not be read, of which is told
            self.broken = True
            return
        hint = did_you_mean(name, self.book.names) or "see the flows with `xde flows`"
        self.faults.append(
            Fault("XDE0240", f"calls `{name}`, which is no flow and no function that gives a table", at, "no such flow", "", hint)
        )


def _is_table(words: Sequence[Word]) -> bool:
    """Whether tokens are a name, or names with dots between."""
    if len(words) % 2 == 0:
        return False
    return all((w.kind == "DOT") if i % 2 else (is_name(w) or w.kind == "IDENTIFIER") for i, w in enumerate(words))


def _filled(template: str, marks: Sequence[Rope], at: Place) -> Rope:
    """A flow's own SQL in one line, with what the user wrote in the place of each mark."""
    pieces: Rope = ()
    text = ""
    end = -1
    for word in scan(template) or ():
        if end >= 0 and word.start > end:
            text += " "
        end = word.end + 1
        mark = MARK.fullmatch(word.text) if word.kind == "VAR" else None
        if mark is None:
            text += template[word.start : end]
            continue
        pieces += (*made(text, *at), *marks[int(mark.group(1))])
        text = ""
    return (*pieces, *made(text, *at))


@lru_cache(maxsize=512)
def _trouble(text: str) -> str:
    """What is wrong with the SQL of a flow; empty when it can be used."""
    from sqlglot import exp

    words = scan(text)
    if words is None:
        return "its SQL has a quote or a comment that is not closed"
    if any(MARK.search(w.text) and not (w.kind == "VAR" and MARK.fullmatch(w.text)) for w in words):
        return "an argument stands inside a quoted text, or is part of a name"
    tree = query_of(text)
    if tree is None:
        return "its SQL cannot be read"
    return "" if isinstance(tree, exp.Query) else "its SQL is no SELECT"


def _where(error: Exception, flow: Flow) -> str:
    """The line of the flow's own file in which it failed."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if flow.path and Path(f.filename).as_posix().endswith(flow.path)]
    return f" ({flow.path}:{frames[-1].lineno})" if frames else ""
