"""`xde flows`: the flow functions that a model may call."""

from __future__ import annotations

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session
from xde.faces.words.flows import flow_fact, flow_text, flows_text
from xde.ground.errors import UserError
from xde.ground.findings import Finding, Findings
from xde.ground.names import did_you_mean


@xde_command("flows", "xde flows", "xde flows dedupe", "xde flows --json")
@click.argument("name", required=False)
@json_option
@pass_session
def command(session: Session, *, name: str | None) -> None:
    """List the flow functions that a model may call, or show one.

    Ours, those of plug-ins and those of the project's folder `flows/`. With NAME: its arguments, and rows in and rows out.
    """
    from xde.app.flows import flows_at  # deferred: it looks through the installed packages

    try:
        root = session.root()
    except UserError:
        if session.project is not None:
            raise
        root = None  # outside of a project there are ours
    findings = Findings()
    flows = flows_at(root, findings)
    session.warn(findings.items)
    if name is None:
        if session.machine:
            session.document({"flows": [flow_fact(f) for f in flows]})
        else:
            session.result(flows_text(flows, session.ink(), session.cells()))
        return
    found = next((f for f in flows if f.name == name.lower()), None)
    if found is None:
        hint = did_you_mean(name, [f.name for f in flows]) or "see them all with `xde flows`"
        raise UserError(Finding("XDE0254", f"there is no flow `{name}`", hint=hint))
    if session.machine:
        session.document(flow_fact(found))
    else:
        session.result(flow_text(found, session.ink(), session.cells()))
