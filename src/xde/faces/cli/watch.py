"""`xde test --watch`: a session that stays, and on each save says within a fraction of a second what the cases make of it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from xde.faces.cli.reports import current, write_now
from xde.faces.words.cases import failure, line
from xde.faces.words.watching import look_fact, look_summary, still_failing
from xde.ground.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.app.testing import CaseResult
    from xde.app.watching import Look, Watch
    from xde.faces.cli.session import Session

PAUSE = 0.05  # seconds between two looks, or four times as long as a look takes
_TOGETHER = frozenset({"watch", "changed", "sql"})  # options that do


def watch(session: Session, selection: Sequence[str], options: Mapping[str, object]) -> int:
    """Look again and again until Ctrl-C: while nothing is run that is the way to end it, and gives 0; else 130, as everywhere."""
    from xde.app.watching import Watch  # deferred: it brings parsers and engines

    source = click.get_current_context().get_parameter_source
    others = [f"--{name}" for name in options if name not in _TOGETHER and source(name) is not ParameterSource.DEFAULT]
    if others:
        raise click.UsageError(f"--watch runs cases; it does not go with {', '.join(others)}")
    changed, sql = bool(options["changed"]), bool(options["sql"])
    watched = Watch(session.root().resolve(), session.environment, selection, changed=changed)
    try:
        _look(session, watched, sql=sql)
        watched.warm()
        while True:
            _wait(session, watched, sql=sql)
    except KeyboardInterrupt:
        if watched.busy:
            raise
        return 0
    finally:
        watched.close()


def _wait(session: Session, watched: Watch, *, sql: bool) -> None:
    clock = SystemClock()
    begun = clock.monotonic()
    if not _look(session, watched, sql=sql):
        time.sleep(max(PAUSE, 4 * (clock.monotonic() - begun)))


def _look(session: Session, watched: Watch, *, sql: bool) -> bool:
    """One look, told; False when nothing was saved."""
    shown: list[CaseResult] = []

    def tell(result: CaseResult) -> None:
        if session.machine:
            return
        if not result.passed:
            session.result(failure(result, session.look(), sql=sql or not shown, cells=session.cells()))
            shown.append(result)
        elif session.verbosity > 0:
            session.result(line(result, session.ink()))

    found = watched.look(tell)
    if found is None:
        return False
    report = current()
    report.results[:], report.findings[:] = [*found.results, *found.others], [*found.warnings, *found.findings]
    write_now()
    if session.machine:
        click.echo(json.dumps(look_fact(found), ensure_ascii=False, default=str))
    else:
        _tell(session, found)
    return True


def _tell(session: Session, found: Look) -> None:
    session.warn(found.warnings)
    session.tell_findings(found.findings)
    for result in found.failing:
        session.result(still_failing(result, session.ink()))
    session.result(look_summary(found, session.ink()))
    if not found.saved:
        session.talk("waiting for the next save; Ctrl-C ends it")
