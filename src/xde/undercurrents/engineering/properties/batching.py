"""One query for many examples: a model's text with each dataset it names cut down to the rows of the example at hand.

The text itself is kept as it stands: only the names of datasets (and, where wanted, parameters) are replaced, at the places where the
parser found them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from xde.ground.names import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlglot import exp

OUTER = "xde_e"
"""The relation of examples around the model: `xde_e.n` is the number of the example."""


@dataclass(frozen=True, slots=True)
class Batch:
    """`tables` are relations for datasets (a text that may stand in FROM, in brackets); `views` are texts to be treated in their turn."""

    tables: Mapping[str, str]
    views: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)  # of `$name`, what stands in its place
    used: set[str] = field(default_factory=set)  # the parameters that are left in the texts that were made

    def text(self, sql: str) -> str:
        """A query for one example among many. Raises `ValueError` for a text that cannot be taken apart."""
        from sqlglot import Dialect
        from sqlglot.errors import SqlglotError

        dialect = Dialect.get_or_raise("duckdb")
        try:
            tokens = dialect.tokenize(sql)
            trees = [t for t in dialect.parser().parse(tokens, sql) if t is not None]
        except (SqlglotError, RecursionError) as error:
            raise ValueError(str(error)) from error
        edits = [e for tree in trees for e in self._edits(tree)]
        for before, token in pairwise(tokens):
            if before.text != "$" or before.end + 1 != token.start:
                continue
            if token.text in self.parameters:
                edits.append((before.start, token.end + 1, self.parameters[token.text]))
            else:
                self.used.add(token.text)
        for begin, end, text in sorted(edits, reverse=True):
            sql = sql[:begin] + text + sql[end:]
        return sql

    def _edits(self, tree: exp.Expr) -> list[tuple[int, int, str]]:
        from sqlglot import exp

        found: list[tuple[int, int, str]] = []
        for table in tree.find_all(exp.Table):
            schema = table.args.get("db")
            if not isinstance(schema, exp.Identifier) or not isinstance(table.this, exp.Identifier):
                continue
            relation = self.relation(f"{schema.name}.{table.name}")
            alias = "" if table.alias else f" AS {quoted(table.name)}"
            found.append((int(schema.meta["start"]), int(table.this.meta["end"]) + 1, relation + alias))
        return found

    def relation(self, name: str) -> str:
        """What stands in the place of a dataset."""
        by_name = {n.casefold(): n for n in (*self.tables, *self.views)}
        known = by_name.get(name.casefold())
        if known is None:
            msg = f"nothing is known of `{name}`"
            raise ValueError(msg)
        return self.tables[known] if known in self.tables else f"({self.text(self.views[known])}\n)"


def over(examples: str, sql: str) -> str:
    """The rows of a batched query for every row of `examples`, with its columns before them."""
    return f"SELECT {OUTER}.*, xde_r.* FROM ({examples}) AS {OUTER}, LATERAL ({sql}\n) AS xde_r"
