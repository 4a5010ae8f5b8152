"""`xde up`: a door for records that are pushed, and what lands them."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.session import Session, pass_session
from xde.ground.errors import UserError
from xde.ground.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.app.landing import Holding, Landing
    from xde.app.receiving import Receiver
    from xde.kernel.plan.ledger import Claim


@xde_command("up", "xde up", "xde up shop.events --port 8471", "xde --env prod up --host 0.0.0.0 --downstream")
@click.argument("datasets", nargs=-1, metavar="[DATASET]...")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on; others than this machine's own need keys.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8470, show_default=True, help="The port; 0 takes a free one, and says it.")
@click.option("--downstream", is_flag=True, help="Build what reads the sources, too, each time records have landed.")
@pass_session
def command(session: Session, *, datasets: tuple[str, ...], host: str, port: int, downstream: bool) -> None:
    """Take in records that are pushed over HTTP or told by devices, read streams, and load all of it.

    Records go to `POST /push/DATASET`, for each source whose contract says `xdePush`: JSON, lines of JSON, CSV or Arrow. An answer comes
    when they are on the disk; they are loaded when it is time or enough, as the contract says. Topics of MQTT are listened to, and streams
    of Redis, NATS and Kafka are read each time it is time. Ctrl-C or SIGTERM ends it: nothing more is taken in, and what was is loaded.
    Needs `pip install 'xde[up]'`.
    """
    from xde.app.landing import Lander, Where
    from xde.app.listening import close_listeners, open_listeners
    from xde.app.receiving import close_doors, open_doors, served
    from xde.faces.web.pushing import Pushing
    from xde.faces.web.server import Place, listening, needed, serve
    from xde.ground.clock import SystemClock

    needed()
    with session.open() as workspace:
        root = workspace.house.root
        pushed, heard, streams = served(workspace.known, datasets)
        doors = open_doors(workspace.house, workspace.known, pushed) if pushed else {}
        try:
            listeners = open_listeners(workspace.house, workspace.known, heard)
        except BaseException:
            close_doors(doors)
            raise
    try:
        _must_have_keys(doors, host)
        where = Where(root, session.environment, downstream, streams=streams)
        taking: dict[str, Holding] = {**doors, **listeners}
        lander = Lander(where, taking, SystemClock(), lambda found: _tell(session, found), lambda claim: _waiting(session, claim))
        lander.positions()
        listener = listening(Place(host, port))
        for each in listeners.values():
            each.begin(session.talk)
        lander.start()
        try:
            serve(Pushing(doors, lander), listener, lambda: _ready(session, doors, [*listeners, *streams], listener.getsockname()))
        finally:
            session.talk("stopping: what was taken in is loaded")
            for each in listeners.values():
                each.end()
            lander.stop()
            lander.land()
    finally:
        close_listeners(listeners)
        close_doors(doors)


def _must_have_keys(doors: Mapping[str, Receiver], host: str) -> None:
    unlocked = [n for n, d in doors.items() if d.open]
    if unlocked and not _is_own(host):
        shown = ", ".join(f"`{n}`" for n in unlocked)
        why = f"anybody who reaches `{host}` could push to them"
        hint = "name `keys` in `xdePush` of their contracts, or listen on 127.0.0.1 behind a proxy that asks who it is"
        raise UserError(Finding("XDE0467", f"without keys: {shown}", why=why, hint=hint))


def _is_own(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _ready(session: Session, doors: Mapping[str, Receiver], others: Sequence[str], address: tuple[object, ...]) -> None:
    host = f"[{address[0]}]" if ":" in str(address[0]) else address[0]
    for name in doors:
        session.result(f"POST http://{host}:{address[1]}/push/{name}")
    for name in others:
        session.talk(f"listening for {name}")
    session.talk("Ctrl-C ends it")


def _waiting(session: Session, claim: Claim) -> None:
    session.talk(f"waiting for run `{claim.run}`, which holds `{claim.environment}` ({claim.owner})")


def _tell(session: Session, landing: Landing) -> None:
    from xde.faces.words.landing import landing_lines

    for line in landing_lines(landing):
        session.talk(line)
    session.tell_findings(landing.findings)
    if landing.trace:
        click.echo(landing.trace, err=True, nl=False)
