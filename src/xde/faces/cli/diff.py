"""`xde diff`: the rows of a dataset, compared between two commits, environments or files."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session

if TYPE_CHECKING:
    from xde.app.comparing import Comparisons
    from xde.app.references import Reference
    from xde.lifecycle.serving.comparing import Asked, Difference

DIFFERENT = 1


class Options(TypedDict):
    """What may be asked of `diff`."""

    environment: str | None
    against: str | None
    at: str | None
    against_at: str | None
    key: str | None
    columns: tuple[str, ...]
    ignore: tuple[str, ...]
    where: str | None
    tolerance: float
    limit: int
    markdown: bool
    exit_code: bool


@xde_command(
    "diff",
    "xde diff marts.carrier_delay",
    "xde diff marts.carrier_delay@3 marts.carrier_delay@5",
    "xde diff marts.carrier_delay --env my_branch --against prod",
    "xde diff nyc.flights --against-at 2026-01-31 --where \"carrier = 'UA'\" --ignore dep_delay",
    "xde diff old.parquet new.csv --key id --tolerance 1e-9",
    "xde diff --env my_branch --against prod --markdown > comment.md",
)
@click.argument("left", required=False)
@click.argument("right", required=False)
@click.option("--env", "environment", metavar="NAME", help="The environment of the new rows.")
@click.option("--against", metavar="NAME", help="The environment of the old rows.")
@click.option("--at", metavar="POINT", help="The new rows as of this commit, time or version.")
@click.option("--against-at", metavar="POINT", help="The old rows as of this commit, time or version.")
@click.option("--key", metavar="A,B", help="Pair rows by these columns; default: the contract's primary key; '' for whole rows.")
@click.option("--columns", metavar="A,B", multiple=True, help="Compare only these columns.")
@click.option("--ignore", metavar="A,B", multiple=True, help="Do not compare these columns.")
@click.option("--where", metavar="SQL", help="Only rows for which this holds, in DuckDB's SQL.")
@click.option(
    "--tolerance", type=click.FloatRange(min=0), default=0.0, metavar="X", help="Floats that differ by less, relative, are the same."
)
@click.option("--limit", type=click.IntRange(min=0), default=10, show_default=True, help="How many rows of each kind to show.")
@click.option("--markdown", is_flag=True, help="As a comment for the reviewer of a change.")
@click.option("--exit-code", is_flag=True, help="End with 1 when anything differs.")
@json_option
@pass_session
def command(session: Session, *, left: str | None, right: str | None, **options: Unpack[Options]) -> int:
    """Compare the rows of a dataset between two commits, environments or files.

    LEFT, the old rows, and RIGHT, the new ones, are written [ENVIRONMENT:]DATASET[@POINT]; POINT is the number of a commit, -1 for the
    one before the newest, a time in UTC, or a version. One alone is compared with the commit before it. Without any, all datasets
    in which two environments differ.
    """
    from xde.app.comparing import Comparisons
    from xde.lifecycle.serving.comparing import Asked

    asked = Asked((), _names(options["columns"]), _names(options["ignore"]), options["where"], options["tolerance"], options["limit"])
    with Comparisons(session.root, session.environment) as comparisons:
        if left is None:
            return _environments(session, comparisons, asked, options)
        one, other = _references(left, right, options)
        begun = time.monotonic()
        found = comparisons.compare(one, other, asked, None if options["key"] is None else _names((options["key"],)))
        _tell(session, found, options)
        _talk(session, found, time.monotonic() - begun)
    return _ending([found], options)


def _names(parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.strip() for part in parts for name in part.split(",") if name.strip())


def _references(left: str, right: str | None, options: Options) -> tuple[Reference | None, Reference]:
    """The old rows and the new ones; the options say what the references leave open."""
    from xde.app.references import Reference, at, read_reference

    first = read_reference(left)
    if right is not None:
        return at(first, options["against"], options["against_at"]), at(read_reference(right), options["environment"], options["at"])
    new = at(first, options["environment"], options["at"])
    if options["against"] is None and options["against_at"] is None:
        return None, new
    return at(Reference(new.dataset, None, file=new.file), options["against"] or new.environment, options["against_at"]), new


def _environments(session: Session, comparisons: Comparisons, asked: Asked, options: Options) -> int:
    """Every dataset in which two environments differ."""
    from xde.app.references import Reference
    from xde.faces.words.comparison import difference_fact, difference_text, overview_text
    from xde.faces.words.comparison_page import overview_page

    if options["against"] is None or options["at"] or options["against_at"]:
        raise click.UsageError("name a dataset: `xde diff DATASET`; or two environments: `xde diff --env NAME --against NAME`")
    old, new = options["against"], options["environment"]
    only = comparisons.only(old, new)
    sides = [(Reference(n, old), Reference(n, new)) for n in comparisons.both(old, new)]
    found = [comparisons.compare(one, other, asked) for one, other in sides]
    titles = (old, new or comparisons.own())
    if session.machine:
        facts = [difference_fact(d) for d in found]
        session.document({"left": titles[0], "right": titles[1], "only_left": only[0], "only_right": only[1], "differences": facts})
    elif options["markdown"]:
        session.result(overview_page(found, titles, only))
    else:
        parts = [difference_text(d, ink=session.ink(), cells=session.cells()) for d in found if not d.equal]
        session.result("\n".join([*parts, overview_text(found, titles, only)]))
    for one in found:
        session.warn(one.findings)
    return DIFFERENT if options["exit_code"] and (any(only) or any(not d.equal for d in found)) else 0


def _tell(session: Session, found: Difference, options: Options) -> None:
    from xde.faces.words.comparison import difference_fact, difference_text
    from xde.faces.words.comparison_page import difference_page
    from xde.faces.words.findings import finding_fact

    if session.machine:
        session.document({**difference_fact(found), "findings": [finding_fact(f) for f in found.findings]})
    elif options["markdown"]:
        session.result(difference_page(found))
    else:
        session.result(difference_text(found, ink=session.ink(), cells=session.cells()))
        session.warn(found.findings)


def _talk(session: Session, found: Difference, seconds: float) -> None:
    from xde.faces.words.numbers import amount, duration

    rest = f", {amount(found.shared, 'row')} of each in files that both have" if found.shared else ""
    session.talk(f"{amount(found.left_rows, 'row')} against {amount(found.right_rows, 'row')} in {duration(seconds)}{rest}")


def _ending(found: list[Difference], options: Options) -> int:
    sys.stdout.flush()
    return DIFFERENT if options["exit_code"] and any(not d.equal for d in found) else 0
