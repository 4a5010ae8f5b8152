"""`xde contract`: versions compared, a project held to its promises, drafts from data, a change held against earlier data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import examples_text, json_option
from xde.faces.cli.session import Session, pass_session
from xde.faces.words.compatibility import comparison_fact, comparison_markdown, comparison_text
from xde.ground.errors import UserError
from xde.ground.findings import Severity

if TYPE_CHECKING:
    from xde.app.contracts import Comparison

FAILED = 1
_markdown = click.option("--markdown", is_flag=True, help="Print Markdown, for a comment at a pull request.")


@click.group(
    "contract",
    epilog=examples_text(
        ("xde contract check", "xde contract diff sources/nyc.yaml", "xde contract draft 'data/*' --output sources/nyc.yaml")
    ),
)
def command() -> None:
    """Draft contracts, and compare their versions: what changed, whom it breaks, whether the version says so."""


@xde_command(
    "diff",
    "xde contract diff sources/nyc.yaml",
    "xde contract diff main:sources/nyc.yaml sources/nyc.yaml",
    "xde contract diff old.yaml new.yaml --markdown",
)
@click.argument("old")
@click.argument("new", required=False)
@_markdown
@json_option
@pass_session
def diff(session: Session, *, old: str, new: str | None, markdown: bool) -> None:
    """Compare two versions of one contract.

    OLD and NEW are paths, or COMMIT:PATH for what Git has. One path alone is compared with what it was at the last commit (HEAD).
    """
    from xde.app.contracts import diff as compare  # deferred: it brings readers

    _show(session, compare(_root(session), old, new), markdown=markdown)


@xde_command(
    "check",
    "xde contract check",
    "xde contract check --against origin/main",
    "xde contract check --against ../deployed --markdown",
    'xde contract check --allow-breaking "nobody reads it yet, see the minutes of 3 May"',
)
@click.option(
    "--against", metavar="COMMIT|DIR", default="HEAD", show_default=True, help="What to compare with: a commit of Git, or another folder."
)
@click.option("--allow-breaking", metavar="REASON", default="", help="Let promises be broken, and say why.")
@_markdown
@json_option
@pass_session
def check(session: Session, *, against: str, allow_breaking: str, markdown: bool) -> int:
    """Hold every contract of the project to what it promised.

    Ends with 1 when one breaks its promise and its version does not say so.
    """
    from xde.app.contracts import check as compare_all  # deferred: it brings readers

    found = compare_all(session.root(), against, allow_breaking.strip())
    _show(session, found, markdown=markdown)
    if not session.machine and not markdown:
        session.tell_findings(found.findings)
    return FAILED if any(f.severity is Severity.ERROR for f in found.findings) else 0


@xde_command(
    "draft",
    "xde contract draft 'data/*' --output sources/nyc.yaml",
    "xde contract draft data/orders.csv",
    "xde contract draft nyc",
    "xde contract draft 'postgres://reader:${env:SHOP_PASSWORD}@db.example.com/shop?schema=public' --output sources/shop.yaml",
    "xde contract draft 'data/*.csv' --output sources/shop.yaml --force",
)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write to this file; default: print it.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@json_option
@pass_session
def draft(session: Session, *, sources: tuple[str, ...], output: Path | None, force: bool) -> None:
    """Draft the contract of files or of a database from their data.

    SOURCE is a path, a pattern in quotes, the address of a database with its password by reference (`?schema=` and `?table=` choose), a
    file of SQLite or DuckDB, or a source of the project (the files or tables that it has today). Files that differ in a number or day are
    deliveries of one table. Every rule has its evidence beside it as a comment; what the data cannot tell is a question to its owner:
    `grep '# question'`.
    """
    from xde.app.contract_drafts import draft as draft_contract  # deferred: it brings the engine
    from xde.faces.words.findings import finding_fact
    from xde.faces.words.numbers import amount

    made = draft_contract(session.root, sources, output, force=force)
    if session.machine:
        facts = [finding_fact(f) for f in made.findings]
        session.document({"path": made.path, "tables": made.tables, "questions": made.questions, "text": made.text, "findings": facts})
        return
    session.warn(made.findings)
    session.result(f"{made.path}\n" if made.path else made.text)
    session.talk(f"{amount(len(made.tables), 'table')}, {amount(made.questions, 'question')} to answer; then: xde run")


@xde_command(
    "backtest", "xde contract backtest", "xde contract backtest sources/nyc.yaml", "xde --env prod contract backtest nyc --last 12"
)
@click.argument("contract", required=False)
@click.option("--last", type=click.IntRange(min=1), default=10, show_default=True, metavar="N", help="So many deliveries of each dataset.")
@json_option
@pass_session
def backtest(session: Session, *, contract: str | None, last: int) -> int:
    """Hold a changed contract against earlier deliveries: what would it have stopped or put aside?

    CONTRACT is a path, a source or a dataset; without it, all contracts of the working tree. The rows are those that the environment has;
    dead letters of then are not looked at again. Ends with 1 when something would not have been published.
    """
    from xde.app.backtesting import backtest as hold  # deferred: it brings the engine
    from xde.faces.words.backtest import backtest_fact, backtest_text

    with session.open(working_tree=True) as workspace:
        found = hold(workspace.house, workspace.known, contract, last)
    if session.machine:
        session.document(backtest_fact(found))
    else:
        session.result(backtest_text(found, session.ink(), session.cells()))
    return 0 if found.harmless else FAILED


def _root(session: Session) -> Path | None:
    """The project around, if there is one: two files can be compared without."""
    try:
        return session.root()
    except UserError:
        if session.project is not None:
            raise
        return None


def _show(session: Session, found: Comparison, *, markdown: bool) -> None:
    if session.machine:
        session.document(comparison_fact(found))
    elif markdown:
        session.result(comparison_markdown(found))
    else:
        session.result(comparison_text(found, ink=session.ink()))


for _command in (diff, check, draft, backtest):
    command.add_command(_command)
