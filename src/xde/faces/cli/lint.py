"""`xde lint`: what in the models is accepted by the engine and regretted later."""

from __future__ import annotations

import click

from xde.faces.cli.reports import current, report_options
from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session
from xde.ground.findings import Severity

FAILED = 1


@xde_command(
    "lint",
    "xde lint",
    "xde lint marts.orders",
    "xde lint +marts.orders tag:daily --strict",
    "xde lint --sarif build/lint.sarif",
)
@click.argument("selection", nargs=-1)
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@report_options
@json_option
@pass_session
def command(session: Session, *, selection: tuple[str, ...], strict: bool) -> int:
    """Look for faults in models that the engine accepts: doubled rows, casts nobody wrote, times without a zone.

    SELECTION names models as for `xde run`. Without one, all of them. Fails on errors. A model switches a rule off in its head, the
    project in `xde.yaml`, both with a reason: `lint: {allow: [star-at-edge], reason: ...}`.
    """
    from xde.app.linting import lint_project  # deferred: it brings the parser
    from xde.faces.words.findings import Look, finding_fact, findings_text, worst_first
    from xde.faces.words.numbers import amount

    found = lint_project(session.root(), session.environment, selection)
    current().findings += found.findings
    if session.machine:
        facts = [finding_fact(f) for f in worst_first(found.findings)]
        session.document({"models": found.models, "allowed": found.allowed, "findings": facts})
    else:
        if found.findings:
            look = session.look()
            session.result(findings_text(found.findings, Look(look.root, session.ink(), look.cells)))
        allowed = f", {found.allowed} allowed" if found.allowed else ""
        talk = "nothing to say of" if not found.findings else "looked at"
        session.talk(f"{talk} {amount(found.models, 'model')}{allowed}")
    failing = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    return FAILED if any(f.severity in failing for f in found.findings) else 0
