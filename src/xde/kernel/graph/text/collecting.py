"""What one walk over a syntax tree finds: the tables that it names, and every word and constant that it holds."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from sqlglot import exp

from xde.kernel.graph.text.functions import READ_BY_TEXT, is_file, reads_files
from xde.kernel.graph.text.reading import Fault, Place, TableName

if TYPE_CHECKING:
    from collections.abc import Iterable

DIALECT = "duckdb"


def pieces_of(text: str) -> list[str]:
    """The words and numbers of a text."""
    return re.findall(r"\w+", text.lower())


class Found:
    """The tables that a tree names, what is wrong with them, and all words and constants that it holds, collected in one walk."""

    def __init__(self, tree: exp.Expr) -> None:
        self.tables: list[TableName] = []
        self.faults: list[Fault] = []
        self.starts: set[int] = set()
        self.names: set[str] = set()
        self.pieces: Counter[str] = Counter()
        for node in tree.walk():
            if isinstance(node, exp.Identifier):
                self.starts.add(int(node.meta.get("start", -1)))
                self.names.add(node.this.lower())
                self.pieces.update(pieces_of(node.this))
            elif isinstance(node, exp.Table):
                self._table(node)
            elif isinstance(node, (exp.Literal, exp.Var, exp.JSONPathPart)):
                self.pieces.update(pieces_of(str(node.args.get("this") or "")))
            elif isinstance(node, (exp.WindowSpec, exp.Interval)):
                for value in node.args.values():
                    self.pieces.update(pieces_of(str(value)) if isinstance(value, str) else ())
            elif isinstance(node, exp.Pivot):
                self._pivot(node)

    def _table(self, node: exp.Table) -> None:
        if isinstance(node.this, exp.Identifier):
            identifiers = [i for i in node.parts if isinstance(i, exp.Identifier)]
            place = _stretch(identifiers)
            if len(identifiers) == 1 and is_file(node.name):
                self.faults.append(_reads_file(node.name, place))
            elif not (len(identifiers) == 1 and is_cte(node)):
                self.tables.append(TableName(tuple(i.name for i in identifiers), place))
            return
        name = node.this.name if isinstance(node.this, exp.Anonymous) else node.this.sql_name() if isinstance(node.this, exp.Func) else ""
        if reads_files(name):
            self.faults.append(_reads_file(f"{name.lower()}(...)", None))
        elif name.lower() in READ_BY_TEXT:
            why = "what a model reads must be named in it, so that its lineage and changes are known"
            self.faults.append(
                Fault("XDE0218", f"reads tables that are named in a text: `{name.lower()}(...)`", None, "", why, "write the table itself")
            )

    def _pivot(self, node: exp.Pivot) -> None:
        if node.args.get("unpivot"):
            return
        for on in [*(node.args.get("fields") or []), *(node.expressions if not node.args.get("fields") else [])]:
            if not (isinstance(on, exp.In) and on.expressions):
                identifier = on.find(exp.Identifier)
                place = _stretch([identifier]) if identifier is not None else None
                why = "the columns of a dataset must be known before its rows are"
                hint = f"write `{on.sql(dialect=DIALECT)} IN (...)` with the values that become columns"
                self.faults.append(
                    Fault("XDE0217", "has a PIVOT whose columns would depend on the data", place, "no list of values", why, hint)
                )


def is_cte(table: exp.Table) -> bool:
    """Whether an unqualified name is a CTE in sight: one of its own clause that comes before it, or of a query around it."""
    name = table.name.lower()
    node: exp.Expr | None = table
    before: exp.Expr | None = None
    while node is not None:
        if isinstance(node, exp.With) and isinstance(before, exp.CTE) and name in _visible(node, before):
            return True
        holder = node.args.get("with_")
        if isinstance(holder, exp.With) and holder is not before and name in _visible(holder, None):
            return True
        before, node = node, node.parent
    return False


def _visible(clause: exp.With, within: exp.CTE | None) -> set[str]:
    names: set[str] = set()
    for cte in clause.expressions:
        if within is not None and cte is within:
            return names | ({within.alias.lower()} if clause.args.get("recursive") else set())
        names.add(cte.alias.lower())
    return names


def _reads_file(name: str, place: Place | None) -> Fault:
    why = "what a model reads must be a dataset, so that its lineage and changes are known"
    return Fault(
        "XDE0213",
        f"reads a file by itself: `{name}`",
        place,
        "a file",
        why,
        "declare the files in a contract under `sources/`, and read that dataset",
    )


def _stretch(identifiers: Iterable[exp.Expr]) -> Place:
    metas = [i.meta for i in identifiers if "start" in i.meta]
    if not metas:
        return Place(0, 1)
    start, end = min(int(m["start"]) for m in metas), max(int(m["end"]) for m in metas)
    return Place(start, end - start + 1)
