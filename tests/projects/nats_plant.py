"""A NATS server with JetStream, and the hand that works it."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from projects.brokers import program, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from projects.brokers import Server

CONF = """\
listen: "127.0.0.1:{port}"
jetstream {{ store_dir: "{home}/store" }}
authorization {{
  users = [
    {{user: all, password: "all of it"}}
    {{user: reader, password: "a reader's password", permissions: {{publish: [{allowed}], subscribe: ["_INBOX.>"]}}}}
  ]
}}
"""
ALLOWED = ", ".join(
    f'"$JS.API.{s}"'
    for s in (
        "STREAM.INFO.readings",
        "CONSUMER.CREATE.readings",
        "CONSUMER.CREATE.readings.>",
        "CONSUMER.INFO.readings.*",
        "CONSUMER.MSG.NEXT.readings.*",
    )
)


class Nats:
    kind = "nats"
    contract = (
        "  - {{server: plant, type: custom, host: 127.0.0.1, port: {port}, customProperties: [{{property: xdeType, value: nats}}, "
        "{{property: xdeUser, value: all}}, {{property: xdePassword, value: '${{env:PLANT_PASSWORD}}'}}]}}\n"
    )

    def __init__(self, server: Server) -> None:
        self.server = server

    def do(self, work):
        """Something that is done with a connection."""
        import nats

        async def connected():
            client = await nats.connect(f"nats://127.0.0.1:{self.server.port}", user="all", password="all of it")
            try:
                return await work(client.jetstream())
            finally:
                await client.close()

        return asyncio.run(connected())

    def make(self, **how) -> None:
        from nats.js.api import StreamConfig

        async def work(stream):
            await stream.add_stream(StreamConfig(name="readings", subjects=["plant.>"], **how))

        self.do(work)

    def remake(self) -> None:
        async def work(stream):
            await stream.delete_stream("readings")

        self.do(work)
        self.make()

    def tell(self, *bodies: bytes, subject: str = "plant.heat", headers=None) -> None:
        async def work(stream):
            for body in bodies:
                await stream.publish(subject, body, headers=headers)

        self.do(work)

    def drop(self, keep: int) -> None:
        """All but the newest."""

        async def work(stream):
            await stream.purge_stream("readings", keep=keep)

        self.do(work)

    def place(self, number: int) -> str:
        return f"readings@{number + 1}"


@contextmanager
def nats_server(home: Path, allowed: str = '"nothing"') -> Iterator[Nats]:
    def words(server):
        (home / "conf").write_text(CONF.format(port=server.port, home=home, allowed=allowed))
        return [str(program("nats-server")), "-c", str(home / "conf")]

    with serving(home, words) as found:
        yield Nats(found)
