"""One model put to all rules: its remarks with their places, and what its readers may rely on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from xde.undercurrents.engineering.linting.facts import NO_KEYS, UNKNOWN, Relation
from xde.undercurrents.engineering.linting.words import CODES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlglot import exp

    from xde.ground.findings import Severity
    from xde.undercurrents.engineering.linting.places import Whereabouts
    from xde.undercurrents.engineering.linting.subject import Model
    from xde.undercurrents.engineering.linting.words import Remark

DIALECT = "duckdb"


class Found(NamedTuple):
    """A remark as plain data: `start` and `length` are characters of the model's SQL, -1 where the place is not certain."""

    rule: str
    code: str
    message: str
    label: str
    why: str
    hint: str
    severity: Severity
    start: int
    length: int


class Linted(NamedTuple):
    """What is to be said of a model, and what it gives."""

    found: tuple[Found, ...]
    relation: Relation


def lint(model: Model, inputs: Mapping[str, Relation]) -> Linted:
    """Put a model to all rules; `inputs` are what is known of the datasets that it reads, by name in small letters."""
    from sqlglot import Dialect
    from sqlglot.errors import ParseError, TokenError

    from xde.undercurrents.engineering.linting.reading import Reader
    from xde.undercurrents.engineering.linting.rules import ALL
    from xde.undercurrents.engineering.linting.subject import Subject

    dialect = Dialect.get_or_raise(DIALECT)
    try:
        tokens = dialect.tokenize(model.sql)
        trees = [t for t in dialect.parser().parse(tokens, model.sql) if t is not None]
    except (ParseError, TokenError, RecursionError):
        return Linted((), UNKNOWN)  # whoever reads the project says what is wrong with it
    if len(trees) != 1:
        return Linted((), UNKNOWN)
    reader = Reader(trees[0], inputs)
    places = _Lazily(model.sql, tokens, trees[0])
    subject = Subject(model, trees[0], reader.scopes, reader.relations, lambda node: places.made().said(node))
    found = [_found(remark, places) for rule in ALL for remark in rule(subject)]
    return Linted(tuple(sorted(found, key=lambda f: (f.start, f.code))), _outside(reader.relation))


def _outside(relation: Relation) -> Relation:
    """What others may know: nothing that points into the tree."""
    if relation.fields is None:
        return UNKNOWN
    return Relation({n: f._replace(doubled=None) for n, f in relation.fields.items()}, relation.keys or NO_KEYS)


class _Lazily:
    """The places of a tree, worked out when the first remark asks: most models have none."""

    def __init__(self, *of: object) -> None:
        self._of = of
        self._made: Whereabouts | None = None

    def made(self) -> Whereabouts:
        if self._made is None:
            from xde.undercurrents.engineering.linting.places import Whereabouts

            text, tokens, tree = self._of
            self._made = Whereabouts(cast("str", text), cast("Sequence[object]", tokens), cast("exp.Expr", tree))
        return self._made


def _found(remark: Remark, places: _Lazily) -> Found:
    start, length = places.made().of(remark.at)
    return Found(remark.rule, CODES[remark.rule], remark.message, remark.label, remark.why, remark.hint, remark.severity, start, length)
