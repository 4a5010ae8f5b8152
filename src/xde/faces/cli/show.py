"""`xde show`: the rows of a dataset, on the screen or in the formats of others."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.session import Session, pass_session
from xde.faces.words.numbers import amount
from xde.ground.errors import UserError
from xde.ground.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    import pyarrow as pa

    from xde.faces.words.exports import Format

_FORMATS = ("table", "csv", "json", "ndjson", "parquet")
_ROWS = 20


class Options(TypedDict):
    """What may be asked of `show`."""

    where: str | None
    columns: tuple[str, ...]
    limit: int | None
    at: int | None
    version: str | None
    form: str
    output: Path | None


def _as_json(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    if value:
        ctx.ensure_object(Session).machine = True


@xde_command(
    "show",
    "xde show marts.carrier_delay",
    "xde show nyc.flights --where \"carrier = 'UA' AND dep_delay > 60\" --columns carrier,flight,dep_delay",
    "xde show nyc.flights --at 3 --format csv > flights.csv",
    "xde show nyc.flights --output flights.parquet",
)
@click.argument("dataset")
@click.option("--where", metavar="SQL", help="Only rows for which this holds, in DuckDB's SQL.")
@click.option("--columns", metavar="A,B", multiple=True, help="Only these columns, in this order.")
@click.option("--limit", type=click.IntRange(min=0), help=f"Rows at most, 0 for all; default {_ROWS} for a table, else all.")
@click.option("--at", type=int, metavar="NUMBER", help="As of this commit of `xde history`.")
@click.option("--version", metavar="DIGEST", help="Another version than the environment's.")
@click.option("--format", "form", type=click.Choice(_FORMATS), help="Default: table, or by the ending of --output.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file, at once or not at all.")
@click.option("--json", is_flag=True, is_eager=True, expose_value=False, callback=_as_json, help="The same as --format json.")
@pass_session
def command(session: Session, *, dataset: str, **options: Unpack[Options]) -> None:
    """Show the rows of a dataset.

    Rows go to stdout, what is said about them to stderr.
    """
    form = options["form"] or _form_of(options["output"]) or ("json" if session.machine else "table")
    if form == "parquet" and options["output"] is None and sys.stdout.isatty():
        raise UserError(Finding("XDE0006", "a terminal cannot show Parquet", hint="`--output rows.parquet`, or `--format csv`"))
    limit = options["limit"] if options["limit"] is not None else (_ROWS if form == "table" else 0)
    asked = limit + 1 if form == "table" and limit else limit or None
    columns = [c.strip() for part in options["columns"] for c in part.split(",") if c.strip()]
    how = "show" if form == "table" and options["output"] is None else "export"
    with session.open() as workspace:
        reader = workspace.show(dataset, where=options["where"], columns=columns, limit=asked, at=options["at"], version=options["version"])
        if form == "table":
            _table(session, reader, limit, options["output"])
        else:
            _export(session, reader, form, options["output"])  # type: ignore[arg-type]  # click has held the choice
        workspace.note_read(dataset, how)


def _form_of(output: Path | None) -> str | None:
    ending = output.suffix.removeprefix(".").lower() if output else ""
    return {"jsonl": "ndjson"}.get(ending, ending if ending in _FORMATS else None)


def _table(session: Session, reader: pa.RecordBatchReader, limit: int, output: Path | None) -> None:
    from xde.faces.words.rows import rows_table

    batches = list(reader)
    rows = sum(b.num_rows for b in batches)
    more = 0 < limit < rows
    if more:
        batches = _first(batches, limit)
    drawn = rows_table(batches, reader.schema, cells=None if output else session.cells(), ink=session.ink())
    text = "\n".join(drawn.lines) + "\n"
    if output is None:
        session.result(text)
    else:
        with _aside(output) as stream:
            stream.write(text.encode())
    if drawn.hidden:
        session.talk(f"no room for {amount(len(drawn.hidden), 'column')}: {', '.join(drawn.hidden)} (`--columns` chooses)")
    session.talk(f"the first {amount(limit, 'row')}; there are more (`--limit 0` for all)" if more else amount(rows, "row"))


def _first(batches: list[pa.RecordBatch], limit: int) -> list[pa.RecordBatch]:
    kept, left = [], limit
    for batch in batches:
        kept.append(batch.slice(0, left))
        left -= kept[-1].num_rows
    return kept


def _export(session: Session, reader: pa.RecordBatchReader, form: Format, output: Path | None) -> None:
    from xde.faces.words.exports import export

    if output is None:
        with session.bytes() as stream:
            rows = export(reader, form, stream)
    else:
        with _aside(output) as stream:
            rows = export(reader, form, stream)
    session.talk(amount(rows, "row") + (f" in {output}" if output else ""))


@contextmanager
def _aside(output: Path) -> Iterator[BinaryIO]:
    """Write beside the file, and put it in its place when all is written."""
    part = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            yield stream
        part.replace(output)
    except OSError as error:
        said = f"`{output}` cannot be written: {(error.strerror or str(error)).lower()}"
        raise UserError(Finding("XDE0007", said, hint="name another file with `--output`")) from error
    finally:
        part.unlink(missing_ok=True)
