"""From a model's text to what it says: the one place that calls the parser, and imports it when it is first needed."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from xde.ground.digests import digest
from xde.kernel.graph.text.reading import Fault, Place, Reading, Word
from xde.kernel.graph.text.terms import UnclearError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlglot import exp
    from sqlglot.tokenizer_core import Token

    from xde.kernel.graph.text.terms import Query

DIALECT = "duckdb"
MAKES_OR_CHANGES = frozenset(
    [
        "create",
        "insert",
        "update",
        "delete",
        "merge",
        "drop",
        "alter",
        "copy",
        "attach",
        "detach",
        "use",
        "set",
        "reset",
        "pragma",
        "install",
        "load",
        "truncate",
        "export",
        "import",
        "call",
        "begin",
        "commit",
        "vacuum",
    ]
)
"""What a model may not do; xde makes its table."""


_CUT = "take clauses out of the query until it can be read; the last one is at fault"


def read_text(sql: str) -> Reading:
    """Everything that a model's SQL says by itself, faults included."""
    from sqlglot import Dialect
    from sqlglot.errors import ParseError, TokenError

    dialect = Dialect.get_or_raise(DIALECT)
    try:
        tokens = dialect.tokenize(sql)
    except TokenError as error:
        why = str(error).splitlines()[0].rstrip(".")
        fault = Fault("XDE0203", "is not SQL that can be read", None, "", why, "look for a quote or a comment that is not closed")
        return Reading((fault,))
    try:
        statements = [s for s in dialect.parser().parse(tokens, sql) if s is not None]
    except ParseError as error:
        return Reading((_syntax(sql, error, tokens),))
    except (TypeError, AttributeError, ValueError, LookupError) as error:  # the parser stumbles over some texts that are not SQL
        return Reading((Fault("XDE0203", "is not SQL that can be read", why=f"the parser gave up: {error}", hint=_CUT),))
    except RecursionError:
        return Reading((Fault("XDE0203", "is nested too deeply to be read", hint="cut the query into several models"),))
    wrong = _not_one_query(statements, tokens)
    return _read(statements[0], _words(tokens)) if wrong is None else Reading((wrong,))


def _syntax(sql: str, error: Exception, tokens: Sequence[Token]) -> Fault:
    forbidden = _forbidden(tokens)
    if forbidden is not None:
        return forbidden
    details: dict[str, object] = (getattr(error, "errors", None) or [{}])[0]
    word = str(details.get("highlight") or "")
    line, column = int(str(details.get("line") or 0)), int(str(details.get("col") or 0))
    place = None
    if line and column:
        begin = sum(len(part) + 1 for part in sql.split("\n")[: line - 1])
        place = Place(max(0, begin + column - max(1, len(word))), max(1, len(word)))
    why = str(details.get("description") or error).splitlines()[0].rstrip(".")
    why = "this word cannot stand here" if why.startswith("Invalid expression") else why[:1].lower() + why[1:]
    return Fault("XDE0203", "is not SQL that can be read", place, "here", why, "look at what stands just before this place")


def _not_one_query(statements: Sequence[exp.Expr], tokens: Sequence[Token]) -> Fault | None:
    from sqlglot import exp

    if not statements:
        return Fault("XDE0212", "holds no query", hint="write a SELECT into it")
    forbidden = _forbidden(tokens)
    if forbidden is not None:
        return forbidden
    if len(statements) > 1:
        place = _after_semicolon(tokens)
        return Fault(
            "XDE0211",
            f"holds {len(statements)} statements",
            place,
            "the second",
            "a model is one query",
            "put each query into a file of its own",
        )
    tree = statements[0]
    if isinstance(tree, (exp.Query, exp.Values)) or (isinstance(tree, exp.Pivot) and tree.args.get("this") is not None):
        return None
    first = tokens[0]
    place = Place(first.start, first.end - first.start + 1)
    hint = "write one SELECT"
    if re.fullmatch(r"s[elct]{3,7}", first.text, re.IGNORECASE):
        hint = "did you mean `SELECT`?"
    return Fault("XDE0212", f"is not a query: it begins with `{first.text}`", place, "no query", "a model is one SELECT", hint)


def _forbidden(tokens: Sequence[Token]) -> Fault | None:
    for position, token in enumerate(tokens):
        begins = position == 0 or tokens[position - 1].text == ";"
        if begins and token.text.lower() in MAKES_OR_CHANGES:
            place = Place(token.start, token.end - token.start + 1)
            why = "a model is one SELECT; xde makes and fills its table"
            return Fault(
                "XDE0212", f"is not a query: it has `{token.text.upper()}`", place, "no query", why, "leave the SELECT alone in the file"
            )
    return None


def _after_semicolon(tokens: Sequence[Token]) -> Place | None:
    for before, token in pairwise(tokens):
        if before.text == ";" and token.text != ";":
            return Place(token.start, token.end - token.start + 1)
    return None


def _read(tree: exp.Expr, words: Sequence[Word]) -> Reading:
    from xde.kernel.graph.text.collecting import Found
    from xde.kernel.graph.text.losses import lost_constants, lost_words

    found = Found(tree)
    faults = [*found.faults, *_question_marks(words)]
    lost, salt = lost_words(words, found), lost_constants(words, found)
    canonical = digest([(w.kind, _canonical(w)) for w in words])
    query = None if faults or found.names.intersection(lost) else _terms(tree)
    return Reading(tuple(faults), tuple(found.tables), tuple(_parameters(words).items()), query, lost, salt, canonical)


def _terms(tree: exp.Expr) -> Query | None:
    from xde.kernel.graph.text.queries import read_query

    try:
        return read_query(tree)
    except (UnclearError, RecursionError):
        return None


def _words(tokens: Sequence[Token]) -> list[Word]:
    """The tokens, looked at once: to ask one for the name of its kind costs as much as all else that is asked of it."""
    return [Word(t.token_type.name, t.text, t.start, t.end) for t in tokens]


def _canonical(word: Word) -> str:
    return word.text if word.kind in {"STRING", "IDENTIFIER"} else word.text.lower()


def _parameters(words: Sequence[Word]) -> dict[str, Place]:
    found: dict[str, Place] = {}
    for before, word in pairwise(words):
        if before.text == "$" and before.kind == "PARAMETER" and before.end + 1 == word.start:
            found.setdefault(word.text, Place(before.start, word.end - before.start + 1))
    return found


def _question_marks(words: Sequence[Word]) -> list[Fault]:
    found = []
    for word, after in zip(words, [*words[1:], None], strict=True):
        numbered = word.text == "$" and after is not None and after.text.isdigit()
        if (word.kind == "PLACEHOLDER" and word.text == "?") or numbered:
            hint = "name it: `$word`, with `word` under `parameters:` in `xde.yaml`"
            found.append(Fault("XDE0220", "has a parameter without a name", Place(word.start, 1), "no name", "", hint))
    return found
