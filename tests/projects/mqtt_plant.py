"""A mosquitto that keeps sessions, and devices that publish to it."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from projects.brokers import program, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from projects.brokers import Server

CONF = """\
listener {port} 127.0.0.1
persistence true
persistence_location {home}/
max_queued_messages 0
allow_anonymous {anonymous}
{more}
"""
CONTRACT = (
    "  - {{server: plant, type: custom, host: 127.0.0.1, port: {port}, customProperties: [{{property: xdeType, value: mqtt}}{more}]}}\n"
)


class Mqtt:
    def __init__(self, server: Server) -> None:
        self.server = server

    @property
    def contract(self) -> str:
        return CONTRACT.format(port=self.server.port, more="")

    def tell(self, *bodies: bytes, topic: str = "plant/m1/heat", retain: bool = False, user: str = "") -> None:
        """Comes back when the broker has all of them."""
        import paho.mqtt.client as mqtt
        from paho.mqtt.enums import CallbackAPIVersion

        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        if user:
            client.username_pw_set(user, "a device's password")
        connected = threading.Event()
        client.on_connect = lambda *_: connected.set()
        client.connect("127.0.0.1", self.server.port)
        client.loop_start()
        assert connected.wait(10)
        for told in [client.publish(topic, body, qos=1, retain=retain) for body in bodies]:
            told.wait_for_publish(20)
            assert told.is_published()
        client.disconnect()
        client.loop_stop()


@contextmanager
def mqtt_server(home: Path, more: str = "", anonymous: str = "true") -> Iterator[Mqtt]:
    home.chmod(0o777)

    def words(server):
        user = "user root\n"
        (home / "conf").write_text(user + CONF.format(port=server.port, home=home, anonymous=anonymous, more=more.format(home=home)))
        return [str(program("mosquitto")), "-c", str(home / "conf")]

    with serving(home, words) as found:
        yield Mqtt(found)


def until(holds, seconds: float = 20.0) -> None:
    """Wait until something holds."""
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "it does not come true"
        time.sleep(0.05)
