"""From a model's SQL to its mutants: the text with one fragment changed, nothing else touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import Dialect, exp
from sqlglot.errors import ParseError, TokenError

from xde.ground.digests import digest
from xde.undercurrents.engineering.mutants.mutant import Mutant
from xde.undercurrents.engineering.mutants.operators import OPERATORS
from xde.undercurrents.engineering.mutants.original import SHORT, Original
from xde.undercurrents.engineering.mutants.promises import Promises

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlglot.tokenizer_core import Token

    from xde.undercurrents.engineering.mutants.mutant import Change

_DIALECT = "duckdb"
_Words = tuple[tuple[str, str], ...]


def mutants_of(sql: str, promises: Promises | None = None) -> tuple[Mutant, ...]:
    """All mutants of a query, in the order of the text; none for a text that is no query.

    `promises` are what the contracts of its inputs say: without them there are fewer mutants of columns, and more that no row
    can tell from the query. The same query and promises give the same mutants with the same ids.
    """
    dialect = Dialect.get_or_raise(_DIALECT)
    try:
        tokens = dialect.tokenize(sql)
        trees = [tree for tree in dialect.parser().parse(tokens, sql) if tree is not None]
    except (ParseError, TokenError, RecursionError):
        return ()
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        return ()
    original = Original(sql, tokens, trees[0], promises or Promises())
    found: dict[tuple[int, int, _Words], Mutant] = {}
    for operator in OPERATORS:
        for change in operator(original):
            place = _difference(tokens, change, dialect)
            edits = original.occurrences(change.begin, change.end)
            if place is not None and edits and place not in found:
                found[place] = _mutant(sql, change, edits)
    order = {mutant.id: position for position, mutant in enumerate(found.values())}
    return tuple(sorted(_one_of_each_id(found.values()), key=lambda m: (m.line, m.column, order[m.id])))


def _one_of_each_id(mutants: Iterable[Mutant]) -> Iterator[Mutant]:
    seen: set[str] = set()
    for mutant in mutants:
        if mutant.id not in seen:
            seen.add(mutant.id)
            yield mutant


def _mutant(sql: str, change: Change, edits: Sequence[tuple[int, int]]) -> Mutant:
    after = sql
    for begin, end in sorted(edits, reverse=True):
        after = after[:begin] + change.after + after[end:]
    line = sql.count("\n", 0, change.begin) + 1
    column = change.begin - sql.rfind("\n", 0, change.begin)
    return Mutant(
        id=digest(change.operator, line, column, change.end - change.begin, change.after),
        operator=change.operator,
        line=line,
        column=column,
        before=_short(sql[change.begin : change.end]),
        after=_short(" ".join(change.after.split())),
        sql=after,
        hint=change.hint,
    )


def _short(text: str) -> str:
    """The first line of a fragment, not too much of it."""
    first = text.split("\n", 1)[0].rstrip()
    cut = first if len(first) <= SHORT else first[: SHORT - 4].rstrip()
    return cut if cut == text else f"{cut} ..."


def _difference(tokens: Sequence[Token], change: Change, dialect: Dialect) -> tuple[int, int, _Words] | None:
    """Which words become which others, so that the same fault is known by whatever operator; None when nothing changes."""
    try:
        after = _words(dialect.tokenize(change.after)) if change.after else ()
    except TokenError:
        return None
    first = next(i for i, t in enumerate(tokens) if t.start >= change.begin)
    last = next((i for i, t in enumerate(tokens) if t.start >= change.end), len(tokens))
    before = _words(tokens[first:last])
    same = 0
    while same < min(len(before), len(after)) and before[same] == after[same]:
        same += 1
    tail = 0
    while tail < min(len(before), len(after)) - same and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    if same == len(before) == len(after):
        return None
    return first + same, last - tail, after[same : len(after) - tail]


def _words(tokens: Sequence[Token]) -> _Words:
    """The kinds of the words, and their texts where those matter."""
    return tuple((t.token_type.name, t.text if t.token_type.name in {"STRING", "IDENTIFIER"} else t.text.casefold()) for t in tokens)
