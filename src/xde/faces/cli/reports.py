"""`--junit` and `--sarif`: what a command finds, written whole to files for other machines when it ends, however it ends."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from xde.faces.cli.session import Session
from xde.faces.words.report import Report, put
from xde.ground.clock import SystemClock
from xde.ground.errors import UserError
from xde.ground.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Form = Literal["junit", "sarif"]

_KEY = "xde.report"
_TITLES = {"junit": "JUnit XML", "sarif": "SARIF 2.1.0"}


def current() -> Report:
    """The report of the command that is carried out; one that nobody asked for is filled like any other, and not written."""
    meta = click.get_current_context().meta
    found = meta.get(_KEY)
    if not isinstance(found, Report):
        found = meta[_KEY] = Report(SystemClock().now())
    return found


def report_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The two options. A command says what it finds to `current()`, or by a `UserError`, and knows no more of reports."""
    for form in ("sarif", "junit"):
        command = click.option(
            f"--{form}",
            metavar="FILE",
            type=click.Path(path_type=Path, dir_okay=False),
            expose_value=False,
            callback=_asked(form),
            help=f"Write the results as {_TITLES[form]} to FILE too.",
        )(command)
    return command


def _asked(form: str) -> Callable[[click.Context, click.Parameter, Path | None], None]:
    def asked(context: click.Context, _: click.Parameter, path: Path | None) -> None:
        if path is not None:
            context.meta.setdefault(f"{_KEY}.files", []).append((form, path))
            context.with_resource(_written(context, form, path))

    return asked


@contextmanager
def _written(context: click.Context, form: str, path: Path) -> Iterator[None]:
    """Write when the command ends, unless it was interrupted or is broken."""
    try:
        yield
    except UserError as error:
        report = current()
        report.findings += [f for f in error.findings if f not in report.findings]
        _write(context, form, path)
        raise
    _write(context, form, path)


def write_now() -> None:
    """Write what was asked for without waiting for the end."""
    context = click.get_current_context()
    for form, path in context.meta.get(f"{_KEY}.files", ()):
        _write(context, form, path)


def _write(context: click.Context, form: str, path: Path) -> None:
    report = current()
    try:
        report.root = context.ensure_object(Session).root()
    except UserError:
        report.root = Path()
    if form == "junit":
        from xde.faces.words.junit import junit as words
    else:
        from xde.faces.words.sarif import sarif as words
    try:
        put(path, words(report))
    except OSError as error:
        message = f"`{path}` cannot be written: {(error.strerror or str(error)).lower()}"
        raise UserError(Finding("XDE0951", message, hint=f"name another file with `--{form}`")) from error
