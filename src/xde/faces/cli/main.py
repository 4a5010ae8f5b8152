"""The door: `xde`, its options, its commands by name, and the one place that turns errors into exit codes."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xde import __version__
from xde.faces.cli.lazy import LazyGroup
from xde.faces.cli.overriding import override
from xde.faces.cli.saying import examples_text
from xde.faces.cli.session import Session, pass_session
from xde.ground.errors import DataError, TemporaryError, UserError
from xde.ground.findings import Finding
from xde.ground.secrets import trace_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

DONE, FINDING, USAGE, DATA, BUG, CANCELLED, PIPE = 0, 1, 2, 3, 70, 130, 141  # 70: EX_SOFTWARE; 128 + signal for the last two

ENGINE_INTERRUPTED = "Query interrupted"  # what the engine makes of a Ctrl-C that it sees by itself
_ROOM = "xde.faces.cli"
COMMANDS = {
    "init": (f"{_ROOM}.init", "Make a new project that runs."),
    "import": (f"{_ROOM}.importing", "Make a project of what another tool has: `xde import dbt DIR`."),
    "new": (f"{_ROOM}.new", "Begin a model with its contract and a failing case, or a case."),
    "doctor": (f"{_ROOM}.doctor", "Try whether sources, lake, ledger and engine can be reached, written and read."),
    "test": (f"{_ROOM}.test", "Run the cases under `tests/`."),
    "lint": (
        f"{_ROOM}.lint",
        "Look for faults in models that the engine accepts: doubled rows, casts nobody wrote, times without a zone.",
    ),
    "format": (
        f"{_ROOM}.format",
        "Put the SQL of models into one form: lines, indents, capitals. No word and no comment is lost, and no model is built anew.",
    ),
    "plan": (f"{_ROOM}.plan", "Tell what a run would do, and why; changes nothing."),
    "run": (f"{_ROOM}.run", "Load what is new, build what is stale, publish what passes."),
    "up": (f"{_ROOM}.up", "Take in records that are pushed over HTTP or told by devices, read streams, and load all of it."),
    "deploy": (f"{_ROOM}.deploy", "Bring the working tree to an environment, whole and at once."),
    "rollback": (f"{_ROOM}.rollback", "Show again what an earlier deployment showed."),
    "backfill": (f"{_ROOM}.backfill", "Compute rows of DATASET anew, although nothing has changed, and show them all at once."),
    "env": (f"{_ROOM}.env", "List, show, compare and drop environments."),
    "list": (f"{_ROOM}.list", "List the datasets of the project."),
    "show": (f"{_ROOM}.show", "Show the rows of a dataset."),
    "record": (f"{_ROOM}.record", "Keep the answers of APIs under `tests/cassettes/`, so that their sources can be tried without them."),
    "profile": (f"{_ROOM}.profile", "Show what datasets, files and tables are: types, gaps, keys, joins, outliers, personal data."),
    "diff": (f"{_ROOM}.diff", "Compare the rows of a dataset between two commits, environments or files."),
    "lineage": (f"{_ROOM}.lineage", "Draw what a dataset or column is made from, or who reads it."),
    "history": (f"{_ROOM}.history", "List the commits of a dataset."),
    "cost": (f"{_ROOM}.cost", "Tell what datasets cost, and who reads them: what is expensive and unused."),
    "flows": (f"{_ROOM}.flows", "List the flow functions that a model may call, or show one."),
    "contract": (
        f"{_ROOM}.contract",
        "Draft contracts, and compare their versions: what changed, whom it breaks, whether the version says so.",
    ),
    "letters": (f"{_ROOM}.letters", "List, show, replay and discard dead letters."),
    "runs": (f"{_ROOM}.runs", "List the last runs, or the steps of one."),
    "ci": (f"{_ROOM}.ci", "Write the pipeline file of the project, for GitHub or GitLab."),
    "package": (f"{_ROOM}.package", "Make the tested unit: a wheel and a Dockerfile with a locked, proven set of dependencies."),
    "clean": (f"{_ROOM}.clean", "Take away environments, versions and files that nobody needs any more."),
    "ledger": (f"{_ROOM}.ledger", "Look after the ledger."),
    "explain": (f"{_ROOM}.explain", "Explain a code such as XDE0204."),
}

EXAMPLES = ("xde init my_project", "xde --project my_project run", "xde --env prod plan")


class Root(LazyGroup):
    """The root group; a reader of our output that has had enough (`| head`) ends us quietly."""

    @override
    def invoke(self, ctx: click.Context) -> object:
        """Carry out the command and flush what it said."""
        try:
            value = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise click.exceptions.Exit(PIPE) from None
        return value


@click.group("xde", cls=Root, lazy=COMMANDS, epilog=examples_text(EXAMPLES), context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--project",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="XDE_PROJECT",
    help="The project's folder; default: here, or the nearest above.",
)
@click.option(
    "--env", "environment", envvar="XDE_ENV", metavar="NAME", help="The environment to work in; default: the one `xde.yaml` names."
)
@click.option("--no-color", is_flag=True, help="No colour, even on a terminal.")
@click.option("-q", "--quiet", is_flag=True, help="Results and findings only.")
@click.option("-v", "--verbose", count=True, help="Say more.")
@click.version_option(__version__, prog_name="xde", message="%(prog)s %(version)s")
@pass_session
def root(session: Session, *, project: Path | None, environment: str | None, no_color: bool, quiet: bool, verbose: int) -> None:
    """EXtreme Data Engineering: the whole lifecycle from one folder of contracts, SQL and Python."""
    session.project = project
    session.environment = environment
    session.colour = not no_color
    session.verbosity = -1 if quiet else verbose


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command line; the exit code is 0 done, 1 a finding, 2 wrong usage, 3 data did not pass, 70 our fault, 130 cancelled."""
    session = Session()
    sys.excepthook = _last_words
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        value = root.main(arguments, prog_name="xde", standalone_mode=False, obj=session)
    except click.ClickException as error:
        _usage(error)
        return error.exit_code
    except click.Abort:
        return _cancelled()
    except UserError as error:
        session.fail(error.findings)
        return DATA if isinstance(error, DataError) else FINDING
    except TemporaryError as error:
        session.fail([Finding("XDE0002", str(error), hint="this may pass by itself: try again in a moment")])
        return FINDING
    except Exception as error:  # noqa: BLE001 - the last door: what nobody foresaw is ours, and told as such
        if isinstance(error, RuntimeError) and str(error) == ENGINE_INTERRUPTED:
            return _cancelled()
        _our_fault(session, error)
        return BUG
    return value if isinstance(value, int) else DONE


def _cancelled() -> int:
    click.echo("cancelled; nothing half done was published", err=True)
    return CANCELLED


def _usage(error: click.ClickException) -> None:
    """Click's own words, and where a root option was put after the command, where it belongs."""
    error.show()
    if isinstance(error, click.NoSuchOption) and any(error.option_name in p.opts for p in root.params):
        click.echo(f"`{error.option_name}` stands before the command: xde {error.option_name} ... COMMAND", err=True)


def _last_words(_: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
    """What Python says of that which no `except` catches, such as a panic in a library: without what must not be seen."""
    click.echo(trace_of(error), err=True, nl=False)


def _our_fault(session: Session, error: Exception) -> None:
    trace = trace_of(error)
    if session.machine:
        session.document({"bug": {"message": str(error), "trace": trace, "version": __version__}})
    click.echo(trace, err=True, nl=False)
    click.echo(f"\nthis is a fault of xde {__version__}, not yours; please report the lines above {_where_to_report()}", err=True)


def _where_to_report() -> str:
    """The address that the installed package itself names."""
    from importlib.metadata import PackageNotFoundError, metadata  # deferred: only needed on our way out

    try:
        urls = dict(u.split(", ", 1) for u in metadata("xde").get_all("Project-URL") or [])
    except PackageNotFoundError:
        urls = {}
    return f"at {urls['Issues']}" if "Issues" in urls else "to the people you have xde from"


if __name__ == "__main__":
    sys.exit(main())
