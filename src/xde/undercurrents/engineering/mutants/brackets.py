"""The tokens of a text with their brackets: which closes which, and what stands around what."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlglot.tokenizer_core import Token

Span = tuple[int, int]
"""First and last token of a part, by position in the list of tokens."""

_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")


class Tokens:
    """`words` are the tokens in capitals (nothing for quoted ones); `partner` leads from a bracket to its other half."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.words = ["" if t.token_type.name in {"STRING", "IDENTIFIER"} else " ".join(t.text.upper().split()) for t in tokens]
        self.partner: dict[int, int] = {}
        self.opener: list[int] = []
        self.case_of: list[int] = []
        self.end_of_case: dict[int, int] = {}
        self._match()

    def _match(self) -> None:
        open_, cases = [-1], [-1]
        for position, word in enumerate(self.words):
            if word in _CLOSING and len(open_) > 1:
                begin = open_.pop()
                self.partner[begin], self.partner[position] = position, begin
            if word == "CASE":
                cases.append(position)
            self.opener.append(open_[-1])
            self.case_of.append(cases[-1])
            if word in _OPENING:
                open_.append(position)
            if word == "END" and len(cases) > 1:
                self.end_of_case[cases.pop()] = position

    def word(self, position: int) -> str:
        return self.words[position] if 0 <= position < len(self.words) else ""

    def around(self, span: Span) -> Span | None:
        """The innermost brackets around a span."""
        begin = self.opener[span[0]]
        while begin >= 0 and self.partner.get(begin, -1) < span[1]:
            begin = self.opener[begin]
        return (begin, self.partner[begin]) if begin >= 0 else None

    def case_around(self, span: Span) -> Span | None:
        """The innermost CASE ... END around a span."""
        begin = self.case_of[span[0]]
        while begin >= 0 and self.end_of_case.get(begin, -1) < span[1]:
            begin = self.case_of[begin - 1] if begin else -1
        return (begin, self.end_of_case[begin]) if begin >= 0 else None

    def next(self, word: str, begin: int, end: int | None = None) -> int | None:
        """The first token from `begin` on (before `end`) that is this word, at whatever depth."""
        try:
            return self.words.index(word, begin, len(self.words) if end is None else end)
        except ValueError:
            return None

    def next_level(self, words: frozenset[str], begin: int) -> int | None:
        """The first token from `begin` on that is one of these words, on the same level of brackets."""
        position = begin
        while position < len(self.words):
            if self.words[position] in words:
                return position
            if self.words[position] in _CLOSING:
                return None
            position = self.partner.get(position, position) + 1
        return None

    def last_level(self, words: frozenset[str], end: int) -> int | None:
        """The last token up to `end` that is one of these words, on the same level of brackets."""
        position = end
        while position >= 0:
            if self.words[position] in words:
                return position
            if self.words[position] in _OPENING:
                return None
            position = self.partner.get(position, position) - 1
        return None

    def offsets(self, span: Span) -> tuple[int, int]:
        """Where a span begins and ends in the text."""
        return self.tokens[span[0]].start, self.tokens[span[1]].end + 1
