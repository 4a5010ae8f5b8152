"""The query of one model as the rules see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlglot import exp

    from xde.undercurrents.engineering.linting.facts import Keys, Relation, Scope


class Model(NamedTuple):
    """A model: `sql` with plain SQL for flows, `keys` that are declared, `promised` when it has a contract; `sources` in small letters."""

    name: str
    sql: str
    keys: Keys
    promised: bool = False
    sources: frozenset[str] = frozenset()


class Subject(NamedTuple):
    """A model with its tree and the scopes in it; `said` gives a part as it is written, in one line and not too much of it."""

    model: Model
    tree: exp.Expr
    scopes: list[Scope]
    relations: Mapping[int, Relation]
    said: Callable[[exp.Expr], str]
