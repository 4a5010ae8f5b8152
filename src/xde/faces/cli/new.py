"""`xde new`: a model with its contract and a failing case, or a case; for test-first work to begin with."""

from __future__ import annotations

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import examples_text, json_option
from xde.faces.cli.session import Session, pass_session


@click.group("new", epilog=examples_text(("xde new model marts.daily_sales --from staging.orders", "xde new case marts.daily_sales")))
def command() -> None:
    """Begin a model with its contract and a failing case, or a case.

    Nothing that is there is overwritten, and no expectation is invented: the case fails until you say what must come out.
    """


@xde_command("model", "xde new model marts.daily_sales", "xde new model marts.late_flights --from staging.flights,nyc.airlines")
@click.argument("name", metavar="SCHEMA.NAME")
@click.option("--from", "inputs", multiple=True, metavar="DATASETS", help="What it shall read: names, separated by commas.")
@json_option
@pass_session
def model(session: Session, *, name: str, inputs: tuple[str, ...]) -> None:
    """Write a model, its contract beside it, and a failing case."""
    named = [i.strip() for part in inputs for i in part.split(",") if i.strip()]
    with session.open() as workspace:
        files = workspace.new_model(name, named)
    if session.machine:
        session.document({"dataset": name, "files": list(files)})
        return
    for path in files:
        session.result(path)
    session.talk(f"now say in {files[-1]} what must come out, and then: xde test --watch {name}")


@xde_command("case", "xde new case marts.daily_sales", "xde new case shop.orders")
@click.argument("dataset")
@json_option
@pass_session
def case(session: Session, *, dataset: str) -> None:
    """Add a failing case of a model or source to its file of cases."""
    with session.open() as workspace:
        path, name = workspace.new_case(dataset)
    if session.machine:
        session.document({"dataset": dataset, "path": path, "name": name})
        return
    session.result(f"{path}: {name}")
    session.talk(f"now say in it what must come out, and then: xde test --watch {dataset}")


command.add_command(model)
command.add_command(case)
