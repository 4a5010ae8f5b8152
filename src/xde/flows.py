"""Our flows for Python: `flows.dedupe(orders, key="id", newest="seen_at")` on relations of DuckDB, worked out when they are read.

Names of columns are texts, several are a list; expressions and intervals are SQL; constants are Python values. Each relation
that goes in gets a view of its own in its connection, named `xde_rows_...`.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean, literal, quoted
from xde.kernel.graph.flows.book import FlowBook
from xde.kernel.graph.flows.expanding import expand
from xde.kernel.graph.flows.judged import JUDGED
from xde.kernel.graph.flows.signature import ArgumentKind
from xde.lifecycle.transformation.flows import NAMES, our_flow

if TYPE_CHECKING:
    from collections.abc import Callable

    from xde.kernel.graph.flows.signature import Argument

_BOOK = FlowBook({n: partial(our_flow, n) for n in NAMES})
_NUMBERS = count(1)


class Relation(Protocol):
    """What is asked of a relation: DuckDB's have it."""

    def create_view(self, view_name: str, replace: bool = ..., /) -> Any:  # noqa: ANN401, FBT001 - the engine's own
        """Give it a name in its connection."""

    def query(self, virtual_table_name: str, sql_query: str, /) -> Any:  # noqa: ANN401 - the engine's own
        """Ask a query that reads it under a name."""


def __getattr__(name: str) -> Callable[..., Any]:
    """A flow as a function: relations first, then arguments by name; gives a relation. Raises `UserError` for what cannot be right."""
    if name not in NAMES:
        msg = f"there is no flow `{name}`"
        raise AttributeError(msg + (f"; {hint}" if (hint := did_you_mean(name, NAMES)) else ""))
    return partial(_call, name)


def __dir__() -> list[str]:
    return list(NAMES)


def _call(name: str, *relations: Relation, **arguments: object) -> Any:  # noqa: ANN401 - a relation of the engine's own
    flow = our_flow(name)
    named = {n: v for n, v in arguments.items() if v is not None}
    given = [*relations, *(v for n, v in named.items() if (a := flow.argument(n)) is not None and a.kind is ArgumentKind.RELATION)]
    if not given:
        hint = f"call it in SQL: `FROM {flow.signature}`"
        raise UserError(Finding("XDE0242", f"calls `{name}` without a relation", why="the query is asked of its connection", hint=hint))
    names: dict[int, str] = {}
    for relation in given:
        names.setdefault(id(relation), f"xde_rows_{next(_NUMBERS)}")
        relation.create_view(names[id(relation)], True)  # type: ignore[attr-defined]  # noqa: FBT003
    texts = [names[id(r)] for r in relations]
    texts += [f"{n} := {_text(flow.argument(n), v, names)}" for n, v in named.items()]
    made = expand(f"SELECT * FROM {name}({', '.join(texts)})", _BOOK)
    if JUDGED in made.sql:
        hint = "take those that pass with `keep='passing'` and the others with `keep='failing'`"
        raise UserError(Finding("XDE0299", f"calls `{name}` for dead letters, and there is no model that could keep them", hint=hint))
    if made.faults:
        raise UserError(*(Finding(f.code, f.message, None, "", f.why, f.hint) for f in made.faults))
    first = given[0]
    return first.query(names[id(first)], made.sql)  # type: ignore[attr-defined]


def _text(argument: Argument | None, value: object, names: dict[int, str]) -> str:
    """A Python value as the SQL of an argument; what is of the wrong kind is found out by those who read it."""
    kind = argument.kind if argument is not None else ArgumentKind.VALUE
    if id(value) in names:
        return names[id(value)]
    if isinstance(value, (list, tuple)):
        return f"({', '.join(_text(argument, v, names) for v in value)})"
    match kind, value:
        case (ArgumentKind.COLUMN | ArgumentKind.COLUMNS | ArgumentKind.NAME, str()):
            return quoted(value)
        case (ArgumentKind.VALUE | ArgumentKind.VALUES | ArgumentKind.WORD, str()):
            return literal(value)
        case (_, datetime()):
            return f"{'TIMESTAMPTZ' if value.tzinfo else 'TIMESTAMP'} '{value.isoformat(sep=' ')}'"
        case (_, date()):
            return f"DATE '{value.isoformat()}'"
        case _:
            return str(value)
