"""From a model's text to its syntax tree, with every place mapped back to the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.ground.findings import Finding
from xde.ground.names import did_you_mean
from xde.ground.spans import Span

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlglot import exp

    from xde.ground.findings import Findings
    from xde.kernel.project.declarations import ModelDataset

DIALECT = "duckdb"


def parse(model: ModelDataset, findings: Findings) -> exp.Query | None:
    """The one query of a model, or None and a finding."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import ParseError, TokenError

    whole = Span(model.path, model.sql_line)
    try:
        statements = [s for s in sqlglot.parse(model.sql, read=DIALECT) if s is not None]
    except ParseError as error:
        findings.add(_syntax(model, error))
        return None
    except TokenError as error:
        findings.add(
            Finding(
                "XDE0203",
                f"`{model.path}` is not SQL that can be read",
                whole,
                why=str(error).splitlines()[0],
                hint="look for a quote or a comment that is not closed",
            )
        )
        return None
    except RecursionError:
        findings.add(Finding("XDE0203", f"`{model.path}` is nested too deeply to be read", whole, hint="cut the query into several models"))
        return None
    if len(statements) != 1:
        findings.add(
            Finding(
                "XDE0211",
                f"`{model.path}` holds {len(statements)} statements",
                whole,
                why="a model is one query",
                hint="put each query into a file of its own",
            )
        )
        return None
    tree = statements[0]
    if isinstance(tree, exp.Subquery):
        tree = tree.unnest()
    if not isinstance(tree, exp.Query):
        word = model.sql.split(None, 1)[0].upper()
        findings.add(
            Finding(
                "XDE0212",
                f"`{model.path}` is not a query: it begins with `{word}`",
                whole,
                why="a model is one SELECT; xde makes and fills the table",
                hint="leave the SELECT alone in the file",
            )
        )
        return None
    return tree


def _syntax(model: ModelDataset, error: Exception) -> Finding:
    details = getattr(error, "errors", None) or [{}]
    line, column = details[0].get("line"), details[0].get("col")
    word = str(details[0].get("highlight") or "")
    span = Span(model.path, model.sql_line)
    if line and column:
        start = max(1, int(column) - len(word) + 1)
        span = Span(model.path, model.sql_line + int(line) - 1, start, model.sql_line + int(line) - 1, start + max(1, len(word)))
    why = str(details[0].get("description") or error).splitlines()[0].rstrip(".")
    return Finding(
        "XDE0203",
        f"`{model.path}` is not SQL that can be read",
        span,
        "here",
        why=why,
        hint="run the query in a SQL shell to see what is missing before this place",
    )


def place(model: ModelDataset, node: exp.Expr) -> Span:
    """Where an identifier stands in the file."""
    from sqlglot import exp

    identifier = node if isinstance(node, exp.Identifier) else node.find(exp.Identifier)
    meta = identifier.meta if identifier is not None else {}
    if "line" not in meta:
        return Span(model.path, model.sql_line)
    width = int(meta["end"]) - int(meta["start"]) + 1
    line = model.sql_line + int(meta["line"]) - 1
    start = int(meta["col"]) - width + 1
    return Span(model.path, line, start, line, start + width)


def parameters_of(tree: exp.Query) -> tuple[str, ...]:
    """The `$name` parameters of a query, in order of their first place."""
    from sqlglot import exp

    return tuple(dict.fromkeys(p.name for p in tree.find_all(exp.Placeholder, exp.Parameter) if p.name and not p.name.isdigit()))


def references_of(model: ModelDataset, tree: exp.Query, datasets: Collection[str], findings: Findings) -> dict[str, Span]:
    """Every dataset that a query names, with the first place; CTEs are told apart by the scopes they are seen in."""
    from sqlglot import exp

    found: dict[str, Span] = {}
    by_folded = {d.casefold(): d for d in datasets}
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            _function(model, table, findings)
            continue
        if not table.db:
            if not _is_cte(table):
                bare = {d.split(".")[1]: d for d in datasets}
                near = bare.get(table.name) or did_you_mean(table.name, bare)
                hint = f"write `{near}`" if near in by_folded.values() else near or "write it as `schema.name`"
                findings.add(
                    Finding(
                        "XDE0210",
                        f"`{model.name}` reads `{table.name}`, which is no dataset and no CTE",
                        place(model, table.this),
                        "no schema",
                        hint=hint,
                    )
                )
            continue
        name = by_folded.get(f"{table.db}.{table.name}".casefold())
        if name is None:
            written = f"{table.db}.{table.name}"
            findings.add(
                Finding(
                    "XDE0201",
                    f"`{model.name}` reads `{written}`, which is not a dataset of this project",
                    place(model, table.this),
                    "no such dataset",
                    hint=did_you_mean(written, datasets) or "declare it in a contract under `sources/`, or write a model of this name",
                )
            )
            continue
        found.setdefault(name, place(model, table.this))
    return found


def _is_cte(table: exp.Table) -> bool:
    from sqlglot import exp

    node: exp.Expr | None = table
    while node is not None:
        holder = node.args.get("with_") or node.args.get("with")
        if isinstance(holder, exp.With) and any(c.alias.casefold() == table.name.casefold() for c in holder.expressions):
            return True
        node = node.parent
    return False


READERS = ("read", "scan", "glob", "csv", "parquet", "json")


def _function(model: ModelDataset, table: exp.Table, findings: Findings) -> None:
    name = table.this.name or table.this.sql_name() if table.this is not None else ""
    if any(word in name.casefold() for word in READERS):
        findings.add(
            Finding(
                "XDE0213",
                f"`{model.name}` reads files by `{name.lower()}`",
                Span(model.path, model.sql_line),
                why="what a model reads must be a dataset, so that its lineage and changes are known",
                hint="declare the files in a contract under `sources/` and read that dataset",
            )
        )
