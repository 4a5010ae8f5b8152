"""A key of GROUP BY that is forgotten, where the query still runs without it.

GRU of the family SC in Tuya, Suárez-Cabal, de la Riva, "Mutating database queries", Information and Software Technology 49 (2007)
398-417.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.mutants.mutant import Change
    from xde.undercurrents.engineering.mutants.original import Original


def changes(original: Original) -> Iterator[Change]:
    for group in original.parts(exp.Group):
        keys = group.expressions
        if group.args.get("all") or any(group.args.get(word) for word in ("rollup", "cube", "grouping_sets")):
            continue
        for position, key in enumerate(keys):
            span = original.places.of(key)
            if span is None or isinstance(key, exp.Literal) or _is_shown(group, key):
                continue
            hint = f"two rows that differ in {original.named(key)} and agree in all other keys"
            if len(keys) > 1:
                yield from original.change("group by", (span[0], span[1] + 1) if position == 0 else (span[0] - 1, span[1]), "", hint)
            elif original.tokens.word(span[0] - 1) == "GROUP BY":
                yield from original.change("group by", (span[0] - 1, span[1]), "", hint)


def _is_shown(group: exp.Group, key: exp.Expr) -> bool:
    """The key stands outside of aggregates: without it in GROUP BY the query would not run."""
    select = group.parent
    if not isinstance(select, exp.Select):
        return True
    name = key.name.casefold() if isinstance(key, exp.Column) else ""
    clauses = [*select.expressions, *(select.args.get(word) for word in ("having", "qualify", "order"))]
    for clause in clauses:
        for part in clause.walk(prune=lambda n: isinstance(n, exp.AggFunc)) if isinstance(clause, exp.Expr) else ():
            if isinstance(part, exp.AggFunc):
                continue
            if (
                part == key
                or (name and isinstance(part, (exp.Column, exp.Alias)) and part.alias_or_name.casefold() == name)
                or part.is_star
            ):
                return True
    return False
