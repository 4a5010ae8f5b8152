"""`xde record`: the answers of an API as files, so that its source can be tried without it."""

from __future__ import annotations

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session


@xde_command("record", "xde record shop.orders", "xde record shop --requests 3", "xde record --json")
@click.argument("sources", nargs=-1, metavar="[SOURCE...]")
@click.option("--requests", type=click.IntRange(min=1), metavar="N", help="Keep the first N requests of each read: there it ends.")
@json_option
@pass_session
def command(session: Session, *, sources: tuple[str, ...], requests: int | None) -> None:
    """Keep the answers of APIs under `tests/cassettes/`, so that their sources can be tried without them.

    They are asked as a first run would, and as the one after it. SOURCE is a dataset or a source of the project; nothing for all whose
    server is an API. Secrets are taken out, values that may show a person (by the contract) are made up. An environment with
    `apis: cassettes`, and a case with `cassette: FOLDER`, takes the answers from there.
    """
    from xde.app.api_recording import record
    from xde.faces.words.numbers import amount, size

    with session.open() as workspace:
        found = []
        for cassette in record(workspace.house, workspace.known, sources, requests):
            found.append(cassette)
            if not session.machine:
                told = f"{amount(cassette.requests, 'request')}, {amount(cassette.records, 'record')}, {size(cassette.bytes)}"
                session.result(f"{cassette.dataset}  {cassette.path}  {told}")
    if session.machine:
        facts = [{"dataset": c.dataset, "path": c.path, "requests": c.requests, "records": c.records, "bytes": c.bytes} for c in found]
        session.document({"cassettes": facts})
