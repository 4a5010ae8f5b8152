"""`xde explain`: the page of a code."""

from __future__ import annotations

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session
from xde.faces.words.pages import page, pages


@xde_command("explain", "xde explain XDE0204", "xde explain 204", "xde explain")
@click.argument("code", required=False)
@json_option
@pass_session
def command(session: Session, *, code: str | None) -> None:
    """Explain a code such as XDE0204.

    Why it is wrong, an example, and the example mended. Without CODE, lists all codes.
    """
    if code is None:
        found = pages()
        if session.machine:
            session.document({"codes": [{"code": p.code, "title": p.title} for p in found]})
        else:
            session.result("\n".join(f"{session.ink()('strong', p.code)}  {p.title}" for p in found))
        return
    one = page(code)
    if session.machine:
        session.document({"code": one.code, "title": one.title, "text": one.text})
    else:
        session.result(f"{session.ink()('strong', f'{one.code}: {one.title}')}\n\n{one.text}")
